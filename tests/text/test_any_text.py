"""Any text can be looked at for numbers, dates and names, and asked as a question, without an error.

An error in one of these rules would end the question. The texts are drawn at random from what the rules look for, with line
breaks and odd blanks between: "GBP" at the end of a line before a number was such an error.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from rag.answer import corrections, field_words, mail_parts, mentions, question_terms, scope, spans
from rag.answer.beyond_quoting import refuse_what_is_not_quoted
from rag.answer.library_question import parse_library_question
from rag.answer.lookup import look_up
from rag.answer.numbered_parts import numbered_part
from rag.answer.offices import is_other_office
from rag.answer.question import parse_question
from rag.answer.question_parts import parts_of_question
from rag.answer.tables.rows import date_of, number_of, typed_column, words_of
from rag.answer.word_matching import match_words
from rag.domain import Span
from rag.text import facts, labels, quantities, ranges
from tests.support.structured import passage_of

_PIECES = (
    "GBP EUR USD € $ £ 12 3.5 1,234 5% % km kg mm² m/s °C ° C per hour square metres 5 May 2020 2020-05-05 14:30 2 p.m. noon half "
    "dozen two hundred third 3rd Mon Tue-Fri Sat, Sun - – — − ' \" “ ” ( ) [1] : ; , . ? ! who when how many is the of Anna Berg Dr. "
    "U.S. and or not without from to now was changed 40 instead | # * > From: Q: A: § 5.3 K-300 v1.2 x² ½ ① ٣ １２ 漢 é ß İ ſ ﬁ 😀"
).split()  # fmt: skip
_BETWEEN = (
    " ",
    " ",
    "",
    "\n",
    "\r\n",
    "\t",
    "\u00a0",
    "\u202f",
    "\u2028",
    "\n\n",
    "\u0301",
    "\u200d",
)
_TEXTS = 300

_RULES: dict[str, Callable[[str], object]] = {
    "numbers": quantities.find_numbers,
    "dates": facts.find_dates,
    "names": facts.find_names,
    "a question": lambda t: (parse_question(t), question_terms.read_question(t), parts_of_question(t)),
    "about the library": lambda t: (parse_library_question(t), refuse_what_is_not_quoted(t)),
    "mentions": lambda t: (mentions.find_mentions(t), mentions.missing_names(t, [passage_of(f"A {t}")])),
    "cells": lambda t: (number_of(t), date_of(t), words_of(t), typed_column(t, [t, t])),
    "labels": lambda t: (labels.spelled_out(t), labels.spelled_header(t)),
    "places": lambda t: look_up(t, [passage_of(f"a: {t}\n\n- {t}\n\n| a | b |\n|---|---|\n| c | 4 |\n")]),
    "kinds": lambda t: (spans.answer_kind(t), field_words.is_other_kind(t, t, t), scope.is_set_against(t, t)),
    "ranges": lambda t: (ranges.find_ranges(t), ranges.asked_range(t), ranges.without_range(t), ranges.is_in_other_range(t, t)),
    "offices": lambda t: is_other_office(t, t),
    "a number asked for": lambda t: [numbered_part(q, [passage_of(t)]) for q in (t, "What does 5.3 say?")],
    "words of other languages": lambda t: match_words(t, [passage_of(f"{t}\n\nx. {t}")]),
    "a changed value": lambda t: corrections.value_that_holds(t, t, 0, Span(0, min(3, len(t)))),
    "changes": lambda t: (corrections.changes_value(t, "40", "5 May"), mail_parts.says_i(t)),
}  # fmt: skip


@pytest.mark.parametrize("rule", _RULES)
def test_any_text_is_looked_at_without_an_error(rule: str) -> None:
    chance = random.Random(rule)
    for _ in range(_TEXTS):
        pieces = chance.randint(1, 9)
        text = "".join(chance.choice(_PIECES) + chance.choice(_BETWEEN) for _ in range(pieces))
        _RULES[rule](text)


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("GBP 12", "sterling"),
        ("GBP\n12", ""),
        ("£ -12", "sterling"),
        ("EUR\u00a012", "euro"),
        ("€\r\n12", ""),
    ],
)
def test_a_currency_at_the_end_of_a_line_is_not_that_of_the_next_one(
    text: str, dimension: str
) -> None:
    (number,) = quantities.find_numbers(text)
    assert number.dimension == dimension
