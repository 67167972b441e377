"""Picks the parts of the passages for a chat model's prompt, most useful first.

A part is a sentence, row, record or item with the path of headings that it stands under. First come
those that the built-in reader quotes, then the other parts by how near they are to the question:
half by the cosine of both, half by the share of the question's words. The sentences beside the
reader's first quotation come before others that are equally near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer.spans import Part, parts_of, path_and_text, share_of
from rag.domain import Passage, Quote, Span
from rag.text import facts

if TYPE_CHECKING:
    from rag.answer.check import Similar

#: usefulness of a part that the reader quotes; later quotations have a little less
_QUOTED = 10.0
#: added to the usefulness of a part beside the reader's first quotation
_BESIDE = 0.25
#: parts whose cosine is computed: those that share most words with the question
_MAX_COMPARED = 24


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a passage: `text` is its view on one line, `path` what it stands under."""

    number: int  #: of the passage
    document: str
    span: Span  #: of the document
    path: str
    text: str
    usefulness: float  #: higher is better; about 10 if the reader quotes it, else below 2
    quoted: bool = False  #: by the reader


def pick_excerpts(
    question: str, quotes: Sequence[Quote], passages: Sequence[Passage], similar: Similar
) -> list[Excerpt]:
    """The parts of `passages`, most useful first; `quotes` are the reader's quotations."""
    found = [(passage, part) for passage in passages for part in parts_of(question, passage)]
    if not found:
        return []
    usefulness = _nearness(question, [part.view.text for _, part in found], similar)
    quoted = [_quoted_at(passage, part, quotes) for passage, part in found]
    for index, place in enumerate(quoted):
        if place is None:
            continue
        usefulness[index] = _QUOTED - place / 10
        for beside in (index - 1, index + 1) if place == 0 else ():
            if 0 <= beside < len(found) and found[beside][0] is found[index][0]:
                usefulness[beside] += _BESIDE if quoted[beside] is None else 0.0
    excerpts = [
        _excerpt(passage, part, useful, place is not None)
        for (passage, part), useful, place in zip(found, usefulness, quoted, strict=True)
    ]
    excerpts.sort(key=lambda excerpt: -excerpt.usefulness)
    return _without_repetitions(excerpts)


def _nearness(question: str, texts: Sequence[str], similar: Similar) -> list[float]:
    """How near each text is to the question, 0..1: half by its words, half by the cosine."""
    stems = set(facts.content_stems(question))
    shares = [share_of(stems, text) for text in texts]
    compared = sorted(range(len(texts)), key=lambda n: -shares[n])[:_MAX_COMPARED]
    cosines = similar(question, [texts[n] for n in compared])
    nearness = [0.5 * share for share in shares]
    for n, cosine in zip(compared, cosines, strict=True):
        nearness[n] += 0.5 * max(0.0, float(cosine))
    return nearness


def _quoted_at(passage: Passage, part: Part, quotes: Sequence[Quote]) -> int | None:
    """The place in `quotes` of the first one that overlaps the part."""
    for place, quote in enumerate(quotes):
        if quote.number == passage.number and quote.span.overlaps(part.span):
            return place
    return None


def _excerpt(passage: Passage, part: Part, usefulness: float, quoted: bool) -> Excerpt:
    path, text = path_and_text(part)
    return Excerpt(
        passage.number,
        passage.chunk.document,
        part.span,
        " ".join(path.split()),
        " ".join(text.split()),
        usefulness,
        quoted,
    )


def _without_repetitions(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """Each text once, and no two parts of one place of a document."""
    kept: list[Excerpt] = []
    texts = set[str]()
    for excerpt in excerpts:
        if excerpt.text in texts or any(
            e.document == excerpt.document and e.span.overlaps(excerpt.span) for e in kept
        ):
            continue
        texts.add(excerpt.text)
        kept.append(excerpt)
    return kept
