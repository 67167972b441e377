"""A sentence-transformers folder as embedder: passages by torch, questions by llama.cpp where that agrees, else by torch too.

A folder is data. Pickled weights and code of its own are refused before anything is opened, and the hub is never asked. A
plain BERT is written as GGUF once (`convert`), held against torch on the probe texts with its prefix, and used for questions from
a cosine of 0.9999, so that they need not wait for torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rag.disk import atomic_files, regular_files, strict_json
from rag.domain import Embedder
from rag.errors import ModelBroken, RagError, Unreadable
from rag.inference import minilm, weights
from rag.inference.external import (
    EmbedderView,
    ExternalEmbedder,
    OpenEmbedder,
    Prefixes,
    read_json_object,
)

_OURS, _THEIRS = "footnote.json", "config_sentence_transformers.json"
_PICKLES = (
    "pytorch_model*.bin",
    "adapter_model*.bin",
    "*.pt",
    "*.pth",
    "*.pkl",
    "*.pickle",
    "*.ckpt",
)
_WEIGHTS, _PARTS = (
    "model.safetensors",
    "model.safetensors.index.json",
)  # what sentence-transformers opens
_LONGEST_HEADER = 100 * 2**20  # bytes, as safetensors has it
_FILES = ("*.safetensors", "*.json", "*.model", "vocab.txt", "merges.txt")  # what vectors depend on
_REPAIR = "run: footnote doctor --repair"


class SentenceTransformersFolder(ExternalEmbedder):
    """The folder at `path`. Torch is opened when passages are to be embedded, or a first time to measure."""

    def __init__(self, path: Path, home: str, threads: int = 0) -> None:
        modules = _modules(path)
        self._text = path / modules[0][1]  #: where the transformer and its tokenizer lie
        if not (self._text / "tokenizer.json").is_file():
            raise ModelBroken(
                f"the embedder {path} has no tokenizer.json",
                "save it again with a fast tokenizer, or use another",
            )
        self._first = _first(path, modules)
        self._tokenizer: minilm.Tokenizer | None = None
        self._machine: minilm.FolderEmbedder | None = None
        theirs = (
            read_json_object(path / _THEIRS).get("prompts") if (path / _THEIRS).exists() else None
        )
        prefixes = Prefixes.of(theirs if isinstance(theirs, dict) else {}, path / _OURS)
        super().__init__(path, home, threads, _checksum(path, home), prefixes)

    @property
    def _gguf(self) -> Path:
        return self._record.with_suffix(".gguf")

    def _open(self) -> minilm.FolderEmbedder:
        if self._machine is None:
            self._machine = minilm.FolderEmbedder(self.path)
        return self._machine

    def _measured(self) -> dict[str, Any]:
        machine, cosine = self._open(), 0.0
        self._sound(machine.embed(["a"])[0])
        if self._first is not None:
            cosine = minilm.write_fast_copy(
                self._text, self._gguf, machine, self.prefixes.query, self._first
            )
        around = self._pieces().around
        made = atomic_files.sha256(self._gguf) if self._gguf.exists() else ""
        return {
            "dimension": machine.dimension,
            "most": machine.most,
            "around": around,
            "cosine": cosine,
            "gguf": made,
        }

    def _pieces(self) -> minilm.Tokenizer:
        if self._tokenizer is None:
            try:
                self._tokenizer = minilm.Tokenizer(self._text)
            except Exception as error:  # tokenizers raises it bare
                raise ModelBroken(
                    f"{self._text / 'tokenizer.json'} cannot be read: {error}",
                    "fetch the folder again",
                ) from error
        return self._tokenizer

    def _count(self, texts: Sequence[str]) -> list[int]:
        return self._pieces().count(texts)

    def questions(self) -> OpenEmbedder:
        if not self._facts["gguf"]:
            return EmbedderView(
                self.dimension,
                lambda texts: self._open().embed(texts, self.prefixes.query, asks=True),
            )
        if not self._gguf.exists():
            self.remake()
        self.verify()
        return minilm.QuestionEmbedder(
            self._gguf, self._threads, minilm.Tokenizer(self._text, self.most), self.prefixes.query
        )

    def passages(self) -> Embedder:
        return EmbedderView(
            self.dimension, lambda texts: self._open().embed(texts, self.prefixes.passage)
        )

    def check(self) -> str:
        says = f"{self.name}: {self.dimension} numbers, {self.most} tokens; SHA-256 of its checksums {self.sha256[:12]}"
        if not self._facts["gguf"]:
            return f"{says}; questions wait for torch"
        self.verify()
        return f"{says}; its GGUF verified, cosine to sentence-transformers {self._facts['cosine']:.7f}"

    def made(self) -> bool:
        return bool(self._facts["gguf"])

    def verify(self) -> None:
        try:
            weights.verify_file(self._gguf, self._facts["gguf"])
        except RagError as error:
            raise type(error)(str(error), _REPAIR) from error

    def remake(self) -> None:
        self._gguf.unlink(missing_ok=True)
        self._facts = self._measure()

    def close(self) -> None:
        self._machine = None


def _modules(folder: Path) -> list[tuple[str, str]]:
    """(kind, path) of each module. Raises `ModelBroken` where it is no such folder, or one that would have to run something."""
    try:
        found = json.loads(
            regular_files.read_text_file(folder / "modules.json", regular_files.MAX_SETTINGS_BYTES)
        )
        modules = [(str(m["type"]), str(m["path"])) for m in found]
    except (Unreadable, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ModelBroken(
            f"{folder} is not a sentence-transformers folder: its modules.json cannot be read ({error})",
            "give the folder that SentenceTransformer.save_pretrained wrote, or a GGUF embedder",
        ) from error
    for kind, path in modules or [("", "")]:
        inside = (folder / path).resolve().is_relative_to(folder.resolve())
        if not kind.startswith("sentence_transformers.") or not inside:
            raise ModelBroken(
                f"the embedder {folder} needs code or files from elsewhere ({kind or 'no module'!r}); nothing of it was run",
                "use an embedder that is made of sentence-transformers' own modules",
            )
    _no_pickles(folder, [path for _, path in modules])
    return [(kind.rpartition(".")[2], path) for kind, path in modules]


def _no_pickles(folder: Path, paths: Sequence[str]) -> None:
    """Raises `ModelBroken` where a library could reach pickled weights: they lie in a folder without a whole ``model.safetensors``,
    which it would open instead, or an index of parts names something else than safetensors."""
    places = {folder} | {
        place for path in paths if path for place in ((folder / path), *(folder / path).rglob("*/"))
    }
    for place in sorted(places):
        pickles = sorted(file.name for kind in _PICKLES for file in place.glob(kind))
        whole = _whole(place / _WEIGHTS)
        if not whole and os.path.lexists(place / _PARTS):
            parts = read_json_object(place / _PARTS).get("weight_map")
            names = (
                sorted({str(name) for name in parts.values()}) if isinstance(parts, dict) else [""]
            )
            wrong = [
                n
                for n in names
                if not (
                    n.endswith(".safetensors") and n == os.path.basename(n) and _whole(place / n)
                )
            ]
            whole = not wrong
            pickles = pickles or wrong
        config = (
            read_json_object(place / "config.json") if (place / "config.json").is_file() else {}
        )
        if elsewhere := config.get(
            "transformers_weights"
        ):  # transformers opens this file instead of those above
            pickles, whole = [str(elsewhere)], False
        if pickles and not whole:
            beside = (
                ""
                if not os.path.lexists(place / _WEIGHTS)
                else f", and the {_WEIGHTS} beside them is not whole"
            )
            raise ModelBroken(
                f"the weights in {place} are pickled or in parts that are not safetensors ({pickles[0]}){beside}; "
                "pickled weights can run a stranger's code: they were not opened",
                f"use a copy with {_WEIGHTS}; SentenceTransformer.save_pretrained writes it",
            )


def _whole(path: Path) -> bool:
    """Is this a safetensors file: a header of tensors, and as many bytes behind it as they need?"""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            length, size = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno()).st_size
            if not 2 <= length <= min(_LONGEST_HEADER, size - 8):
                return False
            head = strict_json.parse(file.read(length).decode("utf-8"))
        ends = [
            int(about["data_offsets"][1]) for name, about in head.items() if name != "__metadata__"
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return bool(ends) and max(ends) == size - 8 - length


def _first(folder: Path, modules: Sequence[tuple[str, str]]) -> bool | None:
    """Is a plain BERT pooled by its first token (else by the mean)? None where llama.cpp would not compute the same."""
    kinds = [kind for kind, _ in modules]
    text = folder / modules[0][1]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return None
    if not all((text / name).is_file() for name in ("config.json", "model.safetensors")):
        return None
    config, pooling = (
        read_json_object(text / "config.json"),
        read_json_object(folder / modules[1][1] / "config.json"),
    )
    plain = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "is_decoder": False,
    }
    if any(config.get(name, is_) != is_ for name, is_ in plain.items()) or "auto_map" in config:
        return None
    old = [name.removeprefix("pooling_mode_").removesuffix("_token").removesuffix("_tokens") for name, on in pooling.items()
           if name.startswith("pooling_mode_") and on]  # fmt: skip
    return {"mean": False, "cls": True}.get(pooling.get("pooling_mode") or "+".join(old))


def _checksum(folder: Path, home: str) -> str:
    """Of the checksums of all files that vectors depend on; prompts stand in the identity as they are."""
    found = {
        file.relative_to(folder).as_posix(): file for kind in _FILES for file in folder.rglob(kind)
    }
    try:
        lines = [
            f"{name}\0{weights.fingerprint(home, file)}\n" for name, file in sorted(found.items())
            if name not in (_OURS, _THEIRS) and not any(part.startswith(".") for part in name.split("/"))
        ]  # fmt: skip
    except OSError as error:
        raise ModelBroken(
            f"the embedder {folder} cannot be read: {error}", "fetch the folder again"
        ) from error
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
