"""The part of the Ask screen that runs `/` commands and adds documents."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on

from rag.domain import Status
from rag.errors import LibraryMissing, RagError
from rag.text.foreign_marks import quote_foreign
from tui import worker
from tui.render.glyphs import Glyphs
from tui.screens.ask_find import AskFind
from tui.state import watching
from tui.state.completion import slash_command, typed_path
from tui.state.ingest import IngestProgress
from tui.state.queue import QuestionQueue
from tui.state.watching import VERB
from tui.widgets.bars import model_name
from tui.widgets.prompt import Prompt
from tui.widgets.prompt_lines import CompletionList, WorkLine

if TYPE_CHECKING:
    from tui.app import FootnoteApp
    from tui.chat_engine import ChatEngine

#: Seconds between two looks at a library that other programs may change.
LOOK_SECONDS = 5.0


class AskCommands(AskFind):
    """Adds documents in a thread; questions wait until they can be answered."""

    def __init__(self, engine: ChatEngine, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self.engine = engine
        self.questions = QuestionQueue(engine, self._run_in_thread, self.post_message)
        self.status: Status | None = None
        self.ingest = IngestProgress()
        self.missing = False  #: whether there is no library yet
        self._adds_first = False  #: whether documents are added to a library that was empty
        self._looking = False

    def _run_in_thread(self, work: partial[None]) -> None:
        """Run `work` in a thread of the app, which outlives this screen."""
        self.app.run_worker(work, thread=True, exit_on_error=False, group="engine")

    def _next(self) -> None:
        """Give the engine the next question, unless it has to wait for documents."""
        if self.ingest.running:
            self.questions.hold("waiting until the documents are added")
        elif self.is_empty:
            self.questions.hold("waiting for documents: /add a folder, or /demo")
        else:
            self.questions.hold("")
        self.questions.next()

    @property
    def works(self) -> bool:
        """Whether a question runs or waits, or documents are added."""
        return self.questions.busy or bool(self.ingest.running)

    @property
    def is_empty(self) -> bool:
        """Whether there is no document to search."""
        return self.missing or (self.status is not None and not self.status.documents)

    # -- commands -------------------------------------------------------------------------------

    @on(Prompt.CommandGiven)
    async def _command_given(self, event: Prompt.CommandGiven) -> None:
        command = slash_command(event.name)
        if command is None:
            self.app.notify(
                f"/{event.name} is not a command; / lists them", markup=False, severity="warning"
            )
            self.prompt.put(event.text)
        elif command.takes:
            await self.run_action(f"{command.action}({event.argument!r})")
        else:
            await self.run_action(command.action)

    @on(Prompt.Changed)
    def _prompt_changed(self, event: Prompt.Changed) -> None:
        self.show_completions()

    def show_completions(self) -> None:
        """List what the text of the prompt may become."""
        self.query_one(CompletionList).show(self.prompt.completions())

    @on(CompletionList.Chosen)
    def _completion_chosen(self, event: CompletionList.Chosen) -> None:
        self.prompt.replace_text(event.text)
        self.to_prompt()

    # -- documents ------------------------------------------------------------------------------

    def action_add(self, path: str = "") -> None:
        """Add the file or folder `path`; without one, let the user type it."""
        if not path:
            self.prompt.put("/add ")
            self.to_prompt()
            return
        found = typed_path(path)
        if found is None:
            self.app.notify(f"there is no file or folder {path}", markup=False, severity="warning")
            self.prompt.put(f"/add {path}")
        else:
            self.add(str(found.absolute()))

    def add(self, path: str) -> None:
        """Add `path` after the paths that are being added."""
        if self.ingest.running:
            self.ingest.waiting.append(path)
        else:
            self._adds_first = self.is_empty
            self.ingest.begin(path)
            self._run_in_thread(partial(worker.add, self.engine, path, self.post_message))
        self._show_ingest()
        self._next()

    # -- watched folders

    @property
    def _is_reading_changes(self) -> bool:
        progress = cast("FootnoteApp", self.app).library_work.progress
        return bool(progress.running) and progress.verb == VERB

    def action_watch(self, path: str = "") -> None:
        """Watch the added folder that holds `path`, or no longer; without one, let it be typed."""
        if not path:
            self.prompt.put("/watch ")
            self.to_prompt()
            return
        found = typed_path(path)
        name = str(found.absolute()) if found is not None else path
        self._run_in_thread(partial(watching.toggle, self.engine, name, self.post_message))

    @on(watching.Toggled)
    def _watch_toggled(self, event: watching.Toggled) -> None:
        self.app.notify(self.glyphs.say(event.says), markup=False, timeout=5)

    @on(watching.Refused)
    def _watch_refused(self, event: watching.Refused) -> None:
        words = ". ".join(filter(None, (str(event.error), event.error.cure)))
        self.app.notify(quote_foreign(words), markup=False, severity="warning", timeout=8)

    def _show_ingest(self) -> None:
        work = cast("FootnoteApp", self.app).library_work.progress
        progress = work if work.verb == VERB and not self.ingest.running else self.ingest
        words = progress.say()
        self.talk.show_adding(self.ingest.counts() if self._adds_first else "")
        sign = self.glyphs.waiting if progress.running else self.glyphs.here
        self.query_one("#ingest", WorkLine).show(f"{sign} {words}" if words else "")

    @on(worker.IngestReceived)
    def _ingest_received(self, event: worker.IngestReceived) -> None:
        self.ingest.hear(event.event)  # painted at the next tick: there may be thousands

    @on(worker.IngestEnded)
    def _ingest_ended(self, event: worker.IngestEnded) -> None:
        self.ingest.end(event.error)
        if self.ingest.waiting and event.error is None:
            self.add(self.ingest.waiting.popleft())
        elif event.error is not None:
            self.ingest.waiting.clear()
        self._show_ingest()
        self._look()
        self._next()

    def _look(self) -> None:
        """Ask for the state of the library, which another program may have changed."""
        if self.questions.up and not self._looking:
            self._looking = True
            self._run_in_thread(partial(worker.look, self.engine, self.post_message))

    @on(worker.StatusKnown)
    def _status_known(self, event: worker.StatusKnown) -> None:
        self._looking = False
        if not self.ingest.running:
            self._adds_first = False  # until now the library looked empty
        if event.status is None or event.status == self.status:
            return
        self._note_model(event.status)
        self.status, self.missing = event.status, False
        self.talk.welcome(self.status, None)
        self.list_sources()
        self._next()

    def _note_model(self, now: Status) -> None:
        """Say that another model answers from now on; a running answer is still by the old one."""
        before = self.status.model if self.status else now.model
        if now.model != before:
            words = f"{model_name(now.model)} answers now, no longer {model_name(before)}"
            if self.questions.running is not None:
                words += "; the answer under way is still by the old one"
            self.app.notify(self.glyphs.say(words), markup=False, timeout=8)

    # -- names of documents

    def list_sources(self) -> None:
        """Ask for the names of the documents, which the prompt completes."""
        self._run_in_thread(partial(worker.list_sources, self.engine, self.post_message))

    @on(worker.SourcesKnown)
    def _sources_known(self, event: worker.SourcesKnown) -> None:
        self.prompt.sources = event.sources

    def _note_failure(self, error: RagError) -> None:
        """Remember whether the engine failed for lack of a library, which `add` will make."""
        self.missing = isinstance(error, LibraryMissing)
