"""A summary, a comparison and the gates for a terminal. Nothing in them is parsed as markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from rag.eval.gate import GateResult
from rag.eval.interval import Figure
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"worse": "bold red", "better": "green"}
LEGEND = (
    "change: new minus old, low and high its 95 % paired bootstrap interval; "
    "p: two-sided, by paired randomization, * by McNemar's exact test; "
    "better or worse: p below 0.05 after Holm's adjustment for all figures"
)


def figure_rows(summary: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Figure]]:
    """Every figure with its dotted name, as in ``citation.precision`` or ``seconds.total.p95``."""
    for name, inside in summary.items():
        if "value" in inside:
            yield above + name, cast(Figure, inside)
        else:
            yield from figure_rows(inside, f"{above}{name}.")


def print_summary(summary: Mapping[str, Any], console: Console) -> None:
    """Print the table; a figure that nothing applies to shows a dash."""
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
        table.add_row(*(Text(cell) for cell in (name, *cells)))
    console.print(table, markup=False, highlight=False)
    console.print(
        "low and high: 95 % bootstrap interval over n cases", markup=False, highlight=False
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def print_comparison(found: Mapping[str, Any], console: Console, most: int = 20) -> None:
    """Print a comparison: which questions it is over, each figure, and `most` of the questions that got worse or better."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure")
    for heading in ("old", "new", "change", "low", "high", "p", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, shift in found["figures"].items():
        cells = [_number(shift[key]) for key in ("old", "new")] + [
            f"{shift[key]:+.3f}" for key in ("change", "low", "high")
        ]
        cells += [
            f"{shift['p']:.3f}" + ("*" if shift["test"] == "McNemar" else ""),
            shift["verdict"],
        ]
        table.add_row(
            *(Text(cell, style=STYLES.get(shift["verdict"], "")) for cell in (name, *cells))
        )
    for name, times in found["seconds"].items():
        table.add_row(*(Text(cell) for cell in (name, _number(times["old"]), _number(times["new"]), f"{times['change']:+.3f}", "", "", "", "")))  # fmt: skip
    for said in comparison_preamble(found):
        console.print(Text(sanitize_line(said)))
    console.print(table, markup=False, highlight=False)
    console.print(Text(LEGEND))
    for head, key in (
        ("worse", "worse"),
        ("better", "better"),
        ("answered otherwise, no worse and no better", "otherwise"),
    ):
        changes = found[key]
        if changes:
            console.print(
                Text(
                    f"\n{len(changes)} {head}" + (f", first {most}" if len(changes) > most else ""),
                    style="bold",
                )
            )
        for change in changes[:most]:
            console.print(
                Text(f"  {quote_foreign(change['id'])}  {quote_foreign(change['question'])}")
            )
            for why in change_headline(change):
                console.print(Text(f"      {quote_foreign(why)}", style="dim"))


def comparison_preamble(found: Mapping[str, Any]) -> Iterator[str]:
    """What a comparison is over, what it leaves out, and which settings differ."""
    yield f"compared over the {found['shared']} questions that both runs asked"
    left = {
        "only_old": "only in the old run",
        "only_new": "only in the new run",
        "altered": "with other words or other gold",
    }
    for key, says in left.items():
        if found[key]:
            yield f"left out: {len(found[key])} {says} ({', '.join(found[key][:5])}{', …' if len(found[key]) > 5 else ''})"
    for name, (was, now) in found["settings"].items():
        yield f"{name}: {was} -> {now}"


def change_headline(change: Mapping[str, Any]) -> list[str]:
    """The mark that changed, then the reasons."""
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


def print_calibration(found: Mapping[str, Any], console: Console) -> None:
    """Print a calibration: the threshold, and what is expected of it on new questions beside the shipped one."""
    from rich.table import Table
    from rich.text import Text

    skipped = (
        f"; {found['skipped']} left out: answerable, but without answers to hold against"
        if found["skipped"]
        else ""
    )
    console.print(
        Text(
            f"fitted on {found['answerable']} answerable and {found['unanswerable']} unanswerable questions{skipped}"
        )
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("expected on new questions")
    for heading in (
        f"calibrated ({found['least']:.3f})",
        f"shipped ({found['shipped_least']:.3f})",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figure in found["fitted"].items():
        table.add_row(
            *(Text(cell) for cell in (name, _bounded(figure), _bounded(found["shipped"][name])))
        )
    console.print(table, markup=False, highlight=False)
    for name, change in found["change"].items():
        sure = change["low"] > 0 or change["high"] < 0
        says = (
            ("better" if change["value"] > 0 else "worse")
            if sure
            else "no difference can be told from chance"
        )
        console.print(
            Text(
                f"{name} {change['value']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f}): {says}"
            )
        )
    console.print(
        Text(
            "expected: ten-fold cross-validation, 95 % bootstrap intervals. It is in use now; footnote calibrate --reset undoes it"
        )
    )


def _bounded(figure: Mapping[str, Any]) -> str:
    return (
        "-"
        if figure["value"] is None
        else f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
    )
