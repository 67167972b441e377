"""Check the engine, models, library, index, disk, memory and network switches.

Nothing is changed. Every finding has a hint.
"""

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
from rag.inference.server_check import check_server
from rag.ingest.chunk import CHUNKER_VERSION
from rag.library.library import Library

#: bytes that should be free on the disk of the home, and in memory
_MIN_DISK_BYTES = 500 * 2**20
_MIN_MEMORY_BYTES = 2**30
_EARLIER_VERSION = (
    "the passages are of an earlier version, without the structure of tables and lists"
)
_REPAIR = "footnote doctor --repair"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. `cure` is the hint if it is not `good`."""

    what: str
    good: bool
    says: str
    cure: str = ""


def run_checks(config: Config) -> Iterator[Finding]:
    """Run all checks, in the order of their dependencies."""
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
        versions = ", ".join(f"{name} {version(name)}" for name in names)
    except PackageNotFoundError as error:
        says = f"the package {error.name} is not installed"
        return Finding("engine", False, says, "make chat installs everything")
    return Finding("engine", True, f"{versions}; {os.cpu_count()} cores")


def _embedder(config: Config) -> Finding:
    try:
        embedding = embedders.open_embedder(config)
        try:
            says, note = embedding.check(), embedders.chunk_sizes(embedding, config.chunk_tokens)[2]
        finally:
            embedding.close()
    except (RagError, OSError, ValueError, KeyError) as error:
        return Finding("embedder", False, str(error), getattr(error, "cure", "") or _REPAIR)
    return Finding("embedder", True, f"{says}; {note}" if note else says)


def _writer(config: Config) -> Finding:
    try:
        if config.model == READER:
            weights.verified_reader_file()
            weights.verified_part_reader_file()
            return Finding("model", True, f"{_reader()}: the built-in reader, which quotes")
        if config.server:
            return Finding("model", True, check_server(config.server, config.server_seconds))
        model, _ = model_trial.find_tried_chat_model(config.home, config.model)
    except RagError as error:
        return Finding("model", False, str(error), error.cure)
    size = (weights.size(model.path) or 0) / 2**20
    return Finding("model", True, f"{model.name}, {size:,.0f} MB")


def _reader() -> str:
    """The reader's model file in words."""
    return f"{weights.READER_FILE.name} {weights.READER_FILE.sha256[:12]}, verified"


def _check(config: Config) -> Finding:
    """The model of the check, which is the reader also for answers of a chat model."""
    try:
        weights.verified_reader_file()
        says = weights.checker_error_rates().says
    except RagError as error:
        return Finding("check", False, str(error), error.cure)
    return Finding("check", True, says if config.model == READER else f"{_reader()}; {says}")


def _threshold(config: Config) -> Iterator[Finding]:
    """The calibrated threshold of the library; nothing if it has none."""
    try:
        calibrated = calibration.load_calibration(config.folder)
    except RagError as error:
        yield Finding("threshold", False, str(error), error.cure)
        return
    if not calibrated:
        return
    says, misfit = f"the reader {calibrated.says}", calibrated.misfit(config)
    if misfit:
        says += f"; not in use: {misfit}"
    cure = (
        "footnote calibrate QUESTIONS.jsonl fits it again; "
        "footnote calibrate --reset removes the threshold"
    )
    yield Finding("threshold", not misfit, says, cure)


def _library(config: Config) -> Iterator[Finding]:
    """The library, the files that could not be read, and the index."""
    library: Library | None = None
    try:
        with disk_errors_named(config.folder):
            embedding = embedders.open_embedder(config)
            library = Library(
                config.folder,
                identity=f"{embedding.identity} chunks {CHUNKER_VERSION}",
                cure=partial(embedders.embedder_mismatch_cure, config),
            )
            yield _content(library)
            if library.chunked_by_earlier_version:
                yield Finding("version", False, _EARLIER_VERSION, "footnote sync")
            failed = [item for item in library.files.listings() if item.reason]
            if failed:
                first = failed[0]
                says = f"{len(failed)} could not be read, first {first.source}: {first.reason}"
                yield Finding("files", False, says, "footnote list")
            yield _index(library, VectorIndex(config.folder / "vectors", embedding.dimension))
    except RagError as error:
        yield Finding("library", False, str(error), error.cure)
    finally:
        if library is not None:
            library.close()


def _content(library: Library) -> Finding:
    documents, passages = library.documents.counts()
    faults = library.integrity.wrong()
    counts = f"{documents} documents, {passages} passages"
    says = "; ".join(faults) or f"{counts}, every row matches its checksum, words agree"
    return Finding("library", not faults, says, _REPAIR)


def _rights(config: Config) -> Iterator[Finding]:
    """Who may read the library; nothing if there is none."""
    if not os.path.isdir(config.folder):
        return
    readable = permissions.open_to_others(config.folder)
    says = "only you can read the library and the history"
    if readable:
        says = (
            f"others can read {len(readable)} files and folders of the library, first {readable[0]}"
        )
    yield Finding("rights", not readable, says, _REPAIR)


def _index(library: Library, vectors: VectorIndex) -> Finding:
    try:
        agrees = (
            vectors.revision() == library.revision
            and vectors.chunk_ids() == library.table_vectors.ids_with_vector()
        )
    except LibraryBroken:
        agrees = False
    # The index may be intact: a right is missing, or memory.
    except RagError as error:
        return Finding("index", False, str(error), error.cure)
    finally:
        vectors.close()
    says = "intact, and has the passages of the library"
    if not agrees:
        says = "missing, damaged, or behind, as after a stopped add until the next question"
    return Finding("index", agrees, says, "footnote rebuild")


def _disk(config: Config) -> Finding:
    folder = Path(config.home)
    while not os.path.isdir(folder):
        folder = folder.parent
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        says = f"the free space at {config.home} is not known: {error}"
        return Finding("disk", False, says, "see that it can be read")
    says = f"{free / 2**30:.1f} GB free at {config.home}"
    return Finding("disk", free >= _MIN_DISK_BYTES, says, "make room, or use another --home")


def _memory() -> Finding:
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return Finding("memory", True, "not known on this platform")
    return Finding(
        "memory",
        free >= _MIN_MEMORY_BYTES,
        f"{free / 2**30:.1f} GB free",
        "close other programs: adding documents takes about 1 GB",
    )


def _offline() -> Finding:
    switches = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    switched = all(os.environ.get(name) == "1" for name in switches)
    steering = [name for name in os.environ if name.upper().startswith("CHROMA_")]
    good, says = switched and not steering, f"steered by {steering}"
    if good:
        says = "hub access is off, no variable steers Chroma"
    return Finding("offline", good, says, "unset these variables")
