"""The header of a GGUF file, read in Python before llama.cpp sees it: counts, lengths, types and places must fit the file.

llama.cpp takes much of it on trust, and ends the process, or reads outside of an array, where a file lies. What is checked
here is what can be told without knowing the model; the rest is found by a trial in another process (`trial`).
"""

from __future__ import annotations

import math
import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from rag.errors import ModelBroken

_MOST = 65_536  # keys, and tensors
_NAME = 63  # bytes of a tensor's name
_KEY = 65_535  # bytes
_ITEMS = 2**24  # of one array
_LAYERS = 512
_LETTERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY, _BOOL, _UINT32, _INT32, _FLOAT32 = 8, 9, 7, 4, 5, 6
_TOKENS = "tokenizer.ggml.tokens"
#: arrays that llama.cpp reads at the place of every token: their types
_BESIDE = {"tokenizer.ggml.scores": (_FLOAT32,), "tokenizer.ggml.token_type": (_INT32, _UINT32)}


@dataclass(slots=True)
class Array:
    """An array's type and length; its items are looked at and not kept."""

    kind: int
    length: int


@dataclass(slots=True)
class Header:
    """What a file says of itself."""

    version: int
    values: dict[str, Any] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    tensors: dict[str, tuple[tuple[int, ...], int, int]] = field(
        default_factory=dict
    )  #: name: shape, type, offset


class _Wrong(Exception):
    """What is wrong with the file, in words."""


def check_header(path: Path) -> Header:
    """The header of the file at `path`. Raises `ModelBroken` with what is wrong with it."""
    cure = "fetch the file again and compare its SHA-256, or use another model"
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            known = os.fstat(descriptor)
            if not stat.S_ISREG(known.st_mode):
                raise _Wrong("it is not a regular file")
            return _Reader(file, known.st_size).header()
    except OSError as error:
        raise ModelBroken(
            f"cannot load {path}: {error.strerror or error}", "make it readable, or use another"
        ) from error
    except _Wrong as wrong:
        raise ModelBroken(f"cannot load {path}: {wrong}", cure) from wrong


class _Reader:
    """Reads a file of `size` bytes from its start, never past its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self._at = file, size, 0

    def header(self) -> Header:
        if self._bytes(4, "the first bytes") != b"GGUF":
            raise _Wrong("it is not a GGUF file")
        header = Header(self._number("I", "the version"))
        if header.version not in (2, 3):
            raise _Wrong(f"it is of GGUF version {header.version}; versions 2 and 3 are read")
        tensors, keys = self._count("tensors"), self._count("keys")
        for _ in range(keys):
            self._pair(header)
        for _ in range(tensors):
            self._tensor(header)
        _values(header)
        _tokens(header)
        self._places(header)
        return header

    def _bytes(self, many: int, what: str) -> bytes:
        if many > self._size - self._at:
            raise _Wrong(f"it ends within {what}")
        found = self._file.read(many)
        self._at += len(found)
        if len(found) != many:
            raise _Wrong(f"it ends within {what}")
        return found

    def _number(self, letter: str, what: str) -> Any:
        return struct.unpack("<" + letter, self._bytes(struct.calcsize("<" + letter), what))[0]

    def _count(self, what: str) -> int:
        found = int(self._number("Q", f"the number of {what}"))
        if not 0 < found <= _MOST:
            raise _Wrong(f"it has {found} {what}; 1 to {_MOST} can be")
        return found

    def _text(self, most: int, what: str) -> str:
        length = self._number("Q", f"the length of {what}")
        if length > most:
            raise _Wrong(f"{what} has {length} bytes, more than {most}")
        try:
            return self._bytes(length, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Wrong(f"{what} is not UTF-8") from error

    def _pair(self, header: Header) -> None:
        key = self._text(_KEY, "a key")
        if not key or key in header.values:
            raise _Wrong(f"the key {key[:80]!r} is there twice" if key else "a key is empty")
        kind = self._number("I", f"the type of {key[:80]}")
        header.kinds[key], header.values[key] = kind, self._value(kind, key[:80])

    def _value(self, kind: int, key: str) -> Any:
        if kind == _ARRAY:
            return self._array(key)
        if kind == _STRING:
            length = self._number("Q", f"the length of {key}")
            return self._bytes(length, key)
        if kind not in _LETTERS:
            raise _Wrong(f"{key} is of the unknown type {kind}")
        if kind == _BOOL and self._file.peek(1)[:1] not in (b"\0", b"\1"):  # type: ignore[attr-defined]
            raise _Wrong(f"{key} is neither true nor false")
        return self._number(_LETTERS[kind], key)

    def _array(self, key: str) -> Array:
        kind, length = (
            self._number("I", f"the type of {key}"),
            self._number("Q", f"the length of {key}"),
        )
        if length > _ITEMS:
            raise _Wrong(f"{key} has {length} items, more than {_ITEMS}")
        if kind == _STRING:
            for _ in range(length):
                self._bytes(self._number("Q", key), key)
        elif kind in _LETTERS:
            self._skip(length * struct.calcsize("<" + _LETTERS[kind]), key)
        else:
            raise _Wrong(f"{key} is an array of the type {kind}, which there is not")
        return Array(kind, length)

    def _skip(self, many: int, what: str) -> None:
        if many > self._size - self._at:
            raise _Wrong(f"it ends within {what}")
        self._file.seek(many, os.SEEK_CUR)
        self._at += many

    def _tensor(self, header: Header) -> None:
        name = self._text(_NAME, "a tensor's name")
        if name in header.tensors:
            raise _Wrong(f"the tensor {name!r} is there twice")
        many = self._number("I", f"the dimensions of {name!r}")
        if not 1 <= many <= 4:
            raise _Wrong(f"the tensor {name!r} has {many} dimensions; 1 to 4 can be")
        shape = struct.unpack(f"<{many}Q", self._bytes(8 * many, f"the shape of {name!r}"))
        kind, offset = (
            self._number("I", f"the type of {name!r}"),
            self._number("Q", f"the place of {name!r}"),
        )
        if not all(shape) or math.prod(shape) >= 2**40:
            raise _Wrong(f"the tensor {name!r} has the shape {shape}, which cannot be")
        header.tensors[name] = shape, kind, offset

    def _places(self, header: Header) -> None:
        """Every tensor must lie in the file, at a multiple of the alignment."""
        alignment = header.values.get("general.alignment", 32)
        kind = header.kinds.get("general.alignment", _UINT32)
        if (
            kind != _UINT32
            or alignment % 8
            or not 8 <= alignment <= 2**16
            or alignment & (alignment - 1)
        ):
            raise _Wrong(f"its alignment is {alignment}; a power of two from 8 to {2**16} can be")
        data = self._at + -self._at % alignment
        for name, (shape, kind, offset) in header.tensors.items():
            if offset % alignment or data + offset + _bytes(name, shape, kind) > self._size:
                raise _Wrong(
                    f"the tensor {name!r} does not lie in the file: it was cut off, or is damaged"
                )


def _bytes(name: str, shape: tuple[int, ...], kind: int) -> int:
    """Bytes of a tensor."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        raise _Wrong(f"the tensor {name!r} is of the unknown type {kind}") from None
    if shape[0] % block:
        raise _Wrong(
            f"the rows of the tensor {name!r} have {shape[0]} numbers, not a multiple of {block}"
        )
    return int(math.prod(shape) // block * size)


def _values(header: Header) -> None:
    """Numbers that the model is built by must be such as models have."""
    family = header.values.get("general.architecture")
    if not isinstance(family, bytes) or not family:
        raise _Wrong("it does not say its architecture")
    start = family.decode("utf-8", "replace") + "."
    for key, value in header.values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise _Wrong(f"{key[:80]} is {value}")
        if key.startswith(start) and isinstance(value, int) and not 0 <= value < 2**31:
            raise _Wrong(f"{key[:80]} is {value}, which cannot be")
    for name, most in (
        ("block_count", _LAYERS),
        ("embedding_length", 2**20),
        ("context_length", 2**31 - 1),
    ):
        value = header.values.get(start + name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise _Wrong(
                f"{start}{name} is {'missing' if value is None else value}; 1 to {most} can be"
            )


def _tokens(header: Header) -> None:
    """The vocabulary, and what llama.cpp reads beside each of its tokens without asking how much there is."""
    if not isinstance(header.values.get("tokenizer.ggml.model"), bytes):
        raise _Wrong("it has no tokenizer")
    tokens = header.values.get(_TOKENS)
    if not isinstance(tokens, Array) or tokens.kind != _STRING or not tokens.length:
        raise _Wrong("it has no list of tokens")
    for key, kinds in _BESIDE.items():
        beside = header.values.get(key)
        if beside is None:
            continue
        if (
            not isinstance(beside, Array)
            or beside.kind not in kinds
            or beside.length != tokens.length
        ):
            raise _Wrong(f"{key} does not fit the {tokens.length} tokens")
    merges = header.values.get("tokenizer.ggml.merges")
    if merges is not None and not (isinstance(merges, Array) and merges.kind == _STRING):
        raise _Wrong("tokenizer.ggml.merges is not a list of texts")
