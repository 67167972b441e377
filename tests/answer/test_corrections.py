"""A correction is quoted in the place of the sentence that it corrects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag.answer.answer import answer_question
from rag.answer.binding import bind, surroundings_of
from rag.answer.corrections import (
    changes_value,
    corrections_first,
    may_be_changed,
    value_that_holds,
)
from rag.answer.judge import Judged, JudgeFit
from rag.answer.question import Question, parse_question
from rag.answer.reader import Reader
from rag.answer.readings import Reading
from rag.domain import Draft, FoundAnswer, Model, Passage, Quote, Receipt, Span
from rag.events import Answered
from tests.support.fakes import JUDGE, WordPairs, passage
from tests.support.readers import reads
from tests.support.structured import table_passage

PART = 0.15


QUESTION = parse_question("Behind which club did the four come second?")


def _judged(
    number: int,
    sentence: str,
    short: str,
    chance: float,
    ruled_out: str = "",
    question: Question = QUESTION,
    date: str | None = None,
) -> Judged:
    at = sentence.index(short)
    held = passage(number, sentence)
    held = replace(held, chunk=replace(held.chunk, date=date))
    span, around = Span(at, at + len(short)), Span(0, len(sentence))
    reading = Reading(held, short, span, sentence, around, 0.0, chance)
    bounds = tuple(bind(question, surroundings_of(held.chunk, around)))
    return Judged(reading, bounds, {}, chance, ruled_out)


SECOND = _judged(1, "The four came second behind Port Alder.", "Port Alder", 0.6)


@pytest.mark.parametrize(
    ("sentence", "short", "chance"),
    [
        ("Correction: the four was second behind Great Marl.", "Great Marl", 0.2),
        ("Correction: it was behind Great Marl, not Port Alder.", "Great Marl", 0.05),
        ("**Erratum (20 May):** the four was behind Great Marl.", "Great Marl", 0.3),
        ("My correction: behind Great Marl instead of Port Alder.", "Great Marl", 0.01),
    ],
)
def test_a_correction_takes_the_place_of_what_it_corrects(
    sentence: str, short: str, chance: float
) -> None:
    found = corrections_first(QUESTION.text, [SECOND, _judged(2, sentence, short, chance)], PART)
    assert [(one.reading.short, one.chance) for one in found] == [("Great Marl", 0.6)]
    assert found[0].reading.chance == 0.6


@pytest.mark.parametrize(
    "other",
    [
        _judged(2, "The crew came behind Great Marl.", "Great Marl", 0.5),
        _judged(2, "Correction: the crew ate at Great Marl.", "Great Marl", 0.1),
        _judged(2, "Correction: the four had a new cox.", "a new cox", 0.1),
        _judged(2, "Correction: the four was behind Port Alder.", "Port Alder", 0.5),
        _judged(2, "Correction: they rowed 2,000 m.", "2,000 m", 0.5),
        _judged(2, "Correction: the cake was baked by Ina Moe.", "Ina Moe", 0.3),
        _judged(2, "Correction: it was behind Great Marl.", "Great Marl", 0.2, "about another"),
    ],
)
def test_what_corrects_nothing_that_was_asked_leaves_the_answer(other: Judged) -> None:
    assert corrections_first(QUESTION.text, [SECOND, other], PART) == [SECOND, other]


def test_nothing_to_correct() -> None:
    assert corrections_first("", [], PART) == []
    correction = _judged(1, "Correction: behind Great Marl.", "Great Marl", 0.7)
    assert corrections_first("", [correction, SECOND], PART) == [correction, SECOND]


OLD = ("4.2 A late fee of 25 is added.", "25")


def _first(question: str, old: tuple[str, str], *others: tuple[str, str, float]) -> str:
    asked = parse_question(question)
    judged = [_judged(1, *old, 0.9, question=asked)]
    judged += [
        _judged(number, sentence, short, chance, question=asked)
        for number, (sentence, short, chance) in enumerate(others, 2)
    ]
    found = corrections_first(question, judged, PART)
    return max(found, key=lambda one: one.chance).reading.short


@pytest.mark.parametrize(
    "change",
    [
        ("The late fee is changed to 35.", "35", 0.1),
        ("The late fee was raised to 35 in May.", "35", 0.1),
        ("Late fee: now 35.", "35", 0.2),
        ("In 4.2 the sum is changed to 35.", "35", 0.01),
        ("The late fee is 35 and not 25.", "35", 0.02),
    ],
)
def test_what_changes_a_value_is_answered_instead_of_it(change: tuple[str, str, float]) -> None:
    assert _first("What is the late fee?", OLD, change) == "35"


@pytest.mark.parametrize(
    "other",
    [
        ("The late fee would be raised to 35.", "35", 0.3),
        ("The motion that the late fee is changed to 35 was lost.", "35", 0.3),
        ("The deposit is raised to 35.", "35", 0.01),
        ("Late fee: now 35.", "35", 0.05),
        ("The late fee is changed on Monday.", "on Monday", 0.3),
    ],
)
def test_what_changes_nothing_leaves_the_value(other: tuple[str, str, float]) -> None:
    assert _first("What is the late fee?", OLD, other) == "25"


def test_a_question_for_what_was_before_is_left_alone() -> None:
    change = ("The late fee is changed to 35.", "35", 0.3)
    assert _first("What was the late fee originally?", OLD, change) == "25"


def test_asked_for_now_the_later_one_of_two_documents_answers() -> None:
    def first(question: str) -> str:
        asked = parse_question(question)
        old = _judged(1, "The late fee is 25.", "25", 0.9, question=asked, date="2023-01-02")
        new = _judged(2, "The late fee is 35.", "35", 0.3, question=asked, date="2024-01-02")
        found = corrections_first(question, [old, new], PART)
        return max(found, key=lambda one: one.chance).reading.short

    assert first("What is the late fee now?") == "35"
    assert first("What is the late fee?") == "25"


def test_sentences_that_may_change_something_are_found() -> None:
    fee = [passage(1, "Other things. The late fee is changed to 35.")]
    assert may_be_changed("What is the late fee?", fee)
    assert not may_be_changed("What was the late fee before?", fee)
    assert not may_be_changed("Who is the captain of the second boat?", fee)


def test_what_a_report_repeats_wrongly_gives_way_to_what_follows_it() -> None:
    question = "How high did the water stand at the steps?"
    text = "In our last issue the height at the steps was given as 11 feet. The mark is at 7 feet."
    asked, held = parse_question(question), passage(1, text)

    def judged(sentence: str, short: str, chance: float) -> Judged:
        start, at = text.index(sentence), text.index(short)
        around, span = Span(start, start + len(sentence)), Span(at, at + len(short))
        reading = Reading(held, short, span, sentence, around, 0.0, chance)
        return Judged(reading, bind(asked, surroundings_of(held.chunk, around)), {}, chance)

    wrong = judged(
        "In our last issue the height at the steps was given as 11 feet.", "11 feet", 0.9
    )
    right = judged("The mark is at 7 feet.", "7 feet", 0.02)
    (first,) = corrections_first(question, [wrong, right], PART)
    assert (first.reading.short, first.chance) == ("7 feet", 0.9)
    assert corrections_first(question, [right, wrong], PART) == [first]


@pytest.mark.parametrize(
    ("sentence", "value", "short", "changes"),
    [
        ("Correction: it is 7.", "5", "7", True),
        ("It is 7 now.", "5", "7", True),
        ("It is 7 and not 5.", "5", "7", True),
        ("It is 7.", "5", "7", False),
        ("It would be 7 now.", "5", "7", False),
        ("It is 5 now.", "5", "5", False),
        ("It is now sold by Ida Moe.", "5", "Ida Moe", False),
    ],
)
def test_a_sentence_that_may_change_a_value(
    sentence: str, value: str, short: str, changes: bool
) -> None:
    assert changes_value(sentence, value, short) is changes


def test_a_change_of_another_thing_changes_nothing_where_no_word_is_shared() -> None:
    dear = ("Guests pay 9.", "9")  # it has no word of the question
    assert _first("What is the late fee?", dear, ("The rent is raised to 800.", "800", 0.3)) == "9"


def test_a_day_that_a_row_has_as_a_date_is_denied() -> None:
    row = ("2025-01-22, History, Gym", "2025-01-22")
    moved = ("History moves from the 22nd to Thursday the 23rd.", "Thursday the 23rd", 0.01)
    assert _first("When is the History exam?", row, moved) == "Thursday the 23rd"


WARDS = table_passage("ward,floor,phone\nD,3,4201\nE,0,4001\n", "wards.csv")
CHANGED = passage(2, "4207 is now the phone of ward D.")


@pytest.mark.parametrize(
    ("question", "passages", "short"),
    [
        ("What is the phone of ward D?", (WARDS, CHANGED), "4207"),
        ("What is the phone of ward E?", (WARDS, CHANGED), "4001"),
        ("What was the phone of ward D originally?", (WARDS, CHANGED), "4201"),
    ],
)
def test_a_sentence_changes_a_row_that_was_looked_up(
    question: str, passages: tuple[Passage, ...], short: str
) -> None:
    fit = JudgeFit({"alone": 1.0}, constant=0.0, least=0.2, part=PART)
    drafts = [
        piece
        for piece in Reader(reads(WordPairs()), Model("reader", ""), fit).write(
            question, passages, ()
        )
        if isinstance(piece, Draft)
    ]
    assert drafts[-1].short == short


def test_a_sentence_changes_what_a_table_answers() -> None:
    def tables(question: str, passages: Sequence[Passage]) -> FoundAnswer:
        span = WARDS.chunk.units[0].span
        row = Quote(span.of(WARDS.chunk.text), 1, span)
        return FoundAnswer((), (Draft(Receipt(), short="4201", chance=0.9), row))

    def asked(question: str, *passages: Passage) -> str | None:
        fit = JudgeFit({"alone": 1.0}, constant=0.0, least=0.2, part=PART)
        (answer,) = [
            event.answer
            for event in answer_question(
                question,
                lambda text, limit: passages,
                Reader(reads(WordPairs()), Model("reader", ""), fit),
                JUDGE,
                limit=2,
                searched=2,
                tables=tables,
            )
            if isinstance(event, Answered)
        ]
        return answer.short

    assert asked("What is the phone of ward D?", WARDS, CHANGED) == "4207"
    assert asked("What is the phone of ward D?", WARDS) == "4201"
    assert asked("What was the phone of ward D originally?", WARDS, CHANGED) == "4201"


@pytest.mark.parametrize(
    ("question", "sentence", "short", "holds"),
    [
        ("What is the rent?", "The rent goes up from £38 to £42 a plot.", "£38", "£42"),
        ("Which port has it?", "Wiki moved from port 8080 to 8085.", "8080", "8085"),
        ("What was the rent before?", "The rent goes up from £38 to £42.", "£38", "£38"),
        ("From what was it raised?", "It was raised from 30 to 45 days.", "30", "30"),
        ("How long is the way?", "The path leads from the mill to the weir.", "mill", "mill"),
    ],
)
def test_the_short_answer_is_the_new_value_of_a_change(
    question: str, sentence: str, short: str, holds: str
) -> None:
    start, at = 100, sentence.index(short)
    place = value_that_holds(question, sentence, start, Span(start + at, start + at + len(short)))
    assert sentence[place.start - start : place.end - start] == holds
