"""The rows of the history: a conversation on one line, and a preview of its last answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.cells import cell_len
from textual.content import Content

from rag.domain import Conversation, FileState, SavedTurn
from rag.phrases import FILE_STATE_PHRASES
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize
from tui.render.answer_text import VERDICT_ORDER, Part, assemble, counted, tally
from tui.render.glyphs import VERDICT_STYLES, Glyphs
from tui.render.marks import mark_answer

#: The width of the column of dates, and the least width at which questions are counted.
DATE_CELLS, WIDE_CELLS = 7, 78
#: Changed files that a preview names.
MAX_NAMED_FILES = 2


def time_of(asked: str, now: datetime) -> str:
    """Return a saved time in the local zone: the time of today, else the day, else the date."""
    try:
        local = datetime.fromisoformat(asked).astimezone(now.tzinfo)
    except (ValueError, OverflowError, OSError):
        return ""
    if local.date() == now.date():
        return local.strftime("%H:%M")
    return local.strftime("%d %b") if local.year == now.year else local.strftime("%b %y")


def totals(entry: Conversation, glyphs: Glyphs) -> list[Part]:
    """Return the verdicts of a conversation, each by its sign and number."""
    counts = dict(entry.verdicts)
    parts = [
        (f"{glyphs.of(verdict)}{counts[verdict]}", VERDICT_STYLES[verdict])
        for verdict in VERDICT_ORDER
        if counts.get(verdict)
    ]
    if entry.unanswered:
        parts.append((f"{glyphs.abstained}{entry.unanswered}", "$text-muted"))
    return [part for number, part in enumerate(parts) for part in ((" " * bool(number), ""), part)]


def row(
    entry: Conversation, width: int, glyphs: Glyphs, now: datetime, here: bool = False
) -> Content:
    """Return the line of a conversation: time, title, number of questions, verdicts.

    A sign marks the row of the cursor.
    """
    mark = f"{glyphs.ask if here else ' '} "
    tail = totals(entry, glyphs)
    count = f"  {counted(entry.turns, 'question')}  " if width >= WIDE_CELLS else "  "
    date = f"{glyphs.cut(time_of(entry.asked, now), DATE_CELLS - 1):<{DATE_CELLS}}"
    used = (
        cell_len(mark) + cell_len(date) + cell_len(count) + sum(cell_len(text) for text, _ in tail)
    )
    left = max(1, width - used)
    title = glyphs.cut(quote_foreign(entry.title), left)
    padding = " " * max(0, left - cell_len(title))
    return assemble(
        [
            (mark, "bold"),
            (date, "$text-muted"),
            (title + padding, ""),
            (count, "$text-muted"),
            *tail,
        ]
    )


def changed_files(states: Mapping[tuple[str, str], FileState], glyphs: Glyphs) -> list[Part]:
    """Return a line for each cited file that has changed, moved or gone, in words."""
    changed = [(source, state) for (_, source), state in states.items() if state != FileState.SAME]
    parts: list[Part] = []
    for source, state in changed[:MAX_NAMED_FILES]:
        words = f"{glyphs.dangling} {quote_foreign(source)}: {FILE_STATE_PHRASES[state]}\n"
        parts.append((words, "$text-warning"))
    if len(changed) > MAX_NAMED_FILES:
        more = counted(len(changed) - MAX_NAMED_FILES, "more cited file")
        parts.append((f"{glyphs.dangling} {more} changed, moved or gone\n", "$text-warning"))
    return parts


def preview(
    turns: Sequence[SavedTurn],
    words: str,
    states: Mapping[tuple[str, str], FileState],
    glyphs: Glyphs,
) -> Content:
    """Return a question with its answer, and the cited files that have changed.

    It is the newest question with one of `words` in it or in its answer, else the newest of all.
    """
    parts = changed_files(states, glyphs)
    if not turns:
        return assemble(parts)
    turn = turns[turn_with(turns, words)]
    version = f"  ({turn.version} of {turn.versions})" if turn.versions > 1 else ""
    parts.append((f"{quote_foreign(turn.question)}{version}\n", "bold"))
    if turn.answer is None or turn.answer.abstained:
        text = "no answer was saved" if turn.answer is None else "not answered"
        return assemble([*parts, (text, "")])
    marked = mark_answer(turn.answer, glyphs)
    answer = Content(sanitize(marked.text).replace("\t", " "))  # the offsets stay
    for span, style in marked.styles:
        answer = answer.stylize(style, span.start, span.end)
    return Content("\n").join([assemble(parts).rstrip(), tally(turn.answer.claims, glyphs), answer])


def turn_with(turns: Sequence[SavedTurn], words: str) -> int:
    """Return the index of the newest turn with one of `words`, else of the newest of all."""
    wanted = words.casefold().split()
    found = (n for n, turn in enumerate(turns) if any(word in _text_of(turn) for word in wanted))
    return max(found, default=len(turns) - 1)


def _text_of(turn: SavedTurn) -> str:
    return f"{turn.question}\n{turn.answer.text if turn.answer else ''}".casefold()
