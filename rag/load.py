"""Path -> raw text, title, date, pages. Finding files without being led astray, opening them, and who reads which.

Only regular files are opened, without following links and without blocking, and never past `LARGEST` bytes. What the bytes
mean is the business of `rag.formats`, one small function a format. For .txt, .md, .rst and source code the text is the
decoded file, unchanged but for a byte order mark, so that spans point into the user's own file; of the other formats it is
what a person sees. All are read in a child process with limits, text too: what is looked for in it are a stranger's lines. An archive is a folder: its members
are documents, one that cannot be read does not keep the others out.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.domain import Raw, Refused
from rag.errors import Unreadable, Usage
from rag.formats import apart
from rag.formats.archive import Member
from rag.formats.kinds import ARCHIVES, kind
from rag.formats.text import decode

__all__ = ["LARGEST", "File", "decode", "dismiss", "kind", "load", "questions", "read_bytes", "walk"]

LARGEST = 256 * 2**20  #: bytes; a larger file is refused
_NO_FILE = ("is not a regular file (a folder, a pipe, a socket or a device)", "save its contents to a file")
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
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if os.path.islink(path):
            raise Unreadable("is a symbolic link", "add the file it points to") from error
        if os.path.exists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Unreadable(*_NO_FILE) from error
        raise Unreadable(error.strerror or "cannot be opened", "make it readable") from error
    known = os.fstat(descriptor)
    if not stat.S_ISREG(known.st_mode):
        os.close(descriptor)
        raise Unreadable(*_NO_FILE)
    with os.fdopen(descriptor, "rb") as file:
        if known.st_size > LARGEST:
            raise Unreadable(f"is {known.st_size / 2**20:.0f} MB, over {LARGEST / 2**20:.0f} MB", "split it")
        try:
            content = file.read(known.st_size + 1)
            after = os.fstat(descriptor)
        except OSError as error:
            raise Unreadable(error.strerror or "cannot be read", "check the disk") from error
    if len(content) != known.st_size or after.st_mtime_ns != known.st_mtime_ns:
        raise Unreadable("was changed while it was read", "add it again when it is written")
    return content


def load(file: File, content: bytes | None = None) -> Iterator[Raw | Refused]:
    """The documents of one file: one, or as many as a corpus or an archive holds, and what in it could not be taken in.

    `content` is what `read_bytes` gave, where that was asked already. Raises `Unreadable` with reason and cure.
    """
    ending, packed = kind(file.path)
    if content is None:
        content = read_bytes(file.path)
    if ending in ARCHIVES:
        yield from _members(ending, content)
    else:
        yield from _documents(ending, _unzipped(content) if packed else content)


def _documents(ending: str, content: bytes) -> Iterator[Raw | Refused]:
    if not content:
        raise Unreadable("is empty: it has no text", "remove it, or check that it was saved whole")
    for part in apart.read(ending, content):
        if not isinstance(part, Member):
            yield part


def _members(ending: str, content: bytes) -> Iterator[Raw | Refused]:
    """The documents of an archive; the name of each is its path in there, after a slash."""
    for member in apart.read(ending, content):
        if not isinstance(member, Member):
            if isinstance(member, Refused):
                yield member
            continue
        path = "/" + member.name
        try:
            inner, packed = kind(member.name)
            if inner in ARCHIVES:
                raise Unreadable("is an archive in an archive, which is not opened", "unpack it, then add the folder")
            for part in _documents(inner, _unzipped(member.content) if packed else member.content):
                inside = "/" + part.name.removeprefix("/") if part.name else ""
                yield replace(part, name=path + inside)
        except Unreadable as error:
            yield Refused(path, str(error), error.cure)


def dismiss() -> None:
    """End the child processes that wait for a file: none is coming."""
    apart.dismiss()


def _unzipped(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as unzipped:
            text = unzipped.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"is not a whole gzip file: {error}", "make or fetch it again") from error
    if len(text) > LARGEST:
        raise Unreadable(f"unpacks to more than {LARGEST / 2**20:.0f} MB", "split it")
    return text


def questions(path: str) -> str:
    """The text of a .jsonl or .jsonl.gz that is not a corpus (an eval's questions, a check's claims)."""
    try:
        content = read_bytes(os.path.abspath(path))
        return decode(_unzipped(content) if path.endswith(".gz") else content)
    except Unreadable as error:
        raise Usage(f"{path}: {error}", error.cure) from error
