"""Where networks are computed while models are made, and in which number format."""

from __future__ import annotations

import torch


def pick_device() -> torch.device:
    """CUDA if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device) -> torch.autocast:
    """bf16 on either device; both CPUs with bf16 units and GPUs gain two to six times."""
    return torch.autocast(device.type, dtype=torch.bfloat16)
