"""What the screens ask of an engine; `rag.engine.Engine` has these methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rag.domain import Document, Status
from rag.events import Event
from rag.protocols import ErrorRates


class ChatEngine(Protocol):
    """The methods of `Engine` that the screens call. They may be called from any thread."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...

    def ask(self, question: str, conversation: str | None = None) -> Iterator[Event]: ...

    def add(self, paths: Sequence[str]) -> Iterator[Event]: ...

    def new_conversation(self) -> str: ...

    def questions(self, limit: int = 50) -> tuple[str, ...]: ...

    def document(self, name: str) -> Document: ...

    def status(self) -> Status: ...

    def rates(self) -> ErrorRates: ...
