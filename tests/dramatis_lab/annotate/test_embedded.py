"""The embedded parts with the shipped weights, on the example's portrait, twice in one picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dramatis.senses.seeing.eye import CropBox, Eye
from dramatis.story.values import Box
from dramatis_lab.annotate.embedded import (
    EyeDetector,
    EyePose,
    EyeSegmenter,
    FrameLooks,
    head_crop,
    initial_crop,
)
from dramatis_lab.annotate.units import Frame, Pose, Prompt, bounding_box, mask_iou
from tests import ROOT

SIDE = 160
PORTRAIT = ROOT / "examples" / "portrait.png"


def portrait() -> Frame:
    return np.asarray(Image.open(PORTRAIT).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def pair(shift: int = 0) -> Frame:
    """The portrait and its mirror image, moved to the right by whole pixels."""
    return np.roll(np.concatenate([portrait(), portrait()[:, ::-1]], 1), shift, 1)


def test_two_people_are_found_from_left_to_right_with_their_keypoints(eye: Eye) -> None:
    frame = pair()
    found = EyeDetector(FrameLooks(eye)).detect(frame)
    assert len(found) == 2
    assert found[0].box.right < SIDE + 20
    assert found[1].box.left > SIDE - 20
    poses = EyePose(FrameLooks(eye)).estimate(frame, [detection.box for detection in found])
    for place, pose in enumerate(poses):
        assert pose.points.shape == (68, 2)
        assert pose.confidence.min() > 0.9
        assert place * SIDE + 30 < pose.points.mean(0)[0] < place * SIDE + SIDE - 30
    assert np.abs(poses[0].points.mean(0)[0] + poses[1].points.mean(0)[0] - 2 * SIDE) < 4  # mirror images


NOISE = np.random.default_rng(0).integers(0, 256, (96, 160, 3)).astype(np.uint8)


@pytest.mark.parametrize("frame", [np.full((96, 160, 3), 90, np.uint8), NOISE], ids=["plain", "noise"])
def test_nobody_is_found_without_a_face(eye: Eye, frame: Frame) -> None:
    assert EyeDetector(FrameLooks(eye)).detect(frame) == []


def test_masks_follow_people_and_are_never_shared(eye: Eye) -> None:
    detector, pose = EyeDetector(FrameLooks(eye)), EyePose(FrameLooks(eye))
    found = detector.detect(pair())
    poses = pose.estimate(pair(), [detection.box for detection in found])
    tracking = EyeSegmenter(FrameLooks(eye)).begin([Prompt(d.box, p) for d, p in zip(found, poses, strict=True)])
    first = tracking.step(pair())
    assert not (first[0] & first[1]).any()
    assert [mask_iou(mask, alone) > 0.85 for mask, alone in zip(first, halves(eye), strict=True)] == [True, True]
    second = tracking.step(pair(8))
    assert mask_iou(second[0][:, 8:], first[0][:, :-8]) > 0.9
    gone = pair(8)
    gone[:, :SIDE] = 90
    assert [bool(mask.any()) for mask in tracking.step(gone)] == [False, True]


def halves(eye: Eye) -> list[np.ndarray]:
    """Each half's person as seen alone: what the network was trained for."""
    masks = []
    for place, picture in enumerate((portrait(), portrait()[:, ::-1])):
        (face,) = eye.find(picture)
        mask = np.zeros((SIDE, 2 * SIDE), bool)
        mask[:, place * SIDE : (place + 1) * SIDE] = eye.outlines(picture, [face])[0] > 0.5
        masks.append(mask)
    return masks


def test_a_prompt_on_nothing_follows_nothing(eye: Eye) -> None:
    frame = np.concatenate([portrait(), np.full((SIDE, SIDE, 3), 90, np.uint8)], 1)
    box = Box(SIDE + 10, 10, 2 * SIDE - 10, SIDE)
    (pose,) = EyePose(FrameLooks(eye)).estimate(frame, [box])
    assert pose.confidence.max() == 0.0
    assert bounding_box(EyeSegmenter(FrameLooks(eye)).begin([Prompt(box, pose)]).step(frame)[0]) is None


def test_a_face_among_the_keypoints_of_a_whole_body_is_where_the_first_look_goes() -> None:
    points = np.random.default_rng(0).normal(50, 5, (68, 2)).astype(np.float32)
    alone = Pose(points, np.ones(68, np.float32))
    body = Pose(np.zeros((133, 2), np.float32), np.zeros(133, np.float32))
    body.points[23:91], body.confidence[23:91] = points, 0.9
    box = Box(0, 0, 100, 200)
    assert initial_crop(Prompt(box, body)) == initial_crop(Prompt(box, alone))
    unsure = Pose(points, np.zeros(68, np.float32))
    assert initial_crop(Prompt(box, unsure)) == head_crop(box) == CropBox(0.0, -5.0, 100.0)
