"""Pictures: what users have is read as they see it, what cannot be read is refused in one sentence."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from dramatis.errors import UserError
from dramatis.media.image import NEUTRAL, choose_size, downscale, fit_image, fit_picture, fitted_box, load_image
from tests.inputs import MakeImage


def claim_size(path: Path, width: int, height: int) -> Path:
    """A png whose header claims a size, without the gigabytes behind it."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + b"\x00\x00\x00\x00IEND\xaeB`\x82")
    return path


def assert_one_sentence(error: pytest.ExceptionInfo[UserError]) -> None:
    text = str(error.value)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text
    assert ";" in text, "the remedy follows the fault"


def red_of(image: Image.Image, x: int, y: int) -> int:
    return int(np.asarray(image)[y, x, 0])


@pytest.mark.parametrize("name", ["face.png", "face.jpg", "face.jpeg", "face.webp", "FACE.PNG"])
def test_reads_every_promised_format(make_image: MakeImage, name: str) -> None:
    image = load_image(make_image(name))
    assert (image.mode, image.size) == ("RGB", (96, 128))
    assert red_of(image, 10, 60) > 150
    assert np.asarray(image)[60, 10, 2] < 90


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "I;16", "LA", "RGBA", "YCbCr"])
def test_every_mode_becomes_rgb(make_image: MakeImage, tmp_path: Path, mode: str) -> None:
    name = "face.jpg" if mode in ("CMYK", "YCbCr") else "face.png"
    if mode == "I;16":
        ramp = np.tile(np.linspace(0, 65535, 96).astype(np.uint16), (128, 1))
        path = tmp_path / name
        Image.fromarray(ramp).save(path)
    else:
        path = make_image(name, mode=mode)
    image = load_image(path)
    assert image.mode == "RGB"
    if mode == "I;16":
        assert abs(red_of(image, 48, 5) - 128) < 4, "16 bits are scaled, not clipped"
    if mode == "CMYK":
        assert red_of(image, 10, 60) > 150


def test_exif_rotation_is_applied(make_image: MakeImage) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    image = load_image(make_image("face.jpg", size=(128, 96), exif=exif))
    assert image.size == (96, 128)
    assert red_of(image, 48, 10) > 150, "what was left is now on top"


def test_transparency_shows_neutral_grey(tmp_path: Path) -> None:
    image = Image.new("RGBA", (80, 80), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 40, 80))
    image.save(tmp_path / "cut.png")
    loaded = load_image(tmp_path / "cut.png")
    assert loaded.getpixel((10, 10)) == NEUTRAL
    assert loaded.getpixel((70, 10)) == (255, 0, 0)


def test_colour_profile_is_followed_and_a_broken_one_ignored(make_image: MakeImage) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert load_image(make_image("with.png", icc_profile=srgb)).getpixel((5, 5)) == (200, 40, 40)
    assert load_image(make_image("broken.png", icc_profile=b"no profile")).getpixel((5, 5)) == (200, 40, 40)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda p: p / "absent.png", "does not exist"),
        (lambda p: p, "folder"),
        (lambda p: _written(p / "empty.png", b""), "empty"),
        (lambda p: _written(p / "notes.jpg", b"dear diary, " * 50), "not a picture"),
        (lambda p: _written(p / "cut.png", _png((200, 200))[:150]), "damaged"),
        (lambda p: _written(p / "dot.png", _png((1, 1))), "too small"),
        (lambda p: _written(p / "strip.png", _png((20_000, 80))), "10,000"),
        (lambda p: claim_size(p / "bomb.png", 20_000, 20_000), "10,000"),
        (lambda p: claim_size(p / "large.png", 9_000, 9_000), "64 megapixels"),
        (lambda p: _written(p / "clear.png", _png((80, 80), "RGBA")), "transparent"),
        (lambda p: _written(p / "picture.png", b"GIF89a" + bytes(60)), "not a picture"),
    ],
)
def test_bad_pictures_are_refused_in_one_sentence(tmp_path: Path, make: Callable[[Path], Path], word: str) -> None:
    with pytest.raises(UserError, match=word) as error:
        load_image(make(tmp_path))
    assert_one_sentence(error)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _png(size: tuple[int, int], mode: str = "RGB") -> bytes:
    import io

    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (min(size[1], 300), min(size[0], 300), 3), np.uint8)
    image = Image.new(mode, size, 0)
    if mode == "RGB" and min(size) > 1:
        image.paste(Image.fromarray(noise), (0, 0))
    image.save(buffer, "PNG")
    return buffer.getvalue()


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_chosen_size_is_on_the_grid_near_the_area_and_the_aspect(width: int, height: int) -> None:
    across, down = choose_size(width, height)
    assert across % 16 == 0
    assert down % 16 == 0
    assert 0.8 < across * down / 128**2 < 1.25
    aspect = min(max(width / height, 0.4), 2.5)
    assert 0.85 < across / down / aspect < 1.18


def test_square_stays_square_and_orientation_mirrors() -> None:
    assert choose_size(512, 512) == (128, 128)
    assert choose_size(1080, 1920) == choose_size(1920, 1080)[::-1]
    assert choose_size(1000, 1000, area=256 * 256) == (256, 256)


def test_every_person_more_makes_a_wider_picture_possible() -> None:
    assert choose_size(384, 128, area=3 * 128 * 128, people=3) == (384, 128)
    assert choose_size(9000, 128, area=3 * 128 * 128, people=3) == choose_size(450, 100, area=3 * 128 * 128, people=3)
    across, down = choose_size(384, 128, area=3 * 128 * 128)
    assert across / down == pytest.approx(2.5, rel=0.1)
    assert choose_size(100, 900, people=3) == choose_size(100, 900), "a thin one holds nobody more"


@given(st.integers(20, 400), st.integers(20, 400), st.integers(2, 20), st.integers(2, 20))
def test_a_box_stays_on_what_it_marks_when_the_picture_is_fitted(
    width: int, height: int, across: int, down: int
) -> None:
    size = (16 * across, 16 * down)
    marked = fitted_box((0.4, 0.3, 0.6, 0.8), (width, height), size)
    scale = max(size[0] / width, size[1] / height)
    for axis in (0, 1):
        side = (marked[axis + 2] - marked[axis]) * size[axis]
        assert side == pytest.approx((0.2, 0.5)[axis] * (width, height)[axis] * scale, rel=1e-6)
    assert (marked[0] + marked[2]) / 2 == pytest.approx(0.5), "the middle stays in the middle"
    assert fitted_box((0.0, 0.0, 1.0, 1.0), (200, 100), (32, 32)) == pytest.approx((-0.5, 0.0, 1.5, 1.0))


def test_fit_crops_the_centre_to_unit_range(make_image: MakeImage) -> None:
    pixels = fit_image(load_image(make_image(size=(400, 100))), (128, 64))
    assert pixels.shape == (3, 64, 128)
    assert pixels.dtype == np.float32
    assert pixels.min() >= -1
    assert pixels.max() <= 1
    assert pixels[0, 32, 10] > 0.4 > pixels[2, 32, 10]
    assert pixels[2, 32, 118] > 0.4 > pixels[0, 32, 118]


def test_a_fitted_picture_shows_the_same_in_bytes(make_image: MakeImage) -> None:
    image = load_image(make_image(size=(400, 100)))
    picture = fit_picture(image, (128, 64))
    assert picture.shape == (64, 128, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_allclose(picture.transpose(2, 0, 1) / 127.5 - 1, fit_image(image, (128, 64)), atol=1e-6)


def test_shrinking_takes_the_mean() -> None:
    frames = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    small = downscale(frames, 2)
    assert small.shape == (2, 2, 2, 3)
    assert small[0, 0, 0, 0] == round(frames[0, :2, :2, 0].mean())
