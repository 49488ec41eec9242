"""Language models as experts: one small protocol, any OpenAI-compatible server, answers that always fit a schema."""

from dramatis.director.llm.client import Budget, OpenAIChat, Server
from dramatis.director.llm.protocol import LLM, Attachment, LLMError, Message
from dramatis.director.llm.recording import Recorder, Recording, Replay

__all__ = [
    "LLM", "Attachment", "Budget", "LLMError", "Message", "OpenAIChat", "Recorder", "Recording", "Replay", "Server",
]  # fmt: skip
