from __future__ import annotations

import random
from itertools import pairwise

import pytest

from dramatis.backbones.geometry import Geometry
from dramatis.cascade.plan import CascadePlan, clips_from_keyframes, plan_cascade
from dramatis.cascade.prompts import clip_prompts, every_prompt, join_prompts, join_terms
from dramatis.story.storyline import Moment, Shot, Storyline
from dramatis.story.values import FrameSpan


def test_prompts_join_without_repeats_or_double_stops() -> None:
    assert join_prompts(["She smiles.", " slow push-in", "", "She smiles", "."]) == "She smiles. slow push-in"
    assert join_prompts([]) == ""
    assert join_terms(["sad, blurry.", "Blurry, sad", "", "too dark,"]) == "sad, blurry, too dark"
    assert join_terms([]) == ""


def story(frames: int) -> Storyline:
    """Shots of uneven lengths, with many short moments: prompts hang on exactly where a clip begins and ends."""
    cuts = [*range(0, frames - 40, 92), frames]
    shots = []
    for index, (start, stop) in enumerate(pairwise(cuts)):
        moments = tuple(
            Moment(span=FrameSpan(at, min(at + 6, stop)), positive=f"moment {at}") for at in range(start, stop, 6)
        )
        span = FrameSpan(start, stop)
        shots.append(Shot(index=index, span=span, positive=f"shot {index}", negative=f"fault {index}", moments=moments))
    return Storyline(image="a", audio="b", frames=frames, width=128, height=128, positive="all", shots=tuple(shots))


def asked(storyline: Storyline, plan: CascadePlan, chosen: list[int]) -> set[str]:
    """What the stages ask for once keyframes are chosen."""
    prompts: list[str] = []

    def ask(frames: range | tuple[int, ...], shots: tuple[int, ...]) -> None:
        prompts.extend(clip_prompts(storyline, plan, frames, shots))

    for clip in plan.blueprint:
        ask(clip.frames[clip.waypoint :], clip.shots)
    for frame in chosen[1:]:
        ask((frame,), ())
    clips = clips_from_keyframes(plan, chosen)
    for sub in clips.clips:
        ask(range(sub.first, sub.last + 1), (sub.shot,))
    for seam in clips.seams:
        ask(range(seam.window.start, seam.window.stop), tuple(c.shot for c in clips.clips[seam.left : seam.left + 2]))
    return set(prompts)


@pytest.mark.parametrize("geometry", [Geometry(), Geometry(clip_steps=76, seam_reach=16, seam_given=8)])
def test_every_prompt_is_known_before_keyframes_are_chosen(geometry: Geometry) -> None:
    storyline = story(470)
    plan = plan_cascade(storyline, geometry)
    known = set(every_prompt(storyline, plan))
    assert len(known) > 40
    generator = random.Random(0)
    for _ in range(30):
        chosen = [generator.choice(boundary.candidates) for boundary in plan.boundaries]
        assert asked(storyline, plan, chosen) <= known
