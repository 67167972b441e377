"""Path -> raw text, title, date, pages. Finding files without being led astray, opening them, and who reads which.

Only regular files are opened, without following links and without blocking, and never past `LARGEST` bytes. What the bytes
mean is the business of `rag.ingest.formats`, one small function a format. For .txt, .md, .rst and source code the text is the
decoded file, unchanged but for a byte order mark, so that spans point into the user's own file; of the other formats it is
what a person sees. All are read in a child process with limits, text too: what is looked for in it are a stranger's lines. An archive is a folder: its members
are documents, one that cannot be read does not keep the others out.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rag.disk import regular_files
from rag.disk.paths import absolute, gone
from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable, Usage
from rag.ingest.formats import sandbox
from rag.ingest.formats.archive import Member
from rag.ingest.formats.budget import LATE, Budget, unpacked
from rag.ingest.formats.common import decode
from rag.ingest.formats.registry import ARCHIVES, CORPORA, file_format

__all__ = [
    "MAX_FILE_BYTES",
    "File",
    "called",
    "decode",
    "end_sandbox",
    "file_format",
    "lines",
    "load_file",
    "read_bytes",
    "read_jsonl_text",
    "said",
    "unread",
    "walk_files",
]  # fmt: skip

MAX_FILE_BYTES = 256 * 2**20  #: bytes; a larger file is refused
REFUSED = 100  #: members of one archive that are named in the report as not read; of more, the number is said
_SKIPPED = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was found: `path` absolute, `source` as a person names it. `size` in bytes, `mtime` in ns.

    Both numbers are taken modulo 2**64 and signed: SQLite stores no larger ones, and a file may be
    dated after the year 2262. `closed` is the reason where the file, or the folder that stands here
    in its place, cannot be looked at; else "".
    """

    path: str
    source: str
    size: int
    mtime: int
    closed: str = ""


def walk_files(root: str) -> Iterator[File]:
    """The regular files under `root` (a file or a folder), sorted; sources begin with the root's own name.

    Symbolic links are not followed. Hidden files and folders and build outputs are passed over. Raises `Unreadable`
    where the root itself cannot be read. A folder in it that cannot be listed, and an entry whose
    status cannot be read, are given as `closed` files. What vanishes during the walk is left out.
    """
    top = absolute(root)
    try:
        known = os.lstat(top)
    except (OSError, ValueError) as error:
        cure = (
            "give the path of a file or folder that is there"
            if gone(top)
            else "make the folders above it readable"
        )
        raise Unreadable(f"{root}: {said(error)}", cure) from error
    base = os.path.dirname(top)
    if not stat.S_ISDIR(known.st_mode):
        yield _file(top, base, known)
        return
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            below, names = _listed(folder)
        except OSError as error:
            reason = f"the folder cannot be read: {said(error)}"
            if folder == top:
                raise Unreadable(
                    f"{root}: {reason}", "make the folder readable, or add its files one by one"
                ) from error
            if not isinstance(error, FileNotFoundError):
                yield File(folder, os.path.relpath(folder, base), 0, 0, reason)
            continue
        for path in (os.path.join(folder, name) for name in names):
            try:
                yield _file(path, base, os.lstat(path))
            except FileNotFoundError:
                continue
            except OSError as error:
                yield File(
                    path, os.path.relpath(path, base), 0, 0, f"cannot be looked at: {said(error)}"
                )
        folders += [os.path.join(folder, name) for name in reversed(below)]


def _listed(folder: str) -> tuple[list[str], list[str]]:
    """Names of the folders and of the other entries of `folder`, each sorted.

    Links to folders, and what is passed over, are left out.
    """
    folders, names = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_skipped_name(entry.name):
                continue
            try:
                leads, link = entry.is_dir(), entry.is_symlink()
            except OSError:  # it is looked at by itself, and the reason told
                leads = link = False
            if not leads:
                names.append(entry.name)
            elif not link:
                folders.append(entry.name)
    return sorted(folders), sorted(names)


def is_skipped_name(name: str) -> bool:
    """Is a file or folder of this name hidden, or made by a tool? "." is where one stands."""
    return name in _SKIPPED or (name.startswith(".") and name != ".")


def _file(path: str, base: str, known: os.stat_result) -> File:
    return File(
        path, os.path.relpath(path, base), _signed(known.st_size), _signed(known.st_mtime_ns)
    )


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


def said(error: BaseException) -> str:
    """What an error says, on one line, without the path; at most 300 characters of valid text."""
    words = " ".join(
        (getattr(error, "strerror", None) or str(error) or type(error).__name__).split()
    )
    return words[:300].encode("utf-8", "backslashreplace").decode()


def unread(error: Exception) -> tuple[str, str]:
    """Reason and cure for what could not be read because of an error that nobody foresaw."""
    if isinstance(error, MemoryError):
        return "takes more memory to read than there is", "split it, or close other programs"
    if isinstance(error, OSError):
        return f"cannot be read: {said(error)}", regular_files.CURES.get(
            error.errno or 0, "check the file, its rights and its disk"
        )
    reason = f"cannot be read ({type(error).__name__}: {said(error)})"
    return reason, "save it in another format; this is an error of the program, please report it"


def read_bytes(path: str) -> bytes:
    """All bytes of a regular file. Raises `Unreadable` for links, pipes, devices, files over `LARGEST`, and I/O errors."""
    return regular_files.read_file(path, MAX_FILE_BYTES, follow=False)


def called(file: File, name: str) -> str:
    """The source of a document that is called `name` in a file: in a corpus its id alone."""
    return name if name and file_format(file.path)[0] in CORPORA else file.source + name


def load_file(file: File, content: bytes | None = None) -> Iterator[RawDocument | RefusedPart]:
    """The documents of one file: one, or as many as a corpus or an archive holds, and what in it could not be taken in.

    `content` is what `read_bytes` gave, where that was asked already. Raises `Unreadable` with reason and cure.
    """
    ending, packed = file_format(file.path)
    if content is None:
        content = read_bytes(file.path)
    budget = Budget.of(len(content))
    if ending in ARCHIVES:
        yield from _members(ending, content, budget)
    else:
        yield from _documents(ending, unpacked(content, budget) if packed else content, budget)


def _documents(ending: str, content: bytes, budget: Budget) -> Iterator[RawDocument | RefusedPart]:
    if not content:
        raise Unreadable("is empty: it has no text", "remove it, or check that it was saved whole")
    for part in sandbox.parse_in_sandbox(ending, content, budget=budget):
        if isinstance(part, RawDocument):
            budget.count(part.text)
        if not isinstance(part, Member):
            yield part


def _members(ending: str, content: bytes, budget: Budget) -> Iterator[RawDocument | RefusedPart]:
    """The documents of an archive; the name of each is its path in there, after a slash.

    All members share one budget of bytes, characters and seconds. Where it is used up, the members that do not fit are
    left out, each with its reason; beyond `REFUSED` of them their number is said instead.
    """
    refused = 0
    failure = None
    try:
        for part in _of_members(ending, content, budget):
            refused += isinstance(part, RefusedPart)
            if refused <= REFUSED or not isinstance(part, RefusedPart):
                yield part
    except Unreadable as error:
        failure = error
    if refused > REFUSED:
        more = refused - REFUSED
        yield RefusedPart(
            "/*",
            f"{more:,} more members were not read, or not wholly",
            "unpack it, then add the folder",
        )
    if failure:
        raise failure


def _of_members(ending: str, content: bytes, budget: Budget) -> Iterator[RawDocument | RefusedPart]:
    for member in sandbox.parse_in_sandbox(ending, content, budget.seconds / 2, replace(budget)):
        if not isinstance(member, Member):
            if isinstance(member, RefusedPart):
                yield member
            continue
        path = "/" + member.name
        try:
            inner, packed = file_format(member.name)
            if inner in ARCHIVES:
                raise Unreadable(
                    "is an archive in an archive, which is not opened",
                    "unpack it, then add the folder",
                )
            if budget.seconds <= 0:
                raise Unreadable(*LATE)
            found = unpacked(member.content, budget) if packed else member.content
            for part in _documents(inner, found, budget):
                inside = (
                    "/" + part.name if part.name and isinstance(part, RawDocument) else part.name
                )
                yield replace(part, name=path + inside)
        except Unreadable as error:
            yield RefusedPart(path, str(error), error.cure)
        except Exception as error:  # of our own code: the other members go in
            yield RefusedPart(path, *unread(error))


def end_sandbox() -> None:
    """End the child processes that wait for a file: none is coming."""
    sandbox.end_sandbox()


def read_jsonl_text(path: str) -> str:
    """The text of a .jsonl or .jsonl.gz that is not a corpus (an eval's questions, a check's claims)."""
    try:
        return decode(lines(path))
    except Unreadable as error:
        raise Usage(f"{path}: {error}", error.cure) from error


def lines(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a .jsonl or .jsonl.gz of at most `regular.QUESTIONS` bytes. Raises `Unreadable`."""
    content = regular_files.read_file(os.path.abspath(path), regular_files.MAX_QUESTIONS_BYTES)
    if not os.fspath(path).endswith(".gz"):
        return content
    return unpacked(
        content,
        replace(
            Budget.of(0),
            most=regular_files.MAX_QUESTIONS_BYTES,
            bytes=regular_files.MAX_QUESTIONS_BYTES,
        ),
    )
