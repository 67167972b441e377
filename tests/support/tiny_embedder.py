"""A sentence encoder of random weights as sentence-transformers writes it, and as a GGUF: two layers, 32 numbers, 64 tokens."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROMPTS = {"query": "query: ", "passage": "passage: "}
WIDTH, MOST = 32, 64
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def folder(path: Path, prompts: Mapping[str, str] = PROMPTS, pooling: str = "mean", most: int = MOST, seed: int = 0) -> Path:  # fmt: skip
    """Write the folder to `path`. The same `seed` gives the same weights."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    machine = tokenizer()
    shape = BertConfig(
        vocab_size=machine.get_vocab_size(), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=most,
    )  # fmt: skip
    names = dict(
        zip(
            ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"),
            _SPECIAL,
            strict=True,
        )
    )
    bare = path.with_name(f"{path.name}.bert")
    BertModel(shape).save_pretrained(bare)
    PreTrainedTokenizerFast(
        tokenizer_object=machine, model_max_length=most, **names
    ).save_pretrained(bare)
    modules = [Transformer(str(bare)), Pooling(WIDTH, pooling_mode=pooling), Normalize()]
    SentenceTransformer(modules=modules, prompts=dict(prompts), device="cpu").save_pretrained(
        str(path)
    )
    return path


def file(path: Path, made: Path, first: bool = False) -> Path:
    """The encoder of the folder `made` as GGUF at `path`."""
    from rag.inference.gguf_writer import convert_to_gguf

    convert_to_gguf(made, path, "float32", first=first)
    return path


def tokenizer() -> Any:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    machine = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    machine.normalizer, machine.pre_tokenizer = (
        normalizers.BertNormalizer(),
        pre_tokenizers.BertPreTokenizer(),
    )
    seeds = Path(__file__).resolve().parents[2] / "seeds"
    trainer = trainers.WordPieceTrainer(
        vocab_size=600, special_tokens=_SPECIAL, show_progress=False
    )
    machine.train_from_iterator(
        [p.read_text(encoding="utf-8") for p in sorted(seeds.glob("*.txt"))], trainer
    )
    machine.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return machine
