"""The line mode: prompt, answers in words, commands; through a pipe and on a terminal."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pexpect
import pytest

from rag.bot import Bot
from rag.cli.line_mode import COMMANDS, LineMode
from rag.cli.line_output import answer_lines, reason_lines, source_lines
from rag.domain import Answer, Verdict
from rag.errors import EngineStopped, RagError
from rag.events import Event
from rag.phrases import VERDICT_PHRASES
from tests.cli.test_commands import FOOTNOTE, QUESTION, run
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.test_tui_hostile import HOSTILE, of
from tui.commands import COMMANDS as SCREEN_COMMANDS

pytestmark = pytest.mark.slow


class FakeBot(Scripted):
    """The scripted engine with the signature of `Bot.ask`."""

    def ask(
        self,
        question: str,
        conversation: str | None = None,
        refresh: bool = False,
        within: Sequence[str] = (),
        stop: Callable[[], bool] = lambda: False,
        save: bool = True,
    ) -> Iterator[Event]:
        for event in super().ask(question, conversation, refresh, within):
            if stop():
                self._stop.set()
            yield event


def told(lines: str, capsys: pytest.CaptureFixture[str], bot: FakeBot) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a session through a pipe."""
    raw = io.TextIOWrapper(io.BytesIO(lines.encode("utf-8", "surrogatepass")), encoding="utf-8")
    code = LineMode(cast(Bot, bot), typed=raw).run()
    out, err = capsys.readouterr()
    return code, out, err


def test_every_verdict_is_a_word_and_every_footnote_a_line() -> None:
    lines = list(answer_lines(script.EVERY, is_streamed=False))
    text = "\n".join(lines)
    for verdict in set(Verdict) - {Verdict.NEEDS_NONE, Verdict.COMPUTED, Verdict.LISTED}:
        assert VERDICT_PHRASES[verdict] in text
    assert '[1] supported: manuals/pump-manual.md:7: "The cover is fixed with six' in text
    assert lines[-1].startswith("Checked: 1 supported, 1 partly supported, 1 unsupported")
    assert not set(text) & set("✓✗⊘≠→❯")
    why = "\n".join(reason_lines(script.MIXED))
    assert "Sentence 3 of 4, contradicted, score 0.93" in why and "the source says: do not" in why


def test_an_abstention_and_a_stop_are_sentences() -> None:
    lines = list(answer_lines(script.ABSTAINED, is_streamed=False))
    assert lines[0] == "Not answered: no clear answer was found."
    assert lines[2].startswith("Near: [1] manuals/pump-manual.md:7")
    stopped = replace(script.MIXED, stopped=True, within=("a.md",), asked="in full?")
    lines = list(answer_lines(stopped, is_streamed=True))
    assert lines[:3] == [
        "looked only in a.md",
        "looked up: in full?",
        "Stopped by you; what was written is checked.",
    ]


def test_questions_and_commands_of_a_pipe(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bot = FakeBot()
    path = tmp_path / "some docs"
    path.mkdir()
    typed = (
        f"Which bolts?\n\n/sources\n/open 2\n/open x\n/why\n/again\n/add {path}\n/help\n/quit\nno\n"
    )
    code, out, err = told(typed, capsys, bot)
    assert [question for question, _ in bot.asked] == ["Which bolts?", "Which bolts?"]
    assert bot.added == [str(path)] and "3 documents added" in out and "3 of 3 files" in err
    assert out.startswith("\nfootnote> Which bolts?\nThe cover is held by six M8×25 bolts [1].")
    assert 'The answer rests on: "Do not use thread lock' in out
    assert "Error: /open takes the number of a source. hint: /open 1" in out and code == 1
    assert all(f"/{name}" in out for name in COMMANDS) and "\x1b" not in out + err
    assert "\r" not in out + err


def test_each_conversation_goes_on_until_a_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    bot = FakeBot()
    code, out, _ = told("one\ntwo\n/new\n/why\nthree\n", capsys, bot)
    assert [conversation for _, conversation in bot.asked] == [
        "conversation-1",
        "conversation-1",
        "conversation-2",
    ]
    assert "there is no answer yet" in out and code == 1


def test_the_model_is_changed_and_a_failure_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    bot = FakeBot({"break": EngineStopped("it broke", "ask again"), "": script.SUPPORTED})
    typed = "/model\n/model other\n/model nobody\nbreak\nWhich?\n/nonsense\n"
    code, out, _ = told(typed, capsys, bot)
    assert "scripted answers." in out and "other answers from the next question on." in out
    assert "Error: there is no model 'nobody'" in out and "Error: it broke. hint: ask again" in out
    assert "2 supported" in out and "/nonsense is no command" in out and code == 1


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_is_read_out_and_does_nothing(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile, scripted = HOSTILE[number], of(HOSTILE[number])
    bot = FakeBot(scripted.answers, scripted.texts)
    line = hostile.replace("\n", " ")
    typed = f"answer {line}\n/why\n/open 1\n/sources\nrefuse\nbreak\n/{line}\n/open {line}\n"
    _, out, err = told(typed, capsys, bot)
    for char in (out + err).replace("\n", ""):
        category = unicodedata.category(char)
        assert category not in ("Cc", "Cs", "Co", "Cn"), repr(char)
        assert category != "Cf" or char == "\u200d", repr(char)


def test_a_line_that_is_too_long_is_refused_whole(capsys: pytest.CaptureFixture[str]) -> None:
    bot = FakeBot()
    code, out, _ = told("x" * 200_000 + "\nWhich?\n", capsys, bot)
    assert code in (0, 1) and bot.asked[-1][0] == "Which?" and len(bot.asked) <= 2
    assert len(out) < 60_000


def test_the_commands_of_the_chat_have_the_same_names() -> None:
    of_the_screen = {command.id for command in SCREEN_COMMANDS if command.in_palette}
    assert set(COMMANDS) - of_the_screen == {"why"}


def test_a_source_that_is_not_there() -> None:
    assert list(source_lines(script.MIXED, 9)) == ["There is no source 9; there are 3."]
    answer: Answer = replace(script.MIXED, passages=())
    assert list(source_lines(answer, 1)) == ["There is no source 1; there are 0."]


def test_ctrl_c_stops_the_answer_and_the_session_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bot = FakeBot(pause=0.05)

    def interrupt() -> None:
        end = time.monotonic() + 20
        while not bot.asked and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    code, out, _ = told("Which bolts?\n/why\n", capsys, bot)
    assert code == 0 and "Stopped by you" in out and "\nfootnote> /why\n" in out


def test_the_options_that_do_not_go_with_it(seeded: Path) -> None:
    done = run(seeded, "ask", "-i", "--json")
    assert done.returncode == 2 and "-i goes with" in done.stderr


def test_on_a_terminal_it_prompts_answers_and_ends(seeded: Path) -> None:
    around: dict[str, Any] = {**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    child = pexpect.spawn(
        FOOTNOTE,
        ["--home", str(seeded), "ask", "-i"],
        env=around,
        timeout=120,
        dimensions=(24, 200),
    )
    child.expect_exact("footnote> ")
    child.send(f"{QUESTION}\r")
    child.expect_exact("[1] supported: seeds/000_bac51fb96c89603d.txt:36")
    child.expect_exact("footnote> ")
    for _ in range(5):  # one that comes while readline begins to wait is seen with the next key
        child.send("\x03")
        if child.expect_exact(["ctrl+d or /quit ends", pexpect.TIMEOUT], timeout=10) == 0:
            break
    else:
        raise AssertionError("ctrl+c is not heard")
    child.expect_exact("footnote> ")
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_an_error_of_the_library_is_an_error_of_the_session(
    capsys: pytest.CaptureFixture[str],
) -> None:
    errors: dict[str, Answer | RagError] = {"": RagError("x \x1b[2J [1] y", "z")}
    code, out, _ = told("Why?\n", capsys, FakeBot(errors))
    assert code == 1 and "\x1b" not in out and "Error: x ␛[2J ⟦1⟧ y" in out
