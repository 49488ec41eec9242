"""Turns phones into facial expressions: blended mouth shapes, with emotion, brows and blinks on top.

Mouth shapes follow the dominance model of Cohen and Massaro (1993): every phone pulls at jaw, rounding,
spreading and lips with its own strength, which fades before and after it, so that lips round well before an
"oo" and a "d" takes the shape of its neighbours. Three things are never averaged away: m, b and p close the
lips, f and v bring the lower lip to the teeth, and a pause shuts the mouth. The weights are those of
ICT-FaceKit's ARKit-style shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion import Performance
from dramatis.motion.visemes import (
    FUNNEL,
    GAP_OF_SHAPE,
    JAW,
    LOWER,
    MOUTH_CHANNELS,
    PRESS,
    PUCKER,
    ROLL_LOWER,
    ROLL_UPPER,
    STRETCH,
    UPPER,
    VISEME_SHAPES,
    VISEMES,
)
from dramatis.story.values import EMOTIONS, FPS
from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.voices.phones import PAUSE, PHONES, VOWELS, TimedPhone
from dramatis_lab.world.voices.speech import Utterance

PHONE_VISEMES: dict[str, dict[str, float]] = {
    PAUSE: {"sil": 1},
    "p": {"PP": 1}, "b": {"PP": 1}, "m": {"PP": 1}, "f": {"FF": 1}, "v": {"FF": 1}, "th": {"TH": 1},
    "dh": {"TH": 1}, "t": {"DD": 1}, "d": {"DD": 1}, "rr": {"DD": 0.5, "nn": 0.5}, "n": {"nn": 1},
    "l": {"nn": 1}, "k": {"kk": 1}, "g": {"kk": 1}, "ng": {"kk": 1}, "x": {"kk": 1},
    "h": {"kk": 0.5, "ah": 0.5}, "q": {"kk": 1}, "ch": {"CH": 1}, "jh": {"CH": 1}, "sh": {"CH": 1},
    "zh": {"CH": 1}, "s": {"SS": 1}, "z": {"SS": 1}, "ts": {"SS": 0.8, "DD": 0.2}, "r": {"RR": 1},
    "w": {"U": 1}, "y": {"I": 1}, "aa": {"aa": 1}, "ae": {"aa": 0.5, "E": 0.5}, "ah": {"ah": 0.7, "aa": 0.3},
    "ax": {"ah": 1}, "eh": {"E": 1}, "ey": {"E": 0.6, "I": 0.4}, "er": {"RR": 0.5, "ah": 0.5},
    "ih": {"I": 0.6, "ah": 0.4}, "iy": {"I": 1}, "ao": {"O": 0.7, "aa": 0.3}, "ow": {"O": 0.8, "U": 0.2},
    "uh": {"U": 0.6, "ah": 0.4}, "uw": {"U": 1}, "ue": {"U": 0.8, "I": 0.2}, "oe": {"O": 0.6, "E": 0.4},
    "ix": {"I": 0.7, "ah": 0.3},
}  # fmt: skip

_STRENGTHS: dict[str, tuple[float, float, float, float]] = {
    # How firmly a viseme holds jaw, rounding, spreading and lips.
    "sil": (1.2, 1.0, 1.0, 1.0),
    "PP": (1.0, 0.25, 0.3, 3.0),
    "FF": (1.0, 0.4, 0.4, 3.0),
    "TH": (0.7, 0.3, 0.3, 1.0),
    "DD": (0.45, 0.12, 0.25, 0.4),
    "kk": (0.25, 0.08, 0.12, 0.2),
    "CH": (0.9, 1.0, 0.8, 1.0),
    "SS": (1.0, 0.45, 0.7, 1.0),
    "nn": (0.45, 0.12, 0.25, 0.4),
    "RR": (0.5, 0.8, 0.6, 0.5),
    "aa": (1.0, 0.7, 0.6, 0.9),
    "ah": (0.7, 0.35, 0.4, 0.6),
    "E": (0.9, 0.7, 0.9, 0.8),
    "I": (0.9, 0.8, 1.0, 0.8),
    "O": (1.0, 1.3, 1.0, 0.8),
    "U": (1.0, 1.5, 1.2, 0.8),
}
_GROUP = np.array([0, 1, 1, 2, 2, 3, 3, 3, 3, 3])
"""The group (jaw, rounding, spreading, lips) of each channel."""
_STRENGTH = np.array([_STRENGTHS[name] for name in VISEMES], np.float32)[:, _GROUP]
_BEFORE_S = np.array([0.045, 0.075, 0.060, 0.030], np.float32)[_GROUP]
_AFTER_S = np.array([0.045, 0.055, 0.055, 0.030], np.float32)[_GROUP]
_REACH_S = 0.35

_RATE = 100
"""Samples a second at which mouths are worked out before the frames are read off."""
_LABIALS, _LABIODENTALS = ("p", "b", "m"), ("f", "v")
_SHORTEST_CONTACT_S = 0.06
"""A frame and a half, so that every contact holds at the centre of at least one frame."""
_CONTACT_RAMP_S = 0.04
_CLOSING_S, _OPENING_S = 0.14, 0.12
_LEAST_PAUSE_S = 0.12

_FACES: dict[str, dict[str, float]] = {
    # At intensity 1, as far as a face goes: half of it would not show in a small picture of somebody speaking.
    "neutral": {},
    "happy": {
        "mouthSmile": 1.00,
        "mouthDimple": 0.25,
        "cheekSquint": 0.70,
        "cheekRaiser": 0.45,
        "eyeSquint": 0.25,
        "browOuterUp": 0.15,
    },
    "sad": {
        "browInnerUp": 1.00,
        "browDown": 0.15,
        "mouthFrown": 1.00,
        "mouthShrugLower": 0.45,
        "eyeSquint": 0.15,
        "eyeBlink": 0.22,
    },
    "angry": {
        "browDown": 1.00,
        "eyeSquint": 0.45,
        "noseSneer": 0.50,
        "mouthFrown": 0.35,
        "mouthPress": 0.25,
        "jawForward": 0.18,
        "eyeWide": 0.12,
    },
    "surprised": {
        "browInnerUp": 0.95,
        "browOuterUp": 1.00,
        "eyeWide": 0.85,
        "mouthFunnel": 0.12,
        "jawOpen": 0.10,
    },
    "afraid": {
        "browInnerUp": 1.00,
        "browOuterUp": 0.35,
        "browDown": 0.25,
        "eyeWide": 0.80,
        "mouthStretch": 0.55,
        "mouthFrown": 0.15,
    },
    "disgusted": {
        "noseSneer": 0.95,
        "browDown": 0.60,
        "mouthUpperUp": 0.40,
        "mouthFrown": 0.45,
        "eyeSquint": 0.45,
        "cheekRaiser": 0.25,
    },
    "tender": {
        "mouthSmile": 0.45,
        "browInnerUp": 0.45,
        "eyeSquint": 0.18,
        "cheekSquint": 0.25,
        "eyeBlink": 0.15,
    },
}
_AROUSAL = {"happy": 0.18, "sad": -0.22, "angry": 0.28, "surprised": 0.30, "afraid": 0.15, "tender": -0.14}

_INDEX = {name: i for i, name in enumerate(EXPRESSIONS)}
_GAP_PER_WEIGHT = np.array([GAP_OF_SHAPE.get(name, 0.0) for name in EXPRESSIONS], np.float32)


def viseme_track(spoken: Utterance | Sequence[TimedPhone], frames: int) -> F32:
    """(frames, 16) shares of the visemes around each frame's centre, (t + 0.5) / 25 s; rows sum to one."""
    count = _samples(frames)
    membership = np.zeros((count, len(VISEMES)), np.float32)
    membership[:, 0] = 1.0
    for start, end, phone in _segments(spoken):
        membership[_at(start, count) : _at(end, count)] = _mix(phone)
    # Over about a frame and a half, which is as sharp as 25 frames a second can show.
    shares = _at_frames(_smoothed_samples(membership, np.hanning(9)[1:-1]), frames)
    return shares / shares.sum(1, keepdims=True)


def expression_track(
    spoken: Utterance | Sequence[TimedPhone],
    frames: int,
    performance: Performance | None,
    rng: np.random.Generator,
    loudness: ArrayLike | None = None,
) -> F32:
    """(frames, 53) weights 0..1 of EXPRESSIONS at the frame centres.

    spoken: an utterance, or its phones, tiling from 0 s; the time after the last is silent.
    performance: at least `frames` long (None: calm, eyes open).  loudness: of the voice, 0..1 every 10 ms;
    louder vowels open wider (None: the utterance's own, or else the performance's speech).  rng draws the
    speaker's style: how far the mouth opens, how much the lips work, how lopsided the face is.  The lids' way
    of following the gaze is added by `Person.pose`.
    """
    phonemes = _segments(spoken)
    if loudness is None and isinstance(spoken, Utterance):
        loudness = spoken.loudness
    level = _level(loudness, performance, frames)
    style = _Style(rng)
    arousal = np.ones(frames, np.float32)
    emotion = np.zeros((frames, len(EMOTIONS)), np.float32)
    if performance is not None:
        emotion = performance.emotion[:frames]
        arousal += emotion @ np.array([_AROUSAL.get(name, 0.0) for name in EMOTIONS], np.float32)
    closed, bitten, silent = contact_tracks(phonemes, frames)
    mouth = _dominated(phonemes, level, frames, style)
    mouth[:, [JAW, LOWER, UPPER]] *= arousal[:, None]
    mouth = _with_contacts(mouth, closed, bitten, silent)
    weights = np.zeros((frames, len(EXPRESSIONS)), np.float32)
    for channel, name in enumerate(MOUTH_CHANNELS):
        _add(
            weights,
            name,
            mouth[:, channel],
            style.sides if name in ("mouthSmile", "mouthStretch") else (1.0, 1.0),
        )
    _add_emotion(weights, emotion, mouth, np.maximum(closed, bitten), style)
    if performance is not None:
        _add_upper_face(weights, performance.take(np.arange(frames)), style)
    weights = np.clip(weights, 0.0, 1.0)
    return _lips_sealed(weights, np.maximum(closed, silent))


def emotion_weights(name: str, amount: float = 1.0) -> F32:
    """(53,) weights of an emotion's face without speech, alike on both sides."""
    weights = np.zeros((1, len(EXPRESSIONS)), np.float32)
    for shape, weight in _FACES[name].items():
        _add(weights, shape, amount * weight, (1.0, 1.0))
    return np.clip(weights[0], 0.0, 1.0)


def caught_emotion(rng: np.random.Generator) -> tuple[str, float]:
    """What a photograph catches on a face, and how strong (0..1): any emotion, smiles first of all."""
    name = "happy" if rng.random() < 0.5 else str(rng.choice(EMOTIONS[1:]))
    return name, float(rng.uniform(0.3, 1.0))


def caught_expression(name: str, amount: float, rng: np.random.Generator) -> F32:
    """(53,) weights of a face that shows an emotion as a photograph catches it, lips often parted."""
    weights = emotion_weights(name, amount)[None]
    if rng.random() < 0.5:
        for shape, most in (("jawOpen", 0.25), ("mouthLowerDown", 0.5), ("mouthUpperUp", 0.4)):
            _add(weights, shape, rng.uniform(0, most), (1.0, 1.0))
    return np.clip(weights[0], 0.0, 1.0)


def contact_tracks(phonemes: Sequence[TimedPhone], frames: int) -> tuple[F32, F32, F32]:
    """How far consonants and pauses shut the mouth: three (frames,) tracks 0..1.

    How firmly lips are shut by m, b, p; how firmly the lower lip meets the teeth for f, v; how far a pause has shut
    the mouth.
    """
    time = (np.arange(frames) + 0.5) / FPS
    closed, bitten, silent = (np.zeros(frames, np.float32) for _ in range(3))
    for start, end, phone in phonemes:
        if phone in _LABIALS or phone in _LABIODENTALS:
            # A stop's burst at its end already parts the lips.
            stop = end - 0.25 * (end - start) if phone in ("p", "b") else end
            # Long contacts give a little of their ends to the ramps, short ones are held longer than they sound.
            spare = float(np.clip((_SHORTEST_CONTACT_S - (stop - start)) / 2, -_CONTACT_RAMP_S / 2, 0.03))
            top, edge = start - spare, stop + spare
            edges = (top - _CONTACT_RAMP_S, top, edge, edge + _CONTACT_RAMP_S)
            track = closed if phone in _LABIALS else bitten
            np.maximum(track, _plateau(time, *edges), out=track)
    for start, end in _pauses(phonemes):
        np.maximum(silent, _plateau(time, start, start + _CLOSING_S, end - _OPENING_S, end), out=silent)
    return closed, bitten, silent


def mean_opening(weights: ArrayLike) -> F32:
    """(T,) estimate of the inner-lip gap over the distance of the outer eye corners, linear in (T, 53) weights."""
    return np.asarray(weights, np.float32) @ _GAP_PER_WEIGHT


class _Style:
    """How a speaker uses the face."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.jaw = float(rng.uniform(0.95, 1.4))
        self.lips = float(rng.uniform(0.85, 1.15))
        self.dynamics = float(rng.uniform(0.4, 0.9))
        lopsided = rng.normal(0.0, 0.06, 2)
        self.sides = (1 + float(lopsided[0]), 1 - float(lopsided[0]))
        self.brows = (1 + float(lopsided[1]), 1 - float(lopsided[1]))


def _dominated(phonemes: Sequence[TimedPhone], level: F32, frames: int, style: _Style) -> F32:
    """(frames, 10) channel weights: the phones' shapes, averaged by how firmly each holds at a moment."""
    count = _samples(frames)
    # Without any phone near, the mouth is at rest.
    pull = np.full((count, len(MOUTH_CHANNELS)), 1e-4, np.float32)
    shape = np.zeros((count, len(MOUTH_CHANNELS)), np.float32)
    typical = _typical_vowel(phonemes, level)
    for start, end, phone in phonemes:
        first, last = _at(start - _REACH_S, count), _at(end + _REACH_S, count)
        if last <= first:
            continue
        time = ((np.arange(first, last) + 0.5) / _RATE).astype(np.float32)[:, None]
        away = np.maximum(start - time, 0) / _BEFORE_S + np.maximum(time - end, 0) / _AFTER_S
        mix = _mix(phone)
        # Short phones are reached for less: what is called undershoot.
        firm = (mix @ _STRENGTH) * np.sqrt(min(end - start, 0.2) / 0.08) * np.exp(-away)
        target = (mix @ VISEME_SHAPES) * style.lips
        target[JAW] *= style.jaw / style.lips
        if phone in VOWELS:
            effort = 1.0 + style.dynamics * 1.6 * (_mean(level, start, end) - typical)
            target[[JAW, LOWER, UPPER]] *= np.clip(effort, 0.5, 1.35)
        shape[first:last] += firm * target
        pull[first:last] += firm
    smooth = _smoothed_samples(shape / pull, np.hanning(9)[1:-1])
    return _at_frames(smooth, frames)


def _with_contacts(mouth: F32, closed: F32, bitten: F32, silent: F32) -> F32:
    """The mouth with lips shut, lip bitten and pauses at rest where the contact tracks say so."""
    shaped = mouth * (1 - silent[:, None])
    press = VISEME_SHAPES[VISEMES.index("PP")]
    bite = VISEME_SHAPES[VISEMES.index("FF")]
    shaped[:, [JAW, LOWER, UPPER]] *= 1 - 0.92 * closed[:, None]
    shaped[:, [FUNNEL, STRETCH]] *= 1 - 0.7 * closed[:, None]
    for channel in (PRESS, ROLL_LOWER, ROLL_UPPER):
        shaped[:, channel] = shaped[:, channel] * (1 - closed) + press[channel] * closed
    shaped[:, JAW] += (np.minimum(shaped[:, JAW], bite[JAW]) - shaped[:, JAW]) * bitten
    shaped[:, [FUNNEL, LOWER]] *= 1 - 0.8 * bitten[:, None]
    for channel in (ROLL_LOWER, UPPER):
        shaped[:, channel] = np.maximum(shaped[:, channel], bite[channel] * bitten)
    return shaped


def _add_emotion(weights: F32, emotion: F32, mouth: F32, contact: F32, style: _Style) -> None:
    """Each emotion's face on top; at the mouth it yields to contacts and to rounded lips."""
    rounded = np.clip(mouth[:, FUNNEL] + mouth[:, PUCKER], 0.0, 1.0)
    for column, name in enumerate(EMOTIONS):
        amount = emotion[:, column]
        if not amount.any():
            continue
        for shape, weight in _FACES[name].items():
            share = amount * weight
            if shape.startswith(("mouth", "jaw")):
                share = share * (1 - 0.5 * contact) * (1 - 0.5 * rounded)
            _add(weights, shape, share, style.brows if shape.startswith("brow") else style.sides)


def _add_upper_face(weights: F32, performance: Performance, style: _Style) -> None:
    """Brows and blinks of the performance; a closing eye is not wide at the same time."""
    raised, furrowed = performance.brow[:, 0], performance.brow[:, 1]
    _add(weights, "browInnerUp", 0.55 * raised, style.brows)
    _add(weights, "browOuterUp", 0.65 * raised, style.brows)
    _add(weights, "browDown", 0.65 * furrowed, style.brows)
    _add(weights, "eyeWide", 0.2 * raised, (1.0, 1.0))
    for side in "LR":
        lid = _INDEX[f"eyeBlink_{side}"]
        weights[:, lid] = np.maximum(weights[:, lid], performance.blink)
        weights[:, _INDEX[f"eyeWide_{side}"]] *= 1 - performance.blink
        weights[:, _INDEX[f"eyeSquint_{side}"]] *= 1 - 0.7 * performance.blink


def _lips_sealed(weights: F32, shut: F32) -> F32:
    """Whatever opening jaw or emotion left where lips must be shut is taken back by mouthClose."""
    close = _INDEX["mouthClose"]
    left_open = np.maximum(mean_opening(weights), 0.0) * shut
    weights[:, close] = np.minimum(weights[:, close] + left_open / -GAP_OF_SHAPE["mouthClose"], 1.0)
    return weights


def _add(weights: F32, name: str, amount: F32 | float, sides: tuple[float, float]) -> None:
    """Adds to a shape, or to its left and right halves."""
    if name in _INDEX:
        weights[:, _INDEX[name]] += amount
        return
    for side, factor in zip("LR", sides, strict=True):
        weights[:, _INDEX[f"{name}_{side}"]] += amount * factor


def _segments(spoken: Utterance | Sequence[TimedPhone]) -> Sequence[TimedPhone]:
    return spoken.phonemes if isinstance(spoken, Utterance) else spoken


def _level(loudness: ArrayLike | None, performance: Performance | None, frames: int) -> F32:
    """(samples,) loudness 0..1 at _RATE."""
    count = _samples(frames)
    if loudness is not None:
        given = np.asarray(loudness, np.float32)[:count]
        return np.pad(given, (0, count - len(given)))
    if performance is not None:
        return np.repeat(performance.speech[:frames], _RATE // FPS)
    return np.ones(count, np.float32)


def _typical_vowel(phonemes: Sequence[TimedPhone], level: F32) -> float:
    loud = [_mean(level, start, end) for start, end, phone in phonemes if phone in VOWELS]
    return float(np.median(loud)) if loud else 0.0


def _pauses(phonemes: Sequence[TimedPhone]) -> list[tuple[float, float]]:
    """Silences long enough to shut the mouth; before the first and after the last phone they are endless."""
    pauses = []
    last = phonemes[-1][1] if phonemes else 0.0
    for start, end, phone in phonemes:
        if phone == PAUSE and (end - start >= _LEAST_PAUSE_S or start <= 0.0):
            pauses.append((start if start > 0 else -1.0, end if end < last else np.inf))
    if not phonemes or phonemes[-1][2] != PAUSE:
        pauses.append((last if phonemes else -1.0, np.inf))
    return pauses


def _plateau(time: NDArray[np.float64], foot: float, top: float, edge: float, end: float) -> F32:
    """0 before `foot`, 1 from `top` to `edge`, 0 after `end`, with smooth ramps; lower where the ramps cross."""
    rise = np.clip((time - foot) / (top - foot), 0.0, 1.0)
    fall = np.clip((end - time) / (end - edge), 0.0, 1.0) if np.isfinite(end) else np.ones_like(time)
    both = np.minimum(rise, fall)
    return (both * both * (3 - 2 * both)).astype(np.float32)


def _mix(phone: str) -> F32:
    """(16,) shares of the visemes in a phone of PHONES."""
    return _MIXES[phone]


def _mean(level: F32, start: float, end: float) -> float:
    first = _at(start, len(level))
    part = level[first : max(_at(end, len(level)), first + 1)]
    return float(part.mean()) if len(part) else 0.0


def _samples(frames: int) -> int:
    return frames * (_RATE // FPS)


def _at(seconds: float, count: int) -> int:
    return int(min(max(round(seconds * _RATE), 0), count))


def _smoothed_samples(track: F32, window: NDArray[np.float64]) -> F32:
    """The columns of an (N, C) track under a window, the ends held."""
    half = len(window) // 2
    padded = np.pad(track, ((half, half), (0, 0)), mode="edge")
    weights = (window / window.sum()).astype(np.float32)
    return sum((w * padded[k : k + len(track)] for k, w in enumerate(weights)), np.zeros_like(track))


def _at_frames(track: F32, frames: int) -> F32:
    """Samples of an (N, C) track at the frame centres, which lie midway between two samples' centres."""
    step = _RATE // FPS
    grouped = track.reshape(frames, step, -1)
    return grouped[:, step // 2 - 1 : step // 2 + 1].mean(1)


_MIXES: Mapping[str, F32] = {
    phone: np.array([PHONE_VISEMES[phone].get(name, 0.0) for name in VISEMES], np.float32) for phone in PHONES
}
