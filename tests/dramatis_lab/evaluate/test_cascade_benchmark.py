"""The benchmark of the cascade, all its parts, on tiny networks: that it runs, and that what it reads off is right."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from tests import ROOT
from tests.conftest import voice
from tests.tiny import canonical_sight

from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.plan import plan_frames
from dramatis.media.video import probe_video, read_frames
from dramatis.motion.face import RIGID_ANCHORS
from dramatis.motion.performance import Performance
from dramatis.story.values import FPS
from dramatis_lab.evaluate.report import NOT_RUN, Row

BENCHMARKS = ROOT / "benchmarks"
FRAMES = 25
SIDE = 128


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The benchmark's modules, which are scripts and lie beside each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        names = ("ways", "filming", "watch", "operations", "enlarging", "cascade", "held_out", "run")
        modules: dict[str, ModuleType] = {name: __import__(name) for name in names}
        yield SimpleNamespace(**modules)
        for name in (*names, "kills"):
            sys.modules.pop(name, None)


@pytest.fixture
def stage(bench: Any, model_twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Everything that parts share, with one case of a second; videos are filmed in this process."""
    for module in ("dramatis.cascade.pipeline", "dramatis.app.pipeline"):
        monkeypatch.setattr(f"{module}.find_face", lambda backbone, reference, name: canonical_sight())

    def here(command: list[str], video: Path) -> tuple[float, float]:
        words = dict(zip(command[3::2], command[4::2], strict=True))
        files = {name: Path(words[f"--{name}"]) for name in ("image", "audio", "output")}
        rest = {"model": words["--model"], "workers": 1, "executor": "threads"}
        bench.ways.main(bench.ways.Way(command[2]), **files, **rest)
        return 2.0, 100.0

    monkeypatch.setattr(bench.filming, "timed", here)
    return bench.filming.Stage(
        MiniBackbone(model_twice), [_case(bench, tmp_path)], tmp_path, tmp_path / "pictures", (2,)
    )


def _case(bench: Any, folder: Path) -> Any:
    rng = np.random.default_rng(0)
    frames = np.repeat(rng.integers(0, 256, (1, SIDE, SIDE, 3), np.uint8), FRAMES, 0)
    Image.fromarray(frames[0]).save(folder / "portrait.png")
    soundfile.write(folder / "voice.flac", voice(1.0, 16_000), 16_000)
    (folder / "case.json").write_text(json.dumps({"whole_caption": "a face"}))
    rigid = canonical_sight().landmarks[list(RIGID_ANCHORS)] * (SIDE / 64)
    return bench.held_out.Case(
        folder,
        folder / "portrait.png",
        folder / "voice.flac",
        frames,
        rng.uniform(0, 1, FRAMES),
        Performance.still(FRAMES).vector(),
        np.repeat(rigid[None], FRAMES, 0).astype(np.float32),
        np.arange(0, FRAMES, 7),
        np.repeat(canonical_sight().landmarks[None] * 2, 4, 0),
        np.ones((4, SIDE, SIDE), bool),
    )


def test_every_way_films_the_whole_recording_at_its_full_size(bench: Any, stage: Any) -> None:
    for way in bench.ways.Way:
        made = bench.filming.make(stage, way, 2)
        info = probe_video(made.video)
        assert (info.frames, info.size) == (2 * FPS, (SIDE, SIDE))
        assert all(0 < frame < 2 * FPS for frame in made.record.hand_overs)
        assert way is bench.ways.Way.CASCADE or not made.record.gaps


def test_a_clip_of_a_chain_begins_with_the_frame_that_it_continues(bench: Any, stage: Any) -> None:
    ready = bench.operations.prepared(stage.pipe, stage.cases[0].portrait, stage.voice(2)[0], stage.work / "store")
    for kind in (bench.ways.Chained, bench.ways.Single):
        heads = []
        chain = kind(ready)
        film = chain.film
        chain.film = lambda first, last, head, film=film, heads=heads: heads.append(head) or film(first, last, head)
        ends = bench.ways.chain_ends(ready.plan)
        clips = list(chain.clips(ends))
        assert [len(clip) for clip in clips] == [b - a + 1 for a, b in pairwise(ends)]
        assert all(clip.shape[1:] == (SIDE, SIDE, 3) for clip in clips)
        if kind is bench.ways.Single:
            assert np.array_equal(heads[1], clips[0][-1])
            assert np.array_equal(heads[0], ready.material.portrait)


def test_the_comparison_says_what_it_did_not_run(bench: Any, stage: Any) -> None:
    stage.skip = ["single-2"]
    rows = {row.name: row for row in bench.cascade.comparison(stage)}
    unrun = [name for name, row in rows.items() if row.value == NOT_RUN]
    assert any(name.startswith("drift over 60 s") for name in unrun)
    assert any(name.startswith("memory: peak at 300 s") for name in unrun)
    seams = next(row for name, row in rows.items() if name.startswith("seams"))
    assert seams.value != NOT_RUN
    assert seams.passed is not None
    assert sorted(path.stem for path in stage.work.glob("*-2.mp4")) == ["cascade-2", "chained-2"]
    with Image.open(stage.pictures / "cascade.png") as sheet:
        assert min(sheet.size) > 3 * bench.cascade.CELL, "a video that was left out has an empty row"


def _judged(bench: Any, **changes: float) -> Any:
    values = dict.fromkeys(bench.cascade.Judged.__dataclass_fields__, 1.0) | changes
    return bench.cascade.Judged(**values)


def _rows(bench: Any, cascade: dict[str, float], other: dict[str, float]) -> dict[str, Row]:
    way = bench.ways.Way
    results = {(way.CASCADE, seconds): _judged(bench, **cascade) for seconds in (10, 60, 300)}
    results |= {(w, s): _judged(bench, **other) for w in (way.CHAINED, way.SINGLE) for s in (10, 60, 300)}
    return {row.name.split(":")[0].split(" over ")[0]: row for row in bench.cascade.comparison_rows(results, {})}


@pytest.mark.parametrize(
    "name, cascade, other, mark",
    [
        ("drift", {"drift": 0.05}, {"drift": 1.0}, "aim reached"),
        ("drift", {"drift": -0.5}, {"drift": 1.0}, "**failing**"),
        ("drift", {"drift": 0.0}, {"drift": -1.0}, "**failing**"),
        ("identity at 300 s", {"identity": 1.0, "colour": 1.2}, {}, "passes"),
        ("identity at 300 s", {"identity": 1.0, "colour": 1.4}, {}, "**failing**"),
        ("identity at 300 s", {"identity": float("nan")}, {}, "**failing**"),
        ("seams", {"seams": 1.0, "edges": 1.0}, {}, "aim reached"),
        ("seams", {"seams": 1.0, "edges": 1.4}, {}, "**failing**"),
        ("seams", {"seams": float("nan"), "edges": 1.0}, {}, "**failing**"),
        ("lip sync r in transitions", {"inside": 0.95}, {}, "passes"),
        ("lip sync r in transitions", {"inside": float("nan")}, {}, "**failing**"),
        ("time of the cascade", {"wall": 3.0}, {"wall": 10.0}, "passes"),
        ("time of the cascade", {"wall": 6.0}, {"wall": 10.0}, "**failing**"),
        ("time per second of final video, 2 workers, whole process", {"wall": 260.0}, {}, "**failing**"),
        ("time per second of final video, 2 workers, whole process", {"wall": 100.0}, {}, "passes"),
    ],
)
def test_bars(bench: Any, name: str, cascade: dict[str, float], other: dict[str, float], mark: str) -> None:
    assert _rows(bench, cascade, other)[name].mark == mark


def test_a_video_that_is_there_is_not_filmed_again_unless_the_model_changes(bench: Any, stage: Any) -> None:
    first = bench.filming.make(stage, bench.ways.Way.SINGLE, 2).video.stat().st_mtime_ns
    assert bench.filming.make(stage, bench.ways.Way.SINGLE, 2).video.stat().st_mtime_ns == first
    stage.backbone.profile = stage.backbone.profile.model_copy(update={"steps": 1})
    assert bench.filming.make(stage, bench.ways.Way.SINGLE, 2).video.stat().st_mtime_ns != first


def test_low_frames_are_those_that_super_resolution_was_given(
    bench: Any, stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = []
    upscale = MiniBackbone.upscale

    def spy(self: MiniBackbone, inputs: Any, low: np.ndarray) -> np.ndarray:
        given.append(low)
        return upscale(self, inputs, low)

    monkeypatch.setattr(MiniBackbone, "upscale", spy)
    film = stage.pipe(stage.cases[0].portrait, stage.voice(2)[0], output=stage.work / "o.mp4", workers=1)
    low = np.stack(list(bench.enlarging.low_frames(stage.pipe, film)))
    assert len(low) == 2 * FPS
    wanted = np.concatenate([given[0], *(clip[1:] for clip in given[1:])])[: len(low)]
    assert np.array_equal(low, wanted)
    small = bench.enlarging.save_low(stage.pipe, film, stage.work / "low.mp4")
    assert next(iter(read_frames(small))).shape == (64, 64, 3)


def test_super_resolution_is_judged_between_the_given_ends(bench: Any, stage: Any) -> None:
    triples = list(bench.enlarging.enlarged(stage, stage.cases[0]))
    assert len(triples) == 1
    assert all(frames.shape == (19, SIDE, SIDE, 3) for frames in triples[0])
    rows = bench.enlarging.super_resolution(stage)
    assert [row.mark for row in rows] != ["-", "-"]


def test_operations_grow_with_the_length_and_with_the_size(bench: Any, stage: Any) -> None:
    unit = bench.operations.unit_flops(stage)
    assert all(value > 0 for value in unit.values())
    assert unit["single-stage clip"] > 3 * unit["sub-clip"]
    way = bench.ways.Way
    short, long = (bench.operations.plan_flops(way.CASCADE, plan_frames(n), unit) for n in (250, 2500))
    assert long == pytest.approx(10 * short, rel=0.1)
    for kind in (way.CHAINED, way.SINGLE):
        assert bench.operations.plan_flops(kind, plan_frames(250), unit) > 0


def test_workers_are_timed_on_the_stages_that_they_share(bench: Any, stage: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(bench.cascade, "WORKER_SECONDS", 1)
    rows = bench.cascade.workers(stage)
    assert len(rows) == 2
    assert all(seconds > 0 for row in rows for seconds in row.figures.values())


def test_seams_and_options_are_compared(bench: Any, stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.cascade, "OPTION_SECONDS", 1)
    monkeypatch.setattr(bench.cascade, "SEAM_CASES", 1)
    stage.cases[0] = replace(stage.cases[0], voice=stage.voice(3)[0], opening=stage.voice(3)[1])
    assert len(bench.cascade.seams(stage)) == 3
    videos = [(stage.work / f"seam-{kind}-0.mp4").read_bytes() for kind in ("film", "fade", "cut")]
    assert len(set(videos)) == 3, "what joins clips shows in the video"
    assert len(bench.cascade.options(stage)) == 3
    videos = [(stage.work / f"option-{number}-0.mp4").read_bytes() for number in range(3)]
    assert len(set(videos)) == 3, "options show in the video"


def test_results_of_one_group_are_written_among_the_others(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.run
    monkeypatch.setattr(run, "HERE", tmp_path)
    first, second = (run.Run(f"command {k}", "today", "here", "abc") for k in (1, 2))
    run.write_results([run.Entry("sync", Row("lips", "0.7"), first), run.Entry("size", Row("side", "256"), first)], 8)
    run.write_results([run.Entry("sync", Row("lips", "0.8"), second)], 8)
    text = (tmp_path / "RESULTS.md").read_text()
    assert "| lips | 0.8 |" in text
    assert "| lips | 0.7 |" not in text
    assert "| side | 256 |" in text
    assert "`command 1`" in text
    assert "`command 2`" in text
    assert f"| kills | {NOT_RUN} |" in text
    assert text.index("## The mini") < text.index("lips") < text.index("## Cascade") < text.index("side")


def test_the_command_can_be_said_again_without_places(bench: Any) -> None:
    assert bench.run.said(None, "mini", None) == "make benchmark"
    words = bench.run.said(["size"], "/some/where/runs/mini_x", [10])
    assert words == "python benchmarks/run.py --only size --seconds 10 --model mini_x"
