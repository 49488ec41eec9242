from __future__ import annotations

import numpy as np

from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.pipeline import annotate_frames
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Frame, Masks, mask_iou
from dramatis_lab.annotate.verdicts import Cause
from tests.dramatis_lab.annotate.squares import COLOURS, Fault, frame_of, mask_of, parts, walk

SETTINGS = AnnotationSettings(least_frames=10, margin=2)


def verdicts(frames: list[Frame], fault: Fault | None = None) -> list[tuple[int, int, int, Cause | None]]:
    """(person, start, stop, cause) of all segments."""
    _, segments = annotate_frames(frames, parts(fault) if fault else parts(), SETTINGS)
    return [(segment.person, segment.span.start, segment.span.stop, segment.cause) for segment in segments]


def test_good_masks_are_kept_whole_and_exact() -> None:
    frames = walk()
    shots, segments = annotate_frames(frames, parts(), SETTINGS)
    assert [(shot.span, shot.people, shot.unclaimed) for shot in shots] == [(FrameSpan(0, 40), 2, 0)]
    assert [(segment.person, segment.span, segment.kept) for segment in segments] == [
        (0, FrameSpan(0, 40), True),
        (1, FrameSpan(0, 40), True),
    ]
    for segment in segments:
        true = np.stack([mask_of(frame, COLOURS[segment.person]) for frame in frames])
        assert mask_iou(segment.pixels(), true) == 1.0


def test_a_mask_that_freezes_is_kept_only_while_it_fits() -> None:
    held: list[Masks] = []

    def freeze(number: int, masks: Masks) -> Masks:
        held.append(masks)
        return held[min(number, 20)]

    first, second, third = verdicts(walk(80), freeze)
    assert first[:2] == (0, 0)
    assert 20 < first[2] < 45
    assert first[3] is None
    assert second[3] in (Cause.LOW_OVERLAP, Cause.MISALIGNED)
    assert third == (1, 0, 80, None)


def test_swapped_people_are_rejected_from_the_swap_on() -> None:
    found = verdicts(walk(), lambda number, masks: masks if number < 20 else masks[::-1])
    assert found == [
        (0, 0, 18, None),
        (0, 18, 40, Cause.JUMP),
        (1, 0, 18, None),
        (1, 18, 40, Cause.JUMP),
    ]


def test_who_leaves_is_lost_and_who_stays_is_kept() -> None:
    frames = walk(20) + [frame_of({1: (110, 30)})] * 20
    assert verdicts(frames) == [(0, 0, 18, None), (0, 18, 40, Cause.LOST), (1, 0, 40, None)]


def test_nobody_is_followed_across_a_cut() -> None:
    frames = walk(20) + [frame_of({2: (60, 20)}, ground=170)] * 20
    assert verdicts(frames) == [(0, 0, 20, None), (1, 0, 20, None), (0, 20, 40, None)]


def test_a_shot_that_fades_in_is_followed_from_where_somebody_is_seen() -> None:
    frames = [frame_of({}, ground=40)] * 5 + walk(20)
    shots, segments = annotate_frames(frames, parts(), AnnotationSettings(least_frames=10, cut=200.0))
    assert [shot.span for shot in shots] == [FrameSpan(0, 25)]
    assert [segment.span for segment in segments] == [FrameSpan(5, 25)] * 2


def test_who_comes_later_is_counted_as_unclaimed() -> None:
    frames = [frame_of({0: (10, 20)})] * 10 + [frame_of({0: (10, 20), 1: (110, 30)})] * 5
    shots, _ = annotate_frames(frames, parts(), AnnotationSettings(cut=200.0))
    assert [(shot.people, shot.unclaimed) for shot in shots] == [(1, 5)]


def test_who_comes_and_stays_is_followed_from_then_on() -> None:
    frames = [frame_of({0: (10, 20)})] * 20 + [frame_of({0: (10, 20), 1: (110, 30)})] * 30
    settings = AnnotationSettings(cut=200.0, least_frames=10, margin=2)
    shots, segments = annotate_frames(frames, parts(), settings)
    late = 20 + settings.newcomer
    assert [(shot.span, shot.people) for shot in shots] == [(FrameSpan(0, late), 1), (FrameSpan(late, 50), 2)]
    assert [(segment.person, segment.span, segment.kept) for segment in segments] == [
        (0, FrameSpan(0, late), True),
        (0, FrameSpan(late, 50), True),
        (1, FrameSpan(late, 50), True),
    ]


def test_a_video_without_people_has_shots_and_no_segments() -> None:
    shots, segments = annotate_frames([frame_of({})] * 3, parts(), SETTINGS)
    assert [(shot.span, shot.people) for shot in shots] == [(FrameSpan(0, 3), 0)]
    assert segments == []
    assert annotate_frames([], parts(), SETTINGS) == ([], [])
