"""A source that changed or vanished since it was read is seen when it is cited, and can be read again."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rag import serialize
from rag.bot import Bot
from rag.cli.output import print_answer
from rag.domain import Answer, FileState
from rag.errors import LibraryBusy
from rag.events import Answered, Notice, Report
from rag.library.file_state import with_file_states
from rag.library.lock import writer_lock
from tests.faults.small import Small

QUESTION = "What colour has the zqx lamp?"


@pytest.fixture
def bot(tmp_path: Path) -> Any:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "lamp.txt").write_text("The zqx lamp is green.\n")
    (tmp_path / "docs" / "other.txt").write_text("Nothing of interest stands here.\n")
    with Small(tmp_path / "home") as opened:
        list(opened.add([str(tmp_path / "docs")]))
        yield opened


def ask(bot: Bot, refresh: bool = False) -> Answer:
    last = list(bot.ask(QUESTION, refresh=refresh))[-1]
    assert isinstance(last, Answered)
    return last.answer


def state(bot: Bot) -> FileState:
    """The state of the one file that is cited; passage and citation agree."""
    answer = ask(bot)
    (cited,) = [e for claim in answer.claims for e in claim.evidence]
    assert cited.file is answer.passages[0].file
    written = serialize.answer(answer)
    assert written["passages"][0]["file"] == cited.file.value
    assert written["claims"][0]["citations"][0]["file"] == cited.file.value
    return cited.file


@pytest.mark.slow
def test_a_file_is_the_same_changed_or_gone(bot: Bot, tmp_path: Path) -> None:
    lamp = tmp_path / "docs" / "lamp.txt"
    assert state(bot) is FileState.SAME
    before = lamp.stat()
    lamp.write_text("The zqx lamp is red now.\n")
    assert state(bot) is FileState.CHANGED
    lamp.write_text("The zqx lamp is green.\n")
    os.utime(lamp, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert state(bot) is FileState.SAME, "size and time count, the file is not read"
    os.utime(lamp, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert state(bot) is FileState.CHANGED
    lamp.unlink()
    assert state(bot) is FileState.GONE
    lamp.mkdir()
    assert state(bot) is FileState.GONE, "a folder in its place is no file"


@pytest.mark.slow
def test_the_file_of_a_document_in_an_archive_or_a_corpus_is_looked_at(tmp_path: Path) -> None:
    archive, corpus = tmp_path / "a.zip", tmp_path / "c.jsonl"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("in/one.txt", "The zqx lamp is green.\n")
    line = {"id": "d1", "title": "T", "text": "The zqx radio is loud."}
    corpus.write_text(json.dumps(line) + "\n")
    with Small(tmp_path / "home") as bot:
        list(bot.add([str(archive), str(corpus)]))
        states = {p.chunk.source: p.file for p in bot.search("zqx")}
        assert set(states.values()) == {FileState.SAME} and len(states) == 2
        os.utime(archive, (1, 1))
        corpus.unlink()
        states = {p.chunk.source: p.file for p in bot.search("zqx")}
        assert states == {"a.zip/in/one.txt": FileState.CHANGED, "d1": FileState.GONE}


@pytest.mark.slow
def test_a_file_that_could_not_be_read_again_is_a_changed_one(bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "docs" / "lamp.txt").write_bytes(b"")
    list(bot.sync())
    assert state(bot) is FileState.CHANGED


@pytest.mark.slow
def test_each_file_is_looked_at_once_and_none_is_read(bot: Bot, tmp_path: Path) -> None:
    passages = bot.search("zqx lamp") * 5
    files = [*(tmp_path / "docs").iterdir()]
    status = {str(path): path.lstat() for path in files}
    looked: list[str] = []

    def look(path: str) -> os.stat_result:
        looked.append(path)
        return status[path]

    for path in files:
        path.unlink()  # what is gone cannot be read
    marked = with_file_states(bot.library.files, passages, look)
    assert {passage.file for passage in marked} == {FileState.SAME}
    assert len(looked) == len(set(looked)) == 2


@pytest.mark.slow
def test_refresh_reads_changed_files_of_the_sources_again(bot: Bot, tmp_path: Path) -> None:
    lamp, other = tmp_path / "docs" / "lamp.txt", tmp_path / "docs" / "other.txt"
    lamp.write_text("The zqx lamp is red now.\n")
    answer = ask(bot, refresh=True)
    assert answer.text.startswith("The zqx lamp is red now.")
    assert answer.passages[0].file is FileState.SAME
    assert bot.roots() == (str(tmp_path / "docs"),), "its files do not become roots"
    lamp.unlink()
    assert "zqx" not in ask(bot, refresh=True).text, "what is gone is forgotten"
    assert [d.source for d in bot.documents()] == ["docs/other.txt"]
    other.write_bytes(b"")
    events = list(bot.ask("Nothing of interest?", refresh=True))
    said = [e.says for e in events if isinstance(e, Notice)]
    assert len(said) == 1 and said[0].startswith("docs/other.txt was not read again: is empty")
    assert not [e for e in events if isinstance(e, Report)]


@pytest.mark.slow
def test_refresh_without_a_change_does_not_wait_for_another_writer(bot: Bot) -> None:
    with writer_lock(Path(bot.config.folder), patience=1.0):
        assert ask(bot, refresh=True).text.startswith("The zqx lamp is green.")


@pytest.mark.slow
def test_refresh_of_a_changed_file_needs_the_lock(bot: Bot, tmp_path: Path) -> None:
    (tmp_path / "docs" / "lamp.txt").write_text("The zqx lamp is red now.\n")
    with writer_lock(Path(bot.config.folder), patience=1.0), pytest.raises(LibraryBusy):
        ask(bot, refresh=True)


@pytest.mark.slow
def test_the_answer_says_it_in_plain_words(
    bot: Bot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_answer(ask(bot))
    assert "the file" not in capsys.readouterr().out
    (tmp_path / "docs" / "lamp.txt").write_text("The zqx lamp is red now.\n")
    print_answer(ask(bot))
    out = capsys.readouterr().out
    assert "! the file has changed since it was read: docs/lamp.txt\n" in out
    assert "hint: footnote ask --refresh\n" in out
    assert "docs/lamp.txt:1 (the file has changed since it was read)\n" in out
    (tmp_path / "docs" / "lamp.txt").unlink()
    print_answer(ask(bot))
    assert "! the file is gone: docs/lamp.txt\n" in capsys.readouterr().out
