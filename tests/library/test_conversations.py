"""Saved conversations are found again, renamed and removed; a killed program loses nothing it showed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rag import serialize
from rag.domain import Verdict
from rag.errors import Usage
from rag.events import Answered, Checked, Retrieved, Token
from rag.export.saved_answer import read_answer
from rag.library.answer_recorder import AnswerRecorder
from rag.library.conversations import Conversations
from rag.library.history import History, create_history
from rag.library.replace_history import replace_history
from tests.conftest import ROOT
from tests.support.slowness import slowness
from tests.tui import scripted as script

NOW = "2026-11-28T10:00:00+00:00"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    create_history(tmp_path)
    with closing(History(tmp_path)) as opened:
        yield opened


def _save(history: History, conversation: str, question: str, answer: object = None) -> int:
    number = history.ask(conversation, NOW, question)
    if answer is not None:
        history.answer(number, json.dumps(answer))
    return number


def _filled(history: History) -> Conversations:
    _save(history, "aa11", "Which bolts?", serialize.answer(script.MIXED))
    _save(history, "aa22", "What is the warranty?", serialize.answer(script.ABSTAINED))
    _save(history, "bb33", "Größe der DICHTUNG?", {"answer": "Sie ist 11-4402-7."})
    _save(history, "aa11", "And the gasket?", serialize.answer(script.SUPPORTED))
    _save(history, "bb44", "Never answered?")
    return Conversations(history)


def test_the_list_is_newest_first_with_verdict_totals(history: History) -> None:
    found = _filled(history).find()
    assert [entry.id for entry in found] == ["bb44", "aa11", "bb33", "aa22"]
    bolts = found[1]
    assert (bolts.title, bolts.turns) == ("Which bolts?", 2)
    assert dict(bolts.verdicts) == {
        Verdict.SUPPORTED: 4,
        Verdict.CONTRADICTED: 1,
        Verdict.UNCITED: 1,
    }
    assert found[3].unanswered == 1 and found[0].verdicts == ()
    assert len(_filled(history).find(limit=2)) == 2


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ("bolts", ["aa11"]),
        ("GASKET bolts", ["aa11"]),
        ("thread lock", ["aa11"]),
        ("torque-table.csv", ["aa11"]),
        ("größe dichtung", ["bb33"]),
        ("4402", ["bb33"]),
        ("answered", ["bb44"]),
        ("50% _ '\"", []),
        ("zebra", []),
    ],
)
def test_words_are_found_in_questions_answers_and_cited_files(
    history: History, words: str, ids: list[str]
) -> None:
    conversations = _filled(history)
    assert [entry.id for entry in conversations.find(words)] == ids
    assert [entry.id for entry in conversations.find(words)] == ids  # now from the summaries


def test_a_title_is_found_and_survives_the_replacement_of_a_damaged_file(
    history: History, tmp_path: Path
) -> None:
    conversations = _filled(history)
    conversations.rename("aa11", " Pump \n cover ")
    assert conversations.find("pump cover")[0].title == "Pump cover"
    history.close()
    replace_history(tmp_path)
    with closing(History(tmp_path)) as again:
        assert Conversations(again).title("aa11") == "Pump cover"
        Conversations(again).rename("aa11", "")
        assert Conversations(again).title("aa11") == "Which bolts?"


def test_what_is_removed_is_in_no_list_and_not_in_the_file(
    history: History, tmp_path: Path
) -> None:
    conversations = _filled(history)
    conversations.find()
    conversations.rename("aa11", "Unmistakable title")
    assert conversations.remove("aa11") == 2
    assert "aa11" not in [entry.id for entry in conversations.find()]
    assert history.turns("aa11") == [] and conversations.find("unmistakable") == []
    history.close()
    left = b"".join(path.read_bytes() for path in tmp_path.glob("history.db*"))
    assert b"Unmistakable" not in left and b"Put thread lock" not in left
    assert b"warranty" in left


def test_an_id_may_be_shortened_while_it_is_clear(history: History) -> None:
    conversations = _filled(history)
    assert conversations.resolve("aa1") == "aa11"
    for unclear in ("aa", "zz", ""):
        with pytest.raises(Usage, match="id"):
            conversations.resolve(unclear)


def test_the_same_question_asked_again_has_versions(history: History) -> None:
    for question in ("Which bolts?", "Why?", "Which bolts?"):
        _save(history, "talk", question, serialize.answer(script.MIXED))
    turns = Conversations(history).turns("talk")
    assert [(t.version, t.versions) for t in turns] == [(1, 2), (1, 1), (2, 2)]
    assert [t.version for t in Conversations(history).turns("talk", last=1)] == [2]


def test_a_history_without_the_tables_of_lists_gets_them(history: History, tmp_path: Path) -> None:
    _filled(history).find()
    with closing(sqlite3.connect(tmp_path / "history.db")) as db:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        assert {"summaries", "titles"} <= tables
        db.execute("DROP TABLE summaries")
        db.execute("DROP TABLE titles")
    assert len(Conversations(history).find("bolts")) == 1


@pytest.mark.parametrize(
    "answer", [script.MIXED, script.EVERY, script.DIFFERENT, script.QUOTED, script.ABSTAINED]
)
def test_a_saved_answer_is_read_back_as_it_was(answer: object) -> None:
    saved = json.loads(json.dumps(serialize.answer(answer)))  # type: ignore[arg-type]
    again = read_answer(saved, "another question")
    assert serialize.answer(again) == saved


def test_an_answer_object_of_any_shape_is_read(history: History) -> None:
    whole = json.loads(json.dumps(serialize.answer(script.EVERY)))
    wrong: Any
    for name in whole:
        for wrong in (None, 7, "x", [], {}, [[]], [{}], [None], True, -1):
            read_answer({**whole, name: wrong}, "q")
    for name in whole["claims"][1]:
        for wrong in (None, 10**9, -1, "x", [[1, 2]], [[1, 10**9, 2]], [["a", 0, 1]], [3, 2]):
            claim = {**whole["claims"][1], name: wrong}
            read_answer({**whole, "claims": [claim]}, "q")


def test_an_older_answer_keeps_its_markers_and_evidence() -> None:
    saved = json.loads(json.dumps(serialize.answer(script.MIXED)))
    for claim in saved["claims"]:
        del claim["cited"], claim["quoted"]
    again = read_answer(saved, "q")
    assert [claim.sentence.citations for claim in again.claims] == [
        claim.sentence.citations for claim in script.MIXED.claims
    ]


# -- saved as it happens


def test_each_sentence_is_saved_before_it_is_shown(history: History) -> None:
    number = history.ask("talk", NOW, "Which bolts?")
    recorder = AnswerRecorder(history, number, "Which bolts?", clock=lambda: 0.0)

    def saved() -> str:
        answer = Conversations(history).turns("talk")[0].answer
        return "" if answer is None else answer.text

    recorder.hear(Retrieved(script.PASSAGES, 3))
    recorder.hear(Token("The cover has"))
    assert saved() == ""
    recorder.hear(Token(" six bolts [1]."))
    recorder.hear(Token(" Tighten"))
    assert saved() == "The cover has six bolts [1]."
    claim = script.MIXED.claims[0]
    recorder.hear(Checked(claim, 1, 4))
    turn = Conversations(history).turns("talk")[0]
    assert turn.answer is not None and turn.answer.stopped
    assert turn.answer.claims[0].evidence == claim.evidence
    assert turn.answer.passages[0].chunk.text == script.P1.chunk.text
    assert Conversations(history).find("six")[0].verdicts == ((Verdict.SUPPORTED, 1),)
    recorder.hear(Answered(script.MIXED))
    assert saved() == script.MIXED.text
    assert len(Conversations(history).find("centre")) == 1
    assert history.damaged() == {}


def test_words_inside_a_long_sentence_are_saved_after_a_pause(history: History) -> None:
    seconds = iter([0.0, 0.1, 0.5, 0.5])
    number = history.ask("talk", NOW, "Why?")
    recorder = AnswerRecorder(history, number, "Why?", clock=lambda: next(seconds))
    recorder.hear(Token("one"))
    recorder.hear(Token(" two"))
    answer = Conversations(history).turns("talk")[0].answer
    assert answer is not None and answer.text == "one two"


_WRITER = """
import sys
from pathlib import Path
from rag.events import Checked, Retrieved, Token
from rag.library.answer_recorder import AnswerRecorder
from rag.library.history import History
from tests.tui import scripted as script
history = History(Path(sys.argv[1]))
recorder = AnswerRecorder(history, history.ask("talk", "now", "Which bolts?"), "Which bolts?")
recorder.hear(Retrieved(script.PASSAGES, 3))
recorder.hear(Token(script.MIXED.text))
for number, claim in enumerate(script.MIXED.claims[:3], 1):
    recorder.hear(Checked(claim, number, 4))
    print(number, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_kill_9_loses_nothing_that_was_shown(history: History, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    assert [child.stdout.readline().strip() for _ in range(3)] == ["1", "2", "3"]
    child.send_signal(signal.SIGKILL)
    child.wait()
    answer = Conversations(history).turns("talk")[0].answer
    assert answer is not None and answer.text == script.MIXED.text
    assert [claim.verdict for claim in answer.claims] == [
        claim.verdict for claim in script.MIXED.claims[:3]
    ]


@pytest.mark.slow
def test_a_search_in_ten_thousand_turns_is_quick(history: History, tmp_path: Path) -> None:
    saved = json.dumps(serialize.answer(script.MIXED))
    with history.database.writing():
        history.database.executemany(
            "INSERT INTO turns VALUES (?, ?, ?, ?, ?, NULL)",
            [(n, f"talk{n // 5}", NOW, f"Question {n} on bolts?", saved) for n in range(1, 10_001)],
        )
    conversations = Conversations(history)
    conversations.find()  # makes the summaries
    begun = time.process_time()
    assert [entry.id for entry in conversations.find("question 7777 bolts")] == ["talk1555"]
    assert len(conversations.find("torque-table")) == 50
    assert time.process_time() - begun < 1.0 * slowness()
