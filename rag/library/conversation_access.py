"""The part of the front door that finds, opens, renames and removes saved conversations."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rag.disk.disk_errors import reports_disk_errors
from rag.domain import Conversation, FileState, SavedTurn
from rag.errors import LibraryMissing
from rag.library.conversations import Conversations
from rag.library.files import KnownFile

if TYPE_CHECKING:
    from rag.config import Config
    from rag.library.library import Library


class ConversationAccess:
    """Methods of `Bot` over its library's history."""

    config: Config

    @property
    def library(self) -> Library:
        """The library. Raises `LibraryMissing` if there is none."""
        raise NotImplementedError

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
        return tuple(_file_state(source, files.of_document(document)) for document, source in cited)

    @property
    def _conversations(self) -> Conversations:
        return Conversations(self.library.history)


def _file_state(source: str, files: Sequence[KnownFile]) -> FileState:
    """The state of a cited document, of which `files` are the known ones."""
    states = set()
    for file in sorted(files, key=lambda file: file.source != source):
        try:
            status = os.stat(file.path)
        except OSError:
            states.add(FileState.GONE)
            continue
        same = (status.st_size, status.st_mtime_ns) == (file.size, file.mtime)
        if same:
            return FileState.SAME if file.source == source else FileState.MOVED
        states.add(FileState.CHANGED)
    return FileState.CHANGED if FileState.CHANGED in states else FileState.GONE
