"""Finds the names, numbers and dates of a question that no passage has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.domain import Passage
from rag.text import facts, quantities
from rag.text.calendar_names import spelled_out
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex


def _labels(passages: Sequence[Passage]) -> Iterator[str]:
    """Yield the names of columns, and the first cells of rows, with their days spelled out."""
    for passage in passages:
        labels = {cell.header for unit in passage.chunk.units for cell in unit.cells}
        text, start = passage.chunk.text, passage.chunk.span.start
        firsts = (unit.cells[0].span for unit in passage.chunk.units if unit.cells)
        labels |= {text[span.start - start : span.end - start] for span in firsts}
        yield from map(spelled_out, labels)


def missing_names(question: str, passages: Sequence[Passage]) -> list[str]:
    """The dates, numbers and names of the question that no passage or title has.

    The question's first word is not taken for a name: its capital means nothing.
    """
    whole = "\n".join(
        f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.date or ''}\n{p.chunk.text}"
        for p in passages
    )
    words = facts.word_tokens(facts.fold_text(" ".join((whole, *_labels(passages)))))
    known_stems = WordIndex({facts.stem(word) for word in words})
    known_dates = DateIndex(facts.find_dates(whole)[0])
    known_numbers = NumberIndex(quantities.find_numbers(whole))
    dates, rest = facts.find_dates(question)
    missing = [date.shown for date in dates if not known_dates.agree(date)]
    missing += [
        number.shown
        for number in quantities.find_numbers(rest)
        if number.shown[:1].isdigit()
        and number.shown in rest  # not "forty": that may be a case of a rule, not a value
        and not known_numbers.bear_out(number)
    ]
    after_first_word = question.split(maxsplit=1)[1] if len(question.split()) > 1 else ""
    missing += [
        name
        for name in facts.find_names("x " + after_first_word)
        if any(
            not facts.is_stop_word(word) and not known_stems.has(facts.stem(word))
            for word in facts.word_tokens(facts.fold_text(name))
        )
    ]
    return missing
