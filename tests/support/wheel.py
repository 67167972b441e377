"""Check what a built wheel holds: ``python -m tests.support.wheel dist``."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from rag.inference.weights import PART_READER_FILE, READER_FILE

NEEDED = (
    "rag/__init__.py",
    "rag/py.typed",
    "rag/models/reader.gguf",
    "rag/models/reader.json",
    "rag/models/part_reader.gguf",
    "rag/models/part_reader.json",
    "rag/models/judge.json",
    "rag/models/models.md",
    "rag/seeds/questions.jsonl",
    "tui/__init__.py",
    "tui/py.typed",
    "tui/tui.tcss",
)
LICENCES = ("LICENSE", "CC-BY-SA-4.0.txt")  # file names below *.dist-info/licenses/


def missing(names: Iterable[str]) -> list[str]:
    """What a wheel with these file names lacks."""
    there = set(names)
    lacks = [name for name in NEEDED if name not in there]
    lacks += [
        f"the licence text {name}"
        for name in LICENCES
        if not any(n.endswith(f"/{name}") for n in there)
    ]
    if sum(n.startswith("rag/seeds/") and n.endswith(".txt") for n in there) != 5:
        lacks.append("five articles in rag/seeds/")
    return lacks


def main(folder: str) -> None:
    """Print name and size of the one wheel in `folder`; exit 1 with a list if something is missing."""
    (path,) = Path(folder).glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        lacks = missing(wheel.namelist())
        weights = {
            file: hashlib.sha256(wheel.read(f"rag/models/{file.file}")).hexdigest()
            for file in (READER_FILE, PART_READER_FILE)
        }
        strangers = sorted({name.split("/")[0] for name in wheel.namelist()} - {"rag", "tui"})
        (record,) = (
            (name for name in strangers if name.endswith(".dist-info"))
            if len(strangers) == 1
            else ("",)
        )
    for file, digest in weights.items():
        if digest != file.sha256:
            lacks.append(f"{file.file} with SHA-256 {file.sha256}; its own has {digest}")
    if not record:
        lacks.append(f"nothing but rag, tui and its metadata; it has {', '.join(strangers)}")
    if lacks:
        raise SystemExit(f"{path} lacks:\n  " + "\n  ".join(lacks))
    print(f"{path}: {path.stat().st_size / 2**20:.1f} MB, complete")


if __name__ == "__main__":
    main(*sys.argv[1:])
