"""Rows about the eyes: real portraits, rendered heads and groups with exact truth, outlines, and time.

Real pictures only measure: nothing is trained or tuned on them. What is not part of a checkout (../shared/portraits,
the raw assets of the renderer, the library's files) makes its rows unmeasured, with the reason.
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage import data

from dramatis.errors import UserError
from dramatis.media.video import read_frames
from dramatis.models.perception import interocular
from dramatis.motion.face import RIGID_ANCHORS, fit_head
from dramatis.senses.seeing.eye import Eye, Face
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis.senses.seeing.matting import Outline
from dramatis.senses.seeing.people import largest_face
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.group_scenes import GroupScene, load_group_scenes
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.measures.outlines import OutlineTruth, measure_outlines, render_outline_truth
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row
from dramatis_lab.world.takes.heads import HeadStill, render_head

HEADS = 24
"""Rendered people for each angle, and for outlines."""
ANGLES = (0, 30, 60)
_LIPS, _EYES = slice(48, 68), slice(36, 48)
_LIP_BARS, _LIP_AIMS = (0.02, 0.03, 0.06), (0.01, 0.02, 0.04)
_CORNERS_APART = 0.3716
"""Distance of the outer eye corners of the canonical head, in head heights."""
_SCENE_STEP = 8
"""Every how many frames a rendered group is looked at; the first frames show 12 people in all, too few for a bar."""
_LOOKS = 5
"""Looks that are timed for each size, after one that is not: the first loads the networks."""
_TIMED_SIZES = ((1024, 1024), (4000, 3000))
_TIMED_PART = (60, 0, 372, 312)
"""Head and shoulders in scikit-image's photograph, px."""


class EyeBench:
    """The finders and pictures that the rows share."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.own = PersonFinder("own")

    @cached_property
    def library(self) -> PersonFinder | None:
        """None where its files are absent."""
        return None if missing_for_library_eye() is not None else PersonFinder("library")

    @cached_property
    def portraits(self) -> list[PictureFile]:
        """../shared/portraits, none where they are absent."""
        folder = checkout_path().parent / "shared" / "portraits"
        return [open_picture(path) for path in sorted(folder.glob("*.jpg"))]

    @cached_property
    def assets(self) -> Path | None:
        """The renderer's raw assets, None where they are absent."""
        folder = checkout_path().parent / "shared" / "assets"
        return folder if folder.is_dir() else None

    @cached_property
    def astronaut(self) -> PictureFile:
        """The photograph that scikit-image carries."""
        path = self.work / "astronaut-whole.png"
        Image.fromarray(data.astronaut()).save(path)
        return open_picture(path)


def eyes_rows(bench: Bench) -> list[Row]:
    """Everything about the eyes but annotation, whose rows have a group of their own."""
    eyes = EyeBench(bench.work)
    return [
        found_row(eyes),
        *lips_rows(eyes),
        *own_rows(eyes),
        *outline_rows(eyes),
        *group_rows(eyes),
        *time_rows(eyes),
        astronaut_row(eyes),
    ]


def same_face(a: Face, b: Face) -> bool:
    """Whether two faces lie within half an interocular distance of each other."""
    return bool(np.linalg.norm(a.centre - b.centre) < 0.5 * interocular(b.landmarks))


def agreed_face(eyes: EyeBench, picture: PictureFile) -> Face | None:
    """The face that both eyes see, as the library's sees it; None where they do not agree."""
    assert eyes.library is not None
    pairs = [(a, b) for a in eyes.library.faces(picture) for b in eyes.own.faces(picture)]
    return next((a for a, b in pairs if same_face(a, b)), None)


def found_row(eyes: EyeBench) -> Row:
    """Every portrait shows one person: a right face is one that both eyes see, and any other is false."""
    name = "eyes: portraits of ../shared, faces found; pictures with false people"
    if not eyes.portraits or eyes.library is None:
        return unmeasured_row(f"{name} (absent)", "all; 0")
    found = sum(agreed_face(eyes, picture) is not None for picture in eyes.portraits)
    false = sum(len(eyes.library.faces(picture)) > 1 for picture in eyes.portraits)
    count = len(eyes.portraits)
    passed = found == count and false == 0
    return judged_row(name, f"{found} of {count}; {false}", "all; 0", "all; 0", passed, passed)


def lips_rows(eyes: EyeBench) -> list[Row]:
    """Landmarks of turned heads, over the distance of the eye corners of the same head seen from the front.

    That distance is not the one in the picture, which halves at 60 degrees.
    """
    name = "  lips against rendered truth at 0 / 30 / 60 degrees, library's eye"
    if eyes.assets is None or eyes.library is None:
        return [unmeasured_row(f"{name} (absent)", _joined(_LIP_BARS), _joined(_LIP_AIMS))]
    stills = {angle: turned_heads(angle, eyes.assets) for angle in ANGLES}
    errors = {
        finder.eye.name: {angle: head_errors(finder.eye, stills[angle]) for angle in ANGLES}
        for finder in (eyes.library, eyes.own)
    }
    lips = {eye: [by_angle[angle].lips for angle in ANGLES] for eye, by_angle in errors.items()}
    lids = {eye: [by_angle[angle].lids for angle in ANGLES] for eye, by_angle in errors.items()}
    passed, aimed = (
        all(error <= bar for error, bar in zip(lips["library"], bars, strict=True)) for bars in (_LIP_BARS, _LIP_AIMS)
    )
    figures = {
        eye: {str(angle): dataclasses.asdict(error) for angle, error in by_angle.items()}
        for eye, by_angle in errors.items()
    }
    value = _joined(lips["library"])
    return [
        judged_row(name, value, _joined(_LIP_BARS), _joined(_LIP_AIMS), passed, aimed, figures),
        Row("    of our own eye", _joined(lips["own"])),
        Row("    lids, library's eye", _joined(lids["library"])),
        Row("    lids, our own eye", _joined(lids["own"])),
    ]


def _joined(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.3f}" for value in values)


def turned_heads(angle: int, assets: Path) -> list[HeadStill]:
    """Held-out people who look to either side by that many degrees."""
    return [
        render_head(100 * angle + seed, "test", float(np.radians(angle)) * (-1) ** seed, assets)
        for seed in range(HEADS)
    ]


@dataclass(frozen=True)
class HeadErrors:
    """Mean distance of landmarks to the true ones, for heads at one angle.

    lips, lids: over the distance of the outer eye corners when the head looks to the front.  lips_projected: of the
    lips, over that distance in the picture.  found: share of the heads that were found.
    """

    lips: float
    lids: float
    lips_projected: float
    found: float


def head_errors(eye: Eye, stills: Sequence[HeadStill]) -> HeadErrors:
    """Errors of the landmarks; a head that is not found counts as one distance of the eye corners."""
    each = []
    for still in stills:
        unit, projected = _CORNERS_APART * fit_head(still.landmarks).scale, interocular(still.landmarks)
        true = Face(still.landmarks, 1.0)
        face = next((face for face in eye.find(still.picture) if same_face(face, true)), None)
        if face is None:
            each.append((1.0, 1.0, 1.0, 0.0))
            continue
        gaps = np.linalg.norm(face.landmarks - still.landmarks, axis=1)
        lips, lids = float(gaps[_LIPS].mean()), float(gaps[_EYES].mean())
        each.append((lips / unit, lids / unit, lips / projected, 1.0))
    return HeadErrors(*np.mean(each, axis=0).tolist())


def own_rows(eyes: EyeBench) -> list[Row]:
    """Our own eye on the portraits: taken, lips against the library's landmarks, outline against its segmenter."""
    name = "  our own eye on them: taken; lips; outline IoU"
    bars, aims = "20; 0.035; 0.90", "22; 0.02; 0.95"
    if not eyes.portraits or eyes.library is None:
        return [unmeasured_row(f"{name} (absent)", bars, aims)]
    own = eyes.own.own_eye
    taken, lips, overlaps, false = 0, [], [], 0
    for picture in eyes.portraits:
        whole = largest_face(eyes.library.faces(picture))
        if whole is None:  # nothing to compare with, and the row before counts it
            continue
        frame = picture.overview
        face = whole.placed(frame.shape[1] / picture.size[0])
        near = own.at(frame, own.at(frame, face.crop_box).crop_box)  # whatever its score, so that all pictures count
        gaps = np.linalg.norm(near.landmarks - face.landmarks, axis=1)[_LIPS]
        lips.append(float(gaps.mean()) / interocular(face.landmarks))
        taken += takes(eyes.own, picture, whole)
        false += len(eyes.own.faces(picture)) > 1
        seen = own.outlines(frame, [near])[0] > 0.5
        true = eyes.library.eye.outlines(frame, [face])[0] > 0.5
        overlaps.append(float((seen & true).sum() / max((seen | true).sum(), 1)))
    error, overlap = float(np.mean(lips)), float(np.mean(overlaps))
    figures = {"taken": taken, "lips": lips, "outlines": overlaps, "false": false}
    passed = taken >= 20 and error <= 0.035 and overlap >= 0.9
    aimed = taken >= 22 and error <= 0.02 and overlap >= 0.95
    value = f"{taken}; {error:.3f}; {overlap:.3f}"
    return [
        judged_row(name, value, bars, aims, passed, aimed, figures),
        Row("    pictures with false people, own eye", str(false)),
    ]


def takes(finder: PersonFinder, picture: PictureFile, right: Face) -> bool:
    """Whether `generate` would film the right person of a portrait."""
    try:
        person = finder.portrait(picture, (picture.size[0] // 2 * 2, picture.size[1] // 2 * 2))
    except UserError:
        return False
    return same_face(Face(person.landmarks, person.score), right)


def outline_rows(eyes: EyeBench) -> list[Row]:
    """The refined outline at 512 pixels against rendered truth, and its error over the coarse outline's."""
    name = "  outline against rendered truth at 512 pixels: IoU; error at hair over bicubic's"
    if eyes.assets is None or eyes.library is None:
        return [unmeasured_row(f"{name} (absent)", "0.95; 0.8", "0.98; 0.5")]
    from dramatis.senses.seeing.library_eye import LibraryEye

    eye = eyes.library.eye
    assert isinstance(eye, LibraryEye)

    def coarse_of(truth: OutlineTruth) -> Outline:
        return eye.coarse_outline(truth.picture, [Face(truth.landmarks, 1.0)])

    def refined_of(truth: OutlineTruth) -> Outline:
        return eye.outlines(truth.picture, [Face(truth.landmarks, 1.0)])[0]

    truths = (render_outline_truth(seed, "test", eyes.assets) for seed in range(HEADS))
    found = measure_outlines(truths, coarse_of, refined_of)
    passed, aimed = found.iou >= 0.95 and found.band_ratio <= 0.8, found.iou >= 0.98 and found.band_ratio <= 0.5
    value = f"{found.iou:.3f}; {found.band_ratio:.2f}"
    return [judged_row(name, value, "0.95; 0.8", "0.98; 0.5", passed, aimed, dataclasses.asdict(found))]


def group_rows(eyes: EyeBench) -> list[Row]:
    """Right people found in rendered groups; a false person makes a scene's share 0."""
    name = "  rendered groups: right people found, two / three / occluded"
    bars, aims = "99 / 98 / 95 %", "100 %"
    if eyes.library is None:
        return [unmeasured_row(f"{name} (absent)", bars, aims)]
    scenes = load_group_scenes()
    shares = group_shares(eyes.library.eye, scenes)
    values = list(shares.values())
    passed = all(share >= bar for share, bar in zip(values, (0.99, 0.98, 0.95), strict=True))
    own = group_shares(eyes.own.eye, scenes)
    return [
        judged_row(name, _percent(values), bars, aims, passed, min(values) == 1.0, {"shares": shares}),
        Row("    by our own eye", _percent(list(own.values()))),
    ]


def _percent(values: Sequence[float]) -> str:
    return " / ".join(f"{100 * value:.0f}" for value in values) + " %"


def group_shares(eye: Eye, scenes: Sequence[GroupScene]) -> dict[str, float]:
    """Share of the people found, for each kind of scene: one for each person in every frame that is looked at."""
    found: dict[str, list[bool]] = {"two people": [], "three people": [], "occluded": []}
    for scene in scenes:
        for index, frame in enumerate(read_frames(scene.folder / "truth.mp4")):
            if index % _SCENE_STEP == 0:
                anchors = scene.anchors[:, index] * (frame.shape[1] / scene.frames.shape[2])
                found[scene.kind] += people_found(eye.find(frame), anchors)
    return {kind: float(np.mean(people)) for kind, people in found.items()}


def people_found(faces: Sequence[Face], anchors: NDArray[np.float32]) -> list[bool]:
    """Whether a face lies within half an interocular distance of each person; nobody is found beside a false face.

    anchors: (N, 9, 2) px, the true places of the landmarks `RIGID_ANCHORS`; the first two are the outer eye corners.
    """
    near = np.zeros((len(faces), len(anchors)), bool)
    for row, face in enumerate(faces):
        apart = np.linalg.norm(face.landmarks[list(RIGID_ANCHORS)].mean(0) - anchors.mean(1), axis=1)
        near[row] = apart < 0.5 * np.linalg.norm(anchors[:, 0] - anchors[:, 1], axis=1)
    if not near.any(1).all():
        return [False] * len(anchors)
    return [bool(near[:, person].any()) for person in range(len(anchors))]


def time_rows(eyes: EyeBench) -> list[Row]:
    """Seconds to find and describe everybody in a picture that is decoded already."""
    name = "  seconds to look at a picture of 1024x1024; of 12 megapixels"
    finder = eyes.library or eyes.own
    times = [look_time(finder, eyes, size) for size in _TIMED_SIZES]
    walls, processor = zip(*times, strict=True)
    passed, aimed = walls[0] <= 0.6 and walls[1] <= 1.5, walls[0] <= 0.2 and walls[1] <= 0.5
    value = "; ".join(f"{wall:.2f}" for wall in walls)
    figures = {"eye": finder.eye.name, "wall": walls, "processor": processor, "load": os.getloadavg()[0]}
    return [judged_row(name, value, "0.6; 1.5", "0.2; 0.5", passed, aimed, figures)]


def look_time(finder: PersonFinder, eyes: EyeBench, size: tuple[int, int]) -> tuple[float, float]:
    """Seconds by the clock and of the processor: medians of several looks, each at a picture with a key of its own.

    What else the machine does adds to the clock but hardly to the processor's time.
    """
    times = []
    for number in range(_LOOKS + 1):
        image = ImageOps.fit(eyes.astronaut.image.crop(_TIMED_PART), size, Image.Resampling.BICUBIC)
        picture = PictureFile(eyes.astronaut.path, f"look {number} {size} {finder.eye.name}", image)
        begun = time.perf_counter(), time.process_time()
        _look(finder, picture)
        times.append((time.perf_counter() - begun[0], time.process_time() - begun[1]))
    walls, processor = zip(*times[1:], strict=True)
    return statistics.median(walls), statistics.median(processor)


def _look(finder: PersonFinder, picture: PictureFile) -> None:
    finder.everybody(picture)
    finder.describe_portrait(picture, (256, 256))


def astronaut_row(eyes: EyeBench) -> Row:
    """The photograph that comes with scikit-image: one face by each eye."""
    finders = [finder for finder in (eyes.library, eyes.own) if finder is not None]
    counts = [len(finder.faces(eyes.astronaut)) for finder in finders]
    value = "; ".join(f"{finder.eye.name} {count}" for finder, count in zip(finders, counts, strict=True))
    right = all(count == 1 for count in counts)
    return judged_row("  faces in scikit-image's photograph", value, "1 each", "1 each", right, right)
