"""Finds masked text that would answer a question, so that the answer can say it was left out.

Masked text is neither searched nor quoted. The masked lines of every document have a table of words
of their own. `rag.library.boilerplate` keeps it inside the library's transactions, and it can be
made again from the documents at any time. Lines that share at least half of the question's words
are looked up there and read by the reader's model. Those that answer as surely as a passage must
are returned, and so are longer ones that have every word of the question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rag.answer.readings import ReaderFit
from rag.domain import Document, Evidence, Span
from rag.errors import RagError
from rag.library.boilerplate import masked_lines
from rag.protocols import PassageReading
from rag.text import facts
from rag.text.sentences import line_number

if TYPE_CHECKING:
    from rag.library.library import Library

_MAX_READ = 6  # lines that the model reads
_MAX_RETURNED = 2  # lines
_MIN_SHARE = 0.5  # of the question's words, in a line that is read
_MAX_LABEL_CHARS = 60  # characters; a line this short is also read with its neighbours


class FittedReader(Protocol):
    """The part of `CrossEncoder` that is used here: it reads, and has the fits of its file."""

    @property
    def fits(self) -> Mapping[str, Sequence[float]]: ...

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]: ...


class _MaskedText(NamedTuple):
    """Masked text on one line, with its place and its share of the question's words."""

    text: str
    share: float
    document: Document
    span: Span


def masked_answers(
    question: str, library: Library, pairs: Callable[[], FittedReader]
) -> tuple[Evidence, ...]:
    """At most two masked texts that would answer the question, likeliest first.

    `pairs` opens the model that reads them. It is called only if there is something to read.
    """
    stems = list(dict.fromkeys(facts.content_stems(question)))
    candidates = _candidates(question, stems, library)
    if not candidates:
        return ()
    model = pairs()
    fit = ReaderFit(*model.fits["read"])
    readings = model.read(question, [candidate.text for candidate in candidates])
    ranked = []
    for candidate, reading in zip(candidates, readings, strict=True):
        chance = fit.chance(reading.answers)
        length = candidate.span.end - candidate.span.start
        if candidate.share == 1.0 and len(stems) > 1 and length > _MAX_LABEL_CHARS:
            chance = max(chance, fit.least)
        ranked.append((chance, candidate))
    ranked.sort(key=lambda pair: -pair[0])
    return tuple(
        _evidence(candidate) for chance, candidate in ranked[:_MAX_RETURNED] if chance >= fit.least
    )


def _candidates(question: str, stems: list[str], library: Library) -> list[_MaskedText]:
    """The masked texts that share most words with the question, `stems`, each text once."""
    by_text: dict[str, _MaskedText] = {}
    for document_id in library.boilerplate.documents_masking(question):
        with suppress(RagError):  # removed or damaged: the search itself reports that
            document = library.documents.load(document_id)
            for span in _masked_spans(document):
                text = " ".join(span.of(document.text).split())
                words = set(facts.content_stems(text))
                share = sum(stem in words for stem in stems) / max(1, len(stems))
                says_more = len(words) > len(stems) * share
                if share >= _MIN_SHARE and says_more and text not in by_text:
                    by_text[text] = _MaskedText(text, share, document, span)
    return sorted(by_text.values(), key=lambda candidate: -candidate.share)[:_MAX_READ]


def _masked_spans(document: Document) -> Iterator[Span]:
    """The masked lines, and then each label with the lines right above and below it.

    "Jane Doe" may be the line above the label "Press Officer".
    """
    text, lines = document.text, list(masked_lines(document))
    yield from lines
    for index, line in enumerate(lines):
        start, end = line.start, line.end
        if end - start > _MAX_LABEL_CHARS:
            continue
        if index and not text[lines[index - 1].end : start].strip():
            start = lines[index - 1].start
        if index + 1 < len(lines) and not text[end : lines[index + 1].start].strip():
            end = lines[index + 1].end
        if (start, end) != (line.start, line.end):
            yield Span(start, end)


def _evidence(masked: _MaskedText) -> Evidence:
    document, span = masked.document, masked.span
    page = sum(page.start <= span.start for page in document.pages) or None
    line = line_number(document.text, span.start)
    # number 0: the text is in no passage
    return Evidence(0, document.id, document.source, span, span.of(document.text), line, page)
