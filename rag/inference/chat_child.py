"""Runs a chat model as a child process: requests come as lines of JSON, each gets one reply.

It ends when its standard input closes, so that it never outlives the program that started it.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from rag.errors import RagError
from rag.process import harden_process

#: a request or a reply
Message = dict[str, Any]
#: the request that ends the one before it early; it has no reply
STOP = "stop"


def main() -> None:
    """Open the model that the first line describes, then serve requests."""
    harden_process()
    replies = os.fdopen(os.dup(1), "wb")
    # text that a library prints must not get among the replies
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles Ctrl-C
    with suppress(OSError, AttributeError):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    _Server(sys.stdin.buffer, replies).run()


class _Server:
    """Serves one request after the other. A thread reads them, so that a stop is heard at once."""

    def __init__(self, requests: IO[bytes], replies: IO[bytes]) -> None:
        self._requests, self._replies = requests, replies
        self._waiting: queue.Queue[Message] = queue.Queue()
        self._stop = threading.Event()
        self._model: Any = None
        self._work: Iterator[int | str] = iter(())

    def run(self) -> None:
        threading.Thread(target=self._listen, name="requests", daemon=True).start()
        while True:
            request = self._waiting.get()
            self._stop.clear()
            try:
                reply = {"value": getattr(self, f"_{request.pop('do')}")(**request)}
            except RagError as error:
                reply = {"error": [type(error).__name__, str(error), error.cure]}
            self._replies.write(json.dumps(reply).encode() + b"\n")
            self._replies.flush()

    def _listen(self) -> None:
        for line in self._requests:
            request = json.loads(line)
            if request["do"] == STOP:
                self._stop.set()
            else:
                self._waiting.put(request)
        os._exit(0)

    def _open(self, path: str, context: int, threads: int, home: str, sha256: str) -> int:
        """Open the model; the tokens of its context."""
        from rag.inference.llama_chat import ChatModel
        from rag.inference.thread_choice import choose_threads

        self._model = ChatModel(path, context, threads)
        if not threads:
            choose_threads(self._model, home, sha256)
        return self._model.size

    def _conversation(self, slots: int) -> str:
        return self._model.conversation(slots)

    def _tokens(self, text: str, special: bool) -> list[int]:
        return self._model.tokens(text, special)

    def _begin(self) -> list[int]:
        return self._model.begin()

    def _read(self, prompt: list[int]) -> None:
        self._work = self._model.read(prompt, self._stop.is_set)

    def _write(self, max_tokens: int, temperature: float, seed: int) -> None:
        self._work = self._model.write(max_tokens, temperature, seed, self._stop.is_set)

    def _log_odds(self, words: list[str], others: list[str]) -> float:
        return self._model.log_odds(words, others)

    def _next(self) -> int | str | None:
        """What reading or writing yields next; None at its end."""
        return next(self._work, None)

    def _end(self) -> None:
        """Give up what is read or written."""
        self._work = iter(())
