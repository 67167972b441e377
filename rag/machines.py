"""The models behind the front door: opened at first use, kept open, closed together.

`Bot(config, machines)` takes an instance. Tests and scripts hand in a subclass that overrides the
public methods with stand-ins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.answer import calibration
from rag.answer.similarity import SentenceSimilarity
from rag.config import READER, Config
from rag.domain import Model
from rag.errors import ModelEnded, ServerFailed
from rag.ingest.chunk import CHUNKER_VERSION
from rag.protocols import Embedder, Writer
from rag.server_address import ServerAddress

if TYPE_CHECKING:
    from pathlib import Path

    from rag.answer.chat_writer import Chat
    from rag.answer.check import Judge
    from rag.answer.juror import Juror
    from rag.index.chroma import VectorIndex
    from rag.inference.crossencoder import CrossEncoder
    from rag.inference.embedders import Embedding
    from rag.inference.external import OpenEmbedder
    from rag.ingest.ingest import Ingest
    from rag.library.library import Library


class Machines:
    """Open each model when it is first needed and keep it until `close`. Not thread-safe.

    `threshold` is the probability from which the built-in reader answers. None means the
    threshold that was calibrated for the library or, without one, the shipped threshold.
    """

    def __init__(self, config: Config, threshold: float | None = None) -> None:
        self.config = config
        self.threshold = threshold
        self._embedding: Embedding | None = None
        self._question_embedder: OpenEmbedder | None = None
        self._sentence_embedder: OpenEmbedder | None = None
        self._cross_encoder: CrossEncoder | None = None
        self._part_reader: CrossEncoder | None = None
        self._chat_model: Chat | None = None
        self._writer: Writer | None = None
        self._similarity = SentenceSimilarity(self.sentence_embedder)

    @property
    def ready(self) -> bool:
        """True if the models that every question needs are open."""
        return self._question_embedder is not None and self._writer is not None

    def close(self) -> None:
        """Close every model that is open. A second call does nothing; a later use opens anew."""
        opened = (
            self._question_embedder,
            self._sentence_embedder,
            self._embedding,
            self._cross_encoder,
            self._part_reader,
            self._chat_model,
        )
        for model in opened:
            if model is not None:
                model.close()
        self._question_embedder = self._sentence_embedder = self._embedding = None
        self._cross_encoder = self._part_reader = self._chat_model = self._writer = None

    def use(self, config: Config) -> None:
        """Open the models by other settings from now on."""
        self.close()
        self.config = config

    # -- the embedder of the library

    def embedding(self) -> Embedding:
        """The embedder of the setting `embedder`. Nothing heavy is loaded by this call."""
        if self._embedding is None:
            from rag.inference.embedders import open_embedder

            self._embedding = open_embedder(self.config)
        return self._embedding

    def identity(self) -> str:
        """The embedder and the chunker version that a library's vectors are made with."""
        return f"{self.embedding().identity} chunks {CHUNKER_VERSION}"

    def identity_cure(self, made_with: str, now: str) -> str:
        """The hint for a library that was made with another identity than `now`."""
        from rag.inference.embedders import embedder_mismatch_cure

        return embedder_mismatch_cure(self.config, made_with, now)

    def dimension(self) -> int:
        """Length of the library's vectors."""
        return self.embedding().dimension

    def ingest(self, library: Library, vectors: VectorIndex) -> Ingest:
        """An `Ingest` into this library. The passage embedder loads with the first new chunk."""
        from rag.inference.embedders import chunk_sizes
        from rag.ingest.ingest import Ingest

        embedding = self.embedding()
        chunk_tokens, context_tokens, note = chunk_sizes(embedding, self.config.chunk_tokens)
        return Ingest(
            library,
            vectors,
            embedding.passages,
            embedding.count,
            chunk_tokens,
            context_tokens,
            note=note,
            room=embedding.room if self.config.embedder else 0,
        )

    # -- the models of a question

    def question_embedder(self) -> Embedder:
        """The library's embedder, for questions."""
        if self._question_embedder is None:
            self._question_embedder = self.embedding().questions()
        return self._question_embedder

    def sentence_embedder(self) -> Embedder:
        """The embedder that the check compares sentences with.

        It is always the built-in one, because the error rates of the check were measured with it.
        """
        if not self.config.embedder:
            return self.question_embedder()
        if self._sentence_embedder is None:
            from rag.inference.minilm import open_question_embedder

            self._sentence_embedder = open_question_embedder(self.config.home, self.config.threads)
        return self._sentence_embedder

    def cross_encoder(self) -> CrossEncoder:
        """The reader's model. It reads passages together with a question or a sentence."""
        if self._cross_encoder is None:
            from rag.inference.weights import verified_reader_file

            self._cross_encoder = self._open(verified_reader_file())
        return self._cross_encoder

    def part_reader(self) -> CrossEncoder:
        """The model that reads a sentence, row or item alone, after its headings."""
        if self._part_reader is None:
            from rag.inference.weights import verified_part_reader_file

            self._part_reader = self._open(verified_part_reader_file())
        return self._part_reader

    def part_logits(self, question: str, texts: Sequence[str]) -> list[float]:
        """The part reader's logit of each text that it answers the question."""
        return [result.answers for result in self.part_reader().read(question, texts)]

    def _open(self, file: Path) -> CrossEncoder:
        from rag.inference.crossencoder import CrossEncoder
        from rag.inference.minilm import Tokenizer

        return CrossEncoder(file, Tokenizer().machine, self.config.threads)

    def judge(self) -> Judge:
        """The models and the fitted weights of the check."""
        from rag.answer.check import CheckFit, Judge

        model = self.cross_encoder()
        return Judge(self._similarity, model.support, CheckFit.of(model.fits["check"]))

    def shipped_threshold(self) -> float:
        """The probability from which the reader answers if nothing was calibrated."""
        from rag.answer.judge import shipped_fit

        return shipped_fit().least

    def writer(self) -> Writer:
        """The built-in reader or the chat model, by the setting `model`."""
        if self._writer is None:
            if self.config.model != READER:
                return self._chat_writer()
            self._writer = self._reader()
        return self._writer

    def _reader(self) -> Writer:
        from rag.answer.judge import shipped_fit
        from rag.answer.reader import Reader
        from rag.answer.sentence_reader import SentenceReader
        from rag.inference.weights import READER_FILE

        model = self.cross_encoder()
        fit, calibrated = shipped_fit(), ""
        own = calibration.active_calibration(self.config)
        if self.threshold is not None:
            fit = replace(fit, least=self.threshold)
        elif own:
            fit, calibrated = replace(fit, least=own.least), own.says
        name = Model(READER, READER_FILE.sha256, calibrated)
        sentences = SentenceReader(model, self.part_reader(), self._similarity)
        return Reader(sentences, name, fit)

    def _chat_writer(self) -> Writer:
        """The writer with the chat model. One that cannot be opened now is opened anew later."""
        from rag.answer.chat_writer import FailedChat

        config = self.config
        try:
            chat, model = self._served(config.server) if config.server else self._loaded()
        except (ServerFailed, ModelEnded) as error:
            server = config.server
            model = (
                Model(server.model or server.url, "", server=server.host)
                if server
                else Model(config.model, "")
            )
            return self._written_by(FailedChat(error), model, None)
        self._chat_model = chat
        self._writer = self._written_by(chat, model, self._juror(chat, model))
        return self._writer

    def _juror(self, chat: object, model: Model) -> Juror | None:
        """The chat model as a second judge, if it tells odds (a server does not) and that helps."""
        from rag.answer import juror

        fit = juror.fit_of(self.config.home, model.sha256)
        if fit and fit.helps and isinstance(chat, juror.YesNoModel):
            return juror.Juror(chat, model.name, fit)
        return None

    def _written_by(self, chat: Chat, model: Model, juror: Juror | None) -> Writer:
        from rag.answer.chat_writer import ChatWriter

        config = self.config
        return ChatWriter(
            chat,
            model,
            self._reader(),
            self.judge(),
            config.prompt_tokens,
            config.answer_tokens,
            config.temperature,
            config.seed,
            juror,
        )

    def _loaded(self) -> tuple[Chat, Model]:
        """The chat model of a file, open in a process of its own."""
        from rag.inference.chat_process import ChatProcess
        from rag.inference.model_trial import find_tried_chat_model

        config = self.config
        file, sha256 = find_tried_chat_model(config.home, config.model)
        chat = ChatProcess(
            str(file.path), config.context_tokens, config.threads, config.home, sha256
        )
        return chat, Model(file.name, sha256)

    def _served(self, address: ServerAddress) -> tuple[Chat, Model]:
        """The chat model of a server."""
        from rag.inference.server_chat import ServerChat
        from rag.inference.server_connection import Patience

        patience = Patience(silent_seconds=self.config.server_seconds)
        chat = ServerChat.open(address, self.config.context_tokens, patience)
        return chat, Model(chat.address.model, "", server=address.host)
