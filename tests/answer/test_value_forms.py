"""Addresses, telephone numbers and times of day that are asked for."""

from __future__ import annotations

import pytest

from rag.answer.field_words import is_other_kind
from rag.answer.value_forms import is_other_form


@pytest.mark.parametrize(
    ("question", "wrong", "right"),
    [
        ("what is leopold crane's e-mail address?", "Phone: 555 0310", "Mail: l.crane@club.test"),
        ("which phone number has anna?", "Anna, treasurer", "Anna: 555 0310"),
        ("what is the website of the club?", "The club meets on Mondays", "www.club.test"),
        ("at what time does the backup start?", "keep_days = 45", "02:40 every night"),
        ("what time does breakfast begin?", "in room 114", "at 7"),
        ("what time is supper?", "in the hall", "supper is at half past six"),
    ],
)
def test_another_form_of_value_is_told(question: str, wrong: str, right: str) -> None:
    assert is_other_form(question, wrong)
    assert not is_other_form(question, right)
    assert is_other_kind(question, wrong, wrong)


@pytest.mark.parametrize(
    "question",
    [
        "who answers the e-mails?",
        "when was the phone bought?",
        "what time zone is the server in?",
        "how many phone numbers are there?",
        "what did anna write in her e-mail?",
        "what is said in the e-mail of anna?",
        "what was agreed on the phone?",
        "what is the website about?",
    ],
)
def test_other_questions_ask_for_no_form(question: str) -> None:
    assert not is_other_form(question, "nothing of the kind")
