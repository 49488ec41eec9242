from __future__ import annotations

import pytest

from dramatis.app.video_size import MOST_PIXELS, VideoSize, read_size
from dramatis.errors import UserError


@pytest.mark.parametrize(
    ("text", "size"),
    [("512", VideoSize(512)), (" 1280x720 ", VideoSize(exact=(1280, 720))), ("960X960", VideoSize(exact=(960, 960)))],
)
def test_sizes_are_read(text: str, size: VideoSize) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize(
    ("text", "fault"),
    [("big", "cannot be read"), ("12x", "cannot be read"), ("64", "cannot be filmed"), ("1920x1080", "at most 921,600"),
     ("301x400", "even numbers"), ("", "cannot be read")],
)  # fmt: skip
def test_other_sizes_are_refused(text: str, fault: str) -> None:
    with pytest.raises(UserError, match=fault):
        read_size(text)


@pytest.mark.parametrize("picture", [(512, 512), (3000, 2000), (640, 2000), (10000, 90), (4000, 3999)])
@pytest.mark.parametrize("people", [1, 3])
@pytest.mark.parametrize("shorter", [256, 512, 960])
def test_videos_keep_the_shape_of_the_picture(picture: tuple[int, int], people: int, shorter: int) -> None:
    width, height = VideoSize(shorter).of(picture, people)
    assert width % 2 == height % 2 == 0
    assert width * height <= MOST_PIXELS
    assert min(width, height) <= shorter
    widest = 2.5 + people - 1
    wanted = min(max(picture[0] / picture[1], 0.4), widest)
    assert width / height == pytest.approx(wanted, rel=0.02)
    assert VideoSize(exact=(720, 1280)).of(picture) == (720, 1280)
