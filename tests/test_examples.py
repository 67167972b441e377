"""Every example runs as it is told to, over the seeds, with the built-in reader."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
SEEDS = ROOT / "seeds"
QUESTION = "How many individual sanctions has Russia faced?"


def run(home: Path, *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command with `home` as the home, and the commands of this environment first in the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "FOOTNOTE_HOME": str(home), "PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )


def test_ask_folder_prints_sentences_with_verdict_and_place(home: Path) -> None:
    done = run(home, sys.executable, str(EXAMPLES / "ask_folder.py"), str(SEEDS), QUESTION)
    assert done.returncode == 0, done.stderr
    assert "supported: " in done.stdout and "over 5,000 individual sanctions" in done.stdout
    assert "seeds/000_bac51fb96c89603d.txt, line 36" in done.stdout


def test_ask_folder_says_when_the_folder_does_not_answer(home: Path) -> None:
    done = run(
        home,
        sys.executable,
        str(EXAMPLES / "ask_folder.py"),
        str(SEEDS),
        "How tall is the Eiffel Tower?",
    )
    assert done.returncode == 3 and "not answered: not_answered" in done.stdout, done.stderr


def test_a_function_writes_and_its_sentences_are_checked(seeded: Path) -> None:
    done = run(seeded, sys.executable, str(EXAMPLES / "custom_writer.py"), QUESTION)
    assert done.returncode == 0, done.stderr
    verdicts = dict(re.findall(r"^(\w+): (.*)$", done.stdout, re.M))
    assert "individual sanctions" in verdicts["supported"]
    assert "77 cheeses" in (verdicts.get("unsupported", "") + verdicts.get("contradicted", ""))


def test_the_gate_passes_and_fails(home: Path, tmp_path: Path) -> None:
    gate = [
        str(EXAMPLES / "eval_gate" / "gate.sh"),
        str(SEEDS),
        str(SEEDS / "questions.jsonl"),
        "--limit",
        "6",
    ]
    done = run(home, *gate, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "run.json").exists() and (tmp_path / "run.md").exists()
    again = run(home, *gate, "--gate", "answer.em>1", cwd=tmp_path)
    assert again.returncode == 1 and "answer.em is " in again.stdout, again.stdout + again.stderr


def test_every_example_is_listed() -> None:
    listed = set(re.findall(r"\]\(([^)]+)\)", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    assert listed == {
        path.name for path in EXAMPLES.iterdir() if path.name not in ("README.md", "__pycache__")
    }


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda p: p.name)
def test_no_example_uses_a_private_name(path: Path) -> None:
    assert not re.search(
        r"\b(?:bot|rag)\._[a-z]|import _|from rag\.\w+ import .*\b_\w",
        path.read_text(encoding="utf-8"),
    )
