"""Strangers' text, made harmless where it meets a terminal; and an environment that no stray file or variable steers.

Documents, file names, error texts and model output are data. A terminal obeys escape sequences in them, a screen reader
and an eye are fooled by direction overrides and invisible characters, and no widget of Textual filters them. So every
text passes `safe` on its way to a screen, a log, a clipboard or a picture. What is stored stays as it is.

`safe` keeps the length: one character in, one character out. Spans into a document therefore hold in its safe text too,
which is what lets a screen light up a quotation by its offsets.
"""

from __future__ import annotations

import os
import sys
import unicodedata

REPLACED = "\N{REPLACEMENT CHARACTER}"
_ZWJ = "\u200d"
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")  # fillers: letters and marks that show nothing
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


def safe(text: str) -> str:
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


def line(text: str) -> str:
    """`safe` text on one line: for file names, titles and messages."""
    return " ".join(safe(text).split())


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
            bad = not before or unicodedata.category(before) not in ("So", "Sm", "Sk", "Lo", "Nd", "Po", "Pd")
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


def protect() -> None:
    """Make this process deaf to the folder it was started in and to variables that steer its libraries.

    Must run before chromadb, transformers or huggingface_hub are imported. Hub access is off; ``CHROMA_*`` variables
    are gone, because one of them re-routes a persistent client to any host or imports any module; the current folder
    is not on the import path. The ``.env`` file that chromadb reads at import is dealt with where it is imported.
    """
    for name in [name for name in os.environ if name.upper().startswith(("CHROMA_", "OTEL_"))]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    ours = os.path.realpath(os.path.dirname(os.path.dirname(__file__)))
    try:
        here = os.path.realpath(os.getcwd())
    except OSError:  # it has been removed: nothing can be imported from there
        sys.path[:] = [p for p in sys.path if os.path.isabs(p)]
        return
    sys.path[:] = [p for p in sys.path if p != "" and (os.path.realpath(p) != here or os.path.realpath(p) == ours)]
