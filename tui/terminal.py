"""The end of the terminal: signals, a terminal that has gone, and one that no longer reads.

Textual writes in a thread behind a queue. If the terminal does not read, the queue fills and the
event loop waits in it, so that no callback of the loop runs. Therefore signals are handled by
handlers of the interpreter, which also run while a lock is waited for, and the process is ended
after `GRACE_SECONDS` if the app could not end itself.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress

#: Seconds in which the app may end itself.
GRACE_SECONDS = 2.0
#: What leaves the alternate screen, shows the cursor, and ends mouse, paste and focus reports.
_RESTORE = (
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h"
)


def handle_signals(leave: Callable[[int], None], close: Callable[[], None]) -> None:
    """Call `leave` with the exit code at SIGTERM and SIGHUP; end the process if that is not enough.

    `leave` may be called while the event loop is blocked. `close` is called before a forced end.
    """
    ending = LastResort(close)

    def received(number: int, _frame: object) -> None:
        ending.start(128 + number)
        leave(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, received)
    threading.Thread(
        target=_watch, args=(ending, leave), daemon=True, name="footnote-terminal"
    ).start()


class LastResort:
    """Ends the process after `GRACE_SECONDS`. The first exit code counts."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._started = False

    def start(self, code: int) -> None:
        if not self._started:
            self._started = True
            threading.Thread(target=self._end, args=(code,), daemon=True).start()

    def _end(self, code: int) -> None:
        time.sleep(GRACE_SECONDS)
        with suppress(Exception):
            self._close()
        with suppress(OSError):
            os.set_blocking(2, False)  # a terminal that does not read would block the write
            os.write(2, _RESTORE)
        os._exit(code)


def _watch(ending: LastResort, leave: Callable[[int], None]) -> None:
    """Wait until the terminal has gone. A process without a controlling terminal gets no SIGHUP."""
    if not hasattr(select, "poll"):
        return
    poll = select.poll()
    poll.register(0, 0)  # an end of the connection is always reported
    events = dict(poll.poll()).get(0, 0)
    if events & (select.POLLHUP | select.POLLERR):
        _let_go()
        code = 128 + signal.SIGHUP
        ending.start(code)
        leave(code)


def _let_go() -> None:
    """Write to the null device from now on.

    Else the interpreter's last flush fails at a terminal that has gone, and the exit code is 120.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
    os.close(null)
