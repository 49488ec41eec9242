"""Compare our networks with the official ones on every golden of a folder.

    python -m dramatis_lab.evaluate.studies.parity tests/goldens

Prints the greatest absolute difference of the outputs in float32, and exits 1 where it is more than rounding explains.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from dramatis.errors import UserError
from dramatis_lab.evaluate.studies.goldens import PARITY_TOLERANCE, largest_difference, read_goldens


def main(folder: Path) -> None:
    """Compare the goldens of a folder: pairs of .json and .safetensors files, as in tests/goldens."""
    try:
        goldens = read_goldens(folder)
    except UserError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    differ = False
    for golden in goldens:
        if not golden.supported:
            print(f"{golden.name}  not supported yet")
            continue
        difference = largest_difference(golden)
        differ |= difference > PARITY_TOLERANCE
        print(f"{golden.name}  {difference:.1e}  {'equal' if difference <= PARITY_TOLERANCE else 'NOT EQUAL'}")
    if differ:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
