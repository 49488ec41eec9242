"""Every way films the whole recording; a clip of a chain begins with the frame that it continues."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from dramatis.media.video import probe_video
from dramatis.story.values import FPS
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.ways.chains import ChainedClips, SingleStageClips, chain_ends
from dramatis_lab.evaluate.ways.operations import prepare_job
from dramatis_lab.evaluate.ways.processes import film_in_process
from dramatis_lab.evaluate.ways.record import FilmingWay
from tests.dramatis_lab.evaluate import SIDE


def test_every_way_films_the_whole_recording_at_its_full_size(bench: Bench) -> None:
    for way in FilmingWay:
        video = film_in_process(bench, way, 2)
        info = probe_video(video.video)
        assert (info.frames, info.size) == (2 * FPS, (SIDE, SIDE))
        assert all(0 < frame < 2 * FPS for frame in video.record.hand_overs)
        assert way is FilmingWay.CASCADE or not video.record.gaps


@pytest.mark.parametrize("kind", [ChainedClips, SingleStageClips])
def test_a_clip_of_a_chain_begins_with_the_frame_that_it_continues(
    bench: Bench, kind: type[ChainedClips], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = prepare_job(bench.pipe, bench.plan(bench.cases[0].portrait, bench.long_voice(2)[0]), bench.work / "store")
    heads: list[np.ndarray] = []
    film = kind.film

    def spy(self: ChainedClips, first: int, last: int, head: np.ndarray) -> np.ndarray:
        heads.append(head)
        return film(self, first, last, head)

    monkeypatch.setattr(kind, "film", spy)
    ends = chain_ends(job.plan)
    clips = list(kind(job).clips(ends))
    assert [len(clip) for clip in clips] == [b - a + 1 for a, b in pairwise(ends)]
    assert all(clip.shape[1:] == (SIDE, SIDE, 3) for clip in clips)
    if kind is SingleStageClips:
        assert np.array_equal(heads[1], clips[0][-1])
        assert np.array_equal(heads[0], job.inputs.portrait)
