"""A result replaces only an earlier result of its kind.

This is checked before the work and again when the result is written.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag.cli.main import cli
from rag.config import Config
from rag.disk import result_files
from rag.errors import Usage
from rag.eval import eval_runs, run
from rag.eval.markdown_report import is_page
from rag.eval.records import Run
from rag.eval.resume import is_partial

RUN: Run = {"schema": 1, "config": {}, "weights": {}, "version": "0", "cases": [], "summary": {}}
PAGE = "# An evaluation\n\n3 questions.\n\n| setting | value |\n|---|---|\n"


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _link(path: Path) -> None:
    path.with_name("real").write_text(json.dumps(RUN))
    path.symlink_to("real")


THINGS: dict[str, Callable[[Path], object]] = {
    "text": lambda p: p.write_text("my notes\n"),
    "nothing in it": lambda p: p.write_text(""),
    "an answer": lambda p: p.write_text('{"schema": 1, "question": "Why?", "answer": "So."}'),
    "another format": lambda p: p.write_text(json.dumps({**RUN, "schema": 2})),
    "a run without weights": lambda p: p.write_text(
        json.dumps({k: v for k, v in RUN.items() if k != "weights"})
    ),
    "Markdown": lambda p: p.write_text("# An evaluation\n\nof my holidays\n"),
    "nested": lambda p: p.write_text("[" * 100_000),
    "bytes": lambda p: p.write_bytes(b"\xff\0\xfe"),
    "folder": lambda p: p.mkdir(),
    "pipe": os.mkfifo,
    "socket": _socket,
    "link": _link,
    "link to nothing": lambda p: p.symlink_to("nothing"),
    "device": lambda p: p.symlink_to("/dev/null"),
}


def _state(folder: Path) -> list[object]:
    return [
        (p.name, p.lstat().st_mode, p.lstat().st_ino, p.read_bytes() if p.is_file() else b"")
        for p in sorted(folder.iterdir())
    ]


@pytest.mark.parametrize("what", THINGS)
@pytest.mark.parametrize("kind", ["run", "partial", "report", "draft"])
def test_a_file_that_is_no_result_is_refused_and_left(tmp_path: Path, what: str, kind: str) -> None:
    path = tmp_path / ("out.partial" if kind == "partial" else "out")
    if (what, kind) == ("nothing in it", "partial"):
        pytest.skip("what was cut off before its first byte")
    THINGS[what](path)
    before = _state(tmp_path)
    with pytest.raises(Usage) as error:
        if kind in ("run", "partial"):
            run.claim(tmp_path / "out")
        elif kind == "report":
            eval_runs.claim_page(str(path), None)
        else:
            eval_runs.run_draft(Config(home=str(tmp_path / "home")), 3, 0, str(path), print)
    assert str(path) in str(error.value) and error.value.cure
    assert _state(tmp_path) == before


@pytest.mark.parametrize(
    "path",
    ["/dev/null", "/dev/full", "/dev/stdout", "/proc/self/fd/1", "-", "", "x\0y", "/dev/null/x"],
)
@pytest.mark.parametrize("option", ["--out", "--report", "--draft"])
def test_devices_are_refused_before_the_work_begins(tmp_path: Path, path: str, option: str) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text(
        '{"id": "1", "question": "Why?", "answers": [], "evidence": [], "answerable": false}\n'
    )
    words = (
        [str(questions), option, path] if option != "--draft" else ["--draft", "3", "--out", path]
    )
    done = CliRunner().invoke(cli, ["--home", str(tmp_path / "home"), "eval", *words])
    assert isinstance(done.exception, Usage) and done.exception.cure
    assert not (tmp_path / "home").exists()


def test_an_earlier_result_is_replaced_and_its_mode_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    for text in (
        json.dumps(RUN),
        json.dumps(RUN, indent=3),
        json.dumps(dict(reversed(RUN.items()))),
    ):
        path.write_text(text)
        path.chmod(0o640)
        run.write_run(run.claim(path), RUN)
        assert json.loads(path.read_text()) == RUN and stat.S_IMODE(path.stat().st_mode) == 0o640
    page = tmp_path / "run.md"
    page.write_text(PAGE)
    eval_runs.claim_page(str(page), str(path))
    assert is_page(page) and not is_page(path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.json", "run.md"]


def test_a_new_result_is_for_its_owner_alone(tmp_path: Path) -> None:
    run.write_run(tmp_path / "run.json", RUN)
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    place = run.claim(tmp_path / "run.json")
    place.write_text("somebody else's")
    with pytest.raises(Usage):
        run.write_run(place, RUN)
    assert place.read_text() == "somebody else's" and len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_is_full_leaves_the_old_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps(RUN))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Usage, match="No space left"):
        run.write_run(path, {**RUN, "version": "1"})
    assert json.loads(path.read_text()) == RUN and len(list(tmp_path.iterdir())) == 1


def test_out_and_report_are_two_files(tmp_path: Path) -> None:
    for name in ("same", "same.partial"):
        with pytest.raises(Usage, match="same file"):
            eval_runs.claim_page(str(tmp_path / name), str(tmp_path / "same"))


@pytest.mark.parametrize("cut", [0, 5, 30, 40, 200])
def test_the_beginning_of_a_run_is_known_wherever_it_was_cut(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.partial"
    path.write_text((json.dumps({"schema": 1, "fingerprint": "ab" * 32}) + '\n{"id": "1"}\n')[:cut])
    assert is_partial(path)
    assert (
        result_files.check_result_path(path, "--out", is_partial, "the beginning of a run") == path
    )


@pytest.mark.parametrize("name", ["config.toml", "library.db", "history.db"])
def test_no_result_gets_the_name_of_a_file_of_ours(tmp_path: Path, name: str) -> None:
    with pytest.raises(Usage, match="name of a file of Footnote's own"):
        result_files.check_result_path(
            tmp_path / name, "--out", result_files.never_replace, "a draft"
        )
    assert not (tmp_path / name).exists()
