"""The child process that parses what strangers made: it may use 768 MB and a minute or more, write no file, and die.

It hears requests on its standard input, one after the other: a line of JSON ``{"kind", "seconds", "size"}`` and `size`
bytes. It tells frames on its standard output, each a line of JSON with a "size" and that many bytes: a document, a part
that is refused, a member of an archive; at the end "end", with a reason where the file could not be read. JSON and not
pickle, so that a parser that was taken over cannot run anything in the process that listens (`apart`).
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, BinaryIO

from rag.domain import Raw, Refused
from rag.errors import Unreadable
from rag.formats.archive import Member
from rag.formats.kinds import APART, ARCHIVES
from rag.formats.text import bounded

MEMORY = 768 * 2**20  #: bytes above what the idle child holds
_TIRED = 400 * 2**20  # bytes above the idle child, from which it asks to be replaced
_BROKEN = re.compile("[\0\ud800-\udfff]")  # what no file of text can hold


def main() -> None:
    """Serve until the listening process goes away."""
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # a library that prints does not talk into the frames
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the process that listens
    socket.has_ipv6 = False  # urllib3, which comes with trafilatura, would else bind a socket to ::1 to find that out
    idle = _held()
    _limit(idle)
    heard = sys.stdin.buffer
    while line := heard.readline():
        request = json.loads(line)
        content = heard.read(request["size"])
        _seconds(request["seconds"])
        tired = _answer(request["kind"], content, told)
        content = b""
        _tell(told, {"end": True, "tired": tired or _held() > idle + _TIRED})


def _answer(kind: str, content: bytes, told: BinaryIO) -> bool:
    """Tell what `content` holds. True where the process should not go on: it ran out of memory."""
    try:
        for part in _parts(kind, content):
            _tell(told, *_frame(part))
    except Unreadable as error:
        _tell(told, {"failed": str(error), "cure": error.cure})
    except (MemoryError, RecursionError) as error:
        what = "memory" if isinstance(error, MemoryError) else "nesting"
        _tell(told, {"failed": f"takes too much {what} to read", "cure": "split it, or save it in a simpler format"})
        return True
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        reason = f"is not a {kind} file that can be read ({said})"
        _tell(told, {"failed": reason, "cure": "open it in its own program and save it again"})
    return False


def _parts(kind: str, content: bytes) -> Iterator[Raw | Refused | Member]:
    module, function = (APART | ARCHIVES)[kind]
    yield from getattr(import_module(f"rag.formats.{module}"), function)(content)


def _frame(part: Raw | Refused | Member) -> tuple[dict[str, Any], bytes]:
    if isinstance(part, Refused):
        return {"refused": _whole(part.name), "reason": _whole(part.reason), "cure": part.cure}, b""
    if isinstance(part, Member):
        return {"member": part.name}, part.content
    bounded(len(part.text))
    head = {
        "title": _whole(part.title), "date": part.date, "name": _whole(part.name), "lines": part.lines,
        "pages": [(s.start, s.end) for s in part.pages], "masked": [(s.start, s.end) for s in part.masked],
        "headings": None if part.headings is None else [(at, level, _whole(t)) for at, level, t in part.headings],
    }  # fmt: skip
    return head, _whole(part.text).encode()


def _whole(text: str) -> str:
    """`text` with U+FFFD for zeros and half surrogate pairs, character for character."""
    return _BROKEN.sub("\ufffd", text)


def _tell(told: BinaryIO, head: dict[str, Any], content: bytes = b"") -> None:
    told.write(json.dumps({**head, "size": len(content)}).encode() + b"\n")
    told.write(content)
    told.flush()


def _held() -> int:
    """Bytes of address space that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


def _limit(idle: int) -> None:
    """Where the system can: no more memory than `MEMORY` above `idle`, no file written, no core dumped."""
    with suppress(ImportError):
        import resource

        limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)]
        for what, most in [*limits, (resource.RLIMIT_AS, (idle or MEMORY // 2) + MEMORY)]:
            with suppress(ValueError, OSError):
                resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def _seconds(more: float) -> None:
    """From now on the processor for `more` seconds, also where nobody listens any more."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime + more) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
