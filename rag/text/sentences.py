"""Splits text into blocks and blocks into sentences, for documents and for answers.

A block is one paragraph, heading or list item as a user sees it. A blank line always ends a block.
A single line break ends one too, unless the text is hard-wrapped (as e-mail, RFCs and PEPs are):
then lines that fill the column belong together. A line of prose that stops in the middle of a
sentence goes on in the next one, whatever the text is like: a passage of a few lines does not show
that it is wrapped. Blocks of thousands of characters are cut into pieces first. Inside a block the
boundaries are those of `sentencex` (the rule-based segmenter of the Wikimedia Foundation), which
knows abbreviations and does not split a quotation.

Every function returns spans into the text that it was given.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from rag.domain import Span

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ITEM = re.compile(r"\s*(?:[-*+•–>#|]|\d{1,3}[.)]|\(?[a-zA-Z][.)])\s|\s*(?:```|~~~|===|---)")
#: the day of a date as German, Danish, Norwegian, Czech … write it, and the beginning of a month
_DAY = re.compile(r"(?:^|[\s(])\d{1,2}\.$")
_MONTH = re.compile(
    r"\s(?:jan|feb|m[aä]r|apr|ma[iyj]|jun|jul|aug|sep|o[ck]t|nov|de[cz])[^\W\d_]*\b", re.I
)
#: abbreviations that the segmenter does not know: titles of people, and words before numbers
_TITLE = re.compile(
    r"(?<![\w.])(?:Ms|Mx|Sra|Sres|Dra|Cllr|Pte|Dipl|Mag|Lic|Dott|Mons|Dna|Avv|Attn|Br)\.$"
)
_BEFORE_NUMBER = re.compile(
    r"(?<![\w.])(?:max|tel|incl|excl|approx|paras?|vols?|apt|est|resp|fax|abs|ziff|chs?|eqs?|cap"
    r"|temp|avg|str)\.$",
    re.I,
)
_MAX_ABBREVIATION = 8  #: characters, with what stands before it
_ENUMERATOR = re.compile(r"[(\[]?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)\]]{1,2}")
#: marks of emphasis that end before the rest of a paragraph
_CLOSING_MARK = re.compile(r"(\*{1,3}|_{1,3})\s+(?=\S)")
#: The header of a table row's first cell: "Word: ".
_CELL_HEADER = re.compile(r"[^\s:;|][^:;|\n]{0,79}: ")
#: Ends of sentences that the segmenter does not know: of Khmer, and a blank between words of Thai
#: or Lao, which have no other sign.
_OTHER_ENDS = re.compile(r"[។៕]\s*|(?<=[\u0e01-\u0edf]) (?=[\u0e01-\u0edf])")
#: Characters of a Thai sentence that a blank ends; it also stands within shorter ones.
_MIN_THAI_CHARS = 40
_NON_ASCII_SPACE = re.compile(r"[^\S\x00-\x7f]")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
#: Characters given to the segmenter at once. Its time grows with their square where there are many
#: quotation marks.
_MAX_SEGMENTER_CHARS = 5_000
#: The characters behind which the segmenter may split ASCII text.
_POSSIBLE_ENDS = re.compile(r"[.!?\n]")
_SENTENCE_END = re.compile(r"[.!?。！？]['\"”’»)\]]{0,3}\s")
#: widest column that a text is taken to be wrapped at, and narrowest
_MAX_WIDTH, _MIN_WIDTH = 140, 40
#: shortest line of prose that may stop in the middle of a sentence, where nothing else tells
_MIN_PROSE_CHARS = 50
_ENDED = re.compile(r"[.!?:。！？：]['\"”’»)\]*_]{0,3}$")
_TABULAR = re.compile(r"\S(?: {2,}|\t)\S|\s\|\s|[,;]\S+[,;]\S|^\s*[\w.-]+ ?[=:]\s")
_INNER_END = re.compile(r"[a-z\d)][.!?]\s+[A-Z]")
#: words that no sentence, heading or name of a thing ends in, and a comma
_GOES_ON = re.compile(
    r"(?:,|\b(?:a|an|the|this|these|his|her|its|their|our|your|my|of|and|or|but|nor|as|than|that|"
    r"which|who|whose|if|because|since|while|when|where|with|without|from|into|for|by|at|to|in|on|"
    r"between|until|is|are|was|were|be|been|has|have|had|will|would|can|could|must|may|not|very|"
    r"mr|mrs|ms|dr)\.?)$",
    re.I,
)


def split_blocks(text: str, width: int | None = None, column: int = 0) -> Iterator[Span]:
    """Yield the spans of the paragraphs, headings and list items of `text`, white space trimmed.

    `width` is the column that the text is wrapped at, 0 if it is not; None if that is not known.
    `column` is where the text begins in its first line.
    """
    lines = _lines_of(text)
    width = _width_of(text, lines) if width is None else width
    start = end = -1
    for at, span in enumerate(lines):
        stripped = _trim(text, span)
        if stripped.start >= stripped.end:
            if start >= 0:
                yield Span(start, end)
            start = -1
            continue
        shift = column if at == 1 else 0
        if start >= 0 and not _continues(text, lines[at - 1], span, width, shift):
            yield Span(start, end)
            start = -1
        if start < 0:
            start = stripped.start
        end = stripped.end
    if start >= 0:
        yield Span(start, end)


def goes_on(line: str) -> bool:
    """Tell whether a line ends in a word or comma that no sentence, heading or name ends in."""
    return bool(_GOES_ON.search(line))


def wrap_width(text: str) -> int:
    """Return the column at which `text` was wrapped, or 0 if each line is a paragraph.

    A text counts as wrapped if at least 4 lines are followed by another line, 9 of 10 lines have at
    most 140 characters, and at least half of the followed lines fill 6 tenths of the widest one.
    The widest is the 9th decile, which ignores outliers.
    """
    return _width_of(text, _lines_of(text))


def _lines_of(text: str) -> list[Span]:
    return [Span(m.start(), m.end()) for m in _LINE.finditer(text)]


def _width_of(text: str, lines: list[Span]) -> int:
    lengths = [s.end - s.start for s in lines if text[s.start : s.end].strip()]
    followed = [
        a.end - a.start
        for a, b in pairwise(lines)
        if text[a.start : a.end].strip() and text[b.start : b.end].strip()
    ]
    if len(followed) < 4:
        return 0
    width = sorted(lengths)[int(0.9 * (len(lengths) - 1))]
    if not _MIN_WIDTH <= width <= _MAX_WIDTH or _is_table(text, lines):
        return 0
    full = sum(length >= 0.6 * width for length in followed)
    return width if 2 * full >= len(followed) else 0


def _is_table(text: str, lines: list[Span]) -> bool:
    """Tell whether three of four lines contain " | " or begin with the same "Word: "."""
    rows = [text[s.start : s.end] for s in lines if text[s.start : s.end].strip()]
    headers = [m[0] if (m := _CELL_HEADER.match(row)) else "" for row in rows]
    most_common = Counter(filter(None, headers)).most_common(1)
    common_header = most_common[0][0] if most_common else None
    table_rows = sum(
        header == common_header or " | " in row for header, row in zip(headers, rows, strict=True)
    )
    return 4 * table_rows >= 3 * len(rows)


def _continues(text: str, before: Span, after: Span, width: int, column: int) -> bool:
    """Tell whether the line `after` continues the sentence of `before`, which begins at `column`.

    In a wrapped text a line goes on if the next word had no room in it, or if it is nearly full and
    ends no sentence. In another one it goes on if it is prose and stops in the
    middle of a sentence.
    """
    if not width and column + before.end - before.start < _MIN_PROSE_CHARS:
        return False
    line, head = text[after.start : after.end], text[before.start : before.end].rstrip()
    if _ITEM.match(line):
        return False
    first, room = line.split(maxsplit=1)[0], width - column - len(head)
    if width and (first[:1].islower() or room < len(first) + 1):
        return True
    if _ENDED.search(head):
        return False
    return room < 0.4 * width if width else _stops_within(head, first)


def _stops_within(head: str, first: str) -> bool:
    """Does a line of prose stop within a sentence, with the word `first` in the next line?"""
    if _TABULAR.search(head):
        return False
    is_open = head.count("(") > head.count(")")
    return bool(is_open or first[:1].islower() or _GOES_ON.search(head) or _INNER_END.search(head))


def split_sentences(
    text: str, within: Span | None = None, width: int | None = None
) -> Iterator[Span]:
    """Yield the spans of the sentences of `text`, or of its part `within`, white space trimmed.

    `width` is as in `split_blocks`.
    """
    offset = within.start if within else 0
    part = within.of(text) if within else text
    column = len(text[max(0, offset - _MAX_WIDTH) : offset].rpartition("\n")[2])
    for block in split_blocks(part, width, column):
        yield from sentences_of_block(text, Span(offset + block.start, offset + block.end))


def sentences_of_block(text: str, block: Span) -> Iterator[Span]:
    """Yield the spans of the sentences of one block."""
    # start of a bare "1.", or of what ends in the day of "5. Mai" or in "Ms.": all go on behind it
    enumerator_start = -1
    for span in _with_closing_marks(text, _segmented(text, block)):
        start = span.start if enumerator_start < 0 else enumerator_start
        is_cut = (
            _ENUMERATOR.fullmatch(text, span.start, span.end)
            or _ends_in_day(text, span.end)
            or _ends_in_abbreviation(text, span.end)
        )
        if is_cut and span.end < block.end:
            enumerator_start = start
        else:
            enumerator_start = -1
            yield Span(start, span.end)


def _with_closing_marks(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the sentences, each with the marks that end its emphasis: "**Leak.** It drips." """
    before: Span | None = None
    for span in spans:
        mark = _CLOSING_MARK.match(text, span.start, span.end)
        if before and mark and _is_open(before.of(text), re.escape(mark[1])):
            before, span = Span(before.start, mark.end(1)), Span(mark.end(), span.end)
        if before:
            yield before
        before = span
    if before:
        yield before


def _is_open(text: str, mark: str) -> bool:
    """Does a mark of emphasis begin in a text more often than it ends there?"""
    begins = len(re.findall(rf"(?<![\w*_]){mark}(?=[^\s*_])", text))
    return begins > len(re.findall(rf"(?<=[^\s*_]){mark}(?![\w*_])", text))


def _ends_in_day(text: str, end: int) -> bool:
    """Does a day such as "5." end at `end`, with its month behind it?"""
    return bool(_DAY.search(text, max(0, end - 4), end)) and bool(_MONTH.match(text, end, end + 12))


def _ends_in_abbreviation(text: str, end: int) -> bool:
    """Does an abbreviation end at `end`, with the name or number behind it that it belongs to?"""
    start, after = max(0, end - _MAX_ABBREVIATION), text[end : end + 2]
    if not after[:1].isspace():
        return False
    if after[1:].isdigit():
        return bool(_BEFORE_NUMBER.search(text, start, end))
    return after[1:].isupper() and bool(_TITLE.search(text, start, end))


def _segmented(text: str, block: Span) -> Iterator[Span]:
    """Yield the sentences of a block as the segmenter sees them."""
    from sentencex import segment

    for piece in bounded(text, block, _MAX_SEGMENTER_CHARS):
        plain, at = _segmentable(piece.of(text)), 0
        # Most lines of code, lists and tables have no end of a sentence and need no segmenter.
        is_one_sentence = plain.isascii() and not _POSSIBLE_ENDS.search(plain)
        for sentence in () if is_one_sentence else segment("en", plain):
            if not plain.startswith(sentence, at):
                break  # the segmenter altered characters: the rest is taken as one sentence
            span = _trim(text, Span(piece.start + at, piece.start + at + len(sentence)))
            at += len(sentence)
            if span.start < span.end:
                yield from _divided(text, span)
        rest = _trim(text, Span(piece.start + at, piece.end))
        if rest.start < rest.end:
            yield rest


def _divided(text: str, span: Span) -> Iterator[Span]:
    """Yield the sentences of a span at ends that the segmenter does not know."""
    start = span.start
    if not text.isascii():
        for end in _OTHER_ENDS.finditer(text, span.start, span.end):
            if end[0] != " " or end.start() - start >= _MIN_THAI_CHARS:
                yield _trim(text, Span(start, end.end()))
                start = end.end()
    if start < span.end:
        yield Span(start, span.end)


def _segmentable(text: str) -> str:
    """Return `text`, of the same length, without the characters at which the segmenter panics.

    These are white space outside ASCII ("B\\u00a0.") and lone surrogates.
    """
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub("\ufffd", _NON_ASCII_SPACE.sub(" ", text))


def line_number(text: str, offset: int) -> int:
    r"""Return the 1-based number of the line with `offset`. Only "\n" ends a line."""
    return text.count("\n", 0, offset) + 1


def bounded(text: str, span: Span, max_chars: int) -> Iterator[Span]:
    """Yield `span` in pieces of at most `max_chars` characters.

    A piece is cut in its second half: at the end of a sentence, else at a blank, else anywhere.
    """
    start = span.start
    while span.end - start > max_chars:
        low, high = start + max_chars // 2, start + max_chars
        stops = [match.end() for match in _SENTENCE_END.finditer(text, low, high)]
        cut = stops[-1] if stops else text.rfind(" ", low, high) + 1 or high
        yield Span(start, cut)
        start = cut
    yield Span(start, span.end)


def _trim(text: str, span: Span) -> Span:
    """Return `span` without the white space at its ends."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
