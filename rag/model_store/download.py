"""Fetches one large file over HTTP into a partial file, and goes on where an earlier try ended.

The partial file lies beside its later name, with a small record of where its bytes come from. It is
continued only from the same source (the same URL, or the same SHA-256), and only if the server says
that the rest belongs to the same version (``If-Range``, ``Content-Range``). Connections that break
off or stall are tried again. Nothing that a server says about size is believed unless it fits.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from rag import __version__
from rag.disk import atomic_files, permissions
from rag.errors import DownloadFailed

#: called with the bytes that are here and the size of the whole file, None if it is not known
Progress = Callable[[int, int | None], None]

_PIECE_BYTES = 256 * 2**10
#: free bytes that a download leaves on the disk
SPARE_BYTES = 200 * 2**20
_MAX_FAILURES = 5  # tries in a row that brought next to nothing
_MIN_GAIN_BYTES = 2**20  # a try that brought so much is no failure
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_UNSATISFIED_RANGE = re.compile(r"bytes \*/(\d+)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch. `headers` are sent to the host of `url` and to no other."""

    url: str
    size: int | None = None
    sha256: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a download waits: for the next bytes, for a slow server, and between two tries."""

    stall_seconds: float = 30.0
    slow_seconds: float = 60.0
    slow_bytes: int = 60 * 2**10  # fewer in `slow_seconds` are a stall as well
    pause_seconds: float = 1.0


class _TryAgainError(Exception):
    """A try failed in a way that the next one may not."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, never from https to http, and keeps secrets at home."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("http", "https") or (old.scheme, new.scheme) == ("https", "http"):
            raise DownloadFailed(
                f"{old.netloc} redirects to {new.scheme}://{new.netloc}, which is not followed",
                "give the URL of the file itself",
            )
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        if request is not None and old.netloc != new.netloc:
            request.remove_header("Authorization")
        return request


def download(
    remote: Remote, part: Path, progress: Progress, patience: Patience | None = None
) -> None:
    """Fetch `remote` into the file `part`, or the rest of it. Its SHA-256 is not compared here.

    Raises `DownloadFailed`; the bytes that are here are kept unless they are worth nothing.
    """
    attempt = _Attempt(remote, part, progress, patience or Patience())
    try:
        attempt.forget_another_source()
        _try_until_whole(attempt, remote, part, (patience or Patience()).pause_seconds)
    except OSError as error:  # those of the network are handled where they come from
        raise DownloadFailed(
            f"{part} cannot be written: {error.strerror or error}",
            "make room; the same command goes on where this one ended",
        ) from error


def _try_until_whole(attempt: _Attempt, remote: Remote, part: Path, pause_seconds: float) -> None:
    failures = 0
    while True:
        before = size_of(part)
        try:
            attempt.run()
            return
        except _TryAgainError as error:
            failures = 0 if size_of(part) - before >= _MIN_GAIN_BYTES else failures + 1
            if failures >= _MAX_FAILURES:
                raise DownloadFailed(
                    f"{remote.host} was tried {failures} times: {error}",
                    "check the connection; the same command goes on where this one ended",
                ) from error
            time.sleep(pause_seconds * 2**failures)


def size_of(path: Path) -> int:
    """The size of a file in bytes, 0 if there is none."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


def record_path(part: Path) -> Path:
    """The record beside a partial file."""
    return part.with_name(part.name + ".json")


def read_record(part: Path) -> dict[str, object]:
    """What the record of a partial file says; {} if there is none."""
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(record_path(part).read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def write_record(part: Path, record: Mapping[str, object]) -> None:
    """Replace the record of a partial file."""
    atomic_files.replace_file(record_path(part), json.dumps(record))


def discard(part: Path) -> None:
    """Remove a partial file and its record."""
    part.unlink(missing_ok=True)
    record_path(part).unlink(missing_ok=True)


def require_space(folder: Path, needed: int) -> None:
    """Raise `DownloadFailed` unless so many bytes, and some to spare, are free at `folder`."""
    free = shutil.disk_usage(folder).free
    if needed + SPARE_BYTES > free:
        raise DownloadFailed(
            f"{(needed + SPARE_BYTES) / 1e9:.1f} GB are needed at {folder}, "
            f"{free / 1e9:.1f} GB are free",
            "make room, or take another folder with --home",
        )


class _Attempt:
    """One request, and the writing of what it brings."""

    def __init__(self, remote: Remote, part: Path, progress: Progress, patience: Patience) -> None:
        self._remote, self._part = remote, part
        self._progress, self._patience = progress, patience

    def forget_another_source(self) -> None:
        """Discard the partial file unless it is a part of this very file."""
        record, remote = read_record(self._part), self._remote
        same_file = bool(remote.sha256) and record.get("sha256") == remote.sha256
        if not same_file and record.get("url") != remote.url:
            discard(self._part)
        if remote.size is not None and size_of(self._part) > remote.size:
            discard(self._part)

    def run(self) -> None:
        """Fetch what is missing. Raises `_TryAgainError`, `DownloadFailed`."""
        have, size = size_of(self._part), self._remote.size
        if size is not None and have == size:
            return
        try:
            response = self._opener().open(
                self._request(have), timeout=self._patience.stall_seconds
            )
        except urllib.error.HTTPError as error:
            with error:
                self._refused(error, have)
            return
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from error
        except (OSError, http.client.HTTPException) as error:
            raise _TryAgainError(_words(error)) from error
        with response:
            self._take(response, have)

    @staticmethod
    def _opener() -> urllib.request.OpenerDirector:
        return urllib.request.build_opener(_Redirects)

    def _request(self, have: int) -> urllib.request.Request:
        headers = {
            "User-Agent": f"footnote/{__version__}",
            "Accept-Encoding": "identity",
            **self._remote.headers,
        }
        if have:
            headers["Range"] = f"bytes={have}-"
            version = read_record(self._part).get("version")
            if isinstance(version, str) and version:
                headers["If-Range"] = version
        return urllib.request.Request(self._remote.url, headers=headers)  # noqa: S310

    def _unreachable(self, reason: object) -> Exception:
        """A host name or certificate that is wrong stays so; anything else is tried again."""
        import socket
        import ssl

        if isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError):
            return DownloadFailed(
                f"{self._remote.host} cannot be reached: {_words(reason)}",
                "check the address, the connection and the proxy (HTTPS_PROXY)",
            )
        return _TryAgainError(_words(reason))

    def _refused(self, error: urllib.error.HTTPError, have: int) -> None:
        """Handle a status that is no success. Returns if the file is whole already."""
        host = self._remote.host
        if error.code == 416 and have:
            whole = _UNSATISFIED_RANGE.fullmatch(error.headers.get("Content-Range", ""))
            if self._remote.size is None and whole and int(whole[1]) == have:
                return
            discard(self._part)
            raise _TryAgainError("the part that is here does not belong to the file")
        if error.code in _TRY_AGAIN:
            raise _TryAgainError(f"HTTP {error.code} {error.reason}")
        cure = "check the address in a browser"
        if error.code in (401, 403):
            cure = "the file needs a token (HF_TOKEN, for the hub) or the acceptance of its terms"
        raise DownloadFailed(f"{host} answers HTTP {error.code} {error.reason}", cure)

    def _take(self, response: HTTPResponse, have: int) -> None:
        """Write what a response brings. Raises `_TryAgainError`, `DownloadFailed`."""
        start, total = self._extent(response, have)
        expected = self._remote.size
        if expected is not None and total is not None and total != expected:
            raise DownloadFailed(
                f"{self._remote.host} has a file of {total:,} bytes; {expected:,} are expected",
                "nothing was written; give another source (this one may be a page, not the file)",
            )
        size = total if total is not None else expected
        require_space(self._part.parent, max(0, (size or 0) - start))
        self._keep_record(response)
        written = self._write(response, start, size)
        if size is not None and written < size:
            raise _TryAgainError(f"it broke off after {written:,} of {size:,} bytes")

    def _extent(self, response: HTTPResponse, have: int) -> tuple[int, int | None]:
        """(first byte, size of the whole file): what the response says that it brings."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadFailed(
                f"{self._remote.host} sends a compressed file, which was not asked for",
                "give another source",
            )
        if response.status == 206:
            extent = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if extent is None or int(extent[1]) != have:
                discard(self._part)
                raise _TryAgainError("it sends another part than the one asked for")
            return have, None if extent[3] == "*" else int(extent[3])
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isascii() and length.isdigit() else None

    def _keep_record(self, response: HTTPResponse) -> None:
        """Record the source, and the version if the server names one that can be compared."""
        tag = response.headers.get("ETag", "")
        if tag.startswith("W/"):
            tag = ""
        record = {"url": self._remote.url, "sha256": self._remote.sha256, "version": tag}
        if read_record(self._part) != record:
            write_record(self._part, record)

    def _write(self, response: HTTPResponse, start: int, size: int | None) -> int:
        """Write the body from byte `start` on; the size of the partial file afterwards."""
        with open(self._part, "r+b" if start else "wb", opener=permissions.opener) as file:
            file.seek(start)
            file.truncate()
            done = self._copy(response, file, start, size)
            file.flush()
            os.fsync(file.fileno())
        return done

    def _copy(self, response: HTTPResponse, file: IO[bytes], done: int, size: int | None) -> int:
        rate = _Rate(self._patience)
        while piece := self._piece(response):
            if not done:
                self._require_gguf(piece)
            done += len(piece)
            if size is not None and done > size:
                raise DownloadFailed(
                    f"{self._remote.host} sends more than the {size:,} bytes of the file",
                    "give another source",
                )
            file.write(piece)
            self._progress(done, size)
            rate.count(len(piece))
        return done

    def _piece(self, response: HTTPResponse) -> bytes:
        try:
            return response.read1(_PIECE_BYTES)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _TryAgainError(_words(error)) from error

    def _require_gguf(self, piece: bytes) -> None:
        if not b"GGUF".startswith(piece[:4]):
            raise DownloadFailed(
                f"{self._remote.host} sends something else than a GGUF file "
                f"(it begins with {piece[:16]!r})",
                "check the address in a browser: it may be a page, not the file",
            )


class _Rate:
    """Ends a try that brings next to nothing."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._since, self._bytes = time.monotonic(), 0

    def count(self, size: int) -> None:
        self._bytes += size
        now = time.monotonic()
        if now - self._since < self._patience.slow_seconds:
            return
        if self._bytes < self._patience.slow_bytes:
            raise _TryAgainError(f"it sent {self._bytes:,} bytes in {now - self._since:.0f} s")
        self._since, self._bytes = now, 0


def _words(error: object) -> str:
    """An error of the network in words."""
    if isinstance(error, TimeoutError):
        return "it sent nothing any more"
    if isinstance(error, http.client.IncompleteRead):
        return "it broke off"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__
