"""The child process that parses what strangers made: it may use some 448 MB and seconds, more for a large file, write no file, and die.

The rules that look for titles, headings and furniture in a text (`clean`) run here too, for plain text as for the other formats.

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
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from typing import Any, BinaryIO

from rag.domain import RawDocument, RefusedPart, Span
from rag.errors import Unreadable
from rag.ingest.clean import apply_rules
from rag.ingest.formats.archive import Member
from rag.ingest.formats.common import check_length
from rag.ingest.formats.registry import ARCHIVES, IN_PROCESS, IN_SANDBOX

BASE_MEMORY_BYTES = (
    448 * 2**20
)  #: bytes above what the idle child holds, for a small file; and `_TIMES` the bytes of the file
_MEMORY_PER_BYTE = 4
_MAX_MEMORY_BYTES = 1152 * 2**20  # bytes above the idle child, for any file
_TIRED_BYTES = 150 * 2**20  # bytes above the idle child, from which it asks to be replaced
_SPARE_BYTES = 16 * 2**20  # bytes
_spare = bytearray()  # set aside for the time after the memory ran out
_OUT_OF_MEMORY = {
    "failed": "takes too much memory to read",
    "cure": "split it, or save it in a simpler format",
}
_MAX_HEADINGS = 100_000
_MAX_TITLE_CHARS = 1000  # characters of a title or a heading; a longer one is cut
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # what no file of text can hold


def main() -> None:
    """Serve until the listening process goes away."""
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), 1
    )  # a library that prints does not talk into the frames
    with suppress(ValueError):
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # the terminal's Ctrl-C is for the process that listens
    socket.has_ipv6 = False  # urllib3, which comes with trafilatura, would else bind a socket to ::1 to find that out
    idle = _address_space()
    _spare.extend(b"\1" * _SPARE_BYTES)
    heard = sys.stdin.buffer
    while line := heard.readline():
        request = json.loads(line)
        content = heard.read(request["size"])
        started = time.process_time()
        _limit_memory(idle, len(content))
        _limit_seconds(request["seconds"])
        tired = _answer(request["kind"], content, told)
        content = b""
        spent = time.process_time() - started
        _send(
            told,
            {"end": True, "tired": tired or _address_space() > idle + _TIRED_BYTES, "spent": spent},
        )


def _answer(kind: str, content: bytes, told: BinaryIO) -> bool:
    """Tell what `content` holds. True where the process should not go on: it ran out of memory."""
    try:
        for part in _parts(kind, content):
            _send(told, *_frame(part))
    except Unreadable as error:
        _send(told, {"failed": str(error), "cure": error.cure})
    except (MemoryError, RecursionError) as error:
        _spare.clear()  # there must be room to say so
        deep = {"failed": "takes too much nesting to read", "cure": _OUT_OF_MEMORY["cure"]}
        _send(told, _OUT_OF_MEMORY if isinstance(error, MemoryError) else deep)
        return True
    except Exception as error:
        if type(error).__name__ == "XMLSyntaxError" and not getattr(error, "lineno", 1):
            _send(told, _OUT_OF_MEMORY)  # so says lxml where it ran out of memory
            return True
        said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        reason = f"is not a {kind} file that can be read ({said})"
        _send(told, {"failed": reason, "cure": "open it in its own program and save it again"})
    return False


def _parts(kind: str, content: bytes) -> Iterator[RawDocument | RefusedPart | Member]:
    if kind in IN_PROCESS:
        yield from IN_PROCESS[kind](content)
        return
    module, function = (IN_SANDBOX | ARCHIVES)[kind]
    yield from getattr(import_module(f"rag.ingest.formats.{module}"), function)(content)


def _frame(part: RawDocument | RefusedPart | Member) -> tuple[dict[str, Any], bytes]:
    if isinstance(part, RefusedPart):
        return {
            "refused": _storable(part.name),
            "reason": _storable(part.reason),
            "cure": part.cure,
        }, b""
    if isinstance(part, Member):
        return {"member": part.name}, part.content
    check_length(len(part.text), part.text.count("\n"))
    if max(len(part.headings or ()), len(part.pages)) > _MAX_HEADINGS:
        raise Unreadable(f"has more than {_MAX_HEADINGS:,} headings or pages", "split it")
    part = replace(part, text=_storable(part.text))
    head = {
        "date": part.date,
        "name": _storable(part.name),
        "lines": part.lines,
        "pages": _pairs(part.pages),
        **_found(part),
    }
    return {**head, "ruled": _found(apply_rules(part))}, part.text.encode()


def _found(raw: RawDocument) -> dict[str, Any]:
    headings = (
        None
        if raw.headings is None
        else [(at, level, _storable(t[:_MAX_TITLE_CHARS])) for at, level, t in raw.headings]
    )
    return {
        "title": _storable(raw.title[:_MAX_TITLE_CHARS]),
        "masked": _pairs(raw.masked),
        "headings": headings,
    }


def _pairs(spans: tuple[Span, ...]) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans]


def _storable(text: str) -> str:
    """`text` with U+FFFD for zeros and half surrogate pairs, character for character."""
    return _UNSTORABLE.sub("\ufffd", text)


def _send(told: BinaryIO, head: dict[str, Any], content: bytes = b"") -> None:
    told.write(json.dumps({**head, "size": len(content)}).encode() + b"\n")
    told.write(content)
    told.flush()


def _address_space() -> int:
    """Bytes of address space that this process has; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


def _limit_memory(idle: int, size: int) -> None:
    """Where the system can: no more memory above `idle` than a file of `size` bytes may have, no file written, no core dumped."""
    with suppress(ImportError):
        import resource

        memory = (idle or BASE_MEMORY_BYTES // 2) + min(
            _MAX_MEMORY_BYTES, BASE_MEMORY_BYTES + _MEMORY_PER_BYTE * size
        )
        for what, most in [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_AS, memory),
        ]:
            with suppress(ValueError, OSError):
                resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def _limit_seconds(more: float) -> None:
    """From now on the processor for `more` seconds, also where nobody listens any more: then the process ends."""
    with suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = (
            int(used.ru_utime + used.ru_stime + more) + 2
        )  # behind the timer, which a library might stop
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, more)
