"""A saved answer object read back as an `Answer`, so that its evidence works as when it was fresh.

The object is that of `rag.serialize.answer`. Objects of earlier versions lack fields: a missing one
gets its default, and what has another type than it should is left out. Nothing is checked again.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property

from rag.disk.strict_json import Json
from rag.domain import (
    Answer,
    AnsweredPart,
    Answers,
    Chunk,
    Citation,
    Claim,
    Copy,
    Evidence,
    FileState,
    Judgement,
    Model,
    ModelFailure,
    Passage,
    Ranks,
    Reason,
    Receipt,
    Seconds,
    Sentence,
    Span,
    Verdict,
)

#: An object of parsed JSON.
Object = Mapping[str, Json]
#: The largest whole number that every program reads from JSON exactly.
_MAX_WHOLE = 2**53
_MARKER = re.compile(r"\[\d{1,4}(?: *[,;] *\d{1,4})*\]", re.ASCII)


class AnswerText:
    """The text of a saved answer and the markers in it, which are looked for once."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def markers(self) -> list[Citation]:
        """One citation for each number of each marker, in order."""
        return [
            Citation(int(number), Span(*match.span()))
            for match in _MARKER.finditer(self.text)
            for number in re.findall(r"\d+", match[0])
        ]

    def last_markers(self, span: Span, count: int) -> tuple[Citation, ...]:
        """Return the last citations in a span of the text, at most `count`."""
        end = bisect_right(self.markers, span.end, key=lambda marker: marker.span.end)
        last = self.markers[max(0, end - count) : end]
        return tuple(marker for marker in last if marker.span.start >= span.start)


def read_answer(saved: Object, question: str) -> Answer:
    """The answer of a saved object. `question` is used if the object names none."""
    text = AnswerText(_text(saved, "answer"))
    claims = tuple(_claim(claim, text) for claim in _objects(saved, "claims"))
    receipt, model, seconds = (_object(saved, name) for name in ("receipt", "model", "seconds"))
    reason = _text(saved, "reason")
    return Answer(
        question=_text(saved, "question") or question,
        text=text.text,
        short=_text(saved, "short") or None,
        claims=claims,
        passages=tuple(_passage(passage) for passage in _objects(saved, "passages")),
        abstained=bool(saved.get("abstained")),
        reason=Reason(reason) if reason in set(Reason) else None,
        receipt=Receipt(
            **{name: _whole(receipt, name) for name in _COUNTS},
            dropped=tuple(_texts(receipt, "dropped")),
        ),
        model=Model(
            _text(model, "name"),
            _text(model, "sha256"),
            _text(model, "calibrated"),
            _text(model, "server"),
        ),
        seconds=Seconds(**{name: _number(seconds, name) for name in _TIMES}),
        missing=_text(saved, "missing"),
        stopped=bool(saved.get("stopped")),
        differ=bool(saved.get("differ")),
        chance=_number(saved, "chance") if saved.get("chance") is not None else None,
        asked=_text(saved, "asked"),
        left_out=tuple(_evidence(place) for place in _objects(saved, "left_out")),
        languages=tuple(_texts(saved, "languages")),
        parts=tuple(
            AnsweredPart(
                _text(part, "question"), bool(part.get("answered")), _text(part, "short") or None
            )
            for part in _objects(saved, "parts")
        ),
        related=tuple(_claim(claim, text) for claim in _objects(saved, "related")),
        withheld=tuple(_claim(claim, text) for claim in _objects(saved, "withheld")),
        within=tuple(_texts(saved, "within")),
        model_failed=_failure(_object(saved, "model_failed")),
    )


_COUNTS = ("context", "system", "history", "passages", "answer")
_TIMES = ("retrieve", "first", "check", "total")


def _claim(saved: Object, answer: AnswerText) -> Claim:
    length = len(answer.text)
    start = min(_whole(saved, "start"), length)
    span = Span(start, max(start, min(_whole(saved, "end"), length)))
    quoted = _whole_list(saved.get("quoted"), 2)
    quote = Span(*quoted) if quoted and quoted[0] <= quoted[1] else None
    sentence = Sentence(_text(saved, "text"), span, _citations(saved, span, answer), quote)
    verdict = _text(saved, "verdict")
    return Claim(
        sentence,
        tuple(_evidence(place) for place in _objects(saved, "citations")),
        Verdict(verdict) if verdict in set(Verdict) else Verdict.NEEDS_NONE,
        _number(saved, "score"),
        tuple(_texts(saved, "reasons")),
        judgement=_judgement(_object(saved, "judgement")),
    )


def _judgement(saved: Object) -> Judgement | None:
    answers = _text(saved, "answers")
    if answers not in set(Answers):
        return None
    chance = _number(saved, "chance") if saved.get("chance") is not None else None
    return Judgement(Answers(answers), chance, tuple(_texts(saved, "reasons")))


def _failure(saved: Object) -> ModelFailure | None:
    if not (what := _text(saved, "what")):
        return None
    wrote = bool(saved.get("wrote"))
    return ModelFailure(_text(saved, "model"), what, _text(saved, "cure"), wrote)


def _file_state(saved: Object) -> FileState:
    state = _text(saved, "file")
    return FileState(state) if state in set(FileState) else FileState.UNKNOWN


def _citations(saved: Object, span: Span, answer: AnswerText) -> tuple[Citation, ...]:
    """The markers of a sentence; in objects that lack their places, the last ones of its text."""
    cited = saved.get("cited")
    if isinstance(cited, list):
        places = [_whole_list(place, 3) for place in cited]
        return tuple(
            Citation(place[0], Span(place[1], place[2]))
            for place in places
            if place and place[1] <= place[2] <= len(answer.text)
        )
    return answer.last_markers(span, len(_numbers(saved, "markers")))


def _evidence(saved: Object) -> Evidence:
    return Evidence(
        number=_whole(saved, "n"),
        document=_text(saved, "document"),
        source=_text(saved, "source"),
        span=_span(saved),
        text=_text(saved, "quote"),
        line=_whole(saved, "line"),
        page=_whole(saved, "page") or None,
        context=_text(saved, "context"),
        sheet=_text(saved, "sheet"),
        row=_whole(saved, "row") or None,
        file=_file_state(saved),
    )


def _passage(saved: Object) -> Passage:
    document, span = _text(saved, "document"), _span(saved)
    chunk = Chunk(
        id=f"{document}:{span.start}",
        document=document,
        source=_text(saved, "source"),
        title=_text(saved, "title"),
        date=_text(saved, "date") or None,
        heading=_text(saved, "heading"),
        span=span,
        text=_text(saved, "text"),
        line=_whole(saved, "line"),
        page=_whole(saved, "page") or None,
    )
    ranks = _object(saved, "ranks")
    names = ("words", "vectors", "fused", "reranked")
    copies = tuple(
        Copy(_text(copy, "source"), _text(copy, "document"), _span(copy))
        for copy in _objects(saved, "copies")
    )
    return Passage(
        _whole(saved, "n"),
        chunk,
        _number(saved, "score"),
        Ranks(**{name: _whole(ranks, name) or None for name in names}),
        copies,
    )


# -- values of JSON, each with the type that it should have


def _text(saved: Object, name: str) -> str:
    value = saved.get(name)
    return value if isinstance(value, str) else ""


def _whole(saved: Object, name: str) -> int:
    value = saved.get(name)
    return value if type(value) is int and 0 <= value <= _MAX_WHOLE else 0


def _number(saved: Object, name: str) -> float:
    value = saved.get(name)
    try:
        return float(value) if type(value) in (int, float) else 0.0  # type: ignore[arg-type]
    except OverflowError:  # a whole number of more than 308 digits
        return 0.0


def _span(saved: Object) -> Span:
    start = _whole(saved, "start")
    return Span(start, max(start, _whole(saved, "end")))


def _object(saved: Object, name: str) -> Object:
    value = saved.get(name)
    return value if isinstance(value, dict) else {}


def _objects(saved: Object, name: str) -> list[Object]:
    value = saved.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(saved: Object, name: str) -> list[str]:
    value = saved.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _numbers(saved: Object, name: str) -> list[int]:
    value = saved.get(name)
    return [each for each in value if type(each) is int] if isinstance(value, list) else []


def _whole_list(value: Json, length: int) -> list[int]:
    """The list if it has `length` whole numbers, none below 0; else []."""
    if not isinstance(value, list) or len(value) != length:
        return []
    numbers = [each for each in value if type(each) is int and 0 <= each <= _MAX_WHOLE]
    return numbers if len(numbers) == length else []
