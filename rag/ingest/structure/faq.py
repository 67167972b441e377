"""Questions with their answers, marked `Q:` and `A:` or by their words in another language."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.domain import Span, Unit, UnitKind
from rag.ingest.structure.lines import Line

_QUESTION = re.compile(
    r"[*_#\s]*(?:Q|Question|Frage|Pregunta|F)\s?\d{0,3}[.:)][*_]*\s*(?P<question>\S.*)", re.I
)
_ANSWER = re.compile(
    r"[*_#\s]*(?:A|Answer|Antwort|Respuesta|R)\s?\d{0,3}[.:)][*_]*\s*(?P<answer>.*)", re.I
)


def question_and_answer(lines: Sequence[Line], number: int) -> tuple[list[Unit], int] | None:
    """Return the answer to the question at line `number`, or None.

    An answer goes on to the next blank line or question.
    """
    question = _QUESTION.match(lines[number].text)
    if question is None:
        return None
    at = number + 1
    if at < len(lines) and not lines[at].text:
        at += 1
    answer = _ANSWER.match(lines[at].text) if at < len(lines) else None
    if answer is None:
        return None
    last = at + 1
    while last < len(lines) and lines[last].text and not _QUESTION.match(lines[last].text):
        last += 1
    start = lines[at].at + answer.start("answer")
    end = lines[last - 1].span.end
    if start >= end:
        return None
    return [Unit(UnitKind.ANSWER, Span(start, end), question["question"].strip("*_ "))], last
