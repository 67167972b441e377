"""Readings of questions over tables as examples for the part reader."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.answer.tables.rows import Table
from rag.training.reading_examples import ReadingExamples
from rag.training.table_data import CHOICE, Question, part_of

HEADER = ["Town", "Mayor", "People"]
ROWS = [["Aber", "Ann Reed", "120"], ["Brock", "Ole Berg", "340"], ["Corve", "Ida Moen", "80"]]


def _documents(chosen: bool) -> list[str]:
    """Names of tables in the part of the choice, or outside of it."""
    table = Table("", HEADER, ROWS)
    names = [f"t{number}" for number in range(30)]
    inside = {
        q.document for q in part_of([Question(n, "", table, (), True) for n in names], CHOICE)
    }
    return [name for name in names if (name in inside) is chosen]


def _line(document: str, question: str, answer: str) -> str:
    table = {"title": "Towns", "header": HEADER, "rows": ROWS}
    return json.dumps(
        {
            "document": document,
            "question": question,
            "answers": [answer],
            "answer_in_cell": True,
            "table": table,
        }
    )


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> ReadingExamples:
    (inside, *_), (outside, *_) = _documents(True), _documents(False)
    file: Path = tmp_path_factory.mktemp("tables") / "questions.jsonl"
    lines = [
        _line(inside, "Who is the mayor of Brock?", "Ole Berg"),
        _line(inside, "What colour is the hall of Brock?", "grey"),
        _line(outside, "Who is the mayor of Aber?", "Ann Reed"),
    ]
    file.write_text("\n".join(lines) + "\n")
    return ReadingExamples(file)


def test_the_right_reading_is_positive_and_others_are_negative(examples: ReadingExamples) -> None:
    drawn = examples.draw(1, 100_000)
    own = [e for e in drawn if e.first == "Who is the mayor of Brock?"]
    right = [e for e in own if e.labels["answers"] == 1.0]
    assert [e.second.split(". ")[0] for e in right] == ["Towns\nMayor: Ole Berg, if Town is Brock"]
    assert len(own) > 1
    assert all("Ole Berg, if" not in e.second for e in own if e not in right)


def test_only_questions_with_a_right_reading_of_the_part_of_the_choice(
    examples: ReadingExamples,
) -> None:
    asked = {e.first for e in examples.draw(1, 100_000)}
    assert not asked & {"What colour is the hall of Brock?", "Who is the mayor of Aber?"}
    assert len(asked) > 50  # those of the generated lists


def test_a_draw_is_the_same_for_its_seed(examples: ReadingExamples) -> None:
    assert examples.draw(3, 20) == examples.draw(3, 20) != examples.draw(4, 20)
