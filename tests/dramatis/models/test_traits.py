from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dramatis.backbones.registry import find_model
from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import FaceReading
from dramatis.models.traits import TRAIT_CROP_SIDE, TRAITS, TraitNet, align_faces, crop_similarities, traits_of
from dramatis.motion.face import TEMPLATE_68

LEFT_EYE, RIGHT_EYE, CHIN = (36, 39), (42, 45), (8, 8)


def face(centre: tuple[float, float], height: float, turn: float = 0.0) -> np.ndarray:
    """(68, 2) px landmarks of the canonical face, turned clockwise by `turn` radians."""
    points = TEMPLATE_68[:, :2] * [height, -height]
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (np.array(centre) + points @ rotation.T).astype(np.float32)


def dotted(landmarks: np.ndarray, side: int, radius: float) -> Tensor:
    """(1, 3, side, side) in [-1, 1]: red on the left eye, green on the right one, blue on the chin."""
    y, x = np.mgrid[:side, :side] + 0.5
    picture = np.empty((3, side, side), np.float32)
    for channel, pair in zip(picture, (LEFT_EYE, RIGHT_EYE, CHIN), strict=True):
        middle = landmarks[list(pair)].mean(0)
        channel[:] = 2 * np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) / (2 * radius**2)) - 1
    return torch.from_numpy(picture)[None]


def centroids(crop: Tensor) -> np.ndarray:
    """(3, S, S) -> (3, 2) x, y of each channel's dot, px."""
    places = torch.arange(TRAIT_CROP_SIDE) + 0.5
    weight = (crop + 1).clamp(min=0)
    weight = weight / weight.sum((1, 2), keepdim=True)
    return torch.stack([(weight.sum(1) * places).sum(1), (weight.sum(2) * places).sum(1)], 1).numpy()


def seen(landmarks: np.ndarray) -> FaceReading:
    blank = np.zeros((4, 4), np.float32)
    return FaceReading(landmarks, blank, blank, 1.0)


def tiny() -> TraitNet:
    torch.manual_seed(0)
    return TraitNet(widths=(4, 4, 4, 4)).eval()


def test_the_network_is_small_and_tells_every_trait() -> None:
    net = TraitNet()
    assert sum(parameter.numel() for parameter in net.parameters()) < 60_000
    assert net(torch.zeros(2, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE)).shape == (2, len(TRAITS))


@pytest.mark.parametrize(
    ("centre", "height", "turn", "side"),
    [((64, 70), 60, 0.0, 128), ((50, 80), 45, 0.4, 128), ((70, 60), 90, -0.3, 128), ((300, 280), 330, 0.2, 512)],
)
def test_eyes_and_chin_come_to_the_same_places_however_the_face_lies(
    centre: tuple[float, float], height: float, turn: float, side: int
) -> None:
    landmarks = face(centre, height, turn)
    crop = align_faces(dotted(landmarks, side, height / 30), torch.from_numpy(landmarks)[None])
    assert crop.shape == (1, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE)
    places = centroids(crop[0])
    left, right, chin = places
    assert left[1] == pytest.approx(right[1], abs=0.3), "the eyes are level"
    assert left[0] + right[0] == pytest.approx(TRAIT_CROP_SIDE, abs=0.5), "the face is in the middle"
    assert chin[1] < TRAIT_CROP_SIDE - 3, "there is room for brows and chin"
    assert min(left[1], right[1]) > 15, "there is room for brows and chin"
    upright = face((64, 70), 60)
    assert np.allclose(
        places, centroids(align_faces(dotted(upright, 128, 2), torch.from_numpy(upright)[None])[0]), atol=0.3
    )


def test_faces_of_one_batch_are_aligned_each_by_itself() -> None:
    landmarks = [face((64, 64), 50), face((40, 80), 70, 0.3)]
    pictures = torch.cat([dotted(points, 128, 3) for points in landmarks])
    together = align_faces(pictures, torch.from_numpy(np.stack(landmarks)))
    for crop, picture, points in zip(together, pictures, landmarks, strict=True):
        # Another face may ask for more samples a pixel.
        assert torch.allclose(crop, align_faces(picture[None], torch.from_numpy(points)[None])[0], atol=0.02)


def test_a_similarity_is_found_exactly() -> None:
    places = crop_similarities(torch.from_numpy(np.stack([face((50, 60), 40), face((90, 20), 80, 0.5)])))
    scales = places[:, :, 0].norm(dim=1)
    assert scales[1] / scales[0] == pytest.approx(2, rel=1e-5)
    assert torch.allclose(places[:, :, 0], torch.stack([places[:, 1, 1], -places[:, 0, 1]], 1))
    assert float(torch.atan2(places[1, 1, 0], places[1, 0, 0])) == pytest.approx(0.5, abs=1e-3)


def test_patterns_finer_than_a_pixel_are_averaged() -> None:
    y, x = np.mgrid[:512, :512]
    checks = torch.from_numpy(((x + y) % 2 * 2 - 1).astype(np.float32)).expand(1, 3, -1, -1)
    assert align_faces(checks, torch.from_numpy(face((256, 256), 300))[None]).abs().max() < 0.3


def test_a_face_at_the_edge_goes_on_beyond_it() -> None:
    crop = align_faces(torch.full((1, 3, 40, 40), 0.5), torch.from_numpy(face((2, 5), 30))[None])
    assert torch.allclose(crop, torch.full_like(crop, 0.5), atol=1e-5)


def test_probabilities_by_name_wherever_the_face_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (96, 120, 3)).astype(np.uint8)
    landmarks, net = face((50, 48), 40), tiny()
    told = traits_of(net, picture, seen(landmarks))
    assert tuple(told) == TRAITS
    assert all(0 < value < 1 for value in told.values())
    shifted = np.full((140, 160, 3), 0, np.uint8)
    shifted[20:116, 30:150] = picture
    again = traits_of(net, shifted, seen(landmarks + np.array([30, 20], np.float32)))
    assert list(again.values()) == pytest.approx(list(told.values()), abs=1e-4)


def test_a_saved_network_says_the_same(tmp_path: Path) -> None:
    net = tiny()
    save_model(net, tmp_path, torch.float32)
    faces = torch.randn(2, 3, TRAIT_CROP_SIDE, TRAIT_CROP_SIDE, generator=torch.Generator().manual_seed(0))
    assert torch.equal(load_model(TraitNet, tmp_path)(faces), net(faces))


def test_the_shipped_network_is_small_on_disk() -> None:
    folder = find_model("mini").folder / "traits"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 300_000
    load_model(TraitNet, folder)
