"""Starts a chat model in a child process, so that a crash of llama.cpp does not end the program.

llama.cpp may end its process (an assertion, a segmentation fault, too little memory). Then the
built-in reader must still answer, in the command line as well as in the screen's engine. So the
model runs in a child, which is asked one thing at a time: the next piece of what it reads or
writes. A stop is sent while it computes. A child that has ended is started anew by the next use.
"""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from rag.errors import ModelBroken, ModelEnded, RagError, TooLong, WeightsMissing
from rag.inference.chat_child import STOP, Message

Stop = Callable[[], bool]

_ROOT = str(Path(__file__).resolve().parents[2])
_START = (
    f"import sys; sys.path.insert(0, {_ROOT!r}); from rag.inference.chat_child import main; main()"
)
_ERRORS: dict[str, type[RagError]] = {
    error.__name__: error for error in (ModelBroken, TooLong, WeightsMissing)
}
_SECONDS_BETWEEN_STOPS = 0.02
#: seconds without a reply after which a child is killed: of a step, and of loading a model
SILENT_SECONDS, _OPENING_SECONDS = 300.0, 1800.0
_CURE = (
    "ask again, and it is started anew; if it happens again, choose a smaller model or a lower "
    "context_tokens; --model reader answers without it"
)


def _never() -> bool:
    return False


class ChatProcess:
    """The chat model at `path` in a child process, with the interface of a chat model.

    `threads` 0 are chosen by a measurement, which is kept in `home` by `sha256`. Raises
    `ModelEnded` if the child ends or is silent for `silent_seconds`, and what opening a model
    raises.
    """

    def __init__(
        self,
        path: str,
        context: int,
        threads: int,
        home: str,
        sha256: str,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._opening: Message = {
            "path": path,
            "context": context,
            "threads": threads,
            "home": home,
            "sha256": sha256,
        }
        self._silent_seconds = silent_seconds
        self._child: _Child | None = None
        self.size = 0  #: tokens of its context
        self._running()

    @property
    def pid(self) -> int:
        """The number of the child process."""
        return self._running().process.pid

    def close(self) -> None:
        """End the child. A second call does nothing."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def conversation(self, slots: int) -> str:
        """The file's chat template around `slots` placeholders. Raises `ModelBroken`."""
        return str(self._ask("conversation", {"slots": slots}))

    def tokens(self, text: str, special: bool) -> list[int]:
        """As `ChatModel.tokens`."""
        return list(self._ask("tokens", {"text": text, "special": special}))

    def begin(self) -> list[int]:
        """As `ChatModel.begin`."""
        return list(self._ask("begin"))

    def read(self, prompt: Sequence[int], stop: Stop = _never) -> Iterator[int]:
        """As `ChatModel.read`."""
        yield from self._work("read", {"prompt": list(prompt)}, stop)

    def write(
        self, max_tokens: int, temperature: float, seed: int, stop: Stop = _never
    ) -> Generator[str, None, None]:
        """As `ChatModel.write`."""
        asked = {"max_tokens": max_tokens, "temperature": temperature, "seed": seed}
        yield from self._work("write", asked, stop)

    def log_odds(self, words: Sequence[str], others: Sequence[str]) -> float:
        """As `ChatModel.log_odds`."""
        return float(self._ask("log_odds", {"words": list(words), "others": list(others)}))

    def _work(self, do: str, arguments: Message, stop: Stop) -> Generator[Any, None, None]:
        """What the child reads or writes, piece by piece."""
        child = self._running()
        self._ask(do, arguments)
        piece = None
        try:
            while not stop() and (piece := self._ask("next", stop=stop)) is not None:
                yield piece
        finally:
            if piece is not None and self._child is child:  # it is not at its end
                with suppress(ModelEnded):  # nobody waits for it any more
                    self._ask("end")

    def _ask(self, do: str, arguments: Message | None = None, stop: Stop = _never) -> Any:
        """The reply to one request."""
        child, request = self._running(), {"do": do, **(arguments or {})}
        try:
            return child.ask(request, stop, self._silent_seconds)
        except (ModelBroken, TooLong):
            raise
        except BaseException:  # also an interrupt: the next reply would be that of this request
            self.close()
            raise

    def _running(self) -> _Child:
        if self._child is None:
            child = _Child()
            try:
                self.size = child.ask({"do": "open", **self._opening}, _never, _OPENING_SECONDS)
            except BaseException:
                child.kill()
                raise
            self._child = child
        return self._child


class _Child:
    """A running child. A thread takes its replies, so that a stop is sent while it computes."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdin and self.process.stdout
        self._requests: IO[bytes] = self.process.stdin
        self._replies: queue.Queue[Message | None] = queue.Queue()
        threading.Thread(
            target=self._listen, args=(self.process.stdout,), name="chat model", daemon=True
        ).start()

    def ask(self, request: Message, stop: Stop, seconds: float) -> Any:
        """The value of the reply to a request, at most `seconds` later.

        Its work is asked to end once `stop` returns True. Raises `ModelEnded`, and what the child
        reports.
        """
        self._send(request)
        reply = self._reply(stop, seconds)
        if "error" in reply:
            name, what, cure = reply["error"]
            raise _ERRORS.get(name, ModelBroken)(what, cure)
        return reply["value"]

    def _send(self, request: Message) -> None:
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except (OSError, ValueError) as error:
            raise self._ended() from error

    def _reply(self, stop: Stop, seconds: float) -> Message:
        until, asked = time.monotonic() + seconds, False
        while True:
            try:
                reply = self._replies.get(timeout=_SECONDS_BETWEEN_STOPS)
            except queue.Empty:
                if not asked and stop():
                    asked = True
                    self._send({"do": STOP})
                if time.monotonic() > until:
                    raise ModelEnded(f"it gave no answer for {seconds:g} seconds", _CURE) from None
                continue
            if reply is None:
                raise self._ended()
            return reply

    def kill(self) -> None:
        self.process.kill()
        with suppress(OSError, ValueError):
            self._requests.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)

    def _listen(self, replies: IO[bytes]) -> None:
        with replies:
            for line in replies:
                try:
                    self._replies.put(json.loads(line))
                except ValueError:  # the child ended within the line
                    break
        self._replies.put(None)

    def _ended(self) -> ModelEnded:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        code = self.process.returncode
        if code is None or code >= 0:
            return ModelEnded(f"its process ended with exit code {code}", _CURE)
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return ModelEnded(f"its process was ended by signal {name}", _CURE)
