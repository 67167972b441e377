"""Answers questions about the library from its list: documents, their number, dates and words.

What the list says is a sentence of our own that cites nothing and says where it is from. Which
documents have a word is found in the table of words; a sentence of each is quoted with its
footnote. The date is that which a document or its format names, not the time of its file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.answer.evidence import text_at
from rag.answer.library_question import LibraryQuestion, Wanted, parse_library_question
from rag.answer.spans import share_of
from rag.domain import (
    Cell,
    Draft,
    FoundAnswer,
    Listing,
    Passage,
    Piece,
    Quote,
    Receipt,
    Remark,
    Span,
    UnitKind,
)
from rag.errors import Usage
from rag.text import facts
from rag.text.foreign_marks import quote_foreign
from rag.text.sentences import split_sentences

if TYPE_CHECKING:
    from rag.library.library import Library

_REASON = "from the library's list of documents"
_WORDS_REASON = "from the library's table of words"
_MAX_SHOWN = 20  # names of documents in a sentence
_MAX_QUOTED = 3  # documents of which a sentence is quoted
_MAX_FOUND = 200  # chunks that are looked at for a word
_MAX_NAME_CHARS = 120
_ACRONYM = re.compile(r"\b(?:pdf|csv|html|epub)\b")
#: stems of the names of fields that give the author
_AUTHOR = frozenset(facts.stem(word) for word in "author writer from by autor verfasser".split())


def answer_about_library(question: str, library: Library) -> FoundAnswer | None:
    """Return the answer to a question about the library.

    None if the question asks something else, if a file that it names is not known, or if that file
    names no date or author.
    """
    asked = parse_library_question(question)
    if asked is None:
        return None
    listings = [
        listing
        for listing in library.files.listings()
        if listing.id and (not asked.endings or listing.source.lower().endswith(asked.endings))
    ]
    if asked.wanted is Wanted.MENTIONS:
        return _mentions(asked, listings, library)
    if asked.wanted is Wanted.AUTHOR:
        return _author(asked, library)
    if asked.wanted is Wanted.DATE:
        return _date(asked, library)
    if asked.wanted is Wanted.LAST:
        return _last(asked, listings)
    return _list(asked, listings)


def _said(text: str, short: str | None, reason: str = _REASON) -> FoundAnswer:
    return FoundAnswer((), (Draft(Receipt(), short=short), Remark(text, reason, listed=True)))


def _list(asked: LibraryQuestion, listings: Sequence[Listing]) -> FoundAnswer:
    count = _counted(len(listings), asked)
    if asked.wanted is Wanted.COUNT or not listings:
        return _said(f"The library has {count}.", str(len(listings)))
    names = _names(listing.source for listing in listings)
    return _said(f"The library has {count}: {names}.", None)


def _counted(count: int, asked: LibraryQuestion) -> str:
    """The number with the noun that was asked with: "1 document", "3 PDFs"."""
    noun = (asked.kind or "document").removesuffix("s")
    noun = _ACRONYM.sub(lambda match: match[0].upper(), noun)
    return f"{count:,} {noun}" + ("s" if count != 1 else "")


def _names(sources: Iterable[str]) -> str:
    """The names of documents in a row; of many the first, and how the others are seen."""
    names = list(dict.fromkeys(sources))
    shown = ", ".join(_name(name) for name in names[:_MAX_SHOWN])
    if len(names) <= _MAX_SHOWN:
        return shown
    return f"{shown} ({_MAX_SHOWN} of {len(names)} shown; footnote list shows all)"


def _name(source: str) -> str:
    return quote_foreign(source)[:_MAX_NAME_CHARS]


def _last(asked: LibraryQuestion, listings: Sequence[Listing]) -> FoundAnswer:
    dated = sorted((one.date, one.source) for one in listings if one.date)
    if not dated:
        return FoundAnswer.abstention("no document of the library names its date")
    date, source = dated[0 if asked.oldest else -1]
    without = len(listings) - len(dated)
    besides = f"; {without} of {len(listings)} name no date" if without else ""
    which = "oldest" if asked.oldest else "newest"
    text = f"By the dates that documents name, {_name(source)} is the {which} ({date}{besides})."
    return _said(text, None)


def _date(asked: LibraryQuestion, library: Library) -> FoundAnswer | None:
    with suppress(Usage):
        document = library.documents.find(asked.file)
        if document.date:
            return _said(f"{_name(document.source)} has the date {document.date}.", document.date)
    return None


# -- which documents have a word


def _mentions(
    asked: LibraryQuestion, listings: Sequence[Listing], library: Library
) -> FoundAnswer | None:
    words = [
        word
        for word in facts.word_tokens(facts.fold_text(asked.thing))
        if not facts.is_stop_word(word)
    ]
    best = _best_chunks(words, {listing.id for listing in listings}, library)
    thing = f"“{quote_foreign(asked.thing)}”"
    if not best:
        if not words:
            return None
        return FoundAnswer.abstention(f"no document of the library names {thing}")
    passages = [
        Passage(number, chunk, 1.0)
        for number, chunk in enumerate(
            library.documents.chunks([*best.values()][:_MAX_QUOTED]).values(), 1
        )
    ]
    by_id = {listing.id: listing.source for listing in reversed(listings)}
    sources = [by_id[document] for document in best]
    text = f"{_counted(len(sources), asked)} of {len(listings)} "
    text += f"{'names' if len(sources) == 1 else 'name'} {thing}: {_names(sources)}."
    pieces: list[Draft | Piece] = [
        Draft(Receipt(), short=None),
        Remark(text, _WORDS_REASON, listed=True),
    ]
    for passage in passages:
        pieces += [" ", _quote(passage, words)]
    return FoundAnswer(tuple(passages), tuple(pieces))


def _best_chunks(words: Sequence[str], documents: set[str], library: Library) -> dict[str, str]:
    """The best chunk with all words, by document, best document first."""
    best = dict[str, str]()
    found = library.fulltext.with_all(words, _MAX_FOUND)
    for chunk_id, chunk in library.documents.chunks(found).items():
        if chunk.document in documents:
            best.setdefault(chunk.document, chunk_id)
    return best


def _quote(passage: Passage, words: Sequence[str]) -> Quote:
    """The sentence of a passage that has most of the words."""
    stems, chunk = {facts.stem(word) for word in words}, passage.chunk
    spans = list(split_sentences(chunk.text)) or [Span(0, len(chunk.text))]
    inner = max(spans, key=lambda span: share_of(stems, span.of(chunk.text)))
    span = Span(chunk.span.start + inner.start, chunk.span.start + inner.end)
    return Quote(inner.of(chunk.text), passage.number, span)


# -- who wrote a document


def _author(asked: LibraryQuestion, library: Library) -> FoundAnswer | None:
    """The field of a document that names its author, quoted; None if there is none."""
    with suppress(Usage):
        document = library.documents.find(asked.file)
        ids = library.documents.chunk_ids_of(document.id)[:1]
        for chunk in library.documents.chunks(ids).values():
            passage = Passage(1, chunk, 1.0)
            for unit in chunk.units:
                if unit.kind is not UnitKind.RECORD or not unit.span.within(chunk.span):
                    continue
                for cell in unit.cells:
                    if _AUTHOR.intersection(facts.content_stems(cell.header)):
                        return _field(passage, cell)
    return None


def _field(passage: Passage, cell: Cell) -> FoundAnswer:
    start = cell.name.start if cell.name else cell.span.start
    span = Span(min(start, cell.span.start), cell.span.end)
    quote = Quote(text_at(passage, span), passage.number, span)
    return FoundAnswer((passage,), (Draft(Receipt(), short=text_at(passage, cell.span)), quote))
