"""The figures of a run, two runs compared, and a question with both answers beside each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from rag.domain.runs import FigureChange, FigureValue, QuestionChange, RunComparison, RunListing
from rag.text.foreign_marks import quote_foreign
from tui.commands import bindings
from tui.render import run_rows
from tui.render.answer_text import assemble
from tui.render.figure_words import CHANGE_WORDS, INTERVAL_WORDS, meaning_of, note_words
from tui.render.glyphs import Glyphs
from tui.screens.list_page import ListPage
from tui.state import runs
from tui.widgets.bars import KeyBar
from tui.widgets.line_list import LineList

#: Makes a line for a width; the flag says whether the cursor is on it.
_Make = Callable[[int, bool], Content]


class _Lines(ListPage):
    """A page of lines that are made for a width. `title` is our own words."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("run"))

    def __init__(self, title: str, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._words = title
        self._made: list[_Make] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="page"):
            words = self.glyphs.say(self._words)
            yield Static(assemble([(words, "bold")]), id="document-head", markup=False)
            yield LineList("page-list")
            yield Static(Content(""), id="figure-detail", markup=False)
            yield KeyBar(self.glyphs)

    def on_mount(self) -> None:
        self.query_one("#figure-detail").display = False
        self.query_one(KeyBar).show("run", True, frozenset({"run_choose"}))
        self.fill()

    def explain(self, figure: str) -> None:
        """Show below the lines what a figure means; nothing for one that is not known."""
        detail, words = self.query_one("#figure-detail", Static), meaning_of(figure)
        detail.display = bool(words)
        detail.update(assemble([(self.glyphs.say(words), "$text-muted")]))

    def fill(self) -> None:
        """Make the lines."""

    def show_lines(self, made: list[_Make], at: int = 0) -> None:
        """Show lines, with the cursor on line `at`."""
        self._made = made
        self.lines.show(len(made), self._line, at)

    def _line(self, number: int, width: int) -> Content:
        return self._made[number](width, number == self.lines.at)

    def action_close(self) -> None:
        self.dismiss()


class FiguresScreen(_Lines):
    """The figures of one run, with their intervals."""

    def __init__(self, run: RunListing, glyphs: Glyphs) -> None:
        super().__init__(f"RUN · {run_rows.title(run)}", glyphs)
        self._run = run

    @on(LineList.Resized)
    def fill(self) -> None:
        rows: list[_Make] = [partial(_figure, figure, self.glyphs) for figure in self._run.figures]
        words = self.glyphs.say(f"  {INTERVAL_WORDS}")
        notes = run_rows.note_lines(words, self.lines.inner_width, "$text-muted")
        self.show_lines([*rows, _text("", ""), *_all_kept(notes)], self.lines.at or 0)
        self.moved()

    def moved(self) -> None:
        at, figures = self.lines.at or 0, self._run.figures
        self.explain(figures[at].name if at < len(figures) else "")


class ComparisonScreen(_Lines):
    """Two runs: each figure with its interval, and the questions that changed."""

    def __init__(
        self, source: runs.RunSource, old: RunListing, new: RunListing, glyphs: Glyphs
    ) -> None:
        head = f"COMPARED · now {run_rows.title(new)}\nbefore {run_rows.title(old)}"
        super().__init__(head, glyphs)
        self._source, self._old, self._new = source, old, new
        self.found: RunComparison | None = None
        self._entries: dict[int, FigureChange | QuestionChange] = {}  #: by line

    def fill(self) -> None:
        self.show_lines([_text(self.glyphs.say("comparing…"), "$text-muted")])
        old, new = self._old.path, self._new.path
        self.run_in_thread(partial(runs.compare, self._source, old, new))

    @on(runs.Refused)
    def _refused(self, event: runs.Refused) -> None:
        event.stop()
        words = ". ".join(filter(None, (str(event.error), event.error.cure)))
        self.show_lines([_text(quote_foreign(words), "$text-error")])

    @on(runs.Compared)
    def _compared(self, event: runs.Compared) -> None:
        event.stop()
        self.found = event.found
        self._lay()
        self.lines.move_to(min(self.questions, default=0))
        self.moved()

    @on(LineList.Resized)
    def _lay(self) -> None:
        """Make the lines for the width, with the cursor on the line that it was on."""
        if self.found is None:
            return
        at = self._entries.get(self.lines.at) if self.lines.at is not None else None
        made, width = list[_Make](), self.lines.inner_width
        self._entries = {}
        for note in self.found.notes:
            made += _all_kept(run_rows.note_lines(note_words(note), width, ""))
        made.append(lambda width, here: _heads(width))
        for figure in self.found.figures:
            self._entries[len(made)] = figure
            made.append(partial(_change, figure, self.glyphs))
        made += _all_kept(run_rows.note_lines(f"  {CHANGE_WORDS}", width, "$text-muted"))
        made.append(_text("", ""))
        made += self._question_lines(self.found, len(made))
        self.show_lines(made, next((n for n, entry in self._entries.items() if entry is at), 0))

    def _question_lines(self, found: RunComparison, before: int) -> Iterator[_Make]:
        """Yield the questions that changed, by kind, below `before` lines."""
        kinds = (
            ("worse", found.worse),
            ("better", found.better),
            ("answered otherwise, no worse and no better", found.otherwise),
        )
        for kind, changes in kinds:
            yield _text(f"{len(changes):,} {kind}", "bold")
            before += 1
            for change in changes:
                self._entries[before] = change
                yield partial(_question, change, self.glyphs)
                before += 1

    @property
    def questions(self) -> dict[int, QuestionChange]:
        """The questions that changed, by line."""
        entries = self._entries.items()
        return {n: entry for n, entry in entries if isinstance(entry, QuestionChange)}

    def moved(self) -> None:
        entry = None if self.lines.at is None else self._entries.get(self.lines.at)
        self.explain(entry.name if isinstance(entry, FigureChange) else "")
        hidden = frozenset(() if isinstance(entry, QuestionChange) else ("run_choose",))
        self.query_one(KeyBar).show("run", True, hidden)

    def action_choose(self) -> None:
        change = self.questions.get(-1 if self.lines.at is None else self.lines.at)
        if change is not None:
            self.app.push_screen(QuestionScreen(change, self.glyphs))


class QuestionScreen(_Lines):
    """A question, with the answers of two runs beside each other."""

    def __init__(self, change: QuestionChange, glyphs: Glyphs) -> None:
        super().__init__(f"QUESTION {quote_foreign(change.id)}", glyphs)
        self._change = change

    @on(LineList.Resized)
    def fill(self) -> None:
        made = list(run_rows.beside(self._change, self.lines.inner_width, self.glyphs))
        self.show_lines([partial(_kept, line) for line in made])


def _text(text: str, style: str) -> _Make:
    """Return a line of our own or harmless words."""
    return partial(_kept, assemble([(text, style)]))


def _all_kept(contents: list[Content]) -> list[_Make]:
    """Return lines that are made already."""
    return [partial(_kept, content) for content in contents]


def _kept(content: Content, width: int, here: bool) -> Content:
    return content


def _heads(width: int) -> Content:
    return assemble([(run_rows.change_heads(width), "$text-muted")])


def _figure(figure: FigureValue, glyphs: Glyphs, width: int, here: bool) -> Content:
    return run_rows.figure_row(figure, width, glyphs)


def _change(figure: FigureChange, glyphs: Glyphs, width: int, here: bool) -> Content:
    return run_rows.change_row(figure, width, glyphs)


def _question(change: QuestionChange, glyphs: Glyphs, width: int, here: bool) -> Content:
    return run_rows.question_row(change, here, width, glyphs)
