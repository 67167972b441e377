"""The progress of a running question: it is fed by events and shown as one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from time import monotonic

from textual.content import Content

from rag.events import Checked, Event, Loading, Reading, Retrieved, Token
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import assemble, counted, seconds
from tui.render.glyphs import Glyphs


class Phase(Enum):
    """The phase of a question."""

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
    """The phase and the counts of an answer that is not finished."""

    phase: Phase = Phase.WAITING
    what: str = "waiting for the engine"  #: what is waited for or loaded
    passages: int = 0
    searched: int = 0
    done: int = 0
    total: int = 0
    words: int = 0
    began: float = field(default_factory=monotonic)
    first_words: float = 0.0  #: the time of the first words; 0.0 before them

    def begin(self) -> None:
        """Start the clock when the engine takes the question."""
        self.phase, self.began = Phase.RETRIEVING, monotonic()

    def hear(self, event: Event) -> None:
        """Receive one event. After a stop events are ignored."""
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
                self.first_words = self.first_words or monotonic()
                self.phase, self.words = Phase.WRITING, self.words + len(text.split())
            case Checked(_, number, total):
                self.phase, self.done, self.total = Phase.CHECKING, number, total
            case _:
                pass

    @property
    def elapsed(self) -> float:
        """Seconds since the engine took the question."""
        return monotonic() - self.began

    def say(self, glyphs: Glyphs, still: bool = False) -> Content:
        """Return the line. Its first sign moves four times a second, unless `still` is set."""
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
        return assemble([(f"{sign} {glyphs.say(self._phase_words())}{hint}", "$text-muted")])

    def _phase_words(self) -> str:
        """Return the phase in words, with its counts."""
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
                since = monotonic() - self.first_words
                pace = f" · {self.words / since:.1f} words/s" if since > 1 else ""
                return f"writing{pace}"
            case _:
                return f"checking {self.done} of {counted(self.total, 'sentence')}"
