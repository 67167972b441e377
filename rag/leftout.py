"""Masked text that would answer a question: it is neither searched nor quoted, so it is said that it was left out.

The masked lines of every document are in a table of words of their own. It is made and kept by `template.Templates` inside the
library's transactions, and can be made again from the documents at any time (`fill`). For a question, the lines that share half
of its words or more are looked up there and read by the reader's model; those that answer as surely as a passage must are
returned, and so are longer ones that hold every word of the question.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from rag import facts
from rag.domain import Document, Evidence, Span
from rag.errors import RagError
from rag.read import Fit
from rag.rows import TOKENIZER
from rag.sentences import line_of, sentences

if TYPE_CHECKING:
    from rag.crossencoder import CrossEncoder
    from rag.library import Library

_TABLE = f"CREATE VIRTUAL TABLE IF NOT EXISTS masked USING fts5(document UNINDEXED, text, tokenize='{TOKENIZER}')"
_DOCUMENTS = 50  # looked into for a question
_TERMS = 64  # words of a question that are looked up
_READ = 6  # lines that the model reads
_SAID = 2  # lines that are returned
_SHARE = 0.5  # of the question's words, in a line that is read
_LABEL = 60  # characters of a line that is read with its neighbours
_LONG = 400  # characters from which a line is taken sentence by sentence


def put(db: sqlite3.Connection, document: Document) -> None:
    """Note the masked lines of a document in the place of those that are noted. Inside a transaction of the caller's."""
    db.execute(_TABLE)
    drop(db, document.id)
    text = "\n".join(span.of(document.text) for span in lines(document))
    if text:
        row = (_number(document.id), document.id, text)
        db.execute("INSERT INTO masked(rowid, document, text) VALUES (?, ?, ?)", row)


def drop(db: sqlite3.Connection, document: str) -> None:
    """Forget the lines of a document. Inside a transaction of the caller's."""
    if _there(db):
        db.execute("DELETE FROM masked WHERE rowid = ?", (_number(document),))


def _there(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'masked'").fetchone() is not None


def _number(document: str) -> int:
    """A row for the id of a document, which is hexadecimal; any other string has one too."""
    try:
        return int(document[:15], 16)
    except ValueError:
        return int.from_bytes(document.encode()[:7])


def lines(document: Document) -> Iterator[Span]:
    """Its masked lines, without the white space around them; the sentences of one that is long."""
    for mask in document.mask:
        at = mask.start
        for line in mask.of(document.text).split("\n"):
            bare, start = line.strip(), at + len(line) - len(line.lstrip())
            span = Span(start, start + len(bare))
            if len(bare) > _LONG:
                yield from sentences(document.text, span)
            elif bare:
                yield span
            at += len(line) + 1


def unread(question: str, library: Library, pairs: Callable[[], CrossEncoder]) -> tuple[Evidence, ...]:
    """The masked lines that would answer, likeliest first. `pairs` opens the model that reads them, where there are any."""
    asked = dict.fromkeys(facts.words(question))
    found: dict[str, tuple[float, Document, Span]] = {}
    for name in _documents(library.templates.db, question):
        with suppress(RagError):  # it is gone or damaged: the search itself tells of that
            document = library.document(name)
            for span in _units(document):
                text = " ".join(span.of(document.text).split())
                words = set(facts.words(text))
                share = sum(word in words for word in asked) / max(1, len(asked))
                if share >= _SHARE and len(words) > len(asked) * share and text not in found:
                    found[text] = share, document, span
    likely = sorted(found.items(), key=lambda item: -item[1][0])[:_READ]
    if not likely:
        return ()
    model = pairs()
    fit = Fit(*model.fits["read"])
    least = fit.least
    chances = [fit.chance(read.answers) for read in model.read(question, [text for text, _ in likely])]
    ranked = [
        (
            max(chance, least if share == 1.0 and len(asked) > 1 and span.end - span.start > _LABEL else 0.0),
            document,
            span,
        )
        for chance, (_, (share, document, span)) in zip(chances, likely, strict=True)
    ]
    ranked.sort(key=lambda item: -item[0])
    return tuple(_evidence(document, span) for chance, document, span in ranked[:_SAID] if chance >= least)


def _units(document: Document) -> Iterator[Span]:
    """What is read of the masked lines: each, and each label with the lines right above and below it ("Jane Doe", "Press Officer")."""
    text, found = document.text, list(lines(document))
    yield from found
    for at, span in enumerate(found):
        start, end = span.start, span.end
        if end - start <= _LABEL:
            if at and not text[found[at - 1].end : start].strip():
                start = found[at - 1].start
            if at + 1 < len(found) and not text[end : found[at + 1].start].strip():
                end = found[at + 1].end
            if (start, end) != (span.start, span.end):
                yield Span(start, end)


def _documents(db: sqlite3.Connection, question: str) -> list[str]:
    """Ids of the documents whose masked lines have most of the question's words."""
    words = facts.tokens(facts.fold(question))[:_TERMS]
    said = [word for word in words if not facts.is_stop(word)]
    if not said or not _there(db):
        return []
    sought = " OR ".join(f'"{word}"' for word in dict.fromkeys(said))
    select = "SELECT document FROM masked WHERE masked MATCH ? ORDER BY rank LIMIT ?"
    return [row[0] for row in db.execute(select, (sought, _DOCUMENTS))]


def _evidence(document: Document, span: Span) -> Evidence:
    page = sum(page.start <= span.start for page in document.pages) or None
    line = line_of(document.text, span.start)
    return Evidence(0, document.id, document.source, span, span.of(document.text), line, page)
