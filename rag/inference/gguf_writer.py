"""A BERT encoder -> one GGUF file that llama.cpp runs.

The tensor names and the metadata keys are those of llama.cpp's architecture "bert"; the vocabulary is stored as its
WordPiece tokenizer wants it (a word-initial piece carries U+2581, a continuation loses its "##"), though we feed ids made
by `tokenizers` and never text.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rag.disk import permissions
from rag.inference.gguf_arrays import METADATA_PREFIX

_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
_OUTER = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}


#: how matrices are stored; vectors are float32 always
QUANTISATIONS = ("float32", "float16", "bfloat16", "q8_0")


def convert_to_gguf(folder: Path, target: Path, kind: str = "float16", first: bool = False) -> None:
    """Write `folder` (config.json, tokenizer.json, model.safetensors) as GGUF to `target`, whole or not at all.

    With `first` a text's vector is that of its first token ([CLS]), else the mean of all.
    """
    from safetensors import safe_open

    with safe_open(str(folder / "model.safetensors"), framework="numpy") as tensors:
        named = ((name, tensors.get_tensor(name)) for name in sorted(tensors.keys()))
        write_gguf(target, folder, folder.parent.name, named, kind, first=first)


def write_gguf(
    target: Path,
    folder: Path,
    name: str,
    tensors: Iterable[tuple[str, Any]],
    kind: str,
    pooled: bool = True,
    arrays: Mapping[str, Any] | None = None,
    first: bool = False,
) -> None:
    """One GGUF of BERT `tensors` (names as in a checkpoint) with the shape and vocabulary of the model in `folder`.

    Without `pooled` llama.cpp gives a vector for every token, and the file has no vocabulary: who reads tokens brings their ids, and to load
    30,000 words takes a third of the time that the file opens in. `first` as in `convert`. `arrays` (float32) become metadata: ``footnote.NAME``
    (base64 of little-endian bytes: llama.cpp spells out every number of an array when it opens a file) and ``footnote.NAME.shape``.
    """
    import gguf

    permissions.make_folder(target.parent)
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        permissions.create(beside)
        writer = gguf.GGUFWriter(str(beside), "bert")
        writer.add_name(name)
        pooling = gguf.PoolingType.CLS if first else gguf.PoolingType.MEAN
        writer.add_pooling_type(pooling if pooled else gguf.PoolingType.NONE)
        for key, array in sorted((arrays or {}).items()):
            writer.add_string(
                f"{METADATA_PREFIX}{key}", b64encode(array.astype("<f4").tobytes()).decode()
            )
            writer.add_array(f"{METADATA_PREFIX}{key}.shape", list(array.shape))
        _describe(writer, folder, pooled)
        for theirs, tensor in tensors:
            renamed = gguf_name(theirs.removeprefix("bert."))
            if renamed:
                keep = tensor.ndim == 1 or renamed.startswith(("position_embd", "token_types"))
                _put(writer, renamed, tensor, "float32" if keep else kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with open(beside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def _put(writer: Any, name: str, tensor: Any, kind: str) -> None:
    import gguf

    packed = {
        "bfloat16": gguf.GGMLQuantizationType.BF16,
        "q8_0": gguf.GGMLQuantizationType.Q8_0,
    }.get(kind)
    if packed is None:
        writer.add_tensor(name, tensor.astype(kind))
    else:
        writer.add_tensor(
            name, gguf.quants.quantize(tensor.astype("float32"), packed), raw_dtype=packed
        )


def read_tensors(path: Path) -> dict[str, Any]:
    """The tensors of a GGUF by llama.cpp's names, as float32."""
    import gguf

    reader = gguf.GGUFReader(str(path))
    return {
        t.name: gguf.quants.dequantize(t.data, t.tensor_type).reshape(t.shape[::-1])
        for t in reader.tensors
    }


def gguf_name(name: str) -> str | None:
    """llama.cpp's name for a tensor of a BERT encoder; None for what it does not use (the pooler, position ids)."""
    if name in _OUTER:
        return _OUTER[name]
    if not name.startswith("encoder.layer."):
        return None
    number, _, rest = name.removeprefix("encoder.layer.").partition(".")
    part, _, kind = rest.rpartition(".")
    return f"blk.{number}.{_LAYER[part]}.{kind}" if part in _LAYER else None


def _describe(writer: Any, folder: Path, words: bool) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_file_type(1)
    vocabulary = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"][
        "vocab"
    ]
    writer.add_token_type_count(config["type_vocab_size"])
    if not words:
        writer.add_tokenizer_model("no_vocab")
        writer.add_vocab_size(len(vocabulary))
        return
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("bert")
    writer.add_token_list([_phantom(p) for p in pieces])
    writer.add_token_types(
        [3 if p.startswith("[") and p.endswith("]") and len(p) > 2 else 1 for p in pieces]
    )
    for name, piece in (("pad", "[PAD]"), ("unk", "[UNK]"), ("sep", "[SEP]"), ("mask", "[MASK]")):
        getattr(writer, f"add_{name}_token_id")(vocabulary[piece])
    writer.add_bos_token_id(vocabulary["[CLS]"])
    writer.add_eos_token_id(vocabulary["[SEP]"])


def _phantom(piece: str) -> str:
    if piece.startswith("[") and piece.endswith("]") and len(piece) > 2:
        return piece
    return piece[2:] if piece.startswith("##") else "\u2581" + piece
