"""The functions that run in threads: they call the engine and post messages, and use no widget."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.message import Message

from rag.domain import Document, Status
from rag.errors import EngineStopped, RagError
from rag.events import Event, ModelChosen

if TYPE_CHECKING:
    from rag.protocols import ErrorRates
    from tui.chat_engine import ChatEngine
    from tui.widgets.exchange import Exchange

PostMessage = Callable[[Message], object]


class EngineReady(Message):
    """The engine is up."""

    def __init__(self, status: Status, questions: tuple[str, ...]) -> None:
        super().__init__()
        self.status = status
        self.questions = questions


class EngineFailed(Message):
    """The engine did not start."""

    def __init__(self, error: RagError) -> None:
        super().__init__()
        self.error = error


class RatesKnown(Message):
    """The error rates of the check are known."""

    def __init__(self, rates: ErrorRates) -> None:
        super().__init__()
        self.rates = rates


class ConversationOpened(Message):
    """A conversation was opened. `epoch` counts the conversations of this chat."""

    def __init__(self, conversation_id: str, epoch: int) -> None:
        super().__init__()
        self.conversation_id = conversation_id
        self.epoch = epoch


class EventReceived(Message):
    """An event of the question of `turn`."""

    def __init__(self, turn: Exchange, event: Event) -> None:
        super().__init__()
        self.turn = turn
        self.event = event


class QuestionEnded(Message):
    """The question of `turn` has ended; with an error if it failed."""

    def __init__(self, turn: Exchange, error: RagError | None) -> None:
        super().__init__()
        self.turn = turn
        self.error = error


class IngestReceived(Message):
    """An event of the ingest."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        self.event = event


class IngestEnded(Message):
    """The ingest has ended; with an error if it failed."""

    def __init__(self, error: RagError | None) -> None:
        super().__init__()
        self.error = error


class SourcesKnown(Message):
    """The names of the documents, which the prompt completes."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        super().__init__()
        self.sources = sources


class StatusKnown(Message):
    """The state of the library as it is now; None if it is not known."""

    def __init__(self, status: Status | None) -> None:
        super().__init__()
        self.status = status


class ModelTried(Message):
    """Another model was tried; `says` is what came of it, `failed` whether it is not used."""

    def __init__(self, says: str, failed: bool = False) -> None:
        super().__init__()
        self.says = says
        self.failed = failed


class DocumentFetched(Message):
    """A document was fetched; None if that failed."""

    def __init__(self, document_id: str, document: Document | None) -> None:
        super().__init__()
        self.document_id = document_id
        self.document = document


def start(engine: ChatEngine, post: PostMessage) -> None:
    """Start the engine. The error rates are fetched last, because nothing waits for them."""
    try:
        engine.start()
        status = engine.status()
    except Exception as error:  # every error is shown on the screen
        post(EngineFailed(as_rag_error(error)))
        return
    try:
        questions = engine.questions()
    except Exception:
        questions = ()  # earlier questions are a convenience
    post(EngineReady(status, questions))
    with suppress(Exception):  # without them the screen shows that they are not known
        post(RatesKnown(engine.rates()))


def ask(
    engine: ChatEngine, turn: Exchange, conversation_id: str | None, epoch: int, post: PostMessage
) -> None:
    """Ask the question of `turn` and post every event, then the end.

    A conversation is opened if `conversation_id` is None.
    """
    error: RagError | None = None
    try:
        if conversation_id is None:
            conversation_id = engine.new_conversation()
            post(ConversationOpened(conversation_id, epoch))
        events = engine.ask(turn.question, conversation_id, turn.refresh_sources, turn.within)
        for event in events:
            post(EventReceived(turn, event))
    except Exception as problem:
        error = as_rag_error(problem)
    post(QuestionEnded(turn, error))


def add(engine: ChatEngine, path: str, post: PostMessage) -> None:
    """Add `path` to the library and post every event, then the end."""
    error: RagError | None = None
    try:
        for event in engine.add([path]):
            post(IngestReceived(event))
    except Exception as problem:
        error = as_rag_error(problem)
    post(IngestEnded(error))


def use_model(engine: ChatEngine, name: str, post: PostMessage) -> None:
    """Try a model and let it answer; post what came of it."""
    says = ""
    try:
        for event in engine.use_model(name):
            if isinstance(event, ModelChosen):
                says = f"{event.model} answers from the next question on"
    except Exception as problem:
        error = as_rag_error(problem)
        post(ModelTried(". ".join(filter(None, (str(error), error.cure))), failed=True))
        return
    post(ModelTried(says))


def look(engine: ChatEngine, post: PostMessage) -> None:
    """Post the state of the library; None if it is not known, as without a library."""
    try:
        post(StatusKnown(engine.status()))
    except Exception:
        post(StatusKnown(None))


def list_sources(engine: ChatEngine, post: PostMessage) -> None:
    """Post the names of the documents. Without them a name can be typed in full."""
    with suppress(Exception):
        post(SourcesKnown(engine.sources()))


def fetch(engine: ChatEngine, document_id: str, post: PostMessage) -> None:
    """Fetch a document and post it. If that fails, the source pane shows the passage alone."""
    try:
        post(DocumentFetched(document_id, engine.document(document_id)))
    except Exception:
        post(DocumentFetched(document_id, None))


def as_rag_error(error: Exception) -> RagError:
    """Return an error of the project for any exception."""
    if isinstance(error, RagError):
        return error
    return EngineStopped(
        f"the engine failed: {type(error).__name__}: {error}",
        "ask again; if it fails again, run footnote doctor",
    )


def no_answer_error() -> RagError:
    """Return the error of a question that ended without an answer and without an error."""
    return EngineStopped("the engine ended the question without an answer", "ask again")
