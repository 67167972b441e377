"""Questions with their answers: marked `Q:` and `A:`, or questions that stand alone on a line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from rag.domain import Span, Unit, UnitKind
from rag.ingest.structure.lines import Line

_QUESTION = re.compile(
    r"[*_#\s]*(?:Q|Question|Frage|Pregunta|F)\s?\d{0,3}[.:)][*_]*\s*(?P<question>\S.*)", re.I
)
_ANSWER = re.compile(
    r"[*_#\s]*(?:A|Answer|Antwort|Respuesta|R)\s?\d{0,3}[.:)][*_]*\s*(?P<answer>.*)", re.I
)
#: a line that is nothing but a question, perhaps numbered or bold
_ALONE = re.compile(
    r"(?:\d{1,3}[.)]\s*)?(?P<bold>\*\*|__)?(?P<question>[^\W_][^?*|]{3,150}\?)(?:\*\*|__)?"
)
#: what an answer does not begin with: a heading, a list, a table, a quotation, code
_NO_ANSWER = ("#", "-", "*", "|", ">", "`", "+")
#: questions alone on a line, among so many lines before and after, from which a text is taken for
#: questions and answers
_MIN_ALONE, _AROUND = 3, 100


def question_and_answer(lines: Sequence[Line], number: int) -> tuple[list[Unit], int] | None:
    """Return the answer to the question at line `number`, or None.

    An answer goes on to the next blank line or question. A question that stands alone on a line
    counts if it is bold, or if the text has several.
    """
    question = _QUESTION.match(lines[number].text)
    if question is None:
        return _answer_below(lines, number)
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


def _answer_below(lines: Sequence[Line], number: int) -> tuple[list[Unit], int] | None:
    """Return the answer to a question that stands alone on line `number`, or None."""
    question = _alone(lines, number)
    if question is None:
        return None
    if not question["bold"]:
        around = range(max(0, number - _AROUND), min(len(lines), number + _AROUND))
        others = (at for at in around if _alone(lines, at))
        if len(list(islice(others, _MIN_ALONE))) < _MIN_ALONE:
            return None
    last = number + 1
    while last < len(lines) and lines[last].text and not _ALONE.fullmatch(lines[last].text):
        last += 1
    span = Span(lines[number + 1].at, lines[last - 1].span.end)
    return [Unit(UnitKind.ANSWER, span, question["question"])], last


def _alone(lines: Sequence[Line], number: int) -> re.Match[str] | None:
    """The question that line `number` is, if a paragraph that is no question comes below it."""
    if "?" not in lines[number].text[-3:]:
        return None
    below = lines[number + 1].text if number + 1 < len(lines) else ""
    if not below or below.startswith(_NO_ANSWER) or _ALONE.fullmatch(below):
        return None
    if number and lines[number - 1].text and not lines[number - 1].text.startswith("#"):
        return None
    return _ALONE.fullmatch(lines[number].text)
