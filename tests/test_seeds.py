"""The demo questions as a gate: what the README claims of them must hold on the code as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag import Bot, Config
from rag.eval import command, run

SEEDS = Path(__file__).resolve().parent.parent / "seeds"
QUESTIONS = SEEDS / "questions.jsonl"


def _quietly(_: object) -> None:
    """Says nothing."""


@pytest.fixture(scope="module")
def whole(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("runs") / "run.json"
    config = Config(home=str(seeded))
    command.evaluate(
        config,
        str(QUESTIONS),
        [],
        retrieval_only=False,
        limit=None,
        seed=0,
        out=str(out),
        say=_quietly,
        progress=_quietly,
    )
    return run.read(out)


@pytest.mark.parametrize(
    ("figure", "least"),
    [
        ("retrieval.recall@5", 0.95),
        ("retrieval.quote_recall@5", 0.90),
        ("answer.contains", 0.75),
        ("citation.quote_exact", 1.0),
        ("citation.valid", 1.0),
        ("abstention.f1", 0.60),
    ],
)
def test_the_seeds_reach_their_figures(whole: dict, figure: str, least: float) -> None:
    group, name = figure.split(".")
    found = whole["summary"][group][name]
    assert found["n"] > 0 and found["value"] >= least, found


def test_the_same_questions_give_the_same_answers(whole: dict, seeded: Path) -> None:
    with Bot.open(Config(home=str(seeded))) as bot:
        for case in whole["cases"][:8]:
            again = list(bot.ask(case["question"], save=False))[-1].answer
            assert again.text == case["answer"]["answer"]


def test_the_questions_are_about_the_files_as_they_are() -> None:
    cases = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    assert len(cases) >= 40 and len({c["id"] for c in cases}) == len(cases)
    for case in cases:
        assert bool(case["evidence"]) == bool(case["answers"]) == case["answerable"]
        for evidence in case["evidence"]:
            assert evidence["quote"] in (SEEDS.parent / evidence["source"]).read_text(encoding="utf-8"), case["id"]
    assert {"fact", "attribution", "list", "two_documents", "contradiction", "unanswerable", "false_premise"} <= {
        c["type"] for c in cases
    }
