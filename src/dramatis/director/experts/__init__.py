"""The embedded experts: rules over what was heard, seen and written, without a language model, files or chance.

Those that ask a language model are in `llm`.
"""

from dramatis.director.experts.audio import AudioExpert
from dramatis.director.experts.negative import NegativeDirector
from dramatis.director.experts.text import TextExpert
from dramatis.director.experts.visual import VisualExpert

__all__ = ["AudioExpert", "NegativeDirector", "TextExpert", "VisualExpert"]
