from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from dramatis_lab.data.group_clips import GroupClip, GroupClipDataset
from dramatis_lab.data.precompute_groups import GROUP_CLIP_LENGTHS, face_contrasts, main
from dramatis_lab.data.shards import DENSE, STRIDED
from dramatis_lab.train.mask_head import FrozenBackbone
from tests.dramatis_lab.samples import PEOPLE, annotated_sample, write_groups
from tests.tiny import write_model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("windows")
    groups, model = write_groups(root / "groups", 3), write_model(root / "model")
    main(data=groups, model=model, out=root / "out")
    return root


def test_every_sample_has_a_dense_and_a_strided_clip(made: Path) -> None:
    files = sorted((made / "out").glob("*.safetensors"))
    assert [path.name for path in files] == [f"shard-00000-{slot:03d}.safetensors" for slot in range(3)]
    for path in files:
        clips = load_file(path)
        for number, span in enumerate((DENSE, STRIDED)):
            z = clips[f"{number}.z"]
            _, length, rows, columns = z.shape
            frames = 4 * length - 3
            assert length in GROUP_CLIP_LENGTHS[span.start][0]
            assert columns == 2 * rows
            assert 16 <= rows <= 24
            shapes = {
                "given": z.shape,
                "reference": (16, rows, columns),
                "crops": (PEOPLE, 16, 16, 16),
                "squares": (PEOPLE, 3),
                "audio": (PEOPLE, frames, 12),
                "controls": (PEOPLE, frames, 26),
                "maps": (PEOPLE, frames, 6, rows, columns),
                "shares": (PEOPLE, length, rows // 2, columns // 2),
                "masks": (PEOPLE, length, rows, columns),
                "weight": (PEOPLE, length, rows, columns),
                "spans": (PEOPLE, 2),
                "contrast": (PEOPLE,),
                "tail": (),
            }
            assert {name: tuple(clips[f"{number}.{name}"].shape) for name in shapes} == shapes
            spans = clips[f"{number}.spans"]
            assert spans[0, 0] == 0
            assert spans[1, 1] == columns
            assert ((spans[:, 1] - spans[:, 0]) >= 16).all()
            own = clips[f"{number}.masks"] > 0.5
            assert own[0, ..., : columns // 2].any()
            assert not own[0, ..., columns // 2 :].any()
            assert (clips[f"{number}.weight"].float() > 1)[1, ..., columns // 2 :].any()
            crops, squares = clips[f"{number}.crops"], clips[f"{number}.squares"].float()
            assert not torch.allclose(crops[0], crops[1], atol=1e-2)
            assert squares[0, 0] < squares[1, 0]
            assert (squares[:, 2] > 0).all()
        assert clips["0.tail"] == 1
        with safe_open(path, framework="pt") as file:
            assert "whole_caption" in file.metadata()["row"]


def test_what_is_there_is_kept(made: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (made / "out").iterdir()}
    gone = sorted(before)[1]
    gone.unlink()
    main(data=made / "groups", model=made / "model", out=made / "out")
    after = {path: path.stat().st_mtime_ns for path in (made / "out").iterdir()}
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} == {gone}


def test_contrast_is_that_of_the_seen_face() -> None:
    masks, weight = torch.zeros(3, 1, 8, 8), torch.ones(3, 1, 8, 8)
    masks[0, ..., :4], masks[1, ..., 4:] = 1, 1
    weight[:, :, 2:6] = 3
    z = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    z[..., 4:] *= 0.1
    bright, dark, hidden = face_contrasts(z, masks, weight)
    assert float(bright / dark) == pytest.approx(100, rel=0.5)
    assert bool(hidden.isnan()), "nobody counts whose face is not seen"


def test_clips_that_appear_are_taken_in(made: Path, tmp_path: Path) -> None:
    files = sorted((made / "out").glob("*.safetensors"))
    (tmp_path / files[0].name).write_bytes(files[0].read_bytes())
    clips = GroupClipDataset([tmp_path])
    assert len(clips) == 2
    (tmp_path / files[1].name).write_bytes(files[1].read_bytes())
    clips.refresh()
    assert len(clips) == 4
    assert [row["strided"] for row, _ in clips.clips] == [False, True, False, True]
    clips.refresh()
    assert len(clips) == 4


def test_annotated_groups_are_learnt_from_with_sound_unknown(made: Path, tmp_path: Path) -> None:
    groups = write_groups(tmp_path / "groups", 1, annotated_sample)
    main(data=groups, model=made / "model", out=tmp_path / "out")
    ((row, clip),) = GroupClipDataset([tmp_path / "out"]).clips
    assert row["strided"] is False
    assert clip["audio"].shape[-1] == 12
    assert not clip["audio"].any()
    assert clip["z"].shape[-1] == 2 * clip["z"].shape[-2], "what is beyond a multiple of 16 is cut"
    assert (clip["masks"].amax((1, 2, 3)) == 1).all()
    backbone = FrozenBackbone(made / "model", torch.device("cpu"))
    looks = backbone.compute(GroupClip(row, clip), 0.5, clip["shares"].float()[None], [0], seed=0)
    sampled = looks.sample_tokens(np.random.default_rng(0), 64)
    assert torch.isfinite(sampled.tokens[0]).all()
    assert sampled.cells.shape == (1, PEOPLE, 64, 4)
