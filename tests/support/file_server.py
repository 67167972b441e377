"""A server of one file on this computer that can misbehave: it breaks off, stalls, lies about sizes, redirects, refuses.

The path of a request says how it is answered. What was asked is in `requests`."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class FileServer:
    """Serves `content`. `pieces` are the bytes after which a broken answer ends."""

    def __init__(self) -> None:
        self.content = b"GGUF" + bytes(range(256)) * 12_000
        self.tag = '"one"'
        self.piece = 1_100_000
        #: (method, path, headers) of every request
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.files: dict[str, bytes] = {}
        self.released = threading.Event()
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> FileServer:
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

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def ranges(self) -> list[str]:
        """The range that each GET asked for, "" for all."""
        return [headers.get("range", "") for method, _, headers in self.requests if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    owner: FileServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...

    def do_HEAD(self) -> None:
        self._note()
        self._hub()

    def do_GET(self) -> None:
        self._note()
        way = self.path.strip("/").split("/")[0].removesuffix(".gguf").replace("-", "_")
        if way == "owner":
            return self._hub()
        if way in ("simple", "wheels"):
            return self._index()
        answer: Callable[[], None] | None = getattr(self, f"_{way}", None)
        if answer is None:
            return self._status(404)
        return answer()

    def _note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.owner.requests.append((self.command, self.path, headers))

    # -- ways to answer

    def _file(self, content: bytes | None = None, stop: int | None = None) -> None:
        """The file, or the part of it that was asked for; `stop` bytes of that, then the end."""
        content = self.owner.content if content is None else content
        start = self._start(len(content))
        if start is None:
            return
        body = content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if stop is None else body[:stop])
        self.close_connection = stop is not None

    def _start(self, size: int) -> int | None:
        """Send status and headers for the part that was asked for; its first byte."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if self.headers.get("If-Range") not in (None, self.owner.tag):
            asked = None
        start = int(asked[1]) if asked else 0
        if asked and start >= size:
            self._status(416, {"Content-Range": f"bytes */{size}"})
            return None
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("ETag", self.owner.tag)
        return start

    def _breaks_off(self) -> None:
        self._file(stop=self.owner.piece)

    def _breaks_off_at_once(self) -> None:
        self._file(stop=10)

    def _no_ranges(self) -> None:
        """The whole file, whatever was asked for."""
        del self.headers["Range"]
        self._file()

    def _another_range(self) -> None:
        """A part that was not asked for, the first time that a part is asked for."""
        if "Range" in self.headers and len(self.owner.requests) == 1:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes 7-9/{len(self.owner.content)}")
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"abc")
        else:
            self._file()

    def _wrong(self) -> None:
        """As many bytes, other ones."""
        self._file(b"GGUF" + self.owner.content[4:][::-1])

    def _longer(self) -> None:
        self._file(self.owner.content + b"more")

    def _vast(self) -> None:
        """An exabyte, by its own word."""
        self.send_response(200)
        self.send_header("Content-Length", str(2**60))
        self.end_headers()
        self.close_connection = True

    def _endless(self) -> None:
        """No length, and no end."""
        self.send_response(200)
        self.end_headers()
        self.close_connection = True
        block = b"GGUF" * 64_000
        try:
            while not self.owner.released.is_set():
                self.wfile.write(block)
        except OSError:
            return

    def _unsized(self) -> None:
        """The file in chunks, without its length."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(self.owner.content), 500_000):
            piece = self.owner.content[at : at + 500_000]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _stalls(self) -> None:
        """The first bytes, then nothing; a later request gets the rest."""
        if len(self.owner.requests) > 1:
            self._file()
        else:
            self._file(stop=self.owner.piece)
            self.wfile.flush()
            self.owner.released.wait(30)

    def _drips(self) -> None:
        """A few bytes at a time, for ever."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.owner.content)))
        self.end_headers()
        self.close_connection = True
        try:
            for byte in self.owner.content:
                self.wfile.write(bytes([byte]))
                if self.owner.released.wait(0.02):
                    return
        except OSError:
            return

    def _page(self) -> None:
        self._file(b"<!DOCTYPE html><p>Sign in".ljust(len(self.owner.content)))

    def _compressed(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"GGUF")

    def _redirected(self) -> None:
        self._status(302, {"Location": "/file.gguf"})

    def _elsewhere(self) -> None:
        self._status(302, {"Location": self.owner.url("file.gguf", "localhost")})

    def _to_ftp(self) -> None:
        self._status(302, {"Location": "ftp://127.0.0.1/file.gguf"})

    def _round(self) -> None:
        self._status(302, {"Location": "/round.gguf"})

    def _busy(self) -> None:
        """Refused twice, then the file."""
        if len(self.owner.requests) < 3:
            self._status(503)
        else:
            self._file()

    def _refused(self) -> None:
        self._status(int(self.path.rsplit("/", 1)[-1].split(".")[0]))

    def _hub(self) -> None:
        """As the Hugging Face hub: metadata in the headers of a redirect to where the bytes are."""
        found = re.fullmatch(r"/owner/(\w+)/resolve/[\w.]+/(.+)", self.path)
        if not found or found[1] == "missing":
            return self._status(404, {"X-Error-Code": "RepoNotFound"})
        if found[1] == "gated" and "Authorization" not in self.headers:
            return self._status(401, {"X-Error-Code": "GatedRepo"})
        stated = "0" * 64 if found[1] == "other" else self.owner.sha256
        return self._status(
            302,
            {
                "Location": self.owner.url("file.gguf", "localhost"),
                "X-Linked-Etag": f'"{stated}"',
                "X-Linked-Size": str(len(self.owner.content)),
                "X-Repo-Commit": "c" * 40,
                "ETag": '"pointer"',
            },
        )

    def _index(self) -> None:
        """As a package index: the wheels in `files`."""
        kind, name = self.path.strip("/").split("/")[:2]
        if kind == "wheels":
            return (
                self._file(self.owner.files[name])
                if name in self.owner.files
                else self._status(404)
            )
        wheels = [
            file for file in self.owner.files if file.startswith(name.replace("-", "_") + "-")
        ]
        if not wheels:
            return self._status(404)
        page = "".join(f'<a href="/wheels/{wheel}">{wheel}</a>' for wheel in wheels).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)
        return None

    def _status(self, code: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()
