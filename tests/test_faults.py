"""The short form of the fault suite: over a hundred faults of every kind, at least sixty of them kills."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="the suite forks and kills as Linux does")
def test_what_may_break_is_broken_and_nothing_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=850,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    faults = {
        name: int(count)
        for name, count in re.findall(r"^([a-z-]+) +(\d+) faults", done.stdout, re.M)
    }
    assert faults["kills"] + faults["calls"] + 10 * faults["recoveries"] >= 60
    assert all(
        faults[name]
        for name in (
            "index",
            "library",
            "full",
            "low",
            "read-only",
            "removed",
            "pair",
            "races",
            "models",
        )
    )
