"""Writes an answer with a chat model, of a file or a server, from what the built-in reader found.

The reader decides whether to answer and quotes; the model puts it into sentences; the check decides
which of them are shown; the footnotes are set here (`rag.answer.attribute`). Each sentence is
checked as soon as it is complete, before the next one is written:

* A sentence that a passage supports is shown with the footnote of that passage. If it is verbatim,
  it is a quotation.
* One that no passage supports is asked for once more, alone, from the nearest evidence. If that
  fails as well, it is withheld, with what is wrong about it. So is one that a passage contradicts.

An answer with a model has all that the reader's has: its quotations follow the model's sentences,
and stand before them if no sentence has the reader's short answer. A quotation whose words are in
the sentences already is left out. If nothing of the model's is supported, the reader's answer is
left as it is. If the model fails (a server that breaks off, a process that ends, a prompt over its
context), the sentences that were complete before stay, and the rest is the reader's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from rag.answer.compose import Composer
from rag.answer.excerpts import pick_excerpts
from rag.answer.juror import Juror
from rag.answer.model_text import clean_sentence, sentences_of
from rag.answer.prompt import Notes, Prompt, PromptModel, build_prompt, build_sentence_prompt
from rag.answer.reader import Reader
from rag.domain import (
    Claim,
    Draft,
    Model,
    ModelFailure,
    Passage,
    Piece,
    Progress,
    Quote,
    Receipt,
    Turn,
    Verdict,
)
from rag.errors import ModelBroken, ModelEnded, RagError, ServerFailed, TooLong
from rag.protocols import Writer

if TYPE_CHECKING:
    from rag.answer.attribute import Search
    from rag.answer.check import Judge

Stop = Callable[[], bool]
Written = Draft | Progress | Piece | Claim | Passage | ModelFailure

_MAX_SENTENCES = 4  # sentences that the model writes for one question
_MAX_SENTENCE_TOKENS = 80  # tokens of a sentence that is written again
_MAX_WRITTEN_AGAIN = 2  # withheld sentences of one answer that are asked for again
#: seconds of writing after which no sentence is written again
_MAX_SECONDS = 30.0


class Chat(PromptModel, Protocol):
    """A chat model that is open: that of a file in llama.cpp, or that of a server.

    `read` takes the prompt in and yields how many of its tokens are read. `write` yields the pieces
    of a text after that prompt. Both may raise `ServerFailed`, `ModelBroken` or `ModelEnded`.
    """

    def read(self, prompt: Sequence[int], stop: Stop) -> Iterator[int]: ...

    def write(
        self, max_tokens: int, temperature: float, seed: int, stop: Stop
    ) -> Generator[str, None, None]: ...

    def close(self) -> None: ...


class FailedChat:
    """Fills the place of a chat model that could not be opened: any use of it raises `error`."""

    size = 0

    def __init__(self, error: RagError) -> None:
        self.error = error

    def conversation(self, slots: int) -> str:
        raise self.error

    def tokens(self, text: str, special: bool) -> list[int]:
        raise self.error

    def begin(self) -> list[int]:
        raise self.error

    def read(self, prompt: Sequence[int], stop: Stop) -> Iterator[int]:
        raise self.error

    def write(
        self, max_tokens: int, temperature: float, seed: int, stop: Stop
    ) -> Generator[str, None, None]:
        raise self.error

    def close(self) -> None:
        """Do nothing: nothing is open."""


class ChatWriter:
    """A `Writer` that asks a chat model for the words and the built-in `reader` for the evidence.

    A prompt has about `prompt_tokens` tokens, an answer at most `max_tokens`. `temperature` and
    `seed` are handed to the model.
    """

    def __init__(
        self,
        chat: Chat,
        model: Model,
        reader: Writer,
        judge: Judge,
        prompt_tokens: int,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        juror: Juror | None = None,
    ) -> None:
        """`juror` gives a second opinion on what a `Reader` finds."""
        self.model = replace(model, calibrated=reader.model.calibrated)
        self.chat, self.judge = chat, judge
        self.reader, self.juror = reader, juror
        self._prompt_tokens, self.max_tokens = prompt_tokens, max_tokens
        self.temperature, self.seed = temperature, seed
        self._notes = Notes()  # of the question before

    def with_search(self, search: Search, stop: Stop) -> Writer:
        """A writer of one question that may search, and that ends once `stop` returns True."""
        return _QuestionWriter(self, search, stop)

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Written]:
        """As `Writer.write`, without a search for sentences that the passages do not support."""
        writer = _QuestionWriter(self, lambda text, limit: (), lambda: False)
        return writer.write(question, passages, history)

    def read(
        self,
        question: str,
        passages: Sequence[Passage],
        history: Sequence[Turn],
        stop: Stop = lambda: False,
    ) -> Iterator[Written]:
        """What the built-in reader yields, with the juror's opinion if there is one."""
        reader = self.reader
        if self.juror and isinstance(reader, Reader):
            reader = reader.with_opinion(partial(self.juror.opinion, stop=stop))
        return reader.write(question, passages, history)

    def prompt(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn] = ()
    ) -> Prompt:
        """The model's input, with a receipt of what fitted and what was left out.

        Raises `TooLong`, `ModelBroken`.
        """
        pieces = self.read(question, passages, history)
        quotes = [piece for piece in pieces if isinstance(piece, Quote)]
        return self.prompt_around(question, passages, quotes, history)

    def prompt_around(
        self,
        question: str,
        passages: Sequence[Passage],
        quotes: Sequence[Quote],
        history: Sequence[Turn],
    ) -> Prompt:
        """The model's input with the reader's `quotes` and what is near them.

        Raises `TooLong`, `ModelBroken`.
        """
        excerpts = pick_excerpts(question, quotes, passages, self.judge.similar)
        prompt = build_prompt(
            question,
            excerpts,
            passages,
            self.chat,
            self._prompt_tokens,
            self.max_tokens,
            self._notes if history else None,
        )
        self._notes = prompt.notes
        return prompt


class _QuestionWriter:
    """Writes the answer of one question."""

    def __init__(self, writer: ChatWriter, search: Search, stop: Stop) -> None:
        self.model = writer.model
        self._writer, self._search, self._stop = writer, search, stop
        self._started_at = time.monotonic()
        self._withheld: list[Claim] = []

    def read(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Written]:
        """As `ChatWriter.read`."""
        return self._writer.read(question, passages, history, self._stop)

    def write(
        self, question: str, passages: Sequence[Passage], history: Sequence[Turn]
    ) -> Iterator[Written]:
        """Yield progress, the draft, then the pieces of the answer and the withheld sentences.

        The draft comes again, with its receipt, once the prompt is built. A model that fails is a
        `ModelFailure` among them.
        """
        writer = self._writer
        draft, pieces = Draft(Receipt()), list[Piece]()
        for piece in self.read(question, passages, history):
            if isinstance(piece, Draft):
                draft = piece
            elif isinstance(piece, Progress | ModelFailure):
                yield piece
            elif isinstance(piece, str | Quote):
                pieces.append(piece)
        yield draft
        if draft.abstained:
            return
        quotes = [piece for piece in pieces if isinstance(piece, Quote)]
        composer = Composer(question, draft, pieces, passages, writer.judge, self._search)
        try:
            prompt = writer.prompt_around(question, passages, quotes, history)
            yield replace(draft, receipt=prompt.receipt)
            if prompt.numbers:
                yield from self._sentences(question, prompt, composer)
        except (ServerFailed, ModelBroken, ModelEnded, TooLong) as error:
            yield ModelFailure(self.model.name, str(error), error.cure, composer.answered)
        yield from self._withheld
        if not self._stop():
            yield from composer.rest()

    def _sentences(self, question: str, prompt: Prompt, composer: Composer) -> Iterator[Written]:
        """Yield what is shown of the model's sentences, each after its check."""
        yield from self._read(prompt.ids)
        for text in self._written(question, self._writer.max_tokens):
            claim = yield from composer.add(text)
            if claim and claim.verdict is not Verdict.SUPPORTED:
                self._withheld.append(claim)
            if self._stop():
                break
        for claim in self._withheld[:_MAX_WRITTEN_AGAIN]:
            if composer.answered:
                break
            again = yield from self._write_again(question, claim, prompt, composer)
            if again and again.verdict is Verdict.SUPPORTED:
                self._withheld.remove(claim)

    def _write_again(
        self, question: str, claim: Claim, prompt: Prompt, composer: Composer
    ) -> Generator[Written, None, Claim | None]:
        """Ask for one sentence from the nearest evidence; its claim, None if there is none."""
        late = time.monotonic() - self._started_at > _MAX_SECONDS
        if late or self._stop() or not claim.evidence:
            return None
        if claim.verdict is not Verdict.UNSUPPORTED:
            return None
        ids = build_sentence_prompt(
            question,
            claim.evidence[0].text,
            prompt.notes,
            self._writer.chat,
            _MAX_SENTENCE_TOKENS,
        )
        if not ids:
            return None
        yield from self._read(ids)
        for text in self._written(question, _MAX_SENTENCE_TOKENS):
            return (yield from composer.add(text))
        return None

    def _read(self, ids: Sequence[int]) -> Iterator[Progress]:
        for tokens_read in self._writer.chat.read(ids, self._stop):
            yield Progress(tokens_read, len(ids))
        if self._stop():
            yield Progress(len(ids), len(ids))

    def _written(self, question: str, max_tokens: int) -> Iterator[str]:
        """The cleaned sentences that the model writes now; those that say nothing are left out."""
        if self._stop():
            return
        writer = self._writer
        pieces = writer.chat.write(max_tokens, writer.temperature, writer.seed, self._stop)
        try:
            for number, text in enumerate(sentences_of(pieces), 1):
                if self._stop():
                    return
                if cleaned := clean_sentence(text, question):
                    yield cleaned
                if number == _MAX_SENTENCES:
                    return
        finally:
            pieces.close()
