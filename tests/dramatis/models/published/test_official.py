"""Every official layout with tiny random weights through the public loader, and every way in which it can be wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from dramatis.errors import UserError
from dramatis.models.dit import AudioDiT
from dramatis.models.published.official import check_official, load_official, official_name
from tests.open_weights import BASE, GOLDEN, HEARD, LAYOUTS, STATE, infinitetalk, shards, write


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_loads_every_tensor(layout: Callable[[Path], tuple[Path, Path | None]], tmp_path: Path) -> None:
    net = load_official(*layout(tmp_path / "weights"), dtype=torch.float32)
    loaded = net.state_dict()
    assert len(loaded) == len(STATE)
    assert all(torch.equal(value, STATE[official_name(key)]) for key, value in loaded.items())
    fresh = AudioDiT.from_config(net.config)
    assert all(torch.equal(value, fresh.get_buffer(key)) for key, value in net.named_buffers())
    assert not net.training


def test_the_audio_file_is_merged_over_the_base(tmp_path: Path) -> None:
    old = {key: torch.zeros_like(value) for key, value in HEARD.items()}
    base = shards(tmp_path / "weights", BASE | old, 2)
    net = load_official(base, write(tmp_path / "new.safetensors", HEARD), torch.float32)
    assert torch.equal(net.get_parameter("audio_proj.proj1.weight"), STATE["audio_proj.proj1.weight"])


def test_weights_come_in_the_format_asked_for(tmp_path: Path) -> None:
    net = load_official(*infinitetalk(tmp_path / "weights"))
    assert {value.dtype for value in net.state_dict().values()} == {torch.bfloat16}


def test_files_are_opened_one_after_the_other_and_each_tensor_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory holds one network: no file's tensors are gathered before those of the file before have their place."""
    read: list[str] = []

    class Opened:
        def __init__(self, file: Path, framework: str) -> None:
            self._opened, self._name = safe_open(file, framework), Path(file).name

        def __enter__(self) -> Opened:
            self._opened.__enter__()
            return self

        def __exit__(self, *fault: object) -> None:
            self._opened.__exit__(*fault)

        def get_tensor(self, key: str) -> Tensor:
            read.append(f"{self._name}:{key}")
            return self._opened.get_tensor(key)

    assigned: list[int] = []
    assign = AudioDiT.load_state_dict

    def counted(net: AudioDiT, state: dict[str, Tensor], **how: bool) -> object:
        assigned.append(len(read))
        assert how == {"strict": False, "assign": True}
        return assign(net, state, **how)

    monkeypatch.setattr("dramatis.models.published.official.safe_open", Opened)
    monkeypatch.setattr(AudioDiT, "load_state_dict", counted)
    load_official(*infinitetalk(tmp_path / "weights"))
    assert len(read) == len(set(read)) == len(STATE)
    assert len(assigned) == 8
    assert assigned == sorted(set(assigned))


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        ("blocks.3.attn1.to_q.weight", "blocks.3.self_attn.q.weight"),
        ("blocks.3.attn1.to_out.0.bias", "blocks.3.self_attn.o.bias"),
        ("blocks.3.attn2.norm_k.weight", "blocks.3.cross_attn.norm_k.weight"),
        ("blocks.3.attn2.add_k_proj.bias", "blocks.3.cross_attn.k_img.bias"),
        ("blocks.3.norm2.weight", "blocks.3.norm3.weight"),
        ("blocks.3.scale_shift_table", "blocks.3.modulation"),
        ("blocks.3.ffn.net.2.bias", "blocks.3.ffn.2.bias"),
        ("blocks.3.norm_x.bias", "blocks.3.norm_x.bias"),
        ("blocks.3.audio_cross_attn.q_linear.weight", "blocks.3.audio_cross_attn.q_linear.weight"),
        ("audio_proj.norm.weight", "audio_proj.norm.weight"),
        ("scale_shift_table", "head.modulation"),
        ("condition_embedder.time_proj.bias", "time_projection.1.bias"),
    ],
)
def test_official_names(ours: str, official: str) -> None:
    assert official_name(ours) == official


def first_shard(folder: Path) -> Path:
    return sorted(folder.glob("diffusion*.safetensors"))[0]


def without_a_shard(folder: Path) -> None:
    first_shard(folder).unlink()


def with_a_shard_cut_short(folder: Path) -> None:
    shard = first_shard(folder)
    shard.write_bytes(shard.read_bytes()[:-9])


def with_a_shard_renamed(folder: Path) -> None:
    first_shard(folder).rename(folder / "downloaded.safetensors")


def with_a_pickle_for_a_shard(folder: Path) -> None:
    torch.save({}, first_shard(folder))


def with_no_audio(folder: Path) -> None:
    shards(folder, BASE, 7)


def with_audio_alone(folder: Path) -> None:
    shards(folder, HEARD, 7)


def with_missing_tensors(folder: Path) -> None:
    shards(folder, {key: value for key, value in STATE.items() if not key.startswith("img_emb")}, 7)


def with_unexpected_tensors(folder: Path) -> None:
    shards(folder, STATE | {f"vace_blocks.{n}.weight": torch.zeros(1) for n in range(50)}, 7)


def with_another_shape(folder: Path) -> None:
    shards(folder, STATE | {"head.head.weight": torch.zeros(64, 47)}, 7)


def with_quantised_weights(folder: Path) -> None:
    shards(folder, {key: value.to(torch.float8_e4m3fn) for key, value in STATE.items()}, 7)


def with_another_config(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"architectures": ["Wav2Vec2Model"], "hidden_size": 768}))


def with_a_text_to_video_config(folder: Path) -> None:
    config = {**GOLDEN.spec["config"], "model_type": "t2v", "in_dim": 16}
    (folder / "config.json").write_text(json.dumps(config))


def with_words_for_numbers(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**GOLDEN.spec["config"], "ffn_dim": "wide"}))


def with_a_broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def with_a_config_of_another_size(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({**GOLDEN.spec["config"], "num_layers": 3}))


def with_two_indices(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{}")


def with_a_broken_index(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text("[]")


def with_an_index_that_leads_away(folder: Path) -> None:
    places = {"weight_map": {"head.head.weight": "../secret.safetensors"}}
    (folder / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(places))


def with_nothing_but_pickles(folder: Path) -> None:
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    (folder / "model.ckpt").write_bytes(b"")


FAULTS = [
    (without_a_shard, "00001-of-00007.safetensors: this weight file is missing"),
    (with_a_shard_cut_short, "00001-of-00007.safetensors: the weight file is damaged or cut short"),
    (with_a_shard_renamed, "00001-of-00007.safetensors: this weight file is missing"),
    (with_a_pickle_for_a_shard, "00001-of-00007.safetensors: the weight file is damaged"),
    (with_no_audio, "without an audio branch; give the file with the audio branch as well"),
    (with_audio_alone, "only an audio branch; give the folder of the Wan 2.1 weights"),
    (with_missing_tensors, "img_emb.proj.0.bias: missing;.* and 2 more"),
    (with_unexpected_tensors, "vace_blocks.0.weight: unexpected;.* and 44 more"),
    (with_another_shape, r"head.head.weight: wrong shape \(64, 47\), not \(64, 48\)"),
    (with_quantised_weights, "the weights are quantised .*F8_E4M3"),
    (with_another_config, "config.json: it does not describe a Wan 2.1 network"),
    (with_a_text_to_video_config, "config.json: it describes a t2v network"),
    (with_words_for_numbers, "config.json: it does not describe a Wan 2.1 network"),
    (with_a_broken_config, "config.json: this file cannot be read"),
    (with_a_config_of_another_size, "blocks.2.*missing"),
    (with_two_indices, "it has 2 indices"),
    (with_a_broken_index, "the index cannot be read"),
    (with_an_index_that_leads_away, "names '../secret.safetensors', which is not a file beside it"),
    (with_nothing_but_pickles, "only pickled weights, which can run code"),
]


@pytest.mark.parametrize(("spoil", "sentence"), FAULTS)
def test_bad_weights_are_refused_by_their_headers(
    spoil: Callable[[Path], None], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shards(tmp_path / "weights", STATE, 7)
    spoil(folder)
    monkeypatch.setattr("dramatis.models.published.official._tensors", None)  # reading weights would fail otherwise
    with pytest.raises(UserError, match=sentence) as refused:
        load_official(folder)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def test_a_gap_in_a_series_without_an_index_is_named(tmp_path: Path) -> None:
    folder = shards(tmp_path / "weights", STATE, 3, index=False)
    sorted(folder.glob("*.safetensors"))[1].unlink()
    with pytest.raises(UserError, match=r"00002-of-00003\.safetensors: this weight file is missing"):
        check_official(folder)


def test_a_tensor_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    folder = shards(tmp_path / "weights", STATE, 2, index=False)
    write(folder / "old.safetensors", {"head.head.bias": STATE["head.head.bias"]})
    with pytest.raises(UserError, match=r"old.safetensors: head.head.bias is also in diffusion_pytorch_model-0000"):
        check_official(folder)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.safetensors"])
def test_what_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{name}: there is no such file or folder"):
        check_official(tmp_path / name)
    with pytest.raises(UserError, match=r"audio\.safetensors: this weight file is missing"):
        check_official(shards(tmp_path / "weights", BASE, 2), tmp_path / "audio.safetensors")


class Payload:
    """Runs code on loading, wherever loading lets it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return Path.touch, (self.mark,)  # type: ignore[return-value]


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt"])
def test_pickles_are_read_only_if_allowed(suffix: str, tmp_path: Path) -> None:
    folder = shards(tmp_path / "weights", BASE, 1)
    audio = tmp_path / f"audio{suffix}"
    torch.save(HEARD, audio)
    with pytest.raises(UserError, match="this file is a Python pickle, which could run a program"):
        load_official(folder, audio)
    net = load_official(folder, audio, torch.float32, pickles=True)
    assert torch.equal(net.get_parameter("audio_proj.proj3.weight"), STATE["audio_proj.proj3.weight"])


@pytest.mark.parametrize("pickles", [False, True])
def test_code_in_a_pickle_never_runs(*, pickles: bool, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    torch.save({**HEARD, "more": Payload(mark)}, tmp_path / "audio.pth")
    with pytest.raises(UserError):
        load_official(shards(tmp_path / "weights", BASE, 1), tmp_path / "audio.pth", pickles=pickles)
    assert not mark.exists()


@pytest.mark.parametrize("content", [[1, 2], {"state_dict": {"a": 1}}])
def test_a_pickle_of_something_else_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "audio.pth")
    with pytest.raises(UserError, match="not a table of tensors by name"):
        check_official(shards(tmp_path / "weights", BASE, 1), tmp_path / "audio.pth", pickles=True)


def test_a_file_without_a_config_is_taken_for_the_14b_network(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"blocks.10.audio_cross_attn.kv_linear.bias: missing"):
        check_official(write(tmp_path / "merged.safetensors", STATE))
