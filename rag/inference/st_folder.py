"""A sentence-transformers folder as embedder.

torch embeds passages. llama.cpp embeds questions if its vectors agree with torch's; otherwise torch
embeds them, too. A folder is only data: pickled weights and code are refused before anything is
opened, and nothing is downloaded. A plain BERT is written as GGUF once and compared with torch on
probe sentences with its prefix; from a cosine of 0.9999 on it is used, so that a question does not
wait for torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, cast

from rag.disk import atomic_files, regular_files, strict_json
from rag.errors import ModelBroken, RagError, Unreadable
from rag.inference import minilm, sentence_models, weights
from rag.inference.external import (
    EmbedderView,
    ExternalEmbedder,
    Measurement,
    OpenEmbedder,
    Prefixes,
    read_json_object,
)
from rag.protocols import Embedder

_OWN_SETTINGS, _MODEL_SETTINGS = "footnote.json", "config_sentence_transformers.json"
_PICKLES = (
    "pytorch_model*.bin",
    "adapter_model*.bin",
    "*.pt",
    "*.pth",
    "*.pkl",
    "*.pickle",
    "*.ckpt",
)
#: sentence-transformers opens the first of these that exists
_WEIGHTS, _WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
_MAX_HEADER_BYTES = 100 * 2**20  # as in safetensors
#: the files on which vectors depend
_FILES = ("*.safetensors", "*.json", "*.model", "vocab.txt", "merges.txt")
_REPAIR = "run: footnote doctor --repair"


class _TensorHeader(TypedDict):
    """A tensor's entry in a safetensors header: its half-open range of bytes."""

    data_offsets: list[int]


class SentenceTransformersFolder(ExternalEmbedder):
    """The folder at `path`. torch is opened to embed passages, and once to measure the model."""

    def __init__(self, path: Path, home: str, threads: int = 0) -> None:
        modules = _modules(path)
        self._text = path / modules[0][1]  # the folder of the transformer and its tokenizer
        if not (self._text / "tokenizer.json").is_file():
            raise ModelBroken(
                f"the embedder {path} has no tokenizer.json",
                "save it again with a fast tokenizer, or use another",
            )
        self._pools_first = _pools_first_token(path, modules)
        self._tokenizer: minilm.Tokenizer | None = None
        self._embedder: sentence_models.FolderEmbedder | None = None
        settings = path / _MODEL_SETTINGS
        prompts = read_json_object(settings).get("prompts") if settings.exists() else None
        prefixes = Prefixes.of(prompts if isinstance(prompts, dict) else {}, path / _OWN_SETTINGS)
        super().__init__(path, home, threads, _checksum(path, home), prefixes)

    @property
    def _gguf(self) -> Path:
        return self._record.with_suffix(".gguf")

    def _open(self) -> sentence_models.FolderEmbedder:
        if self._embedder is None:
            self._embedder = sentence_models.FolderEmbedder(self.path)
        return self._embedder

    def _measured(self) -> Measurement:
        embedder, cosine = self._open(), 0.0
        self._require_unit_vector(embedder.embed(["a"])[0])
        if self._pools_first is not None:
            cosine = minilm.write_fast_copy(
                self._text, self._gguf, embedder, self.prefixes.query, self._pools_first
            )
        return {
            "dimension": embedder.dimension,
            "most": embedder.max_tokens,
            "around": self._open_tokenizer().special_tokens,
            "cosine": cosine,
            "gguf": atomic_files.sha256(self._gguf) if self._gguf.exists() else "",
        }

    def _open_tokenizer(self) -> minilm.Tokenizer:
        if self._tokenizer is None:
            try:
                self._tokenizer = minilm.Tokenizer(self._text)
            except Exception as error:  # tokenizers raises bare exceptions
                raise ModelBroken(
                    f"{self._text / 'tokenizer.json'} cannot be read: {error}",
                    "fetch the folder again",
                ) from error
        return self._tokenizer

    def _count(self, texts: Sequence[str]) -> list[int]:
        return self._open_tokenizer().count(texts)

    def questions(self) -> OpenEmbedder:
        if not self._facts["gguf"]:
            return EmbedderView(
                self.dimension,
                lambda texts: self._open().embed(texts, self.prefixes.query, asks=True),
            )
        if not self._gguf.exists():
            self.remake()
        self.verify()
        tokenizer = minilm.Tokenizer(self._text, self.max_tokens)
        return minilm.QuestionEmbedder(self._gguf, self._threads, tokenizer, self.prefixes.query)

    def passages(self) -> Embedder:
        return EmbedderView(
            self.dimension, lambda texts: self._open().embed(texts, self.prefixes.passage)
        )

    def check(self) -> str:
        description = (
            f"{self.name}: {self.dimension} numbers, {self.max_tokens} tokens; "
            f"SHA-256 of its checksums {self.sha256[:12]}"
        )
        if not self._facts["gguf"]:
            return f"{description}; questions wait for torch"
        self.verify()
        cosine = f"cosine to sentence-transformers {self._facts['cosine']:.7f}"
        return f"{description}; its GGUF verified, {cosine}"

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
        self._embedder = None


def _modules(folder: Path) -> list[tuple[str, str]]:
    """(class name, path) of each module of the model.

    Raises `ModelBroken` if it is not a sentence-transformers folder, and if it needs code or
    pickled weights.
    """
    try:
        content = regular_files.read_text_file(
            folder / "modules.json", regular_files.MAX_SETTINGS_BYTES
        )
        modules = [(str(module["type"]), str(module["path"])) for module in json.loads(content)]
    except (Unreadable, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ModelBroken(
            f"{folder} is not a sentence-transformers folder: "
            f"its modules.json cannot be read ({error})",
            "give the folder that SentenceTransformer.save_pretrained wrote, or a GGUF embedder",
        ) from error
    for kind, path in modules or [("", "")]:
        inside = (folder / path).resolve().is_relative_to(folder.resolve())
        if not kind.startswith("sentence_transformers.") or not inside:
            raise ModelBroken(
                f"the embedder {folder} needs code or files from elsewhere "
                f"({kind or 'no module'!r}); nothing of it was run",
                "use an embedder that is made of sentence-transformers' own modules",
            )
    _refuse_pickles(folder, [path for _, path in modules])
    return [(kind.rpartition(".")[2], path) for kind, path in modules]


def _refuse_pickles(folder: Path, paths: Sequence[str]) -> None:
    """Raise `ModelBroken` if a library could open pickled weights below `folder`.

    That is so if a folder has pickled files and no complete ``model.safetensors``, which would be
    opened instead, or if the index of the weights names files that are not safetensors. `paths` are
    those of the modules.
    """
    folders = {folder} | {
        inner for path in paths if path for inner in ((folder / path), *(folder / path).rglob("*/"))
    }
    for place in sorted(folders):
        unsafe = _unsafe_weights(place)
        if unsafe is not None:
            incomplete = (
                f", and the {_WEIGHTS} beside them is not whole"
                if os.path.lexists(place / _WEIGHTS)
                else ""
            )
            raise ModelBroken(
                f"the weights in {place} are pickled or in parts that are not safetensors "
                f"({unsafe}){incomplete}; "
                "pickled weights can run a stranger's code: they were not opened",
                f"use a copy with {_WEIGHTS}; SentenceTransformer.save_pretrained writes it",
            )


def _unsafe_weights(folder: Path) -> str | None:
    """The name of a file in `folder` that may be opened and is not safetensors; None if none is.

    The name is "" if the index of the weights has no names.
    """
    path = folder / "config.json"
    config = read_json_object(path) if path.is_file() else {}
    if explicit := config.get("transformers_weights"):  # transformers opens this file before others
        return str(explicit)
    if _is_safetensors(folder / _WEIGHTS):
        return None
    unsafe = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
    if os.path.lexists(folder / _WEIGHTS_INDEX):
        parts = read_json_object(folder / _WEIGHTS_INDEX).get("weight_map")
        names = sorted({str(name) for name in parts.values()}) if isinstance(parts, dict) else [""]
        wrong_parts = [name for name in names if not _is_safe_part(folder, name)]
        unsafe = (unsafe or wrong_parts) if wrong_parts else []
    return unsafe[0] if unsafe else None


def _is_safe_part(folder: Path, name: str) -> bool:
    is_plain_name = name.endswith(".safetensors") and name == os.path.basename(name)
    return is_plain_name and _is_safetensors(folder / name)


def _is_safetensors(path: Path) -> bool:
    """Whether the file is complete: a header of tensors, and as many bytes as they need."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            length, size = int.from_bytes(file.read(8), "little"), os.fstat(file.fileno()).st_size
            if not 2 <= length <= min(_MAX_HEADER_BYTES, size - 8):
                return False
            content = strict_json.parse(file.read(length).decode("utf-8"))
        header = cast(dict[str, _TensorHeader], content)
        ends = [
            int(tensor["data_offsets"][1])
            for name, tensor in header.items()
            if name != "__metadata__"
        ]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False
    return bool(ends) and max(ends) == size - 8 - length


def _pools_first_token(folder: Path, modules: Sequence[tuple[str, str]]) -> bool | None:
    """True if a plain BERT is pooled by its first token, False if by the mean.

    None if llama.cpp would not compute the same vectors.
    """
    kinds = [kind for kind, _ in modules]
    text = folder / modules[0][1]
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        return None
    if not all((text / name).is_file() for name in ("config.json", "model.safetensors")):
        return None
    config = read_json_object(text / "config.json")
    pooling = read_json_object(folder / modules[1][1] / "config.json")
    plain = {
        "model_type": "bert",
        "hidden_act": "gelu",
        "position_embedding_type": "absolute",
        "is_decoder": False,
    }
    if any(config.get(key, value) != value for key, value in plain.items()) or "auto_map" in config:
        return None
    old_modes = [
        key.removeprefix("pooling_mode_").removesuffix("_token").removesuffix("_tokens")
        for key, enabled in pooling.items()
        if key.startswith("pooling_mode_") and enabled
    ]
    mode = pooling.get("pooling_mode") or "+".join(old_modes)
    return {"mean": False, "cls": True}.get(str(mode))


def _checksum(folder: Path, home: str) -> str:
    """The SHA-256 of the names and checksums of all files that vectors depend on.

    Prompts are not included; they are part of the identity themselves.
    """
    files = {
        file.relative_to(folder).as_posix(): file
        for pattern in _FILES
        for file in folder.rglob(pattern)
    }
    try:
        lines = [
            f"{name}\0{weights.fingerprint(home, file)}\n"
            for name, file in sorted(files.items())
            if name not in (_OWN_SETTINGS, _MODEL_SETTINGS)
            and not any(part.startswith(".") for part in name.split("/"))
        ]
    except OSError as error:
        raise ModelBroken(
            f"the embedder {folder} cannot be read: {error}", "fetch the folder again"
        ) from error
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
