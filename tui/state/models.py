"""The functions of threads over the models, and the change of the model that goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import ModelListing
from rag.errors import RagError
from rag.events import Loading, ModelChosen
from tui.worker import PostMessage, as_rag_error

if TYPE_CHECKING:
    from tui.chat_engine import ChatEngine


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
