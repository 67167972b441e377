"""A summary as a table for a terminal: figure, value, 95 % interval, n. Nothing in it is parsed as markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from rag.eval.interval import Figure

if TYPE_CHECKING:
    from rich.console import Console


def figures(summary: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Figure]]:
    """Every figure with its dotted name, as in ``citation.precision`` or ``seconds.total.p95``."""
    for name, inside in summary.items():
        if "value" in inside:
            yield above + name, cast(Figure, inside)
        else:
            yield from figures(inside, f"{above}{name}.")


def report(summary: Mapping[str, Any], console: Console) -> None:
    """Print the table; a figure that nothing applies to shows a dash."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure")
    for heading in ("value", "low", "high", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    group = ""
    for name, figure in figures(summary):
        if group and not name.startswith(group):
            table.add_row()
        group = name.split(".")[0] + "."
        cells = [_number(figure["value"]), _number(figure["low"]), _number(figure["high"]), str(figure["n"])]
        table.add_row(*(Text(cell) for cell in (name, *cells)))
    console.print(table, markup=False, highlight=False)
    console.print("low and high: 95 % bootstrap interval over n cases", markup=False, highlight=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
