"""Train the mini's speech encoder: sound to visemes and mouth shapes, straight from phoneme timings.

No picture is rendered: utterances come from the synthetic voices, mouth shapes from one person's landmarks under the
expression track of that utterance. Utterances are made once by several processes into a cache folder (the first call
fills it, later ones extend it), then the network trains on random five-second pieces with augmented mel.

    python -m dramatis_lab.train speech --config recipes/mini/speech.yaml --assets ASSETS --cache RUNS/voices \
        --run RUNS/speech --out RUNS/mini/speech_encoder
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from pydantic import Field
from safetensors.numpy import load_file, save_file
from torch import Tensor

from dramatis.media.loudness import integrated_loudness, loudness_gain
from dramatis.models.loading import load_model, save_model
from dramatis.models.speech import SpeechEncoder, log_mel
from dramatis.motion.performance import Performance
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.mels import augment_mel
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.loop import fit
from dramatis_lab.train.run import RunOption, TrainingRun
from dramatis_lab.world.people.person import make_person
from dramatis_lab.world.voices.speech import draw_utterance
from dramatis_lab.world.voices.visemes import expression_track, viseme_track

UTTERANCE_FRAMES = 125
MOUTH_SHAPES = ("opening", "jaw", "width", "lip_height", "protrusion", "press")
CANONICAL_PERSON = 7


class SpeechConfig(TrainConfig):
    """utterances, held_out: how many to make, in `workers` processes, before training."""

    utterances: int = Field(ge=1)
    held_out: int = Field(ge=1)
    workers: int = Field(ge=1)
    batch_size: int = Field(ge=1)


def mouth_shapes(points: NDArray[np.float32], rest: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks (F, 68, 3) and those at rest (68, 3) -> (F, 6) measures in interocular distances, of a face upright.

    opening: inner-lip gap; jaw: drop of the chin; width, lip_height: change of the mouth's outline; protrusion: lips
    forward; press: inner lips nearer than at rest.
    """
    span = np.linalg.norm(rest[36] - rest[45])
    gap = np.linalg.norm(points[:, 62] - points[:, 66], axis=1)
    rest_gap = np.linalg.norm(rest[62] - rest[66])
    columns = [
        gap,
        rest[8, 1] - points[:, 8, 1],
        np.linalg.norm(points[:, 48] - points[:, 54], axis=1) - np.linalg.norm(rest[48] - rest[54]),
        np.linalg.norm(points[:, 51] - points[:, 57], axis=1) - np.linalg.norm(rest[51] - rest[57]),
        points[:, [51, 57], 2].mean(1) - rest[[51, 57], 2].mean(),
        np.maximum(rest_gap - gap, 0),
    ]
    return (np.stack(columns, 1) / span).astype(np.float32)


def make_utterances(job: tuple[Path, int, int, str, Path]) -> Path:
    """Write one cache file of utterances: audio (n, 640 F) int16, visemes (n, F, 16), shapes (n, F, 6)."""
    out, number, count, split, assets = job
    path = out / f"{split}-{number:05d}.safetensors"
    if path.exists():
        return path
    person = make_person(CANONICAL_PERSON, assets)
    still = Performance.still(UTTERANCE_FRAMES)
    heads = np.zeros((UTTERANCE_FRAMES, 6), np.float32)
    rest = person.landmarks(np.zeros((1, 53), np.float32), heads[:1])[0]
    audio, visemes, shapes = [], [], []
    for utterance_index in range(count):
        seed = (number * 1000 + utterance_index) * 2 + (split == "test")
        utterance = draw_utterance(seed, UTTERANCE_FRAMES / 25, UTTERANCE_FRAMES / 25 + 1, split)
        samples = np.zeros(UTTERANCE_FRAMES * SAMPLES_PER_FRAME, np.float32)
        part = utterance.audio[: len(samples)]
        samples[: len(part)] = part
        samples *= loudness_gain(integrated_loudness(samples, AUDIO_RATE))
        rng = np.random.default_rng(seed)
        weights = expression_track(utterance.phonemes, UTTERANCE_FRAMES, still, rng, utterance.loudness)
        audio.append((samples * 8192).clip(-32768, 32767).astype(np.int16))
        visemes.append(viseme_track(utterance.phonemes, UTTERANCE_FRAMES).astype(np.float16))
        shapes.append(mouth_shapes(person.landmarks(weights, heads), rest).astype(np.float16))
    partial = path.with_suffix(".part")
    save_file({"audio": np.stack(audio), "visemes": np.stack(visemes), "shapes": np.stack(shapes)}, partial)
    partial.rename(path)
    return path


def fill_utterance_cache(cache: Path, assets: Path, train: int, test: int, workers: int, per_file: int = 100) -> None:
    """Make the missing cache files; fresh processes, because the speech engines do not survive a fork."""
    cache.mkdir(parents=True, exist_ok=True)
    jobs = [(cache, n, per_file, "train", assets) for n in range(train // per_file)]
    jobs += [(cache, n, per_file, "test", assets) for n in range(test // per_file)]
    missing = [job for job in jobs if not (cache / f"{job[3]}-{job[1]:05d}.safetensors").exists()]
    if not missing:
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for done, path in enumerate(pool.imap_unordered(make_utterances, missing)):
            print(f"{done + 1}/{len(missing)} {path.name}", flush=True)


class UtteranceDataset:
    """All cached utterances of a split in memory."""

    def __init__(self, cache: Path, split: str) -> None:
        files = [load_file(path) for path in sorted(cache.glob(f"{split}-*.safetensors"))]
        self.audio = np.concatenate([file["audio"] for file in files])
        self.visemes = np.concatenate([file["visemes"] for file in files])
        self.shapes = np.concatenate([file["shapes"] for file in files])

    def batch(self, indices: NDArray[np.int64], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Mel (B, F, 4, 80), visemes (B, F, 16), shapes (B, F, 6)."""
        mel = log_mel(torch.from_numpy(self.audio[indices].astype(np.float32) / 8192).to(device))
        visemes = torch.from_numpy(self.visemes[indices].astype(np.float32)).to(device)
        return mel, visemes, torch.from_numpy(self.shapes[indices].astype(np.float32)).to(device)


@torch.no_grad()
def evaluate_speech(model: SpeechEncoder, voices: UtteranceDataset, device: torch.device) -> dict[str, float]:
    """On held-out voices: r of each mouth shape, and the share of frames whose strongest viseme is right."""
    model.eval()
    predicted, true, hits = [], [], []
    for start in range(0, min(len(voices.audio), 200), 20):
        mel, visemes, shapes = voices.batch(np.arange(start, min(start + 20, len(voices.audio))), device)
        logits, guess = model.heads(model(mel))
        predicted.append(guess.flatten(0, 1).cpu())
        true.append(shapes.flatten(0, 1).cpu())
        hits.append((logits.argmax(-1) == visemes.argmax(-1)).float().mean().cpu())
    a, b = torch.cat(predicted).numpy(), torch.cat(true).numpy()
    figures = {f"r_{name}": float(np.corrcoef(a[:, i], b[:, i])[0, 1]) for i, name in enumerate(MOUTH_SHAPES)}
    return figures | {"viseme_accuracy": float(np.mean(hits))}


def train_speech(
    config: SpeechConfig,
    assets: Annotated[Path, typer.Option(help="raw assets (see docs/world.md)")],
    cache: Annotated[Path, typer.Option(help="folder of generated utterances")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
) -> None:
    """Generate utterances, then train the speech encoder."""
    fill_utterance_cache(cache, assets, config.utterances, config.held_out, config.workers)
    device = pick_device()
    torch.manual_seed(0)
    dataset, held_out = UtteranceDataset(cache, "train"), UtteranceDataset(cache, "test")
    model = (load_model(SpeechEncoder, init) if init else SpeechEncoder()).to(device).train()
    spread = dataset.shapes.reshape(-1, len(MOUTH_SHAPES)).astype(np.float32).std(0)
    scale = torch.from_numpy(spread).clamp(min=0.01).to(device)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        mel, visemes, shapes = dataset.batch(rng.integers(0, len(dataset.audio), config.batch_size), device)
        with autocast(device):
            logits, guess = model.heads(model(augment_mel(mel, rng)))
        loss = -(visemes * F.log_softmax(logits.float(), -1)).sum(-1).mean()
        return "loss", loss + F.smooth_l1_loss(guess.float() / scale, shapes / scale, beta=0.5)

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(model, training, config, step_loss, lambda net: evaluate_speech(net, held_out, device))
    if out is not None:
        save_model(shipped, out)
