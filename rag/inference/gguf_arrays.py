"""The arrays of ours in the metadata of a GGUF file, read by ggml, which llama-cpp-python carries."""

from __future__ import annotations

import ctypes
import os
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from rag.errors import ModelBroken
from rag.inference import llama_library

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

METADATA_PREFIX = "footnote."  #: of the metadata that is ours
_STRING = 8  # the type of a string in GGUF


def read_arrays(path: str) -> dict[str, NDArray[np.float32]]:
    """The float32 arrays that a GGUF file carries as metadata under `PREFIX`, read by ggml itself. Raises `ModelBroken`."""
    import numpy as np

    lib = _gguf()
    file = lib.gguf_init_from_file(os.fsencode(path), _Bare(True, None))
    if not file:
        raise ModelBroken(
            f"{path} is not a whole GGUF file", "install it again and compare its SHA-256"
        )
    out = {}
    try:
        names = [lib.gguf_get_key(file, at).decode() for at in range(lib.gguf_get_n_kv(file))]
        for at, name in enumerate(names):
            if not name.startswith(METADATA_PREFIX) or name.endswith(".shape"):
                continue
            shape = _array(lib, file, names.index(f"{name}.shape"), ctypes.c_int32)
            if lib.gguf_get_kv_type(file, at) == _STRING:
                raw = b64decode(lib.gguf_get_val_str(file, at))
            else:  # an array, as files of older versions have it
                raw = _array(lib, file, at, ctypes.c_float).tobytes()
            out[name.removeprefix(METADATA_PREFIX)] = (
                np.frombuffer(raw, dtype="<f4").astype(np.float32).reshape(shape)
            )
    finally:
        lib.gguf_free(file)
    return out


class _Bare(ctypes.Structure):
    """gguf_init_params: the metadata only."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


def _gguf() -> Any:
    """ggml's reader of GGUF files, which llama-cpp-python carries and does not bind."""
    lib: Any = llama_library.load().llama_cpp._lib
    for name, result, arguments in (
        ("gguf_init_from_file", ctypes.c_void_p, (ctypes.c_char_p, _Bare)),
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


def _array(lib: Any, file: Any, at: int, kind: Any) -> Any:
    import numpy as np

    many = lib.gguf_get_arr_n(file, at)
    return np.ctypeslib.as_array(
        ctypes.cast(lib.gguf_get_arr_data(file, at), ctypes.POINTER(kind)), shape=(many,)
    ).copy()
