"""Seeds that depend on what is generated, not on when or where, so that parallel work equals serial work."""

from __future__ import annotations

import hashlib
import json


def derive_seed(*parts: str | int | float | bool | None) -> int:
    """A seed in [0, 2**63) from its parts, for example (job seed, stage, clip index).

    The same parts give the same seed on every machine; any change of value, type, order or number of parts
    gives an unrelated one. 63 bits fit torch.Generator and numpy's generators alike.
    """
    text = json.dumps(parts, separators=(",", ":"), allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big") >> 1
