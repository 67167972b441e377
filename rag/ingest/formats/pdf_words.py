"""Words and rules of a PDF page with their places, by `pypdfium2`.

Places are in points along the direction in which most of the page's words are written: `x` grows
along a line, `y` from line to line. So a page that lies on its side reads like any other.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from math import pi
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

#: PDFium's signs for a hyphen at the end of a line, which stand before the next line's first word
_LINE_HYPHENS = "\x02\ufffe"
_WORD = re.compile(rf"[^\s{_LINE_HYPHENS}]*[{_LINE_HYPHENS}]|[^\s{_LINE_HYPHENS}]+")
#: signs for a hyphen, ligatures as letters, and what has no width
_LETTERS = str.maketrans(
    {
        **dict.fromkeys(_LINE_HYPHENS, "-"),
        **dict(zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True)),
        "\u2010": "-",
        "\u00ad": None,
        "\u200b": None,
        "\ufeff": None,
    }
)
#: words, evenly over the page, whose direction is asked for
_SAMPLED_WORDS = 9
#: objects of a page, and points of its paths, that are looked at for rules
_MAX_OBJECTS, _MAX_POINTS = 20_000, 20_000
#: points of the width of a rule, and of its least length
_MAX_RULE_WIDTH, _MIN_RULE_LENGTH = 2.5, 8.0


class Word(NamedTuple):
    """A word; `y0` and `y1` are those of its font, not of its letters."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str


class Rule(NamedTuple):
    """A line that is drawn, along `x` or along `y`."""

    x0: float
    y0: float
    x1: float
    y1: float


class PageWords(NamedTuple):
    """The words of a page in the order of the file, those in another direction, and the rules."""

    words: list[Word]
    aside: list[Word]
    rules: list[Rule]


def page_words(page: PdfPage) -> PageWords:
    """Return the words and rules of a page. Raises `PdfiumError` if it cannot be read."""
    text_page = page.get_textpage()
    text = text_page.get_text_range()
    places = list(_WORD.finditer(text))
    same_index = text_page.count_chars() == len(text)
    quarter = _main_quarter(text_page, places, same_index)
    words, aside = list[Word](), list[Word]()
    for word, is_aside in _placed(text_page, places, same_index, quarter):
        (aside if is_aside else words).append(word)
    return PageWords(words, aside, _rules(page, quarter) if len(words) > 3 else [])


def _placed(
    text_page: Any, places: list[re.Match[str]], same_index: bool, quarter: int
) -> Iterator[tuple[Word, bool]]:
    """Yield each word, and whether it is written in another direction than `quarter`."""
    import pypdfium2.raw as pdfium

    handle, box = text_page.raw, pdfium.FS_RECTF()
    get_box, to_char = pdfium.FPDFText_GetLooseCharBox, pdfium.FPDFText_GetCharIndexFromTextIndex
    pointer = ctypes.byref(box)
    for place in places:
        first, end = place.span()
        last = end - 1
        if not same_index:
            first, last = to_char(handle, first), to_char(handle, last)
        text = place[0]
        if not text.isascii() or text[-1] == "\x02":
            text = text.translate(_LETTERS)
        if not text or not get_box(handle, first, pointer):
            continue
        left, bottom, right, top = box.left, box.bottom, box.right, box.top
        turned = False
        if last > first and get_box(handle, last, pointer):
            if quarter or box.bottom != bottom or box.top != top:
                across, height = abs(box.bottom - bottom), max(top - bottom, box.top - box.bottom)
                if quarter % 2:
                    across, height = abs(box.left - left), max(right - left, box.right - box.left)
                turned = across > 0.8 * height
                left, bottom = min(left, box.left), min(bottom, box.bottom)
                top = max(top, box.top)
            right = max(right, box.right)
        place_of = (left, -top, right, -bottom)
        if quarter:
            place_of = _turned(quarter, left, bottom, right, top)
        yield Word(*place_of, text), turned


def _turned(
    quarter: int, left: float, bottom: float, right: float, top: float
) -> tuple[float, float, float, float]:
    """Return a box of the page as x0, y0, x1, y1 along the direction of `quarter`."""
    if quarter == 0:
        return left, -top, right, -bottom
    if quarter == 1:  # written downwards
        return -top, -right, -bottom, -left
    if quarter == 2:
        return -right, bottom, -left, top
    return bottom, left, top, right


def _main_quarter(text_page: Any, places: list[re.Match[str]], same_index: bool) -> int:
    """Return the direction of most words in quarters of a turn, 0 to 3, clockwise."""
    import pypdfium2.raw as pdfium

    counts = [0, 0, 0, 0]
    for place in places[:: max(1, len(places) // _SAMPLED_WORDS)]:
        index = place.start()
        if not same_index:
            index = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page.raw, index)
        angle = pdfium.FPDFText_GetCharAngle(text_page.raw, index)
        counts[round(2 * angle / pi) % 4 if angle >= 0 else 0] += 1
    return counts.index(max(counts))


def _rules(page: PdfPage, quarter: int) -> list[Rule]:
    """Return the rules of a page: thin paths, and the straight parts of other ones."""
    import pypdfium2.raw as pdfium

    rules, points = list[Rule](), 0
    get_object, get_type = pdfium.FPDFPage_GetObject, pdfium.FPDFPageObj_GetType
    sides = [ctypes.c_float() for _ in range(4)]
    pointers = [ctypes.byref(side) for side in sides]
    count, handle = pdfium.FPDFPage_CountObjects(page.raw), page.raw
    for number in range(count if count <= _MAX_OBJECTS else 0):
        item = get_object(handle, number)
        if get_type(item) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if not pdfium.FPDFPageObj_GetBounds(item, *pointers):
            continue
        left, bottom, right, top = (side.value for side in sides)
        if max(right - left, top - bottom) < _MIN_RULE_LENGTH:
            continue
        if min(right - left, top - bottom) <= _MAX_RULE_WIDTH:
            rules.append(Rule(*_turned(quarter, left, bottom, right, top)))
            continue
        points += max(0, pdfium.FPDFPath_CountSegments(item))
        if points > _MAX_POINTS:
            return []  # a drawing
        rules += [
            Rule(*_turned(quarter, *edge))
            for edge in _edges(item)
            if max(edge[2] - edge[0], edge[3] - edge[1]) >= _MIN_RULE_LENGTH
        ]
    return rules


def _edges(path: Any) -> Iterator[tuple[float, float, float, float]]:
    """Yield the straight edges of a path as left, bottom, right, top."""
    import pypdfium2.raw as pdfium

    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(path, matrix):
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    begin = before = (0.0, 0.0)
    for number in range(pdfium.FPDFPath_CountSegments(path)):
        segment = pdfium.FPDFPath_GetPathSegment(path, number)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            begin = point
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield from _edge(before, point)
        if pdfium.FPDFPathSegment_GetClose(segment):
            yield from _edge(point, begin)
        before = point


def _edge(
    a: tuple[float, float], b: tuple[float, float]
) -> Iterator[tuple[float, float, float, float]]:
    left, right = sorted((a[0], b[0]))
    bottom, top = sorted((a[1], b[1]))
    if min(right - left, top - bottom) <= 1:
        yield left, bottom, right, top
