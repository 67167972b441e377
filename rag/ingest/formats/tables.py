"""Tables in text files: .csv and .tsv.

Line 12 of the text is record 12 of the file.
"""

from __future__ import annotations

import csv as comma
import io
import re
from collections.abc import Iterator
from itertools import islice

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, check_length, decode
from rag.ingest.formats.sheet_blocks import add_records

#: records that tell what divides the values
_RECORDS_LOOKED_AT = 30
#: a first line by which programs tell Excel what divides the values
_STATED_DIVIDER = re.compile(r"sep=(.)\r?\n")


def read_csv(content: bytes) -> Iterator[RawDocument]:
    """Yield a table of values divided by commas, semicolons, tabs or bars."""
    text = decode(content)
    check_length(len(text))
    if not text.strip():
        raise Unreadable("has no text", "remove it, or check that it was saved whole")
    lines = LineBuilder()
    stated = _STATED_DIVIDER.match(text)
    if stated:
        lines.add()
        text = text[stated.end() :]
    records = comma.reader(
        io.StringIO(text, newline=""), delimiter=stated[1] if stated else _guess_divider(text)
    )
    try:
        add_records(lines, records)
    except comma.Error as error:
        raise Unreadable(
            f"line {records.line_num}: {error}",
            "check its quotation marks, or save it again as .csv",
        ) from error
    yield lines.raw(lines=True)


def _guess_divider(text: str) -> str:
    """Return the character that divides the first records into columns.

    It is the one that gives the most columns in the most records. Of two that do equally well, such
    as the semicolons and the decimal commas of "bread;1,50", it is the one that the first records,
    the names of the columns, have.
    """
    beginning = text[:100_000]
    best, best_divider = (0.0, 0), ","
    for divider in "\t;,|":
        records = comma.reader(io.StringIO(beginning, newline=""), delimiter=divider)
        try:
            widths = [len(record) for record in islice(records, _RECORDS_LOOKED_AT) if record]
        except comma.Error:
            continue
        wide = [width for width in widths if width > 1]
        if 2 * len(wide) <= len(widths):
            continue
        common = max(set(wide), key=lambda width: (wide.count(width), width))
        share = wide.count(common) / len(widths)
        score = (common - 1) * share * share, -next(n for n, w in enumerate(widths) if w > 1)
        if score > best:
            best, best_divider = score, divider
    return best_divider
