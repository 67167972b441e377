"""Prints a summary, a comparison and the gates in a terminal, without parsing markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from rag.eval.gate import GateResult
from rag.eval.records import CalibrationRecord, ChangeRecord, Comparison, Figure, Summary
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

STYLES = {"worse": "bold red", "better": "green"}
LEGEND = (
    "change: new minus old, low and high its 95 % paired bootstrap interval; "
    "p: two-sided, by paired randomization, * by McNemar's exact test; "
    "better or worse: p below 0.05 after Holm's adjustment for all figures"
)


def figure_rows(summary: Summary, above: str = "") -> Iterator[tuple[str, Figure]]:
    """Yield every figure with its dotted name, as ``citation.precision``, ``seconds.total.p95``."""
    for name, inside in summary.items():
        if "value" in inside:
            yield above + name, cast(Figure, inside)
        else:
            yield from figure_rows(inside, f"{above}{name}.")


def print_summary(summary: Summary, console: Console) -> None:
    """Print the table. A figure that was not measured shows a dash."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure")
    for heading in ("value", "low", "high", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    group = ""
    for name, figure in figure_rows(summary):
        if group and not name.startswith(group):
            table.add_row()
        group = name.split(".")[0] + "."
        cells = [
            _number(figure["value"]),
            _number(figure["low"]),
            _number(figure["high"]),
            str(figure["n"]),
        ]
        table.add_row(*(Text(cell) for cell in (sanitize_line(name), *cells)))
    console.print(table, markup=False, highlight=False)
    console.print(
        "low and high: 95 % bootstrap interval over n cases", markup=False, highlight=False
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def print_comparison(comparison: Comparison, console: Console, limit: int = 20) -> None:
    """Print a comparison: the compared questions, each figure, and `limit` changes of each kind."""
    from rich.text import Text

    for line in comparison_preamble(comparison):
        console.print(Text(sanitize_line(line)))
    console.print(_comparison_table(comparison), markup=False, highlight=False)
    console.print(Text(LEGEND))
    for heading, changes in (
        ("worse", comparison["worse"]),
        ("better", comparison["better"]),
        ("answered otherwise, no worse and no better", comparison["otherwise"]),
    ):
        if changes:
            first = f", first {limit}" if len(changes) > limit else ""
            console.print(Text(f"\n{len(changes)} {heading}{first}", style="bold"))
        for change in changes[:limit]:
            question = f"  {quote_foreign(change['id'])}  {quote_foreign(change['question'])}"
            console.print(Text(question))
            for reason in change_headline(change):
                console.print(Text(f"      {quote_foreign(reason)}", style="dim"))


def _comparison_table(comparison: Comparison) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure")
    for heading in ("old", "new", "change", "low", "high", "p", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, shift in comparison["figures"].items():
        cells = [name, _number(shift["old"]), _number(shift["new"])]
        cells += [f"{value:+.3f}" for value in (shift["change"], shift["low"], shift["high"])]
        cells.append(f"{shift['p']:.3f}" + ("*" if shift["test"] == "McNemar" else ""))
        cells.append(shift["verdict"])
        table.add_row(*(Text(cell, style=STYLES.get(shift["verdict"], "")) for cell in cells))
    for name, times in comparison["seconds"].items():
        cells = [name, _number(times["old"]), _number(times["new"]), f"{times['change']:+.3f}"]
        table.add_row(*(Text(cell) for cell in [*cells, "", "", "", ""]))
    return table


def comparison_preamble(found: Comparison) -> Iterator[str]:
    """Yield lines on the compared questions, the ones left out, and the settings that differ."""
    yield f"compared over the {found['shared']} questions that both runs asked"
    for left_out, says in (
        (found["only_old"], "only in the old run"),
        (found["only_new"], "only in the new run"),
        (found["altered"], "with other words or other gold"),
    ):
        if left_out:
            more = ", …" if len(left_out) > 5 else ""
            yield f"left out: {len(left_out)} {says} ({', '.join(left_out[:5])}{more})"
    for name, (was, now) in found["settings"].items():
        yield f"{name}: {was} -> {now}"


def change_headline(change: ChangeRecord) -> list[str]:
    """Return the score that changed, then the reasons."""
    return ([f"{change['mark']} {change['change']:+.2f}"] if change["mark"] else []) + list(
        change["why"]
    )


def print_gates(kept: Sequence[GateResult], console: Console) -> None:
    """Print each bound and whether it holds."""
    from rich.text import Text

    for each in kept:
        console.print(
            Text(
                f"{'✓' if each.holds else '✗'} {each.says}",
                style="green" if each.holds else "bold red",
            )
        )


def print_calibration(calibration: CalibrationRecord, console: Console) -> None:
    """Print a calibration: the expected figures of the fitted and of the shipped threshold."""
    from rich.table import Table
    from rich.text import Text

    left_out = ""
    if calibration["skipped"]:
        left_out = (
            f"; {calibration['skipped']} left out: answerable, but without answers to compare with"
        )
    counts = (
        f"{calibration['answerable']} answerable and {calibration['unanswerable']} unanswerable"
    )
    console.print(Text(f"fitted on {counts} questions{left_out}"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("expected on new questions")
    for heading in (
        f"calibrated ({calibration['least']:.3f})",
        f"shipped ({calibration['shipped_least']:.3f})",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figure in calibration["fitted"].items():
        cells = (name, _with_interval(figure), _with_interval(calibration["shipped"][name]))
        table.add_row(*(Text(cell) for cell in cells))
    console.print(table, markup=False, highlight=False)
    for name, change in calibration["change"].items():
        interval = f"({change['low']:+.3f} to {change['high']:+.3f})"
        console.print(Text(f"{name} {change['value']:+.3f} {interval}: {_judgement(change)}"))
    console.print(
        Text(
            "expected: ten-fold cross-validation, 95 % bootstrap intervals. "
            "It is in use now; footnote calibrate --reset undoes it"
        )
    )


def _judgement(change: Mapping[str, float]) -> str:
    if change["low"] > 0 or change["high"] < 0:
        return "better" if change["value"] > 0 else "worse"
    return "no difference can be told from chance"


def _with_interval(figure: Figure) -> str:
    if figure["value"] is None:
        return "-"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
