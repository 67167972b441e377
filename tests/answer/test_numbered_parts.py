"""The rule, section or step of a number that a question asks for, and nothing else."""

from __future__ import annotations

import pytest

from rag.answer.mentions import missing_names
from rag.answer.numbered_parts import numbered_part
from tests.support.structured import passage_of

RULES = passage_of(
    "Rules of the lift\n\n27.1 Doors must close by themselves.\n27.10 Cables are changed after "
    "400 hours.\n27.101 The cabin carries a plate.\n27.2. Nobody rides alone.\n"
)
LEASE = passage_of("# Lease\n\n## 3.2 Deposit\n\nThe deposit is 900 euros. It earns nothing.\n")


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("What does rule 27.10 say?", "27.10 Cables are changed after 400 hours."),
        ("What does 27.1 require?", "27.1 Doors must close by themselves."),
        ("What is in section 27.101?", "27.101 The cabin carries a plate."),
        ("and what does no. 27.2 forbid", "27.2. Nobody rides alone."),
    ],
)
def test_the_part_that_begins_with_the_number_answers(question: str, quote: str) -> None:
    found = numbered_part(question, [RULES])
    assert found is not None and found.quote.of(RULES.chunk.text) == quote
    assert found.short.of(RULES.chunk.text) in quote


def test_the_first_sentence_below_a_heading_of_that_number_answers() -> None:
    found = numbered_part("What does section 3.2 say?", [LEASE])
    assert found is not None
    assert found.quote.of(LEASE.chunk.text) == "The deposit is 900 euros."


@pytest.mark.parametrize(
    "question",
    [
        "What does rule 27.11 say?",
        "How many hours does rule 27.10 allow for cables?",
        "What does 27 say?",
        "What does rule 27 say about doors?",
    ],
)
def test_another_question_or_number_finds_none(question: str) -> None:
    assert numbered_part(question, [RULES]) is None


def test_a_number_alone_counts_only_with_its_label_or_a_mark() -> None:
    held = passage_of("Step 3 Bake it.\n\n4 eggs are needed.\n\n5. Wash up.\n\nRule 6: Be kind.\n")
    assert numbered_part("What does rule 3 say?", [held]) is None
    assert numbered_part("What is in part 4?", [held]) is None
    for question in ("What does rule 5 say?", "What does rule 6 say?", "What does step 3 say?"):
        assert numbered_part(question, [held]) is not None


def test_two_texts_with_that_number_leave_it_open() -> None:
    other = passage_of("27.10 Boats are washed on Mondays.\n")
    assert numbered_part("What does rule 27.10 say?", [RULES, other]) is None


def test_a_passage_without_words_has_none() -> None:
    assert numbered_part("What does rule 27.10 say?", [passage_of("***\n")]) is None


def test_ok_and_times_of_day_are_no_names_that_a_text_must_have() -> None:
    held = passage_of("Guests may smoke until 22:00.\n")
    assert missing_names("Is it OK to smoke at 23:00?", [held]) == []
    assert missing_names("Is it OK to smoke at room 45?", [held]) == ["45"]


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Which rooms cost more than 800?", []),
        ("Which rooms cost over 800 euros?", []),
        ("What is prohibited under 12.3?", ["12.3"]),
        ("What was built between 1914 and 1918?", ["1914", "1918"]),
        ("Does a group of more than 50 guests get room 5?", ["5"]),
    ],
)
def test_a_limit_need_not_be_in_the_text(question: str, missing: list[str]) -> None:
    assert missing_names(question, [passage_of("Rooms are quiet.\n")]) == missing
