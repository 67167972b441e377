"""The child process of the engine: two lanes, each a pipe with a thread and a `Bot` behind it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

from rag.config import Config
from rag.errors import EngineStopped, RagError
from rag.front_door import FrontDoor
from rag.process import harden_process

STOP = "stop"


class Request(NamedTuple):
    """A call for the child: a method of the front door, or `STOP`, which has no reply."""

    method: str
    arguments: tuple[object, ...] = ()


class Reply(NamedTuple):
    """A message of the child: an event or the end of work, the value of a look, or an error."""

    kind: Literal["event", "end", "value", "error"]
    value: Any = None


def serve(work: Connection, look: Connection, config: Config, log: str) -> None:
    """Run the two lanes of the child until a pipe closes."""
    harden_process()
    # Ctrl-C in the terminal is for the screen.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _redirect(log)
    with suppress(OSError, AttributeError):
        os.nice(5)
    stop = threading.Event()
    from rag.bot import Bot  # the process of the screen does not need it

    threading.Thread(target=_serve_looks, args=(look, config, stop), daemon=True).start()
    with Bot.open(config, follows=True) as bot, suppress(EOFError, OSError):
        while True:
            request = work.recv()
            stop.clear()
            _run(bot, work, request, stop)


def _run(bot: FrontDoor, work: Connection, request: Request, stop: threading.Event) -> None:
    """Send the events of one request, then "end" or "error"."""
    asking = request.method == "ask"
    try:
        named = {"stop": stop.is_set} if asking else {}
        events = getattr(bot, request.method)(*request.arguments, **named)
        for event in events:
            work.send(Reply("event", event))
            if stop.is_set() and not asking:
                events.close()
                break
        work.send(Reply("end"))
    except (EOFError, OSError):
        raise
    except Exception as error:
        work.send(Reply("error", _reported(error)))


def _serve_looks(look: Connection, config: Config, stop: threading.Event) -> None:
    """Run the look lane. A closed pipe means that the parent is gone: end the process at once."""
    from rag.bot import Bot

    with Bot.open(config, follows=True) as bot:
        while True:
            try:
                request = look.recv()
                if request.method == STOP:
                    stop.set()
                    continue
                value = getattr(bot, request.method)(*request.arguments)
                look.send(Reply("value", value))
            except (EOFError, OSError):
                os._exit(0)
            except Exception as error:
                look.send(Reply("error", _reported(error)))


def _reported(error: Exception) -> RagError:
    """The error for the parent. The traceback of an unforeseen one goes to the log."""
    if isinstance(error, RagError):
        return error
    traceback.print_exception(error, file=sys.stderr)
    sys.stderr.flush()
    return EngineStopped(
        f"{type(error).__name__}: {error}", "the log has the details; please report it"
    )


def _redirect(log: str) -> None:
    """Send the output of the child and of its C libraries to the log; give it an empty stdin."""
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, descriptor in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, descriptor)
