from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis.errors import UserError
from dramatis.media.masks import encode_mask
from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.records import (
    Annotation,
    Segment,
    cut_segments,
    kept_frames,
    read_annotation,
    read_annotations,
)
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.verdicts import SOUND, Cause, MaskVerdict

SHORT = AnnotationSettings(margin=1, least_frames=3)


def flags(text: str) -> np.ndarray:
    return np.array([letter == "o" for letter in text])


@pytest.mark.parametrize(
    ("sound", "kept"),
    [
        ("oooooo", "oooooo"),
        ("oooxoooo", ".....ooo"),
        ("xoooo", "..ooo"),
        ("oo", ".."),
        ("xxx", "..."),
        ("ooooxxoooooxo", "ooo....ooo..."),
    ],
)
def test_margins_and_short_runs_are_dropped(sound: str, kept: str) -> None:
    assert "".join("o" if frame else "." for frame in kept_frames(flags(sound), SHORT)) == kept


def test_segments_cover_every_frame_and_say_why() -> None:
    masks = [encode_mask(np.eye(4, dtype=bool)) for _ in range(10)]
    findings = (
        [SOUND] * 5
        + [MaskVerdict(Cause.JUMP, 0.1), MaskVerdict(Cause.LOST, 0.0), MaskVerdict(Cause.LOST, 0.0)]
        + [SOUND] * 2
    )
    kept, rejected = cut_segments(1, 100, findings, masks, SHORT)
    assert (kept.span, kept.kept, len(kept.masks)) == (FrameSpan(100, 104), True, 4)
    assert (rejected.span, rejected.kept, rejected.masks) == (FrameSpan(104, 110), False, ())
    assert rejected.cause is Cause.LOST
    assert rejected.detail == "2 of 6 frames, median 0.00"
    (short,) = cut_segments(0, 0, [SOUND] * 2, masks[:2], SHORT)
    assert (short.cause, short.detail) == (Cause.TOO_SHORT, "2 frames, fewer than 3")


def annotation(video: str) -> Annotation:
    segment = Segment(person=0, span=FrameSpan(0, 2), kept=True, masks=(encode_mask(np.eye(4, dtype=bool)),) * 2)
    return Annotation(key="k", video=video, frames=2, size=(4, 4), fps=25.0, segments=(segment,))


def test_annotations_are_read_as_they_were_written(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mp4"):
        path = tmp_path / "videos" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(annotation(name).model_dump_json())
    found = list(read_annotations(tmp_path))
    assert found == [annotation("a.mp4"), annotation("b.mp4")]
    assert np.array_equal(found[0].segments[0].pixels(), np.stack([np.eye(4, dtype=bool)] * 2))


def test_what_is_cut_short_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "videos" / "a.mp4.json"
    path.parent.mkdir()
    path.write_text(annotation("a.mp4").model_dump_json()[:-5])
    assert read_annotation(path) is None
    with pytest.raises(UserError, match=r"a\.mp4\.json is damaged"):
        list(read_annotations(tmp_path))
    with pytest.raises(UserError, match="holds no annotations"):
        list(read_annotations(tmp_path / "videos" / "none"))


def test_a_video_without_segments_still_has_its_line() -> None:
    blank = Annotation(key="k", video="a.mp4", cause=Cause.UNREADABLE, detail="why")
    assert list(blank.lines()) == [{"video": "a.mp4", "kept": False, "cause": "unreadable", "detail": "why"}]
    (line,) = annotation("a.mp4").lines()
    assert line["kept"] is True
    assert (line["start"], line["stop"], line["person"]) == (0, 2, 0)
