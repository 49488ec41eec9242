"""What is said of public weights is complete, and agrees with the networks that read them."""

from __future__ import annotations

import pytest
import torch

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.published.catalogue import MULTITALK, OPEN_MODELS, WAN_480P, published_model
from dramatis.models.published.official import AUDIO, official_name


def test_sizes_agree_with_the_number_of_weights() -> None:
    """Wan's shards hold float32 and headers of less than 200 bytes a tensor.

    MultiTalk's branch is published with a little less than float32 throughout would take.
    """
    with torch.device("meta"):
        state = {official_name(key): value.numel() for key, value in AudioDiT().state_dict().items()}
    assert len(state) == 1633
    heard = {key: size for key, size in state.items() if AUDIO.match(key)}
    assert round(sum(heard.values()) / 1e9, 2) == 2.49
    base = {key: size for key, size in state.items() if key not in heard}
    assert 0 < sum(file.size or 0 for file in WAN_480P.files) - 4 * sum(base.values()) < 200 * len(base)
    assert MULTITALK.files[0].size == pytest.approx(4 * sum(heard.values()), rel=1e-4)


@pytest.mark.parametrize("name", OPEN_MODELS)
def test_the_description_says_what_to_get_where_and_under_which_licence(name: str) -> None:
    model = published_model(name)
    text = "\n".join(model.describe())
    for repository in (*model.repositories, *model.optional):
        assert f"https://huggingface.co/{repository.name}  ({repository.licence})" in text
        assert f"hf download {repository.name}" in text
        assert f"--local-dir {repository.folder}" in text
    for path, file in [*model.files(), *model.optional_files()]:
        assert f"{file.name}  " in text
        assert (file.sha256 is None) or len(bytes.fromhex(file.sha256)) == 32
        assert file.sha256 is None or file.size is not None, path
    assert "size not verified" in text
    roots = {repository.folder for repository in model.repositories}
    assert len(roots) == len(model.repositories)
    assert model.weights in roots
    assert model.audio is None or model.audio in dict(model.files())


def test_sizes_are_printed_in_decimal_units() -> None:
    text = "\n".join(published_model("multitalk").describe())
    assert "multitalk.safetensors  9.95 GB" in text
    assert "76 GB without the files of unknown size." in text
    assert "The whole size is not verified." in "\n".join(published_model("skyreels-v3-a2v").describe())


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="no public weights 'infinitalk'; choose one of infinitetalk, "):
        published_model("infinitalk")
