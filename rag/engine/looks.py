"""The read-only methods of `Engine`: each asks its child process, also while that is at work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from rag.domain import (
    AddedRoot,
    Conversation,
    Document,
    FileState,
    Listing,
    ModelListing,
    OpenedDocument,
    Passage,
    SavedTurn,
    Status,
)
from rag.front_door import FrontDoor

if TYPE_CHECKING:
    from rag.protocols import ErrorRates

P = ParamSpec("P")
T = TypeVar("T")


class EngineLooks(ABC):
    """Methods of `Engine` that return a value at once."""

    @abstractmethod
    def _look(
        self,
        method: Callable[Concatenate[FrontDoor, P], T],
        *arguments: P.args,
        **_: P.kwargs,
    ) -> T:
        """The result of a method of the child's second `Bot`."""

    def status(self) -> Status:
        """As `Bot.status`. Blocks until the child is up."""
        return self._look(FrontDoor.status)

    def rates(self) -> ErrorRates:
        """As `Bot.rates`."""
        return self._look(FrontDoor.rates)

    def document(self, name: str) -> Document:
        """As `Bot.document`."""
        return self._look(FrontDoor.document, name)

    def open_document(self, name: str) -> OpenedDocument:
        """As `Bot.open_document`."""
        return self._look(FrontDoor.open_document, name)

    def sources(self) -> tuple[str, ...]:
        """As `Bot.sources`."""
        return self._look(FrontDoor.sources)

    def documents(self) -> tuple[Listing, ...]:
        """As `Bot.documents`."""
        return self._look(FrontDoor.documents)

    def models(self) -> tuple[ModelListing, ...]:
        """As `Bot.models`."""
        return self._look(FrontDoor.models)

    def remove_model(self, name: str) -> int:
        """As `Bot.remove_model`."""
        return self._look(FrontDoor.remove_model, name)

    def added_roots(self) -> tuple[AddedRoot, ...]:
        """As `Bot.added_roots`."""
        return self._look(FrontDoor.added_roots)

    def watch(self, path: str, watched: bool = True) -> None:
        """As `Bot.watch`."""
        self._look(FrontDoor.watch, path, watched)

    def changed_roots(self) -> tuple[tuple[str, str], ...]:
        """As `Bot.changed_roots`."""
        return self._look(FrontDoor.changed_roots)

    def questions(self, limit: int = 50) -> tuple[str, ...]:
        """As `Bot.questions`."""
        return self._look(FrontDoor.questions, limit)

    def conversations(self, limit: int = 50, words: str = "") -> tuple[Conversation, ...]:
        """As `Bot.conversations`."""
        return self._look(FrontDoor.conversations, limit, words)

    def conversation(self, name: str, last: int = 0) -> tuple[SavedTurn, ...]:
        """As `Bot.conversation`."""
        return self._look(FrontDoor.conversation, name, last)

    def conversation_title(self, name: str) -> str:
        """As `Bot.conversation_title`."""
        return self._look(FrontDoor.conversation_title, name)

    def rename_conversation(self, name: str, title: str) -> None:
        """As `Bot.rename_conversation`."""
        self._look(FrontDoor.rename_conversation, name, title)

    def remove_conversation(self, name: str) -> int:
        """As `Bot.remove_conversation`."""
        return self._look(FrontDoor.remove_conversation, name)

    def file_states(self, cited: Sequence[tuple[str, str]]) -> tuple[FileState, ...]:
        """As `Bot.file_states`."""
        return self._look(FrontDoor.file_states, cited)

    def new_conversation(self) -> str:
        """As `Bot.new_conversation`."""
        return self._look(FrontDoor.new_conversation)

    def search(self, question: str, limit: int | None = None) -> tuple[Passage, ...]:
        """As `Bot.search`."""
        return self._look(FrontDoor.search, question, limit)
