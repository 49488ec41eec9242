"""Does the filmed video do what the words ask for: against the first director, and with or without shot negatives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image
from skimage.color import rgb2lab

from bench import Bench
from dramatis.app.pipeline import with_paths
from dramatis.director.negative import FAULTS
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import read_frames
from dramatis.models.perception import Sight
from dramatis.senses.seeing.measures import laplacian_variance, smile
from dramatis.story.storyline import Storyline
from dramatis.story.vocabulary import DAMAGE_WORDS
from dramatis_lab.evaluate import measures
from dramatis_lab.evaluate.report import Row, judged

EMOTION_PROMPTS = {"happy": "she is very happy and smiles broadly", "neutral": "neutral", "sad": "she is very sad"}
CAMERA_PROMPTS = {
    "push_in": "neutral, strong push-in",
    "static": "neutral, static camera",
    "pan": "neutral, strong pan left",
}
CASES = 6
FRAMES = 75
SETTLED = 12
"""First frames, in which the face leaves the expression of the reference."""
FIRST = Path(__file__).parent / "first_director.json"
"""Storylines of the same words, voices and portraits by the first director, which was replaced by the present one."""
GENERIC = ", ".join(DAMAGE_WORDS[fault][0] for fault in FAULTS)
"""A negative prompt that fits every video."""

Planned = Callable[[str, Path, Path, str], Storyline]
"""Gives the storyline of a name, a portrait, a voice and words of direction."""


@dataclass
class Told:
    """What landmarks tell of the videos of one director, by the name of what was asked for; one number a person."""

    smiles: dict[str, list[float]] = field(default_factory=dict)
    zooms: dict[str, list[float]] = field(default_factory=dict)
    pans: dict[str, list[float]] = field(default_factory=dict)

    @property
    def hits(self) -> list[bool]:
        """Of emotions: are the smiles of a person in the right order? Of camera moves: half of what a strong one makes
        is enough."""
        out = []
        for person in zip(*(self.smiles[name] for name in ("sad", "neutral", "happy")), strict=True):
            out += [int(rank) == place for place, rank in enumerate(np.argsort(np.argsort(person)))]
        for name in CAMERA_PROMPTS:
            for zoom, pan in zip(self.zooms[name], self.pans[name], strict=True):
                out.append(("push_in" if zoom > 0.06 else "pan" if abs(pan) > 0.03 else "static") == name)
        return out

    @property
    def contrasts(self) -> tuple[float, float, float]:
        """How far happy is from sad (smile, face widths), push-in from static (log zoom), pan from static (frame
        widths)."""
        smiles, zooms, pans = (
            {name: np.array(values) for name, values in kind.items()} for kind in (self.smiles, self.zooms, self.pans)
        )
        return (
            float((smiles["happy"] - smiles["sad"]).mean()),
            float((zooms["push_in"] - zooms["static"]).mean()),
            float(np.abs(pans["pan"] - pans["static"]).mean()),
        )


def direction(bench: Bench) -> list[Row]:
    """Are smile, neutral and sad, and push-in, static and pan told apart by landmarks in the output? And were they in
    the videos of the first director, filmed in this run by the same model from storylines that it left?"""
    now, first = told(bench, "", _by_the_present(bench)), told(bench, "first-", _by_the_first())
    share, before = (float(np.mean(kind.hits)) for kind in (now, first))
    said, other = (", ".join(f"{value:.3f}" for value in kind.contrasts) for kind in (now, first))
    ratio = float(np.mean(np.array(now.contrasts) / np.array(first.contrasts)))
    name = "direction: smile/neutral/sad and push-in/static/pan told apart"
    return [
        judged(name, f"{100 * share:.0f} % of {len(now.hits)}", "75 %", "95 %", share >= 0.75, share >= 0.95),
        Row("  the same from storylines of the first director", f"{100 * before:.0f} %", "fewer", "", before < share),
        Row(
            "direction: contrast of happy and sad, push-in and static, pan and static, over the first director's",
            f"{ratio:.3f} ({said}; first {other})",
            "> 1",
            "",
            ratio > 1,
            figures={"now": now.contrasts, "first": first.contrasts},
        ),
    ]


def _by_the_present(bench: Bench) -> Planned:
    return lambda name, image, voice, prompt: bench.pipe.plan(image, voice, prompt)[0]


def _by_the_first() -> Planned:
    stored = json.loads(FIRST.read_text())

    def planned(name: str, image: Path, voice: Path, prompt: str) -> Storyline:
        files = {"portrait": str(image), "voice": str(voice)}
        return with_paths(Storyline.model_validate(stored[name]), lambda kind: files[kind])

    return planned


def told(bench: Bench, prefix: str, planned: Planned) -> Told:
    """Film every wish for every person, and look."""
    out = Told()
    for place, case in enumerate(bench.cases[:CASES]):
        voice = short_voice(bench, place)
        for name, prompt in (EMOTION_PROMPTS | CAMERA_PROMPTS).items():
            storyline = planned(f"{name}-{place}", case.portrait, voice, prompt)
            frames = filmed(bench, f"{prefix}{name}-{place}", storyline)
            sights = measures.see(bench.eye, frames)
            if name in EMOTION_PROMPTS:
                out.smiles.setdefault(name, []).append(mean_smile(sights))
            else:
                zoom, pan = measures.framing(sights, frames.shape[1:3])
                out.zooms.setdefault(name, []).append(zoom)
                out.pans.setdefault(name, []).append(pan)
    return out


def short_voice(bench: Bench, place: int) -> Path:
    """The first three seconds of a case's voice."""
    path = bench.work / f"short-{place}.wav"
    if not path.exists():
        samples, rate = soundfile.read(bench.cases[place].voice)
        soundfile.write(path, samples[: FRAMES * rate // 25], rate)
    return path


def filmed(bench: Bench, name: str, storyline: Storyline) -> np.ndarray:
    """Frames of a storyline's video, (F, H, W, 3)."""
    film = bench.pipe.start(storyline, bench.work / f"{name}.mp4")
    return np.stack(list(read_frames(film.video)))


def mean_smile(sights: list[Sight]) -> float:
    """`seeing.smile` once the face has settled."""
    return float(np.mean([smile(sight) for sight in sights[SETTLED:]]))


# Negative prompts


def with_negatives(storyline: Storyline, negative: str) -> Storyline:
    """The storyline with one and the same negative prompt everywhere."""
    shots = tuple(
        shot.model_copy(
            update={
                "negative": negative,
                "moments": tuple(moment.model_copy(update={"negative": ""}) for moment in shot.moments),
            }
        )
        for shot in storyline.shots
    )
    chapters = tuple(chapter.model_copy(update={"negative": negative}) for chapter in storyline.chapters)
    return storyline.model_copy(update={"negative": negative, "shots": shots, "chapters": chapters})


def negatives(bench: Bench) -> list[Row]:
    """The same storylines and seeds with a generic negative prompt and with those of the negative director."""
    found: dict[str, list[dict[str, float]]] = {"generic": [], "own": []}
    cells: list[Image.Image] = []
    labels: list[str] = []
    for place, case in enumerate(bench.cases[:CASES]):
        for name in ("happy", "sad"):
            storyline, _ = bench.pipe.plan(case.portrait, short_voice(bench, place), EMOTION_PROMPTS[name])
            # With its own negatives it is the video that `direction` has filmed, if that ran here.
            for kind, value in (("generic", with_negatives(storyline, GENERIC)), ("own", storyline)):
                frames = filmed(bench, f"{'generic-' if kind == 'generic' else ''}{name}-{place}", value)
                found[kind].append(_figures(bench, frames, case.portrait))
                if place < 3:
                    for k in np.linspace(SETTLED, len(frames) - 1, 4).astype(int):
                        cells.append(Image.fromarray(frames[k]).resize((144, 144), Image.Resampling.BICUBIC))
                        labels.append(f"{name}, {kind}, {k / 25:.1f} s")
    bench.pictures.mkdir(parents=True, exist_ok=True)
    contact_sheet(cells, labels, columns=8).save(bench.pictures / "negatives.png")
    return [negatives_row({kind: _summary(values) for kind, values in found.items()})]


def _figures(bench: Bench, frames: np.ndarray, portrait: Path) -> dict[str, float]:
    sights = measures.see(bench.eye, frames)
    side = frames.shape[1]
    with Image.open(portrait) as picture:
        reference = np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
    light = [rgb2lab(frame)[..., 0].mean() for frame in frames[SETTLED::4]]
    return {
        "smile": mean_smile(sights),
        "jitter": measures.jitter(sights),
        "exposure": float(np.abs(np.array(light) - rgb2lab(reference)[..., 0].mean()).mean()),
        "sharpness": float(np.mean([laplacian_variance(f, s) for f, s in zip(frames, sights, strict=True)])),
    }


def _summary(values: list[dict[str, float]]) -> dict[str, float]:
    """Means; smile becomes the mean contrast of happy and sad, which follow one another."""
    smiles = np.array([value["smile"] for value in values])
    means = {name: float(np.mean([value[name] for value in values])) for name in values[0] if name != "smile"}
    return {"contrast": float((smiles[::2] - smiles[1::2]).mean()), **means}


def negatives_row(found: Mapping[str, Mapping[str, float]]) -> Row:
    """Better at what was asked for and not worse at the rest; the ratios are own over generic."""
    ratios = {name: found["own"][name] / found["generic"][name] for name in found["own"]}
    good = ratios["contrast"] > 1 and ratios["sharpness"] >= 0.95
    good = good and ratios["jitter"] <= 1.05 and ratios["exposure"] <= 1.05
    return Row(
        "own negatives of each shot over generic ones, same seeds: emotion contrast; jitter; exposure error; sharpness",
        "; ".join(f"{ratio:.2f}" for ratio in ratios.values()),
        "> 1; none worse by 5 %",
        "",
        good,
        figures={kind: dict(values) for kind, values in found.items()},
    )
