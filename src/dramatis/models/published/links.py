"""Local folders with public weights: whether they are complete, and the names under which the user has linked them.

The links are a small JSON file in the user's configuration folder; the weights stay where they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dramatis.errors import UserError
from dramatis.models.loading import list_faults
from dramatis.models.published.catalogue import OpenModel
from dramatis.models.published.official import check_official
from dramatis.runtime.files import hash_file, write_whole
from dramatis.runtime.progress import Progress, Reporter


@dataclass(frozen=True)
class FileCheck:
    """The check of one file. path: within the folder. verdict: in words. good: whether the file can stay as it is."""

    path: str
    verdict: str
    good: bool


def check_downloads(model: OpenModel, folder: Path, reporter: Reporter, *, checksums: bool) -> list[FileCheck]:
    """Compare the files of a folder with the published ones, by size and, if wanted, by content.

    checksums: whether to read every file whose SHA-256 is known from the catalogue, from a `.sha256` file beside it or
    from its download. Files that only some variants need may be missing.
    """
    optional = dict(model.optional_files())
    files = [*model.files(), *optional.items()]
    checks = []
    for index, (path, file) in enumerate(files):
        reporter.report(Progress("check", index, len(files), path))
        if path in optional and not (folder / path).is_file():
            checks.append(FileCheck(path, "not there; optional", good=True))
            continue
        sha256 = (file.sha256 or recorded_checksum(folder / path)) if checksums else None
        checks.append(_check_file(folder / path, path, file.size, sha256))
    reporter.report(Progress("check", len(files), len(files)))
    return checks


def _check_file(local: Path, path: str, size: int | None, sha256: str | None) -> FileCheck:
    if not local.is_file():
        return FileCheck(path, "missing", good=False)
    actual = local.stat().st_size
    if actual == 0 or (size is not None and actual != size):
        return FileCheck(path, f"wrong size: {actual} bytes" + ("" if size is None else f", not {size}"), good=False)
    if sha256 is not None:
        equal = hash_file(local) == sha256
        return FileCheck(path, "checksum right" if equal else "wrong checksum", equal)
    return FileCheck(path, "there, size not verified" if size is None else "size right", good=True)


def recorded_checksum(path: Path) -> str | None:
    """The SHA-256 in a `.sha256` file beside `path`, or in the record that Hugging Face's tool keeps of its downloads.

    None where neither has one.
    """
    beside = path.with_name(path.name + ".sha256")
    texts = [beside.read_text(encoding="utf-8").split()[:1]] if beside.is_file() else []
    for parent in path.parents:
        record = parent / ".cache" / "huggingface" / "download" / f"{path.relative_to(parent)}.metadata"
        if record.is_file():
            texts.append(record.read_text(encoding="utf-8").split()[1:2])
            break
    for text in texts:
        if text and len(text[0]) == 64 and set(text[0].lower()) <= set("0123456789abcdef"):
            return text[0].lower()
    return None


def link_model(model: OpenModel, folder: Path, checks: list[FileCheck]) -> None:
    """Remember a model's folder, after a check of its tensors' names and shapes by the headers of its files.

    checks: of `check_downloads`. Raises UserError where one of them is bad or the weights do not fit; nothing is
    remembered then.
    """
    bad = [f"{check.path}: {check.verdict}" for check in checks if not check.good]
    if bad:
        raise UserError(f"{folder}: {len(bad)} files are not as published ({list_faults(bad)}); download them again.")
    check_official(folder / model.weights, None if model.audio is None else folder / model.audio)
    models = {**{name: str(path) for name, path in linked_models().items()}, model.name: str(folder.resolve())}
    write_whole(links_file(), json.dumps({"models": models}, indent=1) + "\n")


def linked_models() -> dict[str, Path]:
    """Names and folders of the models that the user has linked; a folder may no longer exist. Raises UserError."""
    file = links_file()
    if not file.is_file():
        return {}
    try:
        return {str(name): Path(path) for name, path in _models(file)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: this file cannot be read ({error}); delete it and add your models again.") from error


def _models(file: Path) -> Iterator[tuple[str, str]]:
    yield from json.loads(file.read_text(encoding="utf-8"))["models"].items()


def links_file() -> Path:
    """`dramatis/models.json` in the user's configuration folder (XDG base directories)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dramatis" / "models.json"
