"""Questions about mails: the header that is asked for, and the reply before what it quotes."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from rag.answer.lookup import look_up
from rag.answer.mail_parts import asks_for_recipient, says_i, speaker_of
from rag.domain import Passage, RawDocument, Span
from rag.ingest.clean import clean_document
from rag.ingest.formats.mail import read_eml
from tests.support.structured import passage_of, whole


def mail(body: str, subject: str = "Repair of the pump") -> list[Passage]:
    message = EmailMessage()
    message["From"] = "Ada Voss <ada@example.org>"
    message["To"] = "Ben Lund <ben@example.org>"
    message["Date"] = "Tue, 10 Sep 2024 10:00:00 +0200"
    message["Subject"] = subject
    message.set_content(body)
    (raw,) = read_eml(bytes(message))
    assert isinstance(raw, RawDocument)
    document = clean_document(raw, "a.eml")
    return [whole(document)]


def shorts(question: str, passages: list[Passage]) -> list[str]:
    places = look_up(question, passages)
    return [p.short.of(" " * p.passage.chunk.span.start + p.passage.chunk.text) for p in places]


@pytest.mark.parametrize(
    "question",
    [
        "Who was the mail about the repair of the pump sent to?",
        "To whom was the mail about the repair of the pump sent?",
        "Who did Ada Voss send the mail about the pump to?",
        "Who received the mail about the repair of the pump?",
    ],
)
def test_the_recipient_is_asked_for(question: str) -> None:
    assert asks_for_recipient(question)
    assert shorts(question, mail("It is done.")) == ["Ben Lund <ben@example.org>"]


@pytest.mark.parametrize(
    "question",
    [
        "Who sent the mail about the repair of the pump?",
        "Who wrote the mail about the repair of the pump?",
    ],
)
def test_the_sender_is_asked_for(question: str) -> None:
    assert not asks_for_recipient(question)
    assert shorts(question, mail("It is done.")) == ["Ada Voss <ada@example.org>"]


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("When was the mail about the repair of the pump sent?", True),
        ("When did Ada Voss write about the repair of the pump?", True),
        ("When is the repair of the pump?", False),
        ("When does the repair of the pump take place?", False),
        ("On what day will the repair of the pump be?", False),
    ],
)
def test_a_mail_is_not_of_the_day_that_it_speaks_of(question: str, answers: bool) -> None:
    found = shorts(question, mail("The repair begins on 3 October."))
    assert any("10 Sep 2024" in short for short in found) == answers, found


QUOTED = """Door code: 4417

On Mon, 9 Sep 2024 at 09:00, Ben Lund <ben@example.org> wrote:
> Door code: 2210
"""


def test_the_reply_is_preferred_to_what_it_quotes() -> None:
    assert shorts("What is the door code?", mail(QUOTED)) == ["4417"]


def test_what_is_quoted_answers_where_its_author_is_named() -> None:
    assert shorts("What is the door code of Ben Lund?", mail(QUOTED)) == ["2210"]


def _speaker(passage: Passage, words: str) -> str:
    at = passage.chunk.text.index(words)
    return speaker_of(passage.chunk, Span(at, at + len(words)))


def test_i_is_the_sender_and_in_quoted_history_the_one_who_is_quoted() -> None:
    (passage,) = mail(
        "I want to paint it.\n\nOn 9 Sep 2024, at 09:05, Ben Lund wrote:\n> I have the ladder.\n"
    )
    assert _speaker(passage, "I want") == "Ada Voss"
    assert _speaker(passage, "I have") == "Ben Lund"


def test_i_is_the_speaker_of_a_line_and_nobody_in_other_texts() -> None:
    talk = passage_of("Ida: I bring the saw.\n\nOlav: And I the nails.\n")
    assert _speaker(talk, "I bring") == "Ida" and _speaker(talk, "I the") == "Olav"
    assert _speaker(passage_of("# Notes\n\nI bring the saw.\n"), "I bring") == ""


@pytest.mark.parametrize(
    ("sentence", "says"),
    [("I'd like it.", True), ("Then I go.", True), ("Ida.", False)],
)
def test_who_speaks_of_himself(sentence: str, says: bool) -> None:
    assert says_i(sentence) is says
