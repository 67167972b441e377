"""The evaluation runs: their list and figures, two runs compared, starting one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from rag.domain.runs import FigureChange, FigureValue, QuestionChange, RunComparison, RunListing
from rag.errors import Usage
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import ScriptedCommands, ScriptedRun
from tests.tui.stage import SIZES, Stage, perform
from tests.tui.test_tui_hostile import HOSTILE, harmless
from tui.commands import COMMANDS
from tui.screens.eval import EvalScreen
from tui.screens.run import ComparisonScreen, FiguresScreen, QuestionScreen

pytestmark = pytest.mark.slow

FIGURES = (
    FigureValue("overall.f1", 0.78, 0.66, 0.89, 39),
    FigureValue("citation.supported", None, None, None, 0),
)
NEW = RunListing("/runs/new.json", 1_794_499_200_000_000_000, 39, "/models/qwen.gguf", "handbook", FIGURES)  # fmt: skip
OLD = RunListing("/runs/old.json", 1_794_412_800_000_000_000, 39, "reader", "handbook", FIGURES)
OTHER = RunListing("/runs/other.json", 1_794_326_400_000_000_000, 12, "reader", "a corpus", ())
LOST = QuestionChange(
    "q17", "Which oil for the gearbox?", ("overall.f1 -1.00", "cites elsewhere: a -> b"),
    "SAE 80W-90 [1]", "not answered: no passage names it", ("SAE 80W-90",), ("gear-oil.md",),
)  # fmt: skip
FOUND = RunComparison(
    ("compared over the 39 questions that both runs asked",),
    (
        FigureChange("overall.f1", 0.90, 0.78, -0.2, -0.04, 39, "worse"),
        FigureChange("seconds.total.p50", 19.8, 21.4, None, None, 39, ""),
    ),
    (LOST,),
    (),
    (),
)


class ScriptedRuns:
    """Runs from memory."""

    folder = "/runs"

    def __init__(
        self, found: tuple[RunListing, ...] = (NEW, OLD, OTHER), compared: RunComparison = FOUND
    ) -> None:
        self.found, self.compared = found, compared
        self.calls: list[str] = []

    def runs(self, folder: str) -> tuple[RunListing, ...]:
        self.calls.append(f"list {folder}")
        return self.found

    def compare(self, old: str, new: str) -> RunComparison:
        self.calls.append(f"compare {old} {new}")
        if "other" in old:
            raise Usage("the two runs share no question", "compare runs over the same file")
        return self.compared


def play(
    act: Callable[[Stage, EvalScreen, ScriptedRuns], Awaitable[None]],
    runs: ScriptedRuns | None = None,
    size: tuple[int, int] = (120, 40),
    ascii_: bool = False,
) -> None:
    source = runs or ScriptedRuns()

    async def opened(stage: Stage) -> None:
        stage.app.runs = source
        stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press("f3")
        await stage.until(lambda: isinstance(stage.app.screen, EvalScreen))
        screen = stage.app.screen
        assert isinstance(screen, EvalScreen)
        await stage.until(lambda: source.calls and screen.found == source.found)
        await act(stage, screen, source)

    perform(opened, Scripted(), size, ascii_)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [False, True])
def test_runs_are_listed_with_figures_and_intervals(size: tuple[int, int], ascii_: bool) -> None:
    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.sees("EVAL")
        assert any("qwen" in row and "F1 0.78" in row for row in stage.lines)
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, FiguresScreen))
        await stage.sees("F1, all questions")
        dots = "..." if ascii_ else "…"
        assert any(f"0.66 {dots} 0.89" in row and "n 39" in row for row in stage.lines)
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is screen)

    play(act, None, size, ascii_)


@pytest.mark.parametrize("size", SIZES)
def test_two_runs_are_compared_and_a_question_is_opened_beside_itself(
    size: tuple[int, int],
) -> None:
    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("c")
        await stage.until(lambda: isinstance(stage.app.screen, ComparisonScreen))
        await stage.sees("1 worse")
        assert source.calls[-1] == "compare /runs/old.json /runs/new.json"
        assert any("-0.12" in row and "✗ worse" in row for row in stage.lines)
        if size[0] >= 80:
            assert any("-0.20 … -0.04" in row for row in stage.lines)
        await stage.sees("q17 Which oil for the gearbox?")
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, QuestionScreen))
        await stage.sees("SAE 80W-90")
        await stage.sees("right: SAE 80W-90")
        beside = [row for row in stage.lines if "BEFORE" in row and "NOW" in row]
        assert bool(beside) == (size[0] >= 80)
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, ComparisonScreen))
        await stage.press("home", "enter")
        assert isinstance(stage.app.screen, ComparisonScreen), "a figure opens nothing"

    play(act, None, size)


@pytest.mark.parametrize("size", SIZES)
def test_a_setting_that_one_run_alone_has_is_shown_whole(size: tuple[int, int]) -> None:
    path = "/shelf/of/models/" + "a-folder-with-a-long-name/" * 3 + "model.gguf"
    notes = (*FOUND.notes, f"config.embedder: None -> {path}", "version: 0.1 -> 0.2")

    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("c")
        await stage.sees("1 worse")
        shown = "".join("".join(stage.lines).split())
        assert "".join(f"setting embedder: before not set, now {path}".split()) in shown
        assert "version:0.1->0.2" in shown
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, QuestionScreen))

    play(act, ScriptedRuns(compared=replace(FOUND, notes=notes)), size)


def test_the_comparison_keeps_its_place_when_the_terminal_changes_its_size() -> None:
    notes = tuple(f"config.setting{n}: None -> {'word ' * 30}" for n in range(3))

    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("c")
        await stage.sees("1 worse")
        await stage.pilot.resize_terminal(60, 20)
        await stage.pilot.pause()
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, QuestionScreen))

    play(act, ScriptedRuns(compared=replace(FOUND, notes=notes)))


@pytest.mark.parametrize("size", SIZES)
def test_the_figure_at_the_cursor_is_explained(size: tuple[int, int]) -> None:
    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, FiguresScreen))
        await stage.until(lambda: "how many words answer and right answer" in flat(stage))
        await stage.press("down")
        await stage.until(lambda: "sentences that the check found supported" in flat(stage))

    play(act, None, size)


def flat(stage: Stage) -> str:
    return " ".join(stage.text.split())


def test_the_help_promises_enter_only_where_it_opens_something() -> None:
    command = next(command for command in COMMANDS if command.id == "run_choose")
    assert command.help.startswith("On a question: ")

    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, FiguresScreen))
        assert "enter" not in stage.lines[-1]

    play(act)


@pytest.mark.parametrize("size", SIZES)
def test_the_hint_of_a_failed_run_has_a_line_of_its_own(size: tuple[int, int]) -> None:
    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        fail_run(stage)
        await stage.sees("hint: free some space")  # it is painted after what failed
        rows = [line.rstrip() for line in stage.lines]
        assert any(row.endswith("questions.jsonl: the disk is full") for row in rows)
        assert "   hint: free some space, and run the same command again" in rows
        assert "12 of 39" not in stage.text

    play(act, None, size)


def fail_run(stage: Stage) -> None:
    """Let a run end with an error, as the command line prints it."""
    run = stage.app.commands.start("eval", "questions.jsonl", [])
    assert isinstance(run, ScriptedRun)
    run.lines += [
        "12 of 39 · 0:58 left",
        "footnote: the disk is full",
        "hint: free some space, and run the same command again",
    ]
    run.code = 1


def test_the_marked_run_is_the_one_before() -> None:
    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("end", "m", "home", "c")
        await stage.sees("the two runs share no question")
        assert source.calls[-1] == "compare /runs/other.json /runs/new.json"

    play(act)


def test_the_key_of_a_page_works_on_what_lies_over_another_page() -> None:
    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("c")
        await stage.until(lambda: isinstance(stage.app.screen, ComparisonScreen))
        await stage.press("f1")
        await stage.until(lambda: stage.app.page == "help")
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.screen, ComparisonScreen))
        await stage.press("f2")
        await stage.until(lambda: stage.app.page == "library")
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is stage.ask_screen)

    play(act)


def test_a_run_is_started_shows_its_progress_and_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text("")

    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.press("n", *"no such file", "enter")
        await stage.sees("there is no file no such file")
        screen.query_one(Input).value = f"{tmp_path}/quest"
        await stage.press("tab", "enter")
        run = stage.app.commands.runs["eval"]
        assert isinstance(run, ScriptedRun)
        expected = ["--model", "scripted", "eval", f"{tmp_path}/questions.jsonl"]
        assert list(run.arguments)[4:] == expected
        run.lines.append("12 of 39 · 0:58 left · Which bolts?")
        await stage.sees("12 of 39")
        await stage.press("escape", "f3")
        await stage.sees("12 of 39")
        await stage.press("x")
        await stage.sees("started again, it goes on")
        listed = source.calls.count("list /runs")
        assert run.stopped and listed >= 2

    play(act)


def test_another_folder_is_shown_and_an_empty_one_says_how_to_begin(tmp_path: Path) -> None:
    runs = ScriptedRuns(())

    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.sees("no run here yet")
        await stage.sees('"answerable": true')
        await stage.press("c", "m", "enter", "x")
        await stage.press("f", *str(tmp_path), "enter")
        await stage.until(lambda: source.calls[-1] == f"list {tmp_path}")

    play(act, runs)


@pytest.mark.parametrize("number", range(1, len(HOSTILE), 2))
def test_strangers_text_in_runs_is_text(number: int) -> None:
    hostile = HOSTILE[number]
    run = RunListing(
        f"/runs/{hostile}", 0, 3, hostile, hostile, (FigureValue(hostile, 1, 1, 1, 1),)
    )
    change = QuestionChange(
        hostile, hostile, (hostile,), hostile, f"{hostile}\n{hostile}", (hostile,), (hostile,)
    )
    figure = FigureChange(hostile, 0.0, 1.0, 0.5, 1.0, 3, "better")
    compared = RunComparison((hostile,), (figure,), (change,), (change,), ())

    async def act(stage: Stage, screen: EvalScreen, source: ScriptedRuns) -> None:
        await stage.still("EVAL", 1.0)
        harmless(stage.lines)
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, FiguresScreen))
        await stage.still("RUN", 1.0)
        harmless(stage.lines)
        await stage.press("escape", "c")
        await stage.sees("1 worse")
        harmless(stage.lines)
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.screen, QuestionScreen))
        await stage.still("QUESTION", 1.0)
        harmless(stage.lines)

    play(act, ScriptedRuns((run, OLD), compared), ((120, 40), (60, 20))[number % 4 // 2])
