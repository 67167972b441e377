"""Strangers' text, made harmless where it meets a terminal; and an environment that no stray file or variable steers.

Documents, file names, error texts and model output are data. A terminal obeys escape sequences in them, a screen reader
and an eye are fooled by direction overrides and invisible characters, and no widget of Textual filters them. So every
text passes `safe` on its way to a screen, a log, a clipboard or a picture. What is stored stays as it is.

`safe` keeps the length: one character in, one character out. Spans into a document therefore hold in its safe text too,
which is what lets a screen light up a quotation by its offsets.

Footnote's own marks can be told from strangers' text without colours too, by one rule (`spelled`): where a text of strangers
stands among words of ours (an answer, a title, a file name, a reason, a list), a number or sign in square brackets is put into
the brackets \u27e6 \u27e7, which Footnote never sets, and a sign that Footnote sets, or one that looks like it, is written in
words: ``[2] \u2713`` becomes ``\u27e62\u27e7 (check mark)``. Kept are the citations that the writer set and `cite` read. White space is
folded (`theirs`), so that no such text begins a line of its own. A document by itself (`footnote show`, the source pane) is
shown as it is, two columns to the right of everything that Footnote says about it.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path

from rag.domain import Answer, Claim, Span

REPLACED = "\N{REPLACEMENT CHARACTER}"
_ZWJ = "\u200d"
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
)  # fillers: letters and marks that show nothing
_MOST_MARKS = 4  # combining marks on one letter; Vietnamese needs 2, some Tibetan and Hebrew 4


class _Table(dict[int, str]):
    """Code point -> harmless character, computed once for each code point that is met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in "\n\t":
            shown = char
        elif code < 0x20:
            shown = chr(0x2400 + code)
        elif code == 0x7F:
            shown = "\u2421"
        elif char in _INVISIBLE or (unicodedata.category(char) in _UNSEEN and char != _ZWJ):
            shown = REPLACED
        else:
            shown = char
        self[code] = shown
        return shown


_TABLE = _Table()
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def sanitize(text: str) -> str:
    """`text` with every character that could steer a terminal or hide itself replaced by a visible one.

    Keeps newline and tab; shows C0 controls as U+2400..; replaces C1, format (bidi overrides, zero width, tags),
    surrogate, private and unassigned characters and blank fillers with U+FFFD; keeps at most 4 combining marks in a row, a
    zero-width joiner only between two symbols (an emoji sequence), and a variation selector only behind a character that
    has variants, because rows of them carry hidden text. Idempotent, and ``len(safe(t)) == len(t)``.
    """
    if "\r\n" in text:
        text = text.replace("\r\n", " \n")
    text = text.translate(_TABLE)
    return text if text.isascii() else _bounded(text)


def repair_surrogates(text: str) -> str:
    """The text with a question mark for every half of a surrogate pair, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()


def sanitize_line(text: str) -> str:
    """`safe` text on one line: for file names, titles and messages."""
    return " ".join(sanitize(text).split())


def quote_foreign(text: str) -> str:
    """A stranger's text on one line among words of ours: white space folded, our marks `spelled`, and `safe`."""
    return sanitize_line(spell_marks(" ".join(text.split())))


_OPENING = "[\uff3b\u2045\u298b\u298d\u298f\u2772\u3014\u3018\u301a\u3010\u27ec\ufe5d\u2308\u230a\u23a1\u23a3\ufe47"
_CLOSING = "]\uff3d\u2046\u298c\u298e\u2990\u2773\u3015\u3019\u301b\u3011\u27ed\ufe5e\u2309\u230b\u23a4\u23a6\ufe48"
_BRACKETS = re.compile(
    rf"[{re.escape(_OPENING)}]([^{re.escape(_OPENING + _CLOSING)}]{{0,64}})[{re.escape(_CLOSING)}]"
)
_HELD = 66  # characters that the brackets and what is in them have at most
_MARKER = re.compile(r"\[[0-9]{1,4}(?: *[,;] *[0-9]{1,4})*\]")
#: letters that pass for digits, and what stands between numbers or is a sign of ours
_DIGITS = frozenset(
    "lI|OoQZS\u0406\u0456\u041e\u043e\u0399\u03b9\u039f\u03bf\u04c0,;.:-\u2013\u2014/&+?!~*xX\u2717\u00d7\ufffd\u2800\u3164\u115f\u1160\uffa0"
)
_NAMED = re.compile(
    "CHECK MARK|BALLOT|CROSS MARK|MULTIPLICATION X|SALTIRE|CANCELLATION X|SQUARE ROOT|CIRCLED (?:DIVISION SLASH|REVERSE SOLIDUS)|"
    "NO ENTRY|PROHIBITED|EMPTY SET|DIAMETER SIGN|^BLACK SQUARE$|^DOTTED CIRCLE$"
)
_RANGES = ((0x2190, 0x2C00), (0x10100, 0x10140), (0x1F000, 0x1FC00))
_OVERLAYS = "\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20dd-\u20e0\u20e2\u20e4-\u20e6\u20eb"  # marks across a character


@cache
def _signs() -> tuple[dict[str, str], re.Pattern[str]]:
    """Each sign of ours, and each that looks like one, with its words; and what finds them."""
    found = {"\u27e6": "\u27e6", "=\u0338": "!="}
    for code in (code for low, high in _RANGES for code in range(low, high)):
        name = unicodedata.name(chr(code), "")
        if words := _words(code, name):
            found[chr(code)] = words
    del found["\u27e6"]
    one = "".join(re.escape(char) for char in found if len(char) == 1)
    return found, re.compile(f"=\u0338|[{one}][\ufe00-\ufe0f]?|[{_OVERLAYS}]")


def _words(code: int, name: str) -> str:
    """What is written for the character; "" where it is none of ours and does not look like one."""
    if 0x2500 <= code < 0x2580:
        return "+" if "AND" in name or "CROSS" in name else "-" if "HORIZONTAL" in name else "|"
    if 0x2580 <= code < 0x25A0 or name.endswith("VERTICAL BAR"):
        return "|"
    if re.search("ANGLE (?:QUOTATION MARK|BRACKET) ORNAMENT", name):
        return ">" if "RIGHT" in name else "<"
    if "RIGHT" in name and "ARROW" in name and "LEFT" not in name:
        return "->"
    if name in ("NOT EQUAL TO", "NOT IDENTICAL TO"):
        return "!="
    return f"({name.lower()})" if _NAMED.search(name) else ""


def spell_marks(text: str, kept: Iterable[Span] = ()) -> str:
    """`text` without what looks like a mark of ours, but for the markers `kept`. Idempotent; linear in the text."""
    return _edited(text, _marks(text, kept))


def _marks(text: str, kept: Iterable[Span]) -> list[tuple[int, int, str]]:
    """What `spelled` writes for what: (start, end, words), in order."""
    starts = {span.start for span in kept}
    found = []
    for match in _BRACKETS.finditer(text):
        if match.start() not in starts and _is_number(match[1]):
            found += [
                (match.start(), match.start() + 1, "\u27e6"),
                (match.end() - 1, match.end(), "\u27e7"),
            ]
    signs, pattern = _signs()
    for match in pattern.finditer(text):
        sign = match[0] if match[0] in signs else match[0][:1]
        found.append((*match.span(), signs.get(sign, REPLACED)))
    taken: dict[int, tuple[int, int, str]] = {}
    for start, end, words in found:  # a bracket that is a sign as well is a bracket
        taken.setdefault(start, (start, end, words))
    return sorted(taken.values())


@lru_cache(4096)
def _is_number(inner: str) -> bool:
    """Does it look like a number, several, or a sign, to the eye?"""
    seen = [char for char in inner if unicodedata.category(char)[0] not in "MCZ"]
    signs, _ = _signs()

    def passes(char: str) -> bool:
        alike = unicodedata.normalize("NFKC", char)
        return char.isnumeric() or all(c.isnumeric() or c in _DIGITS or c in signs for c in alike)

    return any(char not in ",;.:-&/" for char in seen) and all(map(passes, seen))


def _edited(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    parts, at = list[str](), 0
    for start, end, words in edits:
        parts += (text[at:start], words)
        at = end
    return "".join(parts) + text[at:]


_BREAKS = re.compile(
    r"[\t\r\v\f\x1c-\x1f\x85\u2028\u2029]"
)  # white space that is not shown as what it is
_FOLLOWS = re.compile(
    r"[+~]|x(?!\w)"
)  # of the signs of a verdict in ASCII, those that speak for a source


def answer_as_shown(answer: Answer) -> Answer:
    """The answer as a person sees it: strangers' words `spelled`, on the lines that the writer made; spans are into that text.

    Strangers' are all words but the markers that were read as citations: quotations, and what a model wrote.
    """
    return shown_with_spans(answer)[0]


def shown_with_spans(answer: Answer) -> tuple[Answer, Callable[[Span], Span]]:
    """The answer `as_shown`, and where a span of its text stands there."""
    text = answer.text
    kept = [cited.span for claim in answer.claims for cited in claim.sentence.citations]
    edits = _marks(text, kept) + [(*match.span(), " ") for match in _BREAKS.finditer(text)]
    edits += [
        (span.end, span.end, " ") for span in dict.fromkeys(kept) if _FOLLOWS.match(text, span.end)
    ]
    edits.sort()
    ends, grown, by = list[int](), [0], 0
    for start, end, words in edits:
        by += len(words) - (end - start)
        ends.append(end if end > start else end + 1)
        grown.append(by)

    def span(old: Span) -> Span:
        return Span(*(at + grown[bisect_left(ends, at + 1)] for at in (old.start, old.end)))

    claims = tuple(_moved(claim, span) for claim in answer.claims)
    return replace(answer, text=_edited(text, edits), claims=claims), span


def _moved(claim: Claim, span: Callable[[Span], Span]) -> Claim:
    sentence = claim.sentence
    cited = tuple(replace(citation, span=span(citation.span)) for citation in sentence.citations)
    return replace(claim, sentence=replace(sentence, span=span(sentence.span), citations=cited))


class AnswerStream:
    """Words of an answer as they come, made for a screen before the answer is whole: what will be read as a citation stays."""

    def __init__(self) -> None:
        self._done, self._own = "", ""

    def add(self, text: str, quoted: int = 0) -> None:
        """More words; the first `quoted` characters are a quotation, which is a stranger's, and its marker is ours."""
        if quoted:
            self._done, self._own = self.text + quote_foreign(text[:quoted]) + text[quoted:], ""
        else:
            self._own += text

    @property
    def text(self) -> str:
        """All of it."""
        return self._done + self._shown(self._own)

    @property
    def steady(self) -> str:
        """The part that what comes next cannot change: whole words, no brackets that have only begun."""
        end = len(self._own.rstrip())
        end = max((self._own.rfind(space, 0, end) for space in " \n"), default=0)
        begun = self._own[max(0, end - _HELD) : max(0, end)]
        opened = max(begun.rfind(char) for char in _OPENING)
        if opened >= 0 and not any(char in begun[opened:] for char in _CLOSING):
            end -= len(begun) - opened
        return self._done + self._shown(self._own[: max(0, end)].rstrip())

    def _shown(self, own: str) -> str:
        kept = (Span(*match.span()) for match in _MARKER.finditer(own))
        return spell_marks(_BREAKS.sub(" ", own), kept)


def indented_rows(text: str) -> Iterator[str]:
    """The lines of a shown answer, made `safe`, each with its white space folded; after the first they stand two columns to the
    right, where no line of ours begins. One blank line in a row at most."""
    blank = False
    for number, row in enumerate(sanitize(text).strip().split("\n")):
        bare = " ".join(row.split())
        if bare or not blank:
            yield f"  {bare}" if number and bare else bare
        blank = not bare


def _bounded(text: str) -> str:
    out: list[str] | None = None
    marks = 0
    for at, char in enumerate(text):
        if char < "\u0300":
            marks = 0
            continue
        if char == _ZWJ:
            bad = not (_is_symbol(text[max(0, at - 1) : at]) and _is_symbol(text[at + 1 : at + 2]))
        elif "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
            before = text[max(0, at - 1) : at]
            bad = not before or unicodedata.category(before) not in (
                "So",
                "Sm",
                "Sk",
                "Lo",
                "Nd",
                "Po",
                "Pd",
            )
        else:
            marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
            bad = marks > _MOST_MARKS
        if bad:
            out = out or list(text)
            out[at] = REPLACED
    return text if out is None else "".join(out)


def _is_symbol(char: str) -> bool:
    return char == "\ufe0f" or (char != "" and unicodedata.category(char) in ("So", "Sk"))


_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "PYTHONSAFEPATH": "1",  # our child processes do not import from the current folder either
    "TOKENIZERS_PARALLELISM": "false",
    # Threads that wait sleep instead of spinning: on two busy cores spinning made an embedding eight times slower.
    "OMP_WAIT_POLICY": "passive",
}


def harden_process() -> None:
    """Make this process deaf to the folder it was started in and to variables that steer its libraries.

    Must run before chromadb, transformers or huggingface_hub are imported. Hub access is off; ``CHROMA_*`` variables
    are gone, because one of them re-routes a persistent client to any host or imports any module; the current folder
    is not on the import path. The ``.env`` file that chromadb reads at import is dealt with where it is imported.
    """
    for name in [name for name in os.environ if name.upper().startswith(("CHROMA_", "OTEL_"))]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    ours = os.path.realpath(Path(__file__).parents[2])
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it has been removed: nothing can be imported from there
        sys.path[:] = [p for p in sys.path if os.path.isabs(p)]
        return
    sys.path[:] = [
        p
        for p in sys.path
        if p != "" and (os.path.realpath(p) != here or os.path.realpath(p) == ours)
    ]
