"""Small files that ask for much: each is taken in by a process of its own, and must end soon, small and with something said."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.faults.kills import Trial
from tests.support.bombs import BOMBS, PLENTY, costs, wrong

_TIMEOUT = 300  # seconds, on a machine with other work


def taken_in(folder: Path, count: int) -> Iterator[Trial]:
    """The first `count` of `tests.support.bombs`, but those that are as much text as an honest file."""
    for name in [name for name in BOMBS if name not in PLENTY][:count]:
        try:
            said = costs(folder, [name], _TIMEOUT)
            found = wrong(said[name])
        except (subprocess.TimeoutExpired, AssertionError) as error:
            found = [" ".join(str(error).split())[-300:]]
        yield Trial(name.partition(".")[2], name, True, tuple(found))
