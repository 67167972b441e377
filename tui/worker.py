"""The only code that runs beside the screen. It calls the engine and posts what it hears; it touches no widget."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import Document, ErrorRates, Status
from rag.errors import EngineStopped, RagError
from rag.events import Event

if TYPE_CHECKING:
    from rag.engine import Engine
    from tui.widgets.exchange import Exchange

PostMessage = Callable[[Message], object]


class EngineReady(Message):
    """The engine is up."""

    def __init__(self, status: Status, questions: tuple[str, ...]) -> None:
        super().__init__()
        self.status = status
        self.questions = questions


class EngineFailed(Message):
    """The engine would not start."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


class RatesKnown(Message):
    """How often the check errs is known."""

    def __init__(self, rates: ErrorRates) -> None:
        super().__init__()
        self.rates = rates


class ConversationOpened(Message):
    """A conversation has its id."""

    def __init__(self, conversation: str, epoch: int) -> None:
        super().__init__()
        self.conversation = conversation
        self.epoch = epoch


class EventReceived(Message):
    """An event of the question of `turn`."""

    def __init__(self, turn: Exchange, event: Event) -> None:
        super().__init__()
        self.turn = turn
        self.event = event


class QuestionEnded(Message):
    """The question of `turn` has come to its end, well or not."""

    def __init__(self, turn: Exchange, error: RagError | None) -> None:
        super().__init__()
        self.turn = turn
        self.error = error


class DocumentFetched(Message):
    """A document has arrived, or not."""

    def __init__(self, name: str, document: Document | None) -> None:
        super().__init__()
        self.name = name
        self.document = document


def start(engine: Engine, post: PostMessage) -> None:
    """Bring the engine up. How often its check errs is asked last: nothing waits for it."""
    try:
        engine.start()
        status = engine.status()
    except Exception as error:  # whatever it was, it belongs on the screen
        post(EngineFailed(_said(error)))
        return
    try:
        questions = engine.questions()
    except Exception:
        questions = ()  # earlier questions are a convenience; status has already told of real trouble
    post(EngineReady(status, questions))
    with suppress(Exception):  # verdicts are shown without it too, and say so
        post(RatesKnown(engine.rates()))


def ask(
    engine: Engine, turn: Exchange, conversation: str | None, epoch: int, post: PostMessage
) -> None:
    """Ask one question and post every event, then the end."""
    error: RagError | None = None
    try:
        if conversation is None:
            conversation = engine.new_conversation()
            post(ConversationOpened(conversation, epoch))
        for event in engine.ask(turn.question, conversation):
            post(EventReceived(turn, event))
    except Exception as problem:
        error = _said(problem)
    post(QuestionEnded(turn, error))


def fetch(engine: Engine, name: str, post: PostMessage) -> None:
    """Get a document; the pane goes on with the passage alone where that fails."""
    try:
        post(DocumentFetched(name, engine.document(name)))
    except Exception:
        post(DocumentFetched(name, None))


def _said(error: Exception) -> RagError:
    if isinstance(error, RagError):
        return error
    return EngineStopped(
        f"the engine failed: {type(error).__name__}: {error}",
        "ask again; if it stays, run footnote doctor",
    )


def lost() -> RagError:
    """For a question that ended without an answer and without an error."""
    return EngineStopped("the engine ended the question without an answer", "ask again")
