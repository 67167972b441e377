"""Somebody else's embedder, a GGUF file here or a folder (`folder`): what is put before questions and passages, and what is known of it.

Dimension and limit are measured when it is first used and kept in ``HOME/models/embedders``, under the checksum of its files and
prefixes, so that opening a library opens no machine. Its file is hashed once and then known by size and time.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rag.disk import atomic_files, permissions, regular_files
from rag.domain import Embedder
from rag.errors import ModelBroken, Unreadable, Usage
from rag.inference import model_trial, weights
from rag.inference.llama import TextEncoder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NOTE = 16 * 2**20  # bytes of a JSON file beside a model
_KNOWN = ("dimension", "most", "around")


class OpenEmbedder(Embedder, Protocol):
    """An embedder that is held open."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What is put before every question and every passage."""

    query: str = ""
    passage: str = ""

    @classmethod
    def of(cls, theirs: Mapping[str, Any], ours: Path) -> Prefixes:
        """From the model's own prompts, and where they are silent from the small file beside it."""
        mine = read_json_object(ours) if ours.exists() else {}
        if unknown := sorted(set(mine) - {"query", "passage", "document"}):
            raise Usage(
                f"{ours}: nobody knows {unknown[0]!r}",
                'it holds {"query": "...", "passage": "..."}',
            )
        sides = {"query": ("query",), "passage": ("passage", "document")}
        found = {
            side: next(
                (said[name] for said in (theirs, mine) for name in names if said.get(name)), ""
            )
            for side, names in sides.items()
        }
        for side, prefix in found.items():
            if not isinstance(prefix, str):
                raise Usage(
                    f"{ours.parent}: the prefix of a {side} is {prefix!r}, and no text",
                    f"mend it in {ours}",
                )
        return cls(**found)


class EmbedderView:
    """Questions or passages, where one machine serves both; the embedder closes it."""

    def __init__(self, dimension: int, run: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        self.dimension, self.embed = dimension, run

    def close(self) -> None:
        """Not ours to close."""


class ExternalEmbedder(ABC):
    """What file and folder share. A subclass says `_measured`: dimension, most, and how many tokens are around every text."""

    def __init__(
        self, path: Path, home: str, threads: int, sha256: str, prefixes: Prefixes
    ) -> None:
        self.path, self.sha256, self.prefixes = path, sha256, prefixes
        self.name = path.name.removesuffix(".gguf")
        self._home, self._threads = home, threads
        self._record = weights.models_folder(home) / "embedders" / f"{self._digest()}.json"
        self._facts = self._remembered() or self._measure(self._remembered)
        self.dimension, self.most = int(self._facts["dimension"]), int(self._facts["most"])
        self.identity = self._identity(self._facts)
        if self._facts["path"] != str(path):
            self._keep(self._facts)

    def _digest(self) -> str:
        parts = "\0".join((self.sha256, self.prefixes.query, self.prefixes.passage))
        return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _identity(self, facts: Mapping[str, Any]) -> str:
        said = f"query {self.prefixes.query!r}, passage {self.prefixes.passage!r}"
        return f"embedder {self.sha256[:16]} {facts['most']}, {facts['dimension']} numbers, {said}"

    def _remembered(self) -> dict[str, Any]:
        """What was measured; nothing where no whole record is."""
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            facts: dict[str, Any] = json.loads(self._record.read_text(encoding="utf-8"))
            if all(int(facts[name]) >= 0 for name in _KNOWN) and isinstance(facts["path"], str):
                return facts
        return {}

    def _measure(self, before: Callable[[], dict[str, Any]] = dict) -> dict[str, Any]:
        """Measured by one process or thread at a time; who had to wait takes what was measured `before` it."""
        from filelock import FileLock

        permissions.make_folder(self._record.parent)
        with FileLock(self._record.with_suffix(".lock"), mode=permissions.FILE):
            return before() or self._keep(self._measured())

    @abstractmethod
    def _measured(self) -> dict[str, Any]:
        """Dimension, most, and how many tokens are around every text."""

    def _sound(self, vector: NDArray[np.float32]) -> None:
        """Raises `ModelBroken` where `vector` is no unit vector."""
        if not 0.99 < float(vector @ vector) < 1.01:
            raise ModelBroken(
                f"{self.path} gives no vectors: its numbers are damaged",
                "fetch it again, or use another",
            )

    def _keep(self, facts: dict[str, Any]) -> dict[str, Any]:
        facts = facts | {"path": str(self.path), "identity": self._identity(facts)}
        with suppress(OSError):  # it is measured again the next time
            atomic_files.replace_file(self._record, json.dumps(facts) + "\n")
        return facts

    @abstractmethod
    def _count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, by the model's own tokenizer."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, and one for what parts it from the next: not every tokenizer takes white space for nothing."""
        return [tokens + 1 for tokens in self._count(texts)]

    @property
    def room(self) -> int:
        """Tokens that are left for a passage."""
        return self.most - int(self._facts["around"]) - self._count([self.prefixes.passage])[0]


class GgufEmbedder(ExternalEmbedder):
    """A GGUF embedder: one machine for questions and passages."""

    def __init__(self, path: Path, home: str, threads: int = 0) -> None:
        digest = model_trial.require_tried(home, path, model_trial.EMBEDDER)
        self._machine: TextEncoder | None = None
        prefixes = Prefixes.of({}, path.with_suffix(".json"))
        super().__init__(path, home, threads, digest, prefixes)

    def _open(self) -> TextEncoder:
        if self._machine is None:
            self._machine = TextEncoder(str(self.path), self._threads)
        return self._machine

    def _measured(self) -> dict[str, Any]:
        machine = self._open()
        self._sound(machine.embed_texts(["a"])[0])
        return {"dimension": machine.dimension, "most": machine.longest, "around": machine.around}

    def _count(self, texts: Sequence[str]) -> list[int]:
        return self._open().count(texts)

    def _side(self, prefix: str) -> EmbedderView:
        machine = self._open()
        return EmbedderView(
            self.dimension, lambda texts: machine.embed_texts([prefix + text for text in texts])
        )

    def questions(self) -> OpenEmbedder:
        return self._side(self.prefixes.query)

    def passages(self) -> Embedder:
        return self._side(self.prefixes.passage)

    def check(self) -> str:
        self._open()
        return f"{self.name}: {self.dimension} numbers, {self.most} tokens, by llama.cpp; SHA-256 {self.sha256[:12]}"

    def made(self) -> bool:
        return False

    def verify(self) -> None:
        """Nothing is made of it."""

    remake = verify

    def close(self) -> None:
        if self._machine is not None:
            self._machine.close()
        self._machine = None


def read_json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a small file of a model's. Raises `ModelBroken`."""
    try:
        found = json.loads(regular_files.read_text_file(path, _NOTE))
    except (Unreadable, ValueError, RecursionError) as error:
        raise ModelBroken(
            f"{path} cannot be read: {error}", "mend it, or fetch the embedder again"
        ) from error
    if not isinstance(found, dict):
        raise ModelBroken(f"{path} holds no JSON object", "mend it, or fetch the embedder again")
    return found


def last_known_path(home: str, identity: str) -> str:
    """Where the embedder of that identity lay when it was last used in this home; "" where nobody knows."""
    for record in sorted((weights.models_folder(home) / "embedders").glob("*.json")):
        with suppress(OSError, ValueError, LookupError, TypeError, RecursionError):
            facts = json.loads(record.read_text(encoding="utf-8"))
            if facts["identity"] == identity:
                return str(facts["path"])
    return ""
