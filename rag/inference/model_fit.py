"""Whether a chat model fits into the memory of this computer, and how fast it is here."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelBroken
from rag.inference.gguf_header import Header, check_header
from rag.inference.llama import total_memory

#: share of a file that its buffers take besides it
_BUFFER_SHARE = 0.05
#: bytes that a program with a small model takes besides the model
_PROGRAM_BYTES = 300 * 2**20
_MEASURED_TOKENS, _WRITTEN_TOKENS = 512, 16
#: seconds after which each of the two measurements ends
_MAX_SECONDS = 3.0
_TEXT = "The mill stands at the lower end of the town, where the two brooks meet. " * 80


@dataclass(frozen=True, slots=True)
class Fit:
    """Bytes that a model needs at a context of so many tokens, and bytes of this computer."""

    needed: int
    memory: int
    context: int

    @property
    def says(self) -> str:
        memory = f" of {self.memory / 2**30:.1f} GB" if self.memory else ""
        return (
            f"needs about {self.needed / 2**30:.1f} GB{memory} of memory "
            f"at a context of {self.context:,} tokens"
        )


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second that a model reads and writes; 0 for one that could not be measured."""

    reads: float
    writes: float

    @property
    def says(self) -> str:
        return f"reads {self.reads:,.0f} and writes {self.writes:,.0f} tokens a second here"


def weights_memory(size: int) -> int:
    """Bytes of memory that a model file of so many bytes needs, without its context."""
    return int(size * (1 + _BUFFER_SHARE)) + _PROGRAM_BYTES


def require_fit(path: Path, context: int, memory: int | None = None) -> Fit:
    """What the model at `path` needs. Raises `ModelBroken` if the computer has less.

    `memory` is what the computer has, in bytes: by default this one's, and 0 if it is not known.
    """
    fit = Fit(
        weights_memory(path.stat().st_size) + _cache_bytes(check_header(path), context),
        total_memory() if memory is None else memory,
        context,
    )
    if fit.memory and fit.needed > fit.memory:
        raise ModelBroken(
            f"{path.stem} {fit.says}",
            "take a smaller model (footnote models list --available), or set context_tokens lower",
        )
    return fit


def _cache_bytes(header: Header, context: int) -> int:
    """Bytes of the keys and values of `context` tokens, two bytes a number.

    Numbers that the header gives for each layer apart are not read; the largest they can be counts.
    """
    family = header.values["general.architecture"]
    assert isinstance(family, bytes)

    def number(key: str, default: int) -> int:
        value = header.values.get(f"{family.decode('utf-8', 'replace')}.{key}")
        return value if isinstance(value, int) and value > 0 else default

    width = number("embedding_length", 0)
    heads = number("attention.head_count", 1)
    heads_of_keys = number("attention.head_count_kv", heads)
    key, value = (
        number(f"attention.{part}_length", width // heads) * heads_of_keys
        for part in ("key", "value")
    )
    tokens = min(context, number("context_length", context))
    return 2 * (key + value) * number("block_count", 1) * tokens


def measure_speed(path: Path, threads: int) -> Speed:
    """How fast the model reads and writes, in a few seconds. Raises `ModelBroken`.

    The first piece of the prompt is not counted: with it the weights come from the disk.
    """
    from rag.inference.llama_chat import ChatModel

    model = ChatModel(str(path), _MEASURED_TOKENS + _WRITTEN_TOKENS + 1, threads)
    try:
        ids = (model.begin() + model.tokens(_TEXT, special=False))[:_MEASURED_TOKENS]
        reads = _rate(model.read(ids))
        written = iter(model.write(_WRITTEN_TOKENS, 0.0, 0))
        return Speed(reads, _rate(count for count, _ in enumerate(written, 1)))
    finally:
        model.close()


def _rate(counts: Iterable[int]) -> float:
    """Tokens a second, by how many are done after each step; the first step is not timed."""
    first, started_at, last, now = 0, 0.0, 0, 0.0
    for count in counts:
        now = time.perf_counter()
        if not first:
            first, started_at = count, now
        last = count
        if now - started_at > _MAX_SECONDS:
            break
    return (last - first) / (now - started_at) if now > started_at else 0.0
