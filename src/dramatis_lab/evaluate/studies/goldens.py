"""Goldens: forward passes of the official networks at a tiny size, and how far ours are from them.

A golden is a JSON file (config, and every tensor's official name and shape) and a safetensors file (the output and the
few inputs that are not drawn). Weights and inputs are drawn by a recipe from their names, so the files stay small.
"""

from __future__ import annotations

import json
import math
import tempfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.published.official import AUDIO, load_official

PARITY_TOLERANCE = 1e-4
"""Largest absolute difference in float32 that rounding explains; outputs have a standard deviation near 1."""
SUPPORTED = ("multitalk",)


@dataclass(frozen=True)
class Golden:
    """One forward pass of an official network. spec: the JSON file. stored: the arrays of the safetensors file."""

    name: str
    spec: dict[str, Any]
    stored: dict[str, NDArray[Any]]

    @property
    def supported(self) -> bool:
        """Whether this project has the network."""
        return self.spec["model"] in SUPPORTED

    def draw(self, key: str, shape: list[int]) -> NDArray[np.float32]:
        """The normal numbers that the recipe draws for a name."""
        seed = (zlib.crc32(key.encode()) + self.spec["seed"]) % 2**32
        return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)

    @cached_property
    def weights(self) -> dict[str, Tensor]:
        """The state dict in the official layout, float32."""
        return {key: torch.from_numpy(self._weight(key, shape)) for key, shape in self.spec["shapes"].items()}

    def _weight(self, key: str, shape: list[int]) -> NDArray[np.float32]:
        drawn = self.draw(key, shape)
        if len(shape) > 1:
            return (drawn / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        return (1 + 0.1 * drawn if key.endswith("weight") else 0.05 * drawn).astype(np.float32)

    @property
    def inputs(self) -> dict[str, Tensor]:
        """Arguments of `AudioDiT`, float32."""
        spec, people = self.spec, self.spec["persons"]
        frames, cells = spec["latent_frames"], [spec["height"], spec["width"]]
        shapes = {
            "latents": [1, 16, frames, *cells],
            "condition": [1, 20, frames, *cells],
            "text": [1, spec["text_tokens"], spec["config"]["text_dim"]],
            "clip": [1, 257, 1280],
            "audio": [people, 4 * (frames - 1) + 1, 5, 12, 768],
        }
        drawn = {key: torch.from_numpy(self.draw(key, shape)) for key, shape in shapes.items()}
        regions = {"regions": torch.from_numpy(self.stored["masks"]).float()[None]} if people > 1 else {}
        return {
            "latents": drawn["latents"],
            "condition": drawn["condition"],
            "timestep": torch.from_numpy(self.stored["timestep"]).float().reshape(1),
            "text": drawn["text"],
            "image": drawn["clip"],
            "audio": drawn["audio"][None],
            **regions,
        }

    @property
    def output(self) -> Tensor:
        """The official network's raw prediction, float32."""
        return torch.from_numpy(self.stored["output"])

    def publish(self, folder: Path) -> Path:
        """Write the weights as they are published: config and base in a folder, the audio branch as a file of its own.

        Returns the audio file.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(self.spec["config"]))
        audio = folder / "audio" / "infinitetalk.safetensors"
        audio.parent.mkdir()
        audio_weights = {key: value for key, value in self.weights.items() if AUDIO.match(key)}
        save_file(audio_weights, audio)
        base = {key: value for key, value in self.weights.items() if key not in audio_weights}
        save_file(base, folder / "diffusion_pytorch_model.safetensors")
        return audio


def read_goldens(folder: Path) -> list[Golden]:
    """The goldens of a folder by name. Raises UserError where there are none, or one is incomplete."""
    specs = sorted(folder.glob("*.json"))
    if not specs:
        raise UserError(f"{folder}: There are no goldens; give a folder with pairs of .json and .safetensors files.")
    return [_read(spec) for spec in specs]


def _read(spec: Path) -> Golden:
    arrays = spec.with_suffix(".safetensors")
    if not arrays.is_file():
        raise UserError(f"{arrays}: This half of the golden is missing; copy both files.")
    return Golden(spec.stem, json.loads(spec.read_text(encoding="utf-8")), load_file(arrays))


@torch.no_grad()
def prediction(golden: Golden, dtype: torch.dtype = torch.float32) -> Tensor:
    """The output of our network for the inputs of a golden, in float32; weights pass the loader of official layouts."""
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights"
        net = load_official(weights, golden.publish(weights), dtype)
        # Halves of a timestep are lost in bf16.
        inputs = {key: value if key == "timestep" else value.to(dtype) for key, value in golden.inputs.items()}
        return net(**inputs).float()


def largest_difference(golden: Golden) -> float:
    """The greatest absolute difference of our output to the official one, in float32; infinite for nan."""
    difference = (prediction(golden) - golden.output).abs().max().item()
    return float("inf") if math.isnan(difference) else difference
