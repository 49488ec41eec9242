"""The rules of CONTRIBUTING.md that can be checked: names, docstrings, errors, mirrored tests, glossary, surface."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import ROOT
from tests.surface import surface

SOURCES = sorted((ROOT / "src").rglob("*.py"))

SHARED_NAMES = {
    "app": "the Typer application of each command line",
    "main": "the entry point of each command line",
}
"""Public names that stand in more than one module, and why they may."""

MOST_UNTESTED_LINES = 40
"""Lines of logic above which a module has a test file of its own."""

BEYOND_MODULES = {"dramatis/package", "dramatis/weights"}
"""What test files look at besides: the package as a whole, the weights that ship."""

COVERED = {
    # Jobs from files to mp4, with tiny networks.
    "dramatis/cascade/test_pipeline.py": ("dramatis/cascade/context",),
    "dramatis/story/test_storyline.py": ("dramatis/story/storyline_yaml",),
    "dramatis/backbones/test_mini.py": ("dramatis/backbones/mini_networks",),
    # People, pictures and voices are looked at and heard whole.
    "dramatis_lab/world/people/test_person.py": (
        "dramatis_lab/world/people/assets",
        "dramatis_lab/world/people/head",
        "dramatis_lab/world/people/skin",
        "dramatis_lab/world/people/wardrobe",
    ),
    "dramatis_lab/world/renderer/test_scene.py": (
        "dramatis_lab/world/renderer/lens",
        "dramatis_lab/world/renderer/shading",
        "dramatis_lab/world/renderer/textures",
        "dramatis_lab/world/takes/backgrounds",
    ),
    "dramatis_lab/world/voices/test_speech.py": (
        "dramatis_lab/world/voices/engines",
        "dramatis_lab/world/voices/espeak",
        "dramatis_lab/world/voices/phones",
    ),
}
"""Test files, and the modules beside their own that they cover. All other modules have a test file of their own."""

MEASURED = {
    "dramatis_lab/evaluate/cases/make_scenes",
    "dramatis_lab/evaluate/cases/recordings",
    "dramatis_lab/evaluate/measures/storylines",
    "dramatis_lab/evaluate/rows/characters",
    "dramatis_lab/evaluate/rows/director",
    "dramatis_lab/evaluate/rows/faces",
    "dramatis_lab/evaluate/rows/lips",
    "dramatis_lab/evaluate/rows/masks",
    "dramatis_lab/evaluate/rows/pictures",
    "dramatis_lab/evaluate/rows/planning",
    "dramatis_lab/evaluate/studies/mask_depth",
}
"""Parts of the benchmark that film or plan with what ships, for minutes to hours: `make benchmark` runs them."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _module(path: Path) -> str:
    """`dramatis/media/audio` for its file."""
    return path.relative_to(ROOT / "src").with_suffix("").as_posix()


def _public_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case ast.Assign(targets=targets):
                names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_"))


def _lines_of_logic(tree: ast.Module) -> int:
    """Lines within functions, without their docstrings."""
    lines: set[int] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            body = function.body[1:] if ast.get_docstring(function) else function.body
            lines |= {line for node in body for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return len(lines)


def _user_errors(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every message that is written where it is raised; placeholders read `{}`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="UserError"), args=[ast.Constant(value=str(text)), *_]):
                yield node.lineno, text
            case ast.Call(func=ast.Name(id="UserError"), args=[ast.JoinedStr(values=parts), *_]):
                texts = (str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
                yield node.lineno, "".join(texts)


def test_a_public_name_stands_in_one_module() -> None:
    homes: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for name in sorted(set(_public_names(_tree(path)))):
            homes[name].append(_module(path))
    shared = {name: modules for name, modules in homes.items() if len(modules) > 1}
    assert {name: modules for name, modules in shared.items() if name not in SHARED_NAMES} == {}
    assert shared.keys() == SHARED_NAMES.keys(), "names that are not shared any more leave the list"


def test_every_module_says_what_it_is_for() -> None:
    assert [_module(path) for path in SOURCES if not ast.get_docstring(_tree(path))] == []


def test_messages_to_users_are_sentences() -> None:
    messages = [(_module(path), line, text) for path in SOURCES for line, text in _user_errors(_tree(path))]
    assert len(messages) > 100, "the search finds them"
    wrong = [message for message in messages if not re.fullmatch(r"[A-Z{`\-].*(\.|\{\})", message[2], re.DOTALL)]
    assert wrong == []


def test_tests_mirror_the_source() -> None:
    missing = set()
    for path in SOURCES:
        test = ROOT / "tests" / Path(_module(path)).with_name(f"test_{path.stem}.py")
        if _lines_of_logic(_tree(path)) > MOST_UNTESTED_LINES and not test.is_file():
            missing.add(_module(path))
    covered = MEASURED | {module for modules in COVERED.values() for module in modules}
    assert sorted(missing - covered) == [], "a module without a test"
    assert sorted(covered - missing) == [], "a module that has a test of its own now, or none to cover"
    assert [test for test in COVERED if not (ROOT / "tests" / test).is_file()] == []


def test_every_test_file_mirrors_a_module_or_a_folder() -> None:
    mirrored = {_module(path) for path in SOURCES} | {_module(path.parent) for path in SOURCES}
    strays = []
    for package in ("dramatis", "dramatis_lab"):
        for path in sorted((ROOT / "tests" / package).rglob("test_*.py")):
            module = path.relative_to(ROOT / "tests").with_name(path.stem.removeprefix("test_")).as_posix()
            if module not in mirrored | BEYOND_MODULES:
                strays.append(module)
    assert strays == []


def test_the_glossary_is_in_order_and_gives_each_term_one_meaning() -> None:
    rows = re.findall(r"^\| (.+?)(?: \*)? \| .+ \|$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)[1:]
    assert rows == sorted(set(rows), key=str.casefold)


def test_what_users_know_by_heart_changes_on_purpose_only() -> None:
    """Where this fails on purpose: `.venv/bin/python -m tests.surface > tests/surface.txt`."""
    assert surface() == (ROOT / "tests" / "surface.txt").read_text().splitlines()
