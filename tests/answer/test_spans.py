"""The place that is quoted around a short answer."""

from __future__ import annotations

import pytest

from rag.answer.evidence import text_at
from rag.answer.spans import parts_of, pick_span, quote_around
from rag.domain import Span
from rag.protocols import AnswerSpan, PassageReading
from tests.support.fakes import passage
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


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (
            "The ferry leaves at 9. It takes an hour.",
            "D\nThe ferry leaves at 9.\nIt takes an hour.",
        ),
        ("The ferry leaves at 9.\n\nIt takes an hour.", "D\nIt takes an hour."),
        (f"{'x ' * 200}leaves at 9. It takes an hour.", f"D\n{('x ' * 200)[-148:]}leaves at 9."),
    ],
)
def test_a_sentence_of_prose_is_read_after_the_one_before_it(text: str, last: str) -> None:
    held = passage(1, text, title="D")
    assert parts_of("", held)[-1].reader_view.text.startswith(last)


def test_a_row_or_item_is_not_read_after_a_sentence() -> None:
    held = passage_of("# Stock\n\nWhat we have. It is little.\n\n- a hat\n- two coats\n")
    texts = [part.reader_view.text for part in parts_of("", held)]
    assert texts[-1].endswith("two coats") and "It is little" not in texts[-1].splitlines()[-2]


def test_an_item_of_several_sentences_is_read_sentence_by_sentence() -> None:
    passage = passage_of(
        "Agenda:\n\n- Crane. It is painted grey. Ola objects.\n- Moorings are free.\n"
    )
    parts = [text_at(passage, part.span) for part in parts_of("", passage)]
    assert parts[-4:] == [
        "- Crane.",
        "It is painted grey.",
        "Ola objects.",
        "- Moorings are free.",
    ]
