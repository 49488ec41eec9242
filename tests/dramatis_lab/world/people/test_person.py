"""People of the synthetic world: sound meshes, poses that move what they should, ground truth that agrees."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from dramatis.errors import UserError
from dramatis.motion.face import RIGID_ANCHORS, TEMPLATE_68, fit_head
from dramatis_lab.world.people.assets import EXPRESSIONS, load_ict
from dramatis_lab.world.people.person import RenderedPerson, make_person, random_spec
from dramatis_lab.world.renderer.mesh import REGIONS
from tests.raw_assets import ASSETS, needs_assets


@pytest.fixture(scope="module")
def person() -> RenderedPerson:
    return make_person(1, ASSETS)


def shape(**weights: float) -> np.ndarray:
    values = np.zeros(53, np.float32)
    for name, weight in weights.items():
        values[EXPRESSIONS.index(name)] = weight
    return values


def test_expressions_are_53_different_names() -> None:
    assert len(set(EXPRESSIONS)) == 53


def test_missing_assets_are_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is missing"):
        load_ict(tmp_path)


def test_specs_are_repeatable_and_serialisable() -> None:
    assert random_spec(7) == random_spec(7) != random_spec(8)
    json.dumps(asdict(random_spec(7)))


@needs_assets
@pytest.mark.parametrize("seed", [1, 4])
def test_mesh_is_consistent(seed: int) -> None:
    person = make_person(seed, ASSETS)
    mesh, posed = person.mesh, person.pose(np.zeros(53))
    assert mesh.faces.min() >= 0
    assert mesh.faces.max() < len(posed.vertices)
    assert mesh.face_uv.min() >= 0
    assert mesh.face_uv.max() < len(mesh.uv)
    assert mesh.material.max() < len(mesh.materials)
    assert mesh.region.max() < len(REGIONS)
    assert len(mesh.faces) == len(mesh.material) == len(mesh.region) < 45_000
    assert np.isfinite(posed.vertices).all()
    assert posed.vertices.dtype == np.float32
    assert -0.7 < posed.vertices[:, 1].min() < -0.4
    assert 0.1 < posed.vertices[:, 1].max() < 0.3
    for material in mesh.materials:
        assert material.albedo.dtype == np.uint8
        assert material.albedo.shape[2] == 3
        assert material.alpha is None or material.alpha.shape == material.albedo.shape[:2]


@needs_assets
def test_outer_skin_faces_forward_at_the_face(person: RenderedPerson) -> None:
    vertices = person.pose(np.zeros(53)).vertices
    a, b, c = (vertices[person.mesh.faces[:, k]] for k in range(3))
    front = (person.mesh.region == 0) & (a[:, 2] > 0.08)
    area = np.cross(b - a, c - a)[front, 2]
    # what faces backwards is the inside of lids, lips and nostrils
    assert area[area > 0].sum() > -5 * area[area < 0].sum()


@needs_assets
def test_equal_seeds_build_equal_people(person: RenderedPerson) -> None:
    again = make_person(1, ASSETS)
    assert np.array_equal(again.pose(np.zeros(53)).vertices, person.pose(np.zeros(53)).vertices)
    pairs = zip(again.mesh.materials, person.mesh.materials, strict=True)
    assert all(np.array_equal(a.albedo, b.albedo) for a, b in pairs)


@needs_assets
def test_landmarks_agree_with_the_posed_mesh(person: RenderedPerson) -> None:
    rng = np.random.default_rng(0)
    expressions = rng.uniform(0, 0.6, (4, 53)).astype(np.float32)
    heads = rng.normal(0, 0.1, (4, 6)).astype(np.float32)
    posed = np.stack([person.pose(e, h).landmarks68 for e, h in zip(expressions, heads, strict=True)])
    assert np.allclose(person.landmarks(expressions, heads), posed, atol=1e-5)


@needs_assets
def test_rigid_points_are_the_neutral_landmarks_under_the_head_motion(person: RenderedPerson) -> None:
    heads = np.array([[0.2, -0.1, 0.1, 0.05, 0.0, -0.02]], np.float32)
    neutral = person.landmarks(np.zeros((1, 53)), heads)[0, list(RIGID_ANCHORS)]
    assert np.abs(person.rigid_points(heads)[0] - neutral).max() < 1e-3
    assert np.abs(person.rigid_points(np.zeros((1, 6)))[0] / 0.24 - TEMPLATE_68[list(RIGID_ANCHORS)]).max() < 0.1


@needs_assets
def test_head_turns_by_the_convention_of_the_motion_folder(person: RenderedPerson) -> None:
    head = (0.2, 0.1, -0.15, 0.0, 0.0, 0.0)
    landmarks = person.pose(np.zeros(53), head).landmarks68
    rest = person.rest_landmarks
    start, turned = fit_head(rest[:, :2] * (1000, -1000)), fit_head(landmarks[:, :2] * (1000, -1000))
    moved = np.subtract(turned.angles, start.angles)
    assert np.allclose(moved, head[:3], atol=0.06)


@needs_assets
def test_jaw_opens_the_mouth_and_leaves_the_body(person: RenderedPerson) -> None:
    rest, wide = person.pose(np.zeros(53)), person.pose(shape(jawOpen=1.0))
    gap = [float(p.landmarks68[62, 1] - p.landmarks68[66, 1]) for p in (rest, wide)]
    assert gap[0] < 0.004
    assert gap[1] > 0.02
    low = rest.vertices[:, 1] < -0.2
    assert np.array_equal(rest.vertices[low], wide.vertices[low])


@needs_assets
def test_body_stays_while_the_head_turns(person: RenderedPerson) -> None:
    rest, turned = (
        person.pose(np.zeros(53)).vertices,
        person.pose(np.zeros(53), (0.4, 0, 0, 0, 0, 0)).vertices,
    )
    moved = np.linalg.norm(turned - rest, axis=1)
    assert moved[rest[:, 1] < -0.25].max() < 1e-6
    assert moved[(rest[:, 1] > 0) & (rest[:, 2] > 0.08)].min() > 0.02


@needs_assets
def test_blink_closes_the_eyes_and_gaze_turns_them(person: RenderedPerson) -> None:
    marks = [person.pose(np.zeros(53), blink=blink).landmarks68 for blink in (0.0, 1.0)]
    gaps = [float((m[[37, 38]] - m[[41, 40]])[:, 1].mean()) for m in marks]
    assert gaps[1] < 0.35 * gaps[0]
    eye = np.unique(person.mesh.faces[person.mesh.region == REGIONS.index("eye")])
    ahead, right = (person.pose(np.zeros(53), gaze=g).vertices[eye] for g in ((0, 0), (0.4, 0)))
    front = ahead[:, 2] > np.quantile(ahead[:, 2], 0.9)
    assert (right[front] - ahead[front])[:, 0].min() > 0


@needs_assets
def test_every_style_and_garment_fits() -> None:
    spec = random_spec(2)
    for hair, clothes in (
        ("long01", "male_elegantsuit01"),
        ("bob02", "female_sportsuit01"),
        ("bald", "male_worksuit01"),
    ):
        person = make_person(replace(spec, hair=hair, clothes=clothes, glasses=True), ASSETS)
        assert np.isfinite(person.pose(np.zeros(53)).vertices).all()
        assert ("hair" in {material.kind for material in person.mesh.materials}) == (hair != "bald")
