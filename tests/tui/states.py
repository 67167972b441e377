"""The states of the screen that snapshots are taken of: how each is reached, and what it must say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from textual.widgets import Input

from rag.domain import Answer, FileState, Status, Verdict
from rag.errors import EngineStopped, LibraryMissing, RagError
from rag.events import Answered, Checked, Event, Reading, Token
from tests.tui import scripted as script
from tests.tui import test_tui_eval as runs
from tests.tui import test_tui_history as history
from tests.tui import test_tui_library as library
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import MODELS, ScriptedCommands, ScriptedRun
from tests.tui.stage import Stage
from tui.screens.confirm import ConfirmDialog
from tui.screens.document import DocumentScreen
from tui.screens.eval import EvalScreen
from tui.screens.export import ExportScreen
from tui.screens.help import HelpScreen
from tui.screens.library import LibraryScreen
from tui.screens.models import ModelsScreen
from tui.screens.run import ComparisonScreen, FiguresScreen, QuestionScreen

Act = Callable[[Stage], Awaitable[None]]

#: an answer whose sentences are checked, one of them by a computation, one from the list
HELD = script.answer("How many?", [script.GOOD_1, script.COUNTED, script.LISTED])
MISSING = LibraryMissing("There is no library yet.", "footnote add FOLDER")
FETCHING = "other-3b: 41 of 3,000 MB · 6.1 MB a second · 8:05 left"
BROKEN = EngineStopped(
    "the engine stopped (out of memory, needed 3.9 GB of 3.1 GB)", "footnote models use reader"
)


@dataclass
class Halting(Scripted):
    """Plays its answer up to the `count`-th event of `kind`, and waits there for a stop."""

    kind: type[Event] = Token
    count: int = 1

    def _play(self, whole: Answer) -> Iterator[Event]:
        left = self.count
        for event in super()._play(whole):
            yield event
            left -= isinstance(event, self.kind)
            if not left and not isinstance(event, Answered):
                left = -1
                while not (self._stop.is_set() or self._end.is_set()):
                    self._wait(0.05)


class HaltingIngest(Scripted):
    """Adds two files of many, and waits there for a stop."""

    def add(self, paths: Sequence[str]) -> Iterator[Event]:
        events = super().add(paths)
        yield from islice(events, 3)
        while not (self._stop.is_set() or self._end.is_set()):
            self._wait(0.05)


@dataclass(frozen=True)
class State:
    """A state: its engine, the way to it, and the words and verdicts that must be on the screen."""

    name: str
    act: Act
    says: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    engine: Callable[[], Scripted] = Scripted
    #: whether something goes on in the state, which therefore is not waited for
    goes_on: bool = field(default=False)


def _engine(answer: Answer | RagError) -> Callable[[], Scripted]:
    return lambda: Scripted({"": answer})


async def _up(stage: Stage) -> None:
    await stage.until(lambda: stage.ask_screen.questions.up)


async def _starting(stage: Stage) -> None:
    await stage.sees("The engine is starting")


async def _first_run(stage: Stage) -> None:
    await _up(stage)
    await stage.sees("/pull")


async def _pulling(stage: Stage) -> None:
    stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
    await _first_run(stage)
    await stage.ask("Which bolts hold the cover?", until=None)
    stage.ask_screen.action_pull()
    await stage.until(lambda: stage.app.commands.runs)
    run = stage.app.commands.runs["fetch"]
    assert isinstance(run, ScriptedRun)
    run.lines.append(FETCHING)


async def _welcome(stage: Stage) -> None:
    await _up(stage)


async def _waiting_for_documents(stage: Stage) -> None:
    await stage.ask("Which bolts hold the cover?", until=None)


async def _adding(stage: Stage) -> None:
    await _waiting_for_documents(stage)
    stage.ask_screen.add("/shelf/manuals")
    await stage.until(lambda: stage.ask_screen.ingest.done == 2)


async def _adding_first(stage: Stage) -> None:
    await _up(stage)
    stage.ask_screen.add("/shelf/manuals")
    await stage.until(lambda: stage.ask_screen.ingest.done == 2)


async def _added(stage: Stage) -> None:
    await _up(stage)
    stage.ask_screen.add("/shelf/manuals")
    await stage.until(lambda: stage.ask_screen.ingest.result)


async def _asked(stage: Stage) -> None:
    await stage.ask("Which bolts hold the pump cover, and to what torque?", "see the check")


async def _abstained(stage: Stage) -> None:
    await stage.ask("What is the warranty?", until="abstained")


async def _refusal(stage: Stage) -> None:
    await _abstained(stage)
    await stage.press("tab", "v")
    await stage.sees("esc back")


async def _running(stage: Stage) -> None:
    await stage.ask("Which bolts hold the pump cover, and to what torque?", until=None)


async def _phase(stage: Stage, words: str) -> None:
    await _running(stage)
    await stage.sees(words)


async def _reading(stage: Stage) -> None:
    await _phase(stage, "reading 3 passages")


async def _writing(stage: Stage) -> None:
    await _phase(stage, "writing")


async def _checking(stage: Stage) -> None:
    await _phase(stage, "checking 2 of 4")


async def _queued(stage: Stage) -> None:
    await _writing(stage)
    await stage.ask("And the gasket?", until=None)


async def _stopped(stage: Stage) -> None:
    await _writing(stage)
    await stage.press("escape")
    await stage.sees("stopped by you")


async def _failed(stage: Stage) -> None:
    await stage.ask("Which bolts hold the cover?", until="NOT ANSWERED")


async def _source(stage: Stage) -> None:
    await _asked(stage)
    stage.turn.focus()
    stage.turn.go(stage.turn.cursor.sentence(2), opened=True)
    await stage.until(lambda: stage.ask_screen.pane.display)
    await stage.sees("gasket swells")


async def _check(stage: Stage) -> None:
    await _asked(stage)
    stage.ask_screen.action_check()
    await stage.sees("esc back")


async def _find(stage: Stage) -> None:
    await _asked(stage)
    stage.ask_screen.action_find("bolts")
    await stage.sees("find:")
    await stage.sees("1 of ")


async def _completions(stage: Stage) -> None:
    await _up(stage)
    stage.ask_screen.prompt.insert("/")
    await stage.sees("Add a folder or a file")


async def _palette(stage: Stage) -> None:
    await _up(stage)
    await stage.press("ctrl+p")
    await stage.until(lambda: stage.app.screen.query(Input))
    await stage.press(*"new conv")
    await stage.sees("Begin a new conversation")


async def _page(stage: Stage, name: str, kind: type) -> None:
    await _up(stage)
    stage.app.runs = runs.ScriptedRuns()
    stage.app.commands = ScriptedCommands(Path("/home"), "handbook")
    stage.app.action_page(name)
    await stage.until(lambda: isinstance(stage.app.screen, kind) and stage.app.screen.is_mounted)


async def _help(stage: Stage) -> None:
    await _page(stage, "help", HelpScreen)


async def _help_end(stage: Stage) -> None:
    await _help(stage)
    body = stage.app.screen.query_one("#help-body")
    await stage.until(lambda: body.max_scroll_y > 0)
    await stage.still("Anywhere")  # the text is laid out again beside its scroll bar
    body.scroll_end(animate=False, immediate=True)
    await stage.until(lambda: body.scroll_y == body.max_scroll_y)


async def _library(stage: Stage) -> None:
    await _page(stage, "library", LibraryScreen)
    await stage.sees("parts.xyz")


async def _library_failed(stage: Stage) -> None:
    await _library(stage)
    await stage.press("s", "home")
    await stage.sees("save it as .csv")
    stage.app.clear_notifications()


async def _watched(stage: Stage) -> None:
    await _library(stage)
    await stage.press("down", "w")
    await stage.sees("/manuals is watched")
    stage.app.clear_notifications()


async def _library_filter(stage: Stage) -> None:
    await _library(stage)
    await stage.press("slash", *"pump")


async def _library_removing(stage: Stage) -> None:
    await _library(stage)
    await stage.press("delete")
    await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))


async def _document(stage: Stage) -> None:
    await _library(stage)
    screen = stage.app.screen
    assert isinstance(screen, LibraryScreen)
    at = [entry.source for entry in screen.shown].index("manuals/prices.md")
    screen.lines.move_to(at)
    screen.action_choose()
    await stage.until(lambda: isinstance(stage.app.screen, DocumentScreen))
    await stage.sees("Hammer")


async def _models(stage: Stage) -> None:
    await _page(stage, "models", ModelsScreen)
    await stage.sees("small-1b")


async def _fetching(stage: Stage) -> None:
    await _models(stage)
    await stage.press("down", "down", "p")
    run = stage.app.commands.runs["fetch"]
    assert isinstance(run, ScriptedRun)
    run.lines.append(FETCHING)
    await stage.sees("41 of 3,000 MB")


async def _eval(stage: Stage) -> None:
    await _page(stage, "eval", EvalScreen)
    await stage.sees("qwen")


async def _run_failed(stage: Stage) -> None:
    await _eval(stage)
    runs.fail_run(stage)
    await stage.sees("run the same command again")


async def _figures(stage: Stage) -> None:
    await _eval(stage)
    await stage.press("enter")
    await stage.until(lambda: isinstance(stage.app.screen, FiguresScreen))


async def _comparison(stage: Stage) -> None:
    await _eval(stage)
    await stage.press("c")
    await stage.until(lambda: isinstance(stage.app.screen, ComparisonScreen))
    await stage.sees("1 worse")


async def _beside(stage: Stage) -> None:
    await _comparison(stage)
    await stage.press("enter")
    await stage.until(lambda: isinstance(stage.app.screen, QuestionScreen))


async def _history(stage: Stage) -> None:
    await history.open_history(stage)
    await stage.sees("Put thread lock")


async def _deleting(stage: Stage) -> None:
    await _history(stage)
    await stage.press("delete")
    await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))


async def _reopened(stage: Stage) -> None:
    await history.open_history(stage)
    await stage.press("enter")
    await stage.until(lambda: stage.ask_screen.talk.newest is not None)
    await stage.sees("see the check")


async def _export(stage: Stage) -> None:
    await _asked(stage)
    stage.ask_screen.action_export()
    await stage.until(lambda: isinstance(stage.app.screen, ExportScreen))
    await stage.until(lambda: stage.app.screen.query(Input))


def _changed() -> Scripted:
    states = {script.MANUAL.source: FileState.CHANGED, script.TABLE.source: FileState.GONE}
    return history.engine(states=states)


MIXED = (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.UNCITED)
ALL = tuple(v for v in Verdict if v not in (Verdict.NEEDS_NONE, Verdict.COMPUTED, Verdict.LISTED))
NO_DOCUMENTS = Status("handbook", 0, 0, "reader")
RELATED = replace(script.ABSTAINED, question="What is the warranty?")

STATES: tuple[State, ...] = (
    State(
        "starting",
        _starting,
        ("The engine is starting", "starting"),
        engine=lambda: Scripted(hold=60),
        goes_on=True,
    ),
    State("welcome", _welcome, ("48 documents", "ready", "the source says so")),
    State(
        "no-library",
        _welcome,
        ("There is no library yet", "/add PATH"),
        (),
        lambda: Scripted(told=MISSING),
    ),
    State(
        "first-run",
        _first_run,
        ("There are no documents yet", "/add PATH", "/demo", "/pull", "other-3b", "needs 4.0 GB"),
        engine=lambda: Scripted(told=NO_DOCUMENTS, all_models=MODELS),
    ),
    State(
        "pulling",
        _pulling,
        ("waiting for documents", "41 of 3,000 MB"),
        engine=lambda: Scripted(told=NO_DOCUMENTS, all_models=MODELS),
        goes_on=True,
    ),
    State(
        "no-documents",
        _waiting_for_documents,
        ("waiting for documents",),
        engine=lambda: Scripted(told=NO_DOCUMENTS),
    ),
    State(
        "adding",
        _adding,
        ("adding manuals: 2 of 5 files", "esc to stop", "waiting until the documents are added"),
        engine=lambda: HaltingIngest(told=NO_DOCUMENTS, files=5),
        goes_on=True,
    ),
    State(
        "adding-first",
        _adding_first,
        ("The first documents are being added: 2 of 5 files", "/pull"),
        engine=lambda: HaltingIngest(told=NO_DOCUMENTS, files=5, all_models=MODELS),
        goes_on=True,
    ),
    State("added", _added, ("3 documents added",)),
    State(
        "not-started",
        _welcome,
        ("The engine did not start", "the engine stopped"),
        (),
        lambda: Scripted(told=BROKEN),
    ),
    State("answer", _asked, ("see the check",), MIXED),
    State("every-verdict", _asked, (), ALL, _engine(script.EVERY)),
    State(
        "all-supported",
        _asked,
        ("all 2 sentences supported",),
        (Verdict.SUPPORTED,),
        _engine(script.SUPPORTED),
    ),
    State(
        "none-supported",
        _asked,
        ("do not rely on this",),
        (Verdict.UNSUPPORTED, Verdict.CONTRADICTED),
        _engine(script.UNSUPPORTED),
    ),
    State(
        "computed-and-listed",
        _asked,
        (),
        (Verdict.SUPPORTED, Verdict.COMPUTED, Verdict.LISTED),
        _engine(HELD),
    ),
    State(
        "sources-differ",
        _asked,
        ("the sources differ",),
        (Verdict.SUPPORTED,),
        _engine(script.DIFFERENT),
    ),
    State(
        "abstained",
        _abstained,
        ("NOT ANSWERED", "abstained", "Missing", "Nearest"),
        (),
        _engine(RELATED),
    ),
    State(
        "refusal",
        _refusal,
        ("WHY NOT", "NOT ANSWERED", "answers: in part (41 %)", "comes near an answer"),
        (),
        _engine(script.NEAR),
    ),
    State(
        "reading",
        _reading,
        ("reading 3 passages of 3,112", "esc stop"),
        engine=lambda: Halting(kind=Reading),
        goes_on=True,
    ),
    State("writing", _writing, ("writing",), engine=lambda: Halting(count=14), goes_on=True),
    State(
        "checking",
        _checking,
        ("checking 2 of 4 sentences",),
        engine=lambda: Halting(kind=Checked, count=2),
        goes_on=True,
    ),
    State(
        "queued",
        _queued,
        ("writing", "waiting for the answer before"),
        engine=lambda: Halting(count=14),
        goes_on=True,
    ),
    State("stopped", _stopped, ("stopped by you", "kept"), engine=lambda: Halting(count=14)),
    State(
        "failed", _failed, ("NOT ANSWERED", "the engine stopped", "ask again"), (), _engine(BROKEN)
    ),
    State("source", _source, ("contradicted", "Do not use thread lock"), (Verdict.CONTRADICTED,)),
    State("check", _check, ("CHECK", "supported  0.97"), MIXED),
    State("find", _find, ("find: bolts",)),
    State("completions", _completions, ("/add", "Add a folder or a file")),
    State("palette", _palette, ("Begin a new conversation",)),
    State("help", _help, ("KEYS AND MARKS", "Anywhere")),
    State("help-marks", _help_end, ("lets 30 %",)),
    State("library", _library, ("LIBRARY", "4 files", "1 failed", "1 changed"), (), library.engine),
    State("library-watched", _watched, ("is watched",), (), library.engine),
    State(
        "library-failed",
        _library_failed,
        ("it could not be read", "save it as .csv"),
        (),
        library.engine,
    ),
    State("library-filter", _library_filter, ("pump-manual.md",), (), library.engine),
    State("library-removing", _library_removing, ("Remove this document",), (), library.engine),
    State("document", _document, ("Hammer", "12.50"), (), library.engine),
    State(
        "models",
        _models,
        ("in use", "too big", "recommended"),
        (),
        lambda: Scripted(all_models=MODELS),
    ),
    State(
        "models-fetching",
        _fetching,
        ("41 of 3,000 MB",),
        (),
        lambda: Scripted(all_models=MODELS),
        True,
    ),
    State("eval", _eval, ("EVAL", "F1 0.78")),
    State("eval-failed", _run_failed, ("the disk is full", "hint: ")),
    State("eval-figures", _figures, ("F1, all questions",)),
    State("eval-comparison", _comparison, ("1 worse", "q17")),
    State("eval-question", _beside, ("SAE 80W-90", "not answered")),
    State("history", _history, ("3 conversations",), MIXED, history.engine),
    State("history-deleting", _deleting, ("Delete this conversation",), (), history.engine),
    State(
        "reopened",
        _reopened,
        ("the file has changed since", "the file is gone"),
        MIXED,
        _changed,
    ),
    State("export", _export, ("EXPORT THIS CONVERSATION", ".md")),
)
