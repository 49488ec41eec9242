"""The raw assets of the synthetic world, which only some machines have."""

from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parents[2] / "shared" / "assets"
needs_assets = pytest.mark.skipif(
    not (ASSETS / "ict_facekit.npz").is_file(), reason="the raw assets are not on this machine"
)
