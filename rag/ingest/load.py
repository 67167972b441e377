"""Finds files, reads their bytes, and parses them into raw documents: text, title, date, pages.

Only regular files are opened, without following links, without blocking, and up to
`MAX_FILE_BYTES`. `rag.ingest.formats` parses the bytes, by one function a format. For .txt, .md,
.rst and source code the text is the decoded file, unchanged but for a byte order mark, so that
spans point into the user's own file; for other formats it is the text that a person sees. All
formats are parsed in a child process with limits. An archive is read as a folder: its members are
documents, and one that cannot be read does not keep the others out. So are the attachments of a
mail.
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
from rag.ingest.formats import sandbox, scans
from rag.ingest.formats.archive import Member
from rag.ingest.formats.budget import TOO_SLOW, Budget, gunzip
from rag.ingest.formats.common import decode
from rag.ingest.formats.registry import ARCHIVES, CORPORA, file_format

__all__ = [
    "MAX_FILE_BYTES",
    "File",
    "decode",
    "document_source",
    "end_sandbox",
    "error_text",
    "file_format",
    "load_file",
    "read_bytes",
    "read_jsonl_bytes",
    "read_jsonl_text",
    "unexpected_error",
    "walk_files",
]

#: bytes of a file; a larger one is refused
MAX_FILE_BYTES = 256 * 2**20
#: files that lie in each other: a mail attached to a mail
_MAX_HOLDERS = 3
#: refused members of one archive that the report names; of more, it gives the number
MAX_NAMED_REFUSALS = 100
#: what to do about a folder that is closed
_FOLDER_CURE = "give yourself the right to read and enter it (chmod u+rx), then add it again"
#: folders that hold no documents of the user
_SKIPPED_FOLDERS = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv"}


@dataclass(frozen=True, slots=True)
class File:
    """A file that was found: `path` is absolute, `source` is as a person names it.

    `size` and `mtime` are those of `regular_files.size_and_time`. `closed` is the reason why the
    file, or a folder in its place, is not read, else "".
    """

    path: str
    source: str
    size: int
    mtime: int
    closed: str = ""


def walk_files(root: str, linked: list[str] | None = None) -> Iterator[File]:
    """Yield the regular files under `root` (a file or a folder), sorted.

    Sources begin with the name of the root. Symbolic links are not followed. Hidden files and
    folders and build outputs are skipped. A folder that cannot be listed and an entry whose status
    cannot be read are yielded as `closed` files. A file that vanishes during the walk is left out.
    The paths of links to folders are added to `linked`, if it is given.
    Raises `Unreadable` if the root itself cannot be read.
    """
    top = absolute(root)
    try:
        status = os.lstat(top)
    except (OSError, ValueError) as error:
        cure = (
            "give the path of a file or folder that is there"
            if gone(top)
            else "give yourself the right to enter the folders above it (chmod u+x)"
        )
        raise Unreadable(error_text(error), cure) from error
    if stat.S_ISDIR(status.st_mode):
        yield from _walk_folder(top, linked)
    else:
        yield _as_file(top, os.path.dirname(top), status)


def _walk_folder(top: str, linked: list[str] | None) -> Iterator[File]:
    """Yield the regular files below the folder `top`."""
    base = os.path.dirname(top)
    folders = [top]
    while folders:
        folder = folders.pop()
        try:
            subfolders, names, links = _list_folder(folder)
        except OSError as error:
            reason = f"the folder cannot be read: {error_text(error)}"
            if folder == top:
                raise Unreadable(reason, _FOLDER_CURE) from error
            if not isinstance(error, FileNotFoundError):
                yield File(folder, os.path.relpath(folder, base), 0, 0, reason)
            continue
        if linked is not None:
            linked += (os.path.join(folder, name) for name in links)
        for number, path in enumerate(os.path.join(folder, name) for name in names):
            try:
                yield _as_file(path, base, os.lstat(path))
            except FileNotFoundError:
                continue
            except OSError as error:
                if number == 0 and isinstance(error, PermissionError):
                    reason = f"the folder cannot be entered: {error_text(error)}"
                    if folder == top:
                        raise Unreadable(reason, _FOLDER_CURE) from error
                    yield File(folder, os.path.relpath(folder, base), 0, 0, reason)
                    subfolders = []  # only the names of what is in it are known
                    break
                yield File(
                    path,
                    os.path.relpath(path, base),
                    0,
                    0,
                    f"cannot be looked at: {error_text(error)}",
                )
        folders += [os.path.join(folder, name) for name in reversed(subfolders)]


def _list_folder(folder: str) -> tuple[list[str], list[str], list[str]]:
    """Return the names of folders, of other entries, and of links to folders, each sorted.

    Skipped names are left out.
    """
    folders, names, links = list[str](), list[str](), list[str]()
    with os.scandir(folder) as entries:
        for entry in entries:
            if is_skipped_name(entry.name):
                continue
            try:
                is_folder, is_link = entry.is_dir(), entry.is_symlink()
            except OSError:  # the caller reads its status and reports the error
                is_folder = is_link = False
            if not is_folder:
                names.append(entry.name)
            else:
                (links if is_link else folders).append(entry.name)
    return sorted(folders), sorted(names), sorted(links)


def is_skipped_name(name: str) -> bool:
    """Is a file or folder of this name hidden, or a build output? The name "." is not hidden."""
    return name in _SKIPPED_FOLDERS or (name.startswith(".") and name != ".")


def _as_file(path: str, base: str, status: os.stat_result) -> File:
    source = os.path.relpath(path, base)
    size, mtime = regular_files.size_and_time(status)
    return File(path, source, size, mtime)


def error_text(error: BaseException) -> str:
    """Return the message of an error on one line, without the path, in at most 300 characters."""
    message = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(message.split())[:300].encode("utf-8", "backslashreplace").decode()


def unexpected_error(error: Exception) -> tuple[str, str]:
    """Return reason and cure for a file that could not be read because of an unexpected error."""
    if isinstance(error, MemoryError):
        return "takes more memory to read than there is", "split it, or close other programs"
    if isinstance(error, OSError):
        return f"cannot be read: {error_text(error)}", regular_files.CURES.get(
            error.errno or 0, "check the file, its rights and its disk"
        )
    reason = f"cannot be read ({type(error).__name__}: {error_text(error)})"
    return reason, "save it in another format; this is an error of the program, please report it"


def read_bytes(path: str) -> bytes:
    """Return the bytes of a regular file.

    Raises `Unreadable` for links, pipes, devices, files over `MAX_FILE_BYTES` and I/O errors.
    """
    return regular_files.read_file(path, MAX_FILE_BYTES, follow=False)


def document_source(file: File, name: str) -> str:
    """Return the source of the document `name` of a file; in a corpus it is the name alone."""
    return name if name and file_format(file.path)[0] in CORPORA else file.source + name


def load_file(file: File, content: bytes | None = None) -> Iterator[RawDocument | RefusedPart]:
    """Yield the documents of one file and the parts of it that are refused.

    A corpus, an archive, a mailbox and a mail with attachments have several documents, any other
    file one. `content` are the bytes of the file if they were read before. Raises `Unreadable` with
    reason and cure.
    """
    ending, packed = file_format(file.path)
    if content is None:
        content = read_bytes(file.path)
    budget = Budget.of(len(content))
    if ending in ARCHIVES:
        parts = _archive_documents(ending, content, budget)
    else:
        parts = _parse(ending, gunzip(content, budget) if packed else content, budget)
    yield from _with_few_refusals(parts)


def parse_content(ending: str, content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield the documents of the bytes of a file with that ending; raises as `load_file` does."""
    yield from _parse(ending, content, Budget.of(len(content)))


def _parse(
    ending: str, content: bytes, budget: Budget, holders: tuple[str, ...] = ()
) -> Iterator[RawDocument | RefusedPart]:
    """Yield the documents of a file, then those of the files in it, which only a mail has.

    `holders` are the endings of the files that it lies in. The files in it are kept until it is
    read, so that there are no more than two child processes.
    """
    if not content:
        raise Unreadable("is empty: it has no text", "remove it, or check that it was saved whole")
    members, failure = list[Member](), None
    try:
        for part in scans.parse(ending, content, budget):
            if isinstance(part, Member):
                members.append(part)
                continue
            if isinstance(part, RawDocument):
                budget.count(part.text)
            yield part
    except Unreadable as error:
        failure = error
    for member in members:
        yield from _parse_member(member, budget, (*holders, ending))
    if failure:
        raise failure


def _with_few_refusals(
    parts: Iterator[RawDocument | RefusedPart],
) -> Iterator[RawDocument | RefusedPart]:
    """Yield the parts of a file.

    Beyond `MAX_NAMED_REFUSALS` one part gives the number of the others that were refused.
    """
    refused = 0
    failure = None
    try:
        for part in parts:
            refused += isinstance(part, RefusedPart)
            if refused <= MAX_NAMED_REFUSALS or not isinstance(part, RefusedPart):
                yield part
    except Unreadable as error:
        failure = error
    if refused > MAX_NAMED_REFUSALS:
        more = refused - MAX_NAMED_REFUSALS
        yield RefusedPart(
            "/*",
            f"{more:,} more members were not read, or not wholly",
            "unpack it, then add the folder",
        )
    if failure:
        raise failure


def _archive_documents(
    ending: str, content: bytes, budget: Budget, holders: tuple[str, ...] = ()
) -> Iterator[RawDocument | RefusedPart]:
    """Yield the documents of an archive; the name of each is a slash and its path in the archive.

    All members share one budget of bytes, characters and seconds. Members that do not fit are
    refused, each with its reason.
    """
    for member in sandbox.parse_in_sandbox(ending, content, budget.seconds / 2, replace(budget)):
        if isinstance(member, Member):
            yield from _parse_member(member, budget, (*holders, ending))
        elif isinstance(member, RefusedPart):
            yield member


def _parse_member(
    member: Member, budget: Budget, holders: tuple[str, ...]
) -> Iterator[RawDocument | RefusedPart]:
    """Yield the documents of a file in another one, of which `holders` are the endings."""
    path = "/" + member.name
    try:
        inner, packed = file_format(member.name)
        if inner in ARCHIVES and any(holder in ARCHIVES for holder in holders):
            raise Unreadable(
                "is an archive in an archive, which is not opened",
                "unpack it, then add the folder",
            )
        if len(holders) > _MAX_HOLDERS:
            raise Unreadable(
                "lies in a file in a file in a file, too deep to be read",
                "save it as a file of its own, then add that",
            )
        if budget.seconds <= 0:
            raise Unreadable(*TOO_SLOW)
        content = gunzip(member.content, budget) if packed else member.content
        read = _archive_documents if inner in ARCHIVES else _parse
        for part in read(inner, content, budget, holders):
            divided = part.name and isinstance(part, RawDocument) and part.name[0] != "/"
            yield replace(part, name=path + ("/" if divided else "") + part.name)
    except Unreadable as error:
        yield RefusedPart(path, str(error), error.cure)
    except Exception as error:  # an error of the program: the other members are read
        yield RefusedPart(path, *unexpected_error(error))


def end_sandbox() -> None:
    """End the child processes that wait for a next file."""
    sandbox.end_sandbox()


def read_jsonl_text(path: str) -> str:
    """Return the text of a .jsonl or .jsonl.gz file that is not a corpus.

    Such a file holds the questions of an evaluation or the claims of a check. Raises `Usage`.
    """
    try:
        return decode(read_jsonl_bytes(path))
    except Unreadable as error:
        raise Usage(f"{path}: {error}", error.cure) from error


def read_jsonl_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the unpacked bytes of a .jsonl or .jsonl.gz file.

    Raises `Unreadable`, also for more than `MAX_QUESTIONS_BYTES`.
    """
    max_bytes = regular_files.MAX_QUESTIONS_BYTES
    content = regular_files.read_file(os.path.abspath(path), max_bytes)
    if not os.fspath(path).endswith(".gz"):
        return content
    return gunzip(content, replace(Budget.of(0), max_bytes=max_bytes, bytes=max_bytes))
