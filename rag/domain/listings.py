"""What a library holds, as it is listed: documents, states, conversations."""

from __future__ import annotations

from dataclasses import dataclass

from rag.domain.answers import Verdict


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
