"""Words and rules of a PDF page with their places, by `pypdfium2`.

Places are in points along the direction in which most of the page's words are written: `x` grows
along a line, `y` from line to line. So a page that lies on its side reads like any other.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from ctypes import c_int, c_void_p
from functools import cache
from math import nan, pi
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
#: makes a named tuple without the call of its own constructor
_new_tuple: Any = tuple.__new__
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
    words, aside = _placed(text_page, places, same_index, quarter)
    return PageWords(words, aside, _rules(page, quarter) if len(words) > 3 else [])


def _placed(
    text_page: Any, places: list[re.Match[str]], same_index: bool, quarter: int
) -> tuple[list[Word], list[Word]]:
    """Return the words in the direction of `quarter`, and those in another one."""
    words, aside = list[Word](), list[Word]()
    boxes = iter(_boxes(text_page, places, same_index))
    numbers = zip(boxes, boxes, boxes, boxes, boxes, boxes, boxes, boxes, strict=True)
    for place, box in zip(places, numbers, strict=True):
        left, top, right, bottom, last_left, last_top, last_right, last_bottom = box
        text = place[0]
        if not text.isascii() or text[-1] == "\x02":
            text = text.translate(_LETTERS)
        if not text or left != left:  # PDFium has no box for it
            continue
        if last_right > right:
            right = last_right
        if not quarter and last_bottom == bottom and last_top == top:
            words.append(_new_tuple(Word, (left, -top, right, -bottom, text)))
            continue
        across, height = abs(last_bottom - bottom), max(top - bottom, last_top - last_bottom)
        if quarter % 2:
            across, height = abs(last_left - left), max(box[2] - left, last_right - last_left)
        found = aside if across > 0.8 * height else words
        left, bottom, top = min(left, last_left), min(bottom, last_bottom), max(top, last_top)
        found.append(Word(*_turned(quarter, left, bottom, right, top), text))
    return words, aside


def _boxes(text_page: Any, places: list[re.Match[str]], same_index: bool) -> list[float]:
    """Return left, top, right and bottom of the first and of the last letter of each word.

    All of a page are written to one block of memory and read at once: this is called for every
    word. A letter without a box has NaN; a last letter without one has the box of the first.
    """
    get_box = _plain_function("FPDFText_GetLooseCharBox", c_void_p, c_int, c_void_p)
    to_char = _plain_function("FPDFText_GetCharIndexFromTextIndex", c_void_p, c_int)
    block = (ctypes.c_float * (8 * len(places)))()
    handle, at = ctypes.cast(text_page.raw, c_void_p), ctypes.addressof(block)
    alone = list[int]()  #: words with the box of the first letter only
    for number, place in enumerate(places):
        first, end = place.span()
        last = end - 1
        if not same_index:
            first, last = to_char(handle, first), to_char(handle, last)
        if not get_box(handle, first, at):
            block[8 * number] = nan
        elif last <= first or not get_box(handle, last, at + 16):
            alone.append(number)
        at += 32
    floats: list[Any] = memoryview(block).cast("B").cast("f").tolist() if places else []
    for number in alone:
        floats[8 * number + 4 : 8 * number + 8] = floats[8 * number : 8 * number + 4]
    return floats


@cache
def _plain_function(name: str, *arguments: Any, result: Any = c_int) -> Any:
    """Return a function of PDFium that takes addresses as numbers, which saves time."""
    import pypdfium2.raw as pdfium

    address = ctypes.cast(getattr(pdfium, name), c_void_p).value
    assert address
    return ctypes.PYFUNCTYPE(result, *arguments)(address)


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
    get_object = _plain_function("FPDFPage_GetObject", c_void_p, c_int, result=c_void_p)
    get_type = _plain_function("FPDFPageObj_GetType", c_void_p)
    sides = [ctypes.c_float() for _ in range(4)]
    pointers = [ctypes.byref(side) for side in sides]
    count, handle = pdfium.FPDFPage_CountObjects(page.raw), ctypes.cast(page.raw, c_void_p)
    path_type = pdfium.FPDF_PAGEOBJ_PATH
    for number in range(count if count <= _MAX_OBJECTS else 0):
        address = get_object(handle, number)
        if not address or get_type(address) != path_type:
            continue
        item = ctypes.cast(address, pdfium.FPDF_PAGEOBJECT)
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
