"""Rows about the eyes: real portraits, rendered heads and groups with exact truth, outlines, and time.

Real pictures only measure: nothing is trained or tuned on them. What is not part of a checkout (../shared/portraits,
the raw assets of the renderer, the library's files) makes its rows unmeasured, with the reason.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from dramatis.errors import UserError
from dramatis.media.video import read_frames
from dramatis.models.perception import interocular
from dramatis.motion.face import fit_head
from dramatis.senses.seeing.eye import Eye, Face
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.group_scenes import GroupScene, load_group_scenes
from dramatis_lab.evaluate.checkout import checkout_path
from dramatis_lab.evaluate.measures.outlines import OutlineTruth, band_error, outline_iou
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row
from dramatis_lab.world.takes.heads import HeadStill, render_head

HEADS = 24
"""Rendered people for each angle, and for outlines."""
ANGLES = (0, 30, 60)
_LIPS, _EYES = slice(48, 68), slice(36, 48)
_LIP_BARS, _LIP_AIMS = (0.02, 0.03, 0.06), (0.01, 0.02, 0.04)
_CORNERS_APART = 0.3716
"""Distance of the outer eye corners of the canonical head, in head heights."""
_LOOKS = 5
_MEGAPIXELS = ((1024, 1024), (4000, 3000))


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
    lips = [errors["library"][angle][0] for angle in ANGLES]
    passed, aimed = (
        all(a <= b for a, b in zip(lips, bars, strict=True)) for bars in ((0.02, 0.03, 0.06), (0.01, 0.02, 0.04))
    )
    return [
        judged_row(name, _joined(lips), "0.02 / 0.03 / 0.06", "0.01 / 0.02 / 0.04", passed, aimed, {"errors": errors}),
        Row("    of our own eye", _joined([errors["own"][angle][0] for angle in ANGLES])),
        Row("    lids, library's eye / own", " / ".join(f"{errors[eye][0][1]:.3f}" for eye in ("library", "own"))),
    ]


def _joined(values: Sequence[float]) -> str:
    return " / ".join(f"{value:.3f}" for value in values)


def turned_heads(angle: int, assets: Path) -> list[HeadStill]:
    """Held-out people who look to either side by that many degrees."""
    return [
        render_head(100 * angle + seed, "test", float(np.radians(angle)) * (-1) ** seed, assets)
        for seed in range(HEADS)
    ]


def head_errors(eye: Eye, stills: Sequence[HeadStill]) -> tuple[float, float]:
    """Mean error of lips and of lids; a head that is not found counts as one distance of the eye corners."""
    lips, lids = [], []
    for still in stills:
        unit = _CORNERS_APART * fit_head(still.landmarks).scale
        true = Face(still.landmarks, 1.0)
        face = next((face for face in eye.find(still.picture) if same_face(face, true)), None)
        gaps = np.full(68, unit) if face is None else np.linalg.norm(face.landmarks - still.landmarks, axis=1)
        lips.append(float(gaps[_LIPS].mean() / unit))
        lids.append(float(gaps[_EYES].mean() / unit))
    return float(np.mean(lips)), float(np.mean(lids))


def own_rows(eyes: EyeBench) -> list[Row]:
    """Our own eye on the portraits: taken, lips against the library's landmarks, outline against its segmenter."""
    name = "  our own eye on them: taken; lips; outline IoU"
    bars, aims = "20; 0.035; 0.90", "22; 0.02; 0.95"
    if not eyes.portraits or eyes.library is None:
        return [unmeasured_row(f"{name} (absent)", bars, aims)]
    taken, lips, overlaps, false = 0, [], [], 0
    for picture in eyes.portraits:
        (whole, *_) = eyes.library.faces(picture)
        frame = picture.overview
        face = whole.placed(frame.shape[1] / picture.size[0])
        near = eyes.own.own_eye.face_in(frame, face.crop_box) or face.placed(1.0)
        gaps = np.linalg.norm(near.landmarks - face.landmarks, axis=1)[_LIPS]
        lips.append(float(gaps.mean()) / interocular(face.landmarks))
        taken += takes(eyes.own, picture, whole)
        false += len(eyes.own.faces(picture)) > 1
        seen = eyes.own.own_eye.outlines(frame, [near])[0] > 0.5
        true = eyes.library.eye.outlines(frame, [face])[0] > 0.5
        overlaps.append(float((seen & true).sum() / max((seen | true).sum(), 1)))
    error, overlap = float(np.mean(lips)), float(np.mean(overlaps))
    figures = {"taken": taken, "lips": error, "outline": overlap, "false": false, "outlines": overlaps}
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
    overlaps, errors, coarse = [], [], []
    for seed in range(HEADS):
        still = render_head(9000 + seed, "test", 0.3 * float(np.sin(seed)), eyes.assets, side=1024)
        truth = OutlineTruth.from_double(still.picture, still.person, still.landmarks)
        faces = [Face(truth.landmarks, 1.0)]
        (outline,) = eye.outlines(truth.picture, faces)
        overlaps.append(outline_iou(truth, outline))
        errors.append(band_error(truth, outline))
        coarse.append(band_error(truth, eye.coarse_outline(truth.picture, faces)))
    overlap, ratio = float(np.mean(overlaps)), float(np.sum(errors) / np.sum(coarse))
    passed, aimed = overlap >= 0.95 and ratio <= 0.8, overlap >= 0.98 and ratio <= 0.5
    figures = {"iou": overlap, "ratio": ratio, "worst": min(overlaps)}
    return [judged_row(name, f"{overlap:.3f}; {ratio:.2f}", "0.95; 0.8", "0.98; 0.5", passed, aimed, figures)]


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
    """Share of the people found, for each kind of scene."""
    found: dict[str, list[bool]] = {"two people": [], "three people": [], "occluded": []}
    for scene in scenes:
        (frame,) = islice(read_frames(scene.folder / "truth.mp4"), 1)
        size = frame.shape[1], frame.shape[0]
        boxes = [box.pixels(size) for box in scene.faces]
        middles = [face.centre for face in eye.find(frame)]
        inside = [[box.left < x < box.right and box.top < y < box.bottom for box in boxes] for x, y in middles]
        false = any(not any(row) for row in inside)
        found[scene.kind] += [not false and any(row[person] for row in inside) for person in range(scene.people)]
    return {kind: float(np.mean(people)) for kind, people in found.items()}


def time_rows(eyes: EyeBench) -> list[Row]:
    """Seconds to find and describe everybody in a picture that is decoded already."""
    name = "  seconds to look at a picture of 1024x1024; of 12 megapixels"
    finder = eyes.library or eyes.own
    seconds = [look_time(finder, eyes, size) for size in _MEGAPIXELS]
    passed, aimed = seconds[0] <= 0.6 and seconds[1] <= 1.5, seconds[0] <= 0.2 and seconds[1] <= 0.5
    value = "; ".join(f"{second:.2f}" for second in seconds)
    return [judged_row(name, value, "0.6; 1.5", "0.2; 0.5", passed, aimed, {"eye": finder.eye.name})]


def look_time(finder: PersonFinder, eyes: EyeBench, size: tuple[int, int]) -> float:
    """Median of several looks at the astronaut, each at a picture of its own."""
    seconds = []
    for number in range(_LOOKS):
        image = eyes.astronaut.image.crop((60, 0, 372, 312)).resize(size, Image.Resampling.BICUBIC)
        picture = PictureFile(eyes.astronaut.path, f"look {number} {size} {finder.eye.name}", image)
        seconds.append(_timed(lambda picture=picture: _look(finder, picture)))  # type: ignore[misc]
    return statistics.median(seconds)


def _look(finder: PersonFinder, picture: PictureFile) -> None:
    finder.everybody(picture)
    finder.describe_portrait(picture, (256, 256))


def _timed(work: Callable[[], None]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def astronaut_row(eyes: EyeBench) -> Row:
    """The photograph that comes with scikit-image: one face by each eye."""
    finders = [finder for finder in (eyes.library, eyes.own) if finder is not None]
    counts = [len(finder.faces(eyes.astronaut)) for finder in finders]
    value = "; ".join(f"{finder.eye.name} {count}" for finder, count in zip(finders, counts, strict=True))
    right = all(count == 1 for count in counts)
    return judged_row("  faces in scikit-image's photograph", value, "1 each", "1 each", right, right)
