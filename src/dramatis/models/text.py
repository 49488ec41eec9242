"""The mini's text encoder: words to a short sequence of vectors, with no vocabulary file and nothing to download.

Every word is the sum of hashed character n-grams (the fastText idea: "smile" and "smiling" share most of theirs),
and one self-attention layer lets "not", "very" and the order of words count. It was trained together with the DiT; the
14B family uses UMT5-XXL instead.
"""

from __future__ import annotations

import re
import zlib

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

WORD = re.compile(r"[a-z0-9']+|[\u4e00-\u9fff]")
STOP_WORDS = frozenset(
    {
        *("a", "an", "the", "of", "and", "with", "is", "are", "in", "to", "on", "at", "as", "this", "that"),
        *("her", "his", "their", "its", "she", "he", "they", "it"),
    }
)
MAX_NGRAMS = 12


def words_of(text: str, limit: int) -> list[str]:
    """The first `limit` content words, lower case; Chinese characters count as words."""
    words: list[str] = []
    for match in WORD.finditer(text.lower()):
        if match.group() not in STOP_WORDS:
            words.append(match.group())
            if len(words) == limit:
                break
    return words


def ngram_ids(word: str, buckets: int) -> list[int]:
    """Hashed ids, 1..buckets: the whole word, then its 3- and 4-grams, at most `MAX_NGRAMS`."""
    marked = f"<{word}>"
    grams = [word] + [marked[i : i + n] for n in (4, 3) for i in range(len(marked) - n + 1)]
    return [zlib.crc32(gram.encode()) % buckets + 1 for gram in grams[:MAX_NGRAMS]]


class TextEncoder(ModelMixin, ConfigMixin):
    """Sentences to (B, text_len, dim); unused positions are exactly zero.

    Args:
        dim: width of the vectors.
        buckets: size of the hash table.
        text_len: most words that are read; the rest of a long prompt is not.
        heads: of the attention.
    """

    @register_to_config
    def __init__(self, dim: int = 128, buckets: int = 6000, text_len: int = 48, heads: int = 4) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets + 1, dim, padding_idx=0)
        self.position = nn.Parameter(torch.randn(text_len, dim) * 0.1)
        self.layer = nn.TransformerEncoderLayer(
            dim, heads, 2 * dim, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(dim)

    def tokenize(self, texts: list[str]) -> Tensor:
        """Texts -> (B, text_len, PIECES) hashed ids, 0 = nothing."""
        ids = torch.zeros(len(texts), self.config.text_len, MAX_NGRAMS, dtype=torch.long)
        for row, text in enumerate(texts):
            for column, word in enumerate(words_of(text, self.config.text_len)):
                ngrams = ngram_ids(word, self.config.buckets)
                ids[row, column, : len(ngrams)] = torch.tensor(ngrams)
        return ids

    def forward(self, ids: Tensor) -> Tensor:
        """(B, text_len, PIECES) -> (B, text_len, dim)."""
        present = (ids > 0).any(-1)
        counts = (ids > 0).sum(-1, keepdim=True).clamp(min=1)
        x = self.table(ids).sum(2) * counts.to(self.table.weight.dtype).rsqrt() + self.position
        # An empty sentence has nothing to attend to; its first (empty) position stands in and is zeroed below.
        visible = present | (torch.arange(present.shape[1], device=ids.device) == 0)
        x = self.layer(x, src_key_padding_mask=~visible)
        return self.norm(x) * present.unsqueeze(-1)
