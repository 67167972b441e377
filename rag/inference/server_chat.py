"""A chat model of an OpenAI-compatible server, in the place of one in llama.cpp.

A server is asked in messages, and its tokens are not known here. So a prompt is made in units of at
most four bytes, which is about a token of English, and is put together as text when it is sent. The
marks between the messages are units of their own, which no text can form.

Servers read the text of a message for control tokens of their model. What looks like one is
therefore spaced out in what strangers wrote ("<|im_end|>" becomes "< |im_end|>").
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence

from rag.disk.strict_json import Json
from rag.errors import ServerFailed, TooLong
from rag.inference import server_stream
from rag.inference.chat_template import SLOT
from rag.inference.server_connection import Patience, ServerConnection
from rag.server_address import ServerAddress
from rag.text.sanitize import sanitize_line

Stop = Callable[[], bool]

USER_MARK = "{user}"
_UNIT_BYTES = 4
_ROLES = ("system", "user", "assistant")
_MARKS = re.compile(r"\{(system|user|assistant)\}")
#: characters of a token, and bytes besides them that a server sends for each
_MAX_TOKEN_CHARS, _MAX_BYTES_FOR_TOKEN = 64, 4096
_SPARE_BYTES = 2**20
_MAX_LISTED = 20
_MAX_NAME_CHARS = 200
_CONTROL_TOKEN = re.compile(r"<(?=[|｜/<A-Za-z_])|\[(?=/?[A-Z_]{2,40}\])")


def _never() -> bool:
    return False


class ServerChat:
    """The model of a server: takes a prompt as units and writes text, one request an answer."""

    def __init__(
        self, address: ServerAddress, context: int, patience: Patience | None = None
    ) -> None:
        self.address, self.size = address, context
        self._connection = ServerConnection(address, patience)
        self._prompt: Sequence[int] = ()
        #: units of prompts that were sent since the model was opened
        self.tokens_read = 0

    @classmethod
    def open(
        cls, address: ServerAddress, context: int, patience: Patience | None = None
    ) -> ServerChat:
        """The model that `address` names, or the only one that the server lists.

        Raises `ServerFailed`.
        """
        if address.model:
            return cls(address, context, patience)
        names = list_models(ServerConnection(address, patience))
        if len(names) != 1:
            listed = ", ".join(names[:_MAX_LISTED]) or "none"
            raise ServerFailed(
                f"{address.host} has {len(names)} models ({listed})",
                f"name one: {address.url}#NAME",
            )
        return cls(ServerAddress(address.url, names[0]), context, patience)

    def close(self) -> None:
        """Do nothing: no connection stays open after an answer."""

    def conversation(self, slots: int) -> str:
        """The marks of the messages around `slots` placeholders."""
        roles = (_ROLES[0], *_ROLES[1:] * slots)
        return "".join(f"{{{roles[n]}}}{SLOT.format(n)}" for n in range(slots))

    def tokens(self, text: str, special: bool) -> list[int]:
        """The units of `text`; with `special`, those of the marks in it and no others."""
        if special:
            return [-1 - _ROLES.index(found[1]) for found in _MARKS.finditer(text)]
        content = text.encode("utf-8", "replace")
        starts = range(0, len(content), _UNIT_BYTES)
        # a byte of 1 before the others keeps zeros and the length
        return [int.from_bytes(b"\x01" + content[at : at + _UNIT_BYTES], "big") for at in starts]

    def begin(self) -> list[int]:
        """No unit: the server adds what its model begins with."""
        return []

    def read(self, prompt: Sequence[int], stop: Stop = _never) -> Iterator[int]:
        """Keep `prompt`, which is sent when the model writes. Raises `TooLong`."""
        if len(prompt) >= self.size:
            raise TooLong(
                f"the prompt has about {len(prompt)} tokens, the context {self.size}",
                "ask a shorter question or raise context_tokens",
            )
        self._prompt = prompt
        self.tokens_read += len(prompt)
        if not stop():
            yield len(prompt)

    def messages(self) -> list[Json]:
        """The messages of the prompt, as they are sent."""
        parts = list[tuple[str, bytearray]]()
        for unit in self._prompt:
            if unit < 0:
                parts.append((_ROLES[-1 - unit], bytearray()))
            else:
                parts[-1][1].extend(unit.to_bytes(_UNIT_BYTES + 1, "big").lstrip(b"\0")[1:])
        return [
            {"role": role, "content": without_control_tokens(content.decode("utf-8", "replace"))}
            for role, content in parts
        ]

    def write(
        self, max_tokens: int, temperature: float, seed: int, stop: Stop = _never
    ) -> Generator[str, None, None]:
        """Yield the text that the model writes after the prompt, in pieces.

        Closing the iterator ends the request, as does `stop` once it returns True. Raises
        `ServerFailed`.
        """
        body: Json = {
            "model": self.address.model,
            "messages": self.messages(),
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
        }
        exchange = self._connection.open("/chat/completions", body, stop, "text/event-stream")
        if exchange is None:
            return
        try:
            pieces = self._limited(self._connection.pieces(exchange, stop), max_tokens)
            yield from self._texts(pieces, max_tokens, stop)
        finally:
            exchange.close()

    def _texts(self, pieces: Iterator[bytes], max_tokens: int, stop: Stop) -> Iterator[str]:
        """The texts of the events. A server that goes on for longer is cut off."""
        host, silent_seconds = self.address.host, self._connection.patience.silent_seconds
        chars = events = 0
        heard_at, began, ended = time.monotonic(), False, False
        for line in server_stream.lines_of(pieces, host):
            if stop():  # the line may be a part of one
                return
            event = server_stream.read_event(line, host)
            began = began or event is not None
            if event and event.text:
                heard_at, events, chars = time.monotonic(), events + 1, chars + len(event.text)
                yield event.text[: _MAX_TOKEN_CHARS * max_tokens]
            ended = bool(event and event.ended)
            if ended or events >= max_tokens or chars >= _MAX_TOKEN_CHARS * max_tokens:
                return
            if time.monotonic() - heard_at > silent_seconds:  # comments only, or thoughts only
                raise self._connection.silent()
        if not stop():
            raise _broke_off(host, began)

    def _limited(self, pieces: Iterator[bytes], max_tokens: int) -> Iterator[bytes]:
        """The pieces, of at most as many bytes as an answer of so many tokens has."""
        left = _SPARE_BYTES + _MAX_BYTES_FOR_TOKEN * max_tokens
        for piece in pieces:
            left -= len(piece)
            if left < 0:
                raise ServerFailed(
                    f"{self.address.host} sends without end", "see the log of the server"
                )
            yield piece


def _broke_off(host: str, began: bool) -> ServerFailed:
    """The error for a stream of events that ends too early; some end before the first event if
    the prompt is too long."""
    if began:
        return ServerFailed(
            f"{host} closed the connection in the middle of its answer",
            "ask again; if it happens again, see the log of the server",
        )
    return ServerFailed(
        f"{host} accepted the question and closed the connection without a word",
        "see the log of the server; the prompt may be longer than its context: give the server a "
        "larger one, or set a lower prompt_tokens",
    )


def list_models(connection: ServerConnection) -> list[str]:
    """The names of the models that a server lists. Raises `ServerFailed`."""
    content = connection.get("/models")
    listed = content.get("data") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise ServerFailed(
            f"{connection.address.host} gives no list of models",
            f"check the URL, or name the model: {connection.address.url}#NAME",
        )
    names = [entry.get("id") for entry in listed if isinstance(entry, dict)]
    return [
        name
        for name in names
        if isinstance(name, str)
        and 0 < len(name) <= _MAX_NAME_CHARS
        and sanitize_line(name) == name
    ]


def without_control_tokens(text: str) -> str:
    """The text with spaces in what a server could take for a control token of its model."""
    return _CONTROL_TOKEN.sub(r"\g<0> ", server_stream.without_controls(text))
