"""What is well and what is not: engine, models, library, index, disk, memory, offline. Looks only; every finding has its cure."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rag.answer import calibration
from rag.config import READER, Config
from rag.disk import permissions
from rag.disk.disk_errors import disk_errors_named
from rag.errors import LibraryBroken, RagError
from rag.index.chroma import VectorIndex
from rag.inference import embedders, model_trial, weights
from rag.ingest.chunk import CHUNKER_VERSION
from rag.library.library import Library

_LEAST_DISK = 500 * 2**20
_CURE = "footnote doctor --repair"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `cure` is what helps where it is not `good`."""

    what: str
    good: bool
    says: str
    cure: str = ""


def run_checks(config: Config) -> Iterator[Finding]:
    """All findings, in the order in which things depend on each other."""
    yield _engine()
    yield _embedder(config)
    yield _writer(config)
    yield _check(config)
    yield from _library(config)
    yield from _threshold(config)
    yield from _rights(config)
    yield _disk(config)
    yield _memory()
    yield _offline()


def _engine() -> Finding:
    names = ("llama-cpp-python", "chromadb", "sentence-transformers", "textual")
    try:
        return Finding(
            "engine",
            True,
            ", ".join(f"{name} {version(name)}" for name in names) + f"; {os.cpu_count()} cores",
        )
    except PackageNotFoundError as error:
        return Finding(
            "engine",
            False,
            f"the package {error.name} is not installed",
            "make chat installs everything",
        )


def _embedder(config: Config) -> Finding:
    try:
        embedding = embedders.open_embedder(config)
        try:
            says, note = embedding.check(), embedders.chunk_sizes(embedding, config.chunk)[2]
        finally:
            embedding.close()
    except (RagError, OSError, ValueError, KeyError) as error:
        return Finding("embedder", False, str(error), getattr(error, "cure", "") or _CURE)
    return Finding("embedder", True, f"{says}; {note}" if note else says)


def _writer(config: Config) -> Finding:
    try:
        if config.model == READER:
            weights.verified_reader_file()
            return Finding("model", True, f"{_reader()}: the built-in reader, which quotes")
        found, _ = model_trial.find_tried_chat_model(config.home, config.model)
    except RagError as error:
        return Finding("model", False, str(error), error.cure)
    return Finding(
        "model", True, f"{found.name}, {(weights.size(found.path) or 0) / 2**20:,.0f} MB"
    )


def _reader() -> str:
    return f"{weights.READER_FILE.name} {weights.READER_FILE.sha256[:12]}, verified"


def _check(config: Config) -> Finding:
    """The reader checks every answer, also those of a chat model."""
    try:
        weights.verified_reader_file()
        says = weights.checker_error_rates().says
    except RagError as error:
        return Finding("check", False, str(error), error.cure)
    return Finding("check", True, says if config.model == READER else f"{_reader()}; {says}")


def _threshold(config: Config) -> Iterator[Finding]:
    """Only where the library has a threshold of its own."""
    try:
        found = calibration.load_calibration(config.folder)
    except RagError as error:
        yield Finding("threshold", False, str(error), error.cure)
        return
    if found:
        misfit = found.misfit(config)
        says = f"the reader {found.says}"
        again = "footnote calibrate QUESTIONS.jsonl fits it again; footnote calibrate --reset forgets it"
        yield Finding(
            "threshold", not misfit, says + (f"; not in use: {misfit}" if misfit else ""), again
        )


def _library(config: Config) -> Iterator[Finding]:
    library: Library | None = None
    try:
        with disk_errors_named(config.folder):
            embedding = embedders.open_embedder(config)
            library = Library(
                config.folder,
                identity=f"{embedding.identity} chunks {CHUNKER_VERSION}",
                cure=partial(embedders.embedder_mismatch_cure, config),
            )
            documents, passages = library.counts()
            wrong = library.care.wrong()
            said = f"{documents} documents, {passages} passages, every row matches its checksum, words agree"
            yield Finding("library", not wrong, "; ".join(wrong) or said, _CURE)
            failed = [item for item in library.listings() if item.reason]
            if failed:
                says = (
                    f"{len(failed)} could not be read, first {failed[0].source}: {failed[0].reason}"
                )
                yield Finding("files", False, says, "footnote list")
            yield _index(library, VectorIndex(config.folder / "vectors", embedding.dimension))
    except RagError as error:
        yield Finding("library", False, str(error), error.cure)
    finally:
        if library is not None:
            library.close()


def _rights(config: Config) -> Iterator[Finding]:
    """Only where there is a library: who may read it."""
    if os.path.isdir(config.folder):
        loose = permissions.open_to_others(config.folder)
        says = (
            f"others can read {len(loose)} files and folders of the library, first {loose[0]}"
            if loose
            else ""
        )
        yield Finding(
            "rights", not loose, says or "only you can read the library and the history", _CURE
        )


def _index(library: Library, vectors: VectorIndex) -> Finding:
    try:
        agrees = vectors.revision() == library.revision and vectors.chunk_ids() == library.ids()
    except LibraryBroken:
        agrees = False
    except RagError as error:  # it may be whole: a right is missing, or memory
        return Finding("index", False, str(error), error.cure)
    finally:
        vectors.close()
    says = (
        "whole, as new as the library, and holds what it holds"
        if agrees
        else "missing, damaged, or behind, as a stopped add leaves it until the next question"
    )
    return Finding("index", agrees, says, "footnote rebuild")


def _disk(config: Config) -> Finding:
    place = Path(config.home)
    while not os.path.isdir(place):
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(
            "disk",
            False,
            f"what is free at {config.home} cannot be told: {error}",
            "see that it can be read",
        )
    return Finding(
        "disk",
        free >= _LEAST_DISK,
        f"{free / 2**30:.1f} GB free at {config.home}",
        "make room, or use another --home",
    )


def _memory() -> Finding:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return Finding("memory", True, "not known on this platform")
    return Finding(
        "memory",
        free >= 2**30,
        f"{free / 2**30:.1f} GB free",
        "close other programs: adding documents takes about 1 GB",
    )


def _offline() -> Finding:
    switched = all(
        os.environ.get(name) == "1" for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    )
    steering = [name for name in os.environ if name.upper().startswith("CHROMA_")]
    good = switched and not steering
    return Finding(
        "offline",
        good,
        "hub access is off, no variable steers Chroma" if good else f"steered by {steering}",
        "unset these variables",
    )
