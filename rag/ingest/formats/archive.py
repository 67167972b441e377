"""Reads archives as folders: one member after the other, in memory. Nothing is written to disk.

A member is refused if its stated size or its compression ratio is that of a bomb, and unpacking
stops as soon as more comes out than was stated. All members share one budget (`budget`): those that
fit are read, each of the others is refused by name. An archive in an archive is not opened.
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
from itertools import pairwise
from lzma import LZMAError
from typing import IO

from rag.domain import RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.budget import BOMB_CURE, MAX_UNPACKED_BYTES, MIN_BUDGET, Budget

#: members of an archive; one of more is refused
MAX_MEMBERS = 10_000
#: bytes of one member
MAX_MEMBER_BYTES = 128 * 2**20
#: unpacked size as a multiple of the packed size; text packs to a tenth, a bomb to a thousandth
_MAX_RATIO = 200
#: bytes that are unpacked at a time
_PIECE_BYTES = 2**20
_UNPACK_CURE = "unpack it, then add its folders one by one"
_SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `name` is its path in the archive."""

    name: str
    content: bytes


#: what `zipfile` raises for a file that it cannot open; `RuntimeError` and its kinds are for
#: encryption and for features of the format that it does not know
_INVALID_ZIP = (zipfile.BadZipFile, ValueError, OSError, RuntimeError)


def open_zip(content: bytes, max_bytes: int) -> zipfile.ZipFile:
    """Open a zip file and check its list of members.

    Raises `Unreadable` if there are more than `MAX_MEMBERS`, if members overlap, or if their
    stated sizes are more than `max_bytes` in all.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _INVALID_ZIP as error:
        raise Unreadable(f"is not a whole zip file: {error}", "make or fetch it again") from error
    entries = archive.infolist()
    if len(entries) > MAX_MEMBERS:
        reason = f"has {len(entries):,} members, over {MAX_MEMBERS:,}"
        raise Unreadable(reason, _UNPACK_CURE)
    total = sum(entry.file_size for entry in entries)
    if total > max_bytes:
        reason = f"unpacks to {total / 2**20:,.0f} MB, over {max_bytes / 2**20:,.0f} MB"
        raise Unreadable(reason, BOMB_CURE)
    places = sorted(
        (entry.header_offset, entry.compress_size) for entry in entries if entry.compress_size
    )
    if any(start + size > next_start for (start, size), (next_start, _) in pairwise(places)):
        raise Unreadable("has members that lie one in another: a bomb", BOMB_CURE)
    return archive


def read_zip(content: bytes) -> Iterator[Member | RefusedPart]:
    """Yield the members of a zip file, as many as the budget of a file of its size allows."""
    archive, budget = open_zip(content, MAX_UNPACKED_BYTES), Budget.of(len(content))
    seen: set[str] = set()
    for entry in archive.infolist():
        if entry.is_dir() or _is_skipped(entry.filename):
            continue
        link = stat.S_ISLNK(entry.external_attr >> 16)
        try:
            _check_member(entry.filename, entry.file_size, entry.compress_size, link, seen)
            if entry.flag_bits & 1:
                raise Unreadable("is encrypted", "unpack it with its password, then add the file")
            budget.take(entry.file_size)
            with archive.open(entry) as file:
                yield Member(storable_name(entry.filename), _read_member(file, entry.file_size))
        except Unreadable as error:
            yield RefusedPart("/" + storable_name(entry.filename), str(error), error.cure)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            ValueError,
            LZMAError,
        ) as error:
            yield RefusedPart(
                "/" + storable_name(entry.filename),
                f"is damaged: {error}",
                "make or fetch the archive again",
            )


def read_tar(content: bytes) -> Iterator[Member | RefusedPart]:
    """Yield the members of a tar file, packed or not, as many as its budget allows.

    A member can only be skipped by unpacking it, so skipped members count too.
    """
    seen: set[str] = set()
    budget, unpacked_bytes = Budget.of(len(content)), 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
            for count, entry in enumerate(archive, 1):
                unpacked_bytes += max(0, entry.size)
                if count > MAX_MEMBERS:
                    raise Unreadable(
                        f"has over {MAX_MEMBERS:,} members; the rest of them is not read",
                        _UNPACK_CURE,
                    )
                if not (entry.isdir() or _is_skipped(entry.name)):
                    yield from _tar_member(archive, entry, seen, budget)
                if unpacked_bytes > budget.max_bytes:
                    allowed = f"{budget.max_bytes / 2**20:,.0f} MB that a file of its size may"
                    raise Unreadable(
                        f"unpacks to more than the {allowed} unpack to; the rest of it is not read",
                        _UNPACK_CURE,
                    )
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError, LZMAError) as error:
        raise Unreadable(f"is not a whole tar file: {error}", "make or fetch it again") from error


def _tar_member(
    archive: tarfile.TarFile, entry: tarfile.TarInfo, seen: set[str], budget: Budget
) -> Iterator[Member | RefusedPart]:
    try:
        _check_member(entry.name, entry.size, None, not entry.isreg() or entry.issparse(), seen)
        budget.take(entry.size)
        file = archive.extractfile(entry)
        assert file is not None
        yield Member(storable_name(entry.name), _read_member(file, entry.size))
    except Unreadable as error:
        yield RefusedPart("/" + storable_name(entry.name), str(error), error.cure)


def _check_member(name: str, size: int, packed: int | None, special: bool, seen: set[str]) -> None:
    """Raise `Unreadable` for a member that is refused. Adds the name of any other to `seen`.

    `size` and `packed` are the unpacked and packed bytes; `special` is true for links and devices.
    """
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Unreadable("has a name that is not valid UTF-8", "rename it") from error
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or name[1:2] == ":":
        raise Unreadable(
            "has a name that points out of the archive", "unpack the archive, then add the file"
        )
    if special:
        raise Unreadable("is a link or a device in the archive", "add the file it points to")
    if storable_name(name) in seen:  # `./a` and `a`, `a//b` and `a/b` are the same name
        raise Unreadable("stands twice in the archive", "unpack the archive, then add the file")
    seen.add(storable_name(name))
    if size > MAX_MEMBER_BYTES:
        raise Unreadable(
            f"unpacks to {size / 2**20:,.0f} MB, over {MAX_MEMBER_BYTES / 2**20:.0f} MB", BOMB_CURE
        )
    if packed is not None and size > MIN_BUDGET and size > _MAX_RATIO * packed:
        raise Unreadable(
            f"unpacks to {size / max(1, packed):,.0f} times its size: a bomb", BOMB_CURE
        )


def _read_member(file: IO[bytes], stated: int) -> bytes:
    """Return the bytes of a member. Raises `Unreadable` if there are more than `stated`."""
    out = bytearray()
    while piece := file.read(min(_PIECE_BYTES, stated + 1 - len(out))):
        out += piece
        if len(out) > stated:
            raise Unreadable("unpacks to more than it states", BOMB_CURE)
    return bytes(out)


def _is_skipped(name: str) -> bool:
    """Is this a hidden file or folder, or a build output? `walk_files` skips them too."""
    parts = name.replace("\\", "/").split("/")
    return any(
        part in _SKIPPED_FOLDERS or (part.startswith(".") and part not in (".", ".."))
        for part in parts
    )


def storable_name(name: str) -> str:
    """Return `name` with invalid UTF-8 escaped, without zeros, empty parts and `.`."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", "\ufffd")
    return "/".join(part for part in text.split("/") if part not in ("", "."))
