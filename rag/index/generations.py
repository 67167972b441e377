"""Generations of the index: numbered folders, each complete once it has a manifest.

A generation is the folder ``gen-<n>`` with the files of Chroma and the postings of the words. Its
manifest ``gen-<n>.json`` has the hash of every file and the revision of the library. The manifest
is renamed into place after all files are synced, so a folder without one is incomplete: no reader
opens it and the next writer removes it. No pointer file exists that could disagree.

``chroma.sqlite3`` is not hashed, because Chroma writes to it whenever it opens it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, TypedDict

from rag.disk.atomic_files import replace_file, sha256
from rag.disk.disk_errors import disk_errors_named
from rag.index.bm25 import TERMS

#: folder of the postings in that of a generation
WORDS = "words"

_UNHASHED = "chroma.sqlite3"
#: names of folders and manifests; other names in the folder are not ours
_GENERATION = re.compile(r"gen-([1-9][0-9]{0,17})(\.json)?", re.ASCII)
#: errors that prevent reading of files that may be complete
_UNREADABLE_NOW = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM)

#: file -> (inode, size, times): changes whenever a file is written
Stamps = dict[str, tuple[int, ...]]


class Manifest(TypedDict):
    """The content of ``gen-<n>.json``."""

    revision: int
    count: int  # chunks
    files: dict[str, str]  # path in the generation's folder -> SHA-256


class Generation(NamedTuple):
    """A complete generation."""

    number: int
    manifest: Manifest

    @property
    def revision(self) -> int:
        """The revision of the library that it was made from."""
        return self.manifest["revision"]

    @property
    def has_words(self) -> bool:
        """Whether it has postings; those of older versions have none, or others."""
        return f"{WORDS}/{TERMS}" in self.manifest["files"]


class Generations:
    """The generations in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, number: int) -> Path:
        """The folder of a generation."""
        return self.folder / f"gen-{number}"

    def manifest_path(self, number: int) -> Path:
        """The manifest of a generation."""
        return self.folder / f"gen-{number}.json"

    def numbers(self) -> list[int]:
        """The numbers of all folders and manifests, complete or not."""
        return [int(match[1]) for match in self._matches()]

    def newest_manifest(self) -> int:
        """The highest number that has a manifest; 0 if there is none."""
        return max((int(match[1]) for match in self._matches() if match[2]), default=0)

    def _matches(self) -> list[re.Match[str]]:
        return [match for name in self._names() if (match := _GENERATION.fullmatch(name))]

    def _names(self) -> list[str]:
        """The names in the folder. Raises `RagError` if it may not be read."""
        try:
            return os.listdir(self.folder)
        except OSError as error:
            if error.errno not in _UNREADABLE_NOW:
                return []
            with disk_errors_named(self.folder):
                raise
        raise AssertionError("disk_errors_named raises")

    def newest(self) -> Generation | None:
        """Return the newest generation whose files match their hashes.

        Raises `RagError` if one may not be read, because it may be complete.
        """
        for number in sorted(set(self.numbers()), reverse=True):
            try:
                manifest = json.loads(self.manifest_path(number).read_text(encoding="utf-8"))
                revision = manifest["revision"]
                if isinstance(revision, int) and manifest["files"] == hash_files(self.path(number)):
                    return Generation(number, manifest)
            except OSError as error:
                if error.errno in _UNREADABLE_NOW:
                    with disk_errors_named(self.folder):
                        raise
            except (ValueError, LookupError, TypeError, RecursionError):
                continue
        return None

    def complete(self, number: int, revision: int, count: int) -> None:
        """Write the manifest of a generation whose files are synced."""
        files = hash_files(self.path(number))
        manifest = Manifest(revision=revision, count=count, files=files)
        replace_file(self.manifest_path(number), json.dumps(manifest))

    def remove_except(self, kept: Iterable[int]) -> None:
        """Remove folders and manifests of all generations but `kept`."""
        for number in set(self.numbers()) - set(kept):
            for path in (self.manifest_path(number), self.path(number)):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)

    def remove_incomplete(self) -> list[str]:
        """Remove what no reader would open and return the names.

        These are incomplete generations, those that are newer than the newest undamaged one, and
        temporary manifests of a killed writer.
        """
        newest = self.newest()
        numbers = set(self.numbers())
        kept = {
            number
            for number in numbers
            if newest and number <= newest.number and self.manifest_path(number).exists()
        }
        names = [f"gen-{number}" for number in sorted(numbers - kept)]
        self.remove_except(kept)
        for temporary in self.folder.glob(".gen-*.tmp"):
            temporary.unlink(missing_ok=True)
            names.append(temporary.name)
        return names


def copy_generation(source: Path, target: Path) -> None:
    """Copy the folder of a generation.

    SQLite copies Chroma's database: a reader that opens it writes to it and to a journal next to
    it.
    """
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(f"{_UNHASHED}*"))
    with (
        closing(sqlite3.connect(source / _UNHASHED)) as old,
        closing(sqlite3.connect(target / _UNHASHED)) as new,
    ):
        old.backup(new)


def file_stamps(path: Path) -> Stamps:
    """Return identity, size and times of the hashed files in a folder; {} if it cannot be read."""
    try:
        stats = [(file, file.stat()) for file in path.rglob("*") if _is_hashed(file)]
    except OSError:
        return {}
    return {str(p): (s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in stats}


def hash_files(path: Path) -> dict[str, str]:
    """Return the SHA-256 of every hashed file of a generation, by its path in the folder.

    Raises `FileNotFoundError` if Chroma's database is missing.
    """
    files = [file for file in path.rglob("*") if file.is_file()]
    if not any(file.name == _UNHASHED for file in files):
        raise FileNotFoundError(path / _UNHASHED)
    return {
        file.relative_to(path).as_posix(): sha256(file)
        for file in sorted(files)
        if _is_hashed(file)
    }


def _is_hashed(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(_UNHASHED)


def sync_files(path: Path) -> None:
    """Sync all files and folders of a generation, and its parent folder, to the disk."""
    for file in [*path.rglob("*"), path, path.parent]:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
