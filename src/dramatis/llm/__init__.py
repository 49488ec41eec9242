"""Language models as experts: one small protocol, any OpenAI-compatible server, answers that always fit a schema."""

from dramatis.llm.client import Budget, OpenAIChat, Server
from dramatis.llm.protocol import LLM, Attachment, LLMError, Message
from dramatis.llm.recording import Recorder, Recording, Replay

__all__ = [
    "LLM", "Attachment", "Budget", "LLMError", "Message", "OpenAIChat", "Recorder", "Recording", "Replay", "Server",
]  # fmt: skip
