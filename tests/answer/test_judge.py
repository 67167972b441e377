"""The judgement whether a sentence answers what was asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, product

import pytest

from rag.answer.binding import Met
from rag.answer.judge import (
    Judged,
    JudgeFit,
    best_of_passages,
    explain_abstention,
    judge_each,
    judgement_of,
    shipped_fit,
)
from rag.answer.question import parse_question, without_slips
from rag.answer.readings import Reading
from rag.domain import Answers, Cell, Span, Unit, UnitKind
from tests.support.fakes import passage
from tests.support.structured import passage_of

FIT = JudgeFit({"names": -4.0, "exact": -4.0, "alone": 4.0}, constant=3.0, least=0.5, part=0.2)


def _reading(number: int, text: str, short: str, at: int = 0, logit: float = 2.0) -> Reading:
    held = passage(number, text)
    end = text.index(".", at) + 1
    place = text.index(short)
    return Reading(held, short, Span(place, place + len(short)), text[at:end], Span(at, end), logit)


def _judge_readings(question: str, readings: Sequence[Reading], fit: JudgeFit) -> list[Judged]:
    return best_of_passages(judge_each(question, readings, fit))


def test_the_sentence_that_has_what_is_asked_is_likelier_and_the_best_of_a_passage_is_kept() -> (
    None
):
    text = "Vera Dahl is 41 years old. Vera Lund is 29 years old."
    first, second = _reading(1, text, "41"), _reading(1, text, "29", text.index("Vera Lund"))
    (best,) = _judge_readings("How old is Vera Lund?", [first, second], FIT)
    assert best.reading.short == "29" and best.chance > 0.5
    assert judgement_of(best, FIT).answers is Answers.YES


@pytest.mark.parametrize("weight", [0.0, 50.0])
def test_a_sentence_about_another_of_that_name_is_never_the_answer(weight: float) -> None:
    sure = JudgeFit({"alone": weight}, constant=weight, least=0.5, part=0.2)
    reading = _reading(1, "Vera Dahl is 41 years old.", "41")
    (judged,) = _judge_readings("How old is Vera Lund?", [reading], sure)
    judgement = judgement_of(judged, sure)
    assert judgement.answers is not Answers.YES
    assert judgement.reasons == ("it is about Vera Dahl, not Vera Lund",)


@pytest.mark.parametrize(
    ("question", "sentence", "short"),
    [
        ("How many mites are in the jar?", "The jar with the mites holds 3 kg.", "3 kg"),
        ("How much does the ferry cost?", "The ferry of the cost group takes 3 hours.", "3 hours"),
        ("Is the fee of May more than that of June?", "The fee of May is 9 euros.", "9 euros"),
    ],
)
def test_what_a_sentence_cannot_answer(question: str, sentence: str, short: str) -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    (judged,) = _judge_readings(question, [_reading(1, sentence, short)], sure)
    assert judged.chance < sure.least


def test_a_row_does_not_answer_what_needs_rows_compared() -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    reading = _reading(1, "lamp | 12 euros.", "lamp")
    cells = (Cell("Item", Span(0, 4)), Cell("Best price", Span(7, 15)))
    row = Unit(UnitKind.ROW, reading.around, cells=cells)
    chunk = replace(reading.passage.chunk, units=(row,))
    reading = replace(reading, passage=replace(reading.passage, chunk=chunk))

    def chance(question: str) -> float:
        return _judge_readings(question, [reading], sure)[0].chance

    assert chance("Which lamp has the lowest price?") < sure.least
    assert chance("How many times was a lamp sold?") < sure.least
    assert chance("Which lamp costs 12 euros?") > sure.least


def test_the_line_of_the_names_of_columns_answers_nothing() -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    text = "Item | Best price.\nlamp | 12 euros"
    reading = _reading(1, text, "Best price")
    cells = (Cell("Item", Span(19, 23)), Cell("Best price", Span(26, 34)))
    chunk = replace(reading.passage.chunk, units=(Unit(UnitKind.ROW, Span(19, 34), cells=cells),))
    reading = replace(reading, passage=replace(reading.passage, chunk=chunk))
    (judged,) = _judge_readings("What is the price of the lamp?", [reading], sure)
    assert judged.chance < sure.least


def test_an_abstention_says_what_was_found_and_what_is_missing() -> None:
    reading = replace(_reading(1, "The railway station was closed in 1996.", "1996"), alone=-1.0)
    judged = _judge_readings("When was the harbour closed?", [reading], FIT)
    said = explain_abstention(judged, FIT, calibrated=False)
    assert "passage 1" in said and "it does not say “harbour”" in said and "%" in said
    assert "as calibrated" in explain_abstention(judged, FIT, calibrated=True)
    assert explain_abstention([], FIT, calibrated=False).startswith("no passage")


def test_the_shipped_fit_knows_every_signal_and_no_other() -> None:
    reading = _reading(1, "The railway station was closed in 1996.", "1996")
    (judged,) = _judge_readings("When was the station closed?", [reading], shipped_fit())
    assert set(shipped_fit().weights) == set(judged.signals)
    assert 0 < shipped_fit().part < shipped_fit().least < 1


@pytest.mark.parametrize(
    ("question", "labels"),
    [
        ("How many rooms does flat A have?", [("flat", "a")]),
        ("What does a service for the Falcon 5 cost?", [("falcon", "5")]),
        ("Who is in room 12?", [("room", "12")]),
        ("Who paid 5 euros?", []),
        ("Which flats have less than 3 rooms?", []),
        ("Was I there?", []),
    ],
)
def test_things_with_a_number_or_letter(question: str, labels: list[tuple[str, str]]) -> None:
    assert list(parse_question(question).labels) == labels


@pytest.mark.parametrize(
    ("question", "mended"),
    [
        ("who is teh treasurer", "who is the treasurer"),
        ("When is the anual meting?", "When is the annual meeting?"),
        ("Where is the form?", "Where is the form?"),
        ("Who saw the farm?", "Who saw the farm?"),
        ("Who is Anual?", "Who is Anual?"),
    ],
)
def test_slips_of_the_hand(question: str, mended: str) -> None:
    passages = ["The annual meeting of the treasurer took place at the farm."]
    assert without_slips(question, passages) == mended


def test_a_thing_with_another_letter_is_not_the_one_asked_about() -> None:
    text = "Flat B has two rooms. Flat A has three rooms."
    other, asked = _reading(1, text, "two"), _reading(1, text, "three", text.index("Flat A"))
    sure = JudgeFit({"alone": 50.0}, constant=50.0, least=0.5, part=0.2)
    (best,) = _judge_readings("How many rooms does flat A have?", [other, asked], sure)
    assert best.reading.short == "three"
    (only,) = _judge_readings("How many rooms does flat A have?", [other], sure)
    assert only.chance < sure.least


def test_a_value_with_a_unit_says_what_is_measured() -> None:
    reading = _reading(1, "The sand weighs 2,000 g.", "2,000 g")
    (judged,) = _judge_readings("How many kilograms of sand are there?", [reading], FIT)
    assert not any("kilograms" in reason for reason in judgement_of(judged, FIT).reasons)


def test_a_pronoun_is_nobody() -> None:
    sure = JudgeFit({"alone": 50.0}, constant=50.0, least=0.5, part=0.2)
    reading = _reading(1, "I want to paint the fence.", "I")
    (judged,) = _judge_readings("Who wants to paint the fence?", [reading], sure)
    assert judged.chance < sure.least


def test_a_sentence_that_answers_alone_is_likelier_than_one_that_shares_more_words() -> None:
    text = "The bond is handed back after 30 days. The money for the deposit came by bank."
    fit = JudgeFit({"alone": 1.0}, constant=-1.0, least=0.5, part=0.2)
    answers = replace(_reading(1, text, "after 30 days"), alone=4.0)
    shares = replace(_reading(1, text, "bank", text.index("The money")), alone=-2.0)
    (best,) = _judge_readings("When do I get the money for the deposit?", [shares, answers], fit)
    assert best.reading.short == "after 30 days" and best.chance > fit.least
    assert best.signals["ahead"] == 6.0, "by 6 or more"


@pytest.mark.slow
def test_a_question_of_a_thousand_words_that_nearly_stand_in_the_passages_takes_seconds() -> None:
    """Each word would be compared with each word of each sentence and passage."""
    known = ["b" + "".join(five) for five in islice(product("acdefgh", repeat=5), 0, 16_800, 7)]
    readings = []
    for number in range(10):
        held = passage(number + 1, " ".join(known[number::20]))
        for at in range(0, 280, 70):
            place = Span(at, at + 70)
            readings.append(Reading(held, "x", place, place.of(held.chunk.text), place, 0.0))
    question = "who " + " ".join(f"{word[:-1]}x" for word in known[10::2])
    started = time.process_time()
    judged = _judge_readings(question[:8_000], readings, FIT)
    assert time.process_time() - started < 5
    assert len(judged) == 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["{0}", "{0} km", "ab{0}", "{0}th", "12 May {0}", "the room {0}"])
def test_a_question_of_thousands_of_numbers_is_judged_in_seconds(kind: str) -> None:
    text = " ".join(kind.format(number) for number in range(100, 300))
    held = passage(1, text)
    place = Span(0, len(text))
    readings = [Reading(held, "x", place, text, place, float(n)) for n in range(40)]
    question = ("which of " + " ".join(kind.format(n) for n in range(1_000, 4_000)))[:8_000]
    started = time.process_time()
    _judge_readings(question, readings, FIT)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("question", "text", "short", "instead"),
    [
        (
            "Who won the rowing in 2016?",
            "Harl won the rowing on 3 June 2012. In 2016 Omsk did.",
            "Harl",
            "it is about 2012, not 2016",
        ),
        (
            "What did Vera Lund say about the roof?",
            "Vera Dahl said that the roof leaked. Vera Lund was away.",
            "leaked",
            "it is about Vera Dahl, not Vera Lund",
        ),
    ],
)
def test_what_stands_elsewhere_in_the_passage_is_not_said_by_the_sentence(
    question: str, text: str, short: str, instead: str
) -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    (judged,) = _judge_readings(question, [_reading(1, text, short)], sure)
    assert judged.chance < sure.least
    assert instead in judgement_of(judged, sure).reasons


@pytest.mark.parametrize(("who", "about"), [("Olav Tveit", False), ("Olav Tveit's wife", True)])
def test_a_relative_is_not_the_person_before(who: str, about: bool) -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    text = "Olav Tveit bought the mill. His wife Una was born in 1866."
    reading = _reading(1, text, "1866", text.index("His"))
    (judged,) = _judge_readings(f"When was {who} born?", [reading], sure)
    assert (judged.chance >= sure.least) is about


def test_a_contraction_of_words_that_say_nothing_is_no_constraint() -> None:
    shown = [c.shown for c in parse_question("What's the fare, and who's the driver?").constraints]
    assert shown == ["fare", "driver"]


def test_a_title_measures_nothing() -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    reading = _reading(1, "The bridge reopens after two years.", "two years")
    chunk = replace(reading.passage.chunk, title=reading.sentence)
    titled = replace(reading, passage=replace(reading.passage, chunk=chunk))
    (plain,) = _judge_readings("How long is the bridge?", [reading], sure)
    (title,) = _judge_readings("How long is the bridge?", [titled], sure)
    assert plain.chance >= sure.least > title.chance


def test_the_name_of_a_field_is_no_value() -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    reading = _reading(1, "keeper: Una Berg.", "keeper")
    cell = Cell("keeper", Span(8, 16), name=Span(0, 6))
    chunk = replace(
        reading.passage.chunk, units=(Unit(UnitKind.RECORD, reading.around, cells=(cell,)),)
    )
    reading = replace(reading, passage=replace(reading.passage, chunk=chunk))
    (judged,) = _judge_readings("What is the address of Una Berg?", [reading], sure)
    assert judged.chance < sure.least


def test_an_exception_denies() -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    reading = _reading(1, "All have paid except Una.", "Una")
    (judged,) = _judge_readings("Who hasn't paid?", [reading], sure)
    assert judged.chance >= sure.least


def test_the_question_of_an_faq_is_no_answer() -> None:
    sure = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    text = "Q: I lost a key. What now?\nA: Pay for a new one.\n"
    held = passage_of(text)
    at = text.index("\n")
    first = Reading(held, "lost", Span(5, 9), "Q: I lost a key.", Span(0, 16), 2.0)
    (judged,) = _judge_readings("What must I do when a key is lost?", [first], sure)
    assert judged.chance < sure.least
    answer = replace(
        first,
        short="Pay",
        span=Span(at + 4, at + 7),
        sentence=text[at + 4 : -1],
        around=Span(at + 4, len(text) - 1),
    )
    (judged,) = _judge_readings("What must I do when a key is lost?", [answer], sure)
    assert judged.chance >= sure.least


def test_another_word_for_the_same_is_met() -> None:
    text = "The mill closes at six."
    (judged,) = _judge_readings("When does the mill shut?", [_reading(1, text, "six")], FIT)
    assert {bound.met for bound in judged.bounds} == {Met.SENTENCE}


TALK = passage_of(
    "HOST: And the workshop?\n\nBREKKE: We are three: my daughter Siri, a boy and me.\n"
)


@pytest.mark.parametrize(
    ("question", "is_ruled_out"),
    [
        ("What is the name of Vik's daughter?", True),
        ("What is the name of Brekke's daughter?", False),
        ("What is the name of the daughter?", False),
    ],
)
def test_what_a_speaker_says_of_his_own_is_not_somebody_elses(
    question: str, is_ruled_out: bool
) -> None:
    text = TALK.chunk.text
    at, end = text.index("BREKKE"), len(text.rstrip())
    place = text.index("Siri")
    reading = Reading(TALK, "Siri", Span(place, place + 4), text[at:end], Span(at, end), 2.0)
    (judged,) = _judge_readings(question, [reading], FIT)
    assert (judged.ruled_out == "another speaker") is is_ruled_out


def test_a_line_for_other_ages_does_not_answer_unless_yes_or_no_is_asked() -> None:
    reading = _reading(1, "Children from 6 to 12 take 5 ml.", "5 ml")

    def rule(question: str) -> str:
        return _judge_readings(question, [reading], FIT)[0].ruled_out

    assert rule("How much does a 3-year-old take?") == "another range"
    assert rule("How much does an eight-year-old take?") == ""
    (judged,) = _judge_readings("How much does a 3-year-old take?", [reading], FIT)
    assert "it is for other ages or sizes" in judgement_of(judged, FIT).reasons[0]
    assert rule("May a 3-year-old take it?") == ""


def test_a_sentence_nearer_in_meaning_and_in_the_likeliest_place_is_likelier() -> None:
    fit = JudgeFit({"nearer": 5.0, "behind": 1.0}, constant=0.0, least=0.5, part=0.2)
    text = "The lake freezes in May. The ferry leaves at nine."
    lake = replace(_reading(1, text, "May"), near=0.2, behind=-3.0)
    ferry = replace(_reading(1, text, "nine", text.index("The ferry")), near=0.6)
    for one in judge_each("When does the boat sail?", [lake, ferry], fit):
        assert (one.chance > fit.least) is (one.reading.short == "nine")
    (alone,) = judge_each("When does the boat sail?", [lake], fit)
    assert alone.signals["nearer"] == 0.0
    (unread,) = judge_each("When?", [replace(lake, behind=-float("inf"))], fit)
    assert unread.signals["behind"] == -6.0


def test_a_question_is_no_answer() -> None:
    text = "**Is there parking?** Behind the mill."
    reading = Reading(passage(1, text), "parking", Span(11, 18), text[:21], Span(0, 21), 2.0)
    (judged,) = _judge_readings("Where can I leave the car?", [reading], FIT)
    assert judged.ruled_out == "a question"
