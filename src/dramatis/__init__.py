"""Dramatis: a portrait, a voice and a sentence of direction become a talking video.

The names below are loaded when they are first used: `import dramatis` alone is quick and pulls in no torch.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dramatis.app.job import Job
    from dramatis.app.pipeline import AvatarPipeline
    from dramatis.app.requests import CharacterRequest, PlanRequest
    from dramatis.cascade.pipeline import RenderedVideo
    from dramatis.errors import UserError
    from dramatis.story.storyline import Storyline

# torch reads it at its first allocation: large pages, where Linux offers them, made decoding 1.6 times as fast. It is
# set here because this is the first line of ours that runs, whichever of our modules loads torch.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

__version__ = "0.2.0"
__all__ = [
    "AvatarPipeline",
    "CharacterRequest",
    "Job",
    "PlanRequest",
    "RenderedVideo",
    "Storyline",
    "UserError",
    "__version__",
]

_HOME = {
    "AvatarPipeline": "dramatis.app.pipeline",
    "CharacterRequest": "dramatis.app.requests",
    "Job": "dramatis.app.job",
    "PlanRequest": "dramatis.app.requests",
    "RenderedVideo": "dramatis.cascade.pipeline",
    "Storyline": "dramatis.story.storyline",
    "UserError": "dramatis.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'dramatis' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
