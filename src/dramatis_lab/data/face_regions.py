"""Mouth, eyes and brows of faces with known landmarks: the parts that count more in every loss."""

from __future__ import annotations

import numpy as np

BROWS = range(17, 27)
EYES = range(36, 48)
MOUTH = range(48, 68)
MOUTH_WEIGHT, EYE_WEIGHT = 6.0, 3.0


def loss_weights(landmarks: np.ndarray, size: tuple[int, int], grid: tuple[int, int]) -> np.ndarray:
    """Landmarks (F, 68, 2) px -> (T, h, w): 1 elsewhere, more around eyes and brows, most around the mouth."""
    out = np.ones((len(landmarks), *grid), np.float32)
    cell = np.array([size[1] / grid[1], size[0] / grid[0]])
    for part, weight in ((BROWS, EYE_WEIGHT), (EYES, EYE_WEIGHT), (MOUTH, MOUTH_WEIGHT)):
        points = landmarks[:, list(part)] / cell
        low = np.floor(points.min(1) - 0.6).astype(int).clip(0)
        high = np.ceil(points.max(1) + 0.6).astype(int).clip(0)
        for t in range(len(out)):
            box = out[t, low[t, 1] : high[t, 1], low[t, 0] : high[t, 0]]
            np.maximum(box, weight, out=box)
    groups = out[1:].reshape(-1, 4, *grid).max(1)
    return np.concatenate([out[:1], groups])


def detail_boxes(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Landmarks (T, 68, 2) px -> (T, H, W) bool, true in a box around the mouth and around each eye."""
    height, width = size
    out = np.zeros((len(landmarks), height, width), dtype=bool)
    reach = 0.12 * np.linalg.norm(landmarks[:, 36] - landmarks[:, 45], axis=-1)
    for part in (MOUTH, range(36, 42), range(42, 48)):
        points = landmarks[:, list(part)]
        low = np.floor(points.min(1) - reach[:, None]).astype(int)
        high = np.ceil(points.max(1) + reach[:, None]).astype(int)
        for t in range(len(out)):
            x0, y0 = np.maximum(low[t], 0)
            x1, y1 = np.maximum(high[t], 0)
            out[t, y0:y1, x0:x1] = True
    return out
