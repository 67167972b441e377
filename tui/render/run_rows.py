"""The rows of evaluation runs: a run on one line, its figures, and two runs compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from rich.cells import cell_len
from textual.content import Content

from rag.domain.runs import FigureChange, FigureValue, QuestionChange, RunListing
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize
from tui.render.answer_text import Part, assemble, counted
from tui.render.figure_words import reason_words, words_of
from tui.render.glyphs import Glyphs
from tui.render.indent import indented_rows
from tui.render.wrap import wrap_text

#: The least width at which intervals are shown beside the changes.
WIDE_CELLS = 76
#: The figure that a list of runs shows.
_HEADLINE = "overall.f1"
_NAME_CELLS = 27


def _name(figure: str, glyphs: Glyphs) -> str:
    """Return a figure in words, as wide as its column."""
    shown = glyphs.cut(words_of(figure), _NAME_CELLS - 1)
    return shown + " " * (_NAME_CELLS - cell_len(shown))


def when(run: RunListing) -> str:
    """Return the day and time of a run."""
    try:
        return datetime.fromtimestamp(run.changed / 1e9).astimezone().strftime("%d %b %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""


def title(run: RunListing) -> str:
    """Return a run in a few words."""
    name = Path(run.model).name.removesuffix(".gguf")
    parts = (when(run), quote_foreign(name), quote_foreign(run.library))
    return " · ".join([*parts, counted(run.questions, "question")])


def row(run: RunListing, here: bool, marked: bool, width: int, glyphs: Glyphs) -> Content:
    """Return the line of a run; `marked` is the one that others are compared with."""
    head = f"{glyphs.ask if here else ' '} {glyphs.lit if marked else ' '} "
    found = next((f for f in run.figures if f.name == _HEADLINE and f.value is not None), None)
    tail = f"  F1 {found.value:.2f}" if found and found.value is not None else ""
    left = max(1, width - len(head) - len(tail))
    shown = glyphs.cut(glyphs.say(title(run)), left)
    line = head + shown + " " * max(0, left - cell_len(shown)) + tail
    return Content(line).stylize("bold", 0, 3) if here or marked else Content(line)


def figure_row(figure: FigureValue, width: int, glyphs: Glyphs) -> Content:
    """Return the line of a figure with its interval and the number of its questions."""
    name = _name(figure.name, glyphs)
    if figure.value is None or figure.low is None or figure.high is None:
        return assemble([(f"  {name}", ""), (f"{glyphs.say('—'):>6}", "$text-muted")])
    interval = glyphs.say(f"   {figure.low:.2f} … {figure.high:.2f}")
    parts: list[Part] = [(f"  {name}", ""), (f"{figure.value:6.2f}", "bold"), (interval, "")]
    return assemble([*parts, (f"   n {figure.n:,}", "$text-muted")])


def change_row(figure: FigureChange, width: int, glyphs: Glyphs) -> Content:
    """Return the line of a figure in two runs: now, before, change, interval, and the verdict."""
    wide = width >= WIDE_CELLS
    name = _name(figure.name, glyphs)
    style = {"worse": "bold $text-error", "better": "bold $text-success"}.get(figure.verdict, "")
    sign = {"worse": glyphs.wrong, "better": glyphs.supported}.get(figure.verdict, " ")
    parts: list[Part] = [(f"  {name}", ""), (f"{figure.new:6.2f}", "")]
    if wide:
        parts.append((f"{figure.old:8.2f}", "$text-muted"))
    parts.append((f"  {figure.change:+6.2f}", style))
    if wide and figure.low is not None and figure.high is not None:
        parts.append((glyphs.say(f"   {figure.low:+.2f} … {figure.high:+.2f}"), "$text-muted"))
    return assemble([*parts, (f"  {sign} {figure.verdict}", style)])


def change_heads(width: int) -> str:
    """Return the line above the changes."""
    if width >= WIDE_CELLS:
        head = "  " + "figure".ljust(_NAME_CELLS) + "   now" + "  before" + "  change"
        return head + "   95 % interval"
    return "  " + "figure".ljust(_NAME_CELLS) + "   now" + "  change"


def note_lines(words: str, width: int, style: str) -> list[Content]:
    """Return our own or harmless words whole, in as many lines as they need."""
    return [assemble([(row, style)]) for row in indented_rows(words, width)]


def question_row(change: QuestionChange, here: bool, width: int, glyphs: Glyphs) -> Content:
    """Return the line of a question that changed, with the first reason."""
    head = f"{glyphs.ask if here else ' '} {quote_foreign(change.id)} "
    text = quote_foreign(change.question)
    why = f"  {reason_words(change.why[-1])}" if change.why else ""
    shown = glyphs.cut(head + text + why, width)
    return Content(shown).stylize("bold" if here else "", 0, len(head))


def beside(change: QuestionChange, width: int, glyphs: Glyphs) -> Iterator[Content]:
    """Yield the lines of a question with both answers: beside each other if there is room."""
    yield from _wrapped(quote_foreign(change.question), width, "bold")
    for words, found in (("right", change.right), ("in", change.sources)):
        if found:
            listed = ", ".join(quote_foreign(each) for each in found)
            yield from _wrapped(f"{words}: {listed}", width, "$text-success")
    if not change.right:
        yield from _wrapped("right: it cannot be answered from the documents", width, "")
    for reason in change.why:
        yield from _wrapped(glyphs.say("· ") + reason_words(reason), width, "$text-muted")
    yield Content("")
    if width < WIDE_CELLS:
        for name, text in (("BEFORE", change.old), ("NOW", change.new)):
            yield assemble([(name, "bold $text-accent")])
            yield from _wrapped(_lines_of(text), width, "")
            yield Content("")
        return
    column = (width - 3) // 2
    bar = "|" if glyphs.ascii else "│"
    yield assemble([("BEFORE".ljust(column) + f" {bar} NOW", "bold $text-accent")])
    old, new = (_lines_of(text) for text in (change.old, change.new))
    sides = [[span.of(text) for span in wrap_text(text, column)] for text in (old, new)]
    for left, right in zip_longest(*sides, fillvalue=""):
        yield Content(left + " " * max(0, column - cell_len(left)) + f" {bar} {right}")


def _lines_of(text: str) -> str:
    """Return foreign text made harmless, its lines kept."""
    return sanitize("\n".join(quote_foreign(line) for line in text.split("\n")))


def _wrapped(text: str, width: int, style: str) -> Iterator[Content]:
    for span in wrap_text(text, max(1, width)):
        yield assemble([(span.of(text), style)])
