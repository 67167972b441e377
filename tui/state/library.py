"""The functions of threads over the documents of the library, and the work that goes on there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import AddedRoot, Listing, OpenedDocument, Status
from rag.errors import RagError
from rag.events import Event, Notice, Report
from rag.text.foreign_marks import quote_foreign
from tui.state.ingest import IngestProgress
from tui.worker import PostMessage, as_rag_error

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine


#: A work of the engine, whose events are heard.
Work = Callable[[], Iterator[Event]]


class Listed(Message):
    """The documents and the added paths; `seconds` is how long it took to list them."""

    def __init__(
        self,
        status: Status,
        listings: tuple[Listing, ...],
        roots: tuple[AddedRoot, ...],
        seconds: float,
    ) -> None:
        super().__init__()
        self.roots = roots
        self.status = status
        self.listings = listings
        self.seconds = seconds


class Opened(Message):
    """A document was opened to be read."""

    def __init__(self, opened: OpenedDocument) -> None:
        super().__init__()
        self.opened = opened


class Refused(Message):
    """What was asked of the library has failed."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


def list_documents(engine: ChatEngine, post: PostMessage) -> None:
    """List the documents."""
    started = time.monotonic()
    try:
        status = engine.status()
        listings, roots = engine.documents(), engine.added_roots()
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    post(Listed(status, listings, roots, time.monotonic() - started))


def open_document(engine: ChatEngine, name: str, post: PostMessage) -> None:
    """Open a document to be read."""
    try:
        post(Opened(engine.open_document(name)))
    except Exception as error:
        post(Refused(as_rag_error(error)))


class LibraryWork:
    """Removes and reads again, one thing at a time. It outlives the screen that began it.

    The thread of the work changes `progress`; a screen reads it a few times a second.
    """

    def __init__(
        self, engine: ChatEngine, run_in_thread: Callable[[partial[None]], object]
    ) -> None:
        self._engine, self._run_in_thread = engine, run_in_thread
        self.progress = IngestProgress()
        self.ended = 0  #: how many works have ended
        self.failed = False  #: whether the last one failed

    @property
    def running(self) -> bool:
        return bool(self.progress.running)

    def begin(self, verb: str, name: str, work: Work) -> bool:
        """Begin a work, such as ("removing", "a.txt"); False if another one runs."""
        if self.running:
            return False
        self.progress.begin(name, verb)
        self._run_in_thread(partial(self._run, work))
        return True

    def _run(self, work: Work) -> None:
        error: RagError | None = None
        notices = list[str]()
        try:
            for event in work():
                self.progress.hear(event)
                if isinstance(event, Notice):
                    notices.append(quote_foreign(event.says))
                elif isinstance(event, Report):
                    self.progress.result = " · ".join([self.progress.result, *notices])
        except Exception as problem:
            error = as_rag_error(problem)
        self.ended += 1
        self.failed = error is not None
        self.progress.end(error)

    def stop(self) -> None:
        """Stop the work; what is finished stays."""
        if self.running:
            self._run_in_thread(partial(self._engine.stop))
