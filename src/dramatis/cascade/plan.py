"""The geometry of a whole video, before anything is computed: which frames each stage makes, and from what.

Pure integers, no pixels (report, section 3.1). How long clips are is a model's own, see `Geometry`; numbers in the
text below are the mini's. Three facts hold everywhere. Autoencoder clips have 4n+1 frames, so every clip here has
5, 9, ... 29 frames. Every keyframe lies on a multiple of four frames, so that
the blueprint, which is made at stride four, holds it. Two neighbouring sub-clips share their keyframe, and
the hand-over happens exactly there: the earlier clip keeps the frame, the later one drops it (handing over
before it shows as a jump).

The blueprint of a long video is made in two steps, whatever its length. Waypoints, one for every few seconds,
each grow from the reference image; clips whose first and last frames are waypoints fill the time between. So
no frame is more than two clips away from the reference, and what goes wrong in one place stays there.

Which blueprint frames become keyframes depends on what they look like, so planning has two halves:
`plan_cascade` lists the candidates of every boundary, and `clips_from_keyframes` turns the choice into
sub-clips and seams. Any choice is valid.

The high-resolution half hangs on the same values: the chosen keyframes are what the HR keyframe stage
upscales, one by one; `Seam.window` is what the transition stage synthesises anew; and a `SubClip` is the
time tile of super-resolution, with its two keyframes as HR anchors.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

from pydantic import Field

from dramatis.backbones.geometry import KEYFRAME_SLACK, SHORT_CLIPS, Geometry
from dramatis.story.storyline import Storyline
from dramatis.story.values import GRID, FrameSpan, Value


class KnownFrame(Value):
    """A frame of a blueprint clip that is known before the clip is made.

    `position` counts from the clip's first frame. `clip` is the key of the clip that made the frame, and
    `source` its position there; `clip` None stands for the reference image.
    """

    position: int = Field(ge=0)
    clip: str | None
    source: int = Field(ge=0, default=0)


class BlueprintClip(Value):
    """One clip of the blueprint: 5 to 29 frames at a large time stride.

    `frames` are absolute frame numbers; the last few of the video may lie past its end (see
    `CascadePlan.clamp`). They follow one another at stride 4, but for the first of a `waypoint`, which is the reference
    image, frame 0; the waypoint itself comes next. `shots` names the shot of each frame; the reference of a waypoint
    counts to the waypoint's.
    """

    key: str
    waypoint: bool
    frames: tuple[int, ...]
    given: tuple[KnownFrame, ...]
    shots: tuple[int, ...]

    @property
    def start(self) -> int:
        """The first frame."""
        return self.frames[0]

    @property
    def dependencies(self) -> tuple[str, ...]:
        """Keys of the clips that must be made before this one."""
        return tuple(dict.fromkeys(given.clip for given in self.given if given.clip is not None))


class Boundary(Value):
    """A planned border between two sub-clips, and the blueprint frames that may become its keyframe, in order."""

    planned: int
    candidates: tuple[int, ...]
    shot: int


class CascadePlan(Value):
    """What the low-resolution cascade makes, as geometry.

    `frames` is the length of the video; `padded` (4n+1, at most three more, at least 5) is the length that
    sub-clips cover. `blueprint` is ordered so that every clip comes after the one that it depends on.
    `boundaries` run from frame 0 to frame `padded - 1`, both included, with one candidate each at the ends,
    at shot boundaries and at the user's own keyframes.
    """

    frames: int = Field(ge=1)
    padded: int
    geometry: Geometry
    shots: tuple[FrameSpan, ...]
    blueprint: tuple[BlueprintClip, ...]
    boundaries: tuple[Boundary, ...]

    def clamp(self, frame: int) -> int:
        """Where on the timeline a frame takes its audio and controls from: past the end the last frame is held."""
        return min(frame, self.frames - 1)

    @cached_property
    def _finest(self) -> tuple[tuple[int, ...], tuple[BlueprintClip, ...]]:
        clips = tuple(clip for clip in self.blueprint if not clip.waypoint)
        return tuple(clip.start for clip in clips), clips

    def blueprint_source(self, frame: int) -> tuple[str, int]:
        """The key of the clip that shows `frame` (a multiple of four), and the frame's position in it.

        A frame that two clips share belongs to the later one, where it is the first frame, given as it stands.
        """
        starts, clips = self._finest
        clip = clips[bisect_right(starts, frame) - 1]
        position, rest = divmod(frame - clip.start, GRID)
        if rest or frame < 0 or position >= len(clip.frames):
            raise ValueError(f"the blueprint has no frame {frame}")
        return clip.key, position


class SubClip(Value):
    """A clip between two keyframes, both included: 5, 9, ... 29 frames at full rate, first and last given.

    `emit` holds the frames that this clip contributes to the video: the first keyframe belongs to the clip
    before, and frames past the end of the video are trimmed.
    """

    index: int = Field(ge=0)
    first: int = Field(ge=0)
    last: int
    shot: int
    emit: FrameSpan

    @property
    def length(self) -> int:
        """Frames in the clip, 4n+1."""
        return self.last - self.first + 1

    @property
    def key(self) -> str:
        """The clip's name in seeds and artifacts: its place on the timeline, so other clips' edits leave it alone."""
        return f"clip/{self.first}-{self.last}"


class Seam(Value):
    """The border of sub-clips `left` and `left + 1` at keyframe `frame`.

    `window` is the transition clip around it (4n+1 frames within the two clips), of which `tail` frames at its end
    and one more at its start are given; what lies between, if anything, is filmed from both sides and the audio.
    """

    frame: int
    left: int
    window: FrameSpan
    tail: int

    @property
    def head(self) -> int:
        """Frames given before the gap, on the 4n+1 grid."""
        return self.tail + 1

    @property
    def gap(self) -> range:
        """The frames that a transition makes anew; empty where the clips around it are too short."""
        return range(self.window.start + self.head, self.window.stop - self.tail)


class ClipPlan(Value):
    """The full-rate half of the plan: sub-clips in order and the seams between them."""

    clips: tuple[SubClip, ...]
    seams: tuple[Seam, ...]


def plan_cascade(storyline: Storyline, geometry: Geometry = SHORT_CLIPS) -> CascadePlan:
    """Plan blueprint and boundaries of a storyline: its shot boundaries and its shots' own keyframes become keyframes.

    geometry: of the model that films it.
    """
    wanted = [frame for shot in storyline.shots for frame in shot.keyframes]
    return plan_frames(storyline.frames, [shot.span for shot in storyline.shots], wanted, geometry)


def plan_frames(
    frames: int,
    shots: Sequence[FrameSpan] | None = None,
    keyframes: Sequence[int] = (),
    geometry: Geometry = SHORT_CLIPS,
) -> CascadePlan:
    """Plan a video of `frames` frames.

    `shots` tile it and begin on multiples of four; `keyframes` snap to that grid.
    """
    spans = tuple(shots) if shots else (FrameSpan(0, frames),)
    padded = max(_round_up(frames - 1, GRID), GRID) + 1
    return CascadePlan(
        frames=frames,
        padded=padded,
        geometry=geometry,
        shots=spans,
        blueprint=_blueprint(frames, spans, geometry),
        boundaries=_boundaries(padded, spans, keyframes, geometry),
    )


def clips_from_keyframes(plan: CascadePlan, chosen: Sequence[int]) -> ClipPlan:
    """Sub-clips and seams for one chosen keyframe per boundary; ValueError if one is not among its candidates."""
    if len(chosen) != len(plan.boundaries):
        raise ValueError(f"{len(plan.boundaries)} boundaries need as many keyframes, not {len(chosen)}")
    for boundary, frame in zip(plan.boundaries, chosen, strict=True):
        if frame not in boundary.candidates:
            raise ValueError(f"keyframe {frame} is not a candidate of the boundary planned at {boundary.planned}")
    starts = [span.start for span in plan.shots]
    clips = tuple(
        SubClip(
            index=index,
            first=first,
            last=last,
            shot=bisect_right(starts, first) - 1,
            emit=FrameSpan(first + 1 if index else 0, min(last + 1, plan.frames)),
        )
        for index, (first, last) in enumerate(pairwise(chosen))
    )
    return ClipPlan(clips=clips, seams=tuple(_seam(left, right, plan.geometry) for left, right in pairwise(clips)))


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _seam(left: SubClip, right: SubClip, geometry: Geometry) -> Seam:
    """The transition between two clips.

    Its window leaves the far ends of short clips to the seams there, so that no transition is given what another
    makes anew.
    """
    steps = min(left.length, right.length) - 1
    reach = min(geometry.seam_reach, steps - GRID, (steps + geometry.seam_given) // 2 // GRID * GRID)
    window = FrameSpan(left.last - reach, left.last + reach + 1)
    return Seam(frame=left.last, left=left.index, window=window, tail=geometry.seam_given)


def _boundaries(
    padded: int, spans: Sequence[FrameSpan], keyframes: Sequence[int], geometry: Geometry
) -> tuple[Boundary, ...]:
    """Fixed keyframes first, then evenly planned ones between them, with candidates within `KEYFRAME_SLACK` frames.

    Between two fixed frames that are more than 28 apart, planned lengths are 12 to 20 steps, so that with
    either end moved by four every clip still has 4 to 28 steps: the candidates of different boundaries can
    be chosen independently.
    """
    starts = [span.start for span in spans]
    snapped = (min(round(frame / GRID) * GRID, padded - 1) for frame in keyframes)
    fixed = sorted({0, padded - 1, *starts, *snapped})
    boundaries = [Boundary(planned=0, candidates=(0,), shot=0)]
    for first, last in pairwise(fixed):
        steps = (last - first) // GRID
        count = 1 if steps * GRID <= geometry.clip_steps else -(-steps * GRID // geometry.nominal_steps)
        for part in range(1, count + 1):
            planned = first + GRID * (steps * part // count)
            reach = KEYFRAME_SLACK if part < count else 0
            candidates = tuple(range(planned - reach, planned + reach + 1, GRID))
            boundaries.append(Boundary(planned=planned, candidates=candidates, shot=bisect_right(starts, planned) - 1))
    return tuple(boundaries)


def _blueprint(frames: int, spans: Sequence[FrameSpan], geometry: Geometry) -> tuple[BlueprintClip, ...]:
    """The blueprint's clips, waypoints first.

    The clips run to a multiple of 16 frames, up to 15 past the end, so that all have 4n+1 frames.
    """
    numbers = list(range(0, max(_round_up(frames - 1, 4 * GRID), 4 * GRID) + 1, GRID))
    units = (len(numbers) - 1) // 4
    count = -(-len(numbers[1:]) // geometry.clip_steps)
    borders = [numbers[4 * (units * part // count)] for part in range(count + 1)]
    waypoints = [_waypoint(border, frames, spans) for border in (borders[1:] if count > 1 else [])]
    keys = [None, *(waypoint.key for waypoint in waypoints)]
    clips = [
        BlueprintClip(
            key=f"blueprint/{first}",
            waypoint=False,
            frames=tuple(range(first, last + 1, GRID)),
            given=_given((last - first) // GRID, keys[index : index + 2]),
            shots=tuple(_shot_of(frame, frames, spans) for frame in range(first, last + 1, GRID)),
        )
        for index, (first, last) in enumerate(pairwise(borders))
    ]
    return (*waypoints, *clips)


def _waypoint(frame: int, frames: int, spans: Sequence[FrameSpan]) -> BlueprintClip:
    """Frame `frame` as it grows from the reference image.

    The autoencoder keeps four frames in one latent, which only holds what moves a little from one to the next. So a
    waypoint shares its latent with its own successors: with frames seconds away, faces smear
    (docs/decisions/cascade.md).
    """
    members = tuple(range(frame, frame + 4 * GRID, GRID))
    return BlueprintClip(
        key=f"waypoint/{frame}",
        waypoint=True,
        frames=(0, *members),
        given=(KnownFrame(position=0, clip=None),),
        shots=tuple(_shot_of(number, frames, spans) for number in (frame, *members)),
    )


def _given(steps: int, ends: Sequence[str | None]) -> tuple[KnownFrame, ...]:
    """What a clip of so many steps starts from: the waypoints at its ends, of which frame 0 is the reference image."""
    head, *tail = ends
    start = KnownFrame(position=0, clip=head, source=0 if head is None else 1)
    return (start, *(KnownFrame(position=steps, clip=key, source=1) for key in tail))


def _shot_of(frame: int, frames: int, spans: Sequence[FrameSpan]) -> int:
    """The shot that a frame belongs to; past the end the last."""
    return bisect_right([span.start for span in spans], min(frame, frames - 1)) - 1
