"""Super-resolution on its own: against true frames, and whether lips still follow after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from dramatis.app.pipeline import AvatarPipeline, job_folder
from dramatis.backbones.base import ClipInputs
from dramatis.backbones.mini import MiniBackbone
from dramatis.cascade.blueprint import make_blueprint
from dramatis.cascade.clips import plan_clips
from dramatis.cascade.keyframes import choose_keyframes, upscale_keyframes
from dramatis.cascade.pipeline import Film, prepare
from dramatis.cascade.plan import clips_from_keyframes
from dramatis.cascade.transitions import joined, plan_transitions, transition_keys
from dramatis.media import audio as sound
from dramatis.media.image import Pictures, shrunk
from dramatis.media.video import VideoWriter, read_frames
from dramatis.models.pictures import to_pictures, to_tensor
from dramatis.models.speech import SAMPLE_RATE
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.sampling.conditioning import enlarge
from dramatis.senses.hearing.prosody import listen, prosody_of
from dramatis_lab.evaluate import measures
from dramatis_lab.evaluate.report import Row, judged, unmeasured
from dramatis_lab.train.autoencoder import laplacian
from filming import Stage
from held_out import Case

SR_FRAMES = 21


def super_resolution(stage: Stage) -> list[Row]:
    """Against true frames: what super-resolution adds to bicubic enlargement of the same low-resolution frames."""
    bars = ("+2 dB; 2x", "+5 dB; 4x")
    name = "super-resolution over bicubic: PSNR; Laplacian variance"
    if stage.scale == 1:
        return [unmeasured(name, *bars), unmeasured("lip sync r after super-resolution / before", "0.98", "1.0")]
    found = [compared(*frames) for case in stage.cases for frames in enlarged(stage, case)]
    mean = {name: float(np.mean([one[name] for one in found])) for name in found[0]}
    gain, ratio = mean["psnr"] - mean["bicubic_psnr"], mean["over_bicubic"]
    row = judged(
        name,
        f"{gain:+.2f} dB; {ratio:.2f}x",
        *bars,
        gain >= 2 and ratio >= 2,
        gain >= 5 and ratio >= 4,
        gain=gain,
        **mean,
    )
    decibels = f"{mean['bicubic_psnr']:.1f} / {mean['psnr']:.1f} / {mean['autoencoder_psnr']:.1f} dB"
    sharpness = f"{mean['bicubic_over_true']:.2f} / {mean['over_true']:.2f} / {mean['autoencoder_over_true']:.2f}"
    against = Row("  bicubic / super-resolved / true through the autoencoder, against true", f"{decibels}; {sharpness}")
    return [row, against, lips_after(stage)]


def compared(true: Pictures, plain: Pictures, made: Pictures, bound: Pictures) -> dict[str, float]:
    """PSNR (dB) and ratios of Laplacian variances of one clip's frames; all stacks (F, H, W, 3)."""
    return {
        "psnr": measures.psnr(made, true),
        "bicubic_psnr": measures.psnr(plain, true),
        "autoencoder_psnr": measures.psnr(bound, true),
        "over_bicubic": detail(made) / detail(plain),
        "over_true": detail(made) / detail(true),
        "bicubic_over_true": detail(plain) / detail(true),
        "autoencoder_over_true": detail(bound) / detail(true),
    }


def detail(frames: Pictures) -> float:
    """Variance of the Laplacian of whole frames."""
    return float(laplacian(to_tensor(frames)).var())


def enlarged(stage: Stage, case: Case) -> Iterator[tuple[Pictures, ...]]:
    """(true, bicubic, super-resolved, true through the autoencoder) frames of every clip, given ends left out.

    The low-resolution clip is the true one, made small and through the autoencoder: the best that the low-resolution
    half could hand over. The true frames at both ends stand in for the keyframes.
    """
    backbone, scale, true = stage.backbone, stage.scale, case.at(stage.side)
    features, _ = backbone.hear(case.voice, len(true))
    caption = json.loads((case.folder / "case.json").read_text())["whole_caption"]
    step = SR_FRAMES - 1
    for start in range(0, len(true) - step, step):
        part = slice(start, start + SR_FRAMES)
        clip = true[part]
        low = round_trip(backbone, shrunk(clip, scale))
        inputs = ClipInputs(
            head=clip[:1],
            tail=clip[-1:],
            reference=stage.reference(case),
            audio=features[None, part].astype(np.float32),
            controls=case.controls[None, part],
            anchors=case.anchors[None, part] * np.float32(stage.side / case.side),
            faces=case.anchors[:1] * np.float32(stage.side / case.side),
            positive=caption,
            negative="",
            seed=0,
        )
        plain = to_pictures(enlarge(to_tensor(low), (stage.side, stage.side)))
        stacks = (clip, plain, backbone.upscale(inputs, low), round_trip(backbone, clip))
        yield tuple(frames[1:-1] for frames in stacks)


@torch.no_grad()
def round_trip(backbone: MiniBackbone, frames: Pictures) -> Pictures:
    """Frames through the autoencoder."""
    net = backbone.autoencoder
    return to_pictures(net.decode(net.encode(to_tensor(frames).to(backbone.dtype))))


def lips_after(stage: Stage) -> Row:
    """The same generated videos at both resolutions, both through the same encoder, against the true openings."""
    low_seen, high_seen = [], []
    for place, case in enumerate(stage.cases):
        film: Film = stage.pipe(case.portrait, case.voice, output=stage.work / f"lips-{place}.mp4")
        small = save_low(stage.pipe, film, stage.work / f"lips-{place}-low.mp4")
        for path, seen in ((small, low_seen), (film.video, high_seen)):
            frames = np.stack(list(read_frames(path)))
            seen.append(measures.openings(measures.see(stage.backbone.eye, frames)))
    truth = [case.opening for case in stage.cases]
    before, after = (measures.lip_sync(seen, truth).r for seen in (low_seen, high_seen))
    ratio = after / before if before > 0 else float("nan")
    value = f"{ratio:.3f} ({after:.3f} / {before:.3f})"
    name = "lip sync r after super-resolution / before"
    return judged(name, value, "0.98", "1.0", ratio >= 0.98, ratio >= 1, after=after, before=before)


def save_low(pipe: AvatarPipeline, film: Film, out: Path) -> Path:
    """The video as it was before super-resolution, read from the film's own artifacts."""
    with VideoWriter(out, _low_size(pipe, film)) as video:
        for frame in low_frames(pipe, film):
            video.write(frame)
    return out


def _low_size(pipe: AvatarPipeline, film: Film) -> tuple[int, int]:
    scale = pipe.backbone.profile.scale
    return film.storyline.width // scale, film.storyline.height // scale


def low_frames(pipe: AvatarPipeline, film: Film) -> Iterator[Pictures]:
    """Every low-resolution frame with transitions in place, (h, w, 3). The stages find all their work done."""
    storyline = film.storyline
    observations = listen(sound.stream(Path(storyline.audio), SAMPLE_RATE), storyline.frames)
    store = ArtifactStore(job_folder(film.video) / "store")
    stage = prepare(storyline, [prosody_of(observations)], pipe.backbone, store, SerialExecutor(), NullReporter())
    blueprint = make_blueprint(stage)
    chosen = choose_keyframes(stage, blueprint)
    clips = clips_from_keyframes(stage.plan, chosen)
    filmed = plan_clips(stage, clips, upscale_keyframes(stage, blueprint, chosen))
    transitions = plan_transitions(stage, clips, filmed)
    seams = transition_keys(clips, transitions)
    for clip, work in zip(clips.clips, filmed, strict=True):
        frames = joined(stage, clip, work.key, seams)
        yield from frames[clip.emit.start - clip.first : clip.emit.stop - clip.first]
