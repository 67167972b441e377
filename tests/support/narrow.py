"""Narrow a value to what a test knows of it. Each function fails where the test is wrong about it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

from rag.domain import Answer
from rag.eval.records import Figure, Summary
from rag.eval.report import figure_rows
from rag.events import Answered, Event


def last_answer(events: Iterable[Event]) -> Answer:
    """The answer in the last of these events."""
    *_, last = events
    assert isinstance(last, Answered), last
    return last.answer


def figure_of(summary: Summary, name: str) -> Figure:
    """The figure of a summary that has this dotted name, as in ``citation.precision``."""
    return dict(figure_rows(summary))[name]


def figures_of(summary: Summary, group: str) -> dict[str, Figure]:
    """The figures of a group of a summary by their name in the group."""
    found = {
        name.removeprefix(f"{group}."): figure
        for name, figure in figure_rows(summary)
        if name.startswith(f"{group}.")
    }
    assert found, group
    return found


def value_of(summary: Summary, name: str) -> float:
    """The value of a figure that has cases, by its dotted name."""
    return numbers(figure_of(summary, name))[1]


def numbers(figure: Figure) -> tuple[float, float, float]:
    """Low end, value and high end of a figure that has cases."""
    low, value, high = figure["low"], figure["value"], figure["high"]
    assert low is not None and value is not None and high is not None, figure
    return low, value, high


def close(events: Iterator[object]) -> None:
    """Close an iterator, which stops the work behind it."""
    assert isinstance(events, Generator)
    events.close()
