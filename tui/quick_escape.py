"""The input of the terminal, in which the Escape key is known sooner.

A terminal sends one byte for Escape, with which the bytes of other keys begin as well. Textual
waits for these, and looks ten times a second whether they have come: Escape takes 100 to 200 ms.
Here it takes `ESCDELAY`, which `tui` sets to 30 ms unless the user has set it, as for a slow line.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder

from textual import constants
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

#: seconds between two looks, unless an Escape is waited for
_SECONDS = 0.1
_READ_BYTES = 4096


class QuickEscapeDriver(LinuxDriver):
    """Waits for the bytes after an Escape no longer than it must."""

    def run_input_thread(self) -> None:
        """Read keys and pass them on until the app ends."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        is_escape = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                wait = min(_SECONDS, constants.ESCAPE_DELAY) if is_escape else _SECONDS
                if selector.select(wait):
                    read = os.read(self.fileno, _READ_BYTES)
                    if not read:  # the end: nothing will come
                        self.exit_event.wait(_SECONDS)
                        continue
                    text = decode(read)
                    is_escape = text.endswith("\x1b")
                    for event in parser.feed(text):
                        self.process_message(event)
                for event in parser.tick():
                    is_escape = False
                    self.process_message(event)
