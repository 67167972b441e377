"""The rows of the library: a document on one line, and what is known of the one at the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len
from textual.content import Content

from rag.domain import AddedRoot, FileState, Listing
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import Part, assemble, counted
from tui.render.glyphs import Glyphs

#: The least width at which all columns are shown.
WIDE_CELLS = 76
_STATE_CELLS, _COUNT_CELLS, _SIZE_CELLS, _DATE_CELLS = 10, 9, 9, 12
#: The states in the order in which they are sorted, with their styles.
STATES = {
    "failed": "bold $text-error",
    "gone": "$text-warning",
    "changed": "$text-warning",
    "old": "$text-warning",
    "ready": "$text-success",
}
#: What each state means, for the line below the list.
MEANINGS = {
    "failed": "it could not be read",
    "gone": "its file is gone; what was read from it is still searched (u updates)",
    "changed": "its file has changed since it was read (r reads it again)",
    "old": "its file has changed and could not be read; its earlier text is still searched",
    "ready": "it is searched",
}


def state_of(entry: Listing) -> str:
    """Return the state of a document in one word, a key of `STATES`."""
    if entry.state == "failed":
        return "failed"
    if entry.file is FileState.GONE:
        return "gone"
    if entry.reason:
        return "old"
    return "changed" if entry.file is FileState.CHANGED else "ready"


def state_sign(state: str, glyphs: Glyphs) -> str:
    """Return the sign of a state."""
    signs = {"failed": glyphs.wrong, "gone": glyphs.dangling, "ready": glyphs.supported}
    return signs.get(state, glyphs.partly)


def size_words(size: int) -> str:
    """Return a number of bytes in a short form, as "84 KB"."""
    for unit, divisor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if size >= divisor:
            value = size / divisor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:,.0f} {unit}"
    return f"{size} B"


def date_of(entry: Listing) -> str:
    """Return the date that a document names, else the day of its file's last change."""
    if entry.date:
        return quote_foreign(entry.date)
    try:
        changed = datetime.fromtimestamp(entry.modified / 1e9, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return changed.strftime("%Y-%m-%d") if entry.modified > 0 else ""


def column_heads(width: int) -> str:
    """Return the line above the rows."""
    if width < WIDE_CELLS:
        return _columns("  ", "  ", "file", "passages", "", "", width)
    return _columns("  ", "state", "file", "passages", "size", "date", width)


def row(entry: Listing, here: bool, width: int, glyphs: Glyphs, watched: bool = False) -> Content:
    """Return the line of a document; signs mark the row of the cursor and a watched folder."""
    state = state_of(entry)
    words = f"{state_sign(state, glyphs)} {state if width >= WIDE_CELLS else ''}"
    mark = f"{glyphs.ask if here else ' '}{glyphs.watched if watched else ' '}"
    count = f"{entry.chunks:,}" if entry.chunks else glyphs.say("—")
    source = quote_foreign(entry.source)
    wide = width >= WIDE_CELLS
    size, date = (size_words(entry.bytes), date_of(entry)) if wide else ("", "")
    line = _columns(mark, words, source, count, size, date, width, glyphs)
    start = len(mark)
    content = Content(line).stylize(STATES[state], start, start + len(words.rstrip()))
    return content.stylize("bold", 0, start) if here else content


def _columns(
    mark: str,
    state: str,
    source: str,
    count: str,
    size: str,
    date: str,
    width: int,
    glyphs: Glyphs | None = None,
) -> str:
    wide = width >= WIDE_CELLS
    state = state.ljust(_STATE_CELLS) if wide else state[:2].ljust(2)
    tail = count.rjust(_COUNT_CELLS)
    if wide:
        tail += size.rjust(_SIZE_CELLS) + "  " + date[: _DATE_CELLS - 2].ljust(_DATE_CELLS - 2)
    left = max(1, width - len(mark) - len(state) - len(tail))
    shown = glyphs.cut(source, left) if glyphs else source
    return mark + state + shown + " " * max(0, left - cell_len(shown)) + tail


def counts(listings: Sequence[Listing], glyphs: Glyphs) -> str:
    """Return how many documents there are, and how many of each state that needs a look."""
    states = [state_of(entry) for entry in listings]
    found = [counted(len(listings), "file")]
    found += [f"{n:,} {state}" for state in list(STATES)[:-1] if (n := states.count(state))]
    return glyphs.say(" · ".join(found))


def detail(
    entry: Listing, same: Iterable[str], glyphs: Glyphs, root: AddedRoot | None = None
) -> Content:
    """Return what is known of a document.

    `same` are the other files with its very text, `root` is the added path that holds it.
    """
    state = state_of(entry)
    sign = state_sign(state, glyphs)
    parts: list[Part] = [(f"{quote_foreign(entry.source)}\n", "bold")]
    if entry.title and entry.title != entry.source:
        parts.append((f"{quote_foreign(entry.title)}\n", ""))
    reason = f": {quote_foreign(entry.reason)}" if entry.reason else ""
    parts.append((f"{sign} {glyphs.say(MEANINGS[state])}{reason}\n", STATES[state]))
    if entry.cure and entry.reason:
        parts.append((f"what helps: {quote_foreign(entry.cure)}\n", "bold"))
    named = [quote_foreign(source) for source in same]
    if named:
        more = f" and {len(named) - 2:,} more" if len(named) > 2 else ""
        parts.append((f"= the same text as {', '.join(named[:2])}{more}\n", "$text-muted"))
    if root is not None and root.watched:
        words = f"{quote_foreign(root.path)} is watched: changes are read while the chat is open"
        parts.append((f"{glyphs.watched} {words}\n", "$text-muted"))
    if entry.copies:
        words = counted(entry.copies, "passage")
        parts.append((f"= {words} of it also in other documents\n", "$text-muted"))
    if entry.by_words:
        words = f"{entry.by_words:,} rows of a large table are found by words alone"
        parts.append((f"{words}\n", "$text-muted"))
    return assemble(parts)
