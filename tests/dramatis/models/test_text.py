from __future__ import annotations

import torch

from dramatis.models.text import MAX_NGRAMS, TextEncoder, ngram_ids, words_of


def test_words_drop_what_carries_no_meaning() -> None:
    assert words_of("A woman smiles at the camera.", 10) == ["woman", "smiles", "camera"]
    assert words_of("她笑 slowly", 10) == ["她", "笑", "slowly"]


def test_related_words_share_pieces() -> None:
    smile, smiling, anger = (set(ngram_ids(word, 5000)) for word in ("smile", "smiling", "anger"))
    assert len(smile & smiling) > len(smile & anger)
    assert all(1 <= piece <= 5000 for piece in smile | smiling)
    assert len(ngram_ids("incomprehensibilities", 5000)) == MAX_NGRAMS


@torch.no_grad()
def test_an_empty_prompt_is_exactly_zero_and_padding_stays_zero() -> None:
    net = TextEncoder(dim=8, buckets=40, text_len=6, heads=2).eval()
    states = net(net.tokenize(["", "smile", "🙂🙂"]))
    assert states.isfinite().all()
    assert not states[0].any()
    assert states[1, 0].any()
    assert not states[1, 1:].any()
    assert not states[2].any()


@torch.no_grad()
def test_word_order_counts_and_length_is_bounded() -> None:
    net = TextEncoder(dim=8, buckets=40, text_len=6, heads=2).eval()
    a, b = net(net.tokenize(["happy not sad", "sad not happy"]))
    assert not torch.allclose(a, b)
    assert net(net.tokenize(["word " * 1000])).shape == (1, 6, 8)
