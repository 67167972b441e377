"""One frozen Config: a file < the environment < what was typed. Unknown keys are refused by name."""

from __future__ import annotations

import os
import re
import reprlib
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from rag.disk import regular_files
from rag.disk.disk_errors import no_folder
from rag.errors import Unreadable, Usage

READER = "reader"  #: the name of the built-in writer
EMBEDDER = "all-MiniLM-L6-v2"  #: the name of the built-in embedder
_LONGEST = 255  # bytes of a folder's name
_SHOWN = 40  # characters of a name in a message
_DEVICES = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)),
}
_NO_SETTING = ("FOOTNOTE_ASCII", "FOOTNOTE_DEBUG")  # variables of ours that are no settings

#: least and most of every setting that is a number
RANGES = {
    "passages": (1, 1000),
    "depth": (1, 100_000),
    "rerank": (0, 1000),
    "beside": (0, 100),
    "chunk": (32, 100_000),
    "context": (256, 2**20),
    "answer": (1, 2**20),
    "temperature": (0.0, 100.0),
    "seed": (-(2**31), 2**32 - 1),
    "threads": (0, 512),
}


def _default_home() -> str:
    from platformdirs import user_data_dir

    return user_data_dir("footnote", appauthor=False)


def _no_name(name: str) -> str:
    """Why a library cannot be called so; "" where it can."""
    if not name.strip():
        return "it is empty"
    if any(c in name for c in "/\\\0"):
        return "it holds / or \\ or NUL"
    if name.startswith("."):
        return "it begins with a dot"
    if os.name == "nt" and name.split(".")[0].upper() in _DEVICES:
        return "it is the name of a device"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    return f"it has {size} bytes, at most {_LONGEST} are possible" if size > _LONGEST else ""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that may be set. Sizes in tokens, counts in passages."""

    home: str = ""  #: folder of libraries, models and settings; "" is the platform's data folder
    library: str = "default"  #: name of the library in the home
    model: str = READER  #: "reader", the name of a model in the home, or the path of a .gguf
    embedder: str = ""  #: "" is the built-in one; else the path of a sentence-transformers folder or of a GGUF embedder
    passages: int = 5  #: passages handed to the writer
    depth: int = 100  #: how deep each of the two lists goes before they are fused
    rerank: int = (
        10  #: how many fused passages the reader's model ranks again; 0 leaves them as they were
    )
    beside: int = 1  #: sentences put to a passage on either side when it is read
    chunk: int = 200  #: most tokens of a chunk
    context: int = 4096  #: context of the chat model, in tokens
    answer: int = 512  #: most tokens of an answer
    temperature: float = 0.0  #: of the chat model; 0 always takes the likeliest token
    seed: int = 0  #: of the random draws, where temperature is above 0
    threads: int = 0  #: 0 is all cores but one, at least one

    def __post_init__(self) -> None:
        if not self.home:
            object.__setattr__(self, "home", _default_home())
        object.__setattr__(self, "home", os.path.abspath(os.path.expanduser(self.home)))
        if self.embedder:
            own = self.embedder == EMBEDDER
            object.__setattr__(
                self, "embedder", "" if own else os.path.abspath(os.path.expanduser(self.embedder))
            )
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:  # nor is "not a number" between them
                how = (
                    "too small"
                    if value < least
                    else "too large"
                    if value > most
                    else "not a number"
                )
                raise Usage(
                    f"{name} = {value} is {how}", f"give {name} at least {least} and at most {most}"
                )
        if "\0" in self.home:
            raise Usage("the path of --home holds a NUL character", "give the path of a folder")
        if any("\ud800" <= c <= "\udfff" for c in self.home):
            raise Usage(
                f"the name of the home {self.home!r} is not UTF-8",
                "use another --home, or rename the folder",
            )
        if wrong := _no_name(self.library):
            shown = self.library if len(self.library) <= _SHOWN else f"{self.library[:_SHOWN]}..."
            raise Usage(
                f"{shown!r} cannot be the name of a library: {wrong}",
                "use letters, digits, - and _",
            )

    @property
    def folder(self) -> Path:
        """The folder of this library."""
        return Path(self.home) / "libraries" / self.library

    @classmethod
    def read(cls, **typed: Any) -> Config:
        """Settings from ``HOME/config.toml``, then ``FOOTNOTE_*`` variables, then what was typed (None is not typed).

        Raises `Usage` for a key nobody knows or a value of the wrong kind.
        """
        said = {key: value for key, value in typed.items() if value is not None}
        around = {
            n[9:].lower(): v
            for n, v in os.environ.items()
            if n.startswith("FOOTNOTE_") and n not in _NO_SETTING
        }
        home = said.get("home") or around.get("home") or ""
        path = Path(cls(home=home).home) / "config.toml"
        if blocked := no_folder(path.parent):
            raise blocked
        config = cls(home=home)
        for where, values in (
            (str(path), _file(path)),
            ("the environment", around),
            ("the command", said),
        ):
            config = _merged(config, values, where)
        return config


def _file(path: Path) -> dict[str, Any]:
    """The settings in a file; none where there is no file. Raises `Usage`, naming it, where it cannot be read."""
    if not os.path.lexists(path):
        return {}
    try:
        text = regular_files.read_text_file(path, regular_files.MAX_SETTINGS_BYTES)
        _shallow(text)
        return tomllib.loads(text)
    except (
        Unreadable,
        ValueError,
        RecursionError,
    ) as error:  # of TOML, or a whole number of thousands of digits
        if isinstance(error.__cause__, PermissionError):
            why = f"you have no right to ({error.__cause__.strerror})"
            raise Usage(
                f"{path} cannot be read: {why}", f"chmod u+rwX {path.parent} {path}"
            ) from error
        said = "it nests too deep" if isinstance(error, RecursionError) else str(error)[:300]
        raise Usage(f"{path} cannot be read: {said}", f"mend or remove {path}") from error


def _shallow(text: str) -> None:
    """Raises `ValueError` for keys of many parts: `tomllib` takes memory by the square of them."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _DOTS and _QUOTED.sub("", line).count(".") > _DOTS:
            raise ValueError(f"line {number} has a key of more than {_DOTS} parts")


_DOTS = 32
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*")


def _merged(config: Config, values: dict[str, Any], where: str) -> Config:
    kinds = {f.name: type(getattr(config, f.name)) for f in fields(config)}
    for key, value in values.items():
        if key not in kinds:
            raise Usage(
                f"{where}: nobody knows the setting {reprlib.repr(key)}",
                f"the settings are: {', '.join(kinds)}",
            )
        try:
            config = replace(config, **{key: _of_kind(value, kinds[key])})
        except (TypeError, ValueError, OverflowError) as error:
            said = f"{where}: {key} = {reprlib.repr(value)} is not of kind {kinds[key].__name__}"
            raise Usage(said, f"give {key} another value") from error
    return config


def _of_kind(value: Any, kind: type) -> Any:
    """`value` as `kind`; words are read as numbers, but 3.7 is no count, true no number and 5 no name."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bool) or not isinstance(
        value, str if kind is str else int | str if kind is int else int | float | str
    ):
        raise TypeError
    made = kind(value)
    if isinstance(made, str) and "\0" in made:
        raise ValueError("a zero in a name")
    if (
        isinstance(made, int | float) and not abs(made) <= _LARGEST
    ):  # so written, NaN is refused too
        raise ValueError("a number that no machine takes")
    return made


_LARGEST = 2**31 - 1
