"""Narrow a value to what a test knows of it. Each function fails where the test is wrong about it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from rag.domain import Answer
from rag.eval.interval import Figure
from rag.events import Answered, Event


def last_answer(events: Iterable[Event]) -> Answer:
    """The answer in the last of these events."""
    *_, last = events
    assert isinstance(last, Answered), last
    return last.answer


def numbers(figure: Figure) -> tuple[float, float, float]:
    """Low end, value and high end of a figure that has cases."""
    low, value, high = figure["low"], figure["value"], figure["high"]
    assert low is not None and value is not None and high is not None, figure
    return low, value, high


def close(events: Iterator[object]) -> None:
    """Close an iterator, which stops the work behind it."""
    assert isinstance(events, Generator)
    events.close()
