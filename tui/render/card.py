"""The card of an empty conversation: how to begin, or why the engine did not start."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content

from rag.domain import ModelListing, Status
from rag.errors import LibraryMissing, NotSetUp, RagError
from rag.phrases import ADD_COMMAND
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import Part, assemble, counted
from tui.render.glyphs import Glyphs
from tui.render.listing_rows import size_words

#: The width of the column of commands, with its margin, and the narrowest column beside it.
_KEY_CELLS, _MIN_CELLS = 14, 16

_ADD_STEPS = (
    ("/add PATH", "a folder or a file; Tab completes the path"),
    ("drop it", "a folder or a file on this window"),
    ("/demo", "five news articles, to try"),
)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the card says. `status` and `error` are None while the engine is starting."""

    status: Status | None = None
    error: RagError | None = None
    #: the chat model that is offered for this computer; None for none
    offered: ModelListing | None = None
    #: how far the first documents are that are being added; "" while none are
    adding: str = ""

    @property
    def is_first_run(self) -> bool:
        """Whether there are no documents yet."""
        if self.error is not None:
            return isinstance(self.error, LibraryMissing)
        return self.status is not None and not self.status.documents


def card(welcome: Welcome, width: int, glyphs: Glyphs) -> Content:
    """Return the card for a width in cells."""
    parts: list[Part] = [
        ("Ask questions of your own files. ", "bold"),
        ("Every sentence of an answer is checked against the passage it cites. ", ""),
        ("Nothing leaves this computer.\n\n", ""),
    ]
    status, error = welcome.status, welcome.error
    if error is not None and not welcome.is_first_run:
        return assemble([*parts, *_failure(error, glyphs)])
    if welcome.adding:
        return assemble([*parts, *_first_documents(welcome, width, glyphs)])
    if welcome.is_first_run:
        reason = quote_foreign(str(error)) if error else "There are no documents yet."
        parts.append((f"{glyphs.dangling} {reason} Add some:\n", "bold"))
        return assemble([*parts, *_first_steps(welcome.offered, width)])
    if status is None:
        words = "The engine is starting. You can type your question already.\n"
        parts.append((glyphs.say(words), "$text-muted"))
    else:
        documents = counted(status.documents, "document")
        passages = counted(status.passages, "passage")
        words = f"{documents} and {passages} to search. Type a question and press Enter.\n"
        parts.append((words, ""))
    return assemble([*parts, *_legend(glyphs)])


def _failure(error: RagError, glyphs: Glyphs) -> Iterator[Part]:
    """Yield why the engine did not start, and what helps."""
    if isinstance(error, NotSetUp):
        yield f"{glyphs.dangling} {quote_foreign(str(error))}\n\n", ""
    else:
        yield f"{glyphs.wrong} The engine did not start: ", "bold $text-error"
        yield f"{quote_foreign(str(error))}\n", ""
    if error.cure:
        yield f"   {quote_foreign(error.cure)}\n", "bold"


def _first_documents(welcome: Welcome, width: int, glyphs: Glyphs) -> Iterator[Part]:
    """Yield how far the first documents are, and what can be done meanwhile."""
    adding = glyphs.say(welcome.adding)
    yield f"{glyphs.waiting} The first documents are being added: {adding}.\n", "bold"
    yield "You can type your question already: it is asked when they are there.\n", ""
    if welcome.offered is not None:
        yield "\n", ""
        yield from _chat_model(welcome.offered, width)
    else:
        yield from _legend(glyphs)


def _first_steps(offered: ModelListing | None, width: int) -> Iterator[Part]:
    """Yield how to get documents and, if one is offered, a chat model."""
    yield from _steps(_ADD_STEPS, width)
    if offered is not None:
        yield from _chat_model(offered, width)
    yield f"In a shell, {ADD_COMMAND} adds documents too. ", "$text-muted"
    yield "A question that you type meanwhile is kept.\n", "$text-muted"


def _chat_model(offered: ModelListing, width: int) -> Iterator[Part]:
    """Yield what a chat model is for, and how to get the one that is offered."""
    yield "The built-in reader quotes them. A chat model writes:\n", "bold"
    of = f" of {size_words(offered.memory)}" if offered.memory else ""
    meaning = (
        f"fetches {quote_foreign(offered.name)}: {size_words(offered.size)}, needs "
        f"{size_words(offered.needs)}{of} of memory; F4 shows others"
    )
    yield from _steps([("/pull", meaning)], width)


def _steps(steps: Iterable[tuple[str, str]], width: int) -> Iterator[Part]:
    """Yield a row for each command, with its meaning in a column of its own."""
    for key, meaning in steps:
        yield f"   {key:<{_KEY_CELLS - 3}}", "bold"
        lines: Sequence[str] = textwrap.wrap(meaning, max(_MIN_CELLS, width - _KEY_CELLS))
        yield ("\n" + " " * _KEY_CELLS).join(lines) + "\n", ""


def _legend(glyphs: Glyphs) -> Iterator[Part]:
    """Yield the marks and their meanings."""
    yield "\nMarks after a sentence:\n", "$text-muted"
    for sign, meaning, style in (
        (glyphs.supported, "the source says so", "$text-success"),
        (glyphs.partly, "it says a part of it", "$text-warning"),
        (glyphs.wrong, "it does not, or says otherwise", "bold $text-error"),
        ("[?]", "no source is named", "$text-warning"),
    ):
        yield f"   {sign:<4}", style
        yield f"{meaning}\n", "$text-muted"
