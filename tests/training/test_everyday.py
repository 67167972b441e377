"""The everyday documents with their questions, and the examples that training makes of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from rag.training import everyday
from rag.training.everyday import Written, document_parts, examples, read_documents
from rag.training.near_misses import is_right

LEASE: Written = {
    "name": "lease.md",
    "text": (
        "# Lease of flat 4\n\n## Money\n\nThe deposit is refunded within 30 days of departure. "
        "The rent is 900 euros.\n\n| Room | Size |\n|---|---|\n| Kitchen | 9 m2 |\n| Hall | 4 m2 |\n"
    ),
    "questions": [
        {
            "q": "How soon do I get my security money back?",
            "line": "The deposit is refunded within 30 days of departure.",
            "short": "within 30 days",
        },
        {"q": "How large is the cooking area?", "line": "| Kitchen | 9 m2 |", "short": "9 m2"},
        {
            "q": "How much is the deposit?",
            "near": "The deposit is refunded within 30 days of departure.",
        },
    ],
}


def test_a_document_is_read_in_the_parts_that_the_product_reads() -> None:
    texts = [part.view.text for part, _ in document_parts(LEASE["name"], LEASE["text"])]
    assert any(text.startswith("Lease of flat 4 › Money\n") for text in texts)
    assert any(text.endswith("\nThe rent is 900 euros.") for text in texts)
    assert any(text.endswith("Room: Kitchen; Size: 9 m2") for text in texts)


def test_the_line_that_answers_is_positive_and_the_near_one_negative() -> None:
    made = examples([("lease", LEASE)], seed=1)
    by_question = {q["q"]: [e for e in made if e.first == q["q"]] for q in LEASE["questions"]}
    deposit, kitchen, amount = by_question.values()
    (right,) = [e for e in deposit if e.labels["answers"]]
    assert right.span and right.span.of(right.second) == "within 30 days"
    wrong = [e.second.splitlines()[-1] for e in deposit if not e.labels["answers"]]
    assert wrong and all("30 days" not in line for line in wrong)
    (row,) = [e for e in kitchen if e.labels["answers"]]
    assert row.second.endswith("Room: Kitchen; Size: 9 m2")
    assert not any(e.labels["answers"] for e in amount)
    assert any("refunded within 30 days" in e.second for e in amount), "the near line is shown"


def test_the_sister_of_a_line_that_answers_is_negative() -> None:
    asked = {"q": "How large is the kitchen?", "line": "| Kitchen | 9 m2 |", "short": "9 m2"}
    near: Written = {**LEASE, "questions": [{**asked, "near": "| Hall | 4 m2 |"}]}  # type: ignore[typeddict-item]
    made = examples([("lease", near)], seed=1)
    assert {e.second.rpartition("\n")[2]: e.labels["answers"] for e in made}.items() >= {
        ("Room: Kitchen; Size: 9 m2", 1.0),
        ("Room: Hall; Size: 4 m2", 0.0),
    }


def test_the_documents_of_the_sides_are_apart() -> None:
    names = {s: {name for name, _ in read_documents(s)} for s in ("train", "tune", "test", "")}
    assert names["train"] | names["tune"] | names["test"] == names[""]
    assert not names["train"] & names["test"] and len(names["test"]) > 100


def test_documents_are_written_as_cases_that_hold_their_questions(tmp_path: Path) -> None:
    everyday.write_cases([("a:7", LEASE), ("b:7", LEASE)], tmp_path)
    first, second = sorted(tmp_path.iterdir())
    assert (first / "docs" / "lease.md").read_text() == LEASE["text"]
    rows = [json.loads(line) for line in (second / "questions.jsonl").read_text().splitlines()]
    assert [row["answerable"] for row in rows] == [True, True, False]
    right, other = "The deposit is refunded within 30 days of departure.", "Paid within 30 days."
    assert is_right(rows[0], right) and not is_right(rows[0], other)
    assert not is_right(rows[2], right)


def test_a_question_whose_line_no_part_has_is_left_out() -> None:
    lost: Written = {**LEASE, "questions": [{"q": "What?", "line": "Not there.", "short": "Not"}]}
    assert examples([("lease", lost)], seed=1) == []


@pytest.fixture(scope="module")
def documents() -> list[tuple[str, Written]]:
    return read_documents()


def test_every_line_and_short_answer_stands_in_its_text(
    documents: list[tuple[str, Written]],
) -> None:
    assert len(documents) > 900 and len({name for name, _ in documents}) == len(documents)
    wrong = list[str]()
    for name, written in documents:
        for asked in written["questions"]:
            line, near, short = asked.get("line"), asked.get("near"), asked.get("short")
            if (
                not (line or near)
                or any(said and said not in written["text"] for said in (line, near))
                or (line and (not short or short.lower() not in line.lower()))
            ):
                wrong.append(f"{name}: {asked['q']}")
    assert wrong == []


def test_no_question_is_asked_twice_of_a_document(
    documents: list[tuple[str, Written]],
) -> None:
    for name, written in documents:
        (_, most), *_ = Counter(asked["q"] for asked in written["questions"]).most_common(1)
        assert most == 1, name


def test_the_files_are_lines_of_json() -> None:
    paths = sorted(everyday.FOLDER.glob("*.jsonl"))
    assert len(paths) == 45
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            assert set(json.loads(line)) == {"name", "text", "questions"}


def test_folders_have_names_of_their_own_and_answers_that_stand_in_their_documents() -> None:
    folders = [*everyday.read_folders(), *everyday.read_folders(everyday.HELD_OUT)]
    names = [folder["name"] for folder in folders]
    assert len(set(names)) == len(names) > 150
    for folder in folders:
        text = everyday.flat(" ".join(folder["documents"].values()))
        known = everyday.flat(text.replace(",", ""))
        for asked in folder["questions"]:
            answers = [everyday.flat(str(a)) for a in asked.get("answers") or ()]
            assert asked["answerable"] or not answers, (folder["name"], asked["id"])
            if answers and not asked.get("abstain_ok"):
                there = (a in text or a.replace(",", "") in known for a in answers)
                assert any(there), (folder["name"], asked["id"])


def test_folders_are_written_as_cases(tmp_path: Path) -> None:
    written = everyday.WrittenFolder(
        name="A01-club",
        documents={"rules.md": "Dogs are not allowed.\n", "deep/fees.csv": "Who,Fee\nadult,9\n"},
        questions=[{"id": "A01-1", "question": "What is the fee?", "answers": ["9"]}],
    )
    everyday.write_folders([written], tmp_path)
    case = tmp_path / "A01-club"
    assert (case / "docs" / "deep" / "fees.csv").read_text("utf-8") == "Who,Fee\nadult,9\n"
    (line,) = (case / "questions.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line) == written["questions"][0]
