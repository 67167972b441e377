"""The reader's threshold as fitted to one library: a small file in the library's folder.

It applies to the reader's weights and the settings it was fitted with. With others the shipped
threshold is used again, and `footnote doctor` says so. The file is written whole or not at all.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from rag.config import EMBEDDER, RENAMED, Config
from rag.disk import regular_files
from rag.disk.atomic_files import replace_file
from rag.disk.disk_errors import describe_disk_error, disk_errors_named
from rag.errors import LibraryBroken, Unreadable, Usage
from rag.inference.weights import READER_FILE

_FILE = "calibration.json"
#: the name of the fit of `rag.answer.judge`, whose probability is compared with the threshold; a
#: new fit gets a new name
_JUDGE = "near misses 3"
#: the settings that decide which passages the reader sees
_SETTINGS = ("passages", "candidates", "rerank", "neighbour_sentences")


@dataclass(frozen=True, slots=True)
class Calibration:
    """A fitted threshold and what it was fitted with. The fields are those of the file."""

    least: float  #: the probability from which the reader answers
    answerable: int  #: questions it was fitted on that the library answers
    unanswerable: int  #: questions it was fitted on that the library does not answer
    reader: str  #: SHA-256 of the reader's weights
    settings: dict[str, int | str]
    #: figures to expect on new questions, cross-validated
    expected: dict[str, object] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """The threshold in words."""
        questions = f"{self.answerable} answerable and {self.unanswerable} unanswerable questions"
        return f"answers from a probability of {100 * self.least:.0f} %, calibrated on {questions}"

    def misfit(self, config: Config) -> str:
        """The weights and settings that differ from those now, in words; "" if none does."""
        built_in: dict[str, int | str] = {"embedder": EMBEDDER, "judge": _JUDGE}
        fitted, current = built_in | self.settings, built_in | fitted_settings(config)
        differences = [
            f"{name} was {value}, is {current.get(name)}"
            for name, value in fitted.items()
            if current.get(name) != value
        ]
        if self.reader != READER_FILE.sha256:
            differences.insert(0, "the reader is another one")
        return ", ".join(differences)


def fitted_settings(config: Config) -> dict[str, int | str]:
    """The settings that a threshold depends on; the embedder only if it is not the built-in one."""
    settings: dict[str, int | str] = {name: getattr(config, name) for name in _SETTINGS}
    settings["judge"] = _JUDGE
    return settings | ({"embedder": config.embedder} if config.embedder else {})


def load_calibration(folder: Path) -> Calibration | None:
    """The calibration of the library in `folder`, or None if it has none.

    Raises `LibraryBroken` if the file is damaged or no calibration, and another `RagError` if the
    user may not read it.
    """
    path = folder / _FILE
    if not os.path.lexists(path):
        return None
    try:
        calibration = Calibration(
            **json.loads(regular_files.read_text_file(path, regular_files.MAX_SETTINGS_BYTES))
        )
        if not _is_valid(calibration):
            raise ValueError("it is no calibration")
        settings = {RENAMED.get(name, name): v for name, v in calibration.settings.items()}
        calibration = replace(calibration, settings=settings)
    except (Unreadable, ValueError, TypeError, RecursionError) as error:
        if isinstance(error.__cause__, PermissionError):
            raise describe_disk_error(error.__cause__, folder, _FILE) from error
        raise LibraryBroken(
            f"{path} cannot be read: {error}", "footnote calibrate --reset"
        ) from error
    return calibration


def _is_valid(calibration: Calibration) -> bool:
    """True if every field has a value of its type, as JSON does not promise."""

    def has_type(value: object, *types: type) -> bool:
        return isinstance(value, types) and not isinstance(value, bool)

    return (
        has_type(calibration.least, int, float)
        and 0 <= calibration.least <= 1
        and has_type(calibration.answerable, int)
        and has_type(calibration.unanswerable, int)
        and isinstance(calibration.reader, str)
        and isinstance(calibration.settings, dict)
        and all(has_type(value, int, str) for value in calibration.settings.values())
        and isinstance(calibration.expected, dict)
    )


def active_calibration(config: Config) -> Calibration | None:
    """The calibration that applies with these settings, or None. Raises as `load_calibration`."""
    calibration = load_calibration(config.folder)
    return calibration if calibration and not calibration.misfit(config) else None


def save_calibration(folder: Path, calibration: Calibration) -> None:
    """Write the calibration to the library's folder, in place of the old one. Raises `OSError`."""
    replace_file(folder / _FILE, json.dumps(asdict(calibration), indent=1) + "\n")


def reset_calibration(folder: Path) -> bool:
    """Remove the calibration, so that the shipped threshold applies. True if there was one.

    Raises `Usage` if a folder has the name of the file, `RagError` if it cannot be removed.
    """
    path = folder / _FILE
    existed = os.path.lexists(path)
    with disk_errors_named(folder, _FILE):
        if path.is_dir() and not path.is_symlink():
            raise Usage(f"{path} is a folder, not a file of this program", "move it away")
        path.unlink(missing_ok=True)
    return existed
