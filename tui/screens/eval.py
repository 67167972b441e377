"""The evaluation runs of a folder: their figures, two of them compared, a new one started."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from rag.domain.runs import RunListing
from rag.text.foreign_marks import quote_foreign
from tui.commands import bindings
from tui.render import run_rows
from tui.render.answer_text import assemble, counted
from tui.render.glyphs import Glyphs
from tui.screens.input_page import InputPage
from tui.screens.run import ComparisonScreen, FiguresScreen
from tui.state import runs
from tui.state.command_run import failure_lines
from tui.state.completion import typed_path
from tui.widgets.bars import KeyBar
from tui.widgets.line_list import LineList
from tui.widgets.page_head import PageHead

if TYPE_CHECKING:
    from tui.state.command_run import CommandRun, Commands

TICK_SECONDS = 0.25
_EVAL = "eval"
#: A line of a file of questions.
_LINE = (
    '{"id": "1", "question": "…", "answers": ["…"], "answerable": true, "type": "fact",\n'
    ' "evidence": [{"source": "folder/file.txt", "quote": "…"}]}'
)


class EvalScreen(InputPage):
    """Lists finished runs. `commands` start new ones, in a program of their own."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("eval"))
    PLACEHOLDERS: ClassVar[Mapping[str, str]] = {
        "start": "A file of questions, .jsonl; tab completes it",
        "folder": "A folder of run files; tab completes it",
    }
    PATHS: ClassVar[frozenset[str]] = frozenset(PLACEHOLDERS)

    def __init__(
        self, source: runs.RunSource, commands: Commands, model: str, glyphs: Glyphs
    ) -> None:
        super().__init__(glyphs)
        self._source, self._commands, self._model = source, commands, model
        self.folder = source.folder
        self.found: tuple[RunListing, ...] = ()
        self.marked = ""  #: path of the run that others are compared with
        self._was_running = self.running
        self._known = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="page"):
            yield PageHead("eval", "EVAL", self.glyphs)
            yield Static(Content(""), id="page-work", markup=False)
            yield Input(id="page-input")
            yield LineList("page-list")
            yield Static(Content(""), id="page-detail", markup=False)
            yield KeyBar(self.glyphs)

    def on_mount(self) -> None:
        self._list()
        self._tick()
        self.set_interval(TICK_SECONDS, self._tick)

    # -- what is shown --------------------------------------------------------------------------

    def _list(self) -> None:
        self.run_in_thread(partial(runs.list_runs, self._source, self.folder))

    @property
    def _run(self) -> CommandRun | None:
        return self._commands.runs.get(_EVAL)

    @property
    def running(self) -> bool:
        return self._run is not None and self._run.running

    def _tick(self) -> None:
        """Show how far a run is, and list the runs again when it has ended."""
        words = assemble([(self.glyphs.say(self._run_words()), "$text-accent")])
        self.query_one("#page-work", Static).update(words)
        hidden = frozenset(() if self.running else ("eval_stop",))
        self.query_one(KeyBar).show("eval", True, hidden)
        if self._was_running and not self.running:
            self._list()
        self._was_running = self.running

    def _run_words(self) -> str:
        """Return how far the run is, or how it ended; "" without one."""
        run = self._run
        if run is None:
            return ""
        name = quote_foreign(run.name)
        if run.running:
            return f"{self.glyphs.waiting} {name}: {run.line or 'reading the questions'} · x stops"
        if run.stopped:
            return f"{self.glyphs.stopped} {name} was stopped; started again, it goes on"
        if run.code == 0:
            return f"{self.glyphs.supported} {name} has ended"
        words = "\n  ".join(failure_lines(run))
        return f"{self.glyphs.wrong} {name}: {words}"

    @on(runs.Listed)
    def _listed(self, event: runs.Listed) -> None:
        event.stop()
        if event.folder != self.folder:
            return
        self._known, self.found = True, event.found
        words = f"{counted(len(self.found), 'run')} of {quote_foreign(self.folder)}"
        self.query_one(PageHead).show(words)
        self.lines.show(len(self.found), self._row, self.lines.at or 0)
        self.moved()

    @on(runs.Refused)
    def _refused(self, event: runs.Refused) -> None:
        event.stop()
        words = ". ".join(filter(None, (str(event.error), event.error.cure)))
        self._say(quote_foreign(words), "$text-error")

    def _say(self, words: str, style: str = "") -> None:
        self.query_one("#page-detail", Static).update(assemble([(words, style)]))

    def _row(self, number: int, width: int) -> Content:
        run = self.found[number]
        here, marked = number == self.lines.at, run.path == self.marked
        return run_rows.row(run, here, marked, width, self.glyphs)

    @property
    def entry(self) -> RunListing | None:
        """The run at the cursor."""
        at = self.lines.at
        return self.found[at] if at is not None and at < len(self.found) else None

    def moved(self) -> None:
        if self.typing:
            return
        entry = self.entry
        if entry is None:
            empty = (
                f"no run here yet: n starts one over a file of questions, one line each:\n{_LINE}"
            )
            self._say(self.glyphs.say(empty if self._known else "looking…"))
            return
        before = self._before(entry)
        words = f"c compares it with {run_rows.title(before)}" if before else "m marks it"
        self._say(f"{quote_foreign(entry.path)}\n{self.glyphs.say(words)}")

    def _before(self, entry: RunListing) -> RunListing | None:
        """Return the run that `entry` is compared with: the marked one, else the one before."""
        marked = next((run for run in self.found if run.path == self.marked), None)
        if marked is not None and marked is not entry:
            return marked
        at = self.found.index(entry)
        older = (run for run in self.found[at + 1 :] if run.questions == entry.questions)
        return next(older, self.found[at + 1] if at + 1 < len(self.found) else None)

    # -- the line of input ----------------------------------------------------------------------

    def typed(self) -> None:
        self.moved()

    def submitted(self, text: str) -> None:
        path, purpose = typed_path(text), self.typing
        if path is None or path.is_dir() != (purpose == "folder"):
            what = "folder" if purpose == "folder" else "file"
            self._say(f"there is no {what} {quote_foreign(text)}", "$text-warning")
            return
        self.type_for("")
        if purpose == "folder":
            self.folder, self.found, self._known = str(path.absolute()), (), False
            self._list()
            return
        model = ["--model", self._model] if self._model else []
        arguments = [*model, "eval", str(path.absolute())]
        if self._commands.start(_EVAL, path.name, arguments) is None:
            self._say("wait until the running one has ended, or stop it with x", "$text-warning")
        self._tick()

    # -- actions of the command table -----------------------------------------------------------

    def action_choose(self) -> None:
        if self.entry is not None:
            self.app.push_screen(FiguresScreen(self.entry, self.glyphs))

    def action_mark(self) -> None:
        if self.entry is not None:
            self.marked = "" if self.marked == self.entry.path else self.entry.path
            self.lines.refresh()
            self.moved()

    def action_compare(self) -> None:
        entry = self.entry
        before = self._before(entry) if entry is not None else None
        if entry is None or before is None:
            self.app.notify("there is no other run to compare with", markup=False, timeout=3)
        else:
            screen = ComparisonScreen(self._source, before, entry, self.glyphs)
            self.app.push_screen(screen)

    def action_start(self) -> None:
        self.type_for("start")

    def action_folder(self) -> None:
        self.type_for("folder")

    def action_stop(self) -> None:
        if self.running and self._run is not None:
            self._run.stop()
