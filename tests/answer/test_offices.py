"""Whose office a sentence speaks of."""

from __future__ import annotations

import pytest

from rag.answer.offices import is_other_office

ASKED = "Who is the president of Ukraine?"


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (ASKED, "Terms for Ukraine had been presented by Russian President Vladimir Putin."),
        (ASKED, "The president of France, Emmanuel Macron, spoke of Ukraine."),
        ("Who is the president of the US?", "Russian President Vladimir Putin spoke."),
        (ASKED, "Poland's president met the delegation."),
        ("Who is the mayor of Selm?", "The mayor of Torholm, Ada Lind, opened the fair."),
        ("Who is the Polish foreign minister?", "The German foreign minister spoke in Poland."),
    ],
)
def test_the_office_of_another_is_another_one(question: str, sentence: str) -> None:
    assert is_other_office(question, sentence)


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (ASKED, "Ukrainian President Vladimir Zelensky was in Paris."),
        (ASKED, "Ukraine's president and the Russian president met."),
        (ASKED, "President Zelensky spoke."),
        (ASKED, "The Russian foreign minister spoke of Ukraine."),
        ("Who is the president of the United States?", "American President Ann Roe spoke."),
        ("Who is the president of the US?", "American President Ann Roe spoke."),
        ("Who is the prime minister of the UK?", "British Prime Minister Ann Roe spoke."),
        ("Who is the president?", "Russian President Vladimir Putin spoke."),
        ("Who is the director of Linden Court?", "The Managing Director is Ada Lind."),
    ],
)
def test_an_office_of_nobody_or_of_the_same_is_not(question: str, sentence: str) -> None:
    assert not is_other_office(question, sentence)
