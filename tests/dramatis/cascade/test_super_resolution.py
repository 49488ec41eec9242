from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dramatis.cascade.context import ArtifactTask, JobContext, read_frames_of
from dramatis.cascade.keyframes import Keyframes
from dramatis.cascade.plan import ClipPlan
from dramatis.cascade.super_resolution import plan_super_resolution
from dramatis.cascade.transitions import join_clips, plan_transitions
from tests.dramatis.cascade.conftest import (
    SIDE,
    another_take,
    camera_of,
    filmed,
    high_keyframes,
    kept,
    picture,
    tail_of,
)

MakeSet = Callable[..., JobContext]


def planned(
    job: JobContext, clips: ClipPlan, work: list[ArtifactTask], keyframes: Keyframes
) -> tuple[dict[int, ArtifactTask], list[ArtifactTask], list[ArtifactTask]]:
    """Transitions, anchors and enlarged clips."""
    transitions = plan_transitions(job, clips, work)
    return transitions, *plan_super_resolution(job, clips, work, transitions, keyframes)


def changed(before: list[ArtifactTask], after: list[ArtifactTask]) -> list[int]:
    """Places whose artifact is another one."""
    return [place for place, (a, b) in enumerate(zip(before, after, strict=True)) if a.key != b.key]


@pytest.mark.parametrize("scale", [1, 2])
def test_another_take_of_one_clip_enlarges_it_and_its_neighbours_anew(make_set: MakeSet, scale: int) -> None:
    job = make_set(200, scale=scale)
    clips, work = filmed(job)
    keyframes = high_keyframes(job, clips)
    _, anchors, enlarged = planned(job, clips, work, keyframes)
    last = len(work) - 1
    for place in (0, 3, last):
        _, other_anchors, others = planned(job, clips, another_take(job, work, place), keyframes)
        seams = [seam for seam in (place - 1, place) if 0 <= seam < last]
        assert changed(anchors, other_anchors) == (seams if scale > 1 else [])
        assert changed(enlarged, others) == [n for n in (place - 1, place, place + 1) if 0 <= n <= last]


def test_another_keyframe_changes_its_anchor_and_the_clips_beside_it(make_set: MakeSet) -> None:
    job = make_set(200, scale=2)
    clips, work = filmed(job)
    keyframes = high_keyframes(job, clips)
    frame = clips.seams[2].frame
    other = Keyframes(job, keyframes.keys | {frame: kept(job, "other", frames=picture(0, 0)[None])})
    _, anchors, enlarged = planned(job, clips, work, keyframes)
    _, other_anchors, others = planned(job, clips, work, other)
    assert changed(anchors, other_anchors) == [2]
    assert changed(enlarged, others) == [2, 3]


@pytest.mark.parametrize(("scale", "seam"), [(1, "film"), (1, "cut"), (2, "film"), (2, "fade"), (2, "cut")])
def test_work_reads_only_what_it_comes_after(
    make_set: MakeSet, monkeypatch: pytest.MonkeyPatch, scale: int, seam: str
) -> None:
    job = make_set(120, scale=scale, seam=seam)
    clips, work = filmed(job)
    keyframes = high_keyframes(job, clips)
    transitions, anchors, enlarged = planned(job, clips, work, keyframes)
    assert len(anchors) == (len(clips.seams) if scale > 1 and seam != "cut" else 0)
    assert len(transitions) == (0 if seam == "cut" else len(clips.seams))
    read: set[str] = set()
    fetch = job.store.get

    def watch(key: str) -> object:
        read.add(key)
        return fetch(key)

    monkeypatch.setattr(job.store, "get", watch)
    for item in (*transitions.values(), *anchors, *enlarged):
        read.clear()
        job.store.put(item.key, item.make())
        assert set(item.after) <= read <= {*item.after, *keyframes.keys.values()}
    for anchor, seam_work in zip(anchors, transitions.values(), strict=bool(anchors)):
        assert anchor.after == (seam_work.key,)


def test_at_scale_one_the_joined_frames_pass_through(make_set: MakeSet) -> None:
    job = make_set(120)
    clips, work = filmed(job)
    transitions, anchors, enlarged = planned(job, clips, work, high_keyframes(job, clips))
    assert anchors == []
    list(job.make([*transitions.values(), *enlarged]))
    seams = {seam.frame: (seam, transitions[seam.frame].key) for seam in clips.seams}
    for clip, low, high in zip(clips.clips, work, enlarged, strict=True):
        assert np.array_equal(read_frames_of(job, high.key), join_clips(job, clip, low.key, seams))


@pytest.mark.parametrize("seam", ["film", "cut"])
def test_neighbours_stand_on_the_same_picture(make_set: MakeSet, seam: str) -> None:
    """On the anchor where a transition changed it, else on the high-resolution keyframe; on the portrait at frame 0."""
    job = make_set(120, scale=2, seam=seam)
    clips, work = filmed(job)
    keyframes = high_keyframes(job, clips)
    transitions, anchors, enlarged = planned(job, clips, work, keyframes)
    list(job.make([*transitions.values(), *anchors, *enlarged]))
    asked = camera_of(job).asked[-len(enlarged) :]
    shared = {
        place: read_frames_of(job, anchors[place].key)[0] if anchors else keyframes.high(clip.frame)
        for place, clip in enumerate(clips.seams)
    }
    assert np.array_equal(asked[0].head[0], job.inputs.portrait)
    assert np.array_equal(tail_of(asked[-1])[0], keyframes.high(clips.clips[-1].last))
    for place, inputs in enumerate(asked):
        if place:
            assert np.array_equal(inputs.head[0], shared[place - 1])
            assert np.array_equal(tail_of(asked[place - 1])[0], shared[place - 1])
        clip = clips.clips[place]
        assert inputs.audio[0, :, 0].tolist() == [min(n, 119) for n in range(clip.first, clip.last + 1)]
        assert inputs.reference.shape == (2 * SIDE, 2 * SIDE, 3)
        low = job.inputs.anchors(job.rows(range(clip.first, clip.last + 1)))
        assert np.array_equal(inputs.anchors, 2 * low)
        assert read_frames_of(job, enlarged[place].key).shape == (clip.length, 2 * SIDE, 2 * SIDE, 3)
    assert len({inputs.seed for inputs in camera_of(job).asked}) == len(camera_of(job).asked)


def test_an_anchor_takes_its_detail_from_the_keyframe_and_its_look_from_the_transition(make_set: MakeSet) -> None:
    job = make_set(120, scale=2)
    clips, work = filmed(job)
    keyframes = high_keyframes(job, clips)
    transitions, anchors, _ = planned(job, clips, work, keyframes)
    list(job.make([*transitions.values(), *anchors]))
    for seam, anchor, inputs in zip(clips.seams, anchors, camera_of(job).asked[-len(anchors) :], strict=True):
        assert np.array_equal(inputs.head[0], keyframes.high(seam.frame))
        assert inputs.audio[0, :, 0].tolist() == [seam.frame, seam.frame]
        frame = read_frames_of(job, transitions[seam.frame].key)[seam.frame - seam.window.start]
        grain = read_frames_of(job, anchor.key)[0].astype(int) - frame.repeat(2, 0).repeat(2, 1)
        assert grain.min() >= 0
        assert grain.max() < 20
