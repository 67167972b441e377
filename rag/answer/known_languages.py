"""Names the languages that the built-in reader reads, and words its refusal of others.

The reader was trained on English. In German, French and Spanish it finds less and was not wrong
more often; the figures are in docs/how-answers-are-checked.md. Answers by structure compare words
and numbers, in any language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rag.domain import Passage
from rag.text.language import ENGLISH, language_name, language_of

#: codes of the languages that the reader reads
KNOWN_LANGUAGES = frozenset({ENGLISH, "de", "es", "fr"})


def unknown_language(text: str, question: bool = False) -> str:
    """Return the code of the language of a text that the reader does not read; else ""."""
    code = language_of(text, question)
    return "" if code in KNOWN_LANGUAGES else code


def unknown_languages(passages: Sequence[Passage]) -> dict[int, str]:
    """Number of a passage -> its language, for those that the reader does not read."""
    found = {p.number: unknown_language(p.chunk.text) for p in passages}
    return {number: code for number, code in found.items() if code}


def of_question(code: str) -> str:
    """What is missing for a question in another language, in words."""
    return f"a model that reads {language_name(code)}, the language of the question"


def of_passages(languages: Mapping[int, str]) -> str:
    """What is missing for passages in other languages, in words."""
    names = " and ".join(dict.fromkeys(map(language_name, languages.values())))
    many = len(languages) > 1
    numbers = ", ".join(map(str, languages))
    return (
        f"a model that reads {names}, the language{'s' if ' and ' in names else ''} "
        f"of passage{'s' if many else ''} {numbers}"
    )
