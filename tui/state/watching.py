"""Watched folders: a thread looks for changed files at an interval, and `sync` reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import AddedRoot
from rag.errors import RagError, Usage
from rag.text.foreign_marks import quote_foreign
from tui.worker import PostMessage, as_rag_error

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine
    from tui.state.library import LibraryWork

#: What the work on the library is called while it reads what has changed.
VERB = "reading changes of"


class Toggled(Message):
    """A path that was added is watched from now on, or no longer."""

    def __init__(self, path: str, watched: bool) -> None:
        super().__init__()
        self.path = path
        self.watched = watched

    @property
    def says(self) -> str:
        """What was done, in words."""
        if not self.watched:
            return f"{quote_foreign(self.path)} is no longer watched"
        return f"{quote_foreign(self.path)} is watched: changes are read while the chat is open"


class Refused(Message):
    """A path cannot be watched."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


class Changed(Message):
    """Files have changed under watched paths, `roots`."""

    def __init__(self, roots: tuple[str, ...]) -> None:
        super().__init__()
        self.roots = roots


def root_of(path: str, roots: Sequence[AddedRoot]) -> AddedRoot | None:
    """Return the nearest path that was added and is `path` or contains it; None without one."""
    holding = [
        root for root in roots if path == root.path or path.startswith(root.path.rstrip("/") + "/")
    ]
    return max(holding, key=lambda root: len(root.path), default=None)


def toggle(engine: ChatEngine, path: str, post: PostMessage) -> None:
    """Watch the added path that holds `path`, or watch it no longer."""
    try:
        root = root_of(path, engine.added_roots())
        if root is None:
            raise Usage(f"{path} was not added", "add it first, then watch it")
        engine.watch(root.path, not root.watched)
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    post(Toggled(root.path, not root.watched))


class Watcher:
    """Looks for changes, one look at a time, and posts `Changed` once for each new state of them.

    What a synchronisation cannot read, or does not forget, is therefore not tried again and again.
    """

    def __init__(
        self,
        engine: ChatEngine,
        work: LibraryWork,
        run_in_thread: Callable[[partial[None]], object],
        post: PostMessage,
    ) -> None:
        self._engine, self._work = engine, work
        self._run_in_thread, self._post = run_in_thread, post
        self._looking = False
        self._seen: dict[str, str] = {}  #: the last state of each path that was posted

    def look(self) -> None:
        """Look for changes in a thread, unless a look or a work on the library goes on."""
        if self._looking or self._work.running:
            return
        if self._work.failed and self._work.progress.verb == VERB:
            self._seen = {}  # another program was writing, or the like
        self._looking = True
        self._run_in_thread(partial(self._look))

    def read(self, roots: tuple[str, ...]) -> None:
        """Read what has changed under watched paths."""
        sync = partial(self._engine.sync, False, roots)
        if not self._work.begin(VERB, ", ".join(roots), sync):
            self._seen = {}

    def _look(self) -> None:
        try:
            found = dict(self._engine.changed_roots())
        except Exception:
            return  # there is no library yet, or the engine starts anew: the next look finds out
        finally:
            self._looking = False
        new = tuple(path for path, state in found.items() if self._seen.get(path) != state)
        self._seen = found
        if new:
            self._post(Changed(new))
