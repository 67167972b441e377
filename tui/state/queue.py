"""The queue of questions: one runs, the others wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tui import worker

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine
    from tui.widgets.exchange import Exchange


class QuestionQueue:
    """Gives questions to the engine, one at a time, in the open conversation.

    `run_in_thread` runs a call of the engine, `post` posts messages to the screen.
    """

    def __init__(
        self,
        engine: ChatEngine,
        run_in_thread: Callable[[partial[None]], None],
        post: worker.PostMessage,
    ) -> None:
        self.engine = engine
        self.up = False  #: whether the engine has started or failed to start
        self.running: Exchange | None = None
        self.waiting: deque[Exchange] = deque()
        self._held = ""  #: why no question is given to the engine; "" if they are
        self._run_in_thread = run_in_thread
        self._post = post
        self._conversation_id: str | None = None
        self._epoch = 0

    @property
    def conversation_id(self) -> str | None:
        """The id of the open conversation; None if it has no question yet."""
        return self._conversation_id

    @property
    def busy(self) -> bool:
        """Whether a question runs or waits."""
        return self.running is not None or bool(self.waiting)

    def start(self) -> None:
        """Start the engine."""
        self._run_in_thread(partial(worker.start, self.engine, self._post))

    def put(self, turn: Exchange) -> None:
        """Add a question at the end."""
        if self.up and self.busy:
            turn.progress.what = "waiting for the answer before"
        self.waiting.append(turn)

    def hold(self, reason: str) -> None:
        """Keep the questions that wait, for a reason that they show; "" lets them go on."""
        if reason or self._held:
            for turn in self.waiting:
                turn.progress.what = reason or "waiting for the answer before"
        self._held = reason

    def next(self) -> None:
        """Give the engine the next question if none runs."""
        if self.up and not self._held and self.running is None and self.waiting:
            turn = self.running = self.waiting.popleft()
            turn.begin()
            self._run_in_thread(
                partial(
                    worker.ask, self.engine, turn, self._conversation_id, self._epoch, self._post
                )
            )

    def over(self, turn: Exchange) -> None:
        """Note that the question of `turn` has ended."""
        if turn is self.running:
            self.running = None

    def stop(self) -> None:
        """Stop the question that runs and withdraw those that wait."""
        for turn in self.waiting:
            turn.withdraw()
        self.waiting.clear()
        if self.running is not None:
            self.running.stop()
            self._run_in_thread(partial(self.engine.stop))

    def fetch(self, document_id: str) -> None:
        """Fetch a document from the engine."""
        self._run_in_thread(partial(worker.fetch, self.engine, document_id, self._post))

    def opened(self, conversation_id: str, epoch: int) -> None:
        """Set the id of the conversation, unless the user has left it since."""
        if epoch == self._epoch:
            self._conversation_id = conversation_id

    def leave(self) -> None:
        """Stop all questions, and open a new conversation with the next one."""
        self.stop()
        self._conversation_id = None
        self._epoch += 1

    def resume(self, conversation_id: str) -> None:
        """Stop all questions, and ask the next one in a saved conversation."""
        self.leave()
        self._conversation_id = conversation_id
