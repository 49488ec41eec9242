"""Language models: one small protocol, any OpenAI-compatible server, and answers that always fit a schema."""

from dramatis.llm.client import Budget, OpenAIChat, Server
from dramatis.llm.protocol import LLM, Attachment, LLMError, Message
from dramatis.llm.recording import ExchangeRecording, Recorder, Replay

__all__ = [
    "LLM", "Attachment", "Budget", "ExchangeRecording", "LLMError", "Message", "OpenAIChat", "Recorder", "Replay",
    "Server",
]  # fmt: skip
