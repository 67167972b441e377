"""The commands eval, explain and calibrate: gates, comparison, page, draft, exit codes, errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rag import Bot, Config
from rag.answer import calibration
from rag.eval.calibrate import MIN_QUESTIONS
from tests.cli.test_commands import QUESTION, SEEDS, run
from tests.eval.test_compare import run as run_file
from tests.eval.test_compare import shifted, whole
from tests.support.tiny_chat_model import write

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good run and one whose citations are shifted by one."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "good.json").write_text(json.dumps(run_file(whole())))
    (folder / "bad.json").write_text(json.dumps(run_file(shifted(whole()))))
    return folder


def test_gates_that_hold_are_exit_0_and_a_seeded_regression_is_exit_1(runs: Path) -> None:
    gates = ("--gate", "citation.precision>=0.9", "--gate", "answer.f1>0.5")
    done = run(None, "eval", "--run", str(runs / "good.json"), *gates)
    assert done.returncode == 0, done.stderr
    assert "✓ citation.precision is 1.0000, asked for is >=0.9" in done.stdout
    done = run(
        None, "eval", "--run", str(runs / "bad.json"), *gates, "--against", str(runs / "good.json")
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        "citation.precision is 0.0000, asked for is >=0.9" in done.stderr
        and "answer.f1" not in done.stderr
    )
    assert "cites elsewhere: 1.txt -> other.txt" in done.stdout and "20 worse" in done.stdout


def test_a_run_against_itself_says_that_nothing_changed(runs: Path, tmp_path: Path) -> None:
    good, page = str(runs / "good.json"), tmp_path / "page.md"
    done = run(
        None,
        "eval",
        "--run",
        good,
        "--against",
        good,
        "--report",
        str(page),
        "--json",
        "--gate",
        "answer.em<2",
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert not any(shift["verdict"] for shift in found["against"]["figures"].values())
    assert found["gates"] == [{"gate": "answer.em<2", "value": 1.0, "holds": True}]
    assert {"schema", "config", "weights", "version", "cases", "summary"} <= set(found)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# An evaluation") and text.count("```text") == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--gate", "citation.precison>=0.9"], "no figure 'citation.precison'"),
        (["--gate", "citation.precision=0.9"], "is no bound"),
        (["--against", "nowhere.json"], "nowhere.json cannot be read as a run file"),
        (["--checker", "claims.jsonl"], "not --run and --checker"),
        (["--report", "/dev/null/x.md"], "cannot be written"),
    ],
)
def test_what_was_typed_wrong_is_named_with_its_cure(
    runs: Path, arguments: list[str], says: str
) -> None:
    done = run(None, "eval", "--run", str(runs / "good.json"), *arguments)
    assert (
        done.returncode == 2
        and says in done.stderr
        and "hint:" in done.stderr
        and "Traceback" not in done.stderr
    )
    if "no figure" in says:
        assert "citation.precision, citation.recall" in done.stderr


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"schema": 1}', '{"schema": 9, "cases": [], "summary": {}}', "\0"]
)
def test_what_is_no_run_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    done = run(None, "eval", "--run", str(tmp_path / "run.json"))
    assert done.returncode == 2 and "run.json" in done.stderr and "Traceback" not in done.stderr


def test_claims_have_gates_too(seeded: Path, tmp_path: Path) -> None:
    (tmp_path / "claims.jsonl").write_text(
        '{"claim": "The pump has six bolts.", "passage": "The pump has six bolts. It is old.",'
        ' "label": "supported"}\n'
        '{"claim": "The pump has nine bolts.", "passage": "The pump has six bolts. It is old.",'
        ' "label": "unsupported"}\n'
    )
    command = ("eval", "--checker", str(tmp_path / "claims.jsonl"), "--gate")
    assert run(seeded, *command, "checker.balanced_accuracy>=1").returncode == 0
    assert run(seeded, *command, "checker.misses>0").returncode == 1
    assert "checker.misses" in run(seeded, *command, "answer.em>0").stderr
    assert run(seeded, *command, "checker.auc>0", "--report", "x.md").returncode == 2


# -- a draft, on the library's own documents --


def test_a_draft_is_written_reviewed_and_run(home: Path, tmp_path: Path) -> None:
    notes, out = tmp_path / "notes", tmp_path / "draft.jsonl"
    notes.mkdir()
    (notes / "skagen.txt").write_text(
        "The lighthouse at Skagen was built in 1858. The harbour of Skagen was dredged in 1907.\n"
    )
    (notes / "ribe.txt").write_text(
        "The windmill at Ribe was sold in 1911. Storks nest on the roof of the old school.\n"
    )
    assert run(home, "add", str(notes)).returncode == 0
    done = run(home, "eval", "--draft", "6", "--out", str(out))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    asked = {line["question"]: line for line in lines}
    assert asked["When was the lighthouse at Skagen built?"]["answers"] == ["1858"]
    assert any(not line["answerable"] for line in lines)
    again = run(home, "eval", "--draft", "6", "--json")
    assert json.loads(again.stdout)["questions"] == lines, "the same seed drafts the same"
    assert run(home, "eval", "--draft", "6", "--out", str(out)).returncode == 2, (
        "a reviewed draft is not written over"
    )
    (notes / "skagen.txt").write_text("The lighthouse at Skagen was built in 1859.\n")
    assert run(home, "sync").returncode == 0
    done = run(home, "eval", str(out), "--out", str(tmp_path / "run.json"))
    assert done.returncode == 0, done.stderr
    ours = asked["When was the lighthouse at Skagen built?"]["id"]
    assert (
        f"{ours}: notes/skagen.txt has changed since the question was made; its words are gone"
        in done.stderr
    )
    assert "are drafts that nobody has accepted" in done.stderr
    first, second = (run(home, "eval", str(out), "--limit", "1").stderr for _ in range(2))
    assert "this one replaces it" in second and "this one replaces it" not in first
    record = next(
        c for c in json.loads((tmp_path / "run.json").read_text())["cases"] if c["id"] == ours
    )
    assert "has changed" in record["changed"]


# -- explain --


def test_explain_says_where_a_passage_was_lost(seeded: Path) -> None:
    document, quote = "000_bac51fb96c89603d.txt", "over 5,000 individual sanctions"
    done = run(seeded, "explain", QUESTION, "--document", document, "--quote", quote)
    assert (
        done.returncode == 0
        and done.stdout.startswith("✓ not lost")
        and "words 1, vectors 1" in done.stdout
    )
    options = ("--document", "002_f4c52654c23cc5ee.txt", "--quote", "restore a bipolar world")
    found = json.loads(run(seeded, "explain", "--json", QUESTION, *options).stdout)
    assert found["lost"] == "fused" and found["ranks"]["final"] > 5
    fused, final = (
        found["ranks"]["fused"],
        found["ranks"]["final"],
    )  # passages of other documents may go before it
    assert (
        found["cure"]
        == f"rerank = {fused} would have read it, or passages = {final} would have kept it"
    )
    masked = json.loads(
        run(
            seeded,
            "explain",
            "--json",
            QUESTION,
            "--document",
            document,
            "--quote",
            "log in or register",
        ).stdout
    )
    assert masked["lost"] == "masked"
    absent = run(seeded, "explain", QUESTION, "--document", "nowhere.txt")
    assert (
        absent.returncode == 0
        and "lost: not in the library" in absent.stdout
        and "footnote add" in absent.stdout
    )
    assert run(seeded, "explain", QUESTION).returncode == 2


# -- calibrate --


THINGS = (
    "boats cats dogs nets huts pubs oars gulls buoys ropes crabs eels cods poles maps bells lamps "
    "doors chairs jars"
).split()


def questions(folder: Path, answerable: int, unanswerable: int) -> Path:
    """Questions whose words stand in the seeds, and ones that nothing there answers."""
    known = [
        json.loads(line)
        for line in (SEEDS / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    good = [case for case in known if case["answerable"]][:answerable]
    bad: list[dict[str, Any]] = [
        {
            "id": f"u{n}",
            "question": f"How many {thing} did Lavrov count in Skagen?",
            "answers": [],
            "evidence": [],
            "answerable": False,
        }
        for n, thing in enumerate(THINGS[:unanswerable])
    ]
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(case) + "\n" for case in (*good, *bad)), encoding="utf-8")
    return path


def test_calibrate_refuses_too_few_before_it_asks_any(home: Path, tmp_path: Path) -> None:
    done = run(home, "calibrate", str(SEEDS / "questions.jsonl"))
    assert done.returncode == 2 and "9 unanswerable" in done.stderr and "--draft" in done.stderr
    assert calibration.load_calibration(Config(home=str(home)).folder) is None
    assert run(home, "calibrate").returncode == 2
    assert run(home, "calibrate", str(SEEDS / "questions.jsonl"), "--reset").returncode == 2
    done = run(
        home,
        "--model",
        "/nowhere.gguf",
        "calibrate",
        str(questions(tmp_path, MIN_QUESTIONS, MIN_QUESTIONS)),
    )
    assert done.returncode == 5 and "nowhere.gguf" in done.stderr


def test_calibrate_with_a_chat_model_asks_it_and_says_if_too_few_are_in_doubt(
    home: Path, tmp_path: Path
) -> None:
    model = tmp_path / "tiny.gguf"
    write(model)
    options = ("--model", str(model), "calibrate")
    done = run(home, *options, str(questions(tmp_path, 2, 1)))
    assert done.returncode == 2 and "too few questions are in doubt" in done.stderr
    assert not (home / "models" / "jurors.json").exists()
    done = run(home, *options, "--for", "overall", str(tmp_path / "q.jsonl"))
    assert done.returncode == 2 and "--seed and --for" in done.stderr
    done = run(home, *options, "--reset", "--json")
    assert json.loads(done.stdout) == {"reset": False}


def test_calibrate_keeps_a_threshold_says_what_to_expect_and_takes_it_back(
    home: Path, tmp_path: Path
) -> None:
    done = run(home, "calibrate", str(questions(tmp_path, MIN_QUESTIONS, MIN_QUESTIONS)), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["answerable"], found["unanswerable"], found["skipped"]) == (
        MIN_QUESTIONS,
        MIN_QUESTIONS,
        0,
    )
    for name in ("overall.f1", "abstention.precision", "abstention.recall", "abstention.f1"):
        assert (
            found["fitted"][name]["low"]
            <= found["fitted"][name]["value"]
            <= found["fitted"][name]["high"]
        )
    config = Config(home=str(home))
    kept = calibration.active_calibration(config)
    assert kept and kept.least == pytest.approx(found["least"], abs=1e-6)
    doctor = json.loads(run(home, "doctor", "--json").stdout)["findings"]
    assert any(f["what"] == "threshold" and f["good"] for f in doctor)
    with Bot.open(config) as bot:
        assert bot.machines.shipped_threshold() == pytest.approx(found["shipped_least"], abs=1e-6)
    assert "shipped threshold is in use again" in run(home, "calibrate", "--reset").stdout
    assert calibration.load_calibration(config.folder) is None
