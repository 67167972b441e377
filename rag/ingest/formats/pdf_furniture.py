"""Running heads, running feet and page numbers of a PDF: lines that pages have in common.

A line at the edge of a page is furniture if a page one or two further on or back has the same line
at the same height, where a number may have grown by as much as the page's. Between furniture and
text is a gap, so that a sentence that ends each page is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rag.ingest.formats.pdf_lines import Line, lines_of, runs_of
from rag.ingest.formats.pdf_words import Word

#: pages on each side that a page is compared with
NEIGHBOURS = 2
#: lines at each edge, in heights of a line, that are looked at
_EDGE_LINES, _EDGE_HEIGHTS = 4, 8.0
_MAX_CHARS, _MAX_NUMBER_CHARS = 200, 40
#: points by which a line's place may differ from page to page
_MAX_SHIFT = 4.0
#: gap between furniture and text, in heights
_MIN_GAP = 0.6
_MIN_NUMBERED_LINES = 8
_NUMBER = re.compile(
    r"\W*(?P<word>page|seite|p[aá]gina|pagina|p|s)?\W*(?P<number>\d{1,5}|[ivxlc]{1,7})"
    r"(?:\s*(?:of|/|von|de|sur|di)\s*(?P<of>\d{1,5}))?\W*",
    re.I,
)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_TOKEN = re.compile(r"\d+|\b[ivxlc]+\b|[^\W\d_]+|[^\w\s]", re.I)


class Edges(NamedTuple):
    """The lines at the top and bottom of a page, each from its edge inwards."""

    top: list[Line]
    bottom: list[Line]


class Furniture(NamedTuple):
    """A line of furniture; `repeats`: it is a number, or the same line is on a page before."""

    text: str
    repeats: bool


def edges_of(words: Sequence[Word]) -> Edges:
    """Return the lines at the edges of a page."""
    if not words:
        return Edges([], [])
    heights = sorted([word.y1 - word.y0 for word in words])
    reach = _EDGE_HEIGHTS * heights[len(heights) // 2]
    first, last = min([word.y0 for word in words]), max([word.y1 for word in words])
    top = lines_of(runs_of([word for word in words if word.y0 < first + reach]))
    bottom = lines_of(runs_of([word for word in words if word.y1 > last - reach]))
    return Edges(top[:_EDGE_LINES], bottom[::-1][:_EDGE_LINES])


def without_line_numbers(words: list[Word]) -> tuple[list[Word], list[Word]]:
    """Return the words of a page without the numbers of its lines at the left, and those."""
    numbers = [word for word in words if len(word.text) <= 3 and word.text.isdecimal()]
    if len(numbers) < _MIN_NUMBERED_LINES:
        return words, []
    edge = min(word.x1 for word in numbers) + 2 * (numbers[0].y1 - numbers[0].y0)
    column = sorted([word for word in numbers if word.x1 <= edge], key=lambda word: word.y0)
    values = [int(word.text) for word in column]
    step = values[1] - values[0] if len(values) > 1 else 0
    if len(values) < _MIN_NUMBERED_LINES or step not in (1, 5):
        return words, []
    taken, right = set(column), max(word.x1 for word in column)
    if any(b - a != step for a, b in pairwise(values)) or any(
        word.x0 <= right and word not in taken for word in words
    ):
        return words, []
    return [word for word in words if word not in taken], column


class FurnitureFinder:
    """Finds the furniture of one page after the other."""

    def __init__(self) -> None:
        self._seen = set[str]()

    def take(
        self, number: int, pages: dict[int, Edges]
    ) -> tuple[list[Furniture], list[Furniture], set[Word]]:
        """Return the furniture at the top and the bottom of page `number`, and its words.

        `pages` has the edges of this page and of those around it.
        """
        found, taken = list[list[Furniture]](), set[Word]()
        for edge in (0, 1):
            lines = pages[number][edge]
            count = self._count(number, edge, pages)
            while count and lines[count - 1].runs[0].words[0] in taken:
                count -= 1
            furniture = lines[:count] if edge == 0 else lines[:count][::-1]
            found.append([self.furniture(line.text) for line in furniture])
            taken.update(word for line in furniture for run in line.runs for word in run.words)
        return found[0], found[1], taken

    def furniture(self, text: str) -> Furniture:
        """Return a line of furniture; a line that was not on a page before is said once."""
        key = re.sub(r"\d+", "0", text)
        repeats = key in self._seen or bool(_number(text))
        self._seen.add(key)
        return Furniture(text, repeats)

    def _count(self, number: int, edge: int, pages: dict[int, Edges]) -> int:
        """Return how many lines at an edge of the page are furniture."""
        lines = pages[number][edge]
        others = [
            (other - number, pages[other][edge])
            for other in range(number - NEIGHBOURS, number + NEIGHBOURS + 1)
            if other != number and other in pages
        ]
        count = 0
        for line in lines:
            if not (
                any(_same(line, other, step) for step, edges in others for other in edges)
                or (count < 2 and _is_page_number(line.text, number))
            ):
                break
            count += 1
        while count and not _stands_apart(lines, count):
            count -= 1
        return count


def _same(line: Line, other: Line, step: int) -> bool:
    """Is `other`, `step` pages further on, the same line of furniture?"""
    if abs(line.y1 - other.y1) > _MAX_SHIFT:
        return False
    text, others = line.text, other.text
    if len(text) > _MAX_CHARS or len(others) > _MAX_CHARS:
        return False
    if text == others:
        return True
    a, b = _TOKEN.findall(text), _TOKEN.findall(others)
    return len(a) == len(b) and all(
        x == y or ((v := _value(x)) is not None and (w := _value(y)) is not None and w - v == step)
        for x, y in zip(a, b, strict=True)
    )


def _value(token: str) -> int | None:
    """Return the number that a token is, in Arabic or Roman figures."""
    if token.isdecimal():
        return int(token)
    figures = [_ROMAN.get(letter, 0) for letter in token.lower()]
    if not all(figures):
        return None
    return sum(
        -figure if figure < max(figures[at:]) else figure for at, figure in enumerate(figures)
    )


def _number(text: str) -> re.Match[str] | None:
    return _NUMBER.fullmatch(text) if len(text) <= _MAX_NUMBER_CHARS else None


def _is_page_number(text: str, number: int) -> bool:
    """Is it a page number by its words ("Page 2 of 5"), or the number of this page?"""
    match = _number(text)
    if not match:
        return False
    value = _value(match["number"]) or 0
    if match["of"]:
        return 0 < value <= int(match["of"]) and (bool(match["word"]) or value == number + 1)
    return bool(match["word"] and len(match["word"]) > 1) or value == number + 1


def _stands_apart(lines: Sequence[Line], count: int) -> bool:
    """Is a gap between the first `count` lines of an edge and the rest, and no table over it?"""
    if count >= len(lines):
        return True
    last, following = lines[count - 1], lines[count]
    gap = max(following.y0 - last.y1, last.y0 - following.y1)
    if len(last.runs) > 1 and len(last.runs) == len(following.runs):
        starts = zip(last.runs, following.runs, strict=True)
        if all(abs(a.x0 - b.x0) <= _MAX_SHIFT for a, b in starts):
            return False
    small = min(last.height, following.height)
    return gap > _MIN_GAP * small or abs(last.height - following.height) > 0.1 * small
