"""Writes a run as a Markdown page: figures, plots, and the questions that went wrong.

The page can be read in a terminal and on a code host. The plots are text in fenced blocks, drawn by
plotille in Braille dots. Foreign text (questions, sources, quotes) is sanitized for a terminal and
escaped, so that none of it is read as Markdown or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rag.disk import result_files
from rag.eval.gate import GateResult
from rag.eval.plot_points import latency_points, recall_by_depth, risk_coverage_points
from rag.eval.records import CaseRecord, ChangeRecord, Comparison, Run, Summary
from rag.eval.report import LEGEND, change_headline, comparison_preamble, figure_rows
from rag.text.markdown import escape_markdown

_TITLE = "# An evaluation"
_PAGE_START = re.compile(rf"{_TITLE}\n\n\d+ questions\.\n\n\| *setting *\| *value *\|")
_MAX_LISTED_QUESTIONS = 30
#: Size of a plot in characters. Ticks fall on fifths and tenths.
_PLOT_WIDTH, _PLOT_HEIGHT = 50, 10

Points = Sequence[tuple[float, float]]
Range = tuple[float, float]


def markdown_report(
    run: Run,
    against: Comparison | None = None,
    kept: Sequence[GateResult] = (),
) -> str:
    """Return the page of a run object, with the comparison and gates that are given."""
    parts = [_TITLE, *_about(run), *_gates(kept), *_figures(run["summary"])]
    if against:
        parts += _against(against)
    return "\n\n".join([*parts, *_plots(run["cases"]), *_wrong(run["cases"])]) + "\n"


def is_page(path: Path) -> bool:
    """Tell whether the regular file at `path` begins like a page of this module."""
    return bool(_PAGE_START.match(result_files.begins(path).decode("utf-8", "replace")))


def _about(run: Run) -> Iterator[str]:
    config = {**run["config"], "version": run["version"]}
    yield f"{len(run['cases'])} questions."
    yield _table(
        ("setting", "value"),
        [(escape_markdown(key), escape_markdown(value)) for key, value in config.items()],
    )


def _gates(kept: Sequence[GateResult]) -> Iterator[str]:
    if kept:
        yield "## Gates"
        yield "\n".join(
            f"- {'holds' if each.holds else '**does not hold**'}: {escape_markdown(each.says)}"
            for each in kept
        )


def _figures(summary: Summary) -> Iterator[str]:
    yield "## Figures"
    rows = [
        (
            escape_markdown(name),
            *map(_number, (figure["value"], figure["low"], figure["high"])),
            str(figure["n"]),
        )
        for name, figure in figure_rows(summary)
    ]
    yield _table(("figure", "value", "low", "high", "n"), rows)
    yield "low and high: 95 % bootstrap interval over n cases."


def _against(found: Comparison) -> Iterator[str]:
    yield "## Against the earlier run"
    yield "\n".join(f"- {escape_markdown(said)}" for said in comparison_preamble(found))
    rows = []
    for name, shift in found["figures"].items():
        shifts = (f"{value:+.3f}" for value in (shift["change"], shift["low"], shift["high"]))
        mark = "\\*" if shift["test"] == "McNemar" else ""
        values = _number(shift["old"]), _number(shift["new"])
        p = f"{shift['p']:.3f}{mark}"
        rows.append((escape_markdown(name), *values, *shifts, p, shift["verdict"]))
    yield _table(("figure", "old", "new", "change", "low", "high", "p", ""), rows)
    yield escape_markdown(LEGEND) + "."
    for kind, changes in (
        ("worse", found["worse"]),
        ("better", found["better"]),
        ("answered otherwise", found["otherwise"]),
    ):
        if changes:
            yield f"### {len(changes)} {kind}"
            yield "\n".join(_changed(change) for change in changes[:_MAX_LISTED_QUESTIONS])


def _changed(change: ChangeRecord) -> str:
    return (
        f"- {escape_markdown(change['id'])}: {escape_markdown(change['question'])}\n"
        + "\n".join(f"  - {escape_markdown(why)}" for why in change_headline(change))
    )


def _plots(cases: Sequence[CaseRecord]) -> Iterator[str]:
    recall = recall_by_depth(cases)
    if recall:
        yield "## Recall by depth"
        yield (
            "Share of the gold documents (d) and of the gold quotes (q) "
            "among the first k passages or documents found."
        )
        yield _plot(
            [("d", recall["documents"]), ("q", recall["quotes"])],
            "k",
            "recall",
            x=(0, 10),
            y=(0, 1),
        )
    curve, area = risk_coverage_points(cases)
    if curve:
        yield "## Risk against coverage"
        yield (
            "From the surest answer on: the share of questions answered (coverage) "
            "and what is lost on them (risk: 1 - F1, and 1 "
            "for an answer to what cannot be answered). It ends where the run abstained. "
            f"Area under it, over its coverage: {area:.3f}; lower is better."
        )
        yield _plot([("r", curve)], "coverage", "risk", x=(0, 1), y=(0, 1))
    times = latency_points(cases)
    if times:
        yield "## Seconds"
        yield (
            "Share of the questions done after so many seconds: "
            "passages found (f), whole answer (a)."
        )
        end = max(points[-1][0] for points in times.values())
        lines = [(name[:1], points) for name, points in times.items()]
        yield _plot(lines, "seconds", "share", x=(0, end or 1), y=(0, 1))


def _plot(
    lines: Sequence[tuple[str, Points]], x_label: str, y_label: str, x: Range, y: Range
) -> str:
    """Return lines of points as a fenced block. The letter of a line is near its end."""
    from plotille import Figure

    figure = Figure()
    figure.width, figure.height = _PLOT_WIDTH, _PLOT_HEIGHT
    figure.with_colors, figure.origin = False, False
    figure.set_x_limits(*x)
    figure.set_y_limits(*y)
    figure.x_label, figure.y_label = x_label, y_label
    figure.x_ticks_fkt = figure.y_ticks_fkt = _tick
    for number, (letter, points) in enumerate(lines):
        if points:
            figure.plot([at for at, _ in points], [value for _, value in points])
            # The letter needs a whole character inside the plot.
            at, value = points[-1 - min(number, len(points) - 1)]
            right = x[1] - 2 * (x[1] - x[0]) / _PLOT_WIDTH
            top = y[1] - (y[1] - y[0]) / _PLOT_HEIGHT / 2
            figure.text([min(at, right)], [min(value, top)], [letter])
    rows = (row.replace("\u2800", " ").rstrip() for row in figure.show().splitlines())
    return "```text\n" + "\n".join(rows) + "\n```"


def _tick(low: float, _: float) -> str:
    return f"{low:.2f}" if low < 100 else f"{low:.0f}"


def _wrong(cases: Sequence[CaseRecord]) -> Iterator[str]:
    """Yield lists of the questions that a user should look at."""
    lists: tuple[tuple[str, Callable[[CaseRecord], bool]], ...] = (
        ("Their document has changed since they were written", _has_changed),
        ("Answered, although they cannot be", _answered_wrongly),
        ("Not answered, although they can be", _abstained_wrongly),
        ("Answered otherwise than the gold answers", _missed_gold),
    )
    for heading, applies in lists:
        listed = [case for case in cases if applies(case)]
        if listed:
            yield f"## {heading}: {len(listed)}"
            yield "\n".join(_question_item(case) for case in listed[:_MAX_LISTED_QUESTIONS])


def _has_changed(case: CaseRecord) -> bool:
    return bool(case.get("changed"))


def _answered_wrongly(case: CaseRecord) -> bool:
    return _answered(case) and not case["answerable"]


def _abstained_wrongly(case: CaseRecord) -> bool:
    return bool(case["answer"]) and not _answered(case) and bool(case["answerable"])


def _missed_gold(case: CaseRecord) -> bool:
    return _answered(case) and case["scores"].get("answer", {}).get("f1") == 0


def _answered(case: CaseRecord) -> bool:
    answer = case["answer"]
    return answer is not None and not answer["abstained"]


def _question_item(case: CaseRecord) -> str:
    lines = [f"- {escape_markdown(case['id'])}: {escape_markdown(case['question'])}"]
    if case.get("changed"):
        lines.append(f"  - {escape_markdown(case['changed'])}")
    if answer := case["answer"]:
        given = answer["missing"] if answer["abstained"] else answer["short"] or answer["answer"]
        lines.append(f"  - said: {escape_markdown(given)[:200]}")
    if golds := case["gold"]["answers"]:
        lines.append(f"  - gold: {escape_markdown('; '.join(golds))[:200]}")
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        "| " + " | ".join(heads) + " |",
        "|" + "|".join(["---", *["---:"] * (len(heads) - 1)]) + "|",
    ]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
