"""Footnote: answers from your own documents, every sentence with a footnote that was checked.

    a document   path -load-> raw -clean-> Document -chunk-> [Chunk] -embed-> [vector] -> library (truth) + vectors (index)
    a question   str -retrieve-> (Passage...) -prompt-> ids -generate | read-> pieces -cite-> [Sentence] -check-> [Claim] -> Answer

`ingest` and `answer` are the two flows; each step is a module with one function or class named like it. `Bot` opens the
machines and owns the lock; `Engine` is the same front door in a child process. Importing this package imports no
library but the standard one.

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
