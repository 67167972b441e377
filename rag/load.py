"""Path -> raw text, title, date, pages. Finding files without being led astray, opening them, and who reads which.

Only regular files are opened, without following links and without blocking, and never past `LARGEST` bytes. What the bytes
mean is the business of `rag.formats`, one small function a format. For .txt, .md, .rst and source code the text is the
decoded file, unchanged but for a byte order mark, so that spans point into the user's own file; of the other formats it is
what a person sees. Formats that are parsed are parsed in a child process with limits. An archive is a folder: its members
are documents, one that cannot be read does not keep the others out.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from rag import regular
from rag.domain import Raw, Refused
from rag.errors import Unreadable, Usage
from rag.formats import apart
from rag.formats.archive import Member
from rag.formats.budget import LATE, Budget, unpacked
from rag.formats.kinds import ARCHIVES, HOME, kind
from rag.formats.text import decode

__all__ = ["LARGEST", "File", "decode", "dismiss", "kind", "lines", "load", "questions", "read_bytes", "walk"]

LARGEST = 256 * 2**20  #: bytes; a larger file is refused
REFUSED = 100  #: members of one archive that are named in the report as not read; of more, the number is said
_SKIPPED = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was found: `path` absolute, `source` as a person names it. `size` in bytes, `mtime` in ns."""

    path: str
    source: str
    size: int
    mtime: int


def walk(root: str) -> Iterator[File]:
    """The regular files under `root` (a file or a folder), sorted; sources begin with the root's own name.

    Symbolic links are not followed. Hidden files and folders and build outputs are passed over. Raises `Unreadable`
    where the root itself cannot be read; a folder in it that cannot be listed is given as a file, to be reported as one.
    """
    top = os.path.abspath(root)
    try:
        mode = os.lstat(top).st_mode
    except OSError as error:
        raise Unreadable(f"{root}: {error.strerror}", "give the path of a file or folder that is there") from error
    base = os.path.dirname(top)
    if not stat.S_ISDIR(mode):
        yield _file(top, base)
        return
    refused: list[OSError] = []
    for folder, folders, names in os.walk(top, followlinks=False, onerror=refused.append):
        folders[:] = sorted(f for f in folders if not passed_over(f))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not passed_over(name) and os.path.lexists(path):
                yield _file(path, base)
    for failure in refused:
        if failure.filename == top:
            raise Unreadable(f"{root}: {failure.strerror}", "make the folder readable, or add its files one by one")
        yield File(failure.filename, os.path.relpath(failure.filename, base), 0, 0)  # fails by name when it is read


def passed_over(name: str) -> bool:
    """Is a file or folder of this name hidden, or made by a tool? "." is where one stands."""
    return name in _SKIPPED or (name.startswith(".") and name != ".")


def _file(path: str, base: str) -> File:
    known = os.lstat(path)
    return File(path, os.path.relpath(path, base), known.st_size, known.st_mtime_ns)


def read_bytes(path: str) -> bytes:
    """All bytes of a regular file. Raises `Unreadable` for links, pipes, devices, files over `LARGEST`, and I/O errors."""
    return regular.read(path, LARGEST, follow=False)


def load(file: File, content: bytes | None = None) -> Iterator[Raw | Refused]:
    """The documents of one file: one, or as many as a corpus or an archive holds, and what in it could not be taken in.

    `content` is what `read_bytes` gave, where that was asked already. Raises `Unreadable` with reason and cure.
    """
    ending, packed = kind(file.path)
    if content is None:
        content = read_bytes(file.path)
    budget = Budget.of(len(content))
    if ending in ARCHIVES:
        yield from _members(ending, content, budget)
    else:
        yield from _documents(ending, unpacked(content, budget) if packed else content, budget)


def _documents(ending: str, content: bytes, budget: Budget) -> Iterator[Raw | Refused]:
    if not content:
        raise Unreadable("is empty: it has no text", "remove it, or check that it was saved whole")
    if ending in HOME:
        started = time.thread_time()
        parts: Iterable[Raw | Refused | Member] = list(HOME[ending](content))
        budget.seconds -= time.thread_time() - started
    else:
        parts = apart.read(ending, content, budget=budget)
    for part in parts:
        if isinstance(part, Raw):
            budget.count(part.text)
        if not isinstance(part, Member):
            yield part


def _members(ending: str, content: bytes, budget: Budget) -> Iterator[Raw | Refused]:
    """The documents of an archive; the name of each is its path in there, after a slash.

    All members share one budget of bytes, characters and seconds. Where it is used up, the members that do not fit are
    left out, each with its reason; beyond `REFUSED` of them their number is said instead.
    """
    refused = 0
    failure = None
    try:
        for part in _of_members(ending, content, budget):
            refused += isinstance(part, Refused)
            if refused <= REFUSED or not isinstance(part, Refused):
                yield part
    except Unreadable as error:
        failure = error
    if refused > REFUSED:
        more = refused - REFUSED
        yield Refused("/*", f"{more:,} more members were not read, or not wholly", "unpack it, then add the folder")
    if failure:
        raise failure


def _of_members(ending: str, content: bytes, budget: Budget) -> Iterator[Raw | Refused]:
    for member in apart.read(ending, content, budget.seconds / 2, replace(budget)):
        if not isinstance(member, Member):
            if isinstance(member, Refused):
                yield member
            continue
        path = "/" + member.name
        try:
            inner, packed = kind(member.name)
            if inner in ARCHIVES:
                raise Unreadable("is an archive in an archive, which is not opened", "unpack it, then add the folder")
            if budget.seconds <= 0:
                raise Unreadable(*LATE)
            found = unpacked(member.content, budget) if packed else member.content
            for part in _documents(inner, found, budget):
                inside = "/" + part.name.removeprefix("/") if part.name else ""
                yield replace(part, name=path + inside)
        except Unreadable as error:
            yield Refused(path, str(error), error.cure)


def dismiss() -> None:
    """End the child processes that wait for a file: none is coming."""
    apart.dismiss()


def questions(path: str) -> str:
    """The text of a .jsonl or .jsonl.gz that is not a corpus (an eval's questions, a check's claims)."""
    try:
        return decode(lines(path))
    except Unreadable as error:
        raise Usage(f"{path}: {error}", error.cure) from error


def lines(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a .jsonl or .jsonl.gz of at most `regular.QUESTIONS` bytes. Raises `Unreadable`."""
    content = regular.read(os.path.abspath(path), regular.QUESTIONS)
    if not os.fspath(path).endswith(".gz"):
        return content
    return unpacked(content, replace(Budget.of(0), most=regular.QUESTIONS, bytes=regular.QUESTIONS))
