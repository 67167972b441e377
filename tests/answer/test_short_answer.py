"""The short answer of a sentence: a place in it, its writer, or what its heading says."""

from __future__ import annotations

import pytest

from rag.answer.readings import short_answer
from rag.domain import Span
from tests.support.structured import passage_of

CHANGES = passage_of(
    "# Changes\n\n## 7.4.0 (17 September 2024)\n\n- Removed: the fax gateway.\n"
    "- Changed: Python 3.8 is the least.\n\n## 7.3.2\n\n- Fixed: search by street.\n"
)
DIARY = passage_of(
    "# Diary\n\n## 3 May 2024\n\nThe boiler broke.\n\nOlav came at 10.30.\n\n"
    "The mill was built in 1931.\n\nThe mill opens every spring.\n\nThe feast is put off.\n"
)


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        ("In which version was the fax gateway removed?", "Removed: the fax gateway.", "7.4.0"),
        ("since what release is Python 3.8 the least?", "Changed: Python 3.8", "7.4.0"),
        ("In which version was search fixed?", "Fixed: search by street.", "7.3.2"),
        ("When was the fax gateway removed?", "Removed: the fax gateway.", "17 September 2024"),
        ("What was removed?", "Removed: the fax gateway.", "Removed"),
    ],
)
def test_the_heading_of_a_change_answers_which_version_and_when(
    question: str, sentence: str, short: str
) -> None:
    at = CHANGES.chunk.text.index(sentence)
    around = Span(at, at + len(sentence))
    assert short_answer(question, CHANGES, Span(at, at + 7), around) == short


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        ("When did the boiler break?", "The boiler broke.", "3 May 2024"),
        ("When did Olav come?", "Olav came at 10.30.", "Olav"),
        ("When was the mill built?", "The mill was built in 1931.", "The mill"),
        ("When does the mill open?", "The mill opens every spring.", "The mill"),
        ("When is the feast?", "The feast is put off.", "The feast"),
        ("Who saw the boiler?", "The boiler broke.", "The boiler"),
    ],
)
def test_a_day_above_answers_when_something_was_if_the_sentence_tells_no_time(
    question: str, sentence: str, short: str
) -> None:
    at = DIARY.chunk.text.index(sentence)
    around = Span(at, at + len(sentence))
    place = Span(at, at + len(" ".join(sentence.split()[: len(short.split())])))
    assert short_answer(question, DIARY, place, around) == short


BOUNDS = passage_of("The loan lasts until the\nend of January. It costs more than 5,000 euros.\n")


@pytest.mark.parametrize(
    ("question", "place", "short"),
    [
        ("Until when does the loan last?", "January", "the end of January"),
        ("How much does it cost?", "5,000 euros", "more than 5,000 euros"),
        ("What is it called?", "January", "January"),
    ],
)
def test_a_date_or_number_keeps_what_bounds_it(question: str, place: str, short: str) -> None:
    text = BOUNDS.chunk.text
    at = text.index(place)
    assert short_answer(question, BOUNDS, Span(at, at + len(place)), Span(0, len(text))) == short


@pytest.mark.parametrize(
    ("sentence", "place", "short"),
    [
        ("Guests stay not more than 30 minutes.", "30 minutes", "not more than 30 minutes"),
        ("Pay not later than 5 May.", "5 May", "not later than 5 May"),
        ("It never takes more than 5 days.", "5 days", "5 days"),
        ("The gate does not open before 8 am.", "8 am", "8 am"),
    ],
)
def test_a_denied_bound_is_not_turned_round(sentence: str, place: str, short: str) -> None:
    passage = passage_of(sentence)
    at, whole = sentence.index(place), Span(0, len(sentence))
    question = "How long, or until when?"
    assert short_answer(question, passage, Span(at, at + len(place)), whole) == short
