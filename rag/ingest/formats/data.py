"""Reads JSON: corpora (one document a line), files of records, Jupyter notebooks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypedDict

from rag.domain import RawDocument
from rag.errors import Unreadable
from rag.ingest.formats.common import LineBuilder, check_length, decode, iso_day, stated_date
from rag.ingest.structure.json_records import json_records

#: characters of the output of one cell
_MAX_OUTPUT_CHARS = 10_000
_FENCE = re.compile(r"[ \t]*(```|~~~)")
_ATX = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t]*#*$")


class _Output(TypedDict, total=False):
    """An output of a cell: printed text, or shown data by MIME type."""

    text: str | list[str]
    data: dict[str, object]


def read_corpus(content: bytes) -> Iterator[RawDocument]:
    """Yield all documents of a corpus file, or raise `Unreadable` before the first.

    A file whose first line is an object with neither an "id" nor a "text" is a file of records: it
    is one document, unchanged. A file of questions for an evaluation has no documents.
    """
    text = decode(content)
    del content
    documents: dict[str, RawDocument] = {}
    for number, match in enumerate(re.finditer(r"[^\n]*(?:\n|$)", text), 1):
        line = match[0]
        if not line.strip():
            continue
        if not documents and number == 1 and '"text"' not in line:
            if '"question"' in line:
                return
            if _is_record(line):
                check_length(len(text), text.count("\n"))
                units = json_records(text)
                yield RawDocument(
                    text, date=stated_date(text), headings=(), lines=True, units=units
                )
                return
        document = _parse_record(line, number)
        if document.name in documents:
            raise Unreadable(
                f"line {number}: the id {document.name!r} stands twice",
                "give every document an id of its own",
            )
        check_length(len(document.text))
        documents[document.name] = document
    if not any(raw.text.strip() for raw in documents.values()):
        raise Unreadable("holds no document with text", 'a corpus has one {"id", "text"} a line')
    yield from (raw for raw in documents.values() if raw.text.strip())


def _is_record(line: str) -> bool:
    """Is the line a JSON object that is no document of a corpus?"""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and bool(record) and "id" not in record


def _parse_record(line: str, number: int) -> RawDocument:
    """Parse line `number` of a corpus. Raises `Unreadable` if it is not a document."""
    cure = 'a corpus has one JSON object {"id", "text", "title"?, "date"?} a line'
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise Unreadable(
            f"line {number} is not JSON: {error.msg} at character {error.colno}", cure
        ) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"line {number} is not JSON that can be read: {error}", cure) from error
    if (
        not isinstance(record, dict)
        or not record.get("id")
        or not all(isinstance(record.get(key), str) for key in ("id", "text"))
    ):
        raise Unreadable(f'line {number} has no "id" and "text"', cure)
    title = str(record.get("title") or "")
    try:
        "".join((record["id"], record["text"], title)).encode()
    except UnicodeEncodeError as error:
        raise Unreadable(
            f"line {number}: half a surrogate pair in its id, title or text", "correct it"
        ) from error
    date = iso_day(str(record.get("date") or ""))
    return RawDocument(record["text"], title, date, name=record["id"])


def read_notebook(content: bytes) -> Iterator[RawDocument]:
    """Yield a Jupyter notebook: the text and the code of its cells and the output of the code."""
    try:
        book = json.loads(decode(content))
        if "cells" in book:
            cells = book["cells"]
        else:
            cells = [cell for sheet in book["worksheets"] for cell in sheet["cells"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(
            f"is not a notebook: {error}", "open it in Jupyter and save it again"
        ) from error
    lines = LineBuilder()
    title = ""
    for cell in cells:
        source = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") in ("markdown", "heading"):
            heading = _add_markdown(lines, source)
            title = title or heading
        else:
            outputs = (line for output in cell.get("outputs", ()) for line in _output_lines(output))
            for line in (*source.split("\n"), *outputs):
                lines.add(line)
        lines.add()
    metadata = book.get("metadata", {})
    yield lines.raw(str(metadata.get("title") or title), iso_day(str(metadata.get("date") or "")))


def _add_markdown(lines: LineBuilder, source: str) -> str:
    """Add a cell of Markdown with its headings. Returns its first heading, or ""."""
    first, fenced = "", False
    for line in source.split("\n"):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _ATX.match(line)
        if heading:
            lines.mark(heading[2], len(heading[1]))
            first = first or heading[2]
        lines.add(line)
    return first


def _joined(value: object) -> str:
    """Return a notebook's text, which is a string or a list of strings."""
    return "".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _output_lines(output: _Output) -> list[str]:
    """Return the lines that a cell printed or showed as text."""
    shown = output.get("data") or {}
    text = _joined(output.get("text") or shown.get("text/plain") or "").rstrip("\n")
    if len(text) > _MAX_OUTPUT_CHARS:
        more = len(text) - _MAX_OUTPUT_CHARS
        text = f"{text[:_MAX_OUTPUT_CHARS]}\n… ({more:,} more characters of output)"
    return text.split("\n") if text else []
