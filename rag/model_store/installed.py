"""The chat models in the home: where each came from, whether it is still the file that it was.

``models/pulled.json`` records for each fetched file its source and SHA-256.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.disk import atomic_files
from rag.errors import ModelBroken, RagError, Usage, WeightsMissing
from rag.inference import model_trial, weights
from rag.inference.gguf_header import check_header
from rag.model_store.catalogue import chat_models, unambiguous
from rag.model_store.download import discard
from rag.server_address import ServerAddress

#: what follows the name of a model in the name of a partial file
PART = ".gguf.part"


@dataclass(frozen=True, slots=True)
class Check:
    """What was found about a model. `expected` is "" if no SHA-256 is known for its file.

    `path` is None for the model of a server.
    """

    name: str
    path: Path | None
    good: bool
    says: str
    sha256: str = ""
    expected: str = ""
    cure: str = ""


def part_path(home: str, name: str) -> Path:
    """The partial file of a model that is being fetched."""
    return weights.models_folder(home) / (name + PART)


def record_pulled(home: str, name: str, source: str, sha256: str) -> None:
    """Record where the file of a model came from, and its SHA-256."""
    records = _records(home)
    records[name] = {"source": source, "sha256": sha256}
    atomic_files.replace_file(_store(home), json.dumps(records))


def full_name(home: str, name: str) -> str:
    """The name of the model in the home that `name` is the name or the only beginning of.

    `name` itself if there is none, or more than one.
    """
    names = [model.name for model in weights.list_chat_models(home)]
    return name if name == "reader" else unambiguous(name, names) or name


def require_installed(home: str, name: str) -> None:
    """Raise `WeightsMissing` if `name` is a model of the catalogue that is not in the home."""
    if any(model.name == name for model in weights.list_chat_models(home)):
        return
    if any(model.name == name for model in chat_models()):
        raise WeightsMissing(f"{name} is not on this computer", f"footnote models pull {name}")


def remove(home: str, name: str) -> int:
    """Remove a model, or what was fetched of it; the bytes that this freed.

    Raises `Usage`, `WeightsMissing`.
    """
    full = full_name(home, name)
    folder = weights.models_folder(home)
    path = folder / f"{full}.gguf"
    part = part_path(home, full)
    installed = {model.name for model in weights.list_chat_models(home)}
    if full == "reader" or full.startswith(weights.EMBEDDER_FILE.name):
        raise Usage(f"{full} is part of the program", "choose another: footnote models list")
    if path.parent != folder or not (full in installed or os.path.isfile(part)):
        raise WeightsMissing(
            f"there is no model called {name!r} in {folder}",
            f"have: {', '.join(sorted(installed)) or 'none'}; "
            "a file somewhere else is removed by hand",
        )
    freed = 0
    for file in (path, part):
        with suppress(FileNotFoundError):
            freed += file.lstat().st_size
    try:
        path.unlink(missing_ok=True)
        discard(part)
    except OSError as error:
        raise RagError(
            f"{path} cannot be removed: {error.strerror or error}", f"check the rights of {folder}"
        ) from error
    records = _records(home)
    if records.pop(full, None) is not None:
        with suppress(OSError):  # a record without its file says nothing
            atomic_files.replace_file(_store(home), json.dumps(records))
    return freed


def check(home: str, model: weights.ChatModelFile) -> Check:
    """Read the whole file of a model and compare it with what is known of it."""
    expected = _expected(home, model.name)
    try:
        digest = atomic_files.sha256(model.path)
        if expected and digest != expected:
            return Check(
                model.name,
                model.path,
                False,
                "it is not the file that it was: its SHA-256 differs",
                digest,
                expected,
                f"footnote models rm {model.name}, and fetch it again",
            )
        check_header(model.path)
        model_trial.require_template(model.path)
    except OSError as error:
        return Check(
            model.name,
            model.path,
            False,
            f"it cannot be read: {error.strerror or error}",
            cure="check the disk, and fetch it again",
        )
    except ModelBroken as error:
        return Check(model.name, model.path, False, str(error), digest, expected, error.cure)
    says = "its SHA-256 is right" if expected else "no SHA-256 is known to compare it with"
    return Check(model.name, model.path, True, f"{says}; it has a chat template", digest, expected)


def check_server(address: ServerAddress, silent_seconds: float) -> Check:
    """List the models of a server and let one of them write a few words."""
    from rag.inference import server_check

    try:
        says = server_check.check_server(address, silent_seconds)
        says = f"{server_check.try_server(address, silent_seconds).says}; {says}"
    except RagError as error:
        return Check(address.setting, None, False, str(error), cure=error.cure)
    return Check(address.setting, None, True, says)


def _expected(home: str, name: str) -> str:
    """The SHA-256 that the file of a model should have; "" if it is not known."""
    catalogued = {model.name: model.sha256 for model in chat_models()}
    pulled = _records(home).get(name, {}).get("sha256", "")
    return catalogued.get(name) or (pulled if isinstance(pulled, str) else "")


def _store(home: str) -> Path:
    return weights.models_folder(home) / "pulled.json"


def _records(home: str) -> dict[str, dict[str, str]]:
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(_store(home).read_text(encoding="utf-8"))
        if isinstance(content, dict) and all(isinstance(one, dict) for one in content.values()):
            return content
    return {}
