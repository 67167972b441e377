"""What is installed: the two lock files, the metadata, what a wheel must hold, the demonstration library."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from rag.cli import demo
from rag.errors import RagError
from tests.cli.test_terminal import Terminal
from tests.support import wheel

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TOOLS = {"pytest", "pytest-timeout", "mypy", "ruff", "hypothesis", "import-linter"}


def pins(name: str) -> dict[str, str]:
    """Package -> version of a lock file; every one of them has a hash."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z0-9])", text.partition("\n")[2])
    found = {}
    for entry in entries:
        match = re.match(r"([a-z0-9._-]+)==([^ ;\\\n]+)", entry)
        if match:
            assert "--hash=sha256:" in entry, entry
            found[match[1]] = match[2]
    return found


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[><=~! ;\[]", r, maxsplit=1)[0].lower() for r in requirements}


def test_what_runs_and_what_tests_are_locked_apart() -> None:
    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert not run.keys() & dev.keys()
    assert not run.keys() & TOOLS and dev.keys() >= TOOLS
    assert names(PROJECT["project"]["dependencies"]) <= run.keys()
    assert names(PROJECT["project"]["optional-dependencies"]["dev"]) <= run.keys() | dev.keys()


def test_the_metadata_names_both_licences_and_the_texts_are_there() -> None:
    project = PROJECT["project"]
    assert project["name"] != "footnote", "that name is somebody else's on the registry"
    assert project["license"] == "MIT AND CC-BY-SA-4.0" and list(project["scripts"]) == ["footnote"]
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in project["license-files"]}
    assert {Path(name).name for name in texts} == set(wheel.LICENCES)
    assert "MIT License" in texts["LICENSE"]
    assert texts["LICENSES/CC-BY-SA-4.0.txt"].startswith(
        "Creative Commons Attribution-ShareAlike 4.0 International"
    )


def test_what_a_wheel_lacks_is_named() -> None:
    seeds = [f"rag/seeds/{n}.txt" for n in range(5)]
    record = "footnote_answers-0.1.0.dist-info/licenses"
    whole = [*wheel.NEEDED, *seeds, f"{record}/LICENSE", f"{record}/LICENSES/CC-BY-SA-4.0.txt"]
    assert wheel.missing(whole) == []
    for name in whole:
        assert len(wheel.missing([n for n in whole if n != name])) == 1, name


def test_everything_a_wheel_needs_is_in_the_repository() -> None:
    moved = {"rag/seeds/": "seeds/", "rag/models/models.md": "models.md"}
    for name in wheel.NEEDED:
        path = next((name.replace(a, b) for a, b in moved.items() if name.startswith(a)), name)
        assert (ROOT / path).is_file(), path


def test_the_demonstration_documents_are_found_in_a_checkout_and_in_a_package(
    tmp_path: Path,
) -> None:
    assert demo.seeds() == ROOT / "seeds"
    package = tmp_path / "rag"
    package.mkdir()
    with pytest.raises(RagError, match="demonstration documents are not in"):
        demo.seeds(package)
    (package / "seeds").mkdir()
    (package / "seeds" / "a.txt").write_text("A.")
    assert demo.seeds(package) == package / "seeds"


def test_the_demonstration_answers_its_questions_and_adds_nothing_twice(home: Path) -> None:
    command = [sys.executable, "-m", "rag", "--home", str(home), "--library", "default", "demo"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=True,
    )
    for question, words in zip(
        demo.QUESTIONS, ("over 5,000", "Subrahmanyam Jaishankar", "Borrell"), strict=True
    ):
        assert f"❯ {question}\n" in done.stdout
        assert words in done.stdout.split(f"❯ {question}\n")[1].split("❯")[0]
    assert "adding" not in done.stderr
    done = subprocess.run(
        [*command, "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        timeout=240,
        check=True,
    )
    assert [a["question"] for a in json.loads(done.stdout)["answers"]] == list(demo.QUESTIONS)


def test_on_a_terminal_the_demonstration_is_the_chat(home: Path) -> None:
    terminal = Terminal(home, (40, 120), "--library", "default", "demo")
    try:
        terminal.until("Ask your documents")
        terminal.until("5 documents")
        terminal.child.send("\x11")  # ctrl+q
        assert terminal.ended() == 0
    finally:
        terminal.child.close(force=True)
