"""Chooses the number of threads of a chat model by a short measurement.

More threads are not always faster: they wait for each other where other programs use the cores, and
small models are limited by the memory. The measurement reads a few tokens and writes fewer, with
each of up to three numbers of threads. It is made once for each file and number of cores, and its
result is kept in the home.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from rag.disk import atomic_files
from rag.inference.llama_chat import ChatModel, thread_count
from rag.inference.weights import models_folder

_READ_TOKENS, _WRITTEN_TOKENS = 64, 4
#: seconds after which a number of threads is given up
_MAX_SECONDS = 3.0


def choose_threads(
    model: ChatModel,
    home: str,
    sha256: str,
    cores: int | None = None,
    measure: Callable[[ChatModel, Sequence[int], int], float] | None = None,
) -> int:
    """Set the fastest number of threads for `model`, whose file has this hash, and return it.

    `cores` are those of this computer if None. `measure` gives the seconds that a model takes for
    tokens with a number of threads; None measures them.
    """
    cores = cores or os.cpu_count() or 1
    store, key = models_folder(home) / "threads.json", f"{sha256} {cores}"
    known = _read(store)
    threads = known.get(key, 0)
    if not 0 < threads <= cores:
        threads = _fastest(model, cores, measure or measure_seconds)
        known[key] = threads
        with suppress(OSError):  # it is measured again the next time
            atomic_files.replace_file(store, json.dumps(known))
    model.use_threads(threads)
    return threads


def _fastest(
    model: ChatModel, cores: int, measure: Callable[[ChatModel, Sequence[int], int], float]
) -> int:
    ids = (model.begin() + model.tokens("the mill of the town " * _READ_TOKENS, special=False))[
        :_READ_TOKENS
    ]
    usual = thread_count(0, cores)
    candidates = sorted({usual, cores, max(1, cores // 2)}, key=lambda n: (n != usual, n))
    list(model.read(ids[:1]))  # the weights are in memory before anything is measured
    seconds = {threads: measure(model, ids, threads) for threads in candidates}
    return min(candidates, key=seconds.__getitem__)


def measure_seconds(
    model: ChatModel, ids: Sequence[int], threads: int, limit: float = _MAX_SECONDS
) -> float:
    """Return the seconds that reading `ids` and writing take; infinite if more than `limit`."""
    model.use_threads(threads)
    model.forget()
    started_at = time.perf_counter()

    def late() -> bool:
        return time.perf_counter() - started_at > limit

    done = list(model.read(ids, late))
    if not done or done[-1] < len(ids):
        return float("inf")
    list(model.write(_WRITTEN_TOKENS, 0.0, 0, late))
    return float("inf") if late() else time.perf_counter() - started_at


def _read(store: Path) -> dict[str, int]:
    """The numbers of threads that were measured."""
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(store.read_text(encoding="utf-8"))
        if isinstance(content, dict) and all(type(n) is int for n in content.values()):
            return content
    return {}
