"""Archives as folders: their members one after the other, in memory, within bounds. Nothing is written to disk.

What an archive says of itself is believed only where it is bad news: a member is refused when its stated size or its ratio
is a bomb's, and unpacking stops where more comes out than was stated. An archive in an archive is not opened.
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from rag.domain import Refused
from rag.errors import Unreadable

MEMBERS = 10_000  #: an archive of more is refused
MEMBER = 128 * 2**20  #: bytes of one member
TOTAL = 2**30  #: bytes of all members
_RATIO = 200  # times its packed size; text packs to a tenth, a bomb to a thousandth
_SMALL = 8 * 2**20  # bytes that may come out of anything
_BOMB = "unpack it yourself if you trust it, then add the folder"
_SKIPPED = {"__MACOSX", "__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `name` is its path there."""

    name: str
    content: bytes


def opened(content: bytes, most: int = TOTAL) -> zipfile.ZipFile:
    """A zip file whose stated sizes are within bounds. Raises `Unreadable`."""
    try:
        found = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError) as error:
        raise Unreadable(f"is not a whole zip file: {error}", "make or fetch it again") from error
    known = found.infolist()
    if len(known) > MEMBERS:
        raise Unreadable(f"has {len(known):,} members, over {MEMBERS:,}", "unpack it, then add its folders one by one")
    total = sum(entry.file_size for entry in known)
    if total > most:
        raise Unreadable(f"unpacks to {total / 2**20:,.0f} MB, over {most / 2**20:,.0f} MB", _BOMB)
    return found


def unzip(content: bytes) -> Iterator[Member | Refused]:
    """The members of a zip file."""
    archive = opened(content)
    seen: set[str] = set()
    for entry in archive.infolist():
        if entry.is_dir() or _passed_over(entry.filename):
            continue
        link = stat.S_ISLNK(entry.external_attr >> 16)
        try:
            _fit(entry.filename, entry.file_size, entry.compress_size, link, seen)
            if entry.flag_bits & 1:
                raise Unreadable("is encrypted", "unpack it with its password, then add the file")
            with archive.open(entry) as file:
                yield Member(shown(entry.filename), _read(file))
        except Unreadable as error:
            yield Refused("/" + shown(entry.filename), str(error), error.cure)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            yield Refused("/" + shown(entry.filename), f"is damaged: {error}", "make or fetch the archive again")


def untar(content: bytes) -> Iterator[Member | Refused]:
    """The members of a tar file, packed or not."""
    seen: set[str] = set()
    total = count = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
            for entry in archive:
                count, total = count + 1, total + max(0, entry.size)
                if count > MEMBERS or total > TOTAL:
                    raise Unreadable(f"unpacks to more than {TOTAL / 2**20:,.0f} MB or {MEMBERS:,} members", _BOMB)
                if entry.isdir() or _passed_over(entry.name):
                    continue
                yield from _taken(archive, entry, seen)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise Unreadable(f"is not a whole tar file: {error}", "make or fetch it again") from error
    except Exception as error:  # lzma has an error of its own
        if type(error).__name__ != "LZMAError":
            raise
        raise Unreadable(f"is not a whole tar file: {error}", "make or fetch it again") from error


def _taken(archive: tarfile.TarFile, entry: tarfile.TarInfo, seen: set[str]) -> Iterator[Member | Refused]:
    try:
        _fit(entry.name, entry.size, None, not entry.isreg(), seen)
        file = archive.extractfile(entry)
        assert file is not None
        yield Member(shown(entry.name), _read(file))
    except Unreadable as error:
        yield Refused("/" + shown(entry.name), str(error), error.cure)


def _fit(name: str, size: int, packed: int | None, special: bool, seen: set[str]) -> None:
    """Raises `Unreadable` for a member that is not taken."""
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Unreadable("has a name that is not valid UTF-8", "rename it") from error
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":":
        raise Unreadable("has a name that points out of the archive", "unpack the archive, then add the file")
    if special:
        raise Unreadable("is a link or a device in the archive", "add the file it points to")
    if shown(name) in seen:  # after `./a` or `a//b` as well as after the same letters
        raise Unreadable("stands twice in the archive", "unpack the archive, then add the file")
    seen.add(shown(name))
    if size > MEMBER:
        raise Unreadable(f"unpacks to {size / 2**20:,.0f} MB, over {MEMBER / 2**20:.0f} MB", _BOMB)
    if packed is not None and size > _SMALL and size > _RATIO * packed:
        raise Unreadable(f"unpacks to {size / max(1, packed):,.0f} times its size: a bomb", _BOMB)


def _read(file: IO[bytes]) -> bytes:
    content = file.read(MEMBER + 1)
    if len(content) > MEMBER:
        raise Unreadable(f"unpacks to more than {MEMBER / 2**20:.0f} MB", _BOMB)
    return content


def _passed_over(name: str) -> bool:
    """What a walk through a folder passes over too: hidden files and folders, build outputs."""
    parts = name.replace("\\", "/").split("/")
    return any(part in _SKIPPED or (part.startswith(".") and part not in (".", "..")) for part in parts)


def shown(name: str) -> str:
    """A name that can be stored: escapes for bytes that are no UTF-8, no zeros, no empty parts, no `.`."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", "\ufffd")
    return "/".join(part for part in text.split("/") if part not in ("", "."))
