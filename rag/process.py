"""Hardens a process: the current folder and stray variables must not steer its libraries.

Only programs of this project harden themselves: the command line, ``python -m rag.training``, and
the child processes. `Bot` and `Engine` leave the process of a program that imports them as it is.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SAFE_PATH = "PYTHONSAFEPATH"
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    # Child processes do not import from the current folder either.
    _SAFE_PATH: "1",
    "TOKENIZERS_PARALLELISM": "false",
    # Waiting threads sleep and do not spin: on two busy cores spinning made an embedding eight
    # times slower.
    "OMP_WAIT_POLICY": "passive",
}
_starting = threading.Lock()


def harden_process() -> None:
    """Protect this process from the folder it was started in and from variables of its libraries.

    Call it before chromadb, transformers or huggingface_hub are imported. It switches off access to
    the Hugging Face hub. It removes the ``CHROMA_*`` variables, because one of them sends a
    persistent client to any host or imports any module, and the ``OTEL_*`` variables. It takes the
    current folder from the import path. `rag.index` handles the ``.env`` file that chromadb reads
    at import, and passes every setting of Chroma by itself, in a process that is not hardened too.
    """
    for name in [name for name in os.environ if name.upper().startswith(("CHROMA_", "OTEL_"))]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)
    installation = os.path.realpath(Path(__file__).parents[1])
    try:
        current = os.path.realpath(os.getcwd())
    except OSError:  # the folder was removed: nothing can be imported from it
        sys.path[:] = [path for path in sys.path if os.path.isabs(path)]
        return
    sys.path[:] = [
        path
        for path in sys.path
        if path != ""
        and (os.path.realpath(path) != current or os.path.realpath(path) == installation)
    ]


@contextmanager
def safe_children() -> Iterator[None]:
    """Start Python programs that do not import from the current folder.

    `multiprocessing` starts its programs with ``-c`` and the environment of this process, so the
    variable is set while the body of the `with` statement runs, and is then as before.
    """
    with _starting:
        before = os.environ.get(_SAFE_PATH)
        os.environ[_SAFE_PATH] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[_SAFE_PATH]
            else:
                os.environ[_SAFE_PATH] = before
