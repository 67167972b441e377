"""Keys, clipboard, editor, signs, and what the screen may import."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Static

from rag import phrases
from rag.domain import Answer, Verdict
from rag.errors import RagError
from rag.export.markdown import answer_markdown
from rag.phrases import VERDICT_PHRASES
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.snapshots import FOLDER as SNAPSHOTS
from tests.tui.stage import SIZES, Stage, perform
from tui.app import FootnoteApp
from tui.command import FOCUS_CHAINS, PLACES, UNUSABLE_KEYS
from tui.commands import COMMANDS, bindings
from tui.render import clipboard, figure_words
from tui.render.export import plain, sentence
from tui.render.glyphs import ASCII, UNICODE, Glyphs, choose_glyphs
from tui.render.marks import mark_answer
from tui.screens.ask import AskScreen
from tui.screens.help import HelpScreen
from tui.widgets import editor
from tui.widgets.bars import KeyBar
from tui.widgets.find_bar import FindBar
from tui.widgets.prompt import Prompt
from tui.widgets.source_pane import SourceScroll
from tui.widgets.text_view import TextView

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("place", FOCUS_CHAINS)
def test_no_key_means_two_things_in_one_place(place: str) -> None:
    keys = [
        key
        for c in COMMANDS
        if c.place in FOCUS_CHAINS[place] and c.keys
        for key in c.keys.split(",")
    ]
    assert len(keys) == len(set(keys)), sorted(k for k in keys if keys.count(k) > 1)


def test_no_key_that_terminals_or_multiplexers_take_is_bound() -> None:
    keys = {key for c in COMMANDS for key in c.keys.split(",")}
    assert not keys & (
        UNUSABLE_KEYS | {"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+b", "ctrl+a", "alt+enter"}
    )
    assert not any(key.startswith("alt+") for key in keys)
    own = {
        b.key
        for cls in (FootnoteApp, AskScreen, Prompt, HelpScreen)
        for b in cls.BINDINGS
        if isinstance(b, Binding)
    }
    assert not own & UNUSABLE_KEYS


def test_every_command_has_an_action_where_it_is_bound() -> None:
    from tui.screens.check import CheckScreen
    from tui.screens.document import DocumentScreen
    from tui.screens.eval import EvalScreen
    from tui.screens.history import HistoryScreen
    from tui.screens.library import LibraryScreen
    from tui.screens.models import ModelsScreen
    from tui.screens.run import ComparisonScreen
    from tui.widgets.exchange import Exchange

    owners: dict[str, Any] = {"app": FootnoteApp, "screen": AskScreen}
    places: dict[str, Any] = {
        "prompt": Prompt,
        "answer": Exchange,
        "check": CheckScreen,
        "find": FindBar,
        "history": HistoryScreen,
        "library": LibraryScreen,
        "reading": DocumentScreen,
        "models": ModelsScreen,
        "eval": EvalScreen,
        "run": ComparisonScreen,
    }
    pages = {"library", "reading", "models", "eval", "run"}
    for command in COMMANDS:
        space, _, name = command.action.rpartition(".")
        is_of_page = command.place in pages and space == "screen"
        owner = owners[space] if space and not is_of_page else places[command.place]
        assert hasattr(owner, "action_" + name.partition("(")[0]), command.id
        assert command.place in PLACES and command.help and command.label
    assert len({c.id for c in COMMANDS}) == len(COMMANDS)
    assert len(bindings("answer")) > 15


def test_help_and_palette_show_the_table() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("f1")
        await stage.until(lambda: isinstance(stage.app.screen, HelpScreen))
        shown = " ".join(str(stage.app.screen.query_one("#help-text", Static).render()).split())
        for command in COMMANDS:
            if command.keys:
                assert command.help in shown
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.ask_screen)
        await stage.press("ctrl+p")
        await stage.until(lambda: "palette" in type(stage.app.screen).__name__.lower())
        await stage.press(*"new conv")
        await stage.sees("Begin a new conversation")
        await stage.pilot.pause(0.3)
        await stage.press("enter")
        await stage.until(
            lambda: stage.app.screen is stage.ask_screen and not stage.ask_screen.talk.turns
        )

    perform(act)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_footer_fits_and_each_hint_is_a_click(width: int) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        assert stage.lines[-1].rstrip().endswith("^P commands")
        for place in ("prompt", "answer", "source", "check"):
            bar = stage.ask_screen.query_one(KeyBar)
            bar.place = place
            assert bar.render().cell_length <= bar.size.width
        bar.place = "prompt"
        bar.refresh()
        await stage.pilot.pause()
        x = stage.lines[-1].index("^O sources") - 1
        await stage.pilot.click(KeyBar, offset=(x + 4, 0))
        await stage.until(lambda: stage.ask_screen.pane.display != (width >= 112))

    perform(act, size=(width, 24))


@pytest.mark.parametrize("page", ["", "history", "library", "eval", "models"])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_key_that_quits_is_in_every_footer(width: int, page: str) -> None:
    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        if page == "history":
            await stage.press("ctrl+r")
        elif page:
            stage.app.action_page(page)
        await stage.until(lambda: page.upper() in stage.text.split("\n")[0])
        await stage.until(lambda: stage.text.rstrip().endswith("^Q quit  ^P commands"))

    perform(act, size=(width, 20))


#: Words of the craft that an office person does not know.
_JARGON = re.compile(
    r"\b(chunks?|bm25|logits?|index\w*|embed\w*|vectors?|tokens?|boilerplate|furniture|bootstrap|"
    r"context|retriev\w+|p-value|gold)\b",
    re.I,
)


def test_help_and_phrases_use_no_words_of_the_craft() -> None:
    ours = [command.help for command in COMMANDS] + [command.label for command in COMMANDS]
    ours += [*VERDICT_PHRASES.values(), *phrases.ABSTENTION_PHRASES.values()]
    ours += [*phrases.FILE_PHRASES.values(), *phrases.FILE_STATE_PHRASES.values()]
    ours += [*figure_words.WORDS.values(), *map(figure_words.meaning_of, figure_words.WORDS)]
    assert [words for words in ours if _JARGON.search(words)] == []
    assert all(map(figure_words.meaning_of, figure_words.WORDS))


def test_no_screen_uses_words_of_the_craft() -> None:
    shown = {path.stem: path.read_text(encoding="utf-8") for path in SNAPSHOTS.iterdir()}
    assert {name: words for name, text in shown.items() if (words := _JARGON.findall(text))} == {}


def test_earlier_questions_come_back_and_the_draft_is_kept() -> None:
    engine = Scripted(earlier=("older", "oldest"))

    async def act(stage: Stage) -> None:
        prompt = stage.ask_screen.prompt
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press(*"draft", "up")
        assert prompt.text == "older"
        await stage.press("up")
        assert prompt.text == "oldest"
        await stage.press("up")
        assert prompt.text == "oldest"
        await stage.press("down", "down")
        assert prompt.text == "draft"
        await stage.press("ctrl+j", *"two")
        assert prompt.text == "draft\ntwo" and engine.asked == []
        await stage.press("up")
        assert prompt.text == "draft\ntwo", "inside the question, up moves the cursor"

    perform(act, engine)


def test_typing_in_an_answer_goes_to_the_prompt() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("tab", "W")
        await stage.until(lambda: stage.ask_screen.prompt.text == "W")
        assert stage.app.focused is stage.ask_screen.prompt

    perform(act)


def test_letters_without_a_command_go_from_a_source_to_the_prompt() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("tab", "enter")
        await stage.until(lambda: isinstance(stage.app.focused, SourceScroll))
        await stage.press(*"Who")
        await stage.until(lambda: stage.ask_screen.prompt.text == "Who")
        assert stage.app.focused is stage.ask_screen.prompt

    perform(act)


def test_the_prompt_says_how_to_get_back_to_it() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("tab")
        await stage.sees("esc, then type a question")
        await stage.press("escape")
        await stage.sees("Ask your documents…")

    perform(act)


def test_ctrl_c_stops_then_warns_then_quits() -> None:
    engine = Scripted(pause=0.05)

    async def act(stage: Stage) -> None:
        await stage.ask("slow", until=None)
        await stage.sees("writing")
        await stage.press("ctrl+c")
        await stage.sees("stopped by you")
        await stage.press("ctrl+c")
        await stage.sees("ctrl+c again quits")
        assert stage.app.is_running
        await stage.press("ctrl+c")
        await stage.until(lambda: engine.closed)

    perform(act, engine)


def test_ctrl_c_copies_what_is_selected_and_says_what_became_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[str] = []

    class Kept(FootnoteApp):
        def _keep(self, sequence: str) -> None:
            kept.append(base64.b64decode(sequence.split(";")[2].rstrip("\x07")).decode())

    async def act(stage: Stage) -> None:
        await stage.press(*"abc", "shift+left", "ctrl+c")
        await stage.until(lambda: kept == ["c"])
        await stage.sees("offered to the terminal")
        await stage.ask("Which bolts?")
        await stage.press("tab", "c")
        await stage.until(lambda: len(kept) == 2)
        assert kept[1].startswith(
            "The cover is held by six M8×25 bolts. (supported)\n“The cover is fixed"
        )

    monkeypatch.setenv("SSH_TTY", "/dev/null")
    monkeypatch.delenv("TMUX", raising=False)
    perform(act, kind=Kept)


def test_a_selection_is_the_text_as_written_not_as_wrapped() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        sheet = stage.turn.query_one(".text", TextView)
        assert len(sheet.rows()) > 2
        whole = sheet.get_selection(Selection(None, None))
        assert whole is not None and whole[0] == sheet.text and "\n" not in whole[0]
        part = sheet.get_selection(
            Selection(Offset(TextView.GUTTER + 4, 0), Offset(TextView.GUTTER + 5, 1))
        )
        row = sheet.rows()[1]
        assert part is not None and part[0] == sheet.text[4 : row.start + 5]

    perform(act, size=(60, 20))


def test_quitting_closes_the_engine() -> None:
    engine = Scripted(pause=0.2)

    async def act(stage: Stage) -> None:
        await stage.ask("slow", until=None)
        await stage.press("ctrl+q")
        await stage.until(lambda: engine.closed)

    assert perform(act, engine).return_code == 0


def test_a_copy_says_each_thing_once_and_lists_only_cited_sources() -> None:
    text = answer_markdown(replace(script.MIXED, passages=(*script.PASSAGES, script.P4)))
    assert text.split("\n\n") == [
        "**Which bolts hold the pump cover, and to what torque?**",
        "The cover is held by six M8×25 bolts [^1]. Tighten them in a cross pattern to 22 Nm "
        "[^2][^3]. Put thread lock on the two lower bolts [^4] *(contradicted)*. "
        "Work from the centre outwards *(without a source)*.",
        "*Checked: 2 supported, 1 contradicted, 1 without a source.*",
        "[^1]: “The cover is fixed with six bolts M8×25.” Pump manual (manuals/pump-manual.md), "
        "line 7\n"
        "[^2]: Pump manual (manuals/pump-manual.md), line 7 (no words of it support the sentence)\n"
        "[^3]: “M8 cover 22 Nm, in a cross pattern” Torque table (manuals/torque-table.csv), "
        "line 4\n"
        "[^4]: “Do not use thread lock on any bolt of the cover” Pump manual "
        "(manuals/pump-manual.md), line 9\n",
    ]
    assert "*(no such source: 9)*" in answer_markdown(script.EVERY)
    assert "*NOT ANSWERED: no clear answer was found.*" in answer_markdown(script.ABSTAINED)
    assert plain(script.MIXED) == script.MIXED.text + "\n"
    assert sentence(script.MIXED.claims[2]).splitlines() == [
        "Put thread lock on the two lower bolts. (contradicted)",
        "“Do not use thread lock on any bolt of the cover” (manuals/pump-manual.md, line 9)",
    ]


def program(folder: Path, name: str, code: int = 0) -> Path:
    """A program that keeps its arguments and input, and ends with `code`."""
    kept = folder / f"{name}.kept"
    tool = folder / name
    tool.write_text(f'#!/bin/sh\n(echo "$@"; cat) > {kept}\nexit {code}\n')
    tool.chmod(0o755)
    return kept


def test_over_ssh_a_copy_is_offered_to_the_terminal_and_a_long_one_is_a_file() -> None:
    sent: list[str] = []
    words = clipboard.copy_to_clipboard("hi \x1b[2J", sent.append, {"SSH_TTY": "x"})
    assert words == "offered to the terminal, which does not say whether it took it"
    assert sent[0].startswith("\x1b]52;c;") and sent[0].endswith("\x07")
    inner = sent[0].split(";")[2].rstrip("\x07")
    assert base64.b64decode(inner).decode() == "hi ␛[2J"
    words = clipboard.copy_to_clipboard("x" * 200_000, sent.append, {"SSH_TTY": "x"})
    path = words.rsplit(" ", 1)[1]
    assert len(sent) == 1 and os.path.getsize(path) == 200_000
    os.unlink(path)


@pytest.mark.parametrize("is_old", [False, True])
def test_tmux_gets_the_copy_by_its_own_command_or_plain(tmp_path: Path, is_old: bool) -> None:
    sent: list[str] = []
    kept = program(tmp_path, "tmux", code=int(is_old))
    around = {"TMUX": "t", "SSH_TTY": "x", "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    words = clipboard.copy_to_clipboard("hello", sent.append, around)
    assert kept.read_text() == "load-buffer -w -\nhello"
    if is_old:
        assert "does not say" in words and sent[0].startswith("\x1b]52;c;"), "not a passthrough"
    else:
        assert words == "copied to the buffer of tmux, and offered to the terminal" and not sent


def test_on_a_local_desktop_its_own_program_copies_and_says_so(tmp_path: Path) -> None:
    sent: list[str] = []
    kept = program(tmp_path, "wl-copy")
    around = {"WAYLAND_DISPLAY": "w", "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    assert clipboard.copy_to_clipboard("local", sent.append, around) == "copied"
    assert kept.read_text() == "\nlocal" and not sent


def test_the_editor_opens_at_the_line_or_says_why_not(tmp_path: Path) -> None:
    file = tmp_path / "-x.md"
    file.write_text("a\nb\n")
    around = {"EDITOR": "vi -n", "PATH": os.environ["PATH"]}
    got = editor.editor_command(str(file), 2, {**around, "EDITOR": "cat -n"})
    assert got == ["cat", "-n", "+2", str(file)]
    assert "not a file" in editor.editor_command(str(tmp_path / "gone"), 1, around)
    assert "not on this computer" in editor.editor_command(
        str(file), 1, {**around, "EDITOR": "no-such-editor"}
    )
    bound = tmp_path / "a.pdf"
    bound.write_text("")
    assert "not a text file" in editor.editor_command(str(bound), 1, around)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_each_verdict_is_told_without_colour(glyphs: Glyphs) -> None:
    shown = mark_answer(script.EVERY, glyphs).text
    wrong = glyphs.wrong
    for piece in (
        f"[1]{glyphs.supported}.",
        "[2]~.",
        f"brass [1]{wrong}.",
        f"lower bolts [2]{wrong}.",
        "outwards [?].",
        "[9]!.",
    ):
        assert piece in shown

    async def act(stage: Stage) -> None:
        await stage.ask("Every?", until="see the check")
        for verdict in set(Verdict) - {Verdict.NEEDS_NONE, Verdict.COMPUTED, Verdict.LISTED}:
            await stage.sees(f"{glyphs.of(verdict)} 1 {VERDICT_PHRASES[verdict]}")
        await stage.ask("How many kinds?", until="= 1 computed")
        await stage.ask("How many documents?", until="* 1 from the list")
        if glyphs.ascii:
            own = "\n".join(stage.lines)
            assert own.replace("×", "x").isascii(), sorted(c for c in own if not c.isascii())

    os.environ["NO_COLOR"] = "1"
    try:
        answers: dict[str, Answer | RagError] = {
            "Every?": script.EVERY,
            "How many kinds?": script.COMPUTED,
            "How many documents?": script.FROM_LIST,
        }
        perform(act, Scripted(answers), ascii_=glyphs.ascii)
    finally:
        del os.environ["NO_COLOR"]


def test_ascii_is_chosen_by_the_variable_and_an_empty_no_color_is_unset() -> None:
    assert choose_glyphs({"FOOTNOTE_ASCII": "1"}) is ASCII
    assert choose_glyphs({"FOOTNOTE_ASCII": "0"}) is UNICODE
    os.environ["NO_COLOR"] = ""
    assert FootnoteApp(Scripted()).no_color is False
    assert "NO_COLOR" not in os.environ


@pytest.mark.parametrize("size", SIZES)
def test_the_first_screen_is_the_ask_screen_in_its_final_shape(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        fresh = stage.app.get_default_screen()
        assert fresh.classes >= {"-narrow", "-normal", "-wide"} & stage.ask_screen.classes
        assert fresh.classes >= {"-flat", "-short", "-tall"} & stage.ask_screen.classes
        assert stage.app.screen_stack == [stage.ask_screen]

    perform(act, size=size)


def test_the_screen_imports_no_machine() -> None:
    code = (
        "import sys, tui.app\n"
        "heavy = {'torch', 'numpy', 'chromadb', 'llama_cpp', 'sentence_transformers',"
        " 'transformers'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_imports_point_down() -> None:
    import ast

    allowed = {
        "rag.bot",
        "rag.engine",
        "rag.domain",
        "rag.domain.runs",
        "rag.events",
        "rag.errors",
        "rag.config",
        "rag.limits",
        "rag.phrases",
        "rag.protocols",
        "rag.process",
        "rag.serialize",
        "rag.export.bundle",
        "rag.export.conversation",
        "rag.export.markdown",
        "rag.text.document_names",
        "rag.text.foreign_marks",
        "rag.text.markdown",
        "rag.text.sanitize",
        "rag.text.units",
    }
    for path in (Path(__file__).parents[2] / "tui").glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rag":
                assert node.module in allowed, f"{path.name}: {node.module}"
