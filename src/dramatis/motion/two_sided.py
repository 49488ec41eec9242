"""Displacement fields with two sides, in a portrait's own pixels: what mouth and lids are moved by.

The skin above the line between the lips moves by one field, the skin below it by another; where the two part, a gap
opens. The fields of the canonical face come from `mouth_tables`; thin-plate splines over the landmarks carry them into
the picture, the fitted head turns and scales them. Lids are the same, over the line between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.face import TEMPLATE_68, HeadFit
from dramatis.motion.mouth_line import LOWER_EDGE, UPPER_EDGE, MouthLine, canonical_edge, mouth_line_of, shares_along
from dramatis.motion.mouth_tables import LID_GRID, MOUTH_GRID, Grid, lid_field_table, mouth_field_table
from dramatis.motion.thin_plate import fit_thin_plate

_NODES = 72
"""Nodes along the longer side of a mouth's grid: about a hundredth of a head apart, as finely as the tables are."""
_LID_NODES = 36
_ROUNDS, _STEP = 7, 0.75
"""Iterations of the inversion and how far each goes: less than all the way, since a dropping jaw squeezes the neck."""
_LID_ROUNDS, _LID_STEP = 16, 0.3
"""The same for lids, whose skin unfolds to three times its height: it would not be found in longer steps."""
_MOUTH_REACH = (0.44, 0.24, 0.44)
"""How far the mouth's grid reaches from the mouth's middle, in head heights: to either side, up, and down."""
_LID_REACH = (0.145, 0.115, 0.1)
_STEADY = (*range(17), *range(27, 36), 36, 39, 42, 45)
"""Landmarks that tie the picture to the canonical face besides the lips: jaw, nose, corners of the eyes."""
_OUTER_UPPER, _OUTER_LOWER = (48, 49, 50, 51, 52, 53, 54), (48, 59, 58, 57, 56, 55, 54)
_LID_EDGES = ((36, 37, 38, 39), (36, 41, 40, 39)), ((42, 43, 44, 45), (42, 47, 46, 45))
"""Upper and lower edge of the left eye, and of the right one, from left to right."""
_AROUND_EYES = ((0, 17, 18, 19, 20, 21, 27, 28, 29, 1), (16, 26, 25, 24, 23, 22, 27, 28, 29, 15))
_STIFFNESS = 1e-4
"""How far the splines yield: landmarks a pixel or two off must not crumple the skin."""
_EDGE_POINTS = 9
_OVERLAP = 1.15
"""How far the upper lid travels, of the way to the lower one: a shut eye shows no gap."""
_TURNED = (0.35, 0.8, 0.3)
"""Between which angles of yaw, rad, less and less of the moves in depth is carried, and how little at last."""
_LEAST_APART = 0.45
"""Least distance of neighbouring points of a lip in the picture, of what it is in a mouth that faces the camera."""
_TURNED_ROUNDS, _TURNED_STEP = 14, 0.4
"""Iterations of the inversion for turned heads, whose fields change fast towards the far corner of the mouth."""
_FITTING_EYES = (0.4, 1.8)
"""Bounds of the height of an eye over that of the canonical face: lids travel so much further or less."""


@dataclass(frozen=True)
class PixelGrid:
    """Nodes in a picture: the first at (left, top) px, rows downwards, `step` px apart."""

    left: float
    top: float
    step: float
    shape: tuple[int, int]

    def nodes(self) -> NDArray[np.float64]:
        """(rows, columns, 2) px."""
        rows, columns = (np.arange(n) * self.step for n in self.shape)
        return np.stack(np.meshgrid(columns + self.left, rows + self.top), -1)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, px."""
        rows, columns = self.shape
        return self.left, self.top, self.left + (columns - 1) * self.step, self.top + (rows - 1) * self.step


@dataclass(frozen=True, eq=False)
class TwoSidedField:
    """Shapes of one opening of a face (mouth, or eye) as displacements in a picture.

    basis: (K, 2, rows, columns) complex64, x + iy px at full weight, y down; upper side first. rounds, step: iterations
    of the inversion, and which share of the error each corrects.
    """

    grid: PixelGrid
    basis: NDArray[np.complex64]
    rounds: int = _ROUNDS
    step: float = _STEP

    def moved(self, weights: NDArray[np.floating]) -> NDArray[np.complex64]:
        """(2, rows, columns) px by which weights (K,) move each node."""
        # Not a product of matrices: for so little work the threads of its library would only wait for one another.
        return np.einsum("k,kshw->shw", np.asarray(weights, np.complex64), self.basis)

    def sources(self, weights: NDArray[np.floating]) -> NDArray[np.complex64]:
        """(2, rows, columns) px from each node to where the content that is now there was, on either side."""
        unit = np.float32(self.grid.step)
        return unit * np.stack([_inverse(side / unit, self.rounds, self.step) for side in self.moved(weights)])


def _inverse(field: NDArray[np.complex64], rounds: int, step: float) -> NDArray[np.complex64]:
    """(rows, columns) displacements, in steps of the grid -> from where each node's content comes, in steps."""
    rows, columns = field.shape
    node = (np.arange(columns, dtype=np.float32) + 1j * np.arange(rows, dtype=np.float32)[:, None]).astype(np.complex64)
    back = -field
    for _ in range(rounds):
        back = back - np.float32(step) * (back + _sampled(field, node + back))
    return back


def _sampled(field: NDArray[np.complex64], places: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """A field (rows, columns) at places x + iy in steps of its grid, bilinear, the rim repeated."""
    rows, columns = field.shape
    x, y = places.real.clip(0, columns - 1.001), places.imag.clip(0, rows - 1.001)
    column, row = x.astype(np.int32), y.astype(np.int32)
    first = row * columns + column
    across, down = (x - column).astype(np.float32), (y - row).astype(np.float32)
    flat = field.ravel()
    above = flat.take(first)
    above += across * (flat.take(first + 1) - above)
    below = flat.take(first + columns)
    below += across * (flat.take(first + columns + 1) - below)
    return above + down * (below - above)


def mouth_field(
    head: HeadFit, landmarks: NDArray[np.floating], line: MouthLine, outer: NDArray[np.floating] | None = None
) -> TwoSidedField:
    """The mouth's shapes (`SHAPE_CHANNELS`) in a portrait.

    landmarks: (68, 2) px. line: the portrait's mouth line. outer: (20, 2) px, the outer contour of the lips where an
    eye sees it, from the left corner over the upper lip and back.
    """
    points = np.asarray(landmarks, np.float64)
    grid = _grid_around(line.places(0.5, 0.0), head.scale, _MOUTH_REACH, _NODES)
    lips = points[48:60] if outer is None else np.asarray(outer, np.float64)
    half = len(lips) // 2
    rings = lips[: half + 1], np.concatenate([lips[:1], lips[: half - 1 : -1]])
    edges = (UPPER_EDGE, _OUTER_UPPER, line.upper), (LOWER_EDGE, _OUTER_LOWER, line.lower)
    table, sides = mouth_field_table(), []
    for side, ((inner, border, values), ring) in enumerate(zip(edges, rings, strict=True)):
        canonical, shares = _apart(*canonical_edge(inner, head, _EDGE_POINTS), head)
        on_edge = line.places(shares.clip(0, 1), line.edge(values, shares.clip(0, 1)))
        lip = TEMPLATE_68[list(border)].astype(np.float64)
        lip, lip_shares = _apart(lip, shares_along(lip, head), head)
        on_lip = _along(line, ring, lip_shares)
        places = np.concatenate([points[list(_STEADY)], on_edge, on_lip])
        targets = np.concatenate([TEMPLATE_68[list(_STEADY), :2], canonical[:, :2], lip[:, :2]])
        to_face = fit_thin_plate(places, targets, _STIFFNESS)
        sides.append(_carried(table[:, side], MOUTH_GRID, to_face(grid.nodes()), head))
    turned = abs(head.angles[0]) > _TURNED[0]
    rounds, step = (_TURNED_ROUNDS, _TURNED_STEP) if turned else (_ROUNDS, _STEP)
    return TwoSidedField(grid, np.stack(sides, 1), rounds, step)


def lid_line(lids: NDArray[np.floating]) -> MouthLine:
    """The edges of one eye's lids, as those of a mouth. lids: (16, 2) px, from the left corner over the upper lid."""
    return mouth_line_of(np.zeros((68, 2)), _ring_of_twenty(np.asarray(lids, np.float64)))


def lid_field(head: HeadFit, landmarks: NDArray[np.floating], line: MouthLine, right: int) -> TwoSidedField:
    """One eye's blink in a portrait, as the only shape of a field.

    landmarks: (68, 2) px. line: the edges of the lids. right: 0 for the eye on the left of the picture, 1 for
    that on the right.
    """
    points = np.asarray(landmarks, np.float64)
    grid = _grid_around(line.places(0.5, 0.0), head.scale, _LID_REACH, _LID_NODES)
    table = lid_field_table() * _lid_travel(head, line, right)
    sides = []
    for side, (edge, values) in enumerate(zip(_LID_EDGES[right], (line.upper, line.lower), strict=True)):
        canonical, _ = canonical_edge(edge, head, _EDGE_POINTS)
        ends = canonical[[0, -1]] @ head.rotation[:2].T
        along = ends[1] - ends[0]
        shares = ((canonical @ head.rotation[:2].T - ends[0]) @ along / max(float(along @ along), 1e-9)).clip(0, 1)
        on_edge = line.places(shares, line.edge(values, shares))
        around = list(_AROUND_EYES[right])
        places = np.concatenate([points[around], on_edge])
        targets = np.concatenate([TEMPLATE_68[around, :2], canonical[:, :2]])
        canonical_nodes = fit_thin_plate(places, targets, _STIFFNESS)(grid.nodes())
        mirror = -1 if right else 1
        canonical_nodes[..., 0] *= mirror
        field = table[None, side] * np.array([mirror, 1, 1], np.float32)
        sides.append(_carried(field, LID_GRID, canonical_nodes, head))
    return TwoSidedField(grid, np.stack(sides, 1), _LID_ROUNDS, _LID_STEP)


def _lid_travel(head: HeadFit, line: MouthLine, right: int) -> float:
    """How much higher an eye is than the canonical face's in the same pose."""
    edges = [TEMPLATE_68[list(edge)].astype(np.float64) for edge in _LID_EDGES[right]]
    middle = [edge[1:3].mean(0) @ head.rotation[:2].T for edge in edges]
    height = head.scale * float(np.linalg.norm(middle[0] - middle[1]))
    return float(np.clip(_OVERLAP * line.gap / max(height, 1e-6), *_FITTING_EYES))


def _ring_of_twenty(lids: NDArray[np.float64]) -> NDArray[np.float64]:
    """(16, 2) -> (20, 2) points, the same line: corners at the first and the eleventh."""
    upper, lower = lids[:9], np.concatenate([lids[8:], lids[:1]])
    at = np.linspace(0, 8, 11)
    halves = [np.stack([np.interp(at, np.arange(9), half[:, axis]) for axis in (0, 1)], -1) for half in (upper, lower)]
    return np.concatenate([halves[0][:-1], halves[1][:-1]])


def _grid_around(middle: NDArray[np.float64], scale: float, reach: tuple[float, float, float], nodes: int) -> PixelGrid:
    aside, up, down = (scale * share for share in reach)
    step = max(2 * aside, up + down) / (nodes - 1)
    shape = (int(np.ceil((up + down) / step)) + 1, int(np.ceil(2 * aside / step)) + 1)
    return PixelGrid(float(middle[0]) - aside, float(middle[1]) - up, step, shape)


def _along(line: MouthLine, ring: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points of a contour, from left to right, at shares of the way along a mouth."""
    along, below = line.coordinates(ring)
    order = np.argsort(along)
    inside = shares.clip(along.min(), along.max())
    return line.places(inside, np.interp(inside, along[order], below[order]))


def _carried(
    table: NDArray[np.float32], grid: Grid, places: NDArray[np.float64], head: HeadFit
) -> NDArray[np.complex64]:
    """(K, rows, columns, 3) over the canonical face -> (K, h, w) px at nodes whose canonical places are (h, w, 2)."""
    stacked = np.moveaxis(table, 0, -2)
    moves = grid.sample(stacked.reshape(*grid.shape, -1), places).reshape(*places.shape[:2], *stacked.shape[2:])
    seen = head.scale * (moves * (1, 1, depth_share(head))) @ head.rotation[:2].T
    field = np.moveaxis(seen[..., 0] - 1j * seen[..., 1], -1, 0)
    return np.asarray(field * _border(places.shape[:2]), np.complex64)


def _apart(
    points: NDArray[np.float64], shares: NDArray[np.float64], head: HeadFit
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Those of the points (n, 3) of a lip, from the near corner on, that a turned head shows apart, and their shares.

    Where they crowd together, at the far corner, the spline would fold; without them the far side follows the near one.
    """
    order = np.arange(len(points)) if head.angles[0] >= 0 else np.arange(len(points))[::-1]
    least = _LEAST_APART / (len(points) - 1)
    kept = [order[0]]
    for index in order[1:]:
        if (shares[index] - shares[kept[-1]]) * np.sign(head.angles[0] or 1.0) >= least:
            kept.append(index)
    kept.sort()
    return points[kept], shares[kept]


def depth_share(head: HeadFit) -> float:
    """How much of the moves towards the camera or away from it is carried: less the further a head is turned.

    In a turned head they go sideways, and the far half of the lips, which is short there, would fold.
    """
    start, end, least = _TURNED
    return float(np.interp(abs(head.angles[0]), (start, end), (1.0, least)))


def _border(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1 within a grid, falling to 0 at its rim: outside it nothing moves."""
    rise = [np.clip(np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.12 * n), 0, 1) for n in shape]
    ease = [r * r * (3 - 2 * r) for r in rise]
    return np.asarray(ease[0][:, None] * ease[1][None])
