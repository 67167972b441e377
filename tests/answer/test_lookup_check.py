"""Places that were looked up and lack a word of the question are read by the part reader."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answer.lookup import likely_places
from rag.domain import Passage
from tests.support.structured import passage_of

TUBES = "# Prices\n\n| Part | Price |\n|---|---|\n| Inner tube, town bike | 15 euros |\n"


def _passages() -> list[Passage]:
    return [passage_of(TUBES)]


@pytest.mark.parametrize(("logit", "kept"), [(3.0, 1), (-5.0, 0)])
def test_a_row_without_a_word_of_the_question_is_kept_only_if_the_model_says_so(
    logit: float, kept: int
) -> None:
    read: list[str] = []

    def logits(question: str, texts: Sequence[str]) -> list[float]:
        read.extend(texts)
        return [logit] * len(texts)

    question = "What is the price of the inner tube for a racing bike?"
    found = likely_places(question, _passages(), logits)
    assert len(found) == kept
    (text,) = read
    assert "Inner tube, town bike" in text and "15 euros" in text


def test_a_row_with_every_word_is_not_read() -> None:
    def logits(question: str, texts: Sequence[str]) -> list[float]:
        raise AssertionError("read")

    found = likely_places("What is the price of the inner tube, town bike?", _passages(), logits)
    assert len(found) == 1


def test_nothing_that_was_looked_up() -> None:
    assert likely_places("Who wrote it?", _passages(), lambda _, texts: [0.0] * len(texts)) == []
