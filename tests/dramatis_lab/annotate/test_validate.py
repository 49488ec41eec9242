from __future__ import annotations

import numpy as np
import pytest

from dramatis.story.values import Box
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Frame, Masks
from dramatis_lab.annotate.validate import ShotValidator, match_boxes, share_inside
from dramatis_lab.annotate.verdicts import Cause
from tests.dramatis_lab.annotate.squares import COLOURS, SquareDetector, SquarePose, frame_of, mask_of, walk


def judge(
    frames: list[Frame], spoil: dict[int, Masks], settings: AnnotationSettings | None = None
) -> list[list[Cause | None]]:
    """The causes frame by frame; frames of `spoil` get those masks instead of the true ones."""
    validator = ShotValidator(2, settings or AnnotationSettings())
    detector, pose = SquareDetector(), SquarePose()
    causes = []
    for number, frame in enumerate(frames):
        found = detector.detect(frame)
        poses = pose.estimate(frame, [detection.box for detection in found])
        masks = spoil.get(number, true_masks(frame))
        causes.append([finding.cause for finding in validator.check(frame, masks, found, poses)])
    return causes


def true_masks(frame: Frame) -> Masks:
    return np.stack([mask_of(frame, colour) for colour in COLOURS[:2]])


def test_true_masks_are_sound() -> None:
    assert judge(walk(), {}) == [[None, None]] * 40


def test_an_empty_mask_is_lost() -> None:
    frames = walk(3)
    empty = true_masks(frames[2])
    empty[1] = False
    assert judge(frames, {2: empty})[2] == [None, Cause.LOST]


def test_a_mask_that_stays_behind_overlaps_too_little_or_misses_keypoints() -> None:
    frames = walk(60)
    behind = judge(frames, {t: true_masks(frames[0]) for t in range(60)})
    assert behind[0] == [None, None]
    assert {row[0] for row in behind[40:]} <= {Cause.LOW_OVERLAP, Cause.MISALIGNED}
    assert {row[1] for row in behind} == {None}


def test_a_swap_is_a_jump_until_it_is_undone() -> None:
    frames = walk(12)
    causes = judge(frames, {t: true_masks(frames[t])[::-1] for t in range(4, 8)})
    assert causes[4:8] == [[Cause.JUMP, Cause.JUMP]] * 4
    assert causes[8:] == [[None, None]] * 4


def test_a_swap_where_people_meet_is_told_by_their_colours() -> None:
    beside = [frame_of({0: (40, 20), 1: (80, 20)})] * 6
    closer = AnnotationSettings(step=0.0)  # as if they had passed through each other, step by step
    causes = judge(beside, {t: true_masks(beside[0])[::-1] for t in (4, 5)}, closer)
    assert causes[4:] == [[Cause.IDENTITY, Cause.IDENTITY]] * 2


def test_someone_else_in_the_same_place_is_told_by_new_colours() -> None:
    frames = walk(6)
    for frame in frames[4:]:
        frame[true_masks(frame)[1]] = 128

    validator, detector, pose = ShotValidator(2, AnnotationSettings()), SquareDetector(), SquarePose()
    causes = []
    for number, frame in enumerate(frames):
        before = frames[min(number, 3)]  # they hardly move, and a detector does not tell who it is
        found = detector.detect(before)
        poses = pose.estimate(frame, [detection.box for detection in found])
        causes.append([finding.cause for finding in validator.check(frame, true_masks(before), found, poses)])
    assert causes == [[None, None]] * 4 + [[None, Cause.IDENTITY]] * 2


def test_a_mask_on_nothing_is_undetected() -> None:
    frames = walk(3)
    nothing = true_masks(frames[0])
    nothing[1] = False
    nothing[1, 60:95, 60:95] = True
    assert [row[1] for row in judge(frames, dict.fromkeys(range(3), nothing))] == [Cause.UNDETECTED] * 3


def test_half_a_person_is_misaligned() -> None:
    frames = walk(2)
    half = true_masks(frames[0])
    half[1, :, 130:] = False
    lenient = AnnotationSettings(box_overlap=0.4)
    assert judge(frames, {0: half}, lenient)[0] == [None, Cause.MISALIGNED]


def test_a_mask_with_a_second_person_in_it_is_refused() -> None:
    frame = frame_of({0: (40, 20), 1: (82, 20)})
    both = true_masks(frame)
    both[0] |= both[1]
    assert judge([frame], {0: both}, AnnotationSettings(box_overlap=0.4))[0] == [Cause.SECOND_PERSON, None]


def test_each_detection_belongs_to_one_mask() -> None:
    boxes = [Box(0, 0, 10, 10), Box(1, 0, 11, 10), None]
    assert match_boxes(boxes, [Box(1, 0, 11, 10), Box(50, 0, 60, 10)]) == {1: 0}


def test_keypoints_outside_the_picture_do_not_count() -> None:
    mask = np.zeros((10, 10), bool)
    mask[:, :5] = True
    points = np.array([(2, 2), (7, 2), (-3, 2), (2, 30)], np.float32)
    assert share_inside(points, mask, 0.0) == 0.5
    assert share_inside(points, mask, 3.0) == 1.0
    assert share_inside(points[2:], mask, 3.0) == 0.0


@pytest.mark.parametrize("name", ["box_overlap", "inside", "step"])
def test_bounds_are_shares(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        AnnotationSettings(**{name: 1.5})
