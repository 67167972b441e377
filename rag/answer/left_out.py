"""Masked text that would answer a question: it is neither searched nor quoted, so it is said that it was left out.

The masked lines of every document are in a table of words of their own. It is made and kept by `template.Templates` inside the
library's transactions, and can be made again from the documents at any time (`fill`). For a question, the lines that share half
of its words or more are looked up there and read by the reader's model; those that answer as surely as a passage must are
returned, and so are longer ones that hold every word of the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from rag.answer.reader import ReaderFit
from rag.domain import Document, Evidence, Span
from rag.errors import RagError
from rag.text import facts
from rag.text.boilerplate import masked_lines
from rag.text.sentences import line_number

if TYPE_CHECKING:
    from rag.inference.crossencoder import CrossEncoder
    from rag.library.library import Library

_READ = 6  # lines that the model reads
_SAID = 2  # lines that are returned
_SHARE = 0.5  # of the question's words, in a line that is read
_LABEL = 60  # characters of a line that is read with its neighbours


def masked_answers(
    question: str, library: Library, pairs: Callable[[], CrossEncoder]
) -> tuple[Evidence, ...]:
    """The masked lines that would answer, likeliest first. `pairs` opens the model that reads them, where there are any."""
    asked = dict.fromkeys(facts.content_stems(question))
    found: dict[str, tuple[float, Document, Span]] = {}
    for name in library.templates.documents_masking(question):
        with suppress(RagError):  # it is gone or damaged: the search itself tells of that
            document = library.document(name)
            for span in _units(document):
                text = " ".join(span.of(document.text).split())
                words = set(facts.content_stems(text))
                share = sum(word in words for word in asked) / max(1, len(asked))
                if share >= _SHARE and len(words) > len(asked) * share and text not in found:
                    found[text] = share, document, span
    likely = sorted(found.items(), key=lambda item: -item[1][0])[:_READ]
    if not likely:
        return ()
    model = pairs()
    fit = ReaderFit(*model.fits["read"])
    least = fit.least
    chances = [
        fit.chance(read.answers) for read in model.read(question, [text for text, _ in likely])
    ]
    ranked = [
        (
            max(
                chance,
                least
                if share == 1.0 and len(asked) > 1 and span.end - span.start > _LABEL
                else 0.0,
            ),
            document,
            span,
        )
        for chance, (_, (share, document, span)) in zip(chances, likely, strict=True)
    ]
    ranked.sort(key=lambda item: -item[0])
    return tuple(
        _evidence(document, span) for chance, document, span in ranked[:_SAID] if chance >= least
    )


def _units(document: Document) -> Iterator[Span]:
    """What is read of the masked lines: each, and each label with the lines right above and below it ("Jane Doe", "Press Officer")."""
    text, found = document.text, list(masked_lines(document))
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


def _evidence(document: Document, span: Span) -> Evidence:
    page = sum(page.start <= span.start for page in document.pages) or None
    line = line_number(document.text, span.start)
    return Evidence(0, document.id, document.source, span, span.of(document.text), line, page)
