"""The functions of threads over evaluation runs, and the interface of what reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from textual.message import Message

from rag.errors import RagError, Usage
from tui.worker import PostMessage, as_rag_error

if TYPE_CHECKING:
    from rag.domain.runs import RunComparison, RunListing


class RunSource(Protocol):
    """Interface of what reads and compares run files; `folder` is that of the home."""

    folder: str

    def runs(self, folder: str) -> tuple[RunListing, ...]: ...

    def compare(self, old: str, new: str) -> RunComparison: ...


class NoRuns:
    """No runs: nothing here reads run files."""

    folder = ""

    def runs(self, folder: str) -> tuple[RunListing, ...]:
        return ()

    def compare(self, old: str, new: str) -> RunComparison:
        raise Usage("there are no runs to compare", "footnote eval QUESTIONS.jsonl makes them")


class Listed(Message):
    """The runs of a folder."""

    def __init__(self, folder: str, found: tuple[RunListing, ...]) -> None:
        super().__init__()
        self.folder = folder
        self.found = found


class Compared(Message):
    """Two runs, compared."""

    def __init__(self, found: RunComparison) -> None:
        super().__init__()
        self.found = found


class Refused(Message):
    """What was asked has failed."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


def list_runs(source: RunSource, folder: str, post: PostMessage) -> None:
    """List the runs of a folder."""
    try:
        post(Listed(folder, source.runs(folder)))
    except Exception as error:
        post(Refused(as_rag_error(error)))


def compare(source: RunSource, old: str, new: str, post: PostMessage) -> None:
    """Compare two runs."""
    try:
        post(Compared(source.compare(old, new)))
    except Exception as error:
        post(Refused(as_rag_error(error)))
