"""Local folders with public weights: whether they are complete, and under which name the user has linked them.

Links are a small JSON file in the user's configuration folder; the weights stay where they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dramatis.errors import UserError
from dramatis.models.loading import listed
from dramatis.models.published.catalogue import OpenModel
from dramatis.models.published.official import check_official
from dramatis.runtime.files import hash_file, write_whole
from dramatis.runtime.progress import Progress, Reporter


@dataclass(frozen=True)
class Finding:
    """One file of a local folder. verdict: in words; good: whether it can stay as it is."""

    path: str
    verdict: str
    good: bool


def check_folder_of(model: OpenModel, folder: Path, checksums: bool, reporter: Reporter) -> list[Finding]:
    """Compare what is in a folder with what is published, by size and, if wanted, by content.

    checksums: read every file once whose SHA-256 is known here, in a `.sha256` file beside it, or from its download.
    What only some variants need may be missing.
    """
    optional = dict(model.optional_files())
    files = [*model.files(), *optional.items()]
    findings = []
    for number, (path, file) in enumerate(files):
        reporter.report(Progress("check", number, len(files), path))
        if path in optional and not (folder / path).is_file():
            findings.append(Finding(path, "not there; optional", True))
            continue
        known = (file.sha256 or noted_checksum(folder / path)) if checksums else None
        findings.append(_look(folder / path, path, file.size, known))
    reporter.report(Progress("check", len(files), len(files)))
    return findings


def _look(local: Path, path: str, size: int | None, sha256: str | None) -> Finding:
    if not local.is_file():
        return Finding(path, "missing", False)
    found = local.stat().st_size
    if found == 0 or (size is not None and found != size):
        return Finding(path, f"wrong size: {found} bytes" + ("" if size is None else f", not {size}"), False)
    if sha256 is not None:
        equal = hash_file(local) == sha256
        return Finding(path, "checksum right" if equal else "wrong checksum", equal)
    return Finding(path, "there, size not verified" if size is None else "size right", True)


def noted_checksum(path: Path) -> str | None:
    """The SHA-256 that a `.sha256` file beside `path` gives, or the record that Hugging Face's tool keeps of its
    downloads; None where neither does."""
    noted = path.with_name(path.name + ".sha256")
    texts = [noted.read_text(encoding="utf-8").split()[:1]] if noted.is_file() else []
    for parent in path.parents:
        record = parent / ".cache" / "huggingface" / "download" / f"{path.relative_to(parent)}.metadata"
        if record.is_file():
            texts.append(record.read_text(encoding="utf-8").split()[1:2])
            break
    for text in texts:
        if text and len(text[0]) == 64 and set(text[0].lower()) <= set("0123456789abcdef"):
            return text[0].lower()
    return None


def link(model: OpenModel, folder: Path, findings: list[Finding]) -> None:
    """Remember where a model lies. Its tensors' names and shapes are checked first, by the headers of its files.

    Raises UserError where a finding is bad or the weights do not fit; nothing is remembered then.
    """
    bad = [f"{finding.path}: {finding.verdict}" for finding in findings if not finding.good]
    if bad:
        raise UserError(f"{folder}: {len(bad)} files are not as published ({listed(bad)}); download them again.")
    check_official(folder / model.weights, None if model.audio is None else folder / model.audio)
    models = {**{name: str(path) for name, path in links().items()}, model.name: str(folder.resolve())}
    write_whole(links_file(), json.dumps({"models": models}, indent=1) + "\n")


def links() -> dict[str, Path]:
    """Names and folders of the models that the user has linked; a folder may be gone. Raises UserError."""
    file = links_file()
    if not file.is_file():
        return {}
    try:
        return {str(name): Path(path) for name, path in _models(file)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{file}: it cannot be read ({error}); delete it and add your models again.") from error


def _models(file: Path) -> Iterator[tuple[str, str]]:
    yield from json.loads(file.read_text(encoding="utf-8"))["models"].items()


def links_file() -> Path:
    """`dramatis/models.json` in the user's configuration folder (XDG base directories)."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "dramatis" / "models.json"
