"""One frozen Config: a file < the environment < what was typed. Unknown keys are refused by name."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from rag.errors import Usage

READER = "reader"  #: the name of the built-in writer
EMBEDDER = "all-MiniLM-L6-v2"  #: the name of the built-in embedder


def _default_home() -> str:
    from platformdirs import user_data_dir

    return user_data_dir("footnote", appauthor=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that may be set. Sizes in tokens, counts in passages."""

    home: str = ""  #: folder of libraries, models and settings; "" is the platform's data folder
    library: str = "default"  #: name of the library in the home
    model: str = READER  #: "reader", the name of a model in the home, or the path of a .gguf
    embedder: str = ""  #: "" is the built-in one; else the path of a sentence-transformers folder or of a GGUF embedder
    passages: int = 5  #: passages handed to the writer
    depth: int = 100  #: how deep each of the two lists goes before they are fused
    rerank: int = 10  #: how many fused passages the reader's model ranks again; 0 leaves them as they were
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
            object.__setattr__(self, "embedder", "" if own else os.path.abspath(os.path.expanduser(self.embedder)))
        low = {"passages": 1, "depth": 1, "rerank": 0, "beside": 0, "chunk": 32, "context": 256, "answer": 1, "threads": 0}  # fmt: skip
        for name, least in low.items():
            if getattr(self, name) < least:
                raise Usage(f"{name} = {getattr(self, name)} is too small", f"give {name} at least {least}")
        if not self.library or any(c in self.library for c in "/\\\0") or self.library.startswith("."):
            raise Usage(f"{self.library!r} cannot be the name of a library", "use letters, digits, - and _")

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
            n[9:].lower(): v for n, v in os.environ.items() if n.startswith("FOOTNOTE_") and n != "FOOTNOTE_ASCII"
        }
        home = said.get("home") or around.get("home") or ""
        path = Path(cls(home=home).home) / "config.toml"
        config = cls(home=home)
        for where, values in ((str(path), _file(path)), ("the environment", around), ("the command", said)):
            config = _merged(config, values, where)
        return config


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Usage(f"{path} cannot be read: {error}", f"mend or remove {path}") from error


def _merged(config: Config, values: dict[str, Any], where: str) -> Config:
    kinds = {f.name: type(getattr(config, f.name)) for f in fields(config)}
    for key, value in values.items():
        if key not in kinds:
            raise Usage(f"{where}: nobody knows the setting {key!r}", f"the settings are: {', '.join(kinds)}")
        try:
            config = replace(config, **{key: _of_kind(value, kinds[key])})
        except (TypeError, ValueError) as error:
            raise Usage(f"{where}: {key} = {value!r} is not of kind {kinds[key].__name__}") from error
    return config


def _of_kind(value: Any, kind: type) -> Any:
    """`value` as `kind`; words are read as numbers, but 3.7 is no count, true no number and 5 no name."""
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bool) or not isinstance(
        value, str if kind is str else int | str if kind is int else int | float | str
    ):
        raise TypeError
    return kind(value)
