"""A chat model that says what it was told to, and a reader's fit for the stand-ins: no network runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rag.answer.answer import Divide, Search, answer_question
from rag.answer.chat_writer import ChatWriter
from rag.answer.check import Judge
from rag.answer.judge import JudgeFit
from rag.answer.juror import Juror
from rag.answer.reader import Reader
from rag.domain import Answer, Model, Passage
from rag.events import Answered, Event
from rag.inference import chat_template
from rag.protocols import Writer
from tests.support.fakes import JUDGE, WordPairs
from tests.support.readers import reads
from tests.support.tiny_chat_model import CHATML

_PIECE = 64


class ScriptedChat:
    """Fills the place of `ChatModel`: a token is a word; `texts` are what it writes, one a prompt.

    `prompts` are those that it has read, as text. `reads` are their tokens, without those that a
    prompt shares with the one before.
    """

    path = "scripted.gguf"
    template: str | None = CHATML

    def __init__(self, *texts: str, size: int = 4096) -> None:
        self.size = size
        self.prompts: list[str] = []
        self.reads: list[int] = []
        self.closed = 0
        self._texts = list(texts)
        self._words: list[str] = []
        self._ids: dict[str, int] = {}
        self._cached: Sequence[int] = ()

    def conversation(self, slots: int) -> str:
        special = {"bos_token": "", "eos_token": "<|im_end|>"}
        return chat_template.conversation(self.path, self.template, special, slots)

    def begin(self) -> list[int]:
        return []

    def tokens(self, text: str, special: bool) -> list[int]:
        for word in (words := text.replace("\n", " \n ").split(" ")):
            if word not in self._ids:
                self._ids[word] = len(self._words)
                self._words.append(word)
        return [self._ids[word] for word in words]

    def read(
        self, prompt: Sequence[int], stop: Callable[[], bool] = lambda: False
    ) -> Iterator[int]:
        shared = 0
        while (
            shared < min(len(prompt), len(self._cached)) and prompt[shared] == self._cached[shared]
        ):
            shared += 1
        self.reads.append(len(prompt) - shared)
        self._cached = prompt
        self.prompts.append(" ".join(self._words[token] for token in prompt))
        for done in range(_PIECE, len(prompt) + _PIECE, _PIECE):
            if stop():
                return
            yield min(done, len(prompt))

    def write(
        self,
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[str]:
        text = self._texts.pop(0) if self._texts else ""
        try:
            for number, word in enumerate(text.split(" ")[:max_tokens]):
                if stop():
                    return
                yield f" {word}" if number else word
        finally:
            self.closed += 1


def built_in_reader(least: float = 0.5) -> Reader:
    """The built-in reader on the stand-in of its model."""
    fit = JudgeFit({"alone": 1.0}, constant=0.0, least=least, part=0.9 * least)
    return Reader(reads(WordPairs()), Model("reader", "0" * 64), fit)


def chat_writer(
    chat: ScriptedChat,
    reader: Writer | None = None,
    judge: Judge = JUDGE,
    prompt_tokens: int = 420,
    max_tokens: int = 200,
    juror: Juror | None = None,
) -> ChatWriter:
    """A chat writer around a scripted model."""
    return ChatWriter(
        chat,  # type: ignore[arg-type]
        Model("chat", "1" * 64),
        reader or built_in_reader(),
        judge,
        prompt_tokens,
        max_tokens,
        juror=juror,
    )


def ask(
    question: str,
    passages: Sequence[Passage],
    *texts: str,
    reader: Writer | None = None,
    judge: Judge = JUDGE,
    search: Search | None = None,
    chat: ScriptedChat | None = None,
    juror: Juror | None = None,
    divide: Divide = lambda question: None,
) -> tuple[Answer, list[Event]]:
    """The answer of a scripted model that writes `texts` (or of `chat`), and all events."""
    writer = chat_writer(chat or ScriptedChat(*texts), reader, judge, juror=juror)
    found = search or (lambda text, limit: tuple(passages))
    events = list(
        answer_question(question, found, writer, judge, limit=5, searched=9, divide=divide)
    )
    assert isinstance(events[-1], Answered)
    return events[-1].answer, events
