"""Collects what a workbook holds and is not taken in, to say it in the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rag.domain import RefusedPart
from rag.ingest.formats.page_ranges import page_ranges

#: sheets that are named
_MAX_SHEETS = 12
_CURE = "show them in the program that made the file, save it, and add it again"


class HiddenParts:
    """Hidden sheets, rows and columns, and formulas without a value, of one workbook."""

    def __init__(self) -> None:
        self._sheets: list[str] = []
        self._rows: dict[str, list[int]] = {}
        self._columns: dict[str, set[int]] = {}
        self.unsaved = 0  #: cells whose formula has no saved value

    def sheet(self, title: str) -> None:
        """Note a hidden sheet."""
        self._sheets.append(title)

    def row(self, sheet: str, number: int) -> None:
        """Note a hidden row that has values. Rows come in rising order."""
        self._rows.setdefault(sheet, []).append(number)

    def columns(self, sheet: str, numbers: Sequence[int]) -> None:
        """Note hidden columns that have values."""
        if numbers:
            self._columns.setdefault(sheet, set()).update(numbers)

    def parts(self) -> Iterator[RefusedPart]:
        """Yield a part for each kind."""
        if self._sheets:
            names = ", ".join(f"“{title}”" for title in self._sheets[:_MAX_SHEETS])
            more = len(self._sheets) - _MAX_SHEETS
            names += f" and {more:,} more" if more > 0 else ""
            yield RefusedPart("/hidden sheets", f"not taken in, as they are hidden: {names}", _CURE)
        if self._rows:
            yield RefusedPart("/hidden rows", _reason("row", self._rows), _CURE)
        if self._columns:
            columns = {sheet: sorted(numbers) for sheet, numbers in self._columns.items()}
            yield RefusedPart("/hidden columns", _column_reason(columns), _CURE)
        if self.unsaved:
            yield RefusedPart(
                "/formulas",
                f"{self.unsaved:,} cells not taken in: a formula without a saved value",
                "open the file in Excel or LibreOffice, save it, and add it again",
            )


def _reason(noun: str, numbers: dict[str, list[int]]) -> str:
    places = [f"{page_ranges(noun, found)} of “{sheet}”" for sheet, found in numbers.items()]
    return f"not taken in, as they are hidden: {_few(places)}"


def _column_reason(numbers: dict[str, list[int]]) -> str:
    places = []
    for sheet, found in numbers.items():
        letters = ", ".join(map(column_letters, found[:_MAX_SHEETS]))
        more = len(found) - _MAX_SHEETS
        letters += f" and {more:,} more" if more > 0 else ""
        places.append(f"column{'s' * (len(found) > 1)} {letters} of “{sheet}”")
    return f"not taken in, as they are hidden: {_few(places)}"


def _few(places: Sequence[str]) -> str:
    more = len(places) - _MAX_SHEETS
    return "; ".join(places[:_MAX_SHEETS]) + (f" and {more:,} more sheets" if more > 0 else "")


def column_letters(number: int) -> str:
    """Return the letters of a column from its number, which begins with 1."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
