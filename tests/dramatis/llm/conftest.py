"""The server on loopback, for every test here."""

from tests.dramatis.llm.server import server

__all__ = ["server"]
