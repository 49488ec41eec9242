"""Public weights at a tiny size: a golden's tensors in the layout they are published in, and their catalogue entry."""

from __future__ import annotations

import hashlib
from pathlib import Path

from dramatis.evaluate.goldens import read_goldens
from dramatis.models.catalogue import OpenModel, RemoteFile, Repository


def tiny_open_model(folder: Path) -> OpenModel:
    """Write `Base` and `Branch` under `folder`; one size is unknown, and one checksum is known."""
    golden = read_goldens(Path(__file__).parent / "goldens")[0]
    audio = golden.publish(folder / "Base")
    branch = folder / "Branch" / audio.name
    branch.parent.mkdir()
    audio.rename(branch)
    audio.parent.rmdir()
    weights = "diffusion_pytorch_model.safetensors"
    base = (RemoteFile("config.json"), RemoteFile(weights, (folder / "Base" / weights).stat().st_size))
    checksum = hashlib.sha256(branch.read_bytes()).hexdigest()
    heard = (RemoteFile(branch.name, branch.stat().st_size, checksum),)
    repositories = (Repository("any/Base", "base", "MIT", base), Repository("any/Branch", "audio", "MIT", heard))
    return OpenModel("tiny", "a tiny one", "Base", f"Branch/{branch.name}", repositories)
