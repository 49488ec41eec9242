"""Tiny configs of the real networks, written as a model folder: what the tests film with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import save_model
from dramatis.models.perception import FaceReading, PerceptionNet
from dramatis.models.refiner import DetailRefiner
from dramatis.models.speech import SpeechEncoder
from dramatis.models.text import TextEncoder
from dramatis.models.traits import TraitNet
from dramatis.motion.face import TEMPLATE_68

DIT: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 16,
    "text_dim": 16,
    "text_len": 12,
    "freq_dim": 16,
    "ffn_dim": 32,
    "num_layers": 2,
    "image_dim": 96,
    "rope_max_seq_len": 64,
    "audio_projection": "frame",
    "audio_channels": 12,
    "audio_output_dim": 16,
    "control_dim": 26,
    "control_channels": 6,
}


def tiny_dit(**config: int) -> AudioDiT:
    torch.manual_seed(0)
    return AudioDiT(**DIT | config).eval()


def tiny_autoencoder() -> MiniAutoencoder:
    torch.manual_seed(0)
    return MiniAutoencoder(channels=(4, 8, 8), latent_width=8).eval()


def tiny_refiner() -> DetailRefiner:
    """One that adds something, unlike an untrained one."""
    torch.manual_seed(0)
    refiner = DetailRefiner(width=4, dilations=(1, 2)).eval()
    torch.nn.init.normal_(refiner.leave.weight, std=0.02)
    return refiner


def write_model(folder: Path, scale: int = 1) -> Path:
    """A complete model folder of a few hundred kilobytes; above scale 1 its upscaler works on many small tiles."""
    torch.manual_seed(0)
    save_model(tiny_autoencoder(), folder / "autoencoder")
    save_model(tiny_dit(), folder / "transformer")
    save_model(TextEncoder(dim=16, buckets=50, text_len=12, heads=2), folder / "text_encoder")
    save_model(SpeechEncoder(channels=12, blocks=(1, 1)), folder / "speech_encoder")
    save_model(PerceptionNet(widths=(4, 4, 4, 4)).eval(), folder / "perception")
    save_model(TraitNet(widths=(4, 4, 4, 4)).eval(), folder / "traits")
    profile = "name: tiny\nlow: {steps: 2, area: 4096}\n"
    if scale > 1:
        save_model(tiny_dit(in_channels=52), folder / "upscaler")
        save_model(tiny_refiner(), folder / "refiner")
        profile += f"high: {{scale: {scale}, tile: 8, tile_overlap: 2, refine: true}}\n"
    (folder / "profile.yaml").write_text(profile)
    return folder


def canonical_sight() -> FaceReading:
    """The canonical face in the middle of a 64x64 picture."""
    landmarks = np.array([32.0, 40.0], np.float32) + TEMPLATE_68[:, :2] * np.array([40.0, -40.0], np.float32)
    masks = np.ones((32, 32), np.float32)
    return FaceReading(landmarks, masks, masks, 1.0)
