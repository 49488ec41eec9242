"""Dramatis: a portrait, a voice and a sentence of direction become a talking video.

The names below are loaded when they are first used: `import dramatis` alone is quick and pulls in no torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dramatis.app.pipeline import AvatarPipeline
    from dramatis.errors import UserError
    from dramatis.story.storyline import Storyline

# torch reads it at its first allocation: large pages, where Linux offers them, made decoding 1.6 times as fast.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

__version__ = "0.1.0"
__all__ = ["AvatarPipeline", "Storyline", "UserError", "__version__"]

_HOME = {
    "AvatarPipeline": "dramatis.app.pipeline",
    "Storyline": "dramatis.story.storyline",
    "UserError": "dramatis.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dramatis' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
