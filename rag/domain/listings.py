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
class AddedRoot:
    """The absolute path of a folder or a file that was added, and whether it is watched."""

    path: str
    watched: bool = False


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """A document to be read, with its units, and what the library knows of it."""

    document: Document
    passages: tuple[Span, ...]  #: sorted by place; masked text is in none
    sources: tuple[str, ...]  #: all files with this very text
    #: sources of other documents with passages that say the same, and the number of these passages
    copies: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ModelListing:
    """A model that answers, or that can be fetched to answer. Sizes are in bytes."""

    name: str
    title: str
    installed: bool  #: whether it is on this computer
    in_use: bool
    size: int
    needs: int  #: memory that it needs, about; 0 if it is not known
    memory: int  #: of this computer; 0 if it is not known
    licence: str = ""
    default: bool = False  #: whether it is the one that is offered for this computer
    fetched: int = 0  #: of the file, what an interrupted fetch has brought
    measured: str = ""  #: what it was measured to be worth, in words; "" if it was not
    speed: str = ""  #: how fast it was here, in words; "" if it was not tried

    @property
    def fits(self) -> bool:
        """Whether the memory of this computer is enough, as far as both are known."""
        return not (self.needs and self.memory) or self.needs <= self.memory


@dataclass(frozen=True, slots=True)
class Status:
    """Names and counts for the header of a screen."""

    library: str
    documents: int
    passages: int
    model: str
    server: str = ""  #: the host that questions and excerpts are sent to; "" if there is none


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
