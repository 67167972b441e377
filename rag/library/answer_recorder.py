"""Saves an answer while it is written, so that a program that is killed loses nothing it showed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime

from rag import serialize
from rag.domain import Claim, Passage
from rag.errors import RagError
from rag.events import Answered, Checked, Event, Retrieved, Token
from rag.library.history import History

#: seconds between two savings inside a sentence
_PAUSE_SECONDS = 0.3
_SENTENCE_ENDS = (".", "!", "?", ":", "]", "\n")


class AnswerRecorder:
    """Hears the events of one question and saves what they say of its answer.

    The words are saved at the end of each sentence, and inside one after a pause; a verdict is
    saved when it is there. An answer that was not finished has the field `unfinished`.
    """

    def __init__(
        self,
        history: History,
        turn: int,
        question: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._history, self._turn, self._question = history, turn, question
        self._clock, self._saved_at = clock, clock()
        self._text, self._asked = "", ""
        self._passages: tuple[Passage, ...] = ()
        self._claims: list[Claim] = []

    @classmethod
    def begin(cls, history: History, conversation: str, question: str) -> AnswerRecorder:
        """Save a question as asked now, and return the recorder of its answer."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(history, history.ask(conversation, now, question), question)

    def record(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass the events of the question on, each after what it says was saved."""
        for event in events:
            self.hear(event)
            yield event

    def hear(self, event: Event) -> None:
        """Receive one event, before it is passed on to a screen."""
        if isinstance(event, Answered):
            self._save(serialize.answer(event.answer))
        elif isinstance(event, Retrieved):
            self._passages, self._asked = event.passages, event.asked
        elif isinstance(event, Checked):
            self._claims.append(event.claim)
            self._save_unfinished()
        elif isinstance(event, Token):
            self._text += event.text
            ended = event.text.rstrip(" ").endswith(_SENTENCE_ENDS)
            if ended or self._clock() - self._saved_at >= _PAUSE_SECONDS:
                self._save_unfinished()

    def _save_unfinished(self) -> None:
        """Save what is known so far. If that fails, the answer goes on; its end is saved or raises.

        The fields are those of an answer object.
        """
        saved: dict[str, object] = {
            "schema": serialize.SCHEMA,
            "question": self._question,
            "asked": self._asked or None,
            "answer": self._text,
            "stopped": True,
            "unfinished": True,
            "claims": [serialize.claim(claim) for claim in self._claims],
            "passages": [serialize.passage(passage) for passage in self._passages],
        }
        with suppress(RagError):
            self._save(saved)

    def _save(self, saved: object) -> None:
        self._history.answer(self._turn, json.dumps(saved, ensure_ascii=False))
        self._saved_at = self._clock()
