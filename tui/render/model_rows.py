"""The rows of the models: a model on one line, and what is known of the one at the cursor."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content

from rag.domain import ModelListing
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import Part, assemble
from tui.render.glyphs import Glyphs
from tui.render.listing_rows import size_words

#: The least widths at which the licence, and then the memory, are shown.
WIDE_CELLS, MIDDLE_CELLS = 90, 70
_SIZE_CELLS, _LICENCE_CELLS, _STATE_CELLS = 9, 14, 14


def state_of(entry: ModelListing) -> tuple[str, str]:
    """Return the state of a model in words, and its style."""
    if entry.in_use:
        return "in use", "bold $text-success"
    if entry.installed:
        return ("here", "") if entry.fits else ("too big", "$text-error")
    if entry.fetched:
        return "begun", "$text-warning"
    if not entry.fits:
        return "too big", "$text-error"
    return ("recommended", "$text-accent") if entry.default else ("to fetch", "$text-muted")


def _sign(entry: ModelListing, glyphs: Glyphs) -> str:
    if entry.in_use:
        return glyphs.supported
    if not entry.fits:
        return glyphs.wrong
    return glyphs.here if entry.installed else glyphs.waiting


def column_heads(width: int) -> str:
    """Return the line above the rows."""
    return _columns("    ", "model", "size", "memory", "licence", "state", width, None)


def row(entry: ModelListing, here: bool, width: int, glyphs: Glyphs) -> Content:
    """Return the line of a model; a sign marks the row of the cursor."""
    state, style = state_of(entry)
    head = f"{glyphs.ask if here else ' '} {_sign(entry, glyphs)} "
    needs = size_words(entry.needs) if entry.needs else ""
    licence = quote_foreign(entry.licence)
    size = size_words(entry.size)
    line = _columns(head, quote_foreign(entry.name), size, needs, licence, state, width, glyphs)
    content = Content(line).stylize(style, len(line) - _STATE_CELLS, len(line))
    return content.stylize("bold", 0, 1) if here else content


def _columns(
    head: str,
    name: str,
    size: str,
    needs: str,
    licence: str,
    state: str,
    width: int,
    glyphs: Glyphs | None,
) -> str:
    tail = size.rjust(_SIZE_CELLS)
    if width >= MIDDLE_CELLS:
        tail += needs.rjust(_SIZE_CELLS)
    if width >= WIDE_CELLS:
        cut = glyphs.cut(licence, _LICENCE_CELLS - 2) if glyphs else licence
        tail += "  " + cut + " " * (_LICENCE_CELLS - 2 - cell_len(cut))
    tail += "  " + state.ljust(_STATE_CELLS - 2)
    left = max(1, width - len(head) - cell_len(tail))
    shown = glyphs.cut(name, left) if glyphs else name
    return head + shown + " " * max(0, left - cell_len(shown)) + tail


def detail(entry: ModelListing, glyphs: Glyphs) -> Content:
    """Return what is known of a model: memory, speed, and what it was measured to be worth."""
    parts: list[Part] = [(quote_foreign(entry.name), "bold")]
    parts.append((glyphs.say(f" · {quote_foreign(entry.title)}\n" if entry.title else "\n"), ""))
    if entry.needs:
        of = f" of {size_words(entry.memory)}" if entry.memory else ""
        fits = "it fits here" if entry.fits else "too big for this computer"
        style = "" if entry.fits else "$text-error"
        needs = f"needs about {size_words(entry.needs)}{of} of memory"
        words = f"{needs} plus what it reads: {fits}"
        parts.append((f"{words}\n", style))
    if entry.speed:
        parts.append((f"{quote_foreign(entry.speed)}\n", ""))
    elif entry.installed and not entry.in_use:
        parts.append(("its speed here is measured when it is chosen\n", "$text-muted"))
    measured = entry.measured or "what it is worth was not measured"
    parts.append((f"{measured}\n", "" if entry.measured else "$text-muted"))
    if entry.fetched and not entry.installed:
        words = f"{size_words(entry.fetched)} of {size_words(entry.size)} are here: p goes on"
        parts.append((f"{words}\n", "$text-warning"))
    return assemble(parts)
