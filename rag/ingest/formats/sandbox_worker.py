"""The child process that parses files of strangers, within limits on memory and processor time.

It may use about 448 MB and some seconds, more for a large file, and may write no file. The rules
that look for titles, headings and furniture (`clean.apply_rules`) run here too, for plain text as
for other formats.

Requests arrive on standard input, one after the other: a line of JSON ``{"kind", "seconds",
"size"}`` and `size` bytes. Frames go to standard output, each a line of JSON with a "size" and that
many bytes: a document, a refused part, a member of an archive; "failed" with a reason if the file
cannot be read; "end" at last. JSON and not pickle, so that a hijacked parser cannot run code in
the process that reads the frames (`sandbox`).
"""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from typing import BinaryIO

from rag.domain import RawDocument, RefusedPart, Span, Unit
from rag.errors import Unreadable
from rag.ingest.clean import apply_rules
from rag.ingest.formats.archive import Member
from rag.ingest.formats.common import check_length
from rag.ingest.formats.registry import ARCHIVES, IN_PROCESS, IN_SANDBOX, RECOGNISED
from rag.process import harden_process
from rag.text.units import units_to_json

#: bytes above the idle child for an empty file
BASE_MEMORY_BYTES = 448 * 2**20
#: bytes of memory more for each byte of the file
_MEMORY_PER_BYTE = 4
#: bytes above the idle child for any file
_MAX_MEMORY_BYTES = 1152 * 2**20
#: bytes of address space more for the models and libraries of OCR
_OCR_BYTES = 1536 * 2**20
#: bytes above the idle child from which the child asks to be replaced
_TIRED_BYTES = 150 * 2**20
#: new objects after which cycles are looked for: a large table makes millions
_OBJECTS_PER_COLLECTION = 50_000
#: bytes kept in reserve for the time after the memory ran out
_SPARE_BYTES = 16 * 2**20
_spare = bytearray()
_OUT_OF_MEMORY = {
    "failed": "takes too much memory to read",
    "cure": "split it, or save it in a simpler format",
}
#: headings, and pages, of one document
_MAX_HEADINGS = 100_000
#: characters of a title or a heading; a longer one is cut
_MAX_TITLE_CHARS = 1000
#: characters that no text file can have
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def main() -> None:
    """Serve until the listening process goes away."""
    harden_process()
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # output of libraries stays out of the frames
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent process
    # urllib3, which trafilatura imports, would bind a socket to ::1 to find this out
    socket.has_ipv6 = False
    idle = _address_space()
    _spare.extend(b"\1" * _SPARE_BYTES)
    requests = sys.stdin.buffer
    while line := requests.readline():
        request = json.loads(line)
        content = requests.read(request["size"])
        started = time.process_time()
        _limit_memory(idle, len(content), request["kind"] in RECOGNISED)
        _limit_seconds(request["seconds"])
        exhausted = _answer(request["kind"], content, output)
        content = b""
        spent = time.process_time() - started
        tired = exhausted or _address_space() > idle + _TIRED_BYTES
        _send(output, {"end": True, "tired": tired, "spent": spent})


def _answer(kind: str, content: bytes, output: BinaryIO) -> bool:
    """Send the parts of a file, or why it cannot be read. Returns whether memory ran out."""
    try:
        for part in _parts(kind, content):
            _send(output, *_frame(part))
    except Unreadable as error:
        _send(output, {"failed": str(error), "cure": error.cure})
    except (MemoryError, RecursionError) as error:
        _spare.clear()  # memory to send the reason
        too_deep = {"failed": "takes too much nesting to read", "cure": _OUT_OF_MEMORY["cure"]}
        _send(output, _OUT_OF_MEMORY if isinstance(error, MemoryError) else too_deep)
        return True
    except Exception as error:
        if type(error).__name__ == "XMLSyntaxError" and not getattr(error, "lineno", 1):
            _send(output, _OUT_OF_MEMORY)  # the error of lxml when memory ran out
            return True
        message = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        reason = f"is not a {kind} file that can be read ({message})"
        _send(output, {"failed": reason, "cure": "open it in its own program and save it again"})
    return False


def _parts(kind: str, content: bytes) -> Iterator[RawDocument | RefusedPart | Member]:
    """Parse a file by the function of its format."""
    if kind in IN_PROCESS:
        yield from IN_PROCESS[kind](content)
        return
    module, function = (IN_SANDBOX | ARCHIVES | RECOGNISED)[kind]
    yield from getattr(import_module(f"rag.ingest.formats.{module}"), function)(content)


def _frame(part: RawDocument | RefusedPart | Member) -> tuple[dict[str, object], bytes]:
    """Return the JSON and the bytes of a frame. Raises `Unreadable` for too large a document."""
    if isinstance(part, RefusedPart):
        reason = _storable(part.reason)
        return {"refused": _storable(part.name), "reason": reason, "cure": part.cure}, b""
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
        **_findings(part),
        "ruled": _findings(ruled := apply_rules(part)),
        "units": _storable_units(ruled.units or ()),
    }
    return head, part.text.encode()


def _storable_units(units: Sequence[Unit]) -> list[object]:
    value = units_to_json(units)
    if value:
        value[0] = [_storable(text) for text in value[0]]
    return value


def _findings(raw: RawDocument) -> dict[str, object]:
    """Return title, mask and headings as JSON; headings are None if the rules are to find them."""
    headings = (
        None
        if raw.headings is None
        else [
            (start, level, _storable(title[:_MAX_TITLE_CHARS]))
            for start, level, title in raw.headings
        ]
    )
    return {
        "title": _storable(raw.title[:_MAX_TITLE_CHARS]),
        "masked": _pairs(raw.masked),
        "headings": headings,
    }


def _pairs(spans: tuple[Span, ...]) -> list[tuple[int, int]]:
    return [(span.start, span.end) for span in spans]


def _storable(text: str) -> str:
    """Return `text` with U+FFFD for each zero and each half of a surrogate pair."""
    return _UNSTORABLE.sub("\ufffd", text)


def _send(output: BinaryIO, head: Mapping[str, object], content: bytes = b"") -> None:
    output.write(json.dumps({**head, "size": len(content)}).encode() + b"\n")
    output.write(content)
    output.flush()


def _address_space() -> int:
    """Return the bytes of address space of this process, or 0 if the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0


def _limit_memory(idle: int, size: int, recognised: bool) -> None:
    """Limit the memory for a file of `size` bytes; forbid writing files and dumping core.

    `idle` are the bytes of the idle child. A file that is `recognised` by OCR may use more. Does
    nothing on a system without such limits.
    """
    with suppress(ImportError):
        import resource

        above_idle = min(_MAX_MEMORY_BYTES, BASE_MEMORY_BYTES + _MEMORY_PER_BYTE * size)
        above_idle += _OCR_BYTES if recognised else 0
        for limit, value in [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_AS, (idle or BASE_MEMORY_BYTES // 2) + above_idle),
        ]:
            with suppress(ValueError, OSError):
                resource.setrlimit(limit, (value, resource.getrlimit(limit)[1]))


def _limit_seconds(seconds: float) -> None:
    """Limit the processor time from now on. The process ends by a signal when it is used up.

    It ends even if the parent process is gone.
    """
    with suppress(ImportError, AttributeError, ValueError, OSError):
        import resource

        usage = resource.getrusage(resource.RUSAGE_SELF)
        # later than the timer, which a library might stop
        limit = int(usage.ru_utime + usage.ru_stime + seconds) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)
