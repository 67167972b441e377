"""Runs as a screen shows them: listed, and compared with both answers of a question."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from rag.errors import Usage
from rag.eval.run import run_object, write_run
from rag.eval.run_views import RunViews, serve


def _case(answer: str, f1: float) -> dict[str, Any]:
    claim = {
        "verdict": "supported",
        "score": 1.0,
        "citations": [{"source": "oil.md", "quote": "SAE 80W-90"}],
    }
    return {
        "id": "q1",
        "question": "Which oil?",
        "type": "fact",
        "answerable": True,
        "gold": {"answers": ["SAE 80W-90"], "evidence": [{"source": "oil.md", "quote": None}]},
        "answer": {
            "answer": answer,
            "short": answer,
            "abstained": not answer,
            "reason": "not_answered",
            "missing": "no passage names it",
            "chance": None,
            "claims": [claim] if answer else [],
        },
        "retrieved": [],
        "scores": {"overall": {"f1": f1, "em": f1}},
    }


def _written(folder: Path, name: str, case: dict[str, Any], mtime: int) -> str:
    from rag.eval.run import Setup

    setup = Setup({"model": "reader", "library": "default"}, {}, "0.1")
    path = folder / name
    write_run(path, run_object([case], setup))  # type: ignore[list-item]
    os.utime(path, (mtime, mtime))
    return str(path)


@pytest.fixture
def runs(tmp_path: Path) -> tuple[str, str]:
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "other.json").write_text(json.dumps({"no": "run"}))
    (folder / "broken.json").write_text("{")
    old = _written(folder, "old.json", _case("SAE 80W-90", 1.0), 1000)
    new = _written(folder, "new.json", _case("", 0.0), 2000)
    return old, new


@pytest.mark.slow
def test_runs_are_listed_newest_first_and_other_files_passed_over(
    runs: tuple[str, str], tmp_path: Path
) -> None:
    views = RunViews(str(tmp_path))
    found = views.runs(views.folder)
    assert [run.path for run in found] == [runs[1], runs[0]]
    assert (found[0].questions, found[0].model, found[0].library) == (1, "reader", "default")
    assert [f.value for f in found[0].figures if f.name == "overall.f1"] == [0.0]
    assert views.runs(str(tmp_path / "none")) == ()


@pytest.mark.slow
def test_a_comparison_has_both_answers_of_a_question(runs: tuple[str, str], tmp_path: Path) -> None:
    found = RunViews(str(tmp_path)).compare(*runs)
    (change,) = found.worse
    assert "SAE 80W-90" in change.old and "oil.md" in change.old
    assert change.new == "not answered: no passage names it"
    assert change.right == ("SAE 80W-90",) and change.sources == ("oil.md",)
    assert [f.change for f in found.figures if f.name == "overall.f1"] == [-1.0]
    assert found.notes[0].startswith("compared over the 1 questions")


def test_what_cannot_be_read_is_an_error_in_words(runs: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(Usage, match="cannot be read as a run file"):
        RunViews(str(tmp_path)).compare(str(tmp_path / "runs" / "broken.json"), runs[1])
    assert "failed" in serve({"do": "list", "folder": runs[0]})
