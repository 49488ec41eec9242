"""Super-resolution on its own: against true frames, and whether lips still follow after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dramatis.app.job import job_folder
from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones.base import ClipInputs
from dramatis.cascade.blueprint import make_blueprint
from dramatis.cascade.clips import plan_clips
from dramatis.cascade.keyframes import choose_keyframes, upscale_keyframes
from dramatis.cascade.pipeline import RenderedVideo
from dramatis.cascade.plan import clips_from_keyframes
from dramatis.cascade.preparation import prepare
from dramatis.cascade.transitions import join_clips, plan_transitions, transition_keys
from dramatis.media import audio as sound
from dramatis.media.image import Pictures, downscale
from dramatis.media.video import VideoWriter, read_frames
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.motion.performance import unpack_controls
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.sampling.conditioning import enlarge
from dramatis.senses.hearing.prosody import listen, prosody_of
from dramatis.story.values import AUDIO_RATE
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.held_out import Case
from dramatis_lab.evaluate.measures.fidelity import compare_enlargements
from dramatis_lab.evaluate.measures.landmarks import face_readings, mouth_openings
from dramatis_lab.evaluate.measures.steadiness import FrameValues
from dramatis_lab.evaluate.measures.sync import lip_sync
from dramatis_lab.evaluate.report import Row, judged_row, unmeasured_row

SR_FRAMES = 21
"""Frames of a clip that is enlarged."""


def super_resolution_rows(bench: Bench) -> list[Row]:
    """Against true frames: what super-resolution adds to bicubic enlargement of the same low-resolution frames."""
    bars = ("+2 dB; 2x", "+5 dB; 4x")
    name = "super-resolution over bicubic: PSNR; Laplacian variance"
    if bench.scale == 1:
        return [
            unmeasured_row(name, *bars),
            unmeasured_row("lip sync r after super-resolution / before", "0.98", "1.0"),
        ]
    figures = [compare_enlargements(*frames) for case in bench.cases for frames in enlarged_clips(bench, case)]
    mean = {key: float(np.mean([clip[key] for clip in figures])) for key in figures[0]}
    gain, ratio = mean["psnr"] - mean["bicubic_psnr"], mean["over_bicubic"]
    row = judged_row(
        name,
        f"{gain:+.2f} dB; {ratio:.2f}x",
        *bars,
        gain >= 2 and ratio >= 2,
        gain >= 5 and ratio >= 4,
        {"gain": gain, **mean},
    )
    decibels = f"{mean['bicubic_psnr']:.1f} / {mean['psnr']:.1f} / {mean['autoencoder_psnr']:.1f} dB"
    sharpness = f"{mean['bicubic_over_true']:.2f} / {mean['over_true']:.2f} / {mean['autoencoder_over_true']:.2f}"
    against = Row("  bicubic / super-resolved / true through the autoencoder, against true", f"{decibels}; {sharpness}")
    return [row, against, lips_after_row(bench)]


def enlarged_clips(bench: Bench, case: Case) -> Iterator[tuple[Pictures, ...]]:
    """(true, bicubic, super-resolved, true through the autoencoder) frames of every clip, without the given ends.

    The low-resolution clip is the true one, scaled down and put through the autoencoder: the best that the
    low-resolution half could hand over. The true frames at both ends stand in for the keyframes.
    """
    backbone, scale, true = bench.backbone, bench.scale, case.at(bench.side)
    features, _ = backbone.encode_speech(case.voice, len(true))
    caption = json.loads((case.folder / "case.json").read_text())["whole_caption"]
    step = SR_FRAMES - 1
    for start in range(0, len(true) - step, step):
        part = slice(start, start + SR_FRAMES)
        clip = true[part]
        low = bench.round_trip(downscale(clip, scale))
        inputs = ClipInputs(
            head=clip[:1],
            tail=clip[-1:],
            reference=bench.reference(case),
            audio=features[None, part].astype(np.float32),
            performances=unpack_controls(case.controls[None, part]),
            anchors=case.anchors[None, part] * np.float32(bench.side / case.side),
            faces=case.anchors[:1] * np.float32(bench.side / case.side),
            positive=caption,
            negative="",
            seed=0,
        )
        plain = to_pictures(enlarge(to_tensor(low), (bench.side, bench.side)))
        stacks = (clip, plain, backbone.upscale_clip(inputs, low), bench.round_trip(clip))
        yield tuple(frames[1:-1] for frames in stacks)


def lips_after_row(bench: Bench) -> Row:
    """Lip sync of the same generated videos at both resolutions, both through the same video encoder."""
    low: list[FrameValues] = []
    high: list[FrameValues] = []
    for case_index, case in enumerate(bench.cases):
        video: RenderedVideo = bench.pipe(
            case.portrait, case.voice, output=bench.work / f"lips-{case_index}.mp4", size=bench.video_size
        )
        small = save_low_resolution(bench.pipe, video, bench.work / f"lips-{case_index}-low.mp4")
        for path, openings in ((small, low), (video.video, high)):
            frames = np.stack(list(read_frames(path)))
            openings.append(mouth_openings(face_readings(bench.perception, frames)))
    truth = [case.opening for case in bench.cases]
    before, after = (lip_sync(openings, truth).r for openings in (low, high))
    ratio = after / before if before > 0 else float("nan")
    value = f"{ratio:.3f} ({after:.3f} / {before:.3f})"
    name = "lip sync r after super-resolution / before"
    return judged_row(name, value, "0.98", "1.0", ratio >= 0.98, ratio >= 1, {"after": after, "before": before})


def save_low_resolution(pipe: AvatarPipeline, video: RenderedVideo, out: Path) -> Path:
    """Save the video as it was before super-resolution, from the artifacts of its job."""
    frames = list(low_resolution_frames(pipe, video))
    with VideoWriter(out, (frames[0].shape[1], frames[0].shape[0])) as writer:
        for frame in frames:
            writer.write(frame)
    return out


def low_resolution_frames(pipe: AvatarPipeline, video: RenderedVideo) -> Iterator[Pictures]:
    """Every low-resolution frame, (h, w, 3), with transitions in place. The stages find all their work done."""
    storyline = video.storyline
    observations = listen(sound.stream(Path(storyline.audio), AUDIO_RATE), storyline.frames)
    store = ArtifactStore(job_folder(video.video) / "store")
    job = prepare(storyline, [prosody_of(observations)], pipe.backbone, store, SerialExecutor(), NullReporter())
    blueprint = make_blueprint(job)
    chosen = choose_keyframes(job, blueprint)
    clips = clips_from_keyframes(job.plan, chosen)
    filmed = plan_clips(job, clips, upscale_keyframes(job, blueprint, chosen))
    transitions = plan_transitions(job, clips, filmed)
    seams = transition_keys(clips, transitions)
    for clip, work in zip(clips.clips, filmed, strict=True):
        frames = join_clips(job, clip, work.key, seams)
        yield from frames[clip.emit.start - clip.first : clip.emit.stop - clip.first]
