"""Every cause of the second opinion, each by a mask that has this very fault, and a good mask that passes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.motion.face import TEMPLATE_68
from dramatis.senses.seeing.eye import BodyPose, CropBox, Doubt, Face
from dramatis_lab.annotate.judge import MaskJudge
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Pose
from dramatis_lab.annotate.verdicts import SOUND, Cause, MaskVerdict

HEIGHT, WIDTH = 240, 320
SETTINGS = AnnotationSettings()


def pose_at(x: float) -> Pose:
    return Pose((TEMPLATE_68[:, :2] * (60, -60) + (x, 80)).astype(np.float32), np.ones(68, np.float32))


def person(x: float) -> NDArray[np.bool_]:
    """Head and shoulders of somebody whose face is at x."""
    ys, xs = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray((np.hypot(xs - x, ys - 75) < 45) | ((ys > 130) & (np.abs(xs - x) < 45)))


def picture(x: float) -> Pictures:
    """A striped person before a wall with a grid on it."""
    wall = np.full((HEIGHT, WIDTH), 120, np.uint8)
    wall[::12], wall[:, ::12] = 30, 30
    stripes = np.where((np.arange(WIDTH) - round(x)) % 10 < 5, 60, 220).astype(np.uint8)
    return np.repeat(np.where(person(x), stripes[None], wall)[..., None], 3, 2)


class GivenEye:
    """A second eye that sees what a test says."""

    name, identity, cuts_out, sharpest_side = "given", "given", False, 10_000

    def __init__(self, outlines: Sequence[NDArray[np.bool_]]) -> None:
        self.outlined = list(outlines)

    def find(self, frame: Pictures) -> list[Face]:
        raise NotImplementedError

    def doubts(self, frame: Pictures) -> list[Doubt]:
        raise NotImplementedError

    def bodies(self, frame: Pictures, faces: Sequence[Face]) -> list[BodyPose | None]:
        raise NotImplementedError

    def face_in(self, frame: Pictures, square: CropBox) -> Face | None:
        return Face(pose_at(0).points, 1.0) if self.outlined else None

    def outlines(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.float32]:
        return np.stack([self.outlined.pop(0)]).astype(np.float32)


def judged(
    masks: Sequence[NDArray[np.bool_]], places: Sequence[float], second: Sequence[NDArray[np.bool_]] | None = None
) -> list[MaskVerdict]:
    """The verdicts on one person's masks, frame after frame. second: what the second eye sees when it looks."""
    judge = MaskJudge(1, SETTINGS, None if second is None else GivenEye(second))
    verdicts = []
    for mask, x in zip(masks, places, strict=True):
        judge.look(picture(x), [pose_at(x)])
        verdicts.append(judge.judge(0, mask, pose_at(x)))
    return verdicts


def test_a_person_who_walks_is_sound() -> None:
    places = [120 + 1.5 * step for step in range(24)]
    truth = [person(x) for x in places]
    assert judged(truth, places, truth[:: SETTINGS.second_look]) == [SOUND] * 24


def test_holes_are_rejected() -> None:
    mask = person(160)
    mask[180:210, 130:190] = False
    (verdict,) = judged([mask], [160])
    assert verdict.cause is Cause.HOLES
    assert verdict.value == pytest.approx(1800 / mask.sum())


def test_a_sudden_change_of_area_is_rejected_until_it_is_undone() -> None:
    whole, half = person(160), person(160)
    half[190:] = False
    verdicts = judged([whole, half, half, whole], [160] * 4)
    assert [verdict.cause for verdict in verdicts] == [None, Cause.AREA, Cause.AREA, None]
    assert verdicts[1].value > SETTINGS.area_change


def test_what_nobody_can_reach_is_rejected() -> None:
    mask = person(100)
    mask[:60, 240:] = True
    (verdict,) = judged([mask], [100])
    assert verdict.cause is Cause.REACH


def test_what_a_second_eye_does_not_see_is_rejected() -> None:
    """Only half of the person: what is left of the mask lies far beyond."""
    mask = person(160)
    seen = mask & (np.arange(WIDTH) < 140)
    (verdict,) = judged([mask], [160], [seen])
    assert verdict.cause is Cause.SECOND_EYE
    assert judged([mask], [160], []) == [SOUND], "an eye that sees nobody says nothing"


def test_what_a_mask_misses_is_rejected() -> None:
    mask = person(160)
    seen = mask.copy()
    mask[:, 175:] = False
    (verdict,) = judged([mask], [160], [seen])
    assert verdict.cause is Cause.MISSING


def leaked(x: float) -> NDArray[np.bool_]:
    """The person with a piece of the wall beside, within reach."""
    mask = person(x)
    mask[150:200, 200:217] = True
    return mask


@pytest.mark.parametrize(("step", "cause"), [(0.3, Cause.STILL), (0.0, None)])
def test_what_stays_while_the_person_moves_is_rejected(step: float, cause: Cause | None) -> None:
    """Of somebody who does not move nothing can be said."""
    places = [150 + step * number for number in range(SETTINGS.watched)]
    second = [person(x) for x in places[:: SETTINGS.second_look]]
    verdicts = judged([leaked(x) for x in places], places, second)
    assert verdicts[-1].cause is cause
    assert verdicts[0] is SOUND
