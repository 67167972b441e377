"""A generation of the index as Chroma can open it: where it lies, or a copy if it is read-only."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.disk.permissions import can_write


@contextmanager
def openable(path: Path) -> Iterator[Path]:
    """The folder `path` of a generation, or a temporary one in its place if it is read-only.

    Chroma writes to its database when it opens it. The temporary folder has a copy of the database
    and links to the vectors, which are only read.
    """
    files = list(path.iterdir())
    if all(map(can_write, (path, *files))):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="footnote-index-") as name:
        copy = Path(name)
        for file in files:
            if file.is_dir():
                (copy / file.name).symlink_to(file.absolute())
            else:
                shutil.copyfile(file, copy / file.name)
        yield copy
