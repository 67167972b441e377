"""The library: its documents with their states, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from rag.domain import AddedRoot, Listing
from rag.text.foreign_marks import quote_foreign
from tui.commands import bindings
from tui.render import listing_rows
from tui.render.answer_text import assemble, counted
from tui.render.glyphs import Glyphs
from tui.screens.confirm import ConfirmDialog
from tui.screens.document import DocumentScreen
from tui.screens.input_page import InputPage
from tui.state import library, watching
from tui.state.completion import typed_path
from tui.state.watching import root_of
from tui.widgets.bars import KeyBar
from tui.widgets.line_list import LineList
from tui.widgets.page_head import PageHead

if TYPE_CHECKING:
    from tui.screens.ask import AskScreen

#: Seconds between two looks at the work, and least seconds between two lists of the documents.
TICK_SECONDS, LIST_SECONDS = 0.25, 2.0
#: A list is made again after this many times the seconds that the last one took.
_LIST_SHARE = 8
_SORTS = ("name", "state", "passages", "size", "date")


class LibraryScreen(InputPage):
    """Lists the documents. The Ask screen below adds them; `work` does the rest."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("library"))
    PLACEHOLDERS: ClassVar[Mapping[str, str]] = {
        "filter": "Words of a file name or a title",
        "add": "Path of a file or a folder; tab completes it",
    }
    PATHS: ClassVar[frozenset[str]] = frozenset({"add"})

    def __init__(self, ask_screen: AskScreen, work: library.LibraryWork, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._ask, self._engine, self._work = ask_screen, ask_screen.engine, work
        self.listings: tuple[Listing, ...] = ()
        self.roots: tuple[AddedRoot, ...] = ()
        self.shown: tuple[Listing, ...] = ()  #: those that pass the filter, sorted
        self.sorted_by = "name"
        self._listing, self._known = False, False
        self._wait = 0.0  #: seconds until the next list is made
        self._words = ""  #: what the line of the work says
        self._warning = "", ""  #: what is said below the list, and at which source

    def compose(self) -> ComposeResult:
        with Vertical(classes="page"):
            yield PageHead("library", "LIBRARY", self.glyphs)
            yield Static(Content(""), id="page-work", markup=False)
            yield Input(id="page-input")
            yield Static(Content(""), id="page-columns", markup=False)
            yield LineList("page-list")
            yield Static(Content(""), id="page-detail", markup=False)
            yield KeyBar(self.glyphs)

    def on_mount(self) -> None:
        self._tick()
        self.set_interval(TICK_SECONDS, self._tick)

    # -- what is shown --------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return bool(self._ask.ingest.running) or self._work.running

    def _tick(self) -> None:
        """Show the work, and list the documents again now and then."""
        progress = self._ask.ingest if self._ask.ingest.running else self._work.progress
        words = self.glyphs.say(progress.say() or self._ask.ingest.say())
        words = words.replace("esc to stop", "x to stop")
        if words != self._words:
            self._words = words
            self.query_one("#page-work", Static).update(assemble([(words, "$text-accent")]))
            self._wait = min(self._wait, 0.5)
        self.query_one(KeyBar).show(
            "library", True, frozenset(() if self.busy else ("library_stop",))
        )
        self._wait -= TICK_SECONDS
        if self._wait <= 0 and not self._listing and self.is_current:
            self._listing = True
            self.run_in_thread(partial(library.list_documents, self._engine))

    @on(library.Listed)
    def _listed(self, event: library.Listed) -> None:
        event.stop()
        self._listing, self._known = False, True
        self._wait = max(LIST_SECONDS, _LIST_SHARE * event.seconds)
        name = quote_foreign(event.status.library)
        words = f"{name} · {listing_rows.counts(event.listings, self.glyphs)}"
        if watched := sum(root.watched for root in event.roots):
            words += f" · {watched:,} watched"
        self.query_one(PageHead).show(f"{words} · {event.status.passages:,} passages")
        found = event.listings, event.roots
        if found != (self.listings, self.roots) or not event.listings:
            self.listings, self.roots = found
            self._arrange()

    @on(library.Refused)
    def _refused(self, event: library.Refused) -> None:
        event.stop()
        self._listing, self._wait = False, 2 * LIST_SECONDS
        words = " ".join(filter(None, (str(event.error), event.error.cure)))
        self.query_one("#page-detail", Static).update(
            assemble([(quote_foreign(words), "$text-error")])
        )

    def _say(self, words: str) -> None:
        """Show a warning below the list until the cursor moves to another document."""
        self._warning = words, self.entry.source if self.entry else ""
        self.query_one("#page-detail", Static).update(assemble([(words, "$text-warning")]))

    def _arrange(self) -> None:
        """Filter and sort the documents; the cursor stays on its document."""
        here = self.entry.source if self.entry else ""
        typed = self.line.value if self.typing == "filter" else ""
        words = typed.casefold().split()
        found = [e for e in self.listings if _has(e, words)] if words else list(self.listings)
        states = list(listing_rows.STATES)
        keys = {
            "state": lambda e: (states.index(listing_rows.state_of(e)), e.source),
            "passages": lambda e: (-e.chunks, e.source),
            "size": lambda e: (-e.bytes, e.source),
            "date": lambda e: (listing_rows.date_of(e), e.source),
        }
        if self.sorted_by in keys:
            found.sort(key=keys[self.sorted_by], reverse=self.sorted_by == "date")
        self.shown = tuple(found)
        at = next((n for n, e in enumerate(found) if e.source == here), self.lines.at or 0)
        self.lines.show(len(found), self._row, at)
        heads = listing_rows.column_heads(self.lines.inner_width)
        self.query_one("#page-columns", Static).update(assemble([(heads, "$text-muted")]))
        self.moved()

    def _row(self, number: int, width: int) -> Content:
        here = number == self.lines.at
        entry = self.shown[number]
        root = root_of(entry.path, self.roots)
        watched = root is not None and root.watched
        return listing_rows.row(entry, here, width, self.glyphs, watched)

    @on(LineList.Resized)
    def _resized(self, event: LineList.Resized) -> None:
        self._arrange()

    @property
    def entry(self) -> Listing | None:
        """The document at the cursor."""
        at = self.lines.at
        return self.shown[at] if at is not None and at < len(self.shown) else None

    def moved(self) -> None:
        if self.typing == "add":
            return
        entry = self.entry
        words, source = self._warning
        if words and source == (entry.source if entry else ""):
            return
        self._warning = "", ""
        if entry is not None:
            same = [e.source for e in self.listings if e.id and e.id == entry.id and e is not entry]
            root = root_of(entry.path, self.roots)
            detail = listing_rows.detail(entry, same, self.glyphs, root)
        elif self.typing:
            detail = Content("no file has these words")
        else:
            empty = "no documents yet: press a and give the path of a folder or a file"
            detail = Content(empty if self._known else self.glyphs.say("looking…"))
        self.query_one("#page-detail", Static).update(detail)

    # -- the line of input ----------------------------------------------------------------------

    def typed(self) -> None:
        self._arrange()

    def submitted(self, text: str) -> None:
        if self.typing == "filter":
            self.set_focus(None)
            return
        path = typed_path(text)
        if path is None:
            self._say(f"there is no file or folder {quote_foreign(text)}")
            return
        self.type_for("")
        self._ask.add(str(path.absolute()))
        self._tick()

    # -- actions of the command table -----------------------------------------------------------

    def action_add(self) -> None:
        self.type_for("add")

    def action_filter(self) -> None:
        if self.typing == "filter":
            self.set_focus(self.line)
        else:
            self.type_for("filter")

    def action_sort(self) -> None:
        self.sorted_by = _SORTS[(_SORTS.index(self.sorted_by) + 1) % len(_SORTS)]
        self._arrange()
        self.app.notify(f"sorted by {self.sorted_by}", markup=False, timeout=2)

    def action_choose(self) -> None:
        entry = self.entry
        if entry is not None and entry.id:
            name = entry.source
            self.app.push_screen(DocumentScreen(self._engine, name, self.glyphs))
        elif entry is not None:
            self.app.notify("there is nothing to read of it", markup=False, timeout=3)

    def action_remove(self) -> None:
        entry = self.entry
        if entry is None:
            return
        words = "Remove this document from the library? Its file is left as it is."
        dialog = ConfirmDialog(words, entry.source)
        self.app.push_screen(dialog, partial(self._confirmed, entry.source))

    def action_remove_folder(self) -> None:
        root = root_of(self.entry.path, self.roots) if self.entry else None
        if root is None:
            self._say("this document was not added with a folder: Del removes it alone")
            return
        count = sum(root_of(entry.path, self.roots) == root for entry in self.listings)
        words = (
            f"Remove this folder and {counted(count, 'document')} of it from the library? "
            "The files are left as they are."
        )
        dialog = ConfirmDialog(words, root.path)
        self.app.push_screen(dialog, partial(self._confirmed, root.path))

    def _confirmed(self, source: str, agreed: bool | None) -> None:
        if agreed:
            self._begin("removing", source, partial(self._engine.remove, source))

    def action_again(self) -> None:
        entry = self.entry
        if entry is not None:
            work = partial(self._engine.read_again, [entry.source])
            self._begin("reading again", entry.source, work)

    def action_update(self) -> None:
        self._begin("updating", "the library", self._engine.sync)

    def action_watch(self) -> None:
        if self.entry is not None:
            self.run_in_thread(partial(watching.toggle, self._engine, self.entry.path))

    @on(watching.Toggled)
    def _watch_toggled(self, event: watching.Toggled) -> None:
        event.stop()
        self._wait = 0.0  # the list shows it at once
        self.app.notify(self.glyphs.say(event.says), markup=False, timeout=5)

    @on(watching.Refused)
    def _watch_refused(self, event: watching.Refused) -> None:
        event.stop()
        self._say(quote_foreign(". ".join(filter(None, (str(event.error), event.error.cure)))))

    def _begin(self, verb: str, name: str, work: library.Work) -> None:
        if self.busy or not self._work.begin(verb, name, work):
            self._say("wait until the running work has ended, or stop it with x")
        self._tick()

    def action_stop(self) -> None:
        if self.busy:
            self.run_worker(self._engine.stop, thread=True, exit_on_error=False)


def _has(entry: Listing, words: list[str]) -> bool:
    """Whether all words stand in the name or the title of a document."""
    text = f"{entry.source}\n{entry.title}".casefold()
    return all(word in text for word in words)
