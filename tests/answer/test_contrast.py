"""Sentences that set something against what is asked."""

from __future__ import annotations

import pytest

from rag.answer.contrast import is_set_against


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
    ],
)
def test_a_sentence_that_has_the_thing_itself_is_not_set_against_it(
    question: str, sentence: str
) -> None:
    assert not is_set_against(question, sentence)
