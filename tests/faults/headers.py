"""GGUF files that lie about themselves: one mutation each of the tiny chat model. None may end a process of ours."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from pathlib import Path

from rag.errors import ModelBroken
from rag.inference import model_trial
from tests.faults.kills import Trial
from tests.support import tiny_chat_model as tiny

COUNTS = (0, 1, 2**16, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_SLOW = 25  # seconds, beside other work
SMALL = (0, 1, 2, 3, 7, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1)


def models(folder: Path, seed: int, step: int) -> Iterator[Trial]:
    """Every `step`-th mutation of a chat model and of an embedder is opened; none may end this process, hang or pass its limits."""
    for kind, pooling in ((model_trial.CHAT, None), (model_trial.EMBEDDER, 3)):
        good = tiny.write(folder / f"{kind}.gguf", pooling=pooling).read_bytes()
        for at, (name, content) in enumerate(mutations(good)):
            if (at + seed) % step == 0:
                yield _tried(folder, kind, name, content)


def _tried(folder: Path, kind: str, name: str, content: bytes) -> Trial:
    path, started, wrong = folder / "mutated.gguf", time.monotonic(), []
    path.write_bytes(content)
    try:
        model_trial.require_tried(str(folder), path, kind)
    except ModelBroken as error:
        wrong += [] if str(path) in str(error) and error.cure else [f"{name}: {error}"]
    except Exception as error:
        wrong.append(f"{name}: {type(error).__name__}: {error}")
    spent = time.monotonic() - started
    wrong += [f"{name}: {spent:.0f} s"] * (spent > _SLOW)
    return Trial(kind, name, True, tuple(wrong))


def mutations(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Every kind of lie, in the order of the file."""
    yield from (
        (f"byte {at} flipped", good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        for at in range(0, 1024, 3)
    )
    yield from (
        (f"bit {at} flipped", good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        for at in range(1, 1024, 5)
    )
    yield from (
        (f"cut at {at}", good[:at])
        for at in [
            *range(0, 64, 5),
            *range(64, len(good), len(good) // 40),
            len(good) - 1,
            len(good) - 4096,
        ]
    )
    for at, what in ((4, "version"), (8, "tensors"), (16, "keys"), (24, "length of the first key")):
        for value in COUNTS:
            raw = struct.pack("<I" if at == 4 else "<Q", value % 2 ** (32 if at == 4 else 64))
            yield f"{what} {value}", good[:at] + raw + good[at + len(raw) :]
    yield from _keys(good)
    yield from _tensors(good)


def _key(good: bytes, key: str) -> int:
    """Where the type of the value of `key` stands."""
    name = struct.pack("<Q", len(key)) + key.encode()
    return good.index(name) + len(name)


def _keys(good: bytes) -> Iterator[tuple[str, bytes]]:
    numbers = (
        "llama.context_length", "llama.embedding_length", "llama.block_count", "llama.feed_forward_length", "llama.attention.head_count",
        "llama.attention.head_count_kv", "llama.rope.dimension_count", "llama.vocab_size", "tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.bos_token_id", "llama.attention.layer_norm_rms_epsilon",
    )  # fmt: skip
    for key in numbers:
        at = _key(good, key)
        for value in SMALL:
            yield f"{key} = {value}", good[: at + 4] + struct.pack("<I", value) + good[at + 8 :]
        for kind in (0, 5, 6, 7, 8, 9, 10, 12, 13, 255, 2**31):
            yield f"{key} of type {kind}", good[:at] + struct.pack("<I", kind) + good[at + 4 :]
        hidden = good.replace(key.encode(), b"x" * len(key))
        yield f"{key} missing", hidden
    for key in ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type", "tokenizer.ggml.merges"):
        at = _key(good, key) + 4
        for value in COUNTS:
            yield f"{value} of {key}", good[: at + 4] + struct.pack("<Q", value) + good[at + 12 :]
        for kind in (0, 4, 6, 8, 9, 13, 2**32 - 1):
            yield f"{key} of {kind}", good[:at] + struct.pack("<I", kind) + good[at + 4 :]
        yield f"{key} missing", good.replace(key.encode(), b"x" * len(key))
    at = _key(good, "tokenizer.ggml.token_type") + 16
    for value in (0, 2, 5, 6, 7, 100, 2**31, 2**32 - 1):
        yield (
            f"all tokens of type {value}",
            good[:at] + struct.pack("<I", value) * 800 + good[at + 3200 :],
        )
    for key in ("general.architecture", "tokenizer.ggml.model", "tokenizer.ggml.pre"):
        yield f"{key} missing", good.replace(key.encode(), b"x" * len(key))
    for model in (b"bert", b"none", b"rwkv", b"t5\0\0", b"zzzz", b"\xff\xff\xff\xff"):
        yield f"tokenizer {model!r}", good.replace(b"gpt2", model, 1)
    for family in (b"bert\0", b"gptj\0", b"mamba", b"\xff\xfe\0\0x", b"rwkv6", b"phi3\0"):
        yield f"architecture {family!r}", good.replace(b"llama", family)
    yield (
        "a key twice",
        good.replace(b"llama.context_length", b"llama.embeddinglength").replace(
            b"tokenizer.ggml.bos_token_id", b"tokenizer.ggml.eos_token_id"
        ),
    )
    for size in (0, 1, 3, 24, 64, 2**31, 2**32 - 1):
        length = b"llama.context_length"
        yield (
            f"alignment {size}",
            good.replace(
                struct.pack("<Q", len(length)) + length + struct.pack("<II", 4, 4096),
                struct.pack("<Q", 17) + b"general.alignment" + struct.pack("<II", 4, size),
            ),
        )
    for size_of_first in (b"\xff" * 8, b"\0" * 8, struct.pack("<Q", 2**20)):
        at = _key(good, "tokenizer.ggml.tokens") + 16
        yield f"first token of length {size_of_first!r}", good[:at] + size_of_first + good[at + 8 :]


def _tensors(good: bytes) -> Iterator[tuple[str, bytes]]:
    for name in (
        "token_embd.weight",
        "output_norm.weight",
        "output.weight",
        "blk.0.attn_q.weight",
        "blk.1.ffn_down.weight",
    ):
        at = good.rindex(struct.pack("<Q", len(name)) + name.encode()) + 8 + len(name)
        dims = struct.unpack("<I", good[at : at + 4])[0]
        for value in (0, 1, 3, 4, 5, 2**31, 2**32 - 1):
            yield (
                f"{name}: {value} dimensions",
                good[:at] + struct.pack("<I", value) + good[at + 4 :],
            )
        for axis in range(dims):
            place = at + 4 + 8 * axis
            for value in (*COUNTS, 63, 128):
                yield (
                    f"{name}: axis {axis} of {value}",
                    good[:place] + struct.pack("<Q", value) + good[place + 8 :],
                )
        place = at + 4 + 8 * dims
        for kind in (1, 2, 4, 5, 14, 16, 30, 39, 40, 41, 99, 2**31, 2**32 - 1):
            yield (
                f"{name} of type {kind}",
                good[:place] + struct.pack("<I", kind) + good[place + 4 :],
            )
        for value in (1, 31, 32, 2**20, 2**31, 2**63, 2**64 - 32):
            yield (
                f"{name} at {value}",
                good[: place + 4] + struct.pack("<Q", value) + good[place + 12 :],
            )
        yield f"{name} missing", good.replace(name.encode(), b"y" * len(name))
    yield "a tensor twice", good.replace(b"blk.1.attn_q.weight", b"blk.0.attn_q.weight")
