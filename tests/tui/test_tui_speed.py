"""The speeds of the screen in short: bounds that only a broken screen passes, on any machine.

`make screen-speed` measures at length, with the bounds that are meant.
"""

from __future__ import annotations

import pytest

from tests.tui.speed import measure

pytestmark = pytest.mark.slow

#: how many times the bound a busy machine may take
SLACK = 10


def test_keys_stop_opening_and_first_paint() -> None:
    speeds = measure(keys=12, runs=1)
    said = "\n".join(speeds.lines())
    assert speeds.busy_key - speeds.idle_key < 0.030 * SLACK, said
    assert speeds.stop < 0.100 * SLACK, said
    assert speeds.long - speeds.empty < 0.500 * SLACK, said
    assert speeds.first < 1.6 * speeds.bare * 2, said
