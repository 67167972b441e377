"""What a library holds, as it is listed: documents, states, conversations."""

from __future__ import annotations

from dataclasses import dataclass

from rag.domain.answers import Verdict
from rag.domain.documents import Document, FileState, Span


@dataclass(frozen=True, slots=True)
class Listing:
    """One entry of the list of documents. `state` is "ready" or "failed", with its `reason`."""

    id: str
    source: str
    title: str
    date: str | None
    chunks: int
    bytes: int
    state: str
    reason: str | None
    by_words: int = 0  #: of the chunks, rows of a large table: without a vector, found by words
    cure: str | None = None  #: what helps against the `reason`
    path: str = ""  #: absolute path of the file, also of a document inside of it
    modified: int = 0  #: time of the file's last change when it was read, in ns
    file: FileState = FileState.UNKNOWN  #: what has become of the file since
    copies: int = 0  #: of the chunks, those that another document has as well


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document to be read, with its units, and what the library knows of it."""

    document: Document
    passages: tuple[Span, ...]  #: sorted by place; masked text is in none
    sources: tuple[str, ...]  #: all files with this very text
    #: sources of other documents with passages that say the same, and the number of these passages
    copies: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Names and counts for the header of a screen."""

    library: str
    documents: int
    passages: int
    model: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """A saved conversation; `asked` is the time of its last question, ISO 8601 in UTC.

    `title` is what the user called it, else its first question.
    """

    id: str
    title: str
    asked: str
    turns: int
    #: how many sentences have each verdict, in the order of `Verdict`; none that is 0
    verdicts: tuple[tuple[Verdict, int], ...] = ()
    unanswered: int = 0  #: questions that got an abstention
