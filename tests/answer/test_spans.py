"""The place that is quoted around a short answer."""

from __future__ import annotations

from rag.answer.spans import quote_around
from rag.domain import Span
from tests.support.structured import passage_of


def test_a_sentence_below_a_table_is_quoted_without_the_table() -> None:
    text = "| Rank | Name |\n|---|---|\n| 1 | Ida Roe |\n| 2 | Una Berg |\nThe record of Ana Moe still stands.\n"
    chunk = passage_of(text).chunk
    at = chunk.text.index("Ana Moe")
    around = quote_around(chunk, Span(at, at + 7))
    assert around.of(chunk.text) == "The record of Ana Moe still stands."
