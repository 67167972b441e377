"""What a running question or ingest reports. The whole contract with a screen.

A question: Retrieved, Reading*, Token*, Checked*, Answered. An ingest: Noted*, Scanned, Added* | Failed*, Stored, Report.
A repair: Mended*, Indexing* between them.
Every event is a frozen value that can be pickled; `Token.text` joined is `Answer.text` for an answer that was not stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.domain import Answer, Claim, Passage


@dataclass(frozen=True, slots=True)
class Loading:
    """A machine is being opened, or the index made; `what` is words for a person."""

    what: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is done otherwise than a setting says, and why."""

    says: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The numbered passages that the writer will see, how many chunks were looked through, and for what."""

    passages: tuple[Passage, ...]
    searched: int
    asked: str = ""  #: as in `Answer`


@dataclass(frozen=True, slots=True)
class Reading:
    """The writer takes in the passages: `done` of `total` tokens (or passages, for the reader)."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Token:
    """More words of the answer, markers included. The first `quoted` characters are a quotation; the rest is the writer's."""

    text: str
    quoted: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict of sentence `number` (1-based) of `total`."""

    claim: Claim
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of a question: the whole answer, abstentions and stopped answers included."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Scanned:
    """What an ingest found to do."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Added:
    """One document is whole in the library. `done` of `total` files."""

    source: str
    chunks: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Failed:
    """One file is not in the library, why, and what would help."""

    source: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Indexing:
    """The index is being made: the "vectors" are put in, then the "words" are counted, of `done` of `total` passages."""

    done: int
    total: int
    what: str = "vectors"

    @property
    def says(self) -> str:
        """In words."""
        return f"{self.what} of {self.done:,} of {self.total:,} passages"


@dataclass(frozen=True, slots=True)
class Repaired:
    """One thing that a repair found wrong: `done` where it is mended (`says` how), else with the cure that is left."""

    what: str
    done: bool
    says: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The end of an ingest."""

    added: tuple[str, ...] = ()
    unchanged: int = 0
    changed: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failed, ...] = ()
    seconds: float = 0.0
    stopped: bool = False
    kept: tuple[
        str, ...
    ] = ()  #: not found any more, but not forgotten, because many are gone at once


Event = (
    Loading
    | Notice
    | Retrieved
    | Reading
    | Token
    | Checked
    | Answered
    | Scanned
    | Added
    | Failed
    | Indexing
    | Repaired
    | Report
)
