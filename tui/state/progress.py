"""How far a running question is: fed by events, read as one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from time import monotonic

from textual.content import Content

from rag.events import Checked, Event, Loading, Reading, Retrieved, Token
from rag.text.sanitize import quote_foreign
from tui.render.answer_text import assemble, counted, seconds
from tui.render.glyphs import Glyphs


class Phase(Enum):
    """Where a question stands."""

    WAITING = auto()
    LOADING = auto()
    RETRIEVING = auto()
    READING = auto()
    WRITING = auto()
    CHECKING = auto()
    STOPPING = auto()
    DONE = auto()
    FAILED = auto()


RUNNING = frozenset(set(Phase) - {Phase.DONE, Phase.FAILED})


@dataclass(slots=True)
class Progress:
    """The numbers behind the line under an answer that is not finished."""

    phase: Phase = Phase.WAITING
    what: str = "waiting for the engine"
    passages: int = 0
    searched: int = 0
    done: int = 0
    total: int = 0
    words: int = 0
    began: float = field(default_factory=monotonic)
    first: float = 0.0

    def begin(self) -> None:
        """The engine has taken the question."""
        self.phase, self.began = Phase.RETRIEVING, monotonic()

    def hear(self, event: Event) -> None:
        """Take in one event. Nothing but the end follows a stop."""
        if self.phase is Phase.STOPPING:
            return
        match event:
            case Loading(what):
                self.phase, self.what = Phase.LOADING, what
            case Retrieved(passages, searched):
                self.phase, self.passages, self.searched = Phase.READING, len(passages), searched
            case Reading(done, total):
                self.phase, self.done, self.total = Phase.READING, done, total
            case Token(text):
                self.first = self.first or monotonic()
                self.phase, self.words = Phase.WRITING, self.words + len(text.split())
            case Checked(_, number, total):
                self.phase, self.done, self.total = Phase.CHECKING, number, total
            case _:
                pass

    @property
    def elapsed(self) -> float:
        return monotonic() - self.began

    def say(self, glyphs: Glyphs, still: bool = False) -> Content:
        """The line. Its first sign moves four times a second, or stands still."""
        sign = (
            glyphs.waiting
            if still or self.phase is Phase.WAITING
            else glyphs.steps[int(self.elapsed * 4) % 4]
        )
        if self.phase is Phase.STOPPING:
            return assemble([(f"{glyphs.stopped} stopping", "bold")])
        hint = (
            glyphs.say(f" · {seconds(int(self.elapsed))} · esc to stop")
            if self.phase is not Phase.WAITING
            else ""
        )
        return assemble([(f"{sign} {glyphs.say(self._now())}{hint}", "$text-muted")])

    def _now(self) -> str:
        match self.phase:
            case Phase.WAITING:
                return self.what
            case Phase.LOADING:
                return f"loading {quote_foreign(self.what)}"
            case Phase.RETRIEVING:
                return "looking for passages"
            case Phase.READING:
                share = f" · {100 * self.done // self.total} %" if self.total else ""
                return f"reading {counted(self.passages, 'passage')} of {self.searched:,}{share}"
            case Phase.WRITING:
                since = monotonic() - self.first
                pace = f" · {self.words / since:.1f} words/s" if since > 1 else ""
                return f"writing{pace}"
            case _:
                return f"checking {self.done} of {counted(self.total, 'sentence')}"
