"""`add`, `sync` and `remove` on the command line: what they refuse, what they ask, and their exit codes."""

from __future__ import annotations

import errno
import io
import json
import sys
from pathlib import Path

import pytest

from rag.bot import Bot
from rag.cli.console import Console
from rag.cli.main import run_command
from tests.faults.small import Small
from tests.ingest.test_unreadable_files import _breaks


@pytest.fixture
def docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve files in a folder called `docs`, with the small front door behind the commands."""
    docs = tmp_path / "docs"
    docs.mkdir()
    for at in range(12):
        (docs / f"{at:02}.txt").write_text(f"The file number {at} is of its own.\n")
    monkeypatch.chdir(tmp_path)
    return docs


class SmallConsole(Console):
    """A console whose bot has the small front door, with its home in the working directory."""

    def bot(self) -> Bot:
        return Small(Path.cwd() / "home")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    capsys.readouterr()
    code = run_command(arguments, SmallConsole())
    return code, *capsys.readouterr()


def _listed(capsys: pytest.CaptureFixture[str]) -> int:
    return len(json.loads(_run(capsys, "list", "--json")[1])["documents"])


@pytest.mark.slow
def test_a_blank_path_or_name_is_a_usage_error(
    docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for paths in ([""], [" "], ["docs", ""]):
        code, out, said = _run(capsys, "add", *paths)
        assert code == 2 and out == "" and "path is empty" in said and "hint:" in said
    assert not (docs.parent / "home").exists()
    assert _run(capsys, "add", "docs")[0] == 0
    for name in ("", " ", "/", ".", "..", "./", "//", "\t"):
        for flags in ([], ["--yes"]):
            code, out, said = _run(capsys, "remove", *flags, "--", name)
            assert code == 2 and out == "" and "footnote list" in said
    assert _listed(capsys) == 12


@pytest.mark.slow
def test_several_documents_are_forgotten_only_when_that_is_said(
    docs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(capsys, "add", "docs")[0] == 0
    code, _, said = _run(capsys, "remove", "docs")
    assert code == 2 and "12 documents" in said and "docs/00.txt" in said and "--yes" in said
    for answer, left in (("n\n", 12), ("y\n", 0)):
        with monkeypatch.context() as typed:
            typed.setattr(sys, "stdin", Terminal(answer))
            typed.setattr(sys, "stderr", Terminal())
            assert _run(capsys, "remove", "docs")[0] == (1 if left else 0)
        assert _listed(capsys) == left
    assert _run(capsys, "add", "docs")[0] == 0
    assert _run(capsys, "remove", "docs/00.txt")[0] == 0, "one document needs no flag"
    assert _run(capsys, "remove", str(docs), "--yes", "--json")[0] == 0
    assert _listed(capsys) == 0


@pytest.mark.slow
def test_a_folder_that_is_suddenly_bare_is_reported_and_kept(
    docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(capsys, "add", "docs")[0] == 0
    for path in docs.iterdir():
        path.unlink()
    for command in (["sync"], ["add", "docs"]):
        code, _, said = _run(capsys, *command)
        assert (
            code == 1
            and "12 documents are not found any more and are kept" in said
            and "--forget" in said
        )
        code, out, _ = _run(capsys, *command, "--json")
        report = json.loads(out)
        assert code == 1 and len(report["kept"]) == 12 and report["removed"] == []
    assert _listed(capsys) == 12
    assert _run(capsys, "sync", "--forget")[0] == 0 and _listed(capsys) == 0


@pytest.mark.slow
def test_a_folder_that_cannot_be_read_is_a_failure_in_words(
    docs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sub = docs / "sub"
    sub.mkdir()
    (sub / "x.txt").write_text("Another file of its own.\n")
    assert _run(capsys, "add", "docs")[0] == 0
    _breaks(monkeypatch, "scandir", sub, errno.EACCES)
    code, _, said = _run(capsys, "sync")
    assert (
        code == 0
        and "docs/sub: the folder cannot be read: Permission denied" in said
        and "0 removed" in said
    )
    assert "kind" not in said
    _breaks(monkeypatch, "scandir", docs, errno.EACCES)
    code, _, said = _run(capsys, "sync")
    assert code == 1 and f"{docs}: the folder cannot be read: Permission denied" in said


@pytest.mark.slow
def test_who_removes_a_file_of_an_added_folder_is_told_that_it_comes_back(
    docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(capsys, "add", "docs")
    code, _, messages = _run(capsys, "remove", "docs/03.txt")
    assert code == 0 and "the next update adds it again" in messages and _listed(capsys) == 11
    code, _, messages = _run(capsys, "remove", "docs", "--yes")
    assert code == 0 and "again: move" not in messages and _listed(capsys) == 0
