"""The progress of an ingest: it is fed by events and shown as one line."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rag.errors import RagError
from rag.events import Added, Event, Failed, Indexing, Loading, Report, Scanned
from rag.phrases import HINT
from rag.text.foreign_marks import quote_foreign
from tui.render.answer_text import counted


@dataclass(slots=True)
class IngestProgress:
    """The counts of the ingest that runs or ran last, and the paths that wait for it."""

    running: str = ""  #: the path that is being added; "" while none is
    verb: str = "adding"  #: what is done to it
    waiting: deque[str] = field(default_factory=deque)
    done: int = 0
    total: int = 0
    failed: int = 0
    indexed: int = 0  #: percent of the passages; 0 before the index is made
    result: str = ""  #: how the last ingest ended, in words

    def begin(self, path: str, verb: str = "adding") -> None:
        """Start to count anew."""
        self.running, self.verb, self.result = path, verb, ""
        self.done = self.total = self.failed = self.indexed = 0

    def hear(self, event: Event) -> None:
        """Receive one event of the ingest."""
        match event:
            case Scanned(files, _):
                self.total = files
            case Added(_, _, done, total):
                self.done, self.total = done, total
            case Failed(source, reason, _):
                self.failed += 1
                self.result = f"{quote_foreign(source)}: {quote_foreign(reason)}"
            case Indexing(done, total) if total:
                self.indexed = max(self.indexed, 100 * done // total)
            case Report():
                self.result = _result(event)
            case Loading() | _:
                pass

    def end(self, error: RagError | None) -> None:
        """Note that the ingest has ended."""
        self.running = ""
        if error is not None:
            hint = f"\n  {HINT} {quote_foreign(error.cure)}" if error.cure else ""
            what = "nothing was added" if self.verb == "adding" else f"{self.verb} failed"
            self.result = f"{what}: {quote_foreign(str(error))}{hint}"

    def say(self) -> str:
        """Return the progress, or how the last ingest ended; "" before the first."""
        if not self.running:
            return self.result
        name = quote_foreign(self.running.rstrip("/").rsplit("/", 1)[-1])
        if not self.total and self.verb != "adding":
            return f"{self.verb} {name}"
        stops = " · esc to stop" if self.total else ""
        return f"{self.verb} {name}: {self.counts()}{stops}"

    def counts(self) -> str:
        """Return how far the running ingest is."""
        if not self.total:
            return "looking for files"
        parts = [f"{self.done:,} of {counted(self.total, 'file')}"]
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts += [f"getting them ready to search {self.indexed} %"] if self.indexed else []
        return " · ".join(parts)


def _result(report: Report) -> str:
    """Return the counts of a report, and the first file that failed."""
    removed = f"{counted(len(report.removed), 'document')} removed"
    if report.removed and not (report.added or report.changed or report.failed):
        return removed
    parts = [f"{counted(len(report.added), 'document')} added"]
    parts += [removed] if report.removed else []
    parts += [f"{len(report.changed):,} changed"] if report.changed else []
    parts += [f"{report.unchanged:,} unchanged"] if report.unchanged else []
    parts += [f"{len(report.kept):,} gone and kept"] if report.kept else []
    if report.failed:
        first = report.failed[0]
        parts.append(
            f"{len(report.failed):,} failed, the first: {quote_foreign(first.source)}: "
            f"{quote_foreign(first.reason)}"
        )
    return ("stopped: " if report.stopped else "") + " · ".join(parts)
