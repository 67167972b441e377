"""This project's arrays in the metadata of a GGUF file, read by ggml (part of llama-cpp-python)."""

from __future__ import annotations

import ctypes
import os
from base64 import b64decode
from typing import TYPE_CHECKING

from rag.errors import ModelBroken
from rag.inference import llama_library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METADATA_PREFIX = "footnote."  #: of the metadata keys of this project
_STRING = 8  # the type number of a string in GGUF


def read_arrays(path: str) -> dict[str, NDArray[np.float32]]:
    """The float32 arrays that a GGUF file carries as metadata, by name without prefix.

    Raises `ModelBroken`.
    """
    import numpy as np

    lib = _ggml_reader()
    file = lib.gguf_init_from_file(os.fsencode(path), _InitParams(True, None))
    if not file:
        raise ModelBroken(
            f"{path} is not a whole GGUF file", "install it again and compare its SHA-256"
        )
    arrays = {}
    try:
        keys = [lib.gguf_get_key(file, index).decode() for index in range(lib.gguf_get_n_kv(file))]
        for index, key in enumerate(keys):
            if not key.startswith(METADATA_PREFIX) or key.endswith(".shape"):
                continue
            shape = _array(lib, file, keys.index(f"{key}.shape"), ctypes.c_int32)
            if lib.gguf_get_kv_type(file, index) == _STRING:
                content = b64decode(lib.gguf_get_val_str(file, index))
            else:  # an array, in files of older versions
                content = _array(lib, file, index, ctypes.c_float).tobytes()
            arrays[key.removeprefix(METADATA_PREFIX)] = (
                np.frombuffer(content, dtype="<f4").astype(np.float32).reshape(shape)
            )
    finally:
        lib.gguf_free(file)
    return arrays


class _InitParams(ctypes.Structure):
    """ggml's gguf_init_params; with `no_alloc` only the metadata is read."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


def _ggml_reader() -> ctypes.CDLL:
    """ggml's functions that read GGUF files; llama-cpp-python does not declare them."""
    lib = llama_library.load().llama_cpp._lib
    for name, result, arguments in (
        ("gguf_init_from_file", ctypes.c_void_p, (ctypes.c_char_p, _InitParams)),
        ("gguf_free", None, (ctypes.c_void_p,)),
        ("gguf_get_n_kv", ctypes.c_int64, (ctypes.c_void_p,)),
        ("gguf_get_key", ctypes.c_char_p, (ctypes.c_void_p, ctypes.c_int64)),
        ("gguf_get_kv_type", ctypes.c_int, (ctypes.c_void_p, ctypes.c_int64)),
        ("gguf_get_val_str", ctypes.c_char_p, (ctypes.c_void_p, ctypes.c_int64)),
        ("gguf_get_arr_n", ctypes.c_size_t, (ctypes.c_void_p, ctypes.c_int64)),
        ("gguf_get_arr_data", ctypes.c_void_p, (ctypes.c_void_p, ctypes.c_int64)),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def _array(
    lib: ctypes.CDLL, file: int, index: int, item_type: type[ctypes.c_int32 | ctypes.c_float]
) -> NDArray[np.int32 | np.float32]:
    """The metadata array at `index` as a numpy array of `item_type`, a ctypes type."""
    import numpy as np

    length = lib.gguf_get_arr_n(file, index)
    pointer = ctypes.cast(lib.gguf_get_arr_data(file, index), ctypes.POINTER(item_type))
    return np.ctypeslib.as_array(pointer, shape=(length,)).copy()
