"""Words of scripts that are written without spaces, as overlapping pairs of characters.

Chinese, Japanese, Thai, Lao, Khmer and Burmese do not divide words, and Korean joins endings to
them. The tokenizer of SQLite would take a whole clause for one word. So the table of words gets
each run of such characters as single characters and as overlapping pairs, and a question is looked
up by its pairs. A character has its vowel signs and tone marks with it. The text itself and its
spans stay as they are. Text in other scripts is entered unchanged.

A segmenter with a dictionary needs one for each language, and may divide a rare name in another way
in the text than in the question. Pairs need no dictionary.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

#: vowel signs and tone marks of Thai, Lao, Burmese and Khmer, which the tokenizer would drop
_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
    "\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u106d\u1071-\u1074\u1082-\u108f\u17b4-\u17d3"
)
_LETTERS = (
    "\u3005-\u3007\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f"
    "\u1100-\u11ff\uac00-\ud7a3"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081"
    "\u1780-\u17b3\u17d7\u17dc"
)
#: a run; a very long one is cut, because normalising takes time with the square of its marks
_RUN = re.compile(f"[{_LETTERS}{_MARKS}]{{1,1000}}")
_CHARACTER = re.compile(f".[{_MARKS}]*", re.DOTALL)
#: first of the characters for private use, which the tokenizer takes for letters
_PRIVATE = 0xE000
_MARK_LETTERS = {
    code: _PRIVATE + code for code in range(0x0E00, 0x1800) if re.match(f"[{_MARKS}]", chr(code))
}


def spaced(text: str) -> str:
    """Return `text` as it is entered in the table of words: runs as characters and pairs."""
    return text if text.isascii() else _RUN.sub(_spaced_run, text)


def divide(question: str) -> tuple[str, list[str]]:
    """Return the question without its runs, and the pairs of the runs to look up."""
    if question.isascii():
        return question, []
    pairs = [word for run in _RUN.findall(question) for word in _pairs(_characters(run))]
    return _RUN.sub(" ", question), pairs


def _spaced_run(match: re.Match[str]) -> str:
    characters = _characters(match[0])
    words = characters if len(characters) == 1 else [*characters, *_pairs(characters)]
    return f" {' '.join(words)} "


def _characters(run: str) -> list[str]:
    """The characters of a run, each with its marks as letters."""
    composed = unicodedata.normalize("NFKC", run)
    return [found.translate(_MARK_LETTERS) for found in _CHARACTER.findall(composed)]


def _pairs(characters: list[str]) -> list[str]:
    """The overlapping pairs; of one character, itself."""
    if len(characters) == 1:
        return characters
    return [one + other for one, other in pairwise(characters)]
