"""The place that is quoted around a short answer."""

from __future__ import annotations

import pytest

from rag.answer.spans import pick_span, quote_around
from rag.domain import Span
from rag.protocols import AnswerSpan, PassageReading
from tests.support.structured import passage_of


def test_a_sentence_below_a_table_is_quoted_without_the_table() -> None:
    text = "| Rank | Name |\n|---|---|\n| 1 | Ida Roe |\n| 2 | Una Berg |\nThe record of Ana Moe still stands.\n"
    chunk = passage_of(text).chunk
    at = chunk.text.index("Ana Moe")
    around = quote_around(chunk, Span(at, at + 7))
    assert around.of(chunk.text) == "The record of Ana Moe still stands."


@pytest.mark.parametrize(("year", "value"), [("2012", "310"), ("2018", "95")])
def test_of_two_values_in_a_sentence_the_one_of_the_year_is_chosen(year: str, value: str) -> None:
    text = "In 2012 the mill had 310 guests, in 2018 only 95."
    spots = [
        AnswerSpan(Span(text.index(word), text.index(word) + len(word)), score)
        for word, score in (("310", 1.0), ("95", 0.0))
    ]
    reading = PassageReading(0.0, tuple(spots), 0.0)
    span = pick_span(f"How many guests did the mill have in {year}?", text, reading)
    assert span and span.of(text) == value
