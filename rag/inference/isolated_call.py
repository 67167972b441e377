"""One function call in a separate process with limits, so that a harmful file cannot hurt this one.

The child is a new program (never a fork). It reads one JSON value from its standard input and
writes one to its standard output. JSON and not pickle: a compromised child cannot run code here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from rag.disk.strict_json import Json
from rag.process import harden_process

_MAX_RESULT_BYTES = 16 * 2**20
_IDLE_BYTES = 400 * 2**20  # assumed address space of an idle child if the system does not say
_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); "
    "from rag.inference.isolated_call import main; main()"
)
#: threads would reserve part of the limited memory; a trial does not use a graphics card
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONSAFEPATH": "1",
}


#: what `call` is: (target, argument, memory, cpu, seconds) -> the result
Call = Callable[[str, Json, int, float, float], Json]


class Ended(Exception):
    """The child returned nothing. ``str(error)`` is the reason, such as "took too long"."""


def call(target: str, argument: Json, memory: int, cpu: float, seconds: float) -> Json:
    """The result of the function `target` ("module:name") for `argument`; both are JSON values.

    `memory` is in bytes, on top of the idle child's. `cpu` is in seconds of processor time.
    The child is killed after `seconds`. Raises `Ended`.
    """
    timed_out = threading.Event()
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-c", _START, target, str(memory), str(cpu)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **_ENVIRONMENT},
    ) as child:

        def expire() -> None:
            timed_out.set()
            child.kill()

        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            assert child.stdin and child.stdout
            with suppress(OSError):  # if the child ends meanwhile, its exit code says why
                child.stdin.write(json.dumps(argument).encode() + b"\n")
                child.stdin.flush()
            output = child.stdout.read(_MAX_RESULT_BYTES + 1)
            with suppress(subprocess.TimeoutExpired):
                child.wait(2)  # its exit code says why it ended
        finally:
            timer.cancel()
            child.kill()
    answer: dict[str, Json] = {}
    with suppress(ValueError, RecursionError):
        if len(output) <= _MAX_RESULT_BYTES and "answer" in (answer := json.loads(output)):
            return answer["answer"]
        if answer.get("memory"):
            raise Ended("needs too much memory")
    code = child.returncode
    if timed_out.is_set() or code == -getattr(signal, "SIGXCPU", 24):
        raise Ended("took too long")
    raise Ended(f"stopped with signal {-code}" if code < 0 else f"stopped with exit code {code}")


def main() -> None:
    """Run the child: read one argument, call the function, write its result."""
    harden_process()
    target, memory, cpu = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    output = os.fdopen(os.dup(1), "wb")
    # text that a library prints must not get into the result
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(ValueError):
        # the parent process handles Ctrl-C
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    argument = json.loads(sys.stdin.buffer.readline())
    limit(memory, cpu)
    module, _, name = target.partition(":")
    try:
        answer = {"answer": getattr(import_module(module), name)(argument)}
    except MemoryError:
        answer = {"memory": True}
    output.write(json.dumps(answer).encode())
    output.close()
    os._exit(0)


def limit(memory: int, cpu: float) -> None:
    """Limit this process, on systems that support it.

    It may use `memory` more bytes of address space than now and `cpu` more seconds of processor
    time, and may write neither files nor a core dump.
    """
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        limits = [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_AS, address_space() + memory),
            (resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + cpu) + 1),
        ]
        for name, value in limits:
            hard = resource.getrlimit(name)[1]
            soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
            with suppress(ValueError, OSError):
                resource.setrlimit(name, (soft, hard))


def address_space() -> int:
    """Bytes of this process's address space; an estimate if the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _IDLE_BYTES
