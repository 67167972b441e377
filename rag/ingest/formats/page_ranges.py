"""Numbers of pages in words."""

from __future__ import annotations

from collections.abc import Sequence

#: runs of pages that are named; of more, their number is given
_MAX_RUNS = 12


def page_ranges(noun: str, numbers: Sequence[int]) -> str:
    """Return "page 3" or "pages 3, 7 to 9", with `noun` in place of "page".

    `numbers` are in rising order. Runs of three and more are shortened.
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [
        f"{run[0]:,} to {run[-1]:,}" if len(run) > 2 else ", ".join(f"{n:,}" for n in run)
        for run in runs
    ]
    more = f" and {len(parts) - _MAX_RUNS} more runs" if len(parts) > _MAX_RUNS else ""
    plural = "s" if len(numbers) > 1 else ""
    return f"{noun}{plural} {', '.join(parts[:_MAX_RUNS])}{more}"
