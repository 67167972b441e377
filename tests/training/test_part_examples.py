"""Examples for the part reader, made of small sets that the tests write."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from rag.domain import Span
from rag.training import datasets
from rag.training.examples import Example, side
from rag.training.part_examples import PartExamples, input_files, part_example


def _training_name(prefix: str) -> str:
    """The first name of a document that is on the training side."""
    return next(n for n in (f"Lock {k}" for k in range(99)) if side(f"{prefix}:{n}") == "train")


def _write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for path in [*datasets.input_files(tmp_path), *input_files(tmp_path)]:
        _write(path, [])
    passage = (
        "The lock was built by Ann Reed in 1871. The lock keeper lived in a house of brick. "
        "A second lock stands near the old mill of the town."
    )
    _write(
        tmp_path / "questions" / "nq_oracle.jsonl.gz",
        [
            {
                "id": "n1",
                "question": "who built the lock",
                "passage": passage,
                "answers": ["Ann Reed"],
                "answerable": True,
                "document": _training_name("nq_oracle"),
            },
            {
                "id": "n2",
                "question": "who owns the lock",
                "passage": passage,
                "answers": [],
                "answerable": False,
                "document": _training_name("nq_oracle"),
            },
        ],
    )
    _write(
        tmp_path / "tables" / "wikitablequestions_train.jsonl.gz",
        [
            {
                "id": "t1",
                "question": "who built the mill lock",
                "answers": ["Ben Ash"],
                "answer_in_cell": True,
                "document": _training_name("wtq"),
                "table": {
                    "title": "Locks",
                    "header": ["Lock", "Builder"],
                    "rows": [["Mill lock", "Ben Ash"], ["Town lock", "Ann Reed"]],
                },
            },
            {
                "id": "t2",
                "question": "which lock is the last",
                "answers": ["Town lock"],
                "answer_in_cell": True,
                "document": _training_name("wtq"),
                "table": {"title": "", "header": ["Lock"], "rows": [["Town lock"]]},
            },
        ],
    )
    return tmp_path


def _of(found: list[Example], question: str, answers: bool) -> list[Example]:
    return [
        e for e in found if e.first.lower().startswith(question) and e.labels["answers"] == answers
    ]


def test_the_answering_sentence_is_positive_and_its_neighbours_negative(data: Path) -> None:
    found = PartExamples(data).draw(seed=1)
    (right,) = _of(found, "who built the lock", True)
    assert right.span and right.span.of(right.second) == "Ann Reed"
    assert right.second.endswith("The lock was built by Ann Reed in 1871.")
    wrong = _of(found, "who built the lock", False)
    assert len(wrong) == 2
    assert all("Ann Reed" not in e.second.splitlines()[-1] for e in wrong)
    keeper = next(e for e in wrong if e.second.endswith("a house of brick."))
    assert keeper.second.splitlines()[-2] == "The lock was built by Ann Reed in 1871."
    assert _of(found, "who owns", True) == [] and len(_of(found, "who owns", False)) == 1


def test_a_row_answers_and_the_row_without_that_cell_does_not(data: Path) -> None:
    found = [e for seed in range(8) for e in PartExamples(data).draw(seed)]
    right = _of(found, "who built the mill", True)
    assert {e.span.of(e.second) for e in right if e.span} == {"Ben Ash"}
    assert all(e.second.endswith("Lock: Mill lock; Builder: Ben Ash") for e in right)
    wrong = {e.second.removeprefix("Locks\n") for e in _of(found, "who built the mill", False)}
    assert wrong == {"Lock: Town lock; Builder: Ann Reed", "Lock: Mill lock"}
    assert _of(found, "which lock is the last", True) == [], "rows must be compared"


def test_the_same_seed_draws_the_same_and_a_smaller_share_fewer(data: Path) -> None:
    sets = PartExamples(data)
    assert sets.draw(3) == sets.draw(3)
    assert len(sets.draw(3, share=0.0)) < len(sets.draw(3))


def test_the_span_is_that_of_the_answer_behind_the_path() -> None:
    made = part_example("when", "Hours", "open until 9", True, "d", "made", Span(11, 12))
    assert made.second == "Hours\nopen until 9" and made.span and made.span.of(made.second) == "9"
    assert part_example("when", "", "open", False, "d", "made").span is None
