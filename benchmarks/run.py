"""Measure the shipped weights on held-out people and voices, and write the table of results.

    python benchmarks/run.py                                     # everything: hours on two cores
    python benchmarks/run.py --only sync --only autoencoder      # some groups of rows
    python benchmarks/run.py --only comparison --seconds 10 --seconds 60

Writes benchmarks/RESULTS.md, benchmarks/results.json and docs/pictures. Rows that this run does not measure stay as an
earlier run left them; every row says which run measured it. Rows that miss their bar are printed as failing. Nothing
here is used for training or tuning. The code is the package `dramatis_lab.evaluate`.
"""

from __future__ import annotations

import typer

from dramatis_lab.evaluate.benchmark import main

if __name__ == "__main__":
    typer.run(main)
