"""What a question asks, and where a sentence, its context and its passage meet it."""

from __future__ import annotations

import pytest

from rag.answer.binding import Met, Surroundings, bind, missing_in_words, surroundings_of, unmet
from rag.answer.question import Asked, Kind, parse_question
from rag.domain import Span
from tests.support.fakes import passage


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who wrote it?", Asked.PERSON),
        ("When was it closed?", Asked.TIME),
        ("In which year did it close?", Asked.TIME),
        ("Where is the key?", Asked.PLACE),
        ("How many boats are there?", Asked.COUNT),
        ("How much is the fee?", Asked.AMOUNT),
        ("How do I open the tank?", Asked.STEPS),
        ("Why is the tank closed?", Asked.REASON),
        ("Is the tank closed?", Asked.YES_NO),
        ("What is a bilge?", Asked.DEFINITION),
        ("Which rules are there?", Asked.LIST),
        ("What is the current price of the fence?", Asked.LATEST),
    ],
)
def test_the_kind_of_a_question(question: str, kind: Asked) -> None:
    assert parse_question(question).kind is kind


@pytest.mark.parametrize(
    ("question", "kind", "shown"),
    [
        ("How tall is Vera Lund?", Kind.NAME, ["Vera Lund"]),
        ("When is order QX-2031-7 due?", Kind.CODE, ["QX-2031-7"]),
        ("Who won in 2018?", Kind.YEAR, ["2018"]),
        ("Who was the third mayor?", Kind.ORDINAL, ["third"]),
        ("What opens at 2:30 pm?", Kind.NUMBER, ["2:30 pm"]),
        ("What was decided on 3 May 2024?", Kind.DATE, ["3 May 2024"]),
        ("When was the harbour closed?", Kind.HEAD, ["harbour"]),
        ("Which tower did the town buy?", Kind.HEAD, ["tower", "town"]),
        ("Do I press OK?", Kind.NAME, []),
        ("WHO IS VERA LUND?", Kind.NAME, []),
        ("What does the tenant pay in lease_2.txt?", Kind.CODE, []),
    ],
)
def test_the_constraints_of_a_question(question: str, kind: Kind, shown: list[str]) -> None:
    constraints = parse_question(question).constraints
    assert [c.shown for c in constraints if c.kind is kind] == shown


def _met(question: str, sentence: str, context: str = "", before: str = "") -> dict[str, Met]:
    around = Surroundings(sentence, context, before, f"{before} {sentence}")
    return {b.constraint.shown: b.met for b in bind(parse_question(question), around)}


def test_where_a_constraint_is_met() -> None:
    question = "How tall is Vera Lund?"
    assert _met(question, "Vera Lund is 1.80 m tall.")["Vera Lund"] is Met.SENTENCE
    assert _met(question, "She is tall.", context="Vera Lund")["Vera Lund"] is Met.CONTEXT
    assert _met(question, "She is tall.", before="Vera Lund sails.")["Vera Lund"] is Met.COREFERENCE
    assert _met(question, "Vera Dahl is tall.")["Vera Lund"] is Met.NOWHERE


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("What measures 12,400 m?", "The canal measures 12.4 km."),
        ("What opens at 2:30 pm?", "The lock opens at 14:30."),
        ("What ended in 1918?", "The survey of 1914–18 ended."),
        ("What did the World Health Organization say?", "The WHO did say so."),
        ("What was decided on 3 May 2024?", "It was decided on 2024-05-03."),
        ("Who was the third mayor?", "Ann Reed was the 3rd mayor."),
        ("What did order QX-2031 say?", "Order qx2031 did say so."),
    ],
)
def test_other_writings_of_the_same_meet_a_constraint(question: str, sentence: str) -> None:
    assert set(_met(question, sentence).values()) == {Met.SENTENCE}


@pytest.mark.parametrize(
    ("question", "sentence", "missing"),
    [
        (
            "When was the harbour closed?",
            "The railway station was closed in 1996.",
            ("it does not say “harbour”",),
        ),
        (
            "How old is Vera Lund?",
            "Vera Dahl is 41 years old.",
            ("it is about Vera Dahl, not Vera Lund",),
        ),
        (
            "Who won the race in 2018?",
            "Reed won the race in 2008.",
            ("it is about 2008, not 2018",),
        ),
        (
            "When is order QX-2031 due?",
            "Order QX-2032 is due in May.",
            ("it is about QX-2032, not QX-2031",),
        ),
    ],
)
def test_what_is_missing_in_words(question: str, sentence: str, missing: tuple[str, ...]) -> None:
    bounds = bind(parse_question(question), Surroundings(sentence, "", "", sentence))
    assert missing_in_words(unmet(bounds)) == missing


def test_sentences_before_count_only_for_a_sentence_that_refers_to_them() -> None:
    text = "Vera Lund sails. She is 41 years old. The harbour is 90 years old."
    chunk = passage(1, text).chunk

    def before(sentence: str) -> str:
        start = text.index(sentence)
        return surroundings_of(chunk, Span(start, start + len(sentence))).before

    assert before("She is 41 years old.") == "Vera Lund sails."
    assert before("The harbour is 90 years old.") == ""


def test_signs_of_a_document_are_spelled_out_in_reasons() -> None:
    around = Surroundings("Vera Dahl✓ is 41 years old.", "", "", "")
    (reason,) = missing_in_words(unmet(bind(parse_question("How old is Vera Lund?"), around)))
    assert "✓" not in reason
