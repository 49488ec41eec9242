"""Integrated loudness after ITU-R BS.1770-4: K-weighting, 400 ms blocks, absolute and relative gates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

TARGET_LUFS = -23.0
"""Of EBU R 128, and of the audio that the MultiTalk family's wav2vec2 was given."""
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_OFFSET = -0.691


class LoudnessMeter:
    """Measures mono audio block by block; its memory grows by ten floats a second."""

    def __init__(self, rate: int) -> None:
        self._sos = _k_weighting(rate)
        self._state = np.zeros((len(self._sos), 2))
        self._hop = max(1, round(rate * 0.1))
        self._rest = np.zeros(0)
        self._powers: list[float] = []  # mean square of each 100 ms

    def add(self, samples: NDArray[np.floating]) -> None:
        """The next (n,) samples, full scale 1."""
        if not len(samples):
            return
        from scipy.signal import sosfilt  # takes longer to import than what a short preview needs it for

        weighted, self._state = sosfilt(self._sos, samples.astype(np.float64), zi=self._state)
        pending = np.concatenate([self._rest, weighted])
        hops = len(pending) // self._hop
        whole = pending[: hops * self._hop].reshape(hops, self._hop)
        self._powers.extend(np.mean(whole**2, axis=1).tolist())
        self._rest = pending[hops * self._hop :]

    def integrated(self) -> float:
        """LUFS so far; -inf for silence. Audio shorter than one 400 ms block counts as one block."""
        powers = np.asarray(self._powers)
        if len(powers) < 4:
            total = powers.sum() * self._hop + float(np.sum(self._rest**2))
            count = len(powers) * self._hop + len(self._rest)
            return _lufs(total / count) if count else -math.inf
        blocks = np.convolve(powers, np.full(4, 0.25), mode="valid")  # 400 ms, three quarters overlapping
        loud = blocks[blocks > _power(_ABSOLUTE_GATE)]
        if not len(loud):
            return -math.inf
        gate = _lufs(float(loud.mean())) + _RELATIVE_GATE
        return _lufs(float(loud[loud > _power(gate)].mean()))


def integrated_loudness(samples: NDArray[np.floating], rate: int) -> float:
    """Integrated loudness in LUFS of (n,) mono samples; -inf for silence."""
    meter = LoudnessMeter(rate)
    meter.add(samples)
    return meter.integrated()


def loudness_gain(lufs: float, target: float = TARGET_LUFS) -> float:
    """The factor that brings audio of `lufs` to `target`; 1 for silence, which no gain makes louder."""
    return 10.0 ** ((target - lufs) / 20.0) if math.isfinite(lufs) else 1.0


def _k_weighting(rate: int) -> NDArray[np.float64]:
    """BS.1770's two filters as second-order sections, from their analogue prototypes, for any rate."""
    # Stage 1: a high shelf, the acoustic effect of the head.
    frequency, gain_db, quality = 1681.9744509555319, 3.999843853973347, 0.7071752369554193
    k = math.tan(math.pi * min(frequency, 0.49 * rate) / rate)
    vh = 10.0 ** (gain_db / 20.0)
    vb = vh**0.4996667741545416
    a0 = 1.0 + k / quality + k * k
    shelf = [
        (vh + vb * k / quality + k * k) / a0,
        2.0 * (k * k - vh) / a0,
        (vh - vb * k / quality + k * k) / a0,
        1.0,
        2.0 * (k * k - 1.0) / a0,
        (1.0 - k / quality + k * k) / a0,
    ]
    # Stage 2: a high-pass.
    frequency, quality = 38.13547087602444, 0.5003270373238773
    k = math.tan(math.pi * frequency / rate)
    a0 = 1.0 + k / quality + k * k
    highpass = [1.0, -2.0, 1.0, 1.0, 2.0 * (k * k - 1.0) / a0, (1.0 - k / quality + k * k) / a0]
    return np.array([shelf, highpass])


def _lufs(power: float) -> float:
    return _OFFSET + 10.0 * math.log10(power) if power > 0 else -math.inf


def _power(lufs: float) -> float:
    return 10.0 ** ((lufs - _OFFSET) / 10.0)
