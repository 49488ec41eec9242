"""Time of whole processes: the commands are those of a user, and a small film does not pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dramatis.media.video import VideoWriter
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows import real_cost
from dramatis_lab.evaluate.rows.real_cost import animatic_time_row, film_time_row


@pytest.mark.parametrize(
    ("side", "wall", "mark"),
    [(512, 25.0, "aim reached"), (512, 60.0, "passes"), (512, 90.0, "**failing**"), (256, 25.0, "**failing**")],
)
def test_a_film_has_to_be_quick_and_large(
    side: int, wall: float, mark: str, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run(command: list[str], video: Path) -> tuple[float, float]:
        commands.append(command)
        with VideoWriter(video, (side, side)) as writer:
            writer.write(np.zeros((side, side, 3), np.uint8))
        return wall, 100.0

    monkeypatch.setattr(real_cost, "run_timed", run)
    monkeypatch.setattr(real_cost.subprocess, "run", lambda command, **_: commands.append(command))
    row = film_time_row(bench, tmp_path / "portrait.png")
    assert row.mark == mark
    assert commands[0][2:4] == ["dramatis", "generate"]
    animatic = animatic_time_row(bench, tmp_path / "portrait.png")
    assert [command[3] for command in commands[1:]] == ["plan", "preview"]
    assert not animatic.passed
