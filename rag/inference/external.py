"""External embedders: the code that GGUF files and folders share, and the GGUF embedder.

`st_folder` has the embedder that is a sentence-transformers folder. Dimension and limit of an
embedder are measured at its first use and recorded in ``HOME/models/embedders``, by the checksum of
its files and prefixes. So opening a library opens no model.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict, cast

from rag.disk import atomic_files, permissions, regular_files
from rag.disk.strict_json import Json
from rag.errors import ModelBroken, Unreadable, Usage
from rag.inference import model_trial, weights
from rag.inference.llama import TextEncoder
from rag.protocols import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAX_JSON_BYTES = 16 * 2**20  # of a JSON file next to a model


class Measurement(TypedDict):
    """The sizes of a model: numbers of a vector, tokens of a text, special tokens of a text.

    For a folder also the checksum of its GGUF file ("" if there is none) and the lowest cosine.
    """

    dimension: int
    most: int
    around: int
    cosine: NotRequired[float]
    gguf: NotRequired[str]


class EmbedderRecord(Measurement):
    """A recorded measurement, with the path and the identity of the embedder."""

    path: str
    identity: str


class OpenEmbedder(Embedder, Protocol):
    """An embedder whose model is open."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Prefixes:
    """The texts before every question and every passage."""

    query: str = ""
    passage: str = ""

    @classmethod
    def of(cls, prompts: Mapping[str, Json], settings: Path) -> Prefixes:
        """The prefixes from the model's own `prompts`, else from the JSON file `settings`.

        Raises `Usage` for an unknown key and for a prefix that is not a text.
        """
        own = read_json_object(settings) if settings.exists() else {}
        if unknown := sorted(set(own) - {"query", "passage", "document"}):
            raise Usage(
                f"{settings}: unknown setting {unknown[0]!r}",
                'the settings are {"query": "...", "passage": "..."}',
            )
        keys = {"query": ("query",), "passage": ("passage", "document")}
        prefixes: dict[str, str] = {}
        for side, names in keys.items():
            prefix = next(
                (source[key] for source in (prompts, own) for key in names if source.get(key)), ""
            )
            if not isinstance(prefix, str):
                raise Usage(
                    f"{settings.parent}: the prefix of a {side} is {prefix!r}, and no text",
                    f"correct it in {settings}",
                )
            prefixes[side] = prefix
        return cls(**prefixes)


class EmbedderView:
    """The questions' or the passages' side of a model that serves both; the owner closes it."""

    def __init__(self, dimension: int, run: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self.dimension, self.embed = dimension, run

    def close(self) -> None:
        """Do nothing: the embedder that owns the model closes it."""


class ExternalEmbedder(ABC):
    """The part that files and folders share."""

    def __init__(
        self, path: Path, home: str, threads: int, sha256: str, prefixes: Prefixes
    ) -> None:
        self.path, self.sha256, self.prefixes = path, sha256, prefixes
        self.name = path.name.removesuffix(".gguf")
        self._home, self._threads = home, threads
        self._record = weights.models_folder(home) / "embedders" / f"{self._digest()}.json"
        self._facts = self._read_record() or self._measure(self._read_record)
        self.dimension, self.max_tokens = int(self._facts["dimension"]), int(self._facts["most"])
        self.identity = self._identity(self._facts)
        if self._facts["path"] != str(path):
            self._write_record(self._facts)

    def _digest(self) -> str:
        parts = "\0".join((self.sha256, self.prefixes.query, self.prefixes.passage))
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _identity(self, facts: Measurement) -> str:
        prefixes = f"query {self.prefixes.query!r}, passage {self.prefixes.passage!r}"
        size = f"{facts['most']}, {facts['dimension']} numbers"
        return f"embedder {self.sha256[:16]} {size}, {prefixes}"

    def _read_record(self) -> EmbedderRecord | None:
        """The recorded measurement; None if there is no complete record."""
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            facts = json.loads(self._record.read_text(encoding="utf-8"))
            measured = all(int(facts[key]) >= 0 for key in ("dimension", "most", "around"))
            if measured and isinstance(facts["path"], str):
                return cast(EmbedderRecord, facts)
        return None

    def _measure(
        self, recorded: Callable[[], EmbedderRecord | None] = lambda: None
    ) -> EmbedderRecord:
        """Measure and record, one process or thread at a time.

        `recorded` is called under the lock; if it returns a measurement, made meanwhile by another
        process, that one is used.
        """
        from filelock import FileLock

        permissions.make_folder(self._record.parent)
        with FileLock(self._record.with_suffix(".lock"), mode=permissions.FILE):
            return recorded() or self._write_record(self._measured())

    @abstractmethod
    def _measured(self) -> Measurement:
        """Open the model and measure it."""

    def _require_unit_vector(self, vector: NDArray[np.float32]) -> None:
        """Raise `ModelBroken` unless `vector` has the length 1."""
        if not 0.99 < float(vector @ vector) < 1.01:
            raise ModelBroken(
                f"{self.path} gives no vectors: its numbers are damaged",
                "fetch it again, or use another",
            )

    def _write_record(self, facts: Measurement) -> EmbedderRecord:
        record: EmbedderRecord = {
            **facts,
            "path": str(self.path),
            "identity": self._identity(facts),
        }
        with suppress(OSError):  # it is measured again the next time
            atomic_files.replace_file(self._record, json.dumps(record) + "\n")
        return record

    @abstractmethod
    def _count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, by the model's own tokenizer, without special tokens."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, and one more for the white space after it.

        Some tokenizers use a token for white space.
        """
        return [tokens + 1 for tokens in self._count(texts)]

    @property
    def room(self) -> int:
        """Tokens of a text that are left for the passage itself."""
        prefix_tokens = self._count([self.prefixes.passage])[0]
        return self.max_tokens - int(self._facts["around"]) - prefix_tokens


class GgufEmbedder(ExternalEmbedder):
    """A GGUF file as embedder; one model serves questions and passages."""

    def __init__(self, path: Path, home: str, threads: int = 0) -> None:
        digest = model_trial.require_tried(home, path, model_trial.EMBEDDER)
        self._encoder: TextEncoder | None = None
        prefixes = Prefixes.of({}, path.with_suffix(".json"))
        super().__init__(path, home, threads, digest, prefixes)

    def _open(self) -> TextEncoder:
        if self._encoder is None:
            self._encoder = TextEncoder(str(self.path), self._threads)
        return self._encoder

    def _measured(self) -> Measurement:
        encoder = self._open()
        self._require_unit_vector(encoder.embed_texts(["a"])[0])
        return {
            "dimension": encoder.dimension,
            "most": encoder.max_text_tokens,
            "around": encoder.special_tokens,
        }

    def _count(self, texts: Sequence[str]) -> list[int]:
        return self._open().count(texts)

    def _with_prefix(self, prefix: str) -> EmbedderView:
        encoder = self._open()
        return EmbedderView(
            self.dimension, lambda texts: encoder.embed_texts([prefix + text for text in texts])
        )

    def questions(self) -> OpenEmbedder:
        return self._with_prefix(self.prefixes.query)

    def passages(self) -> Embedder:
        return self._with_prefix(self.prefixes.passage)

    def check(self) -> str:
        self._open()
        return (
            f"{self.name}: {self.dimension} numbers, {self.max_tokens} tokens, by llama.cpp; "
            f"SHA-256 {self.sha256[:12]}"
        )

    def made(self) -> bool:
        return False

    def verify(self) -> None:
        """Do nothing: no file is made of a GGUF file."""

    remake = verify

    def close(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = None


def read_json_object(path: Path) -> dict[str, Json]:
    """The JSON object in a small file of a model. Raises `ModelBroken`."""
    cure = "correct it, or fetch the embedder again"
    try:
        content = json.loads(regular_files.read_text_file(path, _MAX_JSON_BYTES))
    except (Unreadable, ValueError, RecursionError) as error:
        raise ModelBroken(f"{path} cannot be read: {error}", cure) from error
    if not isinstance(content, dict):
        raise ModelBroken(f"{path} holds no JSON object", cure)
    return content


def last_known_path(home: str, identity: str) -> str:
    """The path of the embedder with that identity at its last use in this home; "" if unknown."""
    for record in sorted((weights.models_folder(home) / "embedders").glob("*.json")):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            facts = json.loads(record.read_text(encoding="utf-8"))
            if facts["identity"] == identity:
                return str(facts["path"])
    return ""
