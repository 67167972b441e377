"""Children of the sandbox that misbehave."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rag.domain import RawDocument, Span
from rag.ingest import clean
from rag.ingest.formats import registry, sandbox_worker


def endless_rules() -> None:
    """Serve as `sandbox_worker` does, but sleep for a minute in the rules for boilerplate."""

    def endless(text: str) -> list[Span]:
        time.sleep(60)
        return []

    clean.__dict__["find_furniture"] = endless
    sandbox_worker.main()


def broken_markdown() -> None:
    """Serve as `sandbox_worker` does, but fail at every Markdown file."""

    def broken(content: bytes) -> Iterator[RawDocument]:
        raise RecursionError("too deep")

    registry.IN_PROCESS[".md"] = broken
    sandbox_worker.main()


def killed_at_first() -> None:
    """Serve as `sandbox_worker` does, but be killed at the first .txt files.

    The content of the file is the path of a folder and how often. Each time leaves an empty file
    there: the child may not write more.
    """

    def killed(content: bytes) -> Iterator[RawDocument]:
        folder, times = content.decode().split("\n")
        tries = len(os.listdir(folder)) + 1
        Path(folder, str(tries)).touch()
        if tries <= int(times):
            os.kill(os.getpid(), signal.SIGKILL)
        yield RawDocument("read")

    registry.IN_PROCESS[".txt"] = killed
    sandbox_worker.main()


def endless_answers() -> None:
    """Answer the first request with members of a megabyte, without end."""
    sys.stdin.buffer.readline()
    head = json.dumps({"member": "a", "size": 2**20}).encode() + b"\n"
    while True:
        sys.stdout.buffer.write(head + b"x" * 2**20)
