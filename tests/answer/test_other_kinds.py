"""Answers of another measure, time or kind than the question asks for, or about the opposite."""

from __future__ import annotations

import pytest

from rag.answer.field_words import is_other_kind
from rag.answer.scope import is_set_against


@pytest.mark.parametrize(
    ("question", "short", "sentence"),
    [
        ("How fast is the tram without a trailer?", "19 kg", "The trailer weighs 19 kg."),
        ("What does the tour cost?", "three-hour", "A three-hour tour leaves on Mondays."),
        ("How much does the tour cost?", "on Mondays", "The tour leaves on Mondays."),
        ("How many geese did farm 4 have?", "80 kg", "Farm 4 gave the most, 80 kg."),
        ("How many weeks is it open?", "12 euros", "It is open for 12 euros."),
        ("How old is Ida Roe?", "the harbour", "Ida Roe lives at the harbour."),
        ("When does Olav leave?", "the pier", "Olav leaves from the pier."),
        ("When was Una born?", "1888", "The mill was bought in 1888 by Una."),
        ("How much is a bed in the hostel?", "22", "The hostel has 22 beds."),
        ("What does a valve cost?", "a year", "A valve should be exchanged within a year."),
    ],
)
def test_a_value_of_another_kind_is_no_answer(question: str, short: str, sentence: str) -> None:
    assert is_other_kind(question, short, sentence)


@pytest.mark.parametrize(
    ("question", "short", "sentence"),
    [
        ("How fast is the tram?", "40 km/h", "The tram does 40 km/h."),
        ("What does the tour cost?", "free", "The tour is free of charge."),
        ("What does the tour cost?", "12", "The tour: 12"),
        ("How much does a boat cost?", "40 pounds", "A boat is 40 pounds."),
        ("How many geese did farm 4 have?", "80", "Farm 4 had 80 geese."),
        ("How many weeks is it open?", "six weeks", "It is open for six weeks."),
        ("How many guests came?", "Ida and Olav", "Ida and Olav came."),
        ("How old is Ida Roe?", "41", "Ida Roe is 41."),
        ("How long does it last?", "until dusk", "It lasts until dusk."),
        ("When does Olav leave?", "after lunch", "Olav leaves after lunch."),
        ("When was Una born?", "1888", "Una Berg (1888-1940) bought the mill."),
        ("When did Una die?", "1940", "Una was killed in 1940."),
        ("When does Olav leave?", "Thu", "Olav leaves on Thu."),
        ("Who pays when it rains?", "Olav", "Olav pays."),
        ("Is it open when it rains?", "open", "It is open."),
        ("What must be done when a pipe bursts?", "the tap", "Close the tap."),
    ],
)
def test_a_value_of_the_kind_that_is_asked_for_may_answer(
    question: str, short: str, sentence: str
) -> None:
    assert not is_other_kind(question, short, sentence)


def test_in_a_row_the_cell_counts_and_not_what_stands_beside_it() -> None:
    row = "Copper kettle | 2 | good | Attic"
    assert is_other_kind("What did the copper kettle cost?", "Attic", row, in_row=True)
    assert not is_other_kind("What did the copper kettle cost?", "2", row, in_row=True)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How high is the upper shelf?", "The lower shelf is 40 cm high."),
        ("When is the evening tour?", "The morning tour begins at nine."),
        ("Who looks after pigs with a green tag?", "Pigs with a blue tag are Ida's."),
        ("What does the trailer weigh?", "The tractor weighs 2 t without the trailer."),
        ("What is the price without the cover?", "The price with its cover is 90 euros."),
    ],
)
def test_the_opposite_thing_and_what_is_left_out_are_not_asked_about(
    question: str, sentence: str
) -> None:
    assert is_set_against(question, sentence)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("How high is the upper shelf?", "The lower shelf is 40 cm high, the upper shelf 90 cm."),
        ("How high is the upper shelf?", "The shelf above is 40 cm high."),
        ("What does the trailer weigh?", "The trailer weighs 600 kg, or 400 kg without its cover."),
        ("What does it cost without the cover?", "Without a cover it is 90 euros."),
        ("Who came without a ticket?", "Olav had none."),
        ("How many boxes have no name on them?", "Label the boxes: eleven are without a name."),
        ("Why were there no buses?", "The buses stood still because of the snow."),
        ("Which boxes are without a name?", "Box 4 has no name."),
    ],
)
def test_a_sentence_that_has_the_thing_itself_is_not_set_against_it(
    question: str, sentence: str
) -> None:
    assert not is_set_against(question, sentence)
