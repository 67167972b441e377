"""Archives as folders: their members one after the other, in memory, within bounds. Nothing is written to disk.

What an archive says of itself is believed only where it is bad news: a member is refused when its stated size or its ratio
is a bomb's, and unpacking stops where more comes out than was stated. All members share one budget (`budget`): those that
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

MAX_MEMBERS = 10_000  #: an archive of more is refused
MAX_MEMBER_BYTES = 128 * 2**20  #: bytes of one member
_MAX_RATIO = 200  # times its packed size; text packs to a tenth, a bomb to a thousandth
_PIECE_BYTES = 2**20
_UNPACK_CURE = "unpack it, then add its folders one by one"
_SKIPPED_FOLDERS = {"__MACOSX", "__pycache__", "node_modules"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `name` is its path there."""

    name: str
    content: bytes


def open_zip(content: bytes, most: int) -> zipfile.ZipFile:
    """A zip file of at most `MEMBERS` members that lie one behind the other and state at most `most` bytes in all.

    Raises `Unreadable`.
    """
    try:
        found = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError, RuntimeError, NotImplementedError) as error:
        raise Unreadable(f"is not a whole zip file: {error}", "make or fetch it again") from error
    known = found.infolist()
    if len(known) > MAX_MEMBERS:
        raise Unreadable(
            f"has {len(known):,} members, over {MAX_MEMBERS:,}",
            "unpack it, then add its folders one by one",
        )
    total = sum(entry.file_size for entry in known)
    if total > most:
        raise Unreadable(
            f"unpacks to {total / 2**20:,.0f} MB, over {most / 2**20:,.0f} MB", BOMB_CURE
        )
    places = sorted(
        (entry.header_offset, entry.compress_size) for entry in known if entry.compress_size
    )
    if any(start + size > after for (start, size), (after, _) in pairwise(places)):
        raise Unreadable("has members that lie one in another: a bomb", BOMB_CURE)
    return found


def read_zip(content: bytes) -> Iterator[Member | RefusedPart]:
    """The members of a zip file, as many as the budget of a file of its size allows."""
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
    """The members of a tar file, packed or not, as many as the budget of a file of its size allows.

    Members can only be passed over by unpacking them, so what is left out counts too.
    """
    seen: set[str] = set()
    budget, passed = Budget.of(len(content)), 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|*") as archive:
            for count, entry in enumerate(archive, 1):
                passed += max(0, entry.size)
                if count > MAX_MEMBERS:
                    raise Unreadable(
                        f"has over {MAX_MEMBERS:,} members; the rest of them is not read",
                        _UNPACK_CURE,
                    )
                if not (entry.isdir() or _is_skipped(entry.name)):
                    yield from _tar_member(archive, entry, seen, budget)
                if passed > budget.most:
                    most = f"{budget.most / 2**20:,.0f} MB that a file of its size may unpack to"
                    raise Unreadable(
                        f"unpacks to more than the {most}; the rest of it is not read", _UNPACK_CURE
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
    """Raises `Unreadable` for a member that is not taken."""
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
    if storable_name(name) in seen:  # after `./a` or `a//b` as well as after the same letters
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
    """What a member holds, in pieces, so that no more than `stated` bytes are ever unpacked."""
    out = bytearray()
    while piece := file.read(min(_PIECE_BYTES, stated + 1 - len(out))):
        out += piece
        if len(out) > stated:
            raise Unreadable("unpacks to more than it states", BOMB_CURE)
    return bytes(out)


def _is_skipped(name: str) -> bool:
    """What a walk through a folder passes over too: hidden files and folders, build outputs."""
    parts = name.replace("\\", "/").split("/")
    return any(
        part in _SKIPPED_FOLDERS or (part.startswith(".") and part not in (".", ".."))
        for part in parts
    )


def storable_name(name: str) -> str:
    """A name that can be stored: escapes for bytes that are no UTF-8, no zeros, no empty parts, no `.`."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace").replace("\0", "\ufffd")
    return "/".join(part for part in text.split("/") if part not in ("", "."))
