"""How slow this computer is just now, for tests that hold seconds of processor time.

The limits were set on a computer that runs the loop below in `REFERENCE` seconds. One that shares
its processor runs it in up to twice that, and so every other piece of code.
"""

from __future__ import annotations

import time
from functools import lru_cache

#: seconds of processor time of the loop where the limits were set
REFERENCE = 0.15
#: how much two pieces of code on one computer differ in how much slower they are
_SPREAD = 1.3


def _loop() -> float:
    began = time.process_time()
    sum(number * number % 7 for number in range(2_000_000))
    return time.process_time() - began


@lru_cache(maxsize=1)
def slowness() -> float:
    """The factor by which a limit of seconds grows here; 1 where the loop is as fast as it was."""
    factor = min(_loop() for _ in range(3)) / REFERENCE
    return 1.0 if factor <= 1 else factor * _SPREAD
