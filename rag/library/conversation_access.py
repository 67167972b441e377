"""The part of the front door that finds, opens, renames and removes saved conversations."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.disk.disk_errors import reports_disk_errors
from rag.domain import Conversation, FileState, SavedTurn
from rag.errors import LibraryMissing
from rag.library.conversations import Conversations
from rag.library.file_state import state_of_cited

if TYPE_CHECKING:
    from rag.config import Config
    from rag.library.library import Library


class ConversationAccess(ABC):
    """Methods of `Bot` over its library's history."""

    config: Config

    @property
    @abstractmethod
    def library(self) -> Library:
        """The library. Raises `LibraryMissing` if there is none."""

    def new_conversation(self) -> str:
        """A new conversation id, for `ask`."""
        return uuid.uuid4().hex[:12]

    @reports_disk_errors
    def conversations(self, limit: int = 50, words: str = "") -> tuple[Conversation, ...]:
        """Saved conversations in which all of `words` stand, newest first."""
        return tuple(self._conversations.find(words, limit))

    @reports_disk_errors
    def conversation(self, name: str, last: int = 0) -> tuple[SavedTurn, ...]:
        """The turns of a conversation by its id or the begin of it, oldest first.

        Only the `last` ones if it is not 0. Raises `Usage` for an unknown id.
        """
        return tuple(self._conversations.turns(self._conversations.resolve(name), last))

    @reports_disk_errors
    def conversation_title(self, name: str) -> str:
        """The title of a conversation. Raises `Usage` for an unknown id."""
        return self._conversations.title(self._conversations.resolve(name))

    @reports_disk_errors
    def rename_conversation(self, name: str, title: str) -> None:
        """Give a conversation a title; "" returns to its first question."""
        self._conversations.rename(self._conversations.resolve(name), title)

    @reports_disk_errors
    def remove_conversation(self, name: str) -> int:
        """Remove a conversation; return the number of its turns."""
        return self._conversations.remove(self._conversations.resolve(name))

    @reports_disk_errors
    def questions(self, limit: int = 50) -> tuple[str, ...]:
        """Earlier questions, newest first."""
        try:
            return tuple(self.library.history.questions(limit))
        except LibraryMissing:
            return ()

    @reports_disk_errors
    def file_states(self, cited: Sequence[tuple[str, str]]) -> tuple[FileState, ...]:
        """What became of documents, each given by its id and the source that was cited."""
        files = self.library.files
        return tuple(
            state_of_cited(source, files.of_document(document)) for document, source in cited
        )

    @property
    def _conversations(self) -> Conversations:
        return Conversations(self.library.history)
