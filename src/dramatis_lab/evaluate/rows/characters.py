"""Rows about several people in one picture: are the masks right, does the right one speak, are the others still?

The scenes are filmed at the low resolution, where everything but detail is decided, with every assignment of the voices
to the people, and with one voice at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations

import numpy as np
import torch
from PIL import Image

from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones.base import ClipInputs
from dramatis.backbones.mini import MiniBackbone
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import read_frames
from dramatis.sampling.gating import Gating
from dramatis.story.values import FPS
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.group_scenes import GroupScene, load_group_scenes
from dramatis_lab.evaluate.measures.landmarks import SETTLING_FRAMES, face_readings, mouth_openings
from dramatis_lab.evaluate.measures.sync import correlation
from dramatis_lab.evaluate.report import Row, judged_row
from dramatis_lab.evaluate.rows.group_videos import GroupVideo, group_mouths, render_scene, true_heads
from dramatis_lab.evaluate.rows.masks import mask_rows, true_clip_inputs


class BoxGatedBackbone(MiniBackbone):
    """Everybody's voice reaches the box that the person has in the portrait, wherever the person goes."""

    boxes: tuple[tuple[float, float, float, float], ...] = ()

    def gating(self, inputs: ClipInputs) -> Gating | None:
        plain = super().gating(inputs)
        assert plain is not None
        _, _, _, height, width = plain.shares.shape
        inside = torch.zeros(len(self.boxes), height, width)
        for mask, (left, top, right, bottom) in zip(inside, self.boxes, strict=True):
            mask[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 1
        # Where boxes overlap, each has its share; outside of all boxes everybody has the same.
        shares = torch.where(inside.sum(0) > 0, inside / inside.sum(0).clamp_min(1), 1 / len(inside))
        return Gating(shares[None, :, None].expand_as(plain.shares))


def character_rows(bench: Bench) -> list[Row]:
    """All rows about several people."""
    scenes = load_group_scenes()
    return [*mask_rows(bench, scenes), *voice_rows(bench, scenes), *gate_rows(bench, scenes), cost_row(bench, scenes)]


def voice_rows(bench: Bench, scenes: Sequence[GroupScene]) -> list[Row]:
    """One speaks and the others listen; all speak, in every assignment; the same voices in portraits of one person."""
    ratios: list[float] = []
    right: list[bool] = []
    sync: list[float] = []
    pipe = bench.with_profile({"high": None})
    for scene in scenes:
        for speaker in range(scene.people):
            motion = render_scene(bench, pipe, scene, _alone(scene, speaker), "predicted").mouth_motion
            ratios.append(np.delete(motion, speaker).mean() / motion[speaker])
        for voices in permutations(range(scene.people)):
            video = render_scene(bench, pipe, scene, voices, "predicted")
            right += video.right_voice
            sync += video.own_voice_sync
    still, share, r = float(np.mean(ratios)), float(np.mean(right)), float(np.mean(sync))
    single = single_portrait_sync(bench, scenes)
    name = "mouth motion of who is silent over that of who speaks"
    rows = [judged_row(name, f"{still:.3f}", "< 0.2", "< 0.05", still < 0.2, still < 0.05)]
    name = f"right voice on the right person, all assignments ({len(right)} people)"
    rows.append(judged_row(name, f"{100 * share:.1f} %", "98 %", "100 %", share >= 0.98, share == 1.0))
    name = "lip sync r of each of several, and of the same voices in portraits of one"
    rows.append(judged_row(name, f"{r:.2f}; {single:.2f}", "within 0.1", "equal", r >= single - 0.1, r >= single))
    return [*rows, true_video_row(bench, scenes)]


def true_video_row(bench: Bench, scenes: Sequence[GroupScene]) -> Row:
    """The same measure on the true videos."""
    videos = [
        GroupVideo(
            scene,
            tuple(range(scene.people)),
            group_mouths(bench.perception, scene.frames, true_heads(bench.perception, scene)),
        )
        for scene in scenes
    ]
    r = float(np.mean([value for video in videos for value in video.own_voice_sync]))
    right = float(np.mean([value for video in videos for value in video.right_voice]))
    name = "  the measure itself, on the true videos of these scenes: lip sync r, right voice"
    return Row(name, f"{r:.2f}, {100 * right:.0f} %", figures={"r": r, "right": right})


def _alone(scene: GroupScene, speaker: int) -> tuple[int | None, ...]:
    """The assignment in which one person speaks with their own voice."""
    return tuple(speaker if person == speaker else None for person in range(scene.people))


def single_portrait_sync(bench: Bench, scenes: Sequence[GroupScene]) -> float:
    """Mean lip sync r of the voices of the scenes, each in a portrait of one held-out person."""
    pipe = bench.with_profile({"high": None})
    values = []
    voices = [(scene, person) for scene in scenes for person in range(scene.people)]
    for index, (scene, person) in enumerate(voices):
        case = bench.cases[index % len(bench.cases)]
        output = bench.work / f"single-{scene.folder.name}-{person}.mp4"
        video = pipe(case.portrait, scene.voices[person], "neutral, static camera", output=output).video
        openings = mouth_openings(face_readings(bench.perception, np.stack(list(read_frames(video)))))
        true = scene.opening[person, SETTLING_FRAMES : len(openings)]
        values.append(correlation(openings[SETTLING_FRAMES:], true))
    return float(np.mean(values))


def gate_rows(bench: Bench, scenes: Sequence[GroupScene]) -> list[Row]:
    """The same scenes without gates, with boxes and with predicted masks: all speak, and one speaks alone."""
    figures: dict[str, tuple[float, float, float]] = {}
    cells, labels = [], []
    for gates, pipe_of in _gated_pipelines(bench).items():
        sync: list[float] = []
        right: list[bool] = []
        ratios: list[float] = []
        for scene in scenes:
            video = render_scene(bench, pipe_of(scene), scene, range(scene.people), gates)
            sync += video.own_voice_sync
            right += video.right_voice
            motion = render_scene(bench, pipe_of(scene), scene, _alone(scene, 0), gates).mouth_motion
            ratios.append(motion[1:].mean() / motion[0])
            if scene is scenes[0]:
                name = "".join(map(str, range(scene.people)))
                frames = list(read_frames(bench.work / f"{scene.folder.name}-{gates}-{name}.mp4"))
                for frame_index in (16, 28, 40, 52):
                    cells.append(Image.fromarray(frames[frame_index]))
                    labels.append(f"{gates}, {frame_index / FPS:.1f} s")
        figures[gates] = float(np.mean(sync)), float(np.mean(right)), float(np.mean(ratios))
    contact_sheet(cells, labels, columns=4).save(bench.pictures / "gates.png")
    value = "; ".join(f"{r:.2f}, {100 * share:.0f} %, {still:.2f}" for r, share, still in figures.values())
    r, share, still = figures["predicted"]
    best = all(r >= other[0] and share >= other[1] and still <= other[2] for other in figures.values())
    name = "no gates; box masks; predicted masks: lip sync r, right voice, mouth motion of the silent"
    lists = {gates: list(values) for gates, values in figures.items()}
    return [Row(name, value, "predicted best", "", best, figures=lists)]


def _gated_pipelines(bench: Bench) -> dict[str, Callable[[GroupScene], AvatarPipeline]]:
    """Kind of gates -> what opens the pipeline that films a scene with them."""
    none, predicted = (bench.with_profile({"high": None, "groups.gates": gates}) for gates in ("none", "predicted"))
    return {
        "none": lambda _scene: none,
        "boxes": partial(_box_gated_pipeline, bench),
        "predicted": lambda _scene: predicted,
    }


def _box_gated_pipeline(bench: Bench, scene: GroupScene) -> AvatarPipeline:
    backbone = bench.backbone_of(BoxGatedBackbone, {"high": None, "groups.gates": "heads"})
    rows = scene.masks[0].any(2), scene.masks[0].any(1)
    height, width = scene.masks.shape[2:]
    edges = [(np.flatnonzero(across), np.flatnonzero(down)) for down, across in zip(*rows, strict=True)]
    backbone.boxes = tuple((x[0] / width, y[0] / height, (x[-1] + 1) / width, (y[-1] + 1) / height) for x, y in edges)
    return AvatarPipeline(backbone, "boxes")


def cost_row(bench: Bench, scenes: Sequence[GroupScene]) -> Row:
    """Time of one clip of three people of whom one, two or three are characters, the quickest of several."""
    scene = next(scene for scene in scenes if scene.people == 3)
    backbone = bench.backbone_of(MiniBackbone)
    inputs = true_clip_inputs(backbone, scene)
    seconds = []
    for count in (1, 2, 3):
        names = ("audio", "performances", "anchors", "faces")
        subset = ClipInputs(**{**vars(inputs), **{name: getattr(inputs, name)[:count] for name in names}})
        backbone.generate_clip(subset)
        times = []
        for _ in range(3):
            started = time.perf_counter()
            backbone.generate_clip(subset)
            times.append(time.perf_counter() - started)
        seconds.append(min(times))
    extra = (seconds[2] / seconds[0] - 1) / 2
    second = seconds[1] / seconds[0] - 1
    value = f"{100 * extra:.0f} % (the second {100 * second:.0f} %)"
    return judged_row(
        "extra time of each added character, same picture", value, "< 15 %", "< 5 %", extra < 0.15, extra < 0.05
    )
