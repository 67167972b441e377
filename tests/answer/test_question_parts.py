"""A question that asks two things is answered part by part, and the unanswered half is named."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag import serialize
from rag.answer.answer import answer_question
from rag.answer.judge import JudgeFit
from rag.answer.question_parts import parts_of_question
from rag.answer.reader import Reader
from rag.domain import Answer, Model, Passage, Verdict
from rag.events import Answered
from rag.text import facts
from tests.support.fakes import JUDGE, WordPairs, passage
from tests.support.readers import reads
from tests.support.scripted_chat import ScriptedChat, chat_writer

LEASE = passage(1, "The warden of the hut is Nora Hill.")
FEES = passage(2, "The deposit for the boat is 90 euros.")
RENT = passage(3, "The charge for the canoe is 40 euros.")
BUILT = passage(4, "Carl Voss opened the old mill in 1893.")
FIT = JudgeFit({"alone": 1.0}, constant=0.5, least=0.7, part=0.09)


def _nearest(question: str, limit: int) -> tuple[Passage, ...]:
    """The passages with the question's words, best first, numbered from 1."""
    stems = set(facts.content_stems(question))
    found = sorted(
        (LEASE, FEES, RENT, BUILT),
        key=lambda p: -len(stems.intersection(facts.content_stems(p.chunk.text))),
    )
    return tuple(
        Passage(number, one.chunk, one.score) for number, one in enumerate(found[:limit], 1)
    )


def _ask(question: str) -> Answer:
    events = answer_question(
        question,
        _nearest,
        Reader(reads(WordPairs()), Model("reader", ""), FIT),
        JUDGE,
        limit=2,
        searched=4,
        divide=parts_of_question,
    )
    (answer,) = [event.answer for event in events if isinstance(event, Answered)]
    return answer


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("Who opened the mill and when?", ("Who opened the mill?", "When?")),
        (
            "When and where does the choir meet?",
            ("When does the choir meet?", "Where does the choir meet?"),
        ),
        (
            "How much is the deposit, and when must it be paid?",
            ("How much is the deposit?", "When must it be paid?"),
        ),
        (
            "How many beds does the hut have and are dogs allowed?",
            ("How many beds does the hut have?", "Are dogs allowed?"),
        ),
        (
            "What does entry cost for adults and for children?",
            ("What does entry cost for adults?", "What does entry cost for children?"),
        ),
        (
            "How much are the deposit and the charge for the boat?",
            ("How much is the deposit for the boat?", "How much is the charge for the boat?"),
        ),
        (
            "What are the name and age of the warden?",
            ("What is the name of the warden?", "What is the age of the warden?"),
        ),
        (
            "How high are hut A and hut B?",
            ("How high is hut A?", "How high is hut B?"),
        ),
    ],
)
def test_the_parts_of_a_question(question: str, parts: Sequence[str]) -> None:
    found = parts_of_question(question)
    assert found is not None and found.questions == parts


@pytest.mark.parametrize(
    "question",
    [
        "What is the difference between hut A and hut B?",
        "Which is dearer, the boat and the canoe or the hut?",
        "Who sells bread and butter?",
        "Do both Anna and Karl sing?",
        "What happened before and after?",
        "Is the hut open and heated?",
        "How do I open and close the valve?",
    ],
)
def test_one_question_is_not_divided(question: str) -> None:
    assert parts_of_question(question) is None


def test_with_a_chat_model_the_parts_are_quoted_and_it_is_not_asked() -> None:
    chat = ScriptedChat("The warden is Ida Moe.", "The deposit is 9 euros.")
    reader = Reader(reads(WordPairs()), Model("reader", ""), FIT)
    question = "Who is the warden of the hut and how much is the deposit for the boat?"
    events = answer_question(
        question,
        _nearest,
        chat_writer(chat, reader),
        JUDGE,
        limit=2,
        searched=4,
        divide=parts_of_question,
    )
    (answer,) = [event.answer for event in events if isinstance(event, Answered)]
    assert [claim.sentence.text for claim in answer.claims] == [LEASE.chunk.text, FEES.chunk.text]
    assert chat.prompts == []


def test_each_part_has_its_own_footnote() -> None:
    answer = _ask("Who is the warden of the hut and how much is the deposit for the boat?")
    assert [claim.sentence.text for claim in answer.claims] == [LEASE.chunk.text, FEES.chunk.text]
    sources = [claim.evidence[0].document for claim in answer.claims]
    assert sources == [LEASE.chunk.document, FEES.chunk.document]
    assert [part.answered for part in answer.parts] == [True, True]
    numbers = [passage.number for passage in answer.passages]
    assert numbers == sorted(set(numbers))


def test_the_half_without_an_answer_is_named_and_has_no_tick() -> None:
    answer = _ask("How much is the deposit for the boat and who painted the ceiling?")
    assert not answer.abstained and "No answer was found for “Who painted" in answer.text
    cited, remark = answer.claims
    assert cited.verdict is Verdict.SUPPORTED
    assert remark.verdict is Verdict.NEEDS_NONE and not remark.evidence
    saved = serialize.answer(answer)
    assert [part["answered"] for part in saved["parts"]] == [True, False]


def test_if_no_part_has_an_answer_it_is_an_abstention() -> None:
    answer = _ask("Who painted the ceiling and when was the roof mended?")
    assert answer.abstained and not answer.claims and not answer.parts


def test_two_things_in_one_question_must_both_have_an_answer() -> None:
    both = _ask("How much is the deposit for the boat and the charge for the canoe?")
    assert [claim.sentence.text for claim in both.claims] == [FEES.chunk.text, RENT.chunk.text]
    one = _ask("How much is the deposit for the boat and the toll for the bridge?")
    assert not one.parts


def test_a_word_that_asks_is_about_the_sentence_before() -> None:
    answer = _ask("Who opened the old mill and when?")
    assert [claim.sentence.text for claim in answer.claims] == [BUILT.chunk.text]
    assert answer.short is not None and answer.short.endswith("1893")
    assert [part.answered for part in answer.parts] == [True, True]
