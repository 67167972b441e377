"""Spells out citation markers and signs in foreign text that imitate Footnote's own.

A user must be able to tell Footnote's marks from foreign text without colours. Foreign text is
everything that Footnote did not write: documents, file names, titles, reasons, model output. Where
it is shown among Footnote's own words (an answer, a title, a file name, a reason, a list):

* a number or sign in square brackets is put into the brackets \u27e6 \u27e7, which Footnote never
  writes for itself, and
* a sign that Footnote writes, or one that looks like it, is written in words.

``[2] \u2713`` becomes ``\u27e62\u27e7 (check mark)``. The citations that the writer made and
`rag.answer.cite` read are kept. White space is folded (`quote_foreign`), so that no foreign text
begins a line of its own. A document by itself (`footnote show`, the source pane) is shown
unchanged, two columns to the right of everything that Footnote says about it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

from rag.domain import Answer, Claim, Span
from rag.text.sanitize import REPLACED, sanitize, sanitize_line

#: Opening and closing square brackets, and the characters that look like them.
_OPENING = (
    "[\uff3b\u2045\u298b\u298d\u298f\u2772\u3014\u3018\u301a\u3010\u27ec\ufe5d\u2308\u230a"
    "\u23a1\u23a3\ufe47"
)
_CLOSING = (
    "]\uff3d\u2046\u298c\u298e\u2990\u2773\u3015\u3019\u301b\u3011\u27ed\ufe5e\u2309\u230b"
    "\u23a4\u23a6\ufe48"
)
_BRACKETS = re.compile(
    rf"[{re.escape(_OPENING)}]"
    rf"([^{re.escape(_OPENING + _CLOSING)}]{{0,64}})"
    rf"[{re.escape(_CLOSING)}]"
)
#: Characters that a match of `_BRACKETS` has at most.
_MAX_BRACKETED_CHARS = 66
_CITATION = re.compile(r"\[[0-9]{1,4}(?: *[,;] *[0-9]{1,4})*\]")
#: Letters that look like digits, separators between numbers, and signs that Footnote writes.
_DIGITS = frozenset(
    "lI|OoQZS\u0406\u0456\u041e\u043e\u0399\u03b9\u039f\u03bf\u04c0,;.:-\u2013\u2014/&+?!~*xX"
    "\u2717\u00d7\ufffd\u2800\u3164\u115f\u1160\uffa0"
)
#: Unicode names of the characters that are written as their name.
_SPELLED_BY_NAME = re.compile(
    "CHECK MARK|BALLOT|CROSS MARK|MULTIPLICATION X|SALTIRE|CANCELLATION X|SQUARE ROOT|"
    "CIRCLED (?:DIVISION SLASH|REVERSE SOLIDUS)|"
    "NO ENTRY|PROHIBITED|EMPTY SET|DIAMETER SIGN|^BLACK SQUARE$|^DOTTED CIRCLE$"
)
#: Code points [low, high) that are searched for signs.
_SIGN_RANGES = ((0x2190, 0x2C00), (0x10100, 0x10140), (0x1F000, 0x1FC00))
#: Combining marks that are drawn across a character.
_OVERLAYS = "\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20dd-\u20e0\u20e2\u20e4-\u20e6\u20eb"
_NOTHING = re.compile(r"(?!)")
#: White space that a screen shows as something else.
_BREAKS = re.compile(r"[\t\r\v\f\x1c-\x1f\x85\u2028\u2029]")
#: Of the verdict signs in ASCII, those that speak for a source. Behind a citation they are forged.
_FORGED_VERDICT = re.compile(r"[+~]|x(?!\w)")


class _Edit(NamedTuple):
    """Replacement of the characters `start` to `end` of a text by `words`."""

    start: int
    end: int
    words: str


def quote_foreign(text: str) -> str:
    """Return foreign text as one sanitized line with its marks spelled out."""
    return sanitize_line(spell_marks(" ".join(text.split())))


def spell_marks(text: str, kept: Iterable[Span] = ()) -> str:
    """Return `text` with everything that looks like a mark of Footnote spelled out.

    The citations at the spans `kept` stay. The function is idempotent and linear in the text.
    """
    return _apply(text, _spellings(text, kept))


@cache
def _signs() -> tuple[dict[str, str], re.Pattern[str]]:
    """Return the words for each sign of Footnote and each lookalike, and a pattern of them all."""
    words_of = {"=\u0338": "!="}
    for code in (code for low, high in _SIGN_RANGES for code in range(low, high)):
        if words := _words_for(code, unicodedata.name(chr(code), "")):
            words_of[chr(code)] = words
    single = "".join(re.escape(char) for char in words_of if len(char) == 1)
    pattern = re.compile(f"=\u0338|[{single}][\ufe00-\ufe0f]?|[{_OVERLAYS}]")
    return words_of, pattern


def _words_for(code: int, name: str) -> str:
    """Return the words for a character, or "" if Footnote writes nothing that looks like it."""
    if 0x2500 <= code < 0x2580:  # box drawing
        return "+" if "AND" in name or "CROSS" in name else "-" if "HORIZONTAL" in name else "|"
    if 0x2580 <= code < 0x25A0 or name.endswith("VERTICAL BAR"):
        return "|"
    if re.search("ANGLE (?:QUOTATION MARK|BRACKET) ORNAMENT", name):
        return ">" if "RIGHT" in name else "<"
    if "RIGHT" in name and "ARROW" in name and "LEFT" not in name:
        return "->"
    if name in ("NOT EQUAL TO", "NOT IDENTICAL TO"):
        return "!="
    return f"({name.lower()})" if _SPELLED_BY_NAME.search(name) else ""


def _spellings(text: str, kept: Iterable[Span]) -> list[_Edit]:
    """Return the edits that `spell_marks` makes, in order."""
    kept_starts = {span.start for span in kept}
    edits: list[_Edit] = []
    for match in _BRACKETS.finditer(text):
        if match.start() not in kept_starts and _looks_like_number(match[1]):
            edits.append(_Edit(match.start(), match.start() + 1, "\u27e6"))
            edits.append(_Edit(match.end() - 1, match.end(), "\u27e7"))
    words_of, pattern = _signs() if not text.isascii() else ({}, _NOTHING)  # signs are not ASCII
    for match in pattern.finditer(text):
        sign = match[0] if match[0] in words_of else match[0][:1]
        edits.append(_Edit(*match.span(), words_of.get(sign, REPLACED)))
    by_start: dict[int, _Edit] = {}
    for edit in edits:  # a character that is a bracket and a sign is edited as a bracket
        by_start.setdefault(edit.start, edit)
    return sorted(by_start.values())


@lru_cache(4096)
def _looks_like_number(inner: str) -> bool:
    """Tell whether `inner` looks like a number, several numbers, or a sign of Footnote."""
    visible = [char for char in inner if unicodedata.category(char)[0] not in "MCZ"]
    words_of, _ = _signs()

    def passes(char: str) -> bool:
        plain = unicodedata.normalize("NFKC", char)
        return char.isnumeric() or all(
            c.isnumeric() or c in _DIGITS or c in words_of for c in plain
        )

    return any(char not in ",;.:-&/" for char in visible) and all(map(passes, visible))


def _apply(text: str, edits: Sequence[_Edit]) -> str:
    """Return `text` after `edits`, which are in order and do not overlap."""
    parts, at = list[str](), 0
    for start, end, words in edits:
        parts += (text[at:start], words)
        at = end
    return "".join(parts) + text[at:]


def answer_as_shown(answer: Answer) -> Answer:
    """Return the answer as it is shown: foreign words spelled out, spans moved to match.

    Foreign are all words but the markers that were read as citations: quotations, and what a model
    wrote. The lines that the writer made are kept.
    """
    return shown_with_spans(answer)[0]


def shown_with_spans(answer: Answer) -> tuple[Answer, Callable[[Span], Span]]:
    """Return `answer_as_shown`, and a function from a span of the old text to one of the new."""
    text = answer.text
    kept = [cited.span for claim in answer.claims for cited in claim.sentence.citations]
    edits = _spellings(text, kept)
    edits += [_Edit(*match.span(), " ") for match in _BREAKS.finditer(text)]
    edits += [
        _Edit(span.end, span.end, " ")
        for span in dict.fromkeys(kept)
        if _FORGED_VERDICT.match(text, span.end)
    ]
    edits.sort()
    # Behind the edit number n, the new text is growth[n + 1] characters ahead of the old one.
    edit_ends = [edit.end if edit.end > edit.start else edit.end + 1 for edit in edits]
    growth = list(
        accumulate((len(edit.words) - (edit.end - edit.start) for edit in edits), initial=0)
    )

    def moved(span: Span) -> Span:
        start, end = (at + growth[bisect_left(edit_ends, at + 1)] for at in (span.start, span.end))
        return Span(start, end)

    claims = tuple(_move_claim(claim, moved) for claim in answer.claims)
    return replace(answer, text=_apply(text, edits), claims=claims), moved


def _move_claim(claim: Claim, moved: Callable[[Span], Span]) -> Claim:
    sentence = claim.sentence
    citations = tuple(
        replace(citation, span=moved(citation.span)) for citation in sentence.citations
    )
    return replace(
        claim, sentence=replace(sentence, span=moved(sentence.span), citations=citations)
    )


class AnswerStream:
    """The words of an unfinished answer, spelled out for a screen; possible citations are kept."""

    def __init__(self) -> None:
        self._finished = ""  # spelled out
        self._pending = ""  # as it came

    def add(self, text: str, quoted: int = 0) -> None:
        """Append words. The first `quoted` characters are a quotation; its marker is Footnote's."""
        if quoted:
            quotation, marker = quote_foreign(text[:quoted]), text[quoted:]
            self._finished, self._pending = self.text + quotation + marker, ""
        else:
            self._pending += text

    @property
    def text(self) -> str:
        """All words so far."""
        return self._finished + self._spelled(self._pending)

    @property
    def steady(self) -> str:
        """The words that later ones cannot change: whole words, no bracket that is still open."""
        end = len(self._pending.rstrip())
        end = max((self._pending.rfind(space, 0, end) for space in " \n"), default=0)
        tail = self._pending[max(0, end - _MAX_BRACKETED_CHARS) : max(0, end)]
        opened = max(tail.rfind(char) for char in _OPENING)
        if opened >= 0 and not any(char in tail[opened:] for char in _CLOSING):
            end -= len(tail) - opened
        return self._finished + self._spelled(self._pending[: max(0, end)].rstrip())

    def _spelled(self, words: str) -> str:
        citations = (Span(*match.span()) for match in _CITATION.finditer(words))
        return spell_marks(_BREAKS.sub(" ", words), citations)


def indented_rows(text: str) -> Iterator[str]:
    """Yield the lines of a shown answer, sanitized, each with its white space folded.

    All lines but the first are indented by two columns, where no line of Footnote begins. At most
    one blank line follows another line.
    """
    after_blank = False
    for number, row in enumerate(sanitize(text).strip().split("\n")):
        words = " ".join(row.split())
        if words or not after_blank:
            yield f"  {words}" if number and words else words
        after_blank = not words
