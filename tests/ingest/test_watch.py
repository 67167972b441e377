"""Watching: what changes gives a sign, what a walk passes over gives none, and Ctrl-C ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rag.ingest.watch import watch_changes
from tests.cli.test_commands import hears
from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def _first(paths: list[str], act: list[tuple[Path, str]]) -> frozenset[str]:
    """The first sign that writing these files, one after the other, gives once the watch stands."""
    signs = watch_changes(paths)
    assert next(signs) == frozenset()
    for path, text in act:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return next(signs)


def test_a_change_gives_a_sign_and_a_hidden_file_none(tmp_path: Path) -> None:
    (tmp_path / "docs" / ".git").mkdir(parents=True)
    acts = [
        (tmp_path / "docs" / ".git" / "index", "x"),
        (tmp_path / "docs" / ".a.swp", "x"),
        (tmp_path / "docs" / "a.txt", "x"),
    ]
    assert _first([str(tmp_path / "docs")], acts) == {str(tmp_path / "docs" / "a.txt")}


def test_a_single_file_is_seen_when_another_is_put_in_its_place(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.txt", tmp_path / "other.txt"
    mine.write_text("old")
    signs = watch_changes([str(mine)])
    assert next(signs) == frozenset()
    other.write_text("new")
    os.replace(other, mine)
    assert next(signs) == {str(mine)}


def test_a_file_that_is_written_while_sync_watches_is_in_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    folder, home = tmp_path / "docs", tmp_path / "home"
    folder.mkdir()
    (folder / "one.txt").write_text("The old mill was built in 1823 by Ann Reed.\n")
    command = [sys.executable, "-m", "rag", "--home", str(home)]
    around = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, "add", str(folder)], check=True, capture_output=True, env=around)
    watch = [*command, "sync", "--watch"]
    watching = subprocess.Popen(
        watch, stderr=subprocess.PIPE, text=True, env=around, preexec_fn=hears
    )
    try:
        assert watching.stderr is not None
        while "watching" not in watching.stderr.readline():
            assert watching.poll() is None
        (folder / "two.txt").write_text("The ferry sails daily from Oban.\n")
        while "1 added" not in watching.stderr.readline():
            assert watching.poll() is None
        listed = subprocess.run(
            [*command, "list", "--json"], check=True, capture_output=True, text=True, env=around
        )
        assert [d["source"] for d in json.loads(listed.stdout)["documents"]] == [
            "docs/one.txt",
            "docs/two.txt",
        ]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 130
    finally:
        watching.kill()
        watching.wait()
