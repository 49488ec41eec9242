"""Local folders of public weights: what is compared, what is refused, what is remembered."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from dramatis.errors import UserError
from dramatis.models.published.catalogue import OpenModel, RemoteFile, Repository
from dramatis.models.published.links import check_downloads, link_model, linked_models, links_file, recorded_checksum
from dramatis.runtime.progress import NullReporter, Progress
from tests.open_weights import tiny_open_model


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[OpenModel, Path]:
    """A tiny model, complete on the disk, and a configuration folder of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tiny_open_model(tmp_path / "weights"), tmp_path / "weights"


def verdicts(model: OpenModel, folder: Path, *, checksums: bool = False) -> dict[str, str]:
    return {found.path: found.verdict for found in check_downloads(model, folder, NullReporter(), checksums=checksums)}


def test_a_complete_folder_is_linked_and_remembered(linked: tuple[OpenModel, Path]) -> None:
    model, folder = linked
    findings = check_downloads(model, folder, NullReporter(), checksums=True)
    assert [found.verdict for found in findings] == ["there, size not verified", "size right", "checksum right"]
    assert linked_models() == {}
    link_model(model, folder, findings)
    link_model(replace(model, name="again"), folder, findings)
    assert linked_models() == {"tiny": folder, "again": folder}


def test_contents_are_compared_only_if_wanted(linked: tuple[OpenModel, Path]) -> None:
    model, folder = linked
    audio = folder / "Branch" / "infinitetalk.safetensors"
    content = bytearray(audio.read_bytes())
    content[-1] ^= 1
    audio.write_bytes(content)
    assert verdicts(model, folder)["Branch/infinitetalk.safetensors"] == "size right"
    assert verdicts(model, folder, checksums=True)["Branch/infinitetalk.safetensors"] == "wrong checksum"


def test_nothing_is_linked_while_a_file_is_wrong(linked: tuple[OpenModel, Path]) -> None:
    model, folder = linked
    (folder / "Base" / "config.json").unlink()
    shard = folder / "Base" / "diffusion_pytorch_model.safetensors"
    size = shard.stat().st_size
    shard.write_bytes(shard.read_bytes()[:-1])
    found = verdicts(model, folder)
    assert found["Base/config.json"] == "missing"
    assert found["Base/diffusion_pytorch_model.safetensors"] == f"wrong size: {size - 1} bytes, not {size}"
    with pytest.raises(UserError, match=r"2 files are not as published \(Base/config.json: missing;"):
        link_model(model, folder, check_downloads(model, folder, NullReporter(), checksums=False))
    assert not links_file().exists()


def test_an_empty_file_is_wrong_even_where_no_size_is_known(linked: tuple[OpenModel, Path]) -> None:
    model, folder = linked
    (folder / "Base" / "config.json").write_text("")
    assert verdicts(model, folder)["Base/config.json"] == "wrong size: 0 bytes"


def test_weights_that_do_not_fit_are_not_linked(linked: tuple[OpenModel, Path]) -> None:
    model, folder = linked
    config = folder / "Base" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "ffn_dim": 65}))
    with pytest.raises(UserError, match="do not fit their config"):
        link_model(model, folder, check_downloads(model, folder, NullReporter(), checksums=False))
    assert not links_file().exists()


def test_a_checksum_is_found_beside_the_file_or_in_the_record_of_its_download(tmp_path: Path) -> None:
    file = tmp_path / "repository" / "vae" / "model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert recorded_checksum(file) is None
    record = tmp_path / "repository" / ".cache" / "huggingface" / "download" / "vae" / "model.safetensors.metadata"
    record.parent.mkdir(parents=True)
    record.write_text(f"{'c' * 40}\n{'e' * 40}\n1.0\n")  # small files are recorded by another hash
    assert recorded_checksum(file) is None
    record.write_text(f"{'c' * 40}\n{digest}\n1.0\n")
    assert recorded_checksum(file) == digest
    file.with_name("model.safetensors.sha256").write_text(f"{'0' * 64}  model.safetensors\n")
    assert recorded_checksum(file) == "0" * 64
    model = OpenModel("m", "", "", None, (Repository("p/repository", "", "", (RemoteFile("vae/model.safetensors"),)),))
    assert verdicts(model, tmp_path, checksums=True) == {"repository/vae/model.safetensors": "wrong checksum"}


def test_what_only_a_variant_needs_may_be_missing(linked: tuple[OpenModel, Path]) -> None:
    model, folder = linked
    model = replace(model, optional=(Repository("p/few", "", "", (RemoteFile("few.safetensors", 7),)),))
    assert verdicts(model, folder)["few/few.safetensors"] == "not there; optional"
    link_model(model, folder, check_downloads(model, folder, NullReporter(), checksums=False))
    (folder / "few").mkdir()
    (folder / "few" / "few.safetensors").write_bytes(b"cut")
    assert verdicts(model, folder)["few/few.safetensors"] == "wrong size: 3 bytes, not 7"


def test_progress_is_told_file_by_file(linked: tuple[OpenModel, Path]) -> None:
    events: list[Progress] = []

    class Listener(NullReporter):
        def report(self, event: Progress) -> None:
            events.append(event)

    model, folder = linked
    check_downloads(model, folder, Listener(), checksums=True)
    assert [(event.done, event.total) for event in events] == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("content", ["{", "[]", '{"models": []}', '{"models": {"a": 1}}'])
def test_a_broken_file_of_links_is_named(content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    links_file().parent.mkdir()
    links_file().write_text(content)
    with pytest.raises(UserError, match=r"models\.json: this file cannot be read"):
        linked_models()


def test_links_lie_in_the_home_folder_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert links_file() == tmp_path / ".config" / "dramatis" / "models.json"
