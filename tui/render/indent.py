"""Wraps lines of text so that their later rows are indented. Widths are in terminal cells."""

from __future__ import annotations

import re

from rich.cells import cell_len
from textual.content import Content

from tui.render.wrap import truncate, wrap_text

#: What stands before the words of a line: blanks, and a sign or a label.
_LEAD = re.compile(r" *(?:(?:!=|[!≠≈=✗x⊘o]) |Missing: )?")
#: The narrowest column beside a lead; beside a wider lead nothing is indented.
_MIN_CELLS = 16


def hang(lead: str, text: str, width: int, max_rows: int, more: str) -> str:
    """Return `lead` and `text` in rows of at most `width` cells, all beside the lead.

    `more` stands at the end of a text that has more than `max_rows` rows.
    """
    beside = max(1, width - cell_len(lead))
    rows = wrap_text(text, beside)
    shown = [row.of(text) for row in rows[:max_rows]]
    if len(rows) > max_rows:
        shown[-1] = truncate(text[rows[max_rows - 1].start :], beside, more)
    return lead + ("\n" + " " * cell_len(lead)).join(shown)


def indent_rows(content: Content, width: int) -> Content:
    """Return `content` wrapped, with the rows of each line below its first word."""
    return Content("\n").join(_indented(line, width) for line in content.split("\n"))


def _indented(line: Content, width: int) -> Content:
    """Return one line with newlines where it is wrapped; each row keeps its styles."""
    found = _LEAD.match(line.plain)
    lead = found.end() if found else 0
    cells = cell_len(line.plain[:lead])
    if width - cells < _MIN_CELLS or cell_len(line.plain) <= width:
        return line
    words = line[lead:]
    rows = [words[row.start : row.end] for row in wrap_text(words.plain, width - cells)]
    return line[:lead] + Content("\n" + " " * cells).join(rows)


def indented_rows(text: str, width: int, indent: int = 2) -> list[str]:
    """Return a text as rows of at most `width` cells; those after the first are indented."""
    first, *_ = wrap_text(text, max(1, width))
    rest = text[first.end :].lstrip()
    beside = max(1, width - indent)
    later = [" " * indent + row.of(rest) for row in wrap_text(rest, beside)] if rest else []
    return [first.of(text), *later]
