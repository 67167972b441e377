"""Footnote answers questions about your own documents; every sentence has a checked footnote.

    a document   path -load-> RawDocument -clean-> Document -chunk-> Chunks -embed-> vectors
                 -> library (SQLite, the truth) and index (Chroma, can be made again)
    a question   str -retrieve-> Passages -read or generate-> pieces -cite-> Sentences
                 -check-> Claims -> Answer

`rag.ingest` and `rag.answer` run these two flows. `Bot` is the front door: it opens the library and
the models. `Engine` is the same front door in a child process. Importing this package imports only
the standard library.

    from rag import Bot, Config
    with Bot.open(Config(home="...")) as bot:
        for event in bot.add(["docs/"]): ...
        for event in bot.ask("Who ...?"): ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.config import Config
    from rag.engine import Engine

__all__ = ["Bot", "Config", "Engine", "__version__"]
__version__ = "0.1.0"

_HOMES = {"Bot": "rag.bot", "Config": "rag.config", "Engine": "rag.engine"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
