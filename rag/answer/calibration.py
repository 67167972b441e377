"""The reader's threshold as it was fitted to one library: a small file beside the library, written whole or not at all.

It holds for the reader's weights and the settings it was fitted with; with others the shipped threshold is in use again,
and `footnote doctor` says so.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rag.config import EMBEDDER, Config
from rag.disk import regular_files
from rag.disk.atomic_files import replace_file
from rag.disk.disk_errors import describe_disk_error, disk_errors_named
from rag.errors import LibraryBroken, Unreadable, Usage
from rag.inference.weights import READER_FILE

_FILE = "calibration.json"
_SETTINGS = ("passages", "depth", "rerank", "beside")  # what decides which passages the reader sees


@dataclass(frozen=True, slots=True)
class Calibration:
    """`least` is the probability from which the reader answers; the counts are of the questions it was fitted on."""

    least: float
    answerable: int
    unanswerable: int
    reader: str  #: SHA-256 of the weights
    settings: dict[str, int | str]
    expected: dict[str, Any] = field(
        default_factory=dict
    )  #: figures on new questions, cross-validated

    @property
    def says(self) -> str:
        """The threshold in words."""
        asked = f"{self.answerable} answerable and {self.unanswerable} unanswerable questions"
        return f"answers from a probability of {self.least:.2f}, calibrated on {asked}"

    def misfit(self, config: Config) -> str:
        """What it was fitted with that is otherwise now; "" where it holds."""
        own: dict[str, int | str] = {"embedder": EMBEDDER}
        was, now = own | self.settings, own | fitted_settings(config)
        changed = [
            f"{name} was {value}, is {now.get(name)}"
            for name, value in was.items()
            if now.get(name) != value
        ]
        return ", ".join(
            (["the reader is another one"] if self.reader != READER_FILE.sha256 else []) + changed
        )


def fitted_settings(config: Config) -> dict[str, int | str]:
    """The settings that a threshold depends on; of the embedder only where it is not the built-in one."""
    found: dict[str, int | str] = {name: getattr(config, name) for name in _SETTINGS}
    return found | ({"embedder": config.embedder} if config.embedder else {})


def load_calibration(folder: Path) -> Calibration | None:
    """The calibration of the library in `folder`; None where there is none. Raises `LibraryBroken` where it is no such file."""
    path = folder / _FILE
    if not os.path.lexists(path):
        return None
    try:
        found = Calibration(
            **json.loads(regular_files.read_text_file(path, regular_files.MAX_SETTINGS_BYTES))
        )
        if not _sound(found):
            raise ValueError("it is no calibration")
    except (Unreadable, ValueError, TypeError, RecursionError) as error:
        if isinstance(error.__cause__, PermissionError):
            raise describe_disk_error(error.__cause__, folder, _FILE) from error
        raise LibraryBroken(
            f"{path} cannot be read: {error}", "footnote calibrate --reset"
        ) from error
    return found


def _sound(found: Calibration) -> bool:
    """Has each field a value of its kind?"""

    def of(value: object, *kinds: type) -> bool:
        return isinstance(value, kinds) and not isinstance(value, bool)

    return (
        of(found.least, int, float) and 0 <= found.least <= 1
        and of(found.answerable, int) and of(found.unanswerable, int) and isinstance(found.reader, str)
        and isinstance(found.settings, dict) and all(of(value, int, str) for value in found.settings.values())
        and isinstance(found.expected, dict)
    )  # fmt: skip


def active_calibration(config: Config) -> Calibration | None:
    """The calibration that the reader answers by with these settings."""
    found = load_calibration(config.folder)
    return found if found and not found.misfit(config) else None


def save_calibration(folder: Path, found: Calibration) -> None:
    """Keep it beside the library, in place of the one before."""
    replace_file(folder / _FILE, json.dumps(asdict(found), indent=1) + "\n")


def reset_calibration(folder: Path) -> bool:
    """Back to the shipped threshold. Was there another?"""
    path = folder / _FILE
    there = os.path.lexists(path)
    with disk_errors_named(folder, _FILE):
        if path.is_dir() and not path.is_symlink():
            raise Usage(f"{path} is a folder, not a file of this program", "move it away")
        path.unlink(missing_ok=True)
    return there
