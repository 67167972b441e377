"""The llama.cpp library, loaded once. Its warnings are kept for messages and never printed."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.inference.llama_functions import LlamaLibrary

LOG: list[str] = []  #: the last five warnings and errors of llama.cpp
_callbacks: list[object] = []  # the callback must live as long as the library uses it
_WARNING, _ERROR = 3, 4  # levels of ggml's log


def load() -> LlamaLibrary:
    """The module `llama_cpp` with its backend initialised."""
    import llama_cpp

    if not _callbacks:

        @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]
        def listen(level: int, text: bytes, _: object) -> None:
            if level in (_WARNING, _ERROR):
                LOG.append(text.decode("utf-8", "replace").strip())
                del LOG[:-5]

        _callbacks.append(listen)
        llama_cpp.llama_log_set(listen, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
    library: LlamaLibrary = llama_cpp
    return library
