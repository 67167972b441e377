"""Writes a BERT encoder as one GGUF file for llama.cpp.

Tensor names and metadata keys are those of llama.cpp's architecture "bert". The vocabulary has the
form that its WordPiece tokenizer expects: a word-initial piece begins with U+2581, a continuation
has no "##". This program passes token ids to the model and never uses that tokenizer.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rag.disk import permissions
from rag.inference.gguf_arrays import METADATA_PREFIX

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFWriter
    from numpy.typing import NDArray

#: the name of each part of a layer in a BERT checkpoint: its name in llama.cpp
_LAYER_NAMES = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
#: the same for the tensors outside the layers
_OUTER_NAMES = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm.weight": "token_embd_norm.weight",
    "embeddings.LayerNorm.bias": "token_embd_norm.bias",
}
#: types in which matrices are stored; vectors are always float32
QUANTISATIONS = ("float32", "float16", "bfloat16", "q8_0")


def convert_to_gguf(folder: Path, target: Path, kind: str = "float16", first: bool = False) -> None:
    """Write `folder` (config.json, tokenizer.json, model.safetensors) as GGUF to `target`.

    `kind` is one of `QUANTISATIONS`. The vector of a text is that of its first token ([CLS]) with
    `first`, else the mean of all. The file is written atomically.
    """
    from safetensors import safe_open

    with safe_open(str(folder / "model.safetensors"), framework="numpy") as tensors:
        named = ((name, tensors.get_tensor(name)) for name in sorted(tensors.keys()))
        write_gguf(target, folder, folder.parent.name, named, kind, first=first)


def write_gguf(
    target: Path,
    folder: Path,
    name: str,
    tensors: Iterable[tuple[str, NDArray[np.floating]]],
    kind: str,
    pooled: bool = True,
    arrays: Mapping[str, NDArray[np.float32]] | None = None,
    first: bool = False,
) -> None:
    """Write BERT `tensors` (names as in a checkpoint) as one GGUF file, atomically.

    The sizes and the vocabulary are those of the model in `folder`. Without `pooled`, llama.cpp
    gives one vector for every token, and the file has no vocabulary: callers pass token ids, and
    loading 30,000 words takes a third of the time to open the file. `kind` and `first` are those of
    `convert_to_gguf`. `arrays` (float32) become metadata: ``footnote.NAME`` is base64 of the
    little-endian bytes, because llama.cpp prints every number of an array when it opens a file, and
    ``footnote.NAME.shape`` is the shape.
    """
    import gguf

    permissions.make_folder(target.parent)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        permissions.create(temporary)
        writer = gguf.GGUFWriter(str(temporary), "bert")
        writer.add_name(name)
        pooling = gguf.PoolingType.CLS if first else gguf.PoolingType.MEAN
        writer.add_pooling_type(pooling if pooled else gguf.PoolingType.NONE)
        for key, array in sorted((arrays or {}).items()):
            content = b64encode(array.astype("<f4").tobytes()).decode()
            writer.add_string(f"{METADATA_PREFIX}{key}", content)
            writer.add_array(f"{METADATA_PREFIX}{key}.shape", list(array.shape))
        _add_metadata(writer, folder, with_vocabulary=pooled)
        for checkpoint_name, tensor in tensors:
            tensor_name = gguf_name(checkpoint_name.removeprefix("bert."))
            if tensor_name:
                exact = tensor.ndim == 1 or tensor_name.startswith(("position_embd", "token_types"))
                _add_tensor(writer, tensor_name, tensor, "float32" if exact else kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _add_tensor(writer: GGUFWriter, name: str, tensor: NDArray[np.floating], kind: str) -> None:
    import gguf

    quantisation = {
        "bfloat16": gguf.GGMLQuantizationType.BF16,
        "q8_0": gguf.GGMLQuantizationType.Q8_0,
    }.get(kind)
    if quantisation is None:
        writer.add_tensor(name, tensor.astype(kind))
    else:
        quantised = gguf.quants.quantize(tensor.astype("float32"), quantisation)
        writer.add_tensor(name, quantised, raw_dtype=quantisation)


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The tensors of a GGUF file as float32 arrays, by llama.cpp's names."""
    import gguf

    reader = gguf.GGUFReader(str(path))
    return {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(
            tensor.shape[::-1]
        )
        for tensor in reader.tensors
    }


def gguf_name(name: str) -> str | None:
    """llama.cpp's name for a tensor of a BERT checkpoint.

    None for a tensor that llama.cpp does not use (the pooler, position ids).
    """
    if name in _OUTER_NAMES:
        return _OUTER_NAMES[name]
    if not name.startswith("encoder.layer."):
        return None
    number, _, rest = name.removeprefix("encoder.layer.").partition(".")
    part, _, kind = rest.rpartition(".")
    return f"blk.{number}.{_LAYER_NAMES[part]}.{kind}" if part in _LAYER_NAMES else None


def _add_metadata(writer: GGUFWriter, folder: Path, with_vocabulary: bool) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_file_type(1)
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    writer.add_token_type_count(config["type_vocab_size"])
    if not with_vocabulary:
        writer.add_tokenizer_model("no_vocab")
        writer.add_vocab_size(len(vocabulary))
        return
    pieces = sorted(vocabulary, key=vocabulary.__getitem__)
    writer.add_tokenizer_model("bert")
    writer.add_token_list([_gguf_piece(piece) for piece in pieces])
    writer.add_token_types([3 if _is_special(piece) else 1 for piece in pieces])
    for name, piece in (("pad", "[PAD]"), ("unk", "[UNK]"), ("sep", "[SEP]"), ("mask", "[MASK]")):
        getattr(writer, f"add_{name}_token_id")(vocabulary[piece])
    writer.add_bos_token_id(vocabulary["[CLS]"])
    writer.add_eos_token_id(vocabulary["[SEP]"])


def _is_special(piece: str) -> bool:
    return piece.startswith("[") and piece.endswith("]") and len(piece) > 2


def _gguf_piece(piece: str) -> str:
    """A piece of the vocabulary as llama.cpp's WordPiece tokenizer expects it."""
    if _is_special(piece):
        return piece
    return piece[2:] if piece.startswith("##") else "\u2581" + piece
