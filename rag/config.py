"""The settings, as one frozen `Config`: a file, then the environment, then the command line."""

from __future__ import annotations

import os
import re
import reprlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from rag.disk import regular_files
from rag.disk.disk_errors import no_folder
from rag.errors import Unreadable, Usage
from rag.server_address import ServerAddress, parse_server

READER = "reader"  #: the name of the built-in writer
EMBEDDER = "all-MiniLM-L6-v2"  #: the name of the built-in embedder

NEW, LAST = "new", "last"  #: what the chat begins with: a new conversation, or the last one

#: smallest and largest value of every setting that is a number
RANGES = {
    "passages": (1, 1000),
    "candidates": (1, 100_000),
    "rerank": (0, 1000),
    "neighbour_sentences": (0, 100),
    "chunk_tokens": (32, 100_000),
    "context_tokens": (256, 2**20),
    "prompt_tokens": (64, 2**20),
    "answer_tokens": (1, 2**20),
    "temperature": (0.0, 100.0),
    "seed": (-(2**31), 2**32 - 1),
    "threads": (0, 512),
    "server_seconds": (0.1, 3600.0),
    "watch_seconds": (1.0, 86_400.0),
}

#: settings that had another name before 0.1, with the present one
RENAMED = {
    "depth": "candidates",
    "beside": "neighbour_sentences",
    "chunk": "chunk_tokens",
    "context": "context_tokens",
    "answer": "answer_tokens",
}
#: settings that an open program does not take over
_FIXED = ("home", "library", "embedder", "start", "watch_seconds")
#: largest number of any setting; its negative is the smallest
_MAX_NUMBER = 2**31 - 1
#: bytes of the name of a library, which is the name of a folder
_MAX_NAME_BYTES = 255
#: characters of a library's name that a message shows
_MAX_SHOWN = 40
#: parts of a dotted key in the settings file
_MAX_KEY_PARTS = 32
#: names that Windows gives to devices
_DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)),
}
_PREFIX = "FOOTNOTE_"
#: variables with our prefix that are no settings
_NO_SETTING = ("FOOTNOTE_ASCII", "FOOTNOTE_DEBUG", "FOOTNOTE_PROGRESS", "FOOTNOTE_API_KEY")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*")


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. Sizes are in tokens, counts in passages.

    Raises `Usage` for a number out of its range and for an impossible home or library name.
    """

    home: str = ""  #: folder of libraries, models and settings; "" is the platform's data folder
    library: str = "default"  #: name of the library in the home
    model: str = READER  #: "reader", a model in the home, the path of a .gguf, or a server's URL
    embedder: str = ""  #: "" is built in; else a sentence-transformers folder or a GGUF embedder
    passages: int = 5  #: passages that the writer gets
    candidates: int = 100  #: length of each of the two candidate lists before they are fused
    rerank: int = 10  #: fused passages that the reader's model reranks; 0 reranks none
    neighbour_sentences: int = 1  #: sentences added to a passage on either side when it is read
    chunk_tokens: int = 200  #: largest chunk, in tokens
    context_tokens: int = 4096  #: context of the chat model, in tokens
    prompt_tokens: int = 420  #: prompt of the chat model; an answer begins sooner with a short one
    answer_tokens: int = 512  #: longest answer of the chat model, in tokens
    temperature: float = 0.0  #: of the chat model; 0 always takes the likeliest token
    seed: int = 0  #: of the random draws, if temperature is above 0
    start: str = NEW  #: "new", or "last" to open the last conversation when the chat opens
    threads: int = 0  #: threads of the models; 0 is all cores but one; measured for a chat model
    watch_seconds: float = 10.0  #: seconds between two looks of the chat at watched folders
    server_seconds: float = 60.0  #: seconds without a word from a server, after which it has failed

    def __post_init__(self) -> None:
        object.__setattr__(self, "home", _absolute(self.home or _default_home()))
        if self.embedder:
            path = "" if self.embedder == EMBEDDER else _absolute(self.embedder)
            object.__setattr__(self, "embedder", path)
        for name in RANGES:
            _check_range(name, getattr(self, name))
        if not self.model.strip():
            raise Usage("the setting model is empty", "give reader, or a name or path of a model")
        parse_server(self.model)
        if self.start not in (NEW, LAST):
            raise Usage(f"start = {self.start!r} is unknown", f"give {NEW} or {LAST}")
        if "\0" in self.home:
            raise Usage("the path of --home contains a NUL character", "give the path of a folder")
        if any("\ud800" <= character <= "\udfff" for character in self.home):
            raise Usage(
                f"the name of the home {self.home!r} is not UTF-8",
                "use another --home, or rename the folder",
            )
        if fault := _name_fault(self.library):
            name = self.library
            shown = name if len(name) <= _MAX_SHOWN else f"{name[:_MAX_SHOWN]}..."
            raise Usage(
                f"{shown!r} cannot be the name of a library: {fault}",
                "use letters, digits, - and _",
            )

    @property
    def folder(self) -> Path:
        """The folder of this library."""
        return Path(self.home) / "libraries" / self.library

    @property
    def server(self) -> ServerAddress | None:
        """The server whose model answers; None if the model runs in this process."""
        return parse_server(self.model)

    @classmethod
    def read(cls, **typed: Any) -> Config:
        """Read ``HOME/config.toml``, then ``FOOTNOTE_*`` variables, then `typed` values.

        A typed value of None counts as not given. Raises `Usage` for an unknown setting and for a
        value of the wrong type.
        """
        given = {key: value for key, value in typed.items() if value is not None}
        variables = {
            name.removeprefix(_PREFIX).lower(): value
            for name, value in os.environ.items()
            if name.startswith(_PREFIX) and name not in _NO_SETTING
        }
        config = cls(home=given.get("home") or variables.get("home") or "")
        path = Path(config.home) / "config.toml"
        if blocked := no_folder(path.parent):
            raise blocked
        config = _updated(config, _read_file(path), str(path))
        config = _updated(config, variables, "the environment")
        return _updated(config, given, "the command")


class SettingsFile:
    """The settings file of a home, from which an open program takes over what changes.

    A setting that the environment or the command line overrides stays, and so do `_FIXED`.
    """

    def __init__(self, home: str) -> None:
        self._path = Path(home) / "config.toml"
        self._stamp = self._now()
        self._config = self._read() or Config(home=home)

    def follow(self, config: Config) -> Config:
        """Return `config` with the settings that have changed in the file since the last call.

        A file that cannot be read changes nothing, as one that is being edited.
        """
        stamp = self._now()
        if stamp == self._stamp or (new := self._read()) is None:
            return config
        old, self._stamp, self._config = self._config, stamp, new
        changed = {
            field.name: getattr(new, field.name)
            for field in fields(Config)
            if field.name not in _FIXED
            and getattr(old, field.name) == getattr(config, field.name)
            and getattr(old, field.name) != getattr(new, field.name)
        }
        return replace(config, **changed)

    def gives(self, config: Config, setting: str) -> bool:
        """Whether `config` has a setting as the file had it: nothing else has overridden it."""
        return bool(getattr(self._config, setting) == getattr(config, setting))

    def _read(self) -> Config | None:
        """The settings of the file alone; None if it cannot be read."""
        try:
            return _updated(Config(home=str(self._path.parent)), _read_file(self._path), "")
        except Usage:
            return None

    def _now(self) -> tuple[int, int, int]:
        """What differs once the file has changed."""
        try:
            stat = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _default_home() -> str:
    """The platform's folder for application data."""
    from platformdirs import user_data_dir

    return user_data_dir("footnote", appauthor=False)


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _check_range(name: str, value: float) -> None:
    """Raise `Usage` for a value outside its range. NaN is outside every range."""
    smallest, largest = RANGES[name]
    if smallest <= value <= largest:
        return
    fault = "not a number"
    if value < smallest:
        fault = "too small"
    elif value > largest:
        fault = "too large"
    raise Usage(
        f"{name} = {value} is {fault}", f"give {name} at least {smallest} and at most {largest}"
    )


def _name_fault(name: str) -> str:
    """The reason why a library cannot have this name; "" if it can."""
    if not name.strip():
        return "it is empty"
    if any(character in name for character in "/\\\0"):
        return "it contains / or \\ or NUL"
    if name.startswith("."):
        return "it begins with a dot"
    if os.name == "nt" and name.split(".")[0].upper() in _DEVICES:
        return "it is the name of a device"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if size > _MAX_NAME_BYTES:
        return f"it has {size} bytes, at most {_MAX_NAME_BYTES} are possible"
    return ""


def _read_file(path: Path) -> dict[str, Any]:
    """The settings in a file; none if there is no file. Raises `Usage` if it cannot be read."""
    if not os.path.lexists(path):
        return {}
    try:
        text = regular_files.read_text_file(path, regular_files.MAX_SETTINGS_BYTES)
        _check_keys(text)
        return tomllib.loads(text)
    # ValueError is also raised for a whole number of thousands of digits.
    except (Unreadable, ValueError, RecursionError) as error:
        if isinstance(error.__cause__, PermissionError):
            raise Usage(
                f"{path} cannot be read: you have no right to ({error.__cause__.strerror})",
                f"chmod u+rwX {path.parent} {path}",
            ) from error
        reason = "it nests too deep" if isinstance(error, RecursionError) else str(error)[:300]
        raise Usage(f"{path} cannot be read: {reason}", f"correct or remove {path}") from error


def _check_keys(text: str) -> None:
    """Raise `ValueError` for a key of many parts, whose square `tomllib` takes in memory."""
    for number, line in enumerate(text.split("\n"), 1):
        dots = line.count(".")
        if dots > _MAX_KEY_PARTS and _QUOTED.sub("", line).count(".") > _MAX_KEY_PARTS:
            raise ValueError(f"line {number} has a key of more than {_MAX_KEY_PARTS} parts")


def _updated(config: Config, values: Mapping[str, Any], origin: str) -> Config:
    """`config` with other values. Raises `Usage`, which names the `origin` of the values."""
    types = {field.name: type(getattr(config, field.name)) for field in fields(config)}
    for key, value in values.items():
        if new := RENAMED.get(key):
            raise Usage(
                f"{origin}: the setting {key} has another name now: {new}",
                f"write {new} instead of {key}",
            )
        if key not in types:
            raise Usage(
                f"{origin}: unknown setting {reprlib.repr(key)}",
                f"the settings are: {', '.join(types)}",
            )
        try:
            config = replace(config, **{key: _converted(value, types[key])})
        except (TypeError, ValueError, OverflowError) as error:
            raise Usage(
                f"{origin}: {key} = {reprlib.repr(value)} is not of type {types[key].__name__}",
                f"give {key} another value",
            ) from error
    return config


def _converted(value: Any, target: type) -> Any:
    """`value` as `target`: str, int or float. Numbers may be given as text.

    Raises `TypeError` or `ValueError` for anything else: 3.7 is not an int, True is not a number, 5
    is not a str.
    """
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    accepted = {str: (str,), int: (int, str), float: (int, float, str)}[target]
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise TypeError
    converted = target(value)
    if isinstance(converted, str):
        if "\0" in converted:
            raise ValueError("a NUL character in a name")
    elif not abs(converted) <= _MAX_NUMBER:  # True for NaN
        raise ValueError("a number that is too large")
    return converted
