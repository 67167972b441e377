"""The front door in a child process: `Engine` for the parent, `child` for the process itself."""

from rag.engine.engine import STOP_SECONDS, Engine

__all__ = ["STOP_SECONDS", "Engine"]
