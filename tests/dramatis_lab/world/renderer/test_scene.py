"""Scenes of a simple head, so that the tests need no assets: geometry, masks, flow, light and lens."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.motion.face import HEAD_HEIGHT_M, TEMPLATE_68, background_shift, camera_similarity
from dramatis_lab.world.renderer.camera import CameraFraming, camera_state
from dramatis_lab.world.renderer.lens import Lens, expose
from dramatis_lab.world.renderer.lights import random_lights
from dramatis_lab.world.renderer.mesh import Mesh, RenderMaterial
from dramatis_lab.world.renderer.scene import PersonPlacement, Scene, SceneSetup, random_placements, random_setup
from dramatis_lab.world.renderer.shading import mouth_cavity
from dramatis_lab.world.takes.backgrounds import BACKDROP_PAINTERS, BACKDROP_SIDE, make_background

SIZE = (64, 64)
FRAMING = CameraFraming((0.0, 0.0, 0.0), 1.2, 2.4, (0.5, 0.5))


@dataclass(frozen=True)
class Ball:
    """A person in the shape of a ball of skin; the lower half counts as body."""

    mesh: Mesh


@dataclass(frozen=True)
class Pose:
    vertices: np.ndarray
    landmarks68: np.ndarray


def ball(kind: str = "skin") -> tuple[Ball, Pose]:
    rings, turns = 24, 32
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, turns + 1)[:-1], np.linspace(0.02, np.pi - 0.02, rings))
    vertices = 0.12 * np.stack([np.sin(v) * np.cos(u), np.cos(v), np.sin(v) * np.sin(u)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(rings - 1), np.arange(turns), indexing="ij")
    a, b = i * turns + j, i * turns + (j + 1) % turns
    faces = np.concatenate([np.stack([a, b, a + turns], -1), np.stack([b, b + turns, a + turns], -1)]).reshape(-1, 3)
    uv = np.stack([u / (2 * np.pi), 1 - v / np.pi], -1).reshape(-1, 2).astype(np.float32)
    region = np.where(vertices[faces].mean(1)[:, 1] > 0, 0, 1).astype(np.int16)
    material = RenderMaterial("ball", kind, np.full((16, 16, 3), 180, np.uint8), None, 0.5, 0.4, 0.2)
    faces = faces.astype(np.int32)
    mesh = Mesh(faces, uv, faces, np.zeros(len(faces), np.int16), region, (material,))
    return Ball(mesh), Pose(vertices.astype(np.float32), TEMPLATE_68 * HEAD_HEIGHT_M)


def look(framing: CameraFraming = FRAMING, **changes: Any) -> SceneSetup:
    background = np.full((BACKDROP_SIDE, BACKDROP_SIDE, 3), 0.2, np.float32)
    return replace(SceneSetup(framing, random_lights(np.random.default_rng(0), background), background), **changes)


def scene(**changes: Any) -> tuple[Scene, Pose]:
    person, pose = ball()
    return Scene([person], [pose], [PersonPlacement()], look(**changes), SIZE), pose


CAMERAS = np.array([[0, 0, 0, 0, 0, 0], [0.3, 0.1, -0.05, 0.2, 0, 0], [-0.2, -0.1, 0.1, -0.2, 0.4, -0.2]], np.float32)


@pytest.mark.parametrize("row", CAMERAS)
def test_the_picture_moves_as_motion_says(row: NDArray[np.float32]) -> None:
    size = (96, 128)
    still = camera_state(FRAMING, np.zeros(6), size)
    points = np.random.default_rng(1).normal(0, 0.05, (20, 3))
    unmoved = row.copy()
    unmoved[:4] = 0
    expected = camera_similarity(camera_state(FRAMING, unmoved, size).project(points)[None], row[None], size)[0]
    camera = camera_state(FRAMING, row, size)
    np.testing.assert_allclose(camera.project(points), expected, atol=1e-2)
    far = np.array([[10.0, 20.0], [100.0, 50.0]])
    moved = camera_similarity((far + background_shift(row[None], size))[None], row[None], size)[0]
    np.testing.assert_allclose(far @ camera.similarity[:, :2].T + camera.similarity[:, 2], moved, atol=1e-3)
    np.testing.assert_allclose(still.project((0.0, 0.0, 0.0)), (64, 48), atol=1e-4)


def test_a_camera_that_travels_left_sees_the_image_left_side() -> None:
    left_cheek = np.array([-0.1, 0.0, 0.0])
    before = camera_state(FRAMING, np.zeros(6), SIZE).depth(left_cheek)
    assert camera_state(FRAMING, np.array([0, 0, 0, 0, 0.4, 0]), SIZE).depth(left_cheek) < before


def test_masks_and_depth_agree_with_the_geometry() -> None:
    view, pose = scene()
    seen = view.render([pose])
    assert seen.rgb.shape == (*SIZE, 3)
    assert seen.rgb.dtype == np.uint8
    radius = 0.12 * 2.4 * 64 / 1.2
    assert seen.person.astype(bool).sum() == pytest.approx(np.pi * radius**2, rel=0.05)
    assert seen.face[:30].sum() > 0
    assert not seen.face[34:].any()
    assert not (seen.face & (seen.person == 0)).any()
    assert seen.depth[32, 32] == pytest.approx(1.08, abs=0.01)
    assert seen.depth[0, 0] > 3


def test_frames_repeat_exactly_and_only_the_noise_knows_the_frame_number() -> None:
    view, pose = scene(lens=Lens(noise=3.0, seed=5))
    first, again, later = (view.render([pose], frame=k).rgb for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != later).any()


def test_flow_of_a_camera_move_and_of_a_moved_person() -> None:
    view, pose = scene()
    pan = np.array([0, 4 / 64, 2 / 64, 0, 0, 0])
    flow = view.flow([pose], np.zeros(6), [pose], pan)
    np.testing.assert_allclose(flow, np.broadcast_to((4.0, -2.0), flow.shape), atol=2e-3)
    moved = replace(pose, vertices=pose.vertices + np.array([0.01, 0, 0], np.float32))
    flow = view.flow([pose], np.zeros(6), [moved], np.zeros(6))
    assert flow[32, 32, 0] == pytest.approx(0.01 * 2.4 * 64 / 1.08, rel=0.02)
    assert (flow[0] == 0).all()


def test_two_people_keep_their_ids_and_places() -> None:
    (first, first_pose), (second, second_pose) = ball(), ball("cloth")
    people, poses = (first, second), (first_pose, second_pose)
    places = (PersonPlacement((-0.13, 0, 0)), PersonPlacement((0.13, 0, 0), 0.3))
    view = Scene(people, poses, places, look(replace(FRAMING, focal=1.8)), SIZE)
    seen = view.render(poses)
    for index, place in enumerate(places):
        x, y = seen.camera.project(place.apply(np.zeros(3)))
        assert seen.person[int(y), int(x)] == index + 1
        np.testing.assert_allclose(view.camera().project(place.offset), (x, y), atol=1e-4)


def test_a_scene_refuses_what_does_not_match() -> None:
    person, pose = ball()
    with pytest.raises(ValueError, match="must match"):
        Scene([person], [pose], [], look(), SIZE)
    with pytest.raises(ValueError, match="pixels"):
        Scene([person], [pose], [PersonPlacement()], look(), (64, 4096))


def test_the_side_of_the_key_light_is_brighter() -> None:
    view, pose = scene()
    rgb = view.render([pose]).rgb.astype(float).mean(-1)
    left, right = rgb[32, 22], rgb[32, 42]
    assert (right > left) == (view.setup.lights.directions[0][0] > 0)


def test_an_open_mouth_has_a_larger_opening_that_faces_the_camera() -> None:
    closed = TEMPLATE_68 * HEAD_HEIGHT_M
    opened = closed.copy()
    opened[65:68, 1] -= 0.02
    assert mouth_cavity(opened)[6] > 3 * mouth_cavity(closed)[6]
    np.testing.assert_allclose(mouth_cavity(closed)[3:6], (0, 0, 1), atol=0.4)


@pytest.mark.parametrize("kind", sorted(BACKDROP_PAINTERS))
def test_every_kind_of_backdrop_is_finite_and_varied(kind: str) -> None:
    picture = BACKDROP_PAINTERS[kind](np.random.default_rng(3))
    assert picture.shape == (BACKDROP_SIDE, BACKDROP_SIDE, 3)
    assert np.isfinite(picture).all()
    assert picture.min() >= 0
    assert picture.std() > 0.005


def test_looks_are_drawn_from_their_seeds() -> None:
    _person, pose = ball()
    places = random_placements(1, np.random.default_rng(0))
    first, again, other = (random_setup([pose], places, seed, 2) for seed in (1, 1, 2))
    assert first.framing == again.framing != other.framing
    np.testing.assert_array_equal(first.background, make_background(2))
    crowd = random_placements(3, np.random.default_rng(0))
    framing = random_setup([pose] * 3, crowd, 1, 2).framing
    px = camera_state(framing, np.zeros(6), SIZE).project([place.apply(pose.landmarks68) for place in crowd])
    assert (px > 0).all()
    assert (px < 64).all()


@pytest.mark.parametrize("count", [2, 3])
def test_groups_in_wide_frames_have_faces_as_large_as_one_person_alone(count: int) -> None:
    _person, pose = ball()
    for seed in range(8):
        places = random_placements(count, np.random.default_rng(seed))
        framing = random_setup([pose] * count, places, seed, 2, aspect=count).framing
        size = (64, 64 * count)
        px = camera_state(framing, np.zeros(6), size).project([place.apply(pose.landmarks68) for place in places])
        assert (px[..., 0] > 0).all()
        assert (px[..., 0] < size[1]).all()
        assert (px[..., 1] > 0).all()
        eyes = np.linalg.norm(px[:, 36] - px[:, 45], axis=-1) / 64
        assert eyes.min() > 0.15
        assert eyes.max() < 0.32


def test_close_people_hide_parts_of_each_other_and_do_not_stand_in_each_other() -> None:
    for seed in range(8):
        apart, close = (random_placements(3, np.random.default_rng(seed), close=close) for close in (False, True))
        steps = [np.diff([place.offset for place in places], axis=0) for places in (apart, close)]
        assert (np.abs(steps[1][:, 0]) < 0.25).all()
        assert (np.abs(steps[0][:, 0]) > 0.3).all()
        assert (np.linalg.norm(steps[1], axis=1) > 0.24).all()


def test_the_lens_changes_what_it_says() -> None:
    grey = np.full((32, 32, 3), 0.2, np.float32)
    plain = expose(grey, Lens(), 0)
    assert np.ptp(plain) == 0
    assert expose(grey, Lens(gain=(2.0, 1.0, 1.0)), 0)[0, 0, 0] > plain[0, 0, 0]
    vignetted = expose(grey, Lens(vignette=0.5), 0)
    assert vignetted[0, 0, 0] < vignetted[16, 16, 0]
    noisy = expose(np.full((128, 128, 3), 0.2, np.float32), Lens(noise=2.0, seed=3), 0).astype(float)
    assert noisy.std() == pytest.approx(2.0, rel=0.1)
    assert noisy.mean() == pytest.approx(plain.mean(), abs=0.6)
    edge = grey.copy()
    edge[:, 16:] = 0.8
    assert np.abs(np.diff(expose(edge, Lens(softness=0.6), 0)[16, :, 0].astype(int))).max() < np.ptp(
        expose(edge, Lens(), 0)
    )
    assert expose(edge, Lens(quality=50), 0).shape == edge.shape
