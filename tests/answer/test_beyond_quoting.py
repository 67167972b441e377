"""What a reader that quotes cannot do is said in one line, with what can be done; questions pass."""

from __future__ import annotations

import pytest

from rag.answer.answer import answer_question
from rag.answer.beyond_quoting import refuse_what_is_not_quoted
from rag.cli.output import print_answer
from rag.domain import Passage, Reason
from rag.events import Answered
from tests.support.fakes import JUDGE, Script


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("Summarise the report", "it writes no summary"),
        ("Could you please give me a short summary of plan.txt?", "it writes no summary"),
        ("What is plan.txt about?", "it writes no summary"),
        ("what's this document about", "it writes no summary"),
        ("translate the letter into Dutch", "it does not translate"),
        ("Please rephrase the second paragraph.", "it does not rewrite a text"),
        ("Write a poem about the harbour", "it writes no texts"),
        ("What do you think of the offer?", "it has no opinion"),
        ("Which of the offers would you choose?", "it has no opinion"),
    ],
)
def test_a_request_is_refused_in_one_line(request_: str, said: str) -> None:
    def search(question: str, limit: int) -> tuple[Passage, ...]:
        raise AssertionError(question)

    (*_, last) = answer_question(
        request_,
        search,
        Script("nothing"),
        JUDGE,
        limit=2,
        searched=3,
        without_search=refuse_what_is_not_quoted,
    )
    assert isinstance(last, Answered) and last.answer.abstained
    assert last.answer.reason is Reason.ONLY_QUOTES
    assert last.answer.missing.startswith(f"{said}; ask for what a document says")


@pytest.mark.parametrize(
    "question",
    [
        "Who summarised the report?",
        "What does the summary say?",
        "Who may translate the contract?",
        "What is the dispute about?",
        "What is said about plan.txt?",
        "Should the cactus be watered in winter?",
        "When did Karl write the letter?",
        "What do the neighbours think of the fence?",
        "Which of the offers is cheaper?",
        "Draft of the budget: how much is the rent?",
        "Do you need a permit for the pond?",
    ],
)
def test_a_question_is_not_refused(question: str) -> None:
    assert refuse_what_is_not_quoted(question) is None


def test_the_command_line_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    (*_, last) = answer_question(
        "Translate the letter",
        lambda question, limit: (),
        Script("nothing"),
        JUDGE,
        limit=2,
        searched=3,
        without_search=refuse_what_is_not_quoted,
    )
    assert isinstance(last, Answered)
    print_answer(last.answer)
    shown = capsys.readouterr().out
    assert "Footnote answers from what documents say and does nothing else." in shown
    assert "footnote show DOCUMENT" in shown
