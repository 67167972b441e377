"""The interface of the front door that `bot.Bot` and `engine.Engine` (a child process) share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.domain import Conversation, Document, Listing, Passage, Status
from rag.events import Event
from rag.protocols import ErrorRates


class FrontDoor(Protocol):
    """The methods that `Bot` and `Engine` have in common; `Bot` documents each of them."""

    def close(self) -> None: ...

    def ask(
        self, question: str, conversation: str | None = None, refresh: bool = False
    ) -> Iterator[Event]: ...

    def add(self, paths: Sequence[str]) -> Iterator[Event]: ...

    def sync(self) -> Iterator[Event]: ...

    def search(self, question: str, limit: int | None = None) -> tuple[Passage, ...]: ...

    def document(self, name: str) -> Document: ...

    def documents(self) -> tuple[Listing, ...]: ...

    def status(self) -> Status: ...

    def rates(self) -> ErrorRates: ...

    def questions(self, limit: int = 50) -> tuple[str, ...]: ...

    def conversations(self, limit: int = 50) -> tuple[Conversation, ...]: ...

    def new_conversation(self) -> str: ...
