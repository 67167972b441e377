"""The functions of threads over the models, and the change of the model that goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import ModelListing
from rag.errors import RagError
from rag.events import Loading, ModelChosen
from rag.text.foreign_marks import quote_foreign
from tui.render.glyphs import Glyphs
from tui.state.command_run import CommandRun, Commands, failure_lines
from tui.worker import PostMessage, as_rag_error

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine

#: The kind of the command that fetches a model.
FETCH = "fetch"


class Listed(Message):
    """All models."""

    def __init__(self, found: tuple[ModelListing, ...]) -> None:
        super().__init__()
        self.found = found


class Said(Message):
    """What is done or was done, in words of the program; `running` says which of both."""

    def __init__(self, words: str, running: bool) -> None:
        super().__init__()
        self.words = words
        self.running = running


class Refused(Message):
    """What was asked has failed."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


def offered_model(found: Sequence[ModelListing]) -> ModelListing | None:
    """Return the chat model that suits this computer; None if one is here, or none suits."""
    is_default = (entry for entry in found if entry.default and entry.fits)
    return next((entry for entry in is_default if not entry.installed), None)


def start_fetch(commands: Commands, entry: ModelListing) -> str:
    """Begin to fetch a model; return why that is not done, "" if it is."""
    if entry.installed:
        return f"{quote_foreign(entry.name)} is on this computer"
    if not entry.fits:
        return "it is too big for the memory of this computer"
    if commands.start(FETCH, entry.name, ["models", "pull", entry.name]) is None:
        return "another model is being fetched; x on the page of models (F4) stops that"
    return ""


def fetch_words(run: CommandRun, glyphs: Glyphs, ends: str) -> str:
    """Return how far a fetch is, or how it ended; `ends` says what is done while it runs."""
    name = quote_foreign(run.name)
    if run.running:
        return f"{glyphs.waiting} {run.line or f'fetching {name}'} · {ends}"
    if run.code == 0:
        return f"{glyphs.supported} {name} is here"
    words = "\n  ".join(failure_lines(run))
    return run.line if run.stopped and run.line else f"{glyphs.wrong} fetching {name}: {words}"


def list_models(engine: ChatEngine, post: PostMessage) -> None:
    """List all models."""
    try:
        post(Listed(engine.models()))
    except Exception as error:
        post(Refused(as_rag_error(error)))


def use_model(engine: ChatEngine, name: str, post: PostMessage) -> None:
    """Let another model answer, and list all models again."""
    try:
        for event in engine.use_model(name):
            if isinstance(event, Loading):
                post(Said(f"opening {event.what}", True))
            elif isinstance(event, ModelChosen):
                found = f"; it {event.says}" if event.says else ""
                post(Said(f"{event.model} answers from now on{found}", False))
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    list_models(engine, post)


def remove_model(engine: ChatEngine, name: str, post: PostMessage) -> None:
    """Remove a model, and list the others."""
    try:
        freed = engine.remove_model(name)
    except Exception as error:
        post(Refused(as_rag_error(error)))
        return
    post(Said(f"{name} was removed: {freed / 1e6:,.1f} MB", False))
    list_models(engine, post)
