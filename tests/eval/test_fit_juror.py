"""What a chat model's opinion is worth: which sentences are heard, which of them are right."""

from __future__ import annotations

from rag.eval.fit_juror import has_answer, hear
from tests.support.fakes import passage
from tests.support.scripted_chat import ScriptedChat, built_in_reader


class _Unsure(ScriptedChat):
    def log_odds(self, words: object, others: object) -> float:
        return 0.25


def test_what_is_in_doubt_is_heard_with_both_numbers() -> None:
    mill = passage(1, "The mill was built in 1871. Its wheel turns at noon.", title="Mill")
    question = "When was the mill built, opened and closed?"
    (heard,) = hear("q1", question, (mill,), built_in_reader(), _Unsure())
    assert (heard.question, heard.sentence) == ("q1", "The mill was built in 1871.")
    assert 0.1 < heard.chance < 0.6 and heard.opinion == 0.25
    assert hear("q2", "When was the mill built?", (mill,), built_in_reader(), _Unsure()) == []


def test_an_answer_is_found_as_whole_words() -> None:
    assert has_answer("It was built\nin 1871.", ["IN 1871"]) and not has_answer("1871a", ["1871"])
    assert not has_answer("anything", ["", " "])
