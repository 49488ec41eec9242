"""A picture file is decoded once, and again when it has changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dramatis.errors import UserError
from dramatis.senses.seeing import picture_file
from dramatis.senses.seeing.picture_file import OVERVIEW_SIDE, open_picture


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Paths that are decoded from now on."""
    paths: list[Path] = []
    load = picture_file.load_image

    def noted(path: Path) -> Image.Image:
        paths.append(path)
        return load(path)

    monkeypatch.setattr(picture_file, "load_image", noted)
    return paths


def plain(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (90, 70)) -> Path:
    Image.new("RGB", size, colour).save(path)
    return path


def test_equal_content_is_decoded_once(decoded: list[Path], tmp_path: Path) -> None:
    first = plain(tmp_path / "a.png", (17, 2, 3))
    copy = plain(tmp_path / "b.png", (17, 2, 3))
    pictures = [open_picture(path) for path in (first, str(first), copy)]
    assert decoded == [first]
    assert [picture.path for picture in pictures] == [first, first, copy]
    assert len({picture.content_hash for picture in pictures}) == 1
    plain(first, (18, 2, 3))
    assert np.asarray(open_picture(first).image)[0, 0].tolist() == [18, 2, 3]
    assert decoded == [first, first]


def test_a_picture_is_fitted_and_overviewed(tmp_path: Path) -> None:
    large = open_picture(plain(tmp_path / "large.png", (9, 8, 7), (1600, 1024)))
    assert large.size == (1600, 1024)
    assert large.overview.shape == (OVERVIEW_SIDE, 800, 3)
    assert large.fitted((64, 32)).shape == (32, 64, 3)
    small = open_picture(plain(tmp_path / "small.png", (9, 8, 6)))
    assert small.overview.shape == (70, 90, 3), "never enlarged"


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"image file .*none.png does not exist"):
        open_picture(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("not what it says")
    with pytest.raises(UserError, match="not a picture that can be read"):
        open_picture(tmp_path / "text.png")
