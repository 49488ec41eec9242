"""When things happen: shots that tile the audio, cut where the voice pauses or changes, and gestures on its accents.

Shots last three to six seconds if the voice allows it. Cuts are placed by dynamic programming over the four-frame grid:
every possible cut gains by a pause or a change of loudness, and every shot pays for being too short or too long
(report, section 3.2: segment plans aligned with the audio).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from dramatis.director.language.direction import GestureWish, Step
from dramatis.story.observations import VOICE_KINDS, AudioObservations
from dramatis.story.values import FPS, GRID, FrameSpan, Gesture, GestureName

NOMINAL_SECONDS = (3.0, 6.0)
_SHORTEST_SECONDS = 1.0
_LONGEST_SECONDS = 9.0
_LEAD_FRAMES = 2
"""Frames between a cut and the voice that follows it: a person moves just before they speak."""
_SEARCH_SECONDS = 1.2
_ON_BEAT = 0.5
"""Gain of a cut on a beat: less than of one in a pause, more than of one anywhere else."""
_ON_SPEAKER_CHANGE = 1.5
"""Gain of a cut where somebody else begins to speak, added to that of a pause there."""
_ACCENT_FRAMES = 12

_LENGTHS: dict[GestureName, int] = {
    "nod": 28, "shake": 32, "tilt_left": 50, "tilt_right": 50, "turn_left": 50, "turn_right": 50,
    "lean_in": 75, "lean_back": 75, "look_up": 32, "look_down": 32, "look_left": 32, "look_right": 32,
    "raise_brows": 24,
}  # fmt: skip
_POSTURES = ("lean_in", "lean_back")
"""Gestures that are held until the end of the step."""


def cut_gains(observations: AudioObservations) -> list[float]:
    """Gain of a cut at frame 0, 4, 8 ...: up to about 2, just before the voice sets in after a long pause."""
    count = -(-observations.frames // GRID)
    energy = observations.energy
    gains = []
    for position in range(count):
        frame = position * GRID
        around = energy[max(0, frame - 2) : frame + 3]
        before, after = energy[max(0, frame - 12) : frame], energy[frame : frame + 12]
        quiet = 1.0 - sum(around) / len(around)
        turn = abs(_mean(after) - _mean(before))
        gains.append(0.3 * quiet + 0.3 * turn)
    for frame in observations.beats:
        gains[min(count - 1, round(frame / GRID))] += _ON_BEAT
    for frame in speaker_changes(observations):
        gains[min(count - 1, round(frame / GRID))] += _ON_SPEAKER_CHANGE
    # While only noise is heard, the voice pauses as well.
    for event in (*observations.of_kind("pause"), *observations.of_kind("noise")):
        weight = 0.7 + 0.5 * min(1.0, event.span.seconds)
        goal = max(event.span.start, event.span.stop - _LEAD_FRAMES)
        for position in range(-(-event.span.start // GRID), min(count, -(-event.span.stop // GRID))):
            late = (goal - position * GRID) / FPS
            gains[position] += weight * (1.0 - 0.5 * min(1.0, abs(late)))
    return gains


def speaker_changes(observations: AudioObservations) -> list[int]:
    """Frames at which a different person is known to begin to speak."""
    named = [event for event in observations.events if event.kind in VOICE_KINDS and event.speaker]
    return [after.span.start for before, after in pairwise(named) if before.speaker != after.speaker]


def cut_into_shots(observations: AudioObservations, steps: Sequence[Step]) -> list[list[FrameSpan]]:
    """The shots of every step, in order; together they tile [0, frames) and begin on multiples of four.

    There are fewer lists than steps if the audio is too short for all of them.
    """
    gains = cut_gains(observations)
    begins = _step_starts(observations, steps, gains)
    return [
        [FrameSpan(a * GRID, min(b * GRID, observations.frames)) for a, b in pairwise(_cuts(gains, first, last))]
        for first, last in pairwise([*begins, len(gains)])
    ]


def _step_starts(observations: AudioObservations, steps: Sequence[Step], gains: Sequence[float]) -> list[int]:
    """Grid positions at which the steps begin: as the words say, else evenly spaced; then moved to good cuts nearby."""
    least = round(_SHORTEST_SECONDS * FPS / GRID)
    room = max(1, len(gains) // least)
    wanted = wanted_seconds(steps[:room], observations.seconds)
    starts = [0]
    for index, seconds in enumerate(wanted[1:], 1):
        low = starts[-1] + least
        high = len(gains) - least * (len(wanted) - index)
        if low > high:
            break
        goal = min(max(round(seconds * FPS / GRID), low), high)
        reach = round(_SEARCH_SECONDS * FPS / GRID)
        near = range(max(low, goal - reach), min(high, goal + reach) + 1)
        starts.append(max(near, key=lambda position: (gains[position] - 1.2 * abs(position - goal) / reach, -position)))
    return starts


def wanted_seconds(steps: Sequence[Step], seconds: float) -> list[float]:
    """When each step should begin, in seconds; steps without a time share the time between those that have one."""
    fixed = {0: 0.0, len(steps): seconds}
    for index, step in enumerate(steps):
        if index and step.at is not None:
            fixed[index] = min(seconds, step.at if step.seconds else step.at * seconds)
    wanted = []
    for (first, begin), (last, end) in pairwise(sorted(fixed.items())):
        wanted += [begin + max(0.0, end - begin) * part / (last - first) for part in range(last - first)]
    return wanted


def _cuts(gains: Sequence[float], first: int, last: int) -> list[int]:
    """The best cuts between grid positions `first` and `last`, both included."""
    least, most = round(_SHORTEST_SECONDS * FPS / GRID), round(_LONGEST_SECONDS * FPS / GRID)
    prices = [_price(length * GRID / FPS) for length in range(most + 1)]
    best = {first: (0.0, first)}
    for position in range(first + least, last + 1):
        lengths = range(least, min(most, position - first) + 1)
        options = [
            (best[position - length][0] + prices[length], position - length)
            for length in lengths
            if position - length in best
        ]
        if options:
            cost, before = min(options)
            best[position] = (cost - (gains[position] if position < last else 0.0), before)
    if last not in best:
        return [first, last]
    cuts = [last]
    while cuts[-1] != first:
        cuts.append(best[cuts[-1]][1])
    return cuts[::-1]


def _price(seconds: float) -> float:
    """What a shot of this length costs. Because of the constant, one more cut pays only where the voice favours it."""
    low, high = NOMINAL_SECONDS
    outside = max(low - seconds, seconds - high, 0.0)
    return 0.6 + 0.15 * abs(seconds - (low + high) / 2) + 1.5 * outside


def place_gestures(
    observations: AudioObservations, shots: Sequence[FrameSpan], wishes: Sequence[GestureWish]
) -> list[list[Gesture]]:
    """The gestures of one step, for each of its shots: in the order asked for, on accents of the voice.

    Gestures do not overlap if there is room, and none leaves its shot.
    """
    placed: list[list[Gesture]] = [[] for _ in shots]
    begin, stop = shots[0].start, shots[-1].stop
    free = begin
    for number, wish in enumerate(wishes):
        if wish.repeated:
            for shot, gestures in zip(shots, placed, strict=True):
                gestures.append(_gesture(observations, shot, wish, shot.start + len(shot) // 3))
            continue
        goal = begin + round((stop - begin) * (number + 0.35) / len(wishes))
        goal = max(free, min(goal, begin + round((number + 1) * 3.0 * FPS)))
        shot_index = next((index for index, shot in enumerate(shots) if goal in shot), len(shots) - 1)
        gesture = _gesture(observations, shots[shot_index], wish, goal)
        if wish.name in _POSTURES:
            gesture = Gesture(wish.name, FrameSpan(gesture.span.start, shots[shot_index].stop), wish.amount)
            for later_index in range(shot_index + 1, len(shots)):
                placed[later_index].append(Gesture(wish.name, shots[later_index], wish.amount))
        placed[shot_index].append(gesture)
        free = gesture.span.start + min(len(gesture.span), _LENGTHS[wish.name])
    return placed


def loudest_frame(observations: AudioObservations, shot: FrameSpan) -> int:
    """The loudest frame of a shot, not near its ends."""
    margin = min(10, len(shot) // 4)
    frames = range(shot.start + margin, max(shot.start + margin + 1, shot.stop - margin))
    return max(frames, key=lambda frame: (observations.energy[frame], -frame))


def _gesture(observations: AudioObservations, shot: FrameSpan, wish: GestureWish, goal: int) -> Gesture:
    """One gesture that begins at the loudest frame near `goal` and stays inside the shot."""
    length = min(_LENGTHS[wish.name], len(shot))
    low, high = shot.start, shot.stop - length
    near = range(max(low, min(goal - _ACCENT_FRAMES, high)), min(high, max(goal + _ACCENT_FRAMES, low)) + 1)
    start = max(near, key=lambda frame: (observations.energy[frame], -abs(frame - goal), -frame))
    return Gesture(wish.name, FrameSpan(start, start + length), wish.amount)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
