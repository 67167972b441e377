"""A llama-architecture chat model of random weights, written with the `gguf` package: small, but real in every part that
Footnote touches: a byte-level BPE trained on the seeds, control tokens, a chat template, a context of 4,096."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import gguf
import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
#: byte pairs cut by two patterns, and SentencePiece
TOKENIZERS = ("default", "qwen2", "llama")
_UNKNOWN = "<unk>"
_WIDTH, _LAYERS, _HEADS, _INNER, _CONTEXT = 64, 2, 4, 128, 4096


def write(
    path: Path,
    template: str | None = CHATML,
    seed: int = 0,
    layers: int = _LAYERS,
    ends: bool = True,
    pooling: int | None = None,
    tokenizer: str = "default",
) -> Path:
    """Write the model to `path`; without `template` it carries none. One of many `layers` is slow, one that hardly `ends` goes on,
    one with `pooling` (GGUF's number) is an embedder. `tokenizer` is one of `TOKENIZERS`."""
    vocabulary, merges = _sentence_pieces() if tokenizer == "llama" else _tokenizer()
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny chat")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("llama" if tokenizer == "llama" else "gpt2")
    writer.add_tokenizer_pre(tokenizer)
    writer.add_token_list(vocabulary)
    writer.add_token_types([_kind(piece) for piece in vocabulary])
    if tokenizer == "llama":
        writer.add_token_scores([-float(rank) for rank in range(len(vocabulary))])
        writer.add_unk_token_id(vocabulary.index(_UNKNOWN))
    else:
        writer.add_token_merges(merges)
    writer.add_eos_token_id(vocabulary.index("<|im_end|>"))
    writer.add_bos_token_id(vocabulary.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    if pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(pooling))
        writer.add_add_eos_token(True)
    if template is not None:
        writer.add_chat_template(template)
    for name, shape in _shapes(len(vocabulary), layers).items():
        rng = np.random.default_rng([seed, sum(name.encode())])
        values = np.ones(shape) if "norm" in name else rng.normal(0, 0.3, shape)
        if name == "output.weight" and not ends:
            values[: len(CONTROL)] = 0.0
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _kind(piece: str) -> int:
    """The type of a token: unknown, control, byte or normal."""
    if piece == _UNKNOWN:
        return 2
    return 3 if piece in CONTROL else 6 if re.fullmatch("<0x[0-9A-F]{2}>", piece) else 1


def _sentence_pieces() -> tuple[list[str], list[str]]:
    """A vocabulary in the form of SentencePiece: control tokens, bytes, pieces; no merges."""
    machine = Tokenizer(models.BPE(unk_token=_UNKNOWN))
    machine.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces, _ = _trained(machine, [_UNKNOWN, *CONTROL], [])
    own = [piece for piece in pieces if piece not in (_UNKNOWN, *CONTROL)]
    return [_UNKNOWN, *CONTROL, *(f"<0x{byte:02X}>" for byte in range(256)), *own], []


def _tokenizer() -> tuple[list[str], list[str]]:
    """Vocabulary and merges of a byte-level BPE, control tokens first."""
    machine = Tokenizer(models.BPE())
    machine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    machine.decoder = decoders.ByteLevel()
    return _trained(machine, CONTROL, pre_tokenizers.ByteLevel.alphabet())


def _trained(
    machine: Tokenizer, special: Sequence[str], alphabet: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Train on the seeds; the vocabulary by number, and the merges."""
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=list(special),
        initial_alphabet=list(alphabet),
        show_progress=False,
    )
    seeds = Path(__file__).resolve().parents[2] / "seeds"
    machine.train_from_iterator(
        [p.read_text(encoding="utf-8") for p in sorted(seeds.glob("*.txt"))], trainer
    )
    import json

    model = json.loads(machine.to_str())["model"]
    pieces = sorted(model["vocab"], key=model["vocab"].__getitem__)
    return pieces, [
        " ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"]
    ]


def _shapes(size: int, layers: int) -> dict[str, tuple[int, ...]]:
    """Tensor names and shapes (numpy order: rows are outputs)."""
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (size, _WIDTH),
        "output_norm.weight": (_WIDTH,),
        "output.weight": (size, _WIDTH),
    }
    for layer in range(layers):
        block = f"blk.{layer}."
        shapes |= {
            block + f"attn_{part}.weight": (_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")
        }
        shapes |= {block + "attn_norm.weight": (_WIDTH,), block + "ffn_norm.weight": (_WIDTH,)}
        shapes |= {
            block + "ffn_gate.weight": (_INNER, _WIDTH),
            block + "ffn_up.weight": (_INNER, _WIDTH),
        }
        shapes |= {block + "ffn_down.weight": (_WIDTH, _INNER)}
    return shapes
