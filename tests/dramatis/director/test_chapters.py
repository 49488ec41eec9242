"""Long videos have chapters, whose prompts replace the whole video's."""

from __future__ import annotations

from dramatis.director.chapters import LONG_SECONDS
from tests.dramatis.director.planning import plan


def test_long_videos_have_chapters() -> None:
    story = plan("first sad, then happy", 25 * 200)
    assert 3 <= len(story.chapters) <= 7
    assert "happy" not in story.chapters[0].positive
    assert "sad" not in story.chapters[-1].positive
    first, _ = story.words([0], story.shots[0].span)
    assert story.chapters[0].positive in first
    assert story.positive not in first


def test_short_videos_have_none() -> None:
    assert plan("happy", round(25 * LONG_SECONDS) - 1).chapters == ()


def test_chapters_begin_with_shots() -> None:
    story = plan("happy, then sad", 25 * 300)
    starts = {shot.span.start for shot in story.shots}
    assert {chapter.span.start for chapter in story.chapters} <= starts
