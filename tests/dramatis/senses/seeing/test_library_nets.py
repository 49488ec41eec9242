"""How the library's networks are asked and read, on the example's portrait."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dramatis.senses.seeing.eye import CropBox
from dramatis.senses.seeing.library_files import find_library_files
from dramatis.senses.seeing.pyramid import Pyramid
from tests import ROOT
from tests.dramatis.senses.seeing.conftest import skip_without_library

WHOLE = CropBox(0.0, 0.0, 256.0)


@pytest.fixture(scope="module")
def folder() -> Path:
    skip_without_library()
    found = find_library_files()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def portrait() -> Pyramid:
    picture = Image.open(ROOT / "examples" / "portrait.png").convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)
    return Pyramid(np.asarray(picture))


def test_detections_of_one_thing_are_one(folder: Path) -> None:
    from dramatis.senses.seeing.library_nets import Detections

    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 0, 40, 10]], np.float64)
    found = Detections(boxes, np.zeros((3, 6, 2)), np.array([0.6, 0.9, 0.7])).distinct()
    assert found.scores.tolist() == [0.9, 0.7]
    joined = Detections.joined([found, found])
    assert joined.boxes.tolist() == found.boxes.tolist()


def test_both_detectors_find_the_face_in_one_place(folder: Path, portrait: Pyramid) -> None:
    from dramatis.senses.seeing.library_nets import AnchorNet

    far, near = (
        net.detect(portrait, WHOLE, 0.5) for net in (AnchorNet.full_range(folder), AnchorNet.short_range(folder))
    )
    assert len(far.scores) == len(near.scores) == 1
    assert far.points == pytest.approx(near.points, abs=12)
    half = AnchorNet.full_range(folder).detect(portrait, CropBox(-128.0, -128.0, 512.0), 0.5)
    assert half.boxes == pytest.approx(far.boxes, abs=12), "places are those of the picture, whatever the square"
    assert len(AnchorNet.full_range(folder).detect(Pyramid(np.full((64, 64, 3), 90, np.uint8)), WHOLE, 0.5).scores) == 0


def test_mesh_and_irises_lie_on_the_face(folder: Path, portrait: Pyramid) -> None:
    from dramatis.senses.seeing.library_nets import AnchorNet, IrisNet, MeshNet

    box = AnchorNet.full_range(folder).detect(portrait, WHOLE, 0.5).boxes[0]
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    mesh, flag = MeshNet(folder).look(portrait, centre, 1.5 * float(box[2] - box[0]), 0.0)
    assert flag > 0.9
    assert mesh.shape == (468, 3)
    assert box[0] < mesh[13, 0] < box[2]
    left, right = mesh[[33, 133], :2], mesh[[362, 263], :2]
    for corners, mirrored in ((left, False), (right, True)):
        width = float(np.linalg.norm(corners[1] - corners[0]))
        middle = corners.mean(0)
        lids, iris = IrisNet(folder).look(portrait, (middle[0], middle[1]), 2.3 * width, 0.0, mirrored=mirrored)
        assert np.linalg.norm(iris[0] - middle) < 0.4 * width
        outer, inner = (corners[1], corners[0]) if mirrored else (corners[0], corners[1])
        assert lids[0] == pytest.approx(outer, abs=0.2 * width), "lids begin at the outer corner"
        assert lids[8] == pytest.approx(inner, abs=0.2 * width)


def test_the_body_and_the_mask_are_those_of_the_person(folder: Path, portrait: Pyramid) -> None:
    from dramatis.senses.seeing.library_nets import AnchorNet, PoseNet, SegmentationNet

    found = AnchorNet.people(folder).detect(portrait, WHOLE, 0.4)
    assert len(found.scores) == 1
    hips, top = found.points[0][:2]
    side = 2.5 * float(np.linalg.norm(top - hips))
    look = PoseNet(folder).look(portrait, (hips[0], hips[1]), side, 0.0)
    assert look.flag > 0.5
    assert look.points[12, 0] < look.points[0, 0] < look.points[11, 0], "the nose is between the shoulders"
    assert look.visibility[[11, 12]].min() > 0.5
    assert look.outline.shape == (256, 256)
    assert look.outline[120, 128] > 0.9
    assert look.outline[10, 10] < 0.1
    mask = SegmentationNet(folder).mask(portrait.cut((128.0, 128.0), 256.0, 256))
    assert mask.shape == (256, 256)
    assert mask[200, 128] > 0.9
    assert mask[10, 10] < 0.1
