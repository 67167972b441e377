"""Events of a running question, ingest or repair: the interface to a screen.

    a question    Loading*  Retrieved  Reading*  Token*  Checked*  Answered
    an ingest     Notice*  Scanned  (Added | Failed)*  Indexing*  Report
    a repair      (Repaired | Indexing)*
    a new model   Loading*  ModelChosen

Events are frozen and can be pickled. The joined `Token.text` is `Answer.text`, unless the answer
was stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.domain import Answer, Claim, Passage


@dataclass(frozen=True, slots=True)
class Loading:
    """A model is being loaded, or the index made; `what` names it in words."""

    what: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A deviation from a setting, and its reason, in words."""

    says: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The numbered passages for the writer, and the number of chunks that were searched."""

    passages: tuple[Passage, ...]
    searched: int
    asked: str = ""  #: the resolved question, as in `Answer`
    within: tuple[str, ...] = ()  #: as in `Answer`


@dataclass(frozen=True, slots=True)
class Reading:
    """Progress of reading the passages, in tokens; for the built-in reader in passages."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Token:
    """The next words of the answer, with markers. The first `quoted` characters are a quotation."""

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
    """The last event of a question: the whole answer, which may be an abstention or stopped."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Scanned:
    """The number and total size of the files that an ingest will read."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Added:
    """A document is completely in the library; `done` of `total` files are finished."""

    source: str
    chunks: int
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that was not added, with the reason and a hint."""

    source: str
    reason: str
    cure: str


@dataclass(frozen=True, slots=True)
class Indexing:
    """Progress of making the index, in passages; `what` is "vectors", then "words"."""

    done: int
    total: int
    what: str = "vectors"

    @property
    def says(self) -> str:
        """The progress in words."""
        return f"{self.what} of {self.done:,} of {self.total:,} passages"


@dataclass(frozen=True, slots=True)
class Repaired:
    """A damage that was found: repaired if `done` (`says` how), else with the hint `cure`."""

    what: str
    done: bool
    says: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The last event of a change of the model: its setting, and what was found, in words."""

    model: str
    says: str


@dataclass(frozen=True, slots=True)
class Report:
    """The last event of an ingest or a removal: sources by what happened to them."""

    added: tuple[str, ...] = ()
    unchanged: int = 0
    changed: tuple[str, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    failed: tuple[Failed, ...] = ()
    seconds: float = 0.0
    stopped: bool = False
    #: vanished, but not removed, because many vanished at once
    kept: tuple[str, ...] = ()
    #: of those added or changed, the ones with a table so large that its rows have no vectors
    by_words: tuple[str, ...] = ()


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
    | ModelChosen
    | Report
)
