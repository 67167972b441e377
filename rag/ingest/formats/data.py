"""Lines of JSON: corpora of documents, records; and notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, check_length, decode, iso_day, stated_date

_MAX_OUTPUT_CHARS = 10_000  # characters of one cell's output
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_ATX = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t]*#*$")


def read_corpus(content: bytes) -> Iterator[RawDocument]:
    """All documents of a corpus file, or none of them: a bad line is found before the first is given out.

    A file whose first line is an object with neither an "id" nor a "text" is no corpus but records, read as they stand.
    """
    text = decode(content)
    del content
    found: dict[str, RawDocument] = {}
    for number, match in enumerate(re.finditer(r"[^\n]*(?:\n|$)", text), 1):
        line = match[0]
        if not line.strip():
            continue
        if not found and number == 1 and '"text"' not in line:
            if '"question"' in line:
                return  # questions for an eval lie beside the documents they are about; they are not documents
            if _is_record(line):
                check_length(len(text), text.count("\n"))
                yield RawDocument(text, date=stated_date(text), headings=(), lines=True)
                return
        name, words, title, date = _parse_record(line, number)
        if name in found:
            raise Unreadable(
                f"line {number}: the id {name!r} stands twice",
                "give every document an id of its own",
            )
        check_length(len(words))
        found[name] = RawDocument(words, title, date, name=name)
    if not any(raw.text.strip() for raw in found.values()):
        raise Unreadable("holds no document with text", 'a corpus has one {"id", "text"} a line')
    yield from (raw for raw in found.values() if raw.text.strip())


def _is_record(line: str) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and bool(record) and "id" not in record


def _parse_record(line: str, number: int) -> tuple[str, str, str, str | None]:
    cure = 'a corpus has one JSON object {"id", "text", "title"?, "date"?} a line'
    try:
        record: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"line {number} is not JSON: {error.msg} at character {error.colno}", cure
        ) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"line {number} is not JSON that can be read: {error}", cure) from error
    if (
        not isinstance(record, dict)
        or not record.get("id")
        or not all(isinstance(record.get(k), str) for k in ("id", "text"))
    ):
        raise Unreadable(f'line {number} has no "id" and "text"', cure)
    try:
        "".join((record["id"], record["text"], str(record.get("title") or ""))).encode()
    except UnicodeEncodeError as error:
        raise Unreadable(
            f"line {number}: half a surrogate pair in its id, title or text", "mend it"
        ) from error
    return (
        record["id"],
        record["text"],
        str(record.get("title") or ""),
        iso_day(str(record.get("date") or "")),
    )


def read_notebook(content: bytes) -> Iterator[RawDocument]:
    """A Jupyter notebook: the words and the code of its cells as they stand, and what the code printed."""
    try:
        book = json.loads(decode(content))
        cells = (
            book["cells"]
            if "cells" in book
            else [c for s in book["worksheets"] for c in s["cells"]]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(
            f"is not a notebook: {error}", "open it in Jupyter and save it again"
        ) from error
    lines = LineBuilder()
    title = ""
    for cell in cells:
        words = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") in ("markdown", "heading"):
            headed = _add_markdown(lines, words)
            title = title or headed
        else:
            for line in words.split("\n") + [
                out for output in cell.get("outputs", ()) for out in _output_lines(output)
            ]:
                lines.add(line)
        lines.add()
    said = book.get("metadata", {})
    yield lines.raw(str(said.get("title") or title), iso_day(str(said.get("date") or "")))


def _add_markdown(lines: LineBuilder, words: str) -> str:
    """Add a cell of Markdown with its headings. Its first heading."""
    first, fenced = "", False
    for line in words.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _ATX.match(line)
        if heading:
            lines.mark(heading[2], len(heading[1]))
            first = first or heading[2]
        lines.add(line)
    return first


def _joined(said: Any) -> str:
    return "".join(str(part) for part in said) if isinstance(said, list) else str(said)


def _output_lines(output: Any) -> list[str]:
    """The lines that a cell printed or showed as text."""
    shown = output.get("data") or {}
    words = _joined(output.get("text") or shown.get("text/plain") or "").rstrip("\n")
    if len(words) > _MAX_OUTPUT_CHARS:
        words = f"{words[:_MAX_OUTPUT_CHARS]}\n… ({len(words) - _MAX_OUTPUT_CHARS:,} more characters of output)"
    return words.split("\n") if words else []
