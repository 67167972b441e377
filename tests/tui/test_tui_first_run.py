"""From nothing to the first answer: documents are added on the screen, and questions wait."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual import events

from rag.domain import Status
from rag.errors import LibraryMissing
from tests.tui.scripted import Scripted
from tests.tui.stage import SIZES, Stage, perform
from tui.app import FootnoteApp
from tui.state.completion import complete_path, completions, parse_command, typed_path

pytestmark = pytest.mark.slow

MISSING = LibraryMissing("There is no library yet.", "footnote add FOLDER")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("told", [MISSING, Status("handbook", 0, 0, "reader")])
def test_a_question_waits_for_the_documents_that_are_added_on_the_screen(
    tmp_path: Path, size: tuple[int, int], told: LibraryMissing | Status
) -> None:
    engine = Scripted(told=told, pause=0.02, files=5)

    async def act(stage: Stage) -> None:
        await stage.sees("/add PATH")
        await stage.ask("Which bolts?", until="waiting for documents")
        assert engine.asked == []
        await stage.press(*f"/add {tmp_path}", "enter")
        await stage.until(lambda: engine.added == [str(tmp_path)])
        await stage.press(*"typed meanwhile")
        assert stage.ask_screen.prompt.text == "typed meanwhile"
        await stage.sees("see the check")
        assert [question for question, _ in engine.asked] == ["Which bolts?"]
        await stage.sees("5 documents added")
        if size[0] >= 80:
            await stage.until(lambda: "5 documents" in stage.lines[0])

    perform(act, engine, size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("told", [MISSING, Status("handbook", 0, 0, "reader")])
def test_while_the_first_documents_are_added_the_card_says_so_and_counts(
    tmp_path: Path, size: tuple[int, int], told: LibraryMissing | Status
) -> None:
    engine = Scripted(told=told, pause=0.15, files=5)

    async def act(stage: Stage) -> None:
        await stage.sees("/add PATH")
        stage.ask_screen.add(str(tmp_path))
        await stage.sees("The first documents are being added")
        for words in ("There are no documents yet", "There is no library yet", "/add PATH"):
            assert words not in stage.text
        await stage.until(lambda: re.search(r"being added: +[1-4] of 5 files", stage.text))
        seen = []

        def is_over() -> bool:
            seen.append(stage.text)
            return "5 documents and 15 passages" in stage.text

        await stage.until(is_over)
        assert not any("There are no documents yet" in text for text in seen)

    perform(act, engine, size)


def test_an_ingest_shows_its_counts_and_escape_stops_it(tmp_path: Path) -> None:
    engine = Scripted(pause=0.05, files=60)

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press(*f"/add {tmp_path}", "enter")
        await stage.sees(" of 60 files · esc to stop")
        await stage.press("escape")
        await stage.until(lambda: "stop" in engine.calls)

    perform(act, engine)


def test_documents_that_were_added_elsewhere_are_noticed() -> None:
    engine = Scripted(told=Status("handbook", 0, 0, "reader"))

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?", until="waiting for documents")
        engine.told = Status("handbook", 7, 70, "reader")
        await stage.sees("see the check")
        assert "7 documents" in stage.lines[0]

    perform(act, engine)


def test_a_dropped_path_becomes_a_command_and_tab_completes(tmp_path: Path) -> None:
    (tmp_path / "my manuals").mkdir()
    engine = Scripted()

    async def act(stage: Stage) -> None:
        prompt = stage.ask_screen.prompt
        await stage.until(lambda: stage.ask_screen.questions.up)
        stage.app.post_message(events.Paste(f"'{tmp_path}/my manuals'"))
        await stage.until(lambda: prompt.text.startswith("/add "))
        await stage.press("enter")
        await stage.until(lambda: engine.added == [f"{tmp_path}/my manuals"])
        prompt.text = f"/add {tmp_path}/my"
        prompt.move_cursor(prompt.document.end)
        await stage.press("tab")
        await stage.until(lambda: prompt.text == f"/add {tmp_path}/my manuals/")
        prompt.text = ""
        await stage.press("/", "d", "e")
        await stage.sees("Add five news articles, to try")
        await stage.press("tab")
        await stage.until(lambda: prompt.text == "/demo")

    perform(act, engine)


def test_the_demonstration_is_a_command(tmp_path: Path) -> None:
    engine = Scripted(told=MISSING)

    class WithDemo(FootnoteApp):
        def __init__(self, engine: Scripted, glyphs: object = None) -> None:
            super().__init__(engine, demo=lambda: tmp_path)

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press(*"/demo", "enter")
        await stage.until(lambda: engine.added == [str(tmp_path)])

    perform(act, engine, kind=WithDemo)


def test_slash_commands_come_from_the_table_and_an_unknown_one_is_kept() -> None:
    engine = Scripted()

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press(*"/again", "enter")
        await stage.until(lambda: len(engine.asked) == 2)
        await stage.press(*"/nonsense x", "enter")
        await stage.sees("/nonsense is not a command")
        assert stage.ask_screen.prompt.text == "/nonsense x" and len(engine.asked) == 2
        stage.ask_screen.prompt.text = ""
        await stage.press(*"/new", "enter")
        await stage.until(lambda: not stage.ask_screen.talk.turns)

    perform(act, engine)


def test_a_new_line_in_a_burst_of_keys_stays_in_its_place() -> None:
    async def act(stage: Stage) -> None:
        prompt = stage.ask_screen.prompt
        await stage.until(lambda: stage.ask_screen.questions.up)
        for key, character in (("a", "a"), ("ctrl+j", "\n"), ("b", "b"), ("enter", "\r")):
            stage.app.post_message(events.Key(key, character))
        await stage.until(lambda: stage.engine.asked)
        assert stage.engine.asked[0][0] == "a\nb" and prompt.text == ""

    perform(act)


def test_what_is_a_command_and_what_is_a_question() -> None:
    assert parse_command("/add  ~/x y ") == ("add", "~/x y")
    assert parse_command("/new") == ("new", "")
    for question in ("/etc/hosts says what?", "what is /add", "/", "/Add x", "// x"):
        assert parse_command(question) is None


def test_paths_are_found_as_terminals_drop_them(tmp_path: Path) -> None:
    folder = tmp_path / "a b'c"
    folder.mkdir()
    (folder / ".hidden").write_text("")
    (folder / "file.txt").write_text("")
    for text in (str(folder), f'"{folder}"', f"{tmp_path}/a\\ b\\'c", f"file://{tmp_path}/a%20b'c"):
        assert typed_path(text) == folder
    for text in ("", "nothing here", "x" * 10_000, "a\nb", "\x00", "'"):
        assert typed_path(text) is None
    assert complete_path(f"{folder}/") == [f"{folder}/file.txt"]
    assert complete_path(f"{folder}/.") == [f"{folder}/.hidden"]
    assert complete_path(f"{tmp_path}/a") == [f"{folder}/"]
    assert complete_path(f"{tmp_path}/none/") == []
    assert completions(f"/add {tmp_path}/a")[0].text == f"/add {folder}/"
    assert completions("a question") == completions("/new x") == []
    (folder / "small.gguf").write_text("")
    assert [c.text for c in completions(f"/model {folder}/")] == [f"/model {folder}/small.gguf"]
    assert completions(f"/model {tmp_path}/a")[0].text == f"/model {folder}/"
    assert completions("/model rea") == []


def test_letters_of_a_question_in_a_burst_are_no_commands_of_the_answer() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("tab")
        for key in "What":  # alone, `a` in an answer adds documents
            stage.app.post_message(events.Key(key, key))
        await stage.until(lambda: stage.ask_screen.prompt.text == "What")

    perform(act, size=(80, 24))


def test_keys_after_tab_in_a_burst_are_for_the_answer() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        for key in ("tab", "enter"):
            stage.app.post_message(events.Key(key, None))
        await stage.until(lambda: stage.ask_screen.pane.display)
        assert stage.app.focused is stage.turn

    perform(act, size=(80, 24))
