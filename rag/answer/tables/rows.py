"""A table in memory: rows of cells, and columns with the values that can be compared.

A column is of numbers or dates if most of its cells that are not empty have one. Numbers may have
a unit, a currency, a footnote mark or an ordinal ending; of a range the beginning counts, of
"1:02:30" the seconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from rag.text import facts
from rag.text.labels import spelled_header, spelled_out

#: characters of a cell that are parsed
_MAX_CELL_CHARS = 300
#: share of the cells from which a column is of numbers or dates, and from which it has some
_MIN_TYPED, _MIN_MIXED = 0.6, 0.15
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
#: a number whose thousands are divided by blanks, which is all that a cell has
_SPACED = re.compile(r"[-+\u2212]?\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?")
_NUMBER = re.compile(r"(?<![\w.])([-+\u2212]?)(?:[$\u20ac\u00a3\u00a5]\s?)?(\d+(?:\.\d+)?)")
_CLOCK = re.compile(r"(?<![\d:])(\d{1,3}):([0-5]\d)(?::([0-5]\d))?((?:\.\d+)?)(?![\d:])")
_FEET = re.compile(r"(\d{1,2})\s?(?:'|ft\.?|feet)\s?(\d{1,2})(?:\s?(?:\"|''|in\b)|\b)")
_DECIMAL_COMMA = re.compile(r"\d,\d(?:\d)?(?!\d)")
_SCORE = re.compile(r"(?<![\d.,/:\u2013-])(\d{1,3})\s?[\u2013:-]\s?(\d{1,3})(?![\d.,/:\u2013-])")
_YEAR = re.compile(r"(?<!\d)(1[0-9]\d\d|20\d\d)(?!\d)")
_ORDINAL_ENDING = re.compile(r"(?<=\d)(?:st|nd|rd|th)$")
_SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "k": 1e3}
_SCALE = re.compile(r"\s?(thousand|million|billion|trillion|k)\b", re.I)
_EMPTY = frozenset(("", "-", "\u2013", "\u2014", "n/a", "na", "?", "none", "tba", "tbd", "\u2212"))
#: first cells of a row of totals, as stems
_TOTALS = frozenset(
    (facts.stem(word),)
    for word in "total totals sum subtotal average gesamt summe altogether".split()
)
#: characters before the number of a cell, such as "c. " or "US$"
_MAX_BEFORE_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, the kind of its values, and for each row the value to compare."""

    header: str
    #: "number", "date", "text", "mixed" (some numbers); computed: "length" (from year to year),
    #: "items" (how many values a cell has), "margin" (of a score such as 3-1)
    kind: str
    values: tuple[float | None, ...]  #: None for a cell without a value, and for all of a text
    stems: frozenset[str] = field(default_factory=frozenset)  #: of the header


class Table:
    """Rows of cells under headers. All rows have as many cells as there are headers."""

    def __init__(self, title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.title, self.headers, self.rows = title, tuple(headers), rows

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The typed columns, then those that are computed: lengths of time, items, margins."""
        own = [
            typed_column(header, [row[at] for row in self.rows])
            for at, header in enumerate(self.headers)
        ]
        return (*own, *_lengths(own, self.rows), *_counted(own, self.rows))

    @cached_property
    def stems(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """For each row and cell, the stems of its words."""
        known = dict[str, tuple[str, ...]]()

        def of(cell: str) -> tuple[str, ...]:
            if cell not in known:
                known[cell] = tuple(words_of(spelled_out(cell))[1])
            return known[cell]

        return tuple(tuple(of(cell) for cell in row) for row in self.rows)

    @cached_property
    def totals(self) -> frozenset[int]:
        """The rows that give the total of the others."""
        second_last = len(self.rows) - 2  # a total below: its first word is enough
        return frozenset(
            row
            for row, cells in enumerate(self.stems)
            if (first := next((cell for cell in cells if cell), ())) in _TOTALS
            or (row >= second_last and first[:1] in _TOTALS)
        )

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The stems of the words of all cells and headers."""
        words = {stem for row in self.stems for cell in row for stem in cell}
        return frozenset(words).union(*(column.stems for column in self.columns))


def words_of(text: str) -> tuple[list[str], list[str]]:
    """Return the folded words of a text and their stems; 1,200 is one word."""
    folded = _GROUPED.sub("", facts.fold_text(text[:_MAX_CELL_CHARS]))
    words = facts.word_tokens(folded)
    return words, [_ORDINAL_ENDING.sub("", w) if w[0].isdigit() else facts.stem(w) for w in words]


def _lengths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Columns of the time between two columns of years or dates, or the years of one cell."""
    found = list[Column]()
    for one, other in pairwise(columns):
        if _has_years(one) and _has_years(other):
            values = tuple(
                None if a is None or b is None or b < a else b - a
                for a, b in zip(one.values, other.values, strict=True)
            )
            found.append(Column("", "length", values, one.stems | other.stems))
    for at, column in enumerate(columns):
        values = tuple(_years_between(row[at]) for row in rows)
        if sum(v is not None for v in values) >= max(2, _MIN_TYPED * len(rows)):
            found.append(Column("", "length", values, column.stems))
    return found[:4]


def _counted(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[Column]:
    """Columns of how many values the cells of a column have, and of the margins of its scores."""
    found = list[Column]()
    for at, column in enumerate(columns):
        cells = [row[at][:_MAX_CELL_CHARS] for row in rows]
        if column.kind == "text":
            items = [None if is_empty(cell) else 1.0 + cell.count(",") for cell in cells]
            if sum(n is not None and n > 1 for n in items) >= _MIN_MIXED * len(cells):
                found.append(Column("", "items", tuple(items), column.stems))
        scores = [_SCORE.search(cell) for cell in cells]
        if sum(score is not None for score in scores) >= _MIN_TYPED * len(cells):
            margins = [abs(float(m[1]) - float(m[2])) if m else None for m in scores]
            found.append(Column("", "margin", tuple(margins), column.stems))
    return found[:4]


def _has_years(column: Column) -> bool:
    """Tell whether all values of a column are years, or dates of years, from 1000 to 2199."""
    there = [value for value in column.values if value is not None]
    return len(there) > 1 and all(1000 <= value < 2200 for value in there)


def _years_between(cell: str) -> float | None:
    """The years from the first to the second of the two years of a cell, else None."""
    years = _YEAR.findall(cell[:_MAX_CELL_CHARS])
    return float(years[1]) - float(years[0]) if len(years) == 2 and years[0] <= years[1] else None


def is_empty(cell: str) -> bool:
    """Tell whether a cell has no value ("-", "n/a")."""
    return cell.strip().lower() in _EMPTY


def typed_column(header: str, cells: Sequence[str]) -> Column:
    """Return the column of `cells` with the kind of its values, as in `Column.kind`."""
    stems = frozenset(words_of(spelled_header(header))[1])
    filled = [cell for cell in cells if not is_empty(cell)]
    if filled:
        dates = [date_of(cell) for cell in filled]
        if sum(date is not None for date in dates) >= _MIN_TYPED * len(filled):
            values = tuple(None if is_empty(c) else date_of(c) or _year_of(c) for c in cells)
            return Column(header, "date", values, stems)
        comma = has_decimal_comma(filled)
        numbers = [None if is_empty(cell) else number_of(cell, comma) for cell in cells]
        if sum(n is not None for n in numbers) >= _MIN_TYPED * len(filled):
            return Column(header, "number", tuple(numbers), stems)
        if sum(n is not None for n in numbers) >= max(2, _MIN_MIXED * len(filled)):
            return Column(header, "mixed", tuple(numbers), stems)
    return Column(header, "text", (None,) * len(cells), stems)


def has_decimal_comma(cells: Sequence[str]) -> bool:
    """Tell whether the numbers of a column have a comma before their decimals."""
    return any(_DECIMAL_COMMA.search(cell) for cell in cells)


def number_of(cell: str, decimal_comma: bool = False) -> float | None:
    """Return the number that a cell begins with, after at most 8 characters; None without one.

    A time ("1:02:30", anywhere in the cell) is returned in seconds, "6 ft 2" in inches, and
    "3 million" as 3,000,000. With `decimal_comma`, "1.200,50" is 1200.5.
    """
    text = cell[:_MAX_CELL_CHARS].strip()
    if clock := _CLOCK.search(text):
        hours_or_minutes, second, third, fraction = clock.groups()
        seconds = 60 * int(hours_or_minutes) + int(second)
        if third:
            seconds = 60 * seconds + int(third)
        return seconds + float(fraction or 0)
    if feet := _FEET.match(text):
        return 12.0 * int(feet[1]) + int(feet[2])
    if _SPACED.fullmatch(text):
        text = "".join(text.split())
    if decimal_comma:
        text = text.replace(".", "").replace(",", ".")
    else:
        text = _GROUPED.sub("", text)
    match = _NUMBER.search(text)
    if not match or match.start() > _MAX_BEFORE_NUMBER:
        return None
    value = float(match[2])
    if scale := _SCALE.match(text, match.end()):
        value *= _SCALES[scale[1].lower()]
    return -value if match[1] in ("-", "\u2212") else value


def date_of(cell: str) -> float | None:
    """Return the first date of a cell as a number that orders dates; None if it has none.

    The whole part is the year, 0 if the date gives none. The fraction grows with the day of the
    year; it is not the share of the year that has passed.
    """
    dates, _ = facts.find_dates(cell[:_MAX_CELL_CHARS])
    if not dates:
        return None
    date = dates[0]
    day = (date.month - 1) * 31 + (date.day or 1) - 1
    return (date.year or 0) + day / 400


def _year_of(cell: str) -> float | None:
    match = _YEAR.search(cell)
    return float(match[1]) if match else None
