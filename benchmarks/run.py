"""Measure the shipped weights on held-out people and voices, and write the table of results.

    python benchmarks/run.py            # everything: about ten minutes on two cores
    python benchmarks/run.py --only sync --only autoencoder

Writes benchmarks/RESULTS.md, benchmarks/results.json and docs/pictures/results.png. Rows that miss their bar are
printed as failing. Nothing here is used for training or tuning.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
import torch
import typer
from PIL import Image

from dramatis.avatar import AvatarPipeline
from dramatis.cascade.backbone import Backbone, find_model, to_pictures, to_tensor
from dramatis.evaluate import measures
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import read_frames
from dramatis.models.loading import load_model
from dramatis.models.perception import PerceptionNet, Sight
from dramatis.senses.seeing import laplacian_variance, smile
from dramatis.train.autoencoder import detail_boxes

HERE = Path(__file__).parent
CASES = HERE / "cases"
PICTURES = HERE.parent / "docs" / "pictures"
EMOTION_PROMPTS = {"happy": "she is very happy and smiles broadly", "neutral": "neutral", "sad": "she is very sad"}
CAMERA_PROMPTS = {
    "push_in": "neutral, strong push-in",
    "static": "neutral, static camera",
    "pan": "neutral, strong pan left",
}
DIRECTION_CASES = 6
DIRECTION_FRAMES = 75


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` is printed; `passed` and `aimed` compare it with the two bars."""

    name: str
    value: str
    least: str
    aim: str
    passed: bool | None
    aimed: bool | None = None


@dataclass(frozen=True)
class Case:
    """One held-out person and voice with its truth."""

    folder: Path
    portrait: Path
    voice: Path
    frames: np.ndarray
    opening: np.ndarray
    index: np.ndarray
    landmarks: np.ndarray
    person: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> Case:
        truth = np.load(folder / "truth.npz")
        frames = np.stack(list(read_frames(folder / "truth.mp4")))
        person = np.unpackbits(truth["person"], axis=-1).astype(bool)[..., : frames.shape[2]]
        return cls(
            folder, folder / "portrait.png", folder / "voice.flac", frames, truth["opening"], truth["index"],
            truth["landmarks"], person,
        )  # fmt: skip


@dataclass
class Bench:
    """What the rows share: the model, the eye, the cases, and generated videos (made once each)."""

    pipe: AvatarPipeline
    eye: PerceptionNet
    cases: list[Case]
    work: Path

    def film(self, name: str, image: Path, voice: Path, prompt: str) -> np.ndarray:
        """Frames of a generated video."""
        film = self.pipe(image, voice, prompt, output=self.work / f"{name}.mp4")
        return np.stack(list(read_frames(film.video)))

    def own(self) -> list[tuple[np.ndarray, list[Sight]]]:
        """Every case filmed with its own voice and no direction."""
        if not hasattr(self, "_own"):
            made = []
            for place, case in enumerate(self.cases):
                frames = self.film(f"own-{place}", case.portrait, case.voice, "")
                made.append((frames, measures.see(self.eye, frames)))
            self._own = made
        return self._own


def autoencoder(bench: Bench) -> list[Row]:
    """Reconstruction of held-out people: whole frame, and mouth and eye boxes."""
    net = bench.pipe.backbone.autoencoder
    whole, detail = [], []
    for case in bench.cases:
        for start in range(0, len(case.frames) - 28, 28):
            clip = case.frames[start : start + 29]
            with torch.no_grad():
                out = to_pictures(net.decode(net.encode(to_tensor(clip).to(bench.pipe.backbone.dtype))))
            whole.append(measures.psnr(out, clip))
            rows = [k for k in case.index if start <= k < start + 29]
            if rows:
                marks = case.landmarks[[list(case.index).index(k) for k in rows]]
                boxes = detail_boxes(marks, clip.shape[1:3])
                picked = np.array(rows) - start
                detail.append(measures.psnr(out[picked], clip[picked], boxes))
    a, b = float(np.mean(whole)), float(np.mean(detail))
    return [
        Row(
            "autoencoder PSNR, whole frame / mouth and eye boxes",
            f"{a:.1f} / {b:.1f} dB",
            "31 / 28 dB",
            "34 / 32 dB",
            a >= 31 and b >= 28,
            a >= 34 and b >= 32,
        )
    ]


def sync(bench: Bench) -> list[Row]:
    """Lip sync with the own voice, with another voice as control, and lips in silence."""
    truth = [case.opening for case in bench.cases]
    seen = [measures.openings(sights) for _, sights in bench.own()]
    result = measures.lip_sync(seen, truth)
    # The control: the same pictures filmed with another case's voice, against the curve of their own voice.
    foreign = []
    for place, case in enumerate(bench.cases):
        other = bench.cases[(place + 3) % len(bench.cases)]
        frames = bench.film(f"foreign-{place}", case.portrait, other.voice, "")
        foreign.append(measures.openings(measures.see(bench.eye, frames)))
    shuffled = measures.lip_sync(foreign, truth)
    silence = measures.silence_ratio(seen, truth)
    true_seen = [measures.openings(measures.see(bench.eye, case.frames)) for case in bench.cases]
    upper = measures.lip_sync(true_seen, truth)
    quiet = measures.silence_ratio(true_seen, truth)
    return [
        Row(
            "lip sync: r of mouth opening; best lag",
            f"{result.r:.2f}; {result.lag:+d} frames",
            "0.7; within 1",
            "0.9; 0",
            result.r >= 0.7 and abs(result.lag) <= 1,
            result.r >= 0.9 and result.lag == 0,
        ),
        Row("  the same filmed with another voice (control)", f"{shuffled.r:.2f}", "< 0.2", "", abs(shuffled.r) < 0.2),
        Row("  the same on true frames (what the measure itself can reach)", f"{upper.r:.2f}", "", "", None),
        Row(
            "silence: mouth opening in pauses over speech",
            f"{silence:.2f} (true frames: {quiet:.2f})",
            "< 0.3",
            "< 0.1",
            silence < 0.3,
            silence < 0.1,
        ),
    ]


def sharpness(bench: Bench) -> list[Row]:
    """Laplacian variance of the face, generated over true."""
    ratios = []
    for case, (frames, sights) in zip(bench.cases, bench.own(), strict=True):
        true = [
            laplacian_variance(f, s) for f, s in zip(case.frames, measures.see(bench.eye, case.frames), strict=True)
        ]
        made = [laplacian_variance(f, s) for f, s in zip(frames, sights, strict=True)]
        ratios.append(np.mean(made) / np.mean(true))
    value = float(np.mean(ratios))
    return [
        Row(
            "sharpness: Laplacian variance of the face, generated over true",
            f"{value:.2f}",
            "0.5-1.5",
            "0.85-1.15",
            0.5 <= value <= 1.5,
            0.85 <= value <= 1.15,
        )
    ]


def perception(bench: Bench) -> list[Row]:
    """Landmarks and person mask on held-out people."""
    errors, ious = [], []
    for case in bench.cases:
        for sight, marks, person in zip(
            measures.see(bench.eye, case.frames[case.index]), case.landmarks, case.person, strict=True
        ):
            span = np.linalg.norm(marks[36] - marks[45])
            errors.append(np.linalg.norm(sight.landmarks - marks, axis=1).mean() / span)
            seen, true = sight.person > 0.5, person[::2, ::2]
            ious.append((seen & true).sum() / max((seen | true).sum(), 1))
    error, iou = float(np.mean(errors)), float(np.mean(ious))
    return [
        Row(
            "perception: landmark error / person mask IoU",
            f"{error:.3f} / {iou:.3f}",
            "0.05 / 0.9",
            "0.03 / 0.95",
            error <= 0.05 and iou >= 0.9,
            error <= 0.03 and iou >= 0.95,
        )
    ]


def direction(bench: Bench) -> list[Row]:
    """Are smile, neutral and sad, and push-in, static and pan told apart by landmarks in the output?

    Emotion: smile measure against the reference picture's own, sorted within each person (highest must be the happy
    one, lowest the sad one). Camera: growth and shift of the face against the thresholds below, half of what a strong
    move makes.
    """
    hits: list[bool] = []
    details: dict[str, list[float]] = {}
    for place, case in enumerate(bench.cases[:DIRECTION_CASES]):
        voice = bench.work / f"short-{place}.wav"
        samples, rate = soundfile.read(case.voice)
        soundfile.write(voice, samples[: DIRECTION_FRAMES * rate // 25], rate)
        smiles = {}
        for name, prompt in EMOTION_PROMPTS.items():
            frames = bench.film(f"{name}-{place}", case.portrait, voice, prompt)
            smiles[name] = float(np.mean([smile(sight) for sight in measures.see(bench.eye, frames[12:])]))
            details.setdefault(name, []).append(smiles[name])
        order = sorted(smiles, key=lambda key: smiles[key])
        hits += [order.index(name) == wanted for wanted, name in enumerate(("sad", "neutral", "happy"))]
        for name, prompt in CAMERA_PROMPTS.items():
            frames = bench.film(f"{name}-{place}", case.portrait, voice, prompt)
            zoom, pan = measures.framing(measures.see(bench.eye, frames), frames.shape[1:3])
            details.setdefault(f"{name} zoom", []).append(zoom)
            details.setdefault(f"{name} pan", []).append(pan)
            told = "push_in" if zoom > 0.06 else "pan" if abs(pan) > 0.03 else "static"
            hits.append(told == name)
    print({name: [round(v, 3) for v in values] for name, values in details.items()})
    share = float(np.mean(hits))
    return [
        Row(
            "direction: smile/neutral/sad and push-in/static/pan told apart",
            f"{100 * share:.0f} % of {len(hits)}",
            "75 %",
            "95 %",
            share >= 0.75,
            share >= 0.95,
        )
    ]


def cost(bench: Bench) -> list[Row]:
    """Time per second of video and peak memory, of whole processes started afresh."""
    figures = {}
    voice, rate = soundfile.read(bench.cases[0].voice)
    for seconds in (10, 60):
        path = bench.work / f"long-{seconds}.wav"
        soundfile.write(path, np.resize(voice, seconds * rate), rate)
        out = bench.work / f"long-{seconds}.mp4"
        inputs = ["-i", str(bench.cases[0].portrait), "-a", str(path), "-m", str(bench.pipe.backbone.folder)]
        command = [sys.executable, "-m", "dramatis", "generate", *inputs, "-o", str(out), "-q"]
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, "the timed run failed"
        figures[seconds] = ((time.monotonic() - started) / seconds, usage.ru_maxrss / 1024)
    ratio = figures[60][1] / figures[10][1]
    pace = figures[10][0]
    return [
        Row(
            "time per second of video, whole process (10 s / 60 s long)",
            f"{pace:.1f} / {figures[60][0]:.1f} s",
            "15 s",
            "3 s",
            pace <= 15,
            pace <= 3,
        ),
        Row(
            "memory: peak at 60 s over peak at 10 s",
            f"{ratio:.2f} ({figures[10][1]:.0f} MB at 10 s)",
            "1.2",
            "1.05",
            ratio <= 1.2,
            ratio <= 1.05,
        ),
    ]


def real_faces(bench: Bench) -> list[Row]:
    """A photograph: is the face found, do the lips follow, does the face stay sharp? No bar; good or bad."""
    from skimage import data

    portrait = bench.work / "astronaut.png"
    Image.fromarray(data.astronaut()[0:300, 75:375]).save(portrait)
    case = bench.cases[0]
    frames = bench.film("astronaut", portrait, case.voice, "")
    sights = measures.see(bench.eye, frames)
    seen = measures.openings(sights)
    r = measures.lip_sync([seen], [case.opening])
    first = laplacian_variance(frames[0], sights[0])
    kept = np.mean([laplacian_variance(f, s) for f, s in zip(frames[25:], sights[25:], strict=True)]) / first
    save_strip(frames[:: max(1, len(frames) // 10)][:10], PICTURES / "astronaut.png")
    return [
        Row(
            "real face (astronaut): r; face confidence; sharpness kept",
            f"{r.r:.2f}; {sights[0].face:.2f}; {kept:.2f}",
            "",
            "",
            None,
        )
    ]


def save_strip(frames: np.ndarray, path: Path) -> None:
    """Frames side by side at twice their size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    large = [Image.fromarray(f).resize((2 * f.shape[1], 2 * f.shape[0]), Image.Resampling.BICUBIC) for f in frames]
    contact_sheet(large, columns=len(large)).save(path)


def picture(bench: Bench) -> None:
    """True and generated frames of four held-out people, at the widest and the most closed moments of their speech."""
    cells, labels = [], []
    for case, (frames, _) in list(zip(bench.cases, bench.own(), strict=True))[:4]:
        inner = np.arange(8, len(case.opening) - 4)
        spread = inner[np.argsort(case.opening[inner])][np.linspace(0, len(inner) - 1, 8).astype(int)]
        for name, source in (("true", case.frames), ("generated", frames)):
            for k in spread:
                cells.append(Image.fromarray(source[k]).resize((192, 192), Image.Resampling.BICUBIC))
                labels.append(f"{name} {k / 25:.2f} s, open {case.opening[k]:.2f}")
    PICTURES.mkdir(parents=True, exist_ok=True)
    contact_sheet(cells, labels, columns=8).save(PICTURES / "results.png")


ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "autoencoder": autoencoder,
    "sync": sync,
    "sharpness": sharpness,
    "perception": perception,
    "direction": direction,
    "cost": cost,
    "real_faces": real_faces,
}


def machine() -> str:
    """Processor and cores, without names of anything else."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":")[1].strip() if lines else name
    return f"{name}, {os.cpu_count()} cores, torch {torch.__version__}"


def table(rows: list[Row]) -> str:
    """The rows as Markdown."""

    def mark(row: Row) -> str:
        if row.passed is None:
            return "-"
        return "**failing**" if not row.passed else "aim reached" if row.aimed else "passes"

    lines = ["| | measured | at least | aim | |", "|---|---|---|---|---|"]
    lines += [f"| {row.name} | {row.value} | {row.least} | {row.aim} | {mark(row)} |" for row in rows]
    return "\n".join(lines)


def main(
    only: Annotated[list[str] | None, typer.Option(help="rows to measure; default all")] = None,
    model: str = "mini",
) -> None:
    """Measure and print; the files are written only when every row was measured."""
    backbone = Backbone(find_model(model))
    wanted = only or list(ROWS)
    with tempfile.TemporaryDirectory() as work:
        cases = [Case.load(path.parent) for path in sorted(CASES.glob("*/case.json"))]
        eye = load_model(PerceptionNet, backbone.folder / "perception")
        bench = Bench(AvatarPipeline(backbone, str(backbone.folder)), eye, cases, Path(work))
        area = bench.pipe.backbone.profile.area
        side = round(area**0.5)
        rows = [Row("output at 25 fps", f"{side}x{side}", "128x128", "256x256", side >= 128, side >= 256)]
        for name in wanted:
            rows += ROWS[name](bench)
            print(table(rows[-1:]).splitlines()[-1], flush=True)
        if only is None:
            picture(bench)
    if only is None:
        write_results(rows, len(cases))


def write_results(rows: list[Row], cases: int) -> None:
    """RESULTS.md and results.json."""
    head = (
        "# Results of the shipped mini\n\n"
        f"Command: `make benchmark`. Date: {date.today()}. Machine: {machine()}.\n"
        f"{cases} held-out people and voices (benchmarks/cases), one run, no clip chosen by hand. "
        "What each row measures: docs/evaluation.md.\n\n"
    )
    (HERE / "RESULTS.md").write_text(head + table(rows) + "\n\n![true and generated](../docs/pictures/results.png)\n")
    values: dict[str, Any] = {"date": str(date.today()), "machine": machine(), "rows": [asdict(row) for row in rows]}
    (HERE / "results.json").write_text(json.dumps(values, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    typer.run(main)
