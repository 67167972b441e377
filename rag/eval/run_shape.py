"""The shape of a run file: the fields that the readers of a run use, and their types."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rag.disk.strict_json import Json

#: Returns where a value differs from a shape, as "gold.answers"; "." for the value itself, else "".
Shape = Callable[[Json], str]
#: Levels of groups of figures, and the largest whole number that is a figure.
_MAX_DEPTH, _MAX_WHOLE = 8, 10**15
#: Groups of scores that are [numerator, denominator].
_PAIRED_GROUPS = ("citation", "abstention")


def _one_of(*types: type) -> Shape:
    return lambda value: "" if type(value) in types else "."


def _number(value: Json) -> str:
    if type(value) is int:
        return "" if abs(value) <= _MAX_WHOLE else "."
    return "" if type(value) is float else "."


def _either(*shapes: Shape) -> Shape:
    return lambda value: "." if all(shape(value) for shape in shapes) else ""


def _pair(value: Json) -> str:
    return (
        "" if isinstance(value, list) and len(value) == 2 and not any(map(_number, value)) else "."
    )


def _list(shape: Shape) -> Shape:
    def check(value: Json) -> str:
        if not isinstance(value, list):
            return "."
        return _first((str(at), shape(each)) for at, each in enumerate(value))

    return check


def _names(shape: Shape) -> Shape:
    """An object whose fields have any names and one shape."""

    def check(value: Json) -> str:
        if not isinstance(value, dict):
            return "."
        return _first((name, shape(each)) for name, each in value.items())

    return check


def _fields(shapes: dict[str, Shape]) -> Shape:
    """An object with these fields, and perhaps others."""

    def check(value: Json) -> str:
        if not isinstance(value, dict):
            return "."
        return _first(
            (name, shape(value[name]) if name in value else ".") for name, shape in shapes.items()
        )

    return check


def _first(found: Iterable[tuple[str, str]]) -> str:
    """Return the place of the first value that differs; "" if none does."""
    for name, place in found:
        if place:
            return name if place == "." else f"{name}.{place}"
    return ""


_text, _flag, _none = _one_of(str), _one_of(bool), _one_of(type(None))
_text_or_none, _number_or_none = _one_of(str, type(None)), _either(_number, _none)
_figure = _fields(dict.fromkeys(("value", "low", "high"), _number_or_none) | {"n": _number})
_source = {"source": _text}
_claim = {
    "verdict": _text,
    "score": _number,
    "citations": _list(_fields(_source | {"quote": _text})),
}
_answer = {
    **dict.fromkeys(("answer", "missing"), _text),
    **dict.fromkeys(("short", "reason"), _text_or_none),
    "abstained": _flag,
    "chance": _number_or_none,
    "claims": _list(_fields(_claim)),
}
_pairs = _names(_pair)


def _scores(value: Json) -> str:
    """Return where groups of scores differ from numbers, or from pairs where those are kept."""
    if not isinstance(value, dict):
        return "."
    return _first(
        (name, _pairs(group) if name in _PAIRED_GROUPS else _names(_number)(group))
        for name, group in value.items()
    )


_case = {
    **dict.fromkeys(("id", "question"), _text),
    "answerable": _flag,
    "gold": _fields({"answers": _list(_text), "evidence": _list(_fields(_source))}),
    "answer": _either(_none, _fields(_answer)),
    "retrieved": _list(_fields(_source | {"copies": _list(_fields(_source))})),
    "scores": _scores,
}
_run = _fields(
    {
        "config": _names(lambda value: ""),
        "weights": _names(lambda value: ""),
        "version": _text,
        "cases": _list(_fields(_case)),
    }
)


def _summary(value: Json, depth: int = 0) -> str:
    """Return where figures by name, or such groups by their name, are not that."""
    if not isinstance(value, dict) or depth > _MAX_DEPTH:
        return "."
    return _first(
        (
            name,
            _figure(each)
            if isinstance(each, dict) and "value" in each
            else _summary(each, depth + 1),
        )
        for name, each in value.items()
    )


def misshapen(run: dict[str, Json]) -> str:
    """Return which field of the object of a run file is not as a run has it; "" if each is."""
    return _run(run) or _first([("summary", _summary(run.get("summary")))])
