"""The commands /model and /pull of the Ask screen: change the chat model, or download one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on
from textual.notifications import SeverityLevel

from rag.text.foreign_marks import quote_foreign
from tui import worker
from tui.screens.ask_commands import AskCommands
from tui.state import models
from tui.widgets.prompt import Prompt
from tui.widgets.prompt_lines import WorkLine

if TYPE_CHECKING:
    from tui.app import FootnoteApp
    from tui.state.command_run import CommandRun


class AskModels(AskCommands):
    """Tries models in a thread. Fetching is a command of its own, and questions go on meanwhile."""

    _wanted: CommandRun | None = None  #: the fetch after which its model answers
    _seen: CommandRun | None = None  #: a fetch that has ended, which the user has seen
    _trying = ""  #: the model that is being tried
    _pulling = False  #: whether a model is fetched as soon as the list is there
    _names_wanted = False  #: whether a model is being named in the prompt

    def action_model(self, name: str = "") -> None:
        """Let another model answer; without a name, let the user type it."""
        if not name:
            self.prompt.put("/model ")
            self.to_prompt()
            return
        self._try_model(name)

    def _try_model(self, name: str) -> None:
        self._trying = name
        self._show_fetch()
        self._run_in_thread(partial(worker.use_model, self.engine, name, self.post_message))

    @on(worker.ModelTried)
    def _model_tried(self, event: worker.ModelTried) -> None:
        self._trying = ""
        self._show_fetch()
        severity: SeverityLevel = "warning" if event.failed else "information"
        words = self.glyphs.say(quote_foreign(event.says))
        self.app.notify(words, markup=False, severity=severity, timeout=8)
        self._look()

    # -- fetching one

    def offer_model(self) -> None:
        """Offer a chat model for this computer on the card of the first run."""
        if self.talk.is_first_run:
            self._list_models()

    def _list_models(self) -> None:
        self._run_in_thread(partial(models.list_models, self.engine, self.post_message))

    def action_pull(self) -> None:
        """Fetch the chat model that suits this computer, and let it answer."""
        self._pulling = True
        self._list_models()

    @on(Prompt.Changed)
    def _model_named(self) -> None:
        """List the models once the user begins to name one."""
        was_wanted = self._names_wanted
        self._names_wanted = self.prompt.text.startswith("/model ")
        if self._names_wanted and not was_wanted:
            self._list_models()

    @on(models.Listed)
    def _models_listed(self, event: models.Listed) -> None:
        self.prompt.models = tuple(model.name for model in event.found if model.installed)
        self.show_completions()
        offered = models.offered_model(event.found)
        self.talk.offer(offered)
        if self._pulling:
            self._pulling = False
            commands = cast("FootnoteApp", self.app).commands
            refused = "no model that suits this computer is left to fetch: F4 shows all"
            if offered is not None:
                refused = models.start_fetch(commands, offered)
            if refused:
                self.app.notify(refused, markup=False, severity="warning", timeout=5)
            else:
                self._wanted = commands.runs[models.FETCH]

    @on(models.Refused)
    def _models_refused(self, event: models.Refused) -> None:
        """Say it if a model was to be fetched; an offer that cannot be made is left out."""
        if self._pulling:
            self._pulling = False
            words = ". ".join(filter(None, (str(event.error), event.error.cure)))
            self.app.notify(quote_foreign(words), markup=False, severity="warning", timeout=8)

    def note_seen(self) -> None:
        """Hide how the last fetch and the last ingest ended."""
        app = cast("FootnoteApp", self.app)
        self.ingest.result = ""
        if not app.library_work.running:
            app.library_work.progress.result = ""
        run = app.commands.runs.get(models.FETCH)
        self._seen = run if run is not None and not run.running else None

    def _show_fetch(self) -> None:
        """Show how far the fetch is, or what is tried; a model that was fetched then answers."""
        run = cast("FootnoteApp", self.app).commands.runs.get(models.FETCH)
        is_shown = run is not None and run is not self._seen
        words = models.fetch_words(run, self.glyphs, "F4 shows it") if run and is_shown else ""
        if self._trying:
            words = f"{self.glyphs.waiting} trying {quote_foreign(self._trying)} …"
        self.query_one("#fetch", WorkLine).show(words)
        if run is not None and run is self._wanted and not run.running:
            self._wanted = None
            if run.code == 0:
                self._try_model(run.name)
