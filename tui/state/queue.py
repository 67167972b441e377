"""The line of questions: one runs, further ones wait their turn. Work goes to `beside`, which runs it in a thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tui import worker

if TYPE_CHECKING:
    from rag.engine import Engine
    from tui.widgets.exchange import Exchange


class QuestionQueue:
    """Knows which turn the engine works on, and the id of the open conversation."""

    def __init__(
        self, engine: Engine, beside: Callable[[partial[None]], None], post: worker.PostMessage
    ) -> None:
        self.engine = engine
        self.up = False  #: the engine has said whether it is ready
        self.running: Exchange | None = None
        self.waiting: deque[Exchange] = deque()
        self._beside = beside
        self._post = post
        self._conversation: str | None = None
        self._epoch = 0

    @property
    def busy(self) -> bool:
        return self.running is not None or bool(self.waiting)

    def start(self) -> None:
        """Bring the engine up."""
        self._beside(partial(worker.start, self.engine, self._post))

    def put(self, turn: Exchange) -> None:
        """At the end of the line."""
        if self.up and self.busy:
            turn.progress.what = "waiting for the answer before"
        self.waiting.append(turn)

    def next(self) -> None:
        """Give the engine the next question, if it has none."""
        if self.up and self.running is None and self.waiting:
            turn = self.running = self.waiting.popleft()
            turn.begin()
            self._beside(
                partial(worker.ask, self.engine, turn, self._conversation, self._epoch, self._post)
            )

    def over(self, turn: Exchange) -> None:
        """The engine is done with `turn`."""
        if turn is self.running:
            self.running = None

    def stop(self) -> None:
        """Stop the one that runs; those that wait are withdrawn."""
        for turn in self.waiting:
            turn.withdraw()
        self.waiting.clear()
        if self.running is not None:
            self.running.stop()
            self._beside(partial(self.engine.stop))

    def fetch(self, document: str) -> None:
        """Ask the engine for a document."""
        self._beside(partial(worker.fetch, self.engine, document, self._post))

    def opened(self, conversation: str, epoch: int) -> None:
        """The conversation that was opened has this id; one that was left meanwhile does not count."""
        if epoch == self._epoch:
            self._conversation = conversation

    def leave(self) -> None:
        """The next question opens a new conversation."""
        self.stop()
        self._conversation = None
        self._epoch += 1
