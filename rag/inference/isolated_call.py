"""One call in a process of its own, with limits: what a stranger's file does to it does not happen to us.

The child is a fresh program (never a fork). It hears one JSON value on its standard input and tells one on its standard output;
JSON and not pickle, so that a child that was taken over cannot run anything here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

_LARGEST = 16 * 2**20  # bytes of an answer
_ROOT = str(Path(__file__).resolve().parents[2])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from rag.inference.isolated_call import main; main()"
_QUIET = {  # threads would reserve the memory that is counted; a graphics card is not for a trial
    "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONSAFEPATH": "1",
}  # fmt: skip


class Ended(Exception):
    """The child gave no answer. ``str(error)`` says why: it "took too long", "needs too much memory", ..."""


def call(target: str, asked: Any, memory: int, cpu: float, seconds: float) -> Any:
    """What the function `target` ("module:name") returns for `asked`; both are JSON values. Raises `Ended`.

    `memory`: bytes above what the idle child holds. `cpu`: seconds of the processor. `seconds`: until it is killed.
    """
    late = threading.Event()
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-c", _START, target, str(memory), str(cpu)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, **_QUIET},
    ) as child:  # fmt: skip

        def expire() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            assert child.stdin and child.stdout
            with suppress(OSError):  # where it dies meanwhile, its exit code says so
                child.stdin.write(json.dumps(asked).encode() + b"\n")
                child.stdin.flush()
            said = child.stdout.read(_LARGEST + 1)
            with suppress(subprocess.TimeoutExpired):
                child.wait(2)  # its exit code says why it ended
        finally:
            timer.cancel()
            child.kill()
    answer: dict[str, Any] = {}
    with suppress(ValueError, RecursionError):
        if len(said) <= _LARGEST and "answer" in (answer := json.loads(said)):
            return answer["answer"]
        if answer.get("memory"):
            raise Ended("needs too much memory")
    code = child.returncode
    if late.is_set() or code == -getattr(signal, "SIGXCPU", 24):
        raise Ended("took too long")
    raise Ended(f"stopped with signal {-code}" if code < 0 else f"stopped with exit code {code}")


def main() -> None:
    """The child: one request, one answer."""
    target, memory, cpu = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), 1
    )  # a library that prints does not talk into the answer
    with suppress(ValueError):
        signal.signal(
            signal.SIGINT, signal.SIG_IGN
        )  # the terminal's Ctrl-C is for the process that waits
    asked = json.loads(sys.stdin.buffer.readline())
    limit(memory, cpu)
    module, _, name = target.partition(":")
    try:
        answer = {"answer": getattr(import_module(module), name)(asked)}
    except MemoryError:
        answer = {"memory": True}
    told.write(json.dumps(answer).encode())
    told.close()
    os._exit(0)


def limit(memory: int, cpu: float) -> None:
    """Where the system can: so much memory above what is held now, seconds of the processor, no file written, no core."""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limits = [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_AS, held() + memory),
            (resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + cpu) + 1),
        ]
        for what, most in limits:
            hard = resource.getrlimit(what)[1]
            with suppress(ValueError, OSError):
                resource.setrlimit(
                    what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard)
                )


def held() -> int:
    """Bytes of address space that this process has; a guess where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 400 * 2**20
