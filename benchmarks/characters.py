"""Several people in one picture: are the masks right, does the right one speak, are the others still?

Scenes of two and three held-out people (benchmarks/scenes), each with everybody's voice. They are filmed at the low
resolution, where everything but detail is decided, with every assignment of the voices to the people, and with one
voice at a time; mouths are seen by the perception network, face by face.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import permutations
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile
import torch
from PIL import Image
from torch import Tensor

from bench import Bench
from directing import SETTLED
from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones.base import ClipInputs
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.pipeline import fit_cast, perform_cast, reference_picture
from dramatis.media.image import Pictures, shrunk
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import read_frames
from dramatis.models.perception import interocular, mouth_opening
from dramatis.motion.face import RIGID_ANCHORS, TEMPLATE_68, HeadFit, fit_head, project
from dramatis.motion.group import head_shares
from dramatis.motion.performance import Performance, performances
from dramatis.sampling.gating import Gating
from dramatis.senses.hearing.prosody import prosodies
from dramatis.senses.seeing.people import Eye, Face, find_faces, square_round
from dramatis.story.dialogue import Box
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.overlay import tinted
from dramatis_lab.evaluate import measures
from dramatis_lab.evaluate.report import Row, judged

Kind = TypeVar("Kind", bound=MiniBackbone)
SCENES = Path(__file__).parent / "scenes"
CLIP = 29
"""Frames of a clip whose masks are looked at."""


@dataclass(frozen=True)
class Scene:
    """N people with their voices, T frames. frames: (T, h, w, 3) at the low resolution.  opening: (N, T).  controls:
    (N, T, 26).  anchors: (N, T, 9, 2) px of `frames`.  masks: (K, N, h, w) at the frames `index` (K,)."""

    folder: Path
    close: bool
    faces: tuple[Box, ...]
    voices: tuple[Path, ...]
    frames: Pictures
    opening: np.ndarray
    controls: np.ndarray
    anchors: np.ndarray
    index: np.ndarray
    masks: np.ndarray

    @classmethod
    def load(cls, folder: Path) -> Scene:
        facts, truth = json.loads((folder / "scene.json").read_text()), np.load(folder / "truth.npz")
        frames = shrunk(np.stack(list(read_frames(folder / "truth.mp4"))), 2)
        masks = np.unpackbits(truth["masks"], axis=-1).astype(bool)[..., : frames.shape[2]]
        return cls(
            folder,
            facts["close"],
            tuple(tuple(box) for box in facts["faces"]),
            tuple(folder / f"{name}.flac" for name in facts["names"]),
            frames,
            truth["opening"],
            truth["controls"],
            truth["anchors"] / np.float32(2),
            truth["index"],
            masks,
        )

    @property
    def people(self) -> int:
        return len(self.faces)

    @cached_property
    def kind(self) -> str:
        """The row that the scene belongs to."""
        return "occluded" if self.close else {2: "two people", 3: "three people"}[self.people]


class Boxed(MiniBackbone):
    """Everybody's voice reaches the box of the person in the reference picture, wherever the person goes."""

    boxes: tuple[tuple[float, float, float, float], ...] = ()

    def gating(self, inputs: ClipInputs) -> Gating | None:
        plain = super().gating(inputs)
        assert plain is not None
        _, _, _, height, width = plain.shares.shape
        inside = torch.zeros(len(self.boxes), height, width)
        for mask, (left, top, right, bottom) in zip(inside, self.boxes, strict=True):
            mask[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 1
        # Where boxes overlap, each has a part; outside of all, places are nobody's in particular.
        shares = torch.where(inside.sum(0) > 0, inside / inside.sum(0).clamp_min(1), 1 / len(inside))
        return Gating(shares[None, :, None].expand_as(plain.shares))


class Watched(Gating):
    """Keeps the masks of every step."""

    def __init__(self, plain: Gating, even: bool = False) -> None:
        shares = torch.full_like(plain.shares, 1 / plain.shares.shape[1]) if even else plain.shares
        super().__init__(plain.shares, plain.head, plain.identities)
        self.gates = shares
        self.kept: list[Tensor] = []

    def advance(self) -> None:
        super().advance()
        assert self.masks is not None
        self.kept.append(self.masks[0])


class Looking(MiniBackbone):
    """Remembers what the mask head saw in the last clip."""

    even = False
    last: Watched | None = None

    def gating(self, inputs: ClipInputs) -> Gating | None:
        plain = super().gating(inputs)
        assert plain is not None
        self.last = Watched(plain, self.even)
        return self.last


def load_scenes() -> list[Scene]:
    """All of them, in order."""
    return [Scene.load(path.parent) for path in sorted(SCENES.glob("*/scene.json"))]


def characters(bench: Bench) -> list[Row]:
    """The rows of several people."""
    scenes = load_scenes()
    return [*mask_rows(bench, scenes), *voice_rows(bench, scenes), *way_rows(bench, scenes), cost_row(bench, scenes)]


# Masks


def mask_rows(bench: Bench, scenes: Sequence[Scene]) -> list[Row]:
    """Overlap of the predicted masks with the true ones, while a clip between two true frames is filmed; the mean over
    its steps, which begin in noise."""
    bars = {"two people": (0.80, 0.92), "three people": (0.75, 0.90), "occluded": (0.65, 0.80)}
    rows, cells, labels = [], [], []
    steps: dict[bool, list[float]] = {}
    found: dict[str, list[float]] = {}
    for even in (False, True):
        for scene in scenes:
            backbone = _like(bench, Looking)
            backbone.even = even
            frames = backbone.film(true_clip(backbone, scene))
            assert backbone.last is not None
            overlaps = [overlap(masks, scene) for masks in backbone.last.kept]
            steps.setdefault(even, []).append(overlaps[0])
            if not even:
                found.setdefault(scene.kind, []).append(float(np.mean(overlaps)))
                cells += overlays(frames, backbone.last.kept[-1])
                labels += [f"{scene.folder.name}, frame {k}" for k in (0, 14, 28)]
    for kind, (bar, aim) in bars.items():
        value = float(np.mean(found[kind]))
        name = f"predicted masks: overlap (IoU) with the true ones, {kind}"
        rows.append(judged(name, f"{value:.3f}", f"{bar:.2f}", f"{aim:.2f}", value >= bar, value >= aim))
    first, plain = (float(np.mean(steps[even])) for even in (False, True))
    name = "  after the first step, which starts from where heads are; from even shares"
    rows.append(Row(name, f"{first:.3f}; {plain:.3f}", figures={"heads": first, "even": plain}))
    contact_sheet(cells, labels, columns=3).save(bench.pictures / "scene_masks.png")
    return rows


def true_clip(backbone: MiniBackbone, scene: Scene) -> ClipInputs:
    """The first frames of a scene, between the true first and the true last one, everybody with their own voice."""
    heard = [backbone.hear(voice, len(scene.frames))[0][:CLIP].astype(np.float32) for voice in scene.voices]
    return ClipInputs(
        head=scene.frames[:1],
        tail=scene.frames[CLIP - 1 : CLIP],
        reference=scene.frames[0],
        audio=np.stack(heard),
        controls=scene.controls[:, :CLIP],
        anchors=scene.anchors[:, :CLIP],
        faces=scene.anchors[:, 0],
        positive=json.loads((scene.folder / "scene.json").read_text())["whole_caption"],
        negative="",
        seed=0,
    )


def overlap(masks: Tensor, scene: Scene) -> float:
    """Mean over people of IoU on the latent grid; masks (N + 1, T, h/8, w/8), true ones where a cell is mostly of one
    person."""
    owner = masks.argmax(0).numpy()
    shown = [place for place, frame in enumerate(scene.index) if frame < CLIP]
    assert [int(scene.index[place]) for place in shown] == list(range(0, CLIP, 4)), "one mask a latent frame"
    true = scene.masks[shown]
    count, people, height, width = true.shape
    cells = true.reshape(count, people, height // 8, 8, width // 8, 8).mean((3, 5)) > 0.5
    each = []
    for person in range(people):
        own, wanted = owner == person + 1, cells[:, person]
        each.append(float((own & wanted).sum() / max(1, (own | wanted).sum())))
    return float(np.mean(each))


def overlays(frames: Pictures, masks: Tensor) -> list[Image.Image]:
    """First, middle and last frame of a clip with everybody's predicted mask as a tint."""
    out = []
    for place in (0, 14, 28):
        owner = masks[:, (place + 3) // 4].argmax(0).numpy().repeat(8, 0).repeat(8, 1)
        tints = np.stack([owner == person + 1 for person in range(len(masks) - 1)])
        out.append(Image.fromarray(tinted(frames[place], tints, set(range(len(tints))))))
    return out


# Voices


@dataclass(frozen=True)
class Take:
    """A filmed scene. voices: which voice each person had, None for none. seen: (N, T) mouth openings."""

    scene: Scene
    voices: tuple[int | None, ...]
    seen: np.ndarray

    def sync(self, person: int, voice: int) -> float:
        """Correlation of a person's mouth with a voice."""
        return measures.correlation(self.seen[person, SETTLED:], self.scene.opening[voice, SETTLED:])

    @property
    def own(self) -> list[float]:
        """Of everybody with their own voice."""
        return [self.sync(person, voice) for person, voice in enumerate(self.voices) if voice is not None]

    @property
    def right(self) -> list[bool]:
        """Whether everybody's mouth goes best with their own voice."""
        voices = range(self.scene.people)
        return [
            max(voices, key=partial(self.sync, person)) == voice
            for person, voice in enumerate(self.voices)
            if voice is not None
        ]

    @property
    def motion(self) -> np.ndarray:
        """(N,) how much every mouth moves."""
        return np.asarray(self.seen[:, SETTLED:].std(1))


def voice_rows(bench: Bench, scenes: Sequence[Scene]) -> list[Row]:
    """One speaks and the others listen; all speak, in every assignment; the same voices in single portraits."""
    ratios, right, own = [], [], []
    pipe = bench.stage.varied(scale=1)
    for scene in scenes:
        for speaker in range(scene.people):
            motion = film(bench, pipe, scene, _alone(scene, speaker), "predicted").motion
            ratios.append(np.delete(motion, speaker).mean() / motion[speaker])
        for voices in permutations(range(scene.people)):
            take = film(bench, pipe, scene, voices, "predicted")
            right += take.right
            own += take.own
    still, share, r = float(np.mean(ratios)), float(np.mean(right)), float(np.mean(own))
    single = one_person(bench, scenes)
    name = "mouth motion of who is silent over that of who speaks"
    rows = [judged(name, f"{still:.3f}", "< 0.2", "< 0.05", still < 0.2, still < 0.05)]
    name = f"right voice on the right person, all assignments ({len(right)} people)"
    rows.append(judged(name, f"{100 * share:.1f} %", "98 %", "100 %", share >= 0.98, share == 1.0))
    name = "lip sync r of each of several, and of the same voices in portraits of one"
    rows.append(judged(name, f"{r:.2f}; {single:.2f}", "within 0.1", "equal", r >= single - 0.1, r >= single))
    return [*rows, measure_row(bench, scenes)]


def measure_row(bench: Bench, scenes: Sequence[Scene]) -> Row:
    """The same measure on the true videos."""
    takes = [
        Take(scene, tuple(range(scene.people)), mouths(bench, scene.frames, true_heads(bench, scene)))
        for scene in scenes
    ]
    r = float(np.mean([value for take in takes for value in take.own]))
    right = float(np.mean([value for take in takes for value in take.right]))
    name = "  the measure itself, on the true videos of these scenes: lip sync r, right voice"
    return Row(name, f"{r:.2f}, {100 * right:.0f} %", figures={"r": r, "right": right})


def _alone(scene: Scene, speaker: int) -> tuple[int | None, ...]:
    return tuple(speaker if person == speaker else None for person in range(scene.people))


def film(bench: Bench, pipe: AvatarPipeline, scene: Scene, voices: Sequence[int | None], name: str) -> Take:
    """Film a scene with an assignment of its voices; nothing is asked for but speech."""
    label = "".join("-" if voice is None else str(voice) for voice in voices)
    output = bench.work / f"{scene.folder.name}-{name}-{label}.mp4"
    storyline = storyline_of(bench, pipe, scene, voices)
    frames = np.stack(list(read_frames(pipe.render(storyline, output).video)))
    return Take(scene, tuple(voices), mouths(bench, frames, planned_heads(pipe, storyline)))


def storyline_of(bench: Bench, pipe: AvatarPipeline, scene: Scene, voices: Sequence[int | None]) -> Storyline:
    """The scene for as long as its voices are, as large as the program films it at the low resolution."""
    count, height, width, _ = scene.frames.shape
    eyes = [interocular(face.landmarks) for face in first_faces(bench, scene)]
    width, height = pipe.frame_size(width, height, eyes)
    names = [f"person {person + 1}" for person in range(scene.people)]
    tracks = [None if voice is None else str(scene.voices[voice]) for voice in voices]
    people = zip(names, scene.faces, tracks, strict=True)
    return Storyline(
        image=str(scene.folder / "portrait.png"),
        audio=str(mixed(bench, scene, voices)),
        frames=count,
        width=width,
        height=height,
        characters=tuple(Character(name=name, face=face, audio=track) for name, face, track in people),
        shots=(
            Shot(
                index=0,
                span=FrameSpan(0, count),
                positive=f"{scene.people} people speak, neutral.",
                speakers=tuple(name for name, track in zip(names, tracks, strict=True) if track is not None),
            ),
        ),
    )


def mixed(bench: Bench, scene: Scene, voices: Sequence[int | None]) -> Path:
    """The voices that are heard, in one file."""
    heard = sorted(voice for voice in voices if voice is not None)
    path = bench.work / f"{scene.folder.name}-{''.join(map(str, heard))}.wav"
    tracks = [soundfile.read(scene.voices[voice]) for voice in heard]
    soundfile.write(path, np.sum([samples for samples, _ in tracks], 0) / len(tracks), tracks[0][1])
    return path


def planned_heads(pipe: AvatarPipeline, storyline: Storyline) -> np.ndarray:
    """(N, T, 68, 2) px where the plan of a film puts everybody's face, mouths shut."""
    size = storyline.height, storyline.width
    reference = reference_picture(Path(storyline.image), *size[::-1])
    acted = perform_cast(storyline, prosodies(storyline))
    return moved(fit_cast(storyline, pipe.backbone, reference), acted, size)


def true_heads(bench: Bench, scene: Scene) -> np.ndarray:
    """(N, T, 68, 2) px the same in the true frames, by the same fit and the true performance."""
    heads = [fit_head(face.landmarks) for face in first_faces(bench, scene)]
    return moved(heads, performances(scene.controls), scene.frames.shape[1:3])


def first_faces(bench: Bench, scene: Scene) -> list[Face]:
    """Everybody's face in the first true frame."""
    found = find_faces(Eye(bench.eye), scene.frames[0], scene.faces)
    faces = [face for face in found if face is not None]
    assert len(faces) == len(found), "nobody is filmed whose face is not found"
    return faces


def moved(heads: Sequence[HeadFit], acted: Sequence[Performance], size: tuple[int, int]) -> np.ndarray:
    """(N, T, 68, 2) px of the heads' landmarks, in frames of `size` (height, width), as they are acted."""
    return np.stack([project(head, own, size, TEMPLATE_68) for head, own in zip(heads, acted, strict=True)])


def mouths(bench: Bench, frames: Pictures, heads: np.ndarray) -> np.ndarray:
    """(N, T) opening of everybody's mouth, each looked for where `heads` (N, T, 68, 2) has it.

    Places nearer to somebody else's head are painted over: of two faces in a look the network may take either.
    """
    eye, size = Eye(bench.eye), frames.shape[1:3]
    owner = head_shares(heads[:, :, list(RIGID_ANCHORS)], size, size).argmax(0)
    out = np.zeros(heads.shape[:2])
    for person, place in np.ndindex(*out.shape):
        alone = frames[place].copy()
        alone[owner[place] != person] = frames[place].mean((0, 1))
        out[person, place] = mouth_opening(eye.at(alone, square_round(heads[person, place])).landmarks)
    return out


def one_person(bench: Bench, scenes: Sequence[Scene]) -> float:
    """Lip sync of the scenes' voices, each in a portrait of one held-out person."""
    pipe, values = bench.stage.varied(scale=1), []
    voices = [(scene, person) for scene in scenes for person in range(scene.people)]
    for place, (scene, person) in enumerate(voices):
        case = bench.cases[place % len(bench.cases)]
        output = bench.work / f"single-{scene.folder.name}-{person}.mp4"
        made = pipe(case.portrait, scene.voices[person], "neutral, static camera", output=output)
        seen = measures.openings(measures.see(bench.eye, np.stack(list(read_frames(made.video)))))
        values.append(measures.correlation(seen[SETTLED:], scene.opening[person, SETTLED : len(seen)]))
    return float(np.mean(values))


# Three ways


def way_rows(bench: Bench, scenes: Sequence[Scene]) -> list[Row]:
    """The same scenes without gates, with boxes and with predicted masks: everybody with their own voice, and one
    speaking alone."""
    figures: dict[str, tuple[float, float, float]] = {}
    cells, labels = [], []
    for way, pipe_of in _ways(bench).items():
        own, right, ratios = [], [], []
        for scene in scenes:
            take = film(bench, pipe_of(scene), scene, range(scene.people), way)
            own += take.own
            right += take.right
            motion = film(bench, pipe_of(scene), scene, _alone(scene, 0), way).motion
            ratios.append(motion[1:].mean() / motion[0])
            if scene is scenes[0]:
                name = "".join(map(str, range(scene.people)))
                frames = list(read_frames(bench.work / f"{scene.folder.name}-{way}-{name}.mp4"))
                for place in (16, 28, 40, 52):
                    cells.append(Image.fromarray(frames[place]))
                    labels.append(f"{way}, {place / 25:.1f} s")
        figures[way] = float(np.mean(own)), float(np.mean(right)), float(np.mean(ratios))
    contact_sheet(cells, labels, columns=4).save(bench.pictures / "gates.png")
    said = "; ".join(f"{r:.2f}, {100 * right:.0f} %, {still:.2f}" for r, right, still in figures.values())
    r, right, still = figures["predicted"]
    best = all(r >= other[0] and right >= other[1] and still <= other[2] for other in figures.values())
    name = "no gates; box masks; predicted masks: lip sync r, right voice, mouth motion of the silent"
    shown = {way: list(values) for way, values in figures.items()}
    return [Row(name, said, "predicted best", "", best, figures=shown)]


def _ways(bench: Bench) -> dict[str, Callable[[Scene], AvatarPipeline]]:
    """What opens the pipeline that films a scene in each way."""
    none, predicted = (bench.stage.varied(scale=1, gates=gates) for gates in ("none", "predicted"))
    return {"none": lambda scene: none, "boxes": partial(_boxed, bench), "predicted": lambda scene: predicted}


def _boxed(bench: Bench, scene: Scene) -> AvatarPipeline:
    backbone = _like(bench, Boxed, scale=1, gates="heads")
    rows = scene.masks[0].any(2), scene.masks[0].any(1)
    height, width = scene.masks.shape[2:]
    edges = [(np.flatnonzero(across), np.flatnonzero(down)) for down, across in zip(*rows, strict=True)]
    backbone.boxes = tuple((x[0] / width, y[0] / height, (x[-1] + 1) / width, (y[-1] + 1) / height) for x, y in edges)
    return AvatarPipeline(backbone, "boxes")


def _like(bench: Bench, kind: type[Kind], **changes: object) -> Kind:
    """The benchmark's model as another class, with another profile."""
    backbone = bench.stage.backbone
    return kind(backbone.folder, backbone.profile.model_copy(update=changes))


# Time


def cost_row(bench: Bench, scenes: Sequence[Scene]) -> Row:
    """Time to film one clip of three people of whom one, two or three are characters, the quickest of several."""
    scene = next(scene for scene in scenes if scene.people == 3)
    backbone = _like(bench, MiniBackbone)
    inputs = true_clip(backbone, scene)
    seconds = []
    for count in (1, 2, 3):
        names = ("audio", "controls", "anchors", "faces")
        some = ClipInputs(**{**vars(inputs), **{name: getattr(inputs, name)[:count] for name in names}})
        backbone.film(some)
        times = []
        for _ in range(3):
            started = time.perf_counter()
            backbone.film(some)
            times.append(time.perf_counter() - started)
        seconds.append(min(times))
    extra = (seconds[2] / seconds[0] - 1) / 2
    second = seconds[1] / seconds[0] - 1
    value = f"{100 * extra:.0f} % (the second {100 * second:.0f} %)"
    return judged(
        "extra time of each added character, same picture", value, "< 15 %", "< 5 %", extra < 0.15, extra < 0.05
    )
