"""Faces survive a store bit for bit, with whatever their eye saw beside the landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis.runtime.store import ArtifactStore
from dramatis.senses.seeing.eye import CloserLook, CropBox, Face, FaceContours
from dramatis.senses.seeing.packing import packed_faces, unpacked_faces


def random_faces(*, contours: bool, closer: bool) -> tuple[Face, ...]:
    rng = np.random.default_rng(0)

    def points(*shape: int) -> np.ndarray:
        return rng.normal(size=(*shape, 2)).astype(np.float32)

    return tuple(
        Face(
            points(68),
            float(rng.random()),
            "library" if contours else "own",
            FaceContours(points(20), points(20), points(2, 16), points(2, 5)) if contours else None,
            CloserLook(rng.random((64, 64)).astype(np.float32), CropBox(1.5, -2.0, 33.3)) if closer else None,
        )
        for _ in range(2)
    )


@pytest.mark.parametrize("contours", [False, True])
@pytest.mark.parametrize("closer", [False, True])
def test_faces_come_back_as_they_were(contours: bool, closer: bool, tmp_path: Path) -> None:
    faces = random_faces(contours=contours, closer=closer)
    store = ArtifactStore(tmp_path)
    key = store.key({"stage": "a test"})
    store.fetch(key, lambda: packed_faces(faces))
    values = store.get(key)
    assert values is not None
    for before, after in zip(faces, unpacked_faces(values), strict=True):
        assert np.array_equal(before.landmarks, after.landmarks)
        assert before.landmarks.dtype == after.landmarks.dtype
        assert (before.score, before.eye) == (after.score, after.eye)
        assert (before.contours is None, before.closer is None) == (after.contours is None, after.closer is None)
        if before.contours is not None and after.contours is not None:
            for line in ("lips_outer", "lips_inner", "lids", "irises"):
                assert np.array_equal(getattr(before.contours, line), getattr(after.contours, line))
        if before.closer is not None and after.closer is not None:
            assert before.closer.square == after.closer.square
            assert np.array_equal(before.closer.person, after.closer.person)


def test_nobody_is_packed_as_nobody() -> None:
    assert unpacked_faces(packed_faces(())) == ()
