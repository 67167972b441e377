"""The connection to the server of a chat model: one request at a time, which can be stopped.

A request runs in a thread of its own and hands over what comes, so that a stop and a limit of time
take effect while the network is silent. No proxy, no ``.netrc`` and no redirect is followed: text
goes to the host that the user named and to no other. The key is read from ``FOOTNOTE_API_KEY``
when a request is made, and is kept nowhere.
"""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rag import __version__
from rag.disk import strict_json
from rag.disk.strict_json import Json
from rag.errors import RagError, ServerFailed
from rag.inference import server_stream
from rag.server_address import ServerAddress
from rag.text.sanitize import sanitize_line

Stop = Callable[[], bool]

KEY_VARIABLE = "FOOTNOTE_API_KEY"
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_SECONDS_BETWEEN_STOPS = 0.02
_MAX_WAITING_PIECES = 16
_LATER_SECONDS = 5.0  # the thread that waits gives up first, with its own words
_MAX_BODY_BYTES = 2**20
_MAX_ERROR_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request waits, and how often it is made before it has failed."""

    connect_seconds: float = 10.0
    silent_seconds: float = 60.0
    pause_seconds: float = 0.5  # before the second try; twice as long before each later one
    longest_pause_seconds: float = 10.0  # however long the server asks to wait
    tries: int = 3


@dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a response; names are in lower case."""

    status: int
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """A request; with `body` None it is a GET. `headers` may hold the key."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes | None = None


class SilentError(Exception):
    """Nothing came in time."""


class Exchange:
    """One request and what comes back: first its `Head`, then the pieces of the body."""

    def __init__(self, request: Request, tls: ssl.SSLContext, patience: Patience) -> None:
        import httpx

        self._request, self._tls = request, tls
        self._seconds = httpx.Timeout(
            patience.silent_seconds + _LATER_SECONDS, connect=patience.connect_seconds
        )
        self._came: queue.Queue[Head | bytes | Exception | None] = queue.Queue(_MAX_WAITING_PIECES)
        self._over = threading.Event()
        self._socket: socket.socket | None = None
        threading.Thread(target=self._run, name="chat server", daemon=True).start()

    def next(self, stop: Stop, seconds: float) -> Head | bytes | None:
        """What comes next; None at the end, and once `stop` returns True.

        Raises `SilentError`, `httpx.HTTPError` and what else fails in the thread.
        """
        started_at = time.monotonic()
        while not stop():
            try:
                came = self._came.get(timeout=_SECONDS_BETWEEN_STOPS)
            except queue.Empty:
                if time.monotonic() - started_at > seconds:
                    raise SilentError from None
                continue
            if isinstance(came, Exception):
                raise came
            return came
        return None

    def close(self) -> None:
        """End the request at once; the server sees that the connection is closed."""
        self._over.set()
        if self._socket is not None:
            with suppress(OSError):  # it is closed already, or in the middle of a handshake
                self._socket.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        import httpx

        asked = self._request
        try:
            with (
                httpx.Client(trust_env=False, verify=self._tls, timeout=self._seconds) as client,
                client.stream(
                    "GET" if asked.body is None else "POST",
                    asked.url,
                    content=asked.body,
                    headers=asked.headers,
                    extensions={"trace": self._watch},
                ) as response,
            ):
                headers = {name.lower(): value for name, value in response.headers.items()}
                self._put(Head(response.status_code, headers))
                for piece in response.iter_raw():
                    self._put(piece)
                    if self._over.is_set():
                        return
            self._put(None)
        except Exception as error:  # the thread that waits raises it again
            self._put(error)

    def _watch(self, event: str, info: dict[str, Any]) -> None:
        """Keep the socket of the connection, by which it can be ended from another thread."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._socket = info["return_value"].get_extra_info("socket")
            if self._over.is_set():
                self.close()

    def _put(self, item: Head | bytes | Exception | None) -> None:
        while not self._over.is_set():
            with suppress(queue.Full):
                self._came.put(item, timeout=_SECONDS_BETWEEN_STOPS)
                return


class ServerConnection:
    """Makes requests to a server, again where that may help, and says in words what failed."""

    def __init__(self, address: ServerAddress, patience: Patience | None = None) -> None:
        self.address, self.patience = address, patience or Patience()
        self._tls = ssl.create_default_context()

    def open(self, path: str, body: Json, stop: Stop, kind: str) -> Exchange | None:
        """The open response of this content type; None if it was stopped. Raises `ServerFailed`.

        `body` None asks with GET.
        """
        for attempt in range(1, self.patience.tries + 1):
            exchange = self._exchange(path, body)
            opened = False
            try:
                head = exchange.next(stop, self.patience.silent_seconds)
                if not isinstance(head, Head):
                    return None
                if head.status == 200:
                    self._require_kind(head, kind)
                    opened = True
                    return exchange
                failure, pause = self._refused(head, exchange, stop), self._asked_pause(head)
                again = head.status in _TRY_AGAIN
            except SilentError:
                raise self.silent() from None
            except RagError:
                raise
            except Exception as error:
                failure, pause, again = self.broken(error), 0.0, True
            finally:
                if not opened:
                    exchange.close()
            if not again or attempt == self.patience.tries:
                raise failure
            self._wait(max(pause, self.patience.pause_seconds * 2 ** (attempt - 1)), stop)
        return None

    def get(self, path: str, stop: Stop = lambda: False) -> Json:
        """The JSON at `path`. Raises `ServerFailed`."""
        exchange = self.open(path, None, stop, "application/json")
        if exchange is None:
            return None
        text = self._body(exchange, stop, _MAX_BODY_BYTES)
        return server_stream.read_json(text.decode("utf-8", "replace"), self.address.host)

    def pieces(self, exchange: Exchange, stop: Stop) -> Iterator[bytes]:
        """The pieces of a body as they come, until its end or a stop. Raises `ServerFailed`."""
        while True:
            try:
                piece = exchange.next(stop, self.patience.silent_seconds)
            except SilentError:
                raise self.silent() from None
            except Exception as error:
                raise ServerFailed(
                    f"{self.address.host} broke off in the middle of its answer: {_words(error)}",
                    "ask again; if it happens again, see the log of the server",
                ) from error
            if not isinstance(piece, bytes):
                return
            yield piece

    def silent(self) -> ServerFailed:
        """The error for a server that says nothing for too long."""
        return ServerFailed(
            f"{self.address.host} has said nothing for {self.patience.silent_seconds:g} seconds",
            "see whether it is busy; set server_seconds higher if it is slow",
        )

    def broken(self, error: Exception) -> ServerFailed:
        """The error for a connection that could not be made or that broke before an answer."""
        return ServerFailed(
            f"{self.address.host} cannot be reached: {_words(error)}",
            "start the server, or check the URL (footnote models check URL); "
            "--model reader answers without it",
        )

    def _exchange(self, path: str, body: Json) -> Exchange:
        headers = {
            "User-Agent": f"footnote/{__version__}",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
        }
        if key := _key():
            headers["Authorization"] = f"Bearer {key}"
        content = None if body is None else strict_json.dumps(body).encode()
        request = Request(f"{self.address.url}{path}", headers, content)
        return Exchange(request, self._tls, self.patience)

    def _require_kind(self, head: Head, kind: str) -> None:
        found = head.headers.get("content-type", "").split(";")[0].strip().lower()
        if found != kind or head.headers.get("content-encoding", "identity") != "identity":
            raise ServerFailed(
                f"{self.address.host} answers with {sanitize_line(found)[:60] or 'no type'}, "
                f"not with {kind}",
                "check the URL: that of an OpenAI-compatible server often ends in /v1",
            )

    def _refused(self, head: Head, exchange: Exchange, stop: Stop) -> ServerFailed:
        """The error for a status that is no success."""
        host, status = self.address.host, head.status
        if 300 <= status < 400:
            target = urlsplit(head.headers.get("location", "")).netloc or "another address"
            return ServerFailed(
                f"{host} redirects to {sanitize_line(target)[:200]}, where nothing is sent",
                "if you trust that address, give it as the URL of the model",
            )
        said = ""
        with suppress(ServerFailed):  # what is no JSON is not repeated
            body = self._body(exchange, stop, _MAX_ERROR_BYTES)
            text = server_stream.read_json(body.decode("utf-8", "replace"), host)
            said = server_stream.problem_in(text)
        if key := _key():
            said = said.replace(key, "***")
        return ServerFailed(
            f"{host} answers HTTP {status}{f': {said}' if said else ''}", self._cure(status)
        )

    def _cure(self, status: int) -> str:
        if status in (401, 403):
            if _key():
                return f"the key in the variable {KEY_VARIABLE} was not accepted: set another"
            return f"set the variable {KEY_VARIABLE} to the key of the server"
        if status == 404:
            return "check the URL and the name after #: footnote models check URL lists the models"
        if status == 429:
            return "wait, then ask again: the server takes fewer requests"
        if status == 400:
            return "see the log of the server; a lower prompt_tokens makes the prompt shorter"
        return "see the log of the server, and ask again; --model reader answers without it"

    def _body(self, exchange: Exchange, stop: Stop, most: int) -> bytes:
        """The body, of at most `most` bytes. Raises `ServerFailed`."""
        body = b""
        try:
            for piece in self.pieces(exchange, stop):
                body += piece
                if len(body) > most:
                    raise ServerFailed(
                        f"{self.address.host} sends more than {most:,} bytes",
                        "check the URL: it may be that of a page",
                    )
        finally:
            exchange.close()
        return body

    def _asked_pause(self, head: Head) -> float:
        """Seconds that the server asks to wait, at most as many as `patience` has."""
        asked = head.headers.get("retry-after", "")
        seconds = float(asked[:9]) if asked.isascii() and asked.isdigit() else 0.0
        return min(seconds, self.patience.longest_pause_seconds)

    @staticmethod
    def _wait(seconds: float, stop: Stop) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not stop():
            time.sleep(_SECONDS_BETWEEN_STOPS)


def _key() -> str:
    """The key for the server; "" if there is none. Raises `ServerFailed` for an impossible one."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or not key.isprintable():
        raise ServerFailed(
            f"the variable {KEY_VARIABLE} has characters that no key has", "set it again"
        )
    return key


def _words(error: Exception) -> str:
    return sanitize_line(str(error))[:200] or type(error).__name__
