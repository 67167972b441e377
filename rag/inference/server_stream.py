"""The text in a server-sent stream of chat completions.

Each event is one ``data:`` line of JSON; comments and other fields are passed over. Nothing that a
server sends is believed: lines have a longest size, JSON is strict, control characters are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag.disk import strict_json
from rag.disk.strict_json import Json
from rag.errors import ServerFailed
from rag.text.sanitize import sanitize_line

_MAX_LINE_BYTES = 256 * 2**10
_MAX_MESSAGE_CHARS = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BROKEN = "the server may be no OpenAI-compatible one; see: footnote models check URL"


@dataclass(frozen=True, slots=True)
class Event:
    """A part of an answer. `ended` is True for the last one; `text` may be empty."""

    text: str = ""
    ended: bool = False


def lines_of(pieces: Iterable[bytes], host: str) -> Iterator[str]:
    """Yield the lines of a stream. Raises `ServerFailed` for one that is too long."""
    line = bytearray()
    for piece in pieces:
        first, *others = piece.split(b"\n")
        line += first
        for other in others:
            yield _line(line, host)
            line = bytearray(other)
        _require_short(line, host)
    if line:
        yield _line(line, host)


def _line(line: bytearray, host: str) -> str:
    _require_short(line, host)
    return line.rstrip(b"\r").decode("utf-8", "replace")


def _require_short(line: bytearray, host: str) -> None:
    if len(line) > _MAX_LINE_BYTES:
        raise ServerFailed(
            f"{host} sent a line of more than {_MAX_LINE_BYTES // 2**10} kB", _BROKEN
        )


def read_event(line: str, host: str) -> Event | None:
    """The event of a line; None if it holds none. Raises `ServerFailed`."""
    if not line.startswith("data:"):
        return None
    data = line.removeprefix("data:").strip()
    if data == "[DONE]":
        return Event(ended=True)
    content = read_json(data, host)
    if problem := problem_in(content):
        raise ServerFailed(f"{host} ended the answer: {problem}", "see the log of the server")
    try:
        choices = content["choices"] if isinstance(content, dict) else None
        if not isinstance(choices, list):
            raise KeyError("choices")
        if not choices:
            return Event()  # figures of usage
        choice = choices[0]
        text = choice["delta"].get("content") or ""  # type: ignore[call-overload,index,union-attr]
        ended = choice.get("finish_reason") is not None  # type: ignore[union-attr]
        if not isinstance(text, str):
            raise TypeError
    except (KeyError, TypeError, AttributeError):
        raise ServerFailed(
            f"{host} sent an event that is no part of a chat completion: {_shortened(data)}",
            _BROKEN,
        ) from None
    return Event(without_controls(text), ended)


def without_controls(text: str) -> str:
    """The text without control characters but newline and tab."""
    return _CONTROL.sub("", text)


def read_json(text: str, host: str) -> Json:
    """The value of a JSON text. Raises `ServerFailed`."""
    try:
        return strict_json.parse(text)
    except ValueError:
        raise ServerFailed(f"{host} sent malformed JSON: {_shortened(text)}", _BROKEN) from None


def problem_in(content: Json) -> str:
    """The error message of a server's JSON object on one line; "" if it has none."""
    error = content.get("error") if isinstance(content, dict) else None
    if isinstance(error, dict):
        error = error.get("message") or "it gives no reason"
    return _shortened(str(error)) if error else ""


def _shortened(text: str) -> str:
    line = sanitize_line(text[: 2 * _MAX_MESSAGE_CHARS])
    return line if len(line) <= _MAX_MESSAGE_CHARS else f"{line[:_MAX_MESSAGE_CHARS]} ..."
