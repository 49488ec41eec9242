from __future__ import annotations

import numpy as np
import pytest
import torch

from dramatis.models.reference import reference_tokens
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.tasks import (
    LOW_RESOLUTION_TASKS,
    CascadeTask,
    high_resolution_clips,
    high_resolution_keyframes,
    low_resolution_batch,
)
from tests.dramatis_lab.samples import GAP_ROW, HIGH_SIDE, LATENT_SIDE, write_high_latents, write_latents

SINGLES = 4
# Which of eight latent frames the task gives, in whole or in part.
GIVEN = {
    CascadeTask.FIRST: [0],
    CascadeTask.SUB_CLIP: [0, 7],
    CascadeTask.GAP: [0, 1, 7],
    CascadeTask.BLUEPRINT: [0],
    CascadeTask.BLUEPRINT_LAST: [0, 7],
}


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> LatentDataset:
    return LatentDataset(write_latents(tmp_path_factory.mktemp("latents")))


@pytest.fixture(scope="module")
def high_latents(tmp_path_factory: pytest.TempPathFactory) -> LatentDataset:
    return LatentDataset(write_high_latents(tmp_path_factory.mktemp("high_latents")))


@pytest.mark.parametrize("task", LOW_RESOLUTION_TASKS)
def test_a_task_is_a_mask_pattern(latents: LatentDataset, task: CascadeTask) -> None:
    indices = np.array([GAP_ROW, GAP_ROW]) if task is CascadeTask.GAP else np.array([2, 0])
    batch = low_resolution_batch(latents, indices, task, 8)
    clip = task.clip
    assert batch.z.shape == (2, 16, 8, LATENT_SIDE, LATENT_SIDE)
    assert batch.condition.shape == (2, 20, 8, LATENT_SIDE, LATENT_SIDE)
    assert batch.audio.shape == (2, 1, 29, 12)
    assert batch.controls.shape == (2, 29, 26)
    assert batch.maps.shape == (2, 29, 6, LATENT_SIDE, LATENT_SIDE)
    assert batch.captions == tuple(("whole" if clip else "shot") + f" {i}" for i in indices)
    mask = batch.condition[:, :4]
    assert [t for t in range(8) if mask[:, :, t].any()] == GIVEN[task]
    assert (mask[:, :, 0] == 1).all()
    filled = "first" if task in (CascadeTask.FIRST, CascadeTask.BLUEPRINT) else "both"
    assert torch.equal(batch.condition[:, 4:], latents.stack(filled, indices)[:, clip])
    last = {CascadeTask.SUB_CLIP: 1, CascadeTask.BLUEPRINT_LAST: 1, CascadeTask.GAP: 4}.get(task, 0)
    assert mask[:, :, 7].sum((1, 2, 3)).tolist() == [LATENT_SIDE**2 * last] * 2


@pytest.mark.parametrize(("row", "frames"), [(3, 2), (1, 5)])
def test_shorter_clips_end_at_their_own_last_frame(latents: LatentDataset, row: int, frames: int) -> None:
    indices = np.array([row])
    batch = low_resolution_batch(latents, indices, CascadeTask.SUB_CLIP, frames)
    assert batch.z.shape[2] == batch.weight.shape[1] == frames
    assert batch.maps.shape[1] == batch.controls.shape[1] == batch.audio.shape[2] == 4 * frames - 3
    assert torch.equal(batch.condition[:, 4:], latents.stack("both", indices)[:, 0, :, :frames])
    assert batch.condition[0, :4, -1, 0, 0].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(("rows", "frames"), [([0, 2], 8), ([1], 5)])
def test_a_sub_clip_is_conditioned_on_mask_given_ends_and_low_frames(
    high_latents: LatentDataset, rows: list[int], frames: int
) -> None:
    indices = np.array(rows)
    batch = high_resolution_clips(high_latents, indices, frames)
    count = 4 * frames - 3
    assert batch.condition.shape == (len(rows), 36, frames, HIGH_SIDE, HIGH_SIDE)
    mask = batch.condition[:, :4]
    assert (mask[:, :, 0] == 1).all()
    assert (mask[:, :, 1:-1] == 0).all()
    assert mask[0, :, -1, 0, 0].tolist() == [0, 0, 0, 1]
    for place, name in ((slice(4, 20), "both"), (slice(20, 36), "low")):
        assert torch.equal(batch.condition[:, place], high_latents.stack(name, indices)[:, :, :frames])
    assert torch.equal(batch.z, high_latents.stack("z", indices)[:, :, :frames])
    assert batch.audio.shape == (len(rows), 1, count, 12)
    assert batch.controls.shape == (len(rows), count, 26)
    assert batch.maps.shape == (len(rows), count, 6, HIGH_SIDE, HIGH_SIDE)
    assert batch.weight.shape == (len(rows), frames, HIGH_SIDE, HIGH_SIDE)
    assert torch.equal(batch.image, reference_tokens(high_latents.stack("reference", indices)))
    assert batch.captions == tuple(f"shot {row}" for row in rows)
    with pytest.raises(AssertionError, match="another length"):
        high_resolution_clips(high_latents, np.array([3]), frames)


def test_keyframes_are_given_nothing_and_read_their_own_moment(high_latents: LatentDataset) -> None:
    indices = np.array([3, 0])
    batch = high_resolution_keyframes(high_latents, indices)
    assert batch.condition.shape == (2 * SINGLES, 36, 1, HIGH_SIDE, HIGH_SIDE)
    assert (batch.condition[:, :4] == 0).all()
    for number in range(2 * SINGLES):
        row, single = divmod(number, SINGLES)
        frame = (0, 1, 4, 5)[single]
        index = indices[row : row + 1]

        def stored(name: str, index: np.ndarray = index) -> torch.Tensor:
            return high_latents.stack(name, index)[0]

        assert torch.equal(batch.z[number, :, 0], stored("key_z")[single])
        assert torch.equal(batch.condition[number, 4:20, 0], stored("key_fill")[single])
        assert torch.equal(batch.condition[number, 20:, 0], stored("key_low")[single])
        assert torch.equal(batch.audio[number, 0, 0], stored("audio")[frame])
        assert torch.equal(batch.controls[number, 0], stored("controls")[frame])
        assert torch.equal(batch.maps[number, 0], stored("maps")[frame])
        assert torch.equal(batch.weight[number, 0], stored("weight")[(0, 1, 1, 2)[single]])
        assert torch.equal(batch.image[number : number + 1], reference_tokens(stored("reference")[None]))
        assert batch.captions[number] == f"shot {index[0]}"
