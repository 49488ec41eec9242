"""The prompts that clips are filmed with: the storyline's words for some shots and frames, as one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from dramatis.cascade.plan import CascadePlan, clips_from_keyframes
from dramatis.story.storyline import Storyline
from dramatis.story.values import FrameSpan


def clip_prompts(
    storyline: Storyline, plan: CascadePlan, frames: Sequence[int], shots: Iterable[int]
) -> tuple[str, str]:
    """Positive and negative prompt for a clip of these frames that shows these shots."""
    first, last = plan.clamp(frames[0]), plan.clamp(frames[-1])
    positive, negative = storyline.words(shots, FrameSpan(first, last + 1))
    return join_prompts(positive), join_terms(negative)


def every_prompt(storyline: Storyline, plan: CascadePlan) -> Iterator[str]:
    """Every prompt that a clip of any stage may be filmed with, whichever keyframes are chosen, in no order."""
    for frames, shots in set(_every_clip(plan)):
        yield from clip_prompts(storyline, plan, frames, shots)


def _every_clip(plan: CascadePlan) -> Iterator[tuple[tuple[int, int], tuple[int, ...]]]:
    """First and last frame, and shots, of every clip that may be filmed."""
    for clip in plan.blueprint:
        clip_frames = clip.frames[clip.waypoint :]
        yield (clip_frames[0], clip_frames[-1]), clip.shots
    for boundary in plan.boundaries:
        yield from (((frame, frame), ()) for frame in boundary.candidates)
    # A clip hangs on two keyframes and a seam on three in a row: every third boundary may choose alike.
    for choice in product(range(3), repeat=3):
        boundaries = enumerate(boundary.candidates for boundary in plan.boundaries)
        chosen = [candidates[choice[index % 3] % len(candidates)] for index, candidates in boundaries]
        clips = clips_from_keyframes(plan, chosen)
        yield from (((clip.first, clip.last), (clip.shot,)) for clip in clips.clips)
        for seam in clips.seams:
            sides = clips.clips[seam.left : seam.left + 2]
            yield (seam.window.start, seam.window.stop - 1), tuple(clip.shot for clip in sides)


def join_prompts(parts: Sequence[str]) -> str:
    """Prompts of several shots as one, without repeats, in order."""
    return ". ".join(dict.fromkeys(part.strip(" .") for part in parts if part.strip(" .")))


def join_terms(parts: Sequence[str]) -> str:
    """Negative prompts, lists of terms, as one list; each term once, since repeats crowd out what a model reads."""
    terms = (term.strip(" .") for part in parts for term in part.split(","))
    first_spelling: dict[str, str] = {}
    for term in terms:
        first_spelling.setdefault(term.casefold(), term)
    return ", ".join(term for term in first_spelling.values() if term)
