"""Two judgements shown apart: a sentence that is in the source and does not answer is related."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag import serialize
from rag.answer.answer import answer_question
from rag.answer.judge import JudgeFit
from rag.answer.reader import Reader
from rag.cli.output import print_answer
from rag.domain import Answer, Answers, Model, Verdict
from rag.events import Answered
from tests.support.fakes import JUDGE, WordPairs, passage
from tests.support.readers import reads
from tui.render.answer_text import abstention, notes
from tui.render.glyphs import ASCII, UNICODE

STATION = passage(1, "The railway station was closed in 1996.")
LIBRARY = passage(2, "The library was closed by the mayor.")
#: by the constraints that are met alone
FIT = JudgeFit({"alone": 0.667}, constant=-1.0, least=0.7, part=0.09)


def _ask(question: str, fit: JudgeFit = FIT) -> Answer:
    reader = Reader(reads(WordPairs()), Model("reader", ""), fit)
    events = answer_question(
        question, lambda *_: (STATION, LIBRARY), reader, JUDGE, limit=2, searched=2
    )
    (answer,) = [event.answer for event in events if isinstance(event, Answered)]
    return answer


def test_a_sentence_of_the_source_that_lacks_what_is_asked_is_related_and_no_answer() -> None:
    answer = _ask("When was the harbour closed?")
    assert answer.abstained and not answer.claims and answer.short is None
    first = answer.related[0]
    assert first.verdict is Verdict.SUPPORTED and first.evidence[0].text == first.sentence.text
    assert first.judgement is not None and first.judgement.answers is not Answers.YES
    assert first.judgement.reasons == ("it does not say “harbour”",)


def test_a_sentence_that_is_far_from_the_question_is_not_even_related() -> None:
    answer = _ask("When was the harbour closed?", replace(FIT, part=0.5))
    assert answer.abstained and not answer.related and answer.passages


def test_an_answer_has_both_judgements() -> None:
    answer = _ask("When was the railway station closed?")
    claim = answer.claims[0]
    assert claim.verdict is Verdict.SUPPORTED
    assert claim.judgement is not None and claim.judgement.answers is Answers.YES
    saved = serialize.answer(answer)["claims"][0]
    assert saved["verdict"] == "supported" and saved["judgement"]["answers"] == "yes"


def test_the_json_has_related_sentences_only_if_there_are_any() -> None:
    saved = serialize.answer(_ask("When was the harbour closed?"))
    related = saved["related"][0]
    assert (related["start"], related["end"]) == (0, 0)
    assert related["judgement"]["reasons"] == ["it does not say “harbour”"]
    assert "related" not in serialize.answer(replace(_ask("Harbour?"), related=()))


def test_the_command_line_shows_it_below_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(_ask("When was the harbour closed?"))
    shown = capsys.readouterr().out
    assert "≈ related" in shown and "✓" not in shown
    assert "“The railway station was closed in 1996.”" in shown
    assert "it does not say “harbour”" in shown
    print_answer(_ask("When was the railway station closed?"))
    shown = capsys.readouterr().out
    assert "[1] ✓ supported" in shown and "answers: yes" in shown


def test_the_chat_shows_it_with_a_word_and_a_sign_of_its_own() -> None:
    answer = _ask("When was the harbour closed?")
    assert "≈ related, passage 1: The railway" in abstention(answer, UNICODE, 80).plain
    shown = abstention(answer, ASCII, 80).plain
    assert "= related, passage 1" in shown and "≈" not in shown
    assert "≈ related" in notes(answer, UNICODE).plain
