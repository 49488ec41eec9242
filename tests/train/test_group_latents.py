from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from dramatis.media.masks import latent_masks
from dramatis.train.dit import LatentSet
from dramatis.train.group_latents import LENGTHS, main
from tests.tiny import write_model
from tests.train.conftest import PEOPLE, group_sample, write_groups


def test_samples_tell_of_everybody(tmp_path: Path) -> None:
    groups, model = write_groups(tmp_path / "groups", 6), write_model(tmp_path / "model")
    main(data=groups, model=model, out=tmp_path / "out")
    made = LatentSet(tmp_path / "out")
    shapes = {
        "z": (16, 8, 8, 16),
        "given": (16, 8, 8, 16),
        "reference": (16, 8, 16),
        "crops": (PEOPLE, 16, 16, 16),
        "squares": (PEOPLE, 3),
        "audio": (PEOPLE, 29, 12),
        "controls": (PEOPLE, 29, 26),
        "maps": (29, 6, 8, 16),
        "shares": (PEOPLE, 8, 4, 8),
        "masks": (PEOPLE, 8, 8, 16),
    }
    assert {name: tuple(parts[0].shape) for name, parts in made.parts.items()} == shapes
    assert {row["length"] for row in made.rows} <= set(LENGTHS) and len({row["length"] for row in made.rows}) > 1
    assert {row["tail"] for row in made.rows} == {False, True}
    for place, row in enumerate(made.rows):
        picked = np.array([place])
        assert not made.stack("z", picked)[0, :, row["length"] :].any()
        assert made.stack("z", picked)[0, :, row["length"] - 1].any()
    true = np.stack([group_sample(0)["person"][1:] == who + 1 for who in range(PEOPLE)])
    assert np.allclose(made.stack("masks", np.array([0]))[0].numpy(), latent_masks(true), atol=1e-3)
    shares = made.stack("shares", np.array([0]))[0]
    assert torch.allclose(shares.sum(0), torch.ones(()), atol=2e-3)
    assert shares[0, :, :, 0].min() > 0.9 and shares[1, :, :, -1].min() > 0.9
    crops = made.stack("crops", np.array([0]))[0]
    assert not torch.allclose(crops[0], crops[1], atol=1e-2)


def test_held_out_clips_are_whole(tmp_path: Path) -> None:
    groups, model = write_groups(tmp_path / "groups", 1), write_model(tmp_path / "model")
    main(data=groups, model=model, out=tmp_path / "out", varied=False)
    assert LatentSet(tmp_path / "out").rows[0]["length"] == 8
