"""An OpenAI-compatible server on this computer that can misbehave. The name of the model says how it answers."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from rag.server_address import ServerAddress

#: names of models that answer with a status, and the status
STATUSES = {
    f"status-{number}": number for number in (400, 401, 403, 404, 408, 429, 500, 502, 503, 504)
}


class ChatServer:
    """Writes `text`, a word an event. `models` are those that it lists."""

    def __init__(self) -> None:
        self.text = "The mill was built in 1871."
        self.models: list[str] = ["tale"]
        #: (method, path, headers, body) of every request
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.closed = threading.Event()  #: a client has gone before the end
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def address(self, model: str = "tale") -> ServerAddress:
        return ServerAddress(self.url, model)

    def bodies(self) -> list[Any]:
        """What was posted."""
        return [body for method, _, _, body in self.requests if method == "POST"]


class _Handler(BaseHTTPRequestHandler):
    owner: ChatServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        self._note(None)
        if self.path == "/page/models":
            return self._whole(200, b"<!DOCTYPE html>", "text/html")
        if self.path != "/v1/models":
            return self._whole(404, b"{}")
        listed = {"object": "list", "data": [{"id": name} for name in self.owner.models]}
        return self._whole(200, json.dumps(listed).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note(body)
        way = body["model"]
        if way in STATUSES:
            problem = {"error": {"message": f"refused \x1b[31m {self.headers['Authorization']}"}}
            return self._whole(STATUSES[way], json.dumps(problem).encode())
        try:
            return getattr(self, "_" + way.replace("-", "_"))()
        except OSError:
            self.owner.closed.set()

    def _note(self, body: Any) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.requests.append((self.command, self.path, headers, body))

    def _whole(self, status: int, body: bytes, kind: str = "application/json", **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _begin(self, kind: str = "text/event-stream; charset=utf-8") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _event(self, text: str | None, end: str | None = None) -> None:
        delta = {} if text is None else {"content": text}
        self._data(json.dumps({"choices": [{"delta": delta, "finish_reason": end}]}))

    def _data(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def _words(self) -> None:
        self._data('{"choices": [{"delta": {"role": "assistant", "content": null}}]}')
        for number, word in enumerate(self.owner.text.split(" ")):
            self._event(f" {word}" if number else word)

    # -- ways to answer

    def _tale(self) -> None:
        self._begin()
        self._words()
        self._event(None, "stop")
        self._data('{"choices": [], "usage": {"total_tokens": 9}}')
        self._data("[DONE]")

    def _other_lines(self) -> None:
        """Comments, other fields and carriage returns."""
        self._begin()
        self.wfile.write(b": ping\r\n\r\nevent: message\r\nid: 7\r\n")
        self._words()
        self.wfile.write(b"data: [DONE]\r\n\r\n")

    def _busy(self) -> None:
        if len(self.owner.bodies()) < 3:
            return self._whole(503, b"{}", **{"Retry-After": "0"})
        return self._tale()

    def _endless(self) -> None:
        self._begin()
        while not self.owner.released.is_set():
            self._event("word ")

    def _endless_comments(self) -> None:
        self._begin()
        while not self.owner.released.wait(0.01):
            self.wfile.write(b": ping\n\n")

    def _endless_nothing(self) -> None:
        self._begin()
        while not self.owner.released.is_set():
            self.wfile.write(b":\n" * 10_000)

    def _huge_event(self) -> None:
        self._begin()
        self._event("word " * 40_000)
        self._data("[DONE]")

    def _huge_line(self) -> None:
        self._begin()
        self.wfile.write(b"data: " + b"x" * 2**20)
        self.owner.released.wait(30)

    def _page(self) -> None:
        self._whole(200, b"<!DOCTYPE html>", "text/html\x07")

    def _malformed(self) -> None:
        self._begin()
        self._words()
        self._data('{"choices": [\x1b[31m')

    def _not_a_completion(self) -> None:
        self._begin()
        self._data('{"choices": [7]}')

    def _nested(self) -> None:
        self._begin()
        self._data("[" * 100_000)

    def _fails_inside(self) -> None:
        self._begin()
        self._words()
        self._data('{"error": {"message": "out of memory"}}')

    def _silent(self) -> None:
        """Headers never come."""
        self.owner.released.wait(30)

    def _stalls(self) -> None:
        self._begin()
        self._event("The mill")
        self.owner.released.wait(30)
        self.wfile.write(b"x" * 2**20)

    def _closes(self) -> None:
        self._begin()
        self._event("The mill")

    def _begins_only(self) -> None:
        """A success and no event, as from a server that finds the prompt too long."""
        self._begin()
        self.wfile.write(b": ping\n\n")

    def _breaks(self) -> None:
        """Fewer bytes than it said."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.close_connection = True
        self._event("The mill")

    def _hangs_up(self) -> None:
        """No answer at all."""
        self.close_connection = True

    def _elsewhere(self) -> None:
        self._whole(
            307, b"", Location=f"http://localhost:{self.owner.port}/v1/chat/completions?key=x"
        )
