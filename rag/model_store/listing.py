"""The list of all models: the built-in reader, those of the home, those that can be fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rag.config import READER, Config
from rag.domain import ModelListing
from rag.inference import weights
from rag.inference.llama import total_memory
from rag.inference.model_fit import weights_memory
from rag.model_store import installed
from rag.model_store.catalogue import chat_models, default_for, reader_measured
from rag.model_store.choose import speeds
from rag.model_store.download import size_of


def list_models(config: Config) -> tuple[ModelListing, ...]:
    """Return the reader, the chat models of this computer, and the others of the catalogue."""
    memory = total_memory()
    reader = ModelListing(
        READER,
        "the built-in reader, which quotes",
        True,
        config.model == READER,
        weights.READER_BYTES,
        weights_memory(weights.READER_BYTES),
        memory,
        measured=reader_measured(),
    )
    catalogue = _catalogue(config, memory)
    here = [_of_home(config, model, catalogue, memory) for model in _files(config)]
    names = {entry.name for entry in here}
    return (reader, *here, *(entry for name, entry in catalogue.items() if name not in names))


def _files(config: Config) -> list[weights.ChatModelFile]:
    """Return the chat models of the home, and the one in use if it lies elsewhere."""
    files = weights.list_chat_models(config.home)
    is_known = config.model == READER or any(file.name == config.model for file in files)
    return files if is_known else [*files, weights.ChatModelFile(config.model, Path(config.model))]


def _of_home(
    config: Config,
    model: weights.ChatModelFile,
    catalogue: dict[str, ModelListing],
    memory: int,
) -> ModelListing:
    size = weights.size(model.path) or 0
    known = catalogue.get(model.name, ModelListing(model.name, "", True, False, size, 0, memory))
    speed = speeds(config.home).get((model.name, size))
    return replace(
        known,
        installed=bool(size),
        in_use=config.model == model.name,
        size=size,
        needs=weights_memory(size) if size else 0,
        fetched=0,
        speed=speed.says if speed else "",
    )


def _catalogue(config: Config, memory: int) -> dict[str, ModelListing]:
    default = default_for(memory)
    return {
        model.name: ModelListing(
            model.name,
            f"{model.title}, {model.quantisation}",
            False,
            False,
            model.bytes,
            weights_memory(model.bytes),
            memory,
            model.licence,
            model == default,
            size_of(installed.part_path(config.home, model.name)),
            model.measured,
        )
        for model in chat_models()
    }
