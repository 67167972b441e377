"""Checks the header of a GGUF file before llama.cpp opens it.

Counts, lengths, types and offsets must fit the file. llama.cpp trusts many of them: with a false
one it ends the process or reads outside an array. This module checks everything that is independent
of the model; a trial in another process (`model_trial`) finds the rest.
"""

from __future__ import annotations

import math
import os
import stat
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from rag.errors import ModelBroken

_MAX_ENTRIES = 65_536  # of keys, and of tensors
_MAX_TENSOR_NAME_BYTES = 63
_MAX_KEY_BYTES = 65_535
_MAX_ARRAY_ITEMS = 2**24
_MAX_LAYERS = 512
#: GGUF's number of each scalar type: its letter in `struct`
_LETTERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY, _BOOL, _UINT32, _INT32, _FLOAT32 = 8, 9, 7, 4, 5, 6
_TOKENS = "tokenizer.ggml.tokens"
#: the types of the arrays in which llama.cpp reads one item for every token
_TOKEN_ARRAYS = {
    "tokenizer.ggml.scores": (_FLOAT32,),
    "tokenizer.ggml.token_type": (_INT32, _UINT32),
}


@dataclass(slots=True)
class Array:
    """The type and the length of an array; the items are checked and not kept."""

    kind: int
    length: int


#: A value of the header; a text is its bytes.
Value = bool | int | float | bytes | Array


@dataclass(slots=True)
class Header:
    """The contents of a header: values and types by key, and the tensors."""

    version: int
    values: dict[str, Value] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    #: name: shape, type, offset in bytes
    tensors: dict[str, tuple[tuple[int, ...], int, int]] = field(default_factory=dict)


class _InvalidHeader(Exception):
    """The file is not a valid GGUF file; the message says why."""


def check_header(path: Path) -> Header:
    """The header of the file at `path`. Raises `ModelBroken` with the reason if it is invalid."""
    cure = "fetch the file again and compare its SHA-256, or use another model"
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _InvalidHeader("it is not a regular file")
            return _Reader(file, status.st_size).header()
    except OSError as error:
        raise ModelBroken(
            f"cannot load {path}: {error.strerror or error}", "make it readable, or use another"
        ) from error
    except _InvalidHeader as error:
        raise ModelBroken(f"cannot load {path}: {error}", cure) from error


class _Reader:
    """Reads the header of a file of `size` bytes, never past its end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self._offset = file, size, 0

    def header(self) -> Header:
        if self._bytes(4, "the first bytes") != b"GGUF":
            raise _InvalidHeader("it is not a GGUF file")
        header = Header(self._number("I", "the version"))
        if header.version not in (2, 3):
            raise _InvalidHeader(
                f"it is of GGUF version {header.version}; versions 2 and 3 are read"
            )
        tensors, keys = self._count("tensors"), self._count("keys")
        for _ in range(keys):
            self._key_value(header)
        for _ in range(tensors):
            self._tensor(header)
        _check_values(header)
        _check_vocabulary(header)
        self._check_tensor_offsets(header)
        return header

    def _bytes(self, length: int, what: str) -> bytes:
        if length > self._size - self._offset:
            raise _InvalidHeader(f"it ends within {what}")
        content = self._file.read(length)
        self._offset += len(content)
        if len(content) != length:
            raise _InvalidHeader(f"it ends within {what}")
        return content

    def _scalar(self, letter: str, what: str) -> int | float:
        content = self._bytes(struct.calcsize("<" + letter), what)
        number: int | float = struct.unpack("<" + letter, content)[0]
        return number

    def _number(self, letter: str, what: str) -> int:
        """Read an integer; `letter` is that of an integer type in `struct`."""
        return int(self._scalar(letter, what))

    def _count(self, what: str) -> int:
        count = self._number("Q", f"the number of {what}")
        if not 0 < count <= _MAX_ENTRIES:
            raise _InvalidHeader(f"it has {count} {what}; 1 to {_MAX_ENTRIES} can be")
        return count

    def _text(self, max_bytes: int, what: str) -> str:
        length = self._number("Q", f"the length of {what}")
        if length > max_bytes:
            raise _InvalidHeader(f"{what} has {length} bytes, more than {max_bytes}")
        try:
            return self._bytes(length, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise _InvalidHeader(f"{what} is not UTF-8") from error

    def _key_value(self, header: Header) -> None:
        key = self._text(_MAX_KEY_BYTES, "a key")
        if not key or key in header.values:
            raise _InvalidHeader(
                f"the key {key[:80]!r} is there twice" if key else "a key is empty"
            )
        kind = self._number("I", f"the type of {key[:80]}")
        header.kinds[key], header.values[key] = kind, self._value(kind, key[:80])

    def _value(self, kind: int, key: str) -> Value:
        if kind == _ARRAY:
            return self._array(key)
        if kind == _STRING:
            length = self._number("Q", f"the length of {key}")
            return self._bytes(length, key)
        if kind not in _LETTERS:
            raise _InvalidHeader(f"{key} is of the unknown type {kind}")
        number = self._scalar("B" if kind == _BOOL else _LETTERS[kind], key)
        if kind == _BOOL and number not in (0, 1):
            raise _InvalidHeader(f"{key} is neither true nor false")
        return bool(number) if kind == _BOOL else number

    def _array(self, key: str) -> Array:
        kind = self._number("I", f"the type of {key}")
        length = self._number("Q", f"the length of {key}")
        if length > _MAX_ARRAY_ITEMS:
            raise _InvalidHeader(f"{key} has {length} items, more than {_MAX_ARRAY_ITEMS}")
        if kind == _STRING:
            for _ in range(length):
                self._bytes(self._number("Q", key), key)
        elif kind in _LETTERS:
            self._skip(length * struct.calcsize("<" + _LETTERS[kind]), key)
        else:
            raise _InvalidHeader(f"{key} is an array of the unknown type {kind}")
        return Array(kind, length)

    def _skip(self, length: int, what: str) -> None:
        if length > self._size - self._offset:
            raise _InvalidHeader(f"it ends within {what}")
        self._file.seek(length, os.SEEK_CUR)
        self._offset += length

    def _tensor(self, header: Header) -> None:
        name = self._text(_MAX_TENSOR_NAME_BYTES, "a tensor's name")
        if name in header.tensors:
            raise _InvalidHeader(f"the tensor {name!r} is there twice")
        dimensions = self._number("I", f"the dimensions of {name!r}")
        if not 1 <= dimensions <= 4:
            raise _InvalidHeader(f"the tensor {name!r} has {dimensions} dimensions; 1 to 4 can be")
        content = self._bytes(8 * dimensions, f"the shape of {name!r}")
        shape = struct.unpack(f"<{dimensions}Q", content)
        kind = self._number("I", f"the type of {name!r}")
        offset = self._number("Q", f"the place of {name!r}")
        if not all(shape) or math.prod(shape) >= 2**40:
            raise _InvalidHeader(f"the tensor {name!r} has the shape {shape}, which cannot be")
        header.tensors[name] = shape, kind, offset

    def _check_tensor_offsets(self, header: Header) -> None:
        """Raise unless every tensor lies in the file, at a multiple of the alignment."""
        alignment = header.values.get("general.alignment", 32)
        kind = header.kinds.get("general.alignment", _UINT32)
        if (
            kind != _UINT32
            or not isinstance(alignment, int)
            or alignment % 8
            or not 8 <= alignment <= 2**16
            or alignment & (alignment - 1)
        ):
            raise _InvalidHeader(
                f"its alignment is {alignment!r}; a power of two from 8 to {2**16} can be"
            )
        data = self._offset + -self._offset % alignment
        for name, (shape, kind, offset) in header.tensors.items():
            if offset % alignment or data + offset + _tensor_bytes(name, shape, kind) > self._size:
                raise _InvalidHeader(
                    f"the tensor {name!r} does not lie in the file: it was cut off, or is damaged"
                )


def _tensor_bytes(name: str, shape: tuple[int, ...], kind: int) -> int:
    """The size of a tensor in bytes."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except (ValueError, KeyError):
        raise _InvalidHeader(f"the tensor {name!r} is of the unknown type {kind}") from None
    if shape[0] % block:
        raise _InvalidHeader(
            f"the rows of the tensor {name!r} have {shape[0]} numbers, not a multiple of {block}"
        )
    return int(math.prod(shape) // block * size)


def _check_values(header: Header) -> None:
    """Raise unless the sizes of the model are plausible and all numbers are finite."""
    family = header.values.get("general.architecture")
    if not isinstance(family, bytes) or not family:
        raise _InvalidHeader("it does not say its architecture")
    prefix = family.decode("utf-8", "replace") + "."
    for key, value in header.values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise _InvalidHeader(f"{key[:80]} is {value}")
        if key.startswith(prefix) and isinstance(value, int) and not 0 <= value < 2**31:
            raise _InvalidHeader(f"{key[:80]} is {value}, which cannot be")
    for name, maximum in (
        ("block_count", _MAX_LAYERS),
        ("embedding_length", 2**20),
        ("context_length", 2**31 - 1),
    ):
        size = header.values.get(prefix + name)
        if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= maximum:
            raise _InvalidHeader(
                f"{prefix}{name} is {'missing' if size is None else repr(size)}; "
                f"1 to {maximum} can be"
            )


def _check_vocabulary(header: Header) -> None:
    """Raise unless there are tokens, and the arrays for each token are of the same length.

    llama.cpp reads these arrays without checking their length.
    """
    if not isinstance(header.values.get("tokenizer.ggml.model"), bytes):
        raise _InvalidHeader("it has no tokenizer")
    tokens = header.values.get(_TOKENS)
    if not isinstance(tokens, Array) or tokens.kind != _STRING or not tokens.length:
        raise _InvalidHeader("it has no list of tokens")
    for key, kinds in _TOKEN_ARRAYS.items():
        array = header.values.get(key)
        if array is None:
            continue
        if not isinstance(array, Array) or array.kind not in kinds or array.length != tokens.length:
            raise _InvalidHeader(f"{key} does not fit the {tokens.length} tokens")
    merges = header.values.get("tokenizer.ggml.merges")
    if merges is not None and not (isinstance(merges, Array) and merges.kind == _STRING):
        raise _InvalidHeader("tokenizer.ggml.merges is not a list of texts")
