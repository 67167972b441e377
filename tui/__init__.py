"""The chat in the terminal. It uses the engine, and imports no model and no index."""

import os

#: Milliseconds that Escape is waited for, as curses has it; Textual reads it when it is imported.
os.environ.setdefault("ESCDELAY", "30")
