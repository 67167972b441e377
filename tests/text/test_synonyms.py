"""Words that stand for each other."""

from __future__ import annotations

import pytest

from rag.answer.question_terms import facts_of, read_question
from rag.text.facts import stem
from rag.text.synonyms import SYNONYMS
from rag.text.word_tables import OPPOSITES


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When does the mill shut?", "The mill closes at six."),
        ("Who purchased the mill?", "Ida bought the mill."),
        ("How long is the warranty?", "The guarantee lasts a year."),
    ],
)
def test_another_word_for_the_same_is_found(question: str, text: str) -> None:
    asked, known = read_question(question), facts_of(text)
    assert all(known.has(term) for term in asked.terms if term != ("stem", "long"))


def test_no_word_stands_for_its_opposite() -> None:
    assert not [
        (one, other) for one, other in OPPOSITES if stem(other) in SYNONYMS.get(stem(one), ())
    ]
