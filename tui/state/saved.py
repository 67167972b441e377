"""The functions of threads over saved conversations: they call the engine and post messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import Conversation, FileState, SavedTurn
from rag.errors import RagError
from tui.worker import PostMessage, as_rag_error

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine

#: Conversations that a list shows at most.
MAX_LISTED = 200


class Listed(Message):
    """The result of a search, the one with number `search`."""

    def __init__(self, search: int, found: tuple[Conversation, ...]) -> None:
        super().__init__()
        self.search = search
        self.found = found


class Opened(Message):
    """The last turns of a conversation, with what became of the files that they cite."""

    def __init__(
        self,
        entry: Conversation,
        turns: tuple[SavedTurn, ...],
        states: Mapping[tuple[str, str], FileState],
    ) -> None:
        super().__init__()
        self.entry = entry
        self.turns = turns
        self.states = states


class Removed(Message):
    """A conversation was removed."""

    def __init__(self, entry: Conversation) -> None:
        super().__init__()
        self.entry = entry


class Written(Message):
    """An export was written to the file `path`."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path


class Refused(Message):
    """What was asked of the history has failed."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


def find(engine: ChatEngine, words: str, search: int, post: PostMessage) -> None:
    """Search for conversations, and post what was found."""
    try:
        post(Listed(search, engine.conversations(MAX_LISTED, words)))
    except Exception as error:
        post(Refused(as_rag_error(error)))


def open_conversation(
    engine: ChatEngine, entry: Conversation, last: int, post: PostMessage
) -> None:
    """Fetch the `last` turns of a conversation with the states of the files they cite."""
    from rag.export.conversation import cited_documents

    try:
        turns = engine.conversation(entry.id, last)
        cited = cited_documents(turns)
        states = dict(zip(cited, engine.file_states(cited), strict=True))
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    post(Opened(entry, turns, states))


def open_last(engine: ChatEngine, last: int, post: PostMessage) -> None:
    """Fetch the newest conversation; post nothing if there is none."""
    try:
        newest = engine.conversations(1)
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    if newest:
        open_conversation(engine, newest[0], last, post)


def remove(engine: ChatEngine, entry: Conversation, post: PostMessage) -> None:
    """Remove a conversation."""
    try:
        engine.remove_conversation(entry.id)
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    post(Removed(entry))


def export(
    engine: ChatEngine, conversation_id: str, form: str, path: str, post: PostMessage
) -> None:
    """Write a conversation to a file."""
    from rag.export.bundle import export_conversation, write_export

    try:
        title = engine.conversation_title(conversation_id)
        turns = engine.conversation(conversation_id)
        text = export_conversation(form, conversation_id, title, turns)
        post(Written(str(write_export(text, form, path, "the export"))))
    except Exception as error:
        post(Refused(as_rag_error(error)))
