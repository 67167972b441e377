"""Writes compound files, in which Outlook keeps a message: folders and streams, as a file system."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Union

Tree = Mapping[str, Union[bytes, "Tree"]]

_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


def compound_file(tree: Tree) -> bytes:
    """Return a compound file of version 3 with these streams and, as mappings, folders."""
    entries: list[dict[str, object]] = [{"name": "Root Entry", "kind": 5}]
    _collect(tree, 0, entries)
    mini, mini_fat, sectors, fat = b"", list[int](), list[bytes](), list[int]()
    for entry in entries:
        data = entry.get("data")
        if not isinstance(data, bytes) or not data:
            continue
        if len(data) < _CUTOFF:
            entry["start"] = len(mini_fat)
            _chain(mini_fat, -(-len(data) // _MINI))
            mini += data + bytes(-len(data) % _MINI)
        else:
            entry["start"] = _store(data, sectors, fat)
    entries[0] |= {"data": mini, "start": _store(mini, sectors, fat) if mini else _END}
    directory = _store(b"".join(map(_entry, entries)), sectors, fat)
    mini_start = (
        _store(struct.pack(f"<{len(mini_fat)}I", *mini_fat), sectors, fat) if mini else _END
    )
    count = 1
    while (len(fat) + count) * 4 > count * _SECTOR:
        count += 1
    places = range(len(sectors), len(sectors) + count)
    fat += [_FAT] * count
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(count * _SECTOR, b"\xff")
    mini_count = -(-len(mini_fat) * 4 // _SECTOR)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, count, directory, 0, _CUTOFF, mini_start, mini_count, _END, 0)
    head += struct.pack(f"<{count}I", *places)
    return head.ljust(_SECTOR, b"\xff") + b"".join(sectors) + table


def _collect(tree: Tree, parent: int, entries: list[dict[str, object]]) -> None:
    """Add the entries of a folder; each is the right neighbour of the one before."""
    last, link = parent, "child"
    for name, value in tree.items():
        entries[last][link] = len(entries)
        last, link = len(entries), "right"
        folder = not isinstance(value, bytes)
        entries.append({"name": name, "kind": 1 if folder else 2, "data": b"" if folder else value})
        if not isinstance(value, bytes):
            _collect(value, last, entries)


def _chain(fat: list[int], count: int) -> None:
    first = len(fat)
    fat += [*range(first + 1, first + count), _END]


def _store(data: bytes, sectors: list[bytes], fat: list[int]) -> int:
    data += bytes(-len(data) % _SECTOR)
    start = len(sectors)
    sectors += [data[at : at + _SECTOR] for at in range(0, len(data), _SECTOR)]
    _chain(fat, len(data) // _SECTOR)
    return start


def _entry(entry: dict[str, object]) -> bytes:
    name = str(entry["name"]).encode("utf-16-le")
    data = entry.get("data") or b""
    assert isinstance(data, bytes)
    return (
        name.ljust(64, b"\0")
        + struct.pack("<HBB", len(name) + 2, int(str(entry["kind"])), 1)
        + struct.pack("<3I", _FREE, entry.get("right", _FREE), entry.get("child", _FREE))
        + bytes(36)
        + struct.pack("<IQ", entry.get("start", _END if not data else 0), len(data))
    )


def text_property(number: int, text: str) -> dict[str, bytes]:
    """Return the stream of a text of a message."""
    return {f"__substg1.0_{number:04X}001F": text.encode("utf-16-le")}


def properties(prefix: int, fixed: Mapping[tuple[int, int], bytes]) -> dict[str, bytes]:
    """Return the stream of the fixed values of a message: number and type -> eight bytes."""
    body = b"".join(
        struct.pack("<HHI", kind, number, 6) + value for (number, kind), value in fixed.items()
    )
    return {"__properties_version1.0": bytes(prefix) + body}
