"""The mouth's classes of sounds, the shapes that they give it, and how far each shape opens it.

Weights are those of ICT-FaceKit's ARKit-style blendshapes. The synthetic world animates its people by these tables, and
portraits are articulated by the same ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "ah", "E", "I", "O", "U")
"""Mouth classes: silence; m b p; f v; th; t d; k g h; ch sh; s z; n l; r; then the vowels of father, cup,
bed, see, more and blue (the last with w)."""

MOUTH_CHANNELS = (
    "jawOpen", "mouthFunnel", "mouthPucker", "mouthStretch", "mouthSmile", "mouthLowerDown", "mouthUpperUp",
    "mouthPress", "mouthRollLower", "mouthRollUpper",
)  # fmt: skip
"""The mouth's ways to move, left and right together; the columns of VISEME_SHAPES."""
JAW, FUNNEL, PUCKER, STRETCH, SMILE, LOWER, UPPER, PRESS, ROLL_LOWER, ROLL_UPPER = range(len(MOUTH_CHANNELS))

_SHAPES: dict[str, tuple[float, ...]] = {
    #      jaw   funnel pucker stretch smile lower upper press rollL rollU
    "sil": (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
    "PP":  (0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.40, 0.30, 0.30),
    "FF":  (0.10, 0.00, 0.00, 0.05, 0.00, 0.00, 0.15, 0.00, 0.60, 0.00),
    "TH":  (0.18, 0.00, 0.00, 0.08, 0.00, 0.15, 0.05, 0.00, 0.00, 0.00),
    "DD":  (0.13, 0.00, 0.00, 0.15, 0.00, 0.12, 0.03, 0.00, 0.00, 0.00),
    "kk":  (0.20, 0.00, 0.00, 0.08, 0.00, 0.05, 0.02, 0.00, 0.00, 0.00),
    "CH":  (0.10, 0.50, 0.15, 0.00, 0.00, 0.15, 0.10, 0.00, 0.00, 0.00),
    "SS":  (0.07, 0.00, 0.00, 0.30, 0.10, 0.25, 0.08, 0.00, 0.00, 0.00),
    "nn":  (0.17, 0.00, 0.00, 0.10, 0.00, 0.10, 0.03, 0.00, 0.00, 0.00),
    "RR":  (0.16, 0.35, 0.20, 0.00, 0.00, 0.05, 0.03, 0.00, 0.00, 0.00),
    "aa":  (0.55, 0.00, 0.00, 0.05, 0.00, 0.20, 0.05, 0.00, 0.00, 0.00),
    "ah":  (0.32, 0.05, 0.00, 0.05, 0.00, 0.12, 0.03, 0.00, 0.00, 0.00),
    "E":   (0.32, 0.00, 0.00, 0.35, 0.08, 0.15, 0.05, 0.00, 0.00, 0.00),
    "I":   (0.13, 0.00, 0.00, 0.40, 0.30, 0.12, 0.04, 0.00, 0.00, 0.00),
    "O":   (0.36, 0.70, 0.05, 0.00, 0.00, 0.05, 0.00, 0.00, 0.00, 0.00),
    "U":   (0.15, 0.10, 0.80, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
}  # fmt: skip
VISEME_SHAPES: NDArray[np.float32] = np.array([_SHAPES[name] for name in VISEMES], np.float32)
"""(16, 10) weights of MOUTH_CHANNELS at the heart of each viseme."""

GAP_OF_SHAPE: dict[str, float] = {
    "jawOpen": 0.315, "mouthFunnel": 0.118, "mouthPucker": -0.014, "mouthClose": -0.405,
    "mouthRollLower": -0.027, "mouthRollUpper": 0.017, "mouthShrugLower": -0.070, "mouthShrugUpper": 0.050,
    "jawForward": 0.012, "mouthLowerDown_L": 0.032, "mouthLowerDown_R": 0.032, "mouthUpperUp_L": 0.038,
    "mouthUpperUp_R": 0.038, "mouthPress_L": -0.012, "mouthPress_R": -0.012, "mouthDimple_L": -0.008,
    "mouthDimple_R": -0.008, "noseSneer_L": 0.034, "noseSneer_R": 0.034, "cheekRaiser_L": 0.002,
    "cheekRaiser_R": 0.002, "cheekSquint_L": 0.002, "cheekSquint_R": 0.002,
}  # fmt: skip
"""Inner-lip gap per unit of weight over the distance of the outer eye corners, from the mean ICT-FaceKit head."""
