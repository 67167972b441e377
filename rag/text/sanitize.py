"""Makes text from outside harmless for a terminal, a log, a clipboard or a picture.

Documents, file names, error texts and model output are data. A terminal would execute the escape
sequences in them. Direction overrides and invisible characters mislead screen readers and people,
and no widget of Textual removes them. So every such text passes `sanitize` before it is shown.
Stored text is not changed.

`sanitize` keeps the length: each character gives one character. A span into a document therefore
selects the same words in the sanitized text, and a screen can highlight a quotation by offsets.

`rag.text.foreign_marks` spells out citation markers and signs that imitate Footnote's own.
"""

from __future__ import annotations

import unicodedata

REPLACED = "\N{REPLACEMENT CHARACTER}"
_ZERO_WIDTH_JOINER = "\u200d"
#: Letters and marks that are drawn as nothing (fillers).
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
#: Unicode categories of controls, format characters, surrogates, private and unassigned ones.
_UNSEEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
#: Unicode categories of characters that have variants chosen by a variation selector.
_VARIANT_CATEGORIES = ("So", "Sm", "Sk", "Lo", "Nd", "Po", "Pd")
#: Combining marks on one letter. Vietnamese needs 2, some Tibetan and Hebrew 4.
_MAX_COMBINING_MARKS = 4


class _HarmlessCharacters(dict[int, str]):
    """Maps a code point to a harmless character; each entry is computed at its first use."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char in "\n\t":
            shown = char
        elif code < 0x20:
            shown = chr(0x2400 + code)
        elif code == 0x7F:
            shown = "\u2421"
        elif char in _INVISIBLE or (
            unicodedata.category(char) in _UNSEEN_CATEGORIES and char != _ZERO_WIDTH_JOINER
        ):
            shown = REPLACED
        else:
            shown = char
        self[code] = shown
        return shown


_HARMLESS = _HarmlessCharacters()


def sanitize(text: str) -> str:
    """Return `text` with every character that could control a terminal or hide itself replaced.

    Newline and tab are kept. C0 controls are shown as U+2400 and following. C1 controls, format
    characters (direction overrides, zero width, tags), surrogates, private and unassigned
    characters and blank fillers become U+FFFD. At most 4 combining marks in a row are kept. A
    zero-width joiner is kept only between two symbols (an emoji sequence). A variation selector is
    kept only behind a character that has variants, because rows of them can carry hidden text.
    The function is idempotent, and ``len(sanitize(text)) == len(text)``.
    """
    if "\r\n" in text:
        text = text.replace("\r\n", " \n")
    text = text.translate(_HARMLESS)
    return text if text.isascii() else _replace_misplaced(text)


def sanitize_line(text: str) -> str:
    """Return `text` sanitized and on one line: for file names, titles and messages."""
    return " ".join(sanitize(text).split())


def _replace_misplaced(text: str) -> str:
    """Replace joiners, variation selectors and combining marks that stand where none belongs."""
    characters: list[str] | None = None
    marks_in_a_row = 0
    for at, char in enumerate(text):
        if char < "\u0300":
            marks_in_a_row = 0
            continue
        if char == _ZERO_WIDTH_JOINER:
            neighbours = text[max(0, at - 1) : at], text[at + 1 : at + 2]
            misplaced = not all(map(_is_symbol, neighbours))
        elif _is_variation_selector(char):
            before = text[max(0, at - 1) : at]
            misplaced = not before or unicodedata.category(before) not in _VARIANT_CATEGORIES
        else:
            is_mark = unicodedata.category(char) in ("Mn", "Me")
            marks_in_a_row = marks_in_a_row + 1 if is_mark else 0
            misplaced = marks_in_a_row > _MAX_COMBINING_MARKS
        if misplaced:
            characters = characters or list(text)
            characters[at] = REPLACED
    return text if characters is None else "".join(characters)


def _is_variation_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_symbol(char: str) -> bool:
    return char == "\ufe0f" or (char != "" and unicodedata.category(char) in ("So", "Sk"))
