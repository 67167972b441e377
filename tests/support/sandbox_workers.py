"""Children of the sandbox that misbehave."""

from __future__ import annotations

import json
import sys
import time

from rag.ingest import clean
from rag.ingest.formats import registry, sandbox_worker


def endless_rules() -> None:
    """Serve as `sandbox_worker` does, but sleep for a minute in the rules for boilerplate."""
    clean.find_boilerplate = lambda text: time.sleep(60)
    sandbox_worker.main()


def broken_markdown() -> None:
    """Serve as `sandbox_worker` does, but fail at every Markdown file."""

    def broken(content: bytes) -> object:
        raise RecursionError("too deep")

    registry.IN_PROCESS[".md"] = broken
    sandbox_worker.main()


def endless_answers() -> None:
    """Answer the first request with members of a megabyte, without end."""
    sys.stdin.buffer.readline()
    head = json.dumps({"member": "a", "size": 2**20}).encode() + b"\n"
    while True:
        sys.stdout.buffer.write(head + b"x" * 2**20)
