"""Rows about whole jobs."""

from __future__ import annotations

import pytest

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows import jobs
from dramatis_lab.evaluate.rows.jobs import worker_rows


def test_workers_are_timed_on_the_stages_that_they_share(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "WORKER_SECONDS", 1)
    rows = worker_rows(bench)
    assert len(rows) == 2
    assert all(seconds > 0 for row in rows for seconds in row.figures.values())
