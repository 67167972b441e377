"""Tables of contents, and other lines with dots between a name and its value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise

from rag.ingest.formats.pdf_layout import TextLine
from rag.ingest.formats.pdf_tables import split_leader

#: names of the cells of a table of contents
CONTENTS_NAMES = ("Chapter", "Page")
_CONTENTS = re.compile(
    r"(?:table of )?contents|inhalt(?:sverzeichnis|sübersicht)?|sommaire|table des matières|"
    r"[ií]ndice|contenidos?|inhoud(?:sopgave)?",
    re.I,
)
_PAGE = re.compile(r"\d{1,4}|[ivxlc]{1,7}", re.I)


def is_contents_heading(text: str) -> bool:
    """Is it the heading of a table of contents?"""
    return bool(_CONTENTS.fullmatch(text.strip(" .:")))


def leader_row(item: object) -> tuple[str, str] | None:
    """Return the name and the value that dots divide in a line, or None."""
    if not isinstance(item, TextLine):
        return None
    parts = split_leader(item.text)
    if len(parts) != 2 or not all(part.strip() for part in parts):
        return None
    return parts[0].strip(), parts[1].strip()


def contents_lines(items: Sequence[object], rows: Sequence[tuple[str, str] | None]) -> list[bool]:
    """Return for each item whether it is a line of a table of contents.

    There are three or more in a row, whose values are page numbers that do not get smaller.
    """
    found = [False] * len(items)
    for is_row, group in groupby(range(len(items)), key=lambda n: rows[n] is not None):
        numbers = list(group)
        values = [row[1] for n in numbers if (row := rows[n])]
        if is_row and len(values) >= 3 and all(_PAGE.fullmatch(value) for value in values):
            pages = [int(value) for value in values if value.isdecimal()]
            if all(a <= b for a, b in pairwise(pages)):
                for n in numbers:
                    found[n] = True
    return found
