"""The image encoder of the public 14B family: CLIP ViT-H/14 up to its last layer but one, from Wan's file or a folder.

The DiT's image cross-attention looks the reference picture up in them (257 tokens of 1280). The mini uses latents
instead, see `reference.py`. Pictures are prepared with torch alone, as Wan does it: both sides to 224 by bicubic
interpolation, whatever the shape.
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPVisionConfig, CLIPVisionModel

from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.models.pictures import to_tensor
from dramatis.models.published.checkpoints import (
    check_fit,
    check_published,
    load_published,
    open_weights,
    quiet_transformers,
    rename_key,
)

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of red, green and blue in the pictures that CLIP was trained on."""

_TOWER = "visual."
_HEAD = "visual.head"
"""The projection into CLIP's common space, which comes after the states that are read."""
_LAYER = r"^visual\.transformer\.(\d+)\."
_OFFICIAL = (
    (r"^visual\.patch_embedding\.", "embeddings.patch_embedding."),
    (r"^visual\.cls_embedding$", "embeddings.class_embedding"),
    (r"^visual\.pos_embedding$", "embeddings.position_embedding.weight"),
    (r"^visual\.pre_norm\.", "pre_layrnorm."),
    (r"^visual\.post_norm\.", "post_layernorm."),
    (_LAYER + r"norm([12])\.", r"encoder.layers.\1.layer_norm\2."),
    (_LAYER + r"attn\.proj\.", r"encoder.layers.\1.self_attn.out_proj."),
    (_LAYER + r"mlp\.0\.", r"encoder.layers.\1.mlp.fc1."),
    (_LAYER + r"mlp\.2\.", r"encoder.layers.\1.mlp.fc2."),
)
_QKV = re.compile(_LAYER + r"attn\.to_qkv\.(weight|bias)$")


def vit_h_14() -> CLIPVisionConfig:
    """The vision tower that Wan's image-to-video models were trained with."""
    return CLIPVisionConfig(
        hidden_size=1280,
        intermediate_size=5120,
        num_hidden_layers=32,
        num_attention_heads=16,
        image_size=224,
        patch_size=14,
        hidden_act="gelu",
        layer_norm_eps=1e-5,
    )


def official_to_clip(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The vision tower of `models_clip_open-clip-xlm-roberta-large-vit-huge-14.pth` under transformers' names.

    Query, key and value are one matrix there. The text tower and the projections are left out.
    """
    out: dict[str, Tensor] = {}
    for official, value in state.items():
        if not official.startswith(_TOWER) or official == _HEAD:
            continue
        if joint := _QKV.match(official):
            layer, kind = joint.groups()
            for name, part in zip("qkv", value.chunk(3), strict=True):
                out[f"encoder.layers.{layer}.self_attn.{name}_proj.{kind}"] = part
            continue
        key = rename_key(official, _OFFICIAL)
        # Both embeddings have a batch axis there.
        out[key] = value[0] if key == "embeddings.position_embedding.weight" and value.ndim == 3 else value
    if "embeddings.class_embedding" in out:
        out["embeddings.class_embedding"] = out["embeddings.class_embedding"].flatten()
    return out


def check_clip_vision(
    weights: Path, *, pickles: bool = False, config: CLIPVisionConfig | None = None
) -> dict[str, Tensor] | None:
    """Check that a vision tower is there, whole and of the right kind; reads no numbers.

    weights: Wan's single file, or a transformers folder (`image_encoder`). config: of a single file, ViT-H/14 by
    default. pickles: see `open_weights`. Returns the tensors of a single file, memory-mapped. Raises UserError.
    """
    if weights.is_dir():
        check_published(weights, CLIPVisionModel, pickles=pickles)
        return None
    state = official_to_clip(open_weights(weights, pickles=pickles))
    if not state:
        raise UserError(f"{weights}: this file holds no CLIP vision tower; give Wan's models_clip file.")
    with torch.device("meta"):
        net = CLIPVisionModel(config or vit_h_14())
    # Until transformers 5 the tower's names began with vision_model.
    prefix = "vision_model." if any(key.startswith("vision_model.") for key in net.state_dict()) else ""
    state = {prefix + key: value for key, value in state.items()}
    check_fit(weights, state, net)
    return state


def load_clip_vision(
    weights: Path,
    *,
    pickles: bool = False,
    dtype: torch.dtype = torch.float32,
    config: CLIPVisionConfig | None = None,
) -> CLIPVisionModel:
    """The vision tower, in evaluation mode, on the CPU; arguments and errors as for `check_clip_vision`."""
    state = check_clip_vision(weights, pickles=pickles, config=config)
    if state is None:
        return load_published(CLIPVisionModel, weights, dtype, pickles=pickles)
    with quiet_transformers():
        net = CLIPVisionModel.from_pretrained(None, config=config or vit_h_14(), state_dict=state, dtype=dtype)
    return net.requires_grad_(requires_grad=False).eval()


def preprocess(picture: Pictures, side: int = 224) -> Tensor:
    """(H, W, 3) uint8 -> (1, 3, side, side), standardised as CLIP expects."""
    scaled = F.interpolate(to_tensor(picture[None])[:, :, 0], (side, side), mode="bicubic", align_corners=False)
    mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in (MEAN, STD))
    return (scaled / 2 + 0.5 - mean) / std


@torch.no_grad()
def clip_tokens(net: CLIPVisionModel, picture: Pictures) -> Tensor:
    """(H, W, 3) uint8 -> (1, 257, 1280): the states after all layers but the last, which the DiT takes as `image`."""
    pixels = preprocess(picture, net.config.image_size).to(net.device, net.dtype)
    return net(pixels, output_hidden_states=True).hidden_states[-2]
