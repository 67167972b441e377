"""What ``footnote eval`` does: opens the library that is asked (its own, or a corpus embedded once and kept by its hash),
runs the questions or the claims, and hands back the summary."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rag import __version__
from rag.bot import Bot
from rag.config import READER, Config
from rag.domain import Document
from rag.errors import Unreadable, Usage
from rag.eval import checker, run
from rag.eval.cases import cases, sample
from rag.events import Event
from rag.load import walk
from rag.weights import MINILM, READER_FILE, chat_model, fingerprint, sha256

Progress = Callable[[Event], None]
Say = Callable[[str], None]


class _Asked:
    """A bot that is asked without leaving a trace in its history."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.search = bot.search

    def ask(self, question: str) -> Iterator[Event]:
        return self._bot.ask(question, save=False)

    def document(self, name: str) -> Document:
        return self._bot.document(name)


def evaluate(
    config: Config,
    questions: str,
    corpus: Sequence[str],
    *,
    retrieval_only: bool,
    limit: int | None,
    seed: int,
    out: str | None,
    say: Say,
    progress: Progress,
) -> dict[str, Any]:
    """The run object, also written to `out` (else to the home's ``runs`` folder). An interrupted run goes on."""
    drawn = sample(cases(questions), limit, seed)
    with opened(config, corpus, progress) as (bot, about):
        setup = run.Setup({**about, "questions": sha256(questions), "seed": seed}, _weights(bot.config), __version__)
        place = out or str(Path(config.home) / "runs" / f"{run.fingerprint(setup, drawn, retrieval_only)[:16]}.json")
        os.makedirs(os.path.dirname(os.path.abspath(place)), exist_ok=True)
        for number, record in enumerate(run.run(_Asked(bot), drawn, place, setup, say, retrieval_only), 1):
            say(f"{number} of {len(drawn)}  {record['question']}\r")
        return run.read(place)


def measure_checker(config: Config, claims: str, limit: int | None, seed: int, say: Say) -> dict[str, Any]:
    """The checker's figures on labelled claims."""
    import random

    found = list(checker.claims(claims))
    if limit is not None and limit < len(found):
        found = random.Random(seed).sample(found, limit)  # noqa: S311
    records = []
    with Bot.open(config) as bot:
        for number, record in enumerate(checker.judge(found, bot.check), 1):
            say(f"{number} of {len(found)} claims\r")
            records.append(record)
    return {"schema": run.SCHEMA, "version": __version__, "summary": checker.measure(records)}


@contextmanager
def opened(config: Config, corpus: Sequence[str], progress: Progress) -> Iterator[tuple[Bot, dict[str, Any]]]:
    """The bot that is asked, and what the run file says about it. A corpus becomes a library named by its hash."""
    about = {key: value for key, value in asdict(config).items() if key not in ("home", "library")}
    if corpus:
        digest = _hash(corpus)
        config = replace(config, library=f"eval-{digest[:16]}")
        about["corpus"] = digest
    else:
        about["library"] = config.library
    with Bot.open(config) as bot:
        if corpus:
            for event in bot.add(list(corpus)):
                progress(event)
        else:
            about["revision"] = bot.revision()  # an interrupted run goes on only over the same documents
        yield bot, about


def _hash(corpus: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for path in corpus:
        try:
            files = list(walk(path))
        except Unreadable as error:
            raise Usage(f"--corpus {error}", error.cure) from error
        for file in files:
            digest.update(f"{file.source}\0{sha256(file.path)}\0".encode())
    return digest.hexdigest()


def _weights(config: Config) -> dict[str, str]:
    found = {"embedder": MINILM.sha256, "reader": READER_FILE.sha256}  # the reader also judges what a chat model writes
    if config.model != READER:
        found["model"] = fingerprint(config.home, chat_model(config.home, config.model).path)
    return found
