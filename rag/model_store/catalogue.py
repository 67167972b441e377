"""The catalogue of chat models that can be fetched by name: ``rag/models/chat_models.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.errors import WeightsMissing

FETCHED, STATED, UNCONFIRMED = "fetched", "stated", "unconfirmed"
#: what each kind of evidence means, for lists
EVIDENCE_PHRASES = {
    FETCHED: "the file was fetched and its SHA-256 computed",
    STATED: "size and SHA-256 as other public catalogues state them",
    UNCONFIRMED: "unconfirmed: its SHA-256 was not at hand",
}
_PATH = Path(__file__).parent.parent / "models" / "chat_models.toml"
_GIGABYTE = 2**30
#: share of its nominal size that a computer's memory may lack: firmware and graphics take it
_MISSING_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Packages:
    """A file in parts in packages of a Python package index; {} in `requirement` is the number."""

    requirement: str
    parts: int

    def names(self) -> list[str]:
        """The requirement of each part, in the order of the file."""
        return [self.requirement.format(number) for number in range(1, self.parts + 1)]


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A chat model of the catalogue; the file says what the fields mean."""

    name: str
    title: str
    parameters: str
    quantisation: str
    bytes: int
    licence: str
    repository: str
    revision: str
    file: str
    sha256: str
    evidence: str
    memory_gb: int
    default: bool = False
    packages: Packages | None = None
    measured: str = ""  #: what it was measured to be worth, in words


def reader_measured() -> str:
    """Return what the built-in reader was measured to be worth, in words."""
    chat_models()  # raises if the file cannot be read
    return str(_content().get("reader_measured", ""))


def _content() -> dict[str, Any]:
    return tomllib.loads(_PATH.read_text(encoding="utf-8"))


@cache
def chat_models() -> tuple[CatalogueModel, ...]:
    """All models of the catalogue, from small to large. Raises `WeightsMissing`."""
    try:
        return tuple(_model(entry) for entry in _content()["model"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WeightsMissing(
            f"the catalogue of models cannot be read ({_PATH}): {error}",
            "install the package again",
        ) from error


def _model(entry: dict[str, Any]) -> CatalogueModel:
    packages = entry.get("packages")
    return CatalogueModel(**{**entry, "packages": Packages(**packages) if packages else None})


def find_model(name: str) -> CatalogueModel:
    """The model of the catalogue with this name, or the only one that begins so.

    Raises `WeightsMissing`.
    """
    names = [model.name for model in chat_models()]
    found = unambiguous(name, names)
    if not found:
        raise WeightsMissing(
            f"the catalogue has no model called {name!r}",
            "see: footnote models list --available; or give a URL, or hf:owner/repo/file.gguf",
        )
    return chat_models()[names.index(found)]


def unambiguous(name: str, names: Sequence[str]) -> str:
    """`name` if it is one of `names`, else the only one of them that begins so, else ""."""
    if name in names:
        return name
    begins = [other for other in names if name and other.lower().startswith(name.lower())]
    return begins[0] if len(begins) == 1 else ""


def default_for(memory: int) -> CatalogueModel:
    """The default model for a computer with so many bytes of memory.

    It is the smallest one if the memory is not known (0) or too small for any.
    """
    defaults = [model for model in chat_models() if model.default]
    suitable = [model for model in defaults if suits(model, memory)]
    return suitable[-1] if suitable else defaults[0]


def suits(model: CatalogueModel, memory: int) -> bool:
    """Whether the model is meant for a computer with so many bytes of memory."""
    return memory >= model.memory_gb * _GIGABYTE * (1 - _MISSING_SHARE)
