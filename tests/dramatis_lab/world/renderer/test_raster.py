"""The rasteriser on triangles whose picture is known beforehand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis_lab.world.renderer.mesh import RenderMaterial
from dramatis_lab.world.renderer.raster import (
    ALPHA_TEST,
    CASTS_SHADOW,
    CULL_BACK,
    GBuffer,
    Triangles,
    rasterise,
    shadow_map,
    vertex_normals,
)
from dramatis_lab.world.renderer.textures import linear_to_srgb, pack_textures, srgb_to_linear

SIZE = (16, 16)
# One metre of the world is 32 samples at a depth of one metre, the origin two metres away at the centre.
PROJECTION = np.array([[32, 0, -16, 32], [0, -32, -16, 32], [0, 0, -1, 2]], np.float32)


def quad(side: float, z: float = 0.0) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    half = side / 2
    vertices = np.array([[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]], np.float32)
    return vertices, np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def draw(
    vertices: NDArray[np.float32],
    faces: NDArray[np.int32],
    flags: int = CULL_BACK,
    alpha: NDArray[np.uint8] | None = None,
) -> GBuffer:
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    material = RenderMaterial("m", "skin", np.full((8, 8, 3), 200, np.uint8), alpha)
    buffer = GBuffer.empty(SIZE, len(faces))
    triangles = Triangles(
        faces,
        uv,
        face_uv=(faces % 4).astype(np.int32),
        flags=np.full(len(faces), flags, np.uint8),
        material=np.zeros(len(faces), np.int16),
    )
    rasterise(buffer, vertices, PROJECTION, triangles, pack_textures((material,)))
    return buffer


def test_a_quad_covers_exactly_its_samples_once_its_depth_is_right() -> None:
    buffer = draw(*quad(1.0))
    seen = buffer.triangle >= 0
    assert seen.sum() == 16 * 16
    assert seen[8:24, 8:24].all()
    np.testing.assert_allclose(buffer.inverse_depth[seen], 0.5, rtol=1e-5)


def test_barycentrics_give_the_point_back_under_perspective() -> None:
    vertices, faces = quad(1.0)
    vertices[:, 2] = (0.0, 0.0, 0.8, 0.8)
    buffer = draw(vertices, faces)
    rows, columns = np.nonzero(buffer.triangle >= 0)
    corners = vertices[faces[buffer.triangle[rows, columns]]]
    second, third = buffer.barycentric[rows, columns].T
    points = np.einsum("nk,nkc->nc", np.stack([1 - second - third, second, third], 1), corners)
    homogeneous = points @ PROJECTION[:, :3].T + PROJECTION[:, 3]
    np.testing.assert_allclose(homogeneous[:, 0] / homogeneous[:, 2], columns + 0.5, atol=1e-3)
    np.testing.assert_allclose(homogeneous[:, 1] / homogeneous[:, 2], rows + 0.5, atol=1e-3)
    np.testing.assert_allclose(1 / homogeneous[:, 2], buffer.inverse_depth[rows, columns], rtol=1e-4)


def test_the_nearer_surface_wins_in_either_order() -> None:
    near, faces = quad(0.5, 0.5)
    far, _ = quad(1.0, 0.0)
    for first, second, winners in ((near, far, (0, 1)), (far, near, (2, 3))):
        buffer = draw(np.concatenate([first, second]), np.concatenate([faces, faces + 4]).astype(np.int32))
        assert set(np.unique(buffer.triangle[14:18, 14:18])) <= set(winners)


@pytest.mark.parametrize("thickness", [1.0, 0.05, 1e-3, 0.0])
def test_a_triangle_covers_the_samples_whose_centres_lie_inside(thickness: float) -> None:
    rng = np.random.default_rng(6)
    rows, columns = np.mgrid[:32, :32] + 0.5
    for _ in range(60):
        vertices = rng.uniform(-0.6, 0.6, (3, 3)).astype(np.float32)
        vertices[:, 2] = 0.0
        # Slivers along a row of samples are the hardest: their edges cross the row at no definite place.
        vertices[:, 1] = vertices[0, 1] + thickness * (vertices[:, 1] - vertices[0, 1])
        seen = draw(vertices, np.array([[0, 1, 2]], np.int32), flags=0).triangle == 0
        # At two metres the world's metre is 16 samples.
        x, y = vertices[:, 0].astype(np.float64) * 16 + 16, 16 - vertices[:, 1].astype(np.float64) * 16
        area = (x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0])
        if area == 0:
            assert not seen.any()
            continue
        second = ((columns - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (rows - y[0])) / area
        third = ((x[1] - x[0]) * (rows - y[0]) - (columns - x[0]) * (y[1] - y[0])) / area
        least = np.minimum(np.minimum(second, third), 1 - second - third)
        doubt = 1e-4 / thickness
        assert seen[least > doubt].all()
        assert not seen[least < -doubt].any()


@pytest.mark.parametrize(("flags", "samples"), [(CULL_BACK, 0), (0, 256)])
def test_back_faces_show_only_on_two_sided_surfaces(flags: int, samples: int) -> None:
    vertices, faces = quad(1.0)
    assert (draw(vertices, faces[:, ::-1].copy(), flags).triangle >= 0).sum() == samples


def test_what_is_too_near_or_behind_is_dropped() -> None:
    for z in (1.97, 3.0):
        assert (draw(*quad(1.0, z)).triangle < 0).all()


@pytest.mark.parametrize(("alpha", "share"), [(0, 0.0), (64, 0.25), (128, 0.5), (180, 0.75), (255, 1.0)])
def test_alpha_becomes_coverage_of_the_samples(alpha: int, share: float) -> None:
    buffer = draw(*quad(1.0), flags=ALPHA_TEST, alpha=np.full((8, 8), alpha, np.uint8))
    assert (buffer.triangle[8:24, 8:24] >= 0).mean() == share


def test_normals_of_a_sphere_point_outwards() -> None:
    u, v = np.meshgrid(np.linspace(0, 2 * np.pi, 41)[:-1], np.linspace(0.05, np.pi - 0.05, 30))
    vertices = np.stack([np.sin(v) * np.cos(u), np.cos(v), np.sin(v) * np.sin(u)], -1).reshape(-1, 3).astype(np.float32)
    i, j = np.meshgrid(np.arange(29), np.arange(40), indexing="ij")
    a, b = i * 40 + j, i * 40 + (j + 1) % 40
    faces = np.concatenate([np.stack([a, b, a + 40], -1), np.stack([b, b + 40, a + 40], -1)]).reshape(-1, 3)
    normals = vertex_normals(vertices, faces.astype(np.int32))
    assert ((normals * vertices).sum(-1) > 0.98).all()


def test_the_shadow_map_keeps_the_highest_caster_and_skips_the_rest() -> None:
    low, faces = quad(1.0, 0.0)
    high, _ = quad(0.5, 0.3)
    view = np.array([[16, 0, 0, 16], [0, -16, 0, 16], [0, 0, 1, 0]], np.float32)
    vertices, both = np.concatenate([low, high]), np.concatenate([faces, faces + 4]).astype(np.int32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    textures = pack_textures((RenderMaterial("m", "skin", np.full((8, 8, 3), 200, np.uint8)),))

    def heights_of(flags: list[int]) -> np.ndarray:
        material = np.zeros(4, np.int16)
        coordinates = (both % 4).astype(np.int32)
        triangles = Triangles(both, uv, coordinates, np.array(flags, np.uint8), material)
        return shadow_map(vertices, view, triangles, textures, 32)

    heights = heights_of([CASTS_SHADOW | CULL_BACK] * 4)
    assert heights[16, 16] == pytest.approx(0.3)
    assert heights[10, 10] == pytest.approx(0.0, abs=1e-6)
    assert heights[2, 2] < -1e8
    silent = heights_of([CASTS_SHADOW, CASTS_SHADOW, 0, 0])
    assert silent[16, 16] == pytest.approx(0.0, abs=1e-6)


def test_pyramids_keep_the_colour_of_hair_between_empty_texels() -> None:
    albedo = np.zeros((64, 64, 3), np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    albedo[:, ::2], alpha[:, ::2] = 200, 255
    textures = pack_textures((RenderMaterial("h", "hair", albedo, alpha),))
    offset = textures.table[0, 1 + 3 * 2]
    assert abs(int(textures.texels[offset, 0]) - 200) < 4
    assert 120 <= textures.texels[offset, 3] <= 128


def test_a_texture_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="albedo"):
        pack_textures((RenderMaterial("m", "skin", np.zeros((4, 4, 3), np.float32)),))


def test_the_colour_curves_are_inverses() -> None:
    values = np.linspace(0, 1, 50)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-5)
