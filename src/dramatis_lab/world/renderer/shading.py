"""Deferred shading: from a G-buffer to colour, person ids and face mask.

Skin is wrapped diffuse light with a reddish terminator under two specular lobes; hair is a strand model with
a white and a tinted highlight; eyes carry a catch-light; the inside of the mouth darkens with its depth
behind the lips and brightens as they open, as a cavity lit through its opening does. The shadow map is
filtered over 3x3 cells; contact shading comes from the depth buffer.
"""

# The compiled loops get their types from numba.
# mypy: allow-untyped-defs, allow-incomplete-defs
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from dramatis_lab.world.renderer.lights import Lights
from dramatis_lab.world.renderer.mesh import MATERIAL_KINDS, REGIONS, RenderMaterial
from dramatis_lab.world.renderer.raster import SUPERSAMPLE, GBuffer, Triangles
from dramatis_lab.world.renderer.textures import HALF, ONE, SRGB_TO_LINEAR, ZERO, Textures, bump_slope, sample_colour

SKIN_KIND, EYE_KIND, TEETH_KIND, GUM_KIND, HAIR_KIND, LASH_KIND, BROW_KIND, CLOTH_KIND = (
    MATERIAL_KINDS.index(kind) for kind in MATERIAL_KINDS
)
MOUTH_INSIDE = REGIONS.index("mouth_inside")
FACE_REGIONS = np.isin(REGIONS, ("skin_face", "eye", "mouth_inside", "brow_lash"))

f32 = np.float32
_DARK = f32(1e-4)
"""Sum of the channels below which a light is off."""


class SurfaceAttributes(NamedTuple):
    """What the shader knows about M materials and F faces besides their geometry.

    parameters: (M, 3) float32 roughness, specular and wrap.  kind: (M,) int8 indices into `MATERIAL_KINDS`.
    region: (F,) int16 indices into `REGIONS`.  person: (F,) uint8, 1 for the first person.
    """

    parameters: NDArray[np.float32]
    kind: NDArray[np.int8]
    region: NDArray[np.int16]
    person: NDArray[np.uint8]


class SceneMesh(NamedTuple):
    """The meshes of all people as one. strands: (S,) int32, the faces of hair."""

    triangles: Triangles
    textures: Textures
    surface: SurfaceAttributes
    strands: NDArray[np.int32]


class FrameGeometry(NamedTuple):
    """What moves from frame to frame.

    vertices, normals, tangents: (V, 3) float32, the tangents along strands of hair.  mouths: (P, 7) from
    `mouth_cavity`.  eye: (3,) position of the camera in metres.  contact: (H, W) from `contact_shade`.
    """

    vertices: NDArray[np.float32]
    normals: NDArray[np.float32]
    tangents: NDArray[np.float32]
    mouths: NDArray[np.float32]
    eye: NDArray[np.float32]
    contact: NDArray[np.float32]


class Shadow(NamedTuple):
    """heights: (n, n) from `raster.shadow_map`.  projection: (3, 4) metres to cell x, cell y, height."""

    heights: NDArray[np.float32]
    projection: NDArray[np.float32]


class Illumination(NamedTuple):
    """The lights, and the shadow of the key light."""

    lights: Lights
    shadow: Shadow


class Backdrop(NamedTuple):
    """linear: (h, w, 3) float32 linear RGB.  sampling: (2, 3) from pixels of the frame to backdrop texels."""

    linear: NDArray[np.float32]
    sampling: NDArray[np.float32]


class ShadedImage(NamedTuple):
    """colour: (H, W, 3) float32 linear 0..1.  person: (H, W) uint8 ids.  face: (H, W) bool, 1 on faces."""

    colour: NDArray[np.float32]
    person: NDArray[np.uint8]
    face: NDArray[np.bool_]


def material_parameters(materials: tuple[RenderMaterial, ...]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """(M, 3) float32 roughness, specular, wrap, and (M,) int8 kinds."""
    values = [(material.roughness, material.specular, material.wrap) for material in materials]
    kinds = [MATERIAL_KINDS.index(material.kind) for material in materials]
    return np.array(values, np.float32).reshape(-1, 3), np.array(kinds, np.int8)


def mouth_cavity(landmarks: NDArray) -> NDArray[np.float32]:
    """(7,) centre of the inner lips, unit vector out of the mouth, and area of its opening in square metres.

    landmarks: (68, 3) metres, iBUG order.
    """
    inner = np.asarray(landmarks, np.float64)[60:68]
    outer = np.asarray(landmarks, np.float64)
    right = outer[45] - outer[36]
    up = 0.5 * (outer[36] + outer[45]) - 0.5 * (outer[48] + outer[54])
    forward = np.cross(right, up)
    forward /= np.linalg.norm(forward)
    gap = np.linalg.norm(inner[[1, 2, 3]] - inner[[7, 6, 5]], axis=-1).mean()
    area = 0.75 * gap * np.linalg.norm(inner[4] - inner[0])
    return np.concatenate([inner.mean(0), forward, [area]]).astype(np.float32)


def contact_shade(buffer: GBuffer, focal: float) -> NDArray[np.float32]:
    """(H, W) 0..1 ambient visibility from depth alone: darker where the surroundings rise on both sides of a pixel.

    focal: focal length in pixels, which turns the radii in metres into pixels.
    """
    height, width = buffer.triangle.shape
    depth = np.empty((height // SUPERSAMPLE, width // SUPERSAMPLE), np.float32)
    shade = np.empty_like(depth)
    _contact(buffer.inverse_depth, depth, shade, np.float32(focal))
    return shade


def shade(
    buffer: GBuffer, mesh: SceneMesh, geometry: FrameGeometry, illumination: Illumination, backdrop: Backdrop
) -> ShadedImage:
    """The picture of what `buffer` holds, and whose each pixel is."""
    height, width = geometry.contact.shape
    image = ShadedImage(
        np.empty((height, width, 3), np.float32),
        np.empty((height, width), np.uint8),
        np.empty((height, width), np.bool_),
    )
    _shade(buffer, mesh, geometry, illumination, backdrop, image)
    return image


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _contact(inverse_depth, depth, shade, focal):
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            nearest = ZERO
            for dy in range(SUPERSAMPLE):
                for dx in range(SUPERSAMPLE):
                    nearest = max(nearest, inverse_depth[y * SUPERSAMPLE + dy, x * SUPERSAMPLE + dx])
            depth[y, x] = ONE / nearest if nearest > 0 else f32(1e3)
    for y in range(height):
        for x in range(width):
            z = depth[y, x]
            if z > f32(999.0):
                shade[y, x] = ONE
                continue
            total = ZERO
            scale = focal / z
            for k in range(2):
                radius = f32(0.009) if k == 0 else f32(0.032)
                reach = max(int(radius * scale + HALF), 1)
                diagonal = max(int(f32(0.7) * radius * scale + HALF), 1)
                # Rises count up to twice the radius: a hand's breadth in front is another surface, not a crease.
                limit = f32(2.0) * radius
                share = HALF / radius
                for pair in range(4):
                    dx = reach if pair == 0 else (0 if pair == 1 else diagonal)
                    dy = 0 if pair == 0 else (reach if pair == 1 else (diagonal if pair == 2 else -diagonal))
                    xa, xb = min(x + dx, width - 1), max(x - dx, 0)
                    ya, yb = min(max(y + dy, 0), height - 1), min(max(y - dy, 0), height - 1)
                    ra = min(max(z - depth[ya, xa], -limit), limit)
                    rb = min(max(z - depth[yb, xb], -limit), limit)
                    total += min(max((ra + rb) * share - f32(0.03), ZERO), f32(0.8))
            shade[y, x] = ONE / (ONE + f32(0.18) * total)


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _lit_share(heights, projection, x, y, z):
    """Share of the light that reaches a point: the shadow map compared at 3x3 cells with bilinear weights."""
    size = heights.shape[0]
    cx = projection[0, 0] * x + projection[0, 1] * y + projection[0, 2] * z + projection[0, 3] - HALF
    cy = projection[1, 0] * x + projection[1, 1] * y + projection[1, 2] * z + projection[1, 3] - HALF
    level = projection[2, 0] * x + projection[2, 1] * y + projection[2, 2] * z + projection[2, 3]
    ix, iy = int(np.floor(cx)), int(np.floor(cy))
    if ix < 1 or iy < 1 or ix > size - 3 or iy > size - 3:
        return ONE
    fx, fy = cx - f32(ix), cy - f32(iy)
    total = ZERO
    for j in range(4):
        wy = (ONE - fy) if j == 0 else (fy if j == 3 else ONE)
        row = (ONE - fx) if heights[iy - 1 + j, ix - 1] <= level else ZERO
        row += ONE if heights[iy - 1 + j, ix] <= level else ZERO
        row += ONE if heights[iy - 1 + j, ix + 1] <= level else ZERO
        row += fx if heights[iy - 1 + j, ix + 2] <= level else ZERO
        total += wy * row
    return total * f32(1.0 / 9.0)


@njit(cache=True, fastmath=True, nogil=True, inline="always", error_model="numpy")
def _ggx(ndh, ndl, ndv, hdl, roughness, f0):
    """Specular reflection relative to a diffuse white, times the cosine."""
    a = roughness * roughness
    a2 = a * a
    d = ndh * ndh * (a2 - ONE) + ONE
    k = HALF * a
    masking = (ndl * (ONE - k) + k) * (ndv * (ONE - k) + k)
    m = ONE - hdl
    m2 = m * m
    fresnel = f0 + (ONE - f0) * m2 * m2 * m
    return f32(0.25) * a2 * fresnel * ndl / (d * d * masking)


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _tone(value):
    """Linear up to 0.65, then a shoulder that never quite reaches 1."""
    if value < f32(0.65):
        return value
    return f32(0.65) + f32(0.35) * (ONE - np.exp((f32(0.65) - value) * f32(1.0 / 0.35)))


@njit(cache=True, fastmath=True, nogil=True, inline="always", error_model="numpy")
def _bumped(normal, edge1, edge2, uv1, uv2, slopes):
    """Normal of a surface raised by a height field.

    edge1, edge2: edges of the triangle in metres.  uv1, uv2: the same in texture coordinates.  slopes: of the height
    over u and v.
    """
    nx, ny, nz = normal
    ex1, ey1, ez1 = edge1
    ex2, ey2, ez2 = edge2
    du1, dv1 = uv1
    du2, dv2 = uv2
    slope_u, slope_v = slopes
    det = du1 * dv2 - du2 * dv1
    if abs(det) < f32(1e-14):
        return nx, ny, nz
    scale = ONE / det
    ux, uy, uz = (
        (ex1 * dv2 - ex2 * dv1) * scale,
        (ey1 * dv2 - ey2 * dv1) * scale,
        (ez1 * dv2 - ez2 * dv1) * scale,
    )
    vx, vy, vz = (
        (ex2 * du1 - ex1 * du2) * scale,
        (ey2 * du1 - ey1 * du2) * scale,
        (ez2 * du1 - ez1 * du2) * scale,
    )
    su = slope_u / (ux * ux + uy * uy + uz * uz)
    sv = slope_v / (vx * vx + vy * vy + vz * vz)
    nx, ny, nz = nx - su * ux - sv * vx, ny - su * uy - sv * vy, nz - su * uz - sv * vz
    scale = ONE / np.sqrt(nx * nx + ny * ny + nz * nz)
    return nx * scale, ny * scale, nz * scale


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _backdrop(linear, sampling, px, py):
    """Bilinear colour of the backdrop, mirrored beyond its edges."""
    height, width = linear.shape[:2]
    x = abs(sampling[0, 0] * px + sampling[0, 1] * py + sampling[0, 2])
    y = abs(sampling[1, 0] * px + sampling[1, 1] * py + sampling[1, 2])
    x = min(x, abs(f32(2 * (width - 2)) - x))
    y = min(y, abs(f32(2 * (height - 2)) - y))
    x0, y0 = min(int(x), width - 2), min(int(y), height - 2)
    fx, fy = x - f32(x0), y - f32(y0)
    a, b, c, d = linear[y0, x0], linear[y0, x0 + 1], linear[y0 + 1, x0], linear[y0 + 1, x0 + 1]
    wa, wb, wc, wd = (ONE - fx) * (ONE - fy), fx * (ONE - fy), (ONE - fx) * fy, fx * fy
    return (
        wa * a[0] + wb * b[0] + wc * c[0] + wd * d[0],
        wa * a[1] + wb * b[1] + wc * c[1] + wd * d[1],
        wa * a[2] + wb * b[2] + wc * c[2] + wd * d[2],
    )


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _strand(tangent, view, directions, colours, lit, shift, specular, albedo):
    """Light on a hair strand: diffuse by the sine to the light, two shifted highlights."""
    tx, ty, tz = tangent
    vx, vy, vz = view
    red, green, blue = albedo
    out_r, out_g, out_b = ZERO, ZERO, ZERO
    for k in range(3):
        cr, cg, cb = colours[k, 0], colours[k, 1], colours[k, 2]
        if cr + cg + cb < _DARK:
            continue
        lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
        tdl = tx * lx + ty * ly + tz * lz
        hx, hy, hz = lx + vx, ly + vy, lz + vz
        scale = ONE / np.sqrt(hx * hx + hy * hy + hz * hz + f32(1e-6))
        tdh = (tx * hx + ty * hy + tz * hz) * scale
        diffuse = f32(0.55) * np.sqrt(max(ONE - tdl * tdl, ZERO))
        first, second = tdh + shift - f32(0.06), tdh + shift + f32(0.12)
        white = max(ONE - first * first, ZERO) ** 45 * f32(0.16) * specular
        tinted = max(ONE - second * second, ZERO) ** 12 * f32(0.85) * specular
        share = lit if k == 0 else ONE
        out_r += cr * share * (red * (diffuse + tinted) + white)
        out_g += cg * share * (green * (diffuse + tinted) + white)
        out_b += cb * share * (blue * (diffuse + tinted) + white)
    return out_r, out_g, out_b


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _is_uniform(ids, material, kinds, py, px):
    """Whether the four samples of a pixel show one material that covers large areas."""
    a, b = ids[2 * py, 2 * px], ids[2 * py, 2 * px + 1]
    c, d = ids[2 * py + 1, 2 * px], ids[2 * py + 1, 2 * px + 1]
    if min(a, b, c, d) < 0:
        return False
    m = material[a]
    same = m == material[b] and m == material[c] and m == material[d]
    return same and kinds[m] in (SKIN_KIND, HAIR_KIND, CLOTH_KIND)


@njit(cache=True, fastmath=True, nogil=True, error_model="numpy")
def _shade(buffer, mesh, geometry, illumination, backdrop, image):
    # Whatever the loops read is taken out of the records here: numba counts references at each access to a field.
    ids, bary, levels = buffer.triangle, buffer.barycentric, buffer.level
    triangles, textures, surface = mesh.triangles, mesh.textures, mesh.surface
    faces, uv, face_uv, material = triangles.faces, triangles.uv, triangles.face_uv, triangles.material
    table, texels, bump, bumpy = textures.table, textures.texels, textures.bump, textures.bumpy
    parameters, kinds, region, person_of = surface.parameters, surface.kind, surface.region, surface.person
    vertices, normals, tangents = geometry.vertices, geometry.normals, geometry.tangents
    contact, mouths, eye = geometry.contact, geometry.mouths, geometry.eye
    lights, heights, light_projection = illumination.lights, illumination.shadow.heights, illumination.shadow.projection
    directions, colours, ambient = lights.directions, lights.colours, lights.ambient
    linear, sampling = backdrop.linear, backdrop.sampling
    out, person, face = image.colour, image.person, image.face
    height, width = contact.shape
    for py in range(height):
        for px in range(width):
            sum_r, sum_g, sum_b = ZERO, ZERO, ZERO
            covered, in_face = 0, 0
            who = 0
            visible = contact[py, px]
            creased = f32(0.4) + f32(0.6) * visible
            lamp = ONE
            # Inside one surface the two samples of a diagonal stand for all four: half the work, hardly seen.
            step = 3 if _is_uniform(ids, material, kinds, py, px) else 1
            for s in range(0, 4, step):
                sy, sx = 2 * py + (s >> 1), 2 * px + (s & 1)
                f = ids[sy, sx]
                if f < 0:
                    continue
                covered += 1
                who = person_of[f]
                in_face += FACE_REGIONS[region[f]]
                m = material[f]
                kind = kinds[m]
                b1, b2 = bary[sy, sx, 0], bary[sy, sx, 1]
                b0 = ONE - b1 - b2
                i0, i1, i2 = faces[f, 0], faces[f, 1], faces[f, 2]
                x, y, z = vertices[i0, 0], vertices[i0, 1], vertices[i0, 2]
                ex1, ey1, ez1 = vertices[i1, 0] - x, vertices[i1, 1] - y, vertices[i1, 2] - z
                ex2, ey2, ez2 = vertices[i2, 0] - x, vertices[i2, 1] - y, vertices[i2, 2] - z
                x += b1 * ex1 + b2 * ex2
                y += b1 * ey1 + b2 * ey2
                z += b1 * ez1 + b2 * ez2
                nx = b0 * normals[i0, 0] + b1 * normals[i1, 0] + b2 * normals[i2, 0]
                ny = b0 * normals[i0, 1] + b1 * normals[i1, 1] + b2 * normals[i2, 1]
                nz = b0 * normals[i0, 2] + b1 * normals[i1, 2] + b2 * normals[i2, 2]
                scale = ONE / np.sqrt(nx * nx + ny * ny + nz * nz + f32(1e-12))
                nx, ny, nz = nx * scale, ny * scale, nz * scale
                t0, t1, t2 = face_uv[f, 0], face_uv[f, 1], face_uv[f, 2]
                du1, dv1 = uv[t1, 0] - uv[t0, 0], uv[t1, 1] - uv[t0, 1]
                du2, dv2 = uv[t2, 0] - uv[t0, 0], uv[t2, 1] - uv[t0, 1]
                u = uv[t0, 0] + b1 * du1 + b2 * du2
                v = uv[t0, 1] + b1 * dv1 + b2 * dv2
                level = levels[f]
                red, green, blue = sample_colour(table, texels, SRGB_TO_LINEAR, m, level, u, v)
                vx, vy, vz = eye[0] - x, eye[1] - y, eye[2] - z
                scale = ONE / np.sqrt(vx * vx + vy * vy + vz * vz)
                vx, vy, vz = vx * scale, vy * scale, vz * scale
                ndv = nx * vx + ny * vy + nz * vz
                if ndv < 0 and kind >= HAIR_KIND:
                    nx, ny, nz, ndv = -nx, -ny, -nz, -ndv
                if bumpy[m]:
                    slopes = bump_slope(table, bump, m, level, u, v)
                    nx, ny, nz = _bumped((nx, ny, nz), (ex1, ey1, ez1), (ex2, ey2, ez2), (du1, dv1), (du2, dv2), slopes)
                    ndv = nx * vx + ny * vy + nz * vz
                ndv = max(ndv, f32(0.02))

                # What the sky and the lights can reach.
                if s == 0 or step == 1 or kind == HAIR_KIND:
                    # A cell of the shadow map is larger than a sample: a pixel inside one opaque surface asks it once.
                    lift = f32(0.012) if kind == HAIR_KIND else f32(0.004)
                    lamp = _lit_share(
                        heights,
                        light_projection,
                        x + nx * lift + vx * f32(0.002),
                        y + ny * lift + vy * f32(0.002),
                        z + nz * lift + vz * f32(0.002),
                    )
                lit = lamp
                open_sky = visible
                cavity = ONE
                if kind == EYE_KIND:
                    # Lids and lashes, finer than the contact shading sees, keep light from the eyeball.
                    open_sky *= f32(0.72)
                    lit *= f32(0.85)
                if kind in (TEETH_KIND, GUM_KIND) or region[f] == MOUTH_INSIDE:
                    mouth = mouths[who - 1]
                    behind = (mouth[0] - x) * mouth[3] + (mouth[1] - y) * mouth[4] + (mouth[2] - z) * mouth[5]
                    behind = max(behind + f32(0.001), ZERO)
                    # Form factor of a disc of the opening's area seen from `behind` its centre.
                    cavity = mouth[6] / (mouth[6] + f32(2.2) * behind * behind + f32(1e-7))
                    open_sky *= cavity
                    lit *= f32(0.35) + f32(0.65) * cavity

                amb_r = (
                    max(ambient[0, 0] + ambient[1, 0] * nx + ambient[2, 0] * ny + ambient[3, 0] * nz, ZERO) * open_sky
                )
                amb_g = (
                    max(ambient[0, 1] + ambient[1, 1] * nx + ambient[2, 1] * ny + ambient[3, 1] * nz, ZERO) * open_sky
                )
                amb_b = (
                    max(ambient[0, 2] + ambient[1, 2] * nx + ambient[2, 2] * ny + ambient[3, 2] * nz, ZERO) * open_sky
                )

                if kind == HAIR_KIND:
                    tx = b0 * tangents[i0, 0] + b1 * tangents[i1, 0] + b2 * tangents[i2, 0]
                    ty = b0 * tangents[i0, 1] + b1 * tangents[i1, 1] + b2 * tangents[i2, 1]
                    tz = b0 * tangents[i0, 2] + b1 * tangents[i1, 2] + b2 * tangents[i2, 2]
                    tdn = tx * nx + ty * ny + tz * nz
                    tx, ty, tz = tx - tdn * nx, ty - tdn * ny, tz - tdn * nz
                    scale = ONE / np.sqrt(tx * tx + ty * ty + tz * tz + f32(1e-24))
                    # Strands lean out of the surface; streaks of the texture shift their highlights.
                    lean = f32(0.25) * (red + green + blue) - f32(0.1)
                    key = nx * directions[0, 0] + ny * directions[0, 1] + nz * directions[0, 2]
                    hr, hg, hb = _strand(
                        (tx * scale, ty * scale, tz * scale),
                        (vx, vy, vz),
                        directions,
                        colours,
                        lit * (f32(0.35) + f32(0.65) * max(key, ZERO)),
                        lean,
                        parameters[m, 1] * visible,
                        (red, green, blue),
                    )
                    sum_r += _tone(hr * creased + amb_r * red)
                    sum_g += _tone(hg * creased + amb_g * green)
                    sum_b += _tone(hb * creased + amb_b * blue)
                    continue

                wrap = parameters[m, 2]
                roughness = parameters[m, 0]
                f0 = f32(0.08) * parameters[m, 1]
                wrap_r, wrap_g, wrap_b = wrap, wrap, wrap
                if kind == SKIN_KIND:
                    # Red light travels farthest under the skin, so it reaches farthest past the terminator.
                    wrap_g, wrap_b = HALF * wrap, f32(0.35) * wrap
                scale_r, scale_g, scale_b = ONE / (ONE + wrap_r), ONE / (ONE + wrap_g), ONE / (ONE + wrap_b)
                col_r, col_g, col_b = amb_r * red, amb_g * green, amb_b * blue
                for k in range(3):
                    lx, ly, lz = directions[k, 0], directions[k, 1], directions[k, 2]
                    cr, cg, cb = colours[k, 0], colours[k, 1], colours[k, 2]
                    if cr + cg + cb < _DARK:
                        continue
                    ndl = nx * lx + ny * ly + nz * lz
                    if ndl < -wrap:
                        continue
                    share = lit if k == 0 else open_sky
                    share_r = share
                    if kind == SKIN_KIND:
                        share_r = f32(0.75) * share + f32(0.25) * np.sqrt(share)
                    col_r += cr * share_r * red * max((ndl + wrap_r) * scale_r, ZERO)
                    col_g += cg * share * green * max((ndl + wrap_g) * scale_g, ZERO)
                    col_b += cb * share * blue * max((ndl + wrap_b) * scale_b, ZERO)
                    if ndl <= 0 or kind in (LASH_KIND, BROW_KIND):
                        continue
                    hx, hy, hz = lx + vx, ly + vy, lz + vz
                    scale = ONE / np.sqrt(hx * hx + hy * hy + hz * hz + f32(1e-6))
                    ndh = min(max((nx * hx + ny * hy + nz * hz) * scale, ZERO), ONE)
                    hdl = (lx * hx + ly * hy + lz * hz) * scale
                    if kind == EYE_KIND:
                        # The reflection of a soft lamp, rather than of a point that a small picture would lose.
                        gleam = f32(1.8) * min(max((ndh - f32(0.990)) * f32(200.0), ZERO), ONE)
                    else:
                        gleam = _ggx(ndh, ndl, ndv, hdl, roughness, f0)
                        if kind == SKIN_KIND:
                            gleam = f32(0.75) * gleam + f32(0.3) * _ggx(ndh, ndl, ndv, hdl, f32(0.6) * roughness, f0)
                    gleam *= share * creased * cavity
                    col_r += cr * gleam
                    col_g += cg * gleam
                    col_b += cb * gleam
                # The surroundings mirrored at grazing angles.
                if kind not in (LASH_KIND, BROW_KIND):
                    m1 = ONE - ndv
                    base = f32(0.02) if kind == EYE_KIND else f0
                    mirror = base + HALF * (ONE - base) * m1 * m1 * m1 * m1 * m1
                    mirror *= (ONE - f32(0.8) * roughness) * open_sky * cavity
                    col_r += mirror * ambient[0, 0]
                    col_g += mirror * ambient[0, 1]
                    col_b += mirror * ambient[0, 2]
                sum_r += _tone(col_r)
                sum_g += _tone(col_g)
                sum_b += _tone(col_b)
            taken = 2 if step == 3 else 4
            if covered < taken:
                red, green, blue = _backdrop(linear, sampling, f32(px) + HALF, f32(py) + HALF)
                rest = f32(taken - covered)
                sum_r += rest * red
                sum_g += rest * green
                sum_b += rest * blue
            scale = ONE / f32(taken)
            out[py, px, 0] = scale * sum_r
            out[py, px, 1] = scale * sum_g
            out[py, px, 2] = scale * sum_b
            person[py, px] = who if 2 * covered >= taken else 0
            face[py, px] = 2 * in_face >= taken
