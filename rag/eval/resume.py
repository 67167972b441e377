"""Keeps the finished records of a run in a partial file, so that an interrupted run can continue.

The file has JSON lines and is next to the run file. The first line identifies the run by a
fingerprint of its settings and cases. A line is complete if it ends in a line feed and is JSON. An
incomplete last line is cut off, and its question is asked again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import cast

from rag.disk import regular_files, result_files
from rag.disk.strict_json import Json
from rag.errors import Usage
from rag.eval.records import CaseRecord

Say = Callable[[str], None]

SCHEMA = 1


class PartialRun:
    """The partial file of a run. `done` has the finished records by id."""

    def __init__(self, path: Path, fingerprint: str, say: Say) -> None:
        self.path = path
        self.done: dict[str, CaseRecord] = {}
        header: dict[str, int | str] = {"schema": SCHEMA, "fingerprint": fingerprint}
        if path.exists() and not path.is_file():
            raise Usage(
                f"{path} {regular_files.NOT_REGULAR[0]}", "remove it, or give --out another place"
            )
        try:
            result_files.check_result_path(path, "--out", is_partial, "the beginning of a run")
            whole = self._read(header, say)
            flags = (
                os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
            self._file = os.fdopen(os.open(path, flags, 0o600), "r+b")
        except OSError as error:
            why = f"{path} cannot be written: {error.strerror or error}"
            raise Usage(
                why, "give --out a file in a folder that is there and that you may write to"
            ) from error
        self._file.truncate(whole)
        self._file.seek(whole)
        if not whole:
            self._write(header)

    def __enter__(self) -> PartialRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, record: CaseRecord) -> None:
        """Append a record. It is flushed when this returns."""
        self._write(record)
        self.done[record["id"]] = record

    def remove(self) -> None:
        """Delete the file, after the run file was written."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def _read(self, header: dict[str, int | str], say: Say) -> int:
        """Fill `done` and return the number of complete bytes of this run."""
        if not self.path.exists():
            return 0
        with open(self.path, "rb") as file:
            first = file.readline()
            if first and _entry(first) != header:
                say(
                    f"{self.path} is of another run (other questions, settings or versions): "
                    "starting anew"
                )
                return 0
            whole = len(first)
            for line in file:
                entry = _entry(line)
                if entry is None or "id" not in entry:
                    say(
                        f"{self.path} breaks off in record {len(self.done) + 1}: "
                        "going on from there"
                    )
                    break
                record = cast(CaseRecord, entry)
                self.done[record["id"]] = record
                whole += len(line)
        if self.done:
            say(f"{len(self.done)} questions were done before: going on from there")
        return whole

    def _write(self, entry: Mapping[str, object]) -> None:
        self._file.write(json.dumps(entry, allow_nan=False).encode() + b"\n")
        self._file.flush()


def is_partial(path: Path) -> bool:
    """Tell whether the regular file at `path` is a partial file, even one cut in line 1."""
    first = result_files.begins(path).partition(b"\n")[0]
    head = json.dumps({"schema": SCHEMA, "fingerprint": ""}).encode()[:-2]
    return first.startswith(head) or head.startswith(first)


def _entry(line: bytes) -> dict[str, Json] | None:
    """Return the object of a line, or None if the line is incomplete."""
    try:
        entry = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
