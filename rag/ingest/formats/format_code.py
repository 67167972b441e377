"""Reads the number format of a cell: its sections and their parts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: characters of a format that is used; a longer one is taken as General
_MAX_FORMAT_CHARS = 255
_TOKEN = re.compile(
    r"""(?P<text>"[^"]*"?|\\.|[_*].|\[\$[^\]]*\])
    |(?P<elapsed>\[(?:h+|m+|s+)\])
    |(?P<bracket>\[[^\]]*\])
    |(?P<noon>AM/PM|A/P|am/pm|a/p)
    |(?P<general>General|GENERAL|general|Standard)
    |(?P<date>y+|m+|d+|h+|s+(?:\.0+)?|e+(?![+-]))
    |(?P<exponent>[eE][+-])
    |(?P<digits>[0#?]+)
    |(?P<sign>[.,%/@])
    |(?P<other>.)""",
    re.X | re.I | re.S,
)
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a format, for values that its condition holds for."""

    tokens: tuple[tuple[str, str], ...]  #: kind and text
    condition: tuple[str, float] | None

    def has(self, kind: str) -> bool:
        """Is there a part of this kind?"""
        return any(token == kind for token, _ in self.tokens)

    @property
    def is_date(self) -> bool:
        """Does it show a date or time?"""
        return self.has("date") or self.has("elapsed")


@lru_cache(maxsize=1024)
def sections_of(code: str) -> tuple[Section, ...]:
    """Return the sections of a format, which semicolons divide."""
    if len(code) > _MAX_FORMAT_CHARS:
        code = "General"
    sections, tokens, condition = list[Section](), list[tuple[str, str]](), None
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup or "", match[0]
        if text == ";":
            sections.append(Section(tuple(tokens), condition))
            tokens, condition = [], None
        elif kind == "bracket":
            found = _CONDITION.fullmatch(text)
            condition = (found[1], float(found[2])) if found else condition
        else:
            tokens.append((kind, text))
    return (*sections, Section(tuple(tokens), condition))


def literal(text: str) -> str:
    """Return what a literal shows: quoted or escaped text, the sign of a currency."""
    if text.startswith("[$"):
        return text[2:-1].partition("-")[0]
    if text.startswith("_"):
        return " "
    return "" if text.startswith("*") else text.strip('"') if text[0] == '"' else text[1:]
