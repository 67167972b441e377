"""Numbers of pages in words."""

from __future__ import annotations

from collections.abc import Sequence


def page_ranges(what: str, found: Sequence[int]) -> str:
    """ "page 3", "pages 3, 7 to 9"; rising numbers, runs of three and more shortened, at most a dozen of them named."""
    runs: list[list[int]] = []
    for number in found:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = [
        f"{r[0]:,} to {r[-1]:,}" if len(r) > 2 else ", ".join(f"{n:,}" for n in r) for r in runs
    ]
    more = f" and {len(parts) - 12} more runs" if len(parts) > 12 else ""
    return f"{what}{'s' * (len(found) > 1)} {', '.join(parts[:12])}{more}"
