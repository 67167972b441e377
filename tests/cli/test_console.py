"""How an ingest says that it gets on."""

from __future__ import annotations

from rag.cli.console import IngestProgress
from rag.events import Added


def test_a_line_tells_the_rate_and_how_long_the_rest_will_take() -> None:
    clock = iter([100.0, 110.0, 120.0])
    pace = IngestProgress(lambda: next(clock))
    assert (
        pace.line(Added("a.txt", 40, 1, 4))
        == "1 of 4 files · 40 passages · 4 a second · 0:30 left · a.txt"
    )
    pace.failed()
    assert (
        pace.line(Added("b.txt", 1960, 4, 4))
        == "4 of 4 files · 2,000 passages · 100 a second · 1 not read · b.txt"
    )


def test_no_time_at_all_is_no_division_by_zero() -> None:
    assert "1 of 1 files" in IngestProgress(lambda: 5.0).line(Added("a.txt", 1, 1, 1))
