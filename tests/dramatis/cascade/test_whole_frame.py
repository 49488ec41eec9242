from __future__ import annotations

import numpy as np
import pytest
import torch

from dramatis.cascade.acting import PortraitCast, PortraitFilm
from dramatis.cascade.film_window import FilmWindow
from dramatis.cascade.whole_frame import WholeFrame, film_difference, whole_frames
from dramatis.media.image import Pictures
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.performance import Performance
from tests.drawn_face import draw_face

FRAMES = 3


def frame(zoom: float = 0.0) -> WholeFrame:
    """A face in the middle of the window, before a camera that zooms in."""
    picture, face = draw_face()
    height, width = picture.shape[:2]
    performance = Performance.still(FRAMES)
    performance.camera[:, 0] = zoom
    window = FilmWindow(width / 4, height / 4, width / 2, height / 2, (width // 4, height // 4))
    mouths = np.zeros((1, FRAMES, len(SHAPE_CHANNELS)), np.float32)
    return WholeFrame(PortraitFilm(PortraitCast(picture, (face,)), mouths, (performance,)), window)


def films(whole: WholeFrame, level: int) -> list[Pictures]:
    return [np.full((2 * whole.window.low[1], 2 * whole.window.low[0], 3), level, np.uint8)] * FRAMES


def everywhere(head: float, mouth: float = 0.0) -> list[np.ndarray]:
    return [np.stack([np.full((8, 8), share, np.float32) for share in (head, mouth)])] * FRAMES


def test_a_film_that_equals_the_portrait_changes_nothing() -> None:
    whole = frame()
    for made in whole_frames(whole, films(whole, 90), films(whole, 90), everywhere(1.0)):
        assert np.abs(made.astype(int) - whole.film.cast.picture).max() <= 1


def test_what_the_film_differs_by_is_added_in_the_window_alone() -> None:
    whole = frame()
    left, top, right, bottom = (round(edge) for edge in whole.window.box)
    made = next(whole_frames(whole, films(whole, 110), films(whole, 90), everywhere(1.0)))
    change = made.astype(int) - whole.film.cast.picture
    middle = change[(top + bottom) // 2, (left + right) // 2]
    assert np.abs(middle - 20).max() <= 1
    outside = np.ones(change.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert np.abs(change[outside]).max() <= 1
    edge = change[(top + bottom) // 2, left : left + 2]
    assert np.abs(edge).max() < 12, "it fades towards the border of the window"
    none = next(whole_frames(whole, films(whole, 110), films(whole, 90), everywhere(0.0)))
    assert np.abs(none.astype(int) - whole.film.cast.picture).max() <= 1, "nothing is added where no head is"


def test_the_window_moves_with_the_camera() -> None:
    whole = frame(zoom=0.4)
    made, plain = (
        next(whole_frames(whole, films(whole, level), films(whole, 90), everywhere(1.0))).astype(int)
        for level in (110, 90)
    )
    columns = np.flatnonzero((made - plain)[made.shape[0] // 2].max(-1) > 10)
    assert len(columns) == pytest.approx(np.exp(0.4) * whole.window.width, rel=0.15)


def test_fine_detail_is_the_portraits_where_both_agree_and_the_films_elsewhere() -> None:
    rng = np.random.default_rng(0)
    acted = torch.full((1, 3, 48, 48), 0.4)
    noise = torch.from_numpy(rng.normal(0, 0.02, (1, 3, 48, 48))).float()
    head, mouth = torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    heads = torch.cat([head, mouth], 1)
    fine = film_difference(acted + noise, acted, heads)
    assert fine.std() < 0.5 * noise.std()
    other = film_difference(acted + noise + 0.3, acted, heads)
    assert (other - 0.3).std() > 0.9 * noise.std()
    at_mouth = film_difference(acted + noise + 0.3, acted, torch.cat([head, head], 1))
    assert at_mouth.abs().max() < 1e-6
