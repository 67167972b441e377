"""The demonstration library: five news articles that the package carries, and three questions about them."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.cli.console import Console, run_ingest
from rag.errors import LibraryMissing, RagError

if TYPE_CHECKING:
    from rag.bot import Bot

LIBRARY = "demo"  #: name of the library that `footnote demo` makes in the home
QUESTIONS = (
    "How many individual sanctions has Russia faced?",
    "Whom did Lavrov meet in New Delhi?",
    "What did Borrell say about Russia in Africa?",
)


def seeds() -> Path:
    """The folder of the articles: inside the installed package, or in the root of a checkout.

    Raises `RagError` if neither has it.
    """
    package = Path(str(files("rag")))
    for folder in (package / "seeds", package.parent / "seeds"):
        if any(folder.glob("*.txt")):
            return folder
    raise RagError(
        f"the demonstration documents are not in {package / 'seeds'}",
        "install the package again",
    )


def add_missing(say: Console, bot: Bot) -> None:
    """Add the articles to the library of `bot`, unless it has all of them."""
    folder = seeds()
    wanted = {f"{folder.name}/{path.name}" for path in folder.glob("*.txt")}
    try:
        ready = {document.source for document in bot.documents() if document.state == "ready"}
    except LibraryMissing:
        ready = set()
    if wanted <= ready:
        return
    say.progress("adding the demonstration documents ...")
    as_json, say.json = say.json, False  # the report of the ingest is no part of the output
    try:
        run_ingest(say, bot.add([str(folder)]))
    finally:
        say.json = as_json


def answer_questions(say: Console) -> None:
    """Ask `QUESTIONS` and print the answers: as text, or with `--json` as one object."""
    from rag import serialize
    from rag.cli.output import print_answer
    from rag.events import Answered

    answers = []
    with say.bot() as bot:
        for question in QUESTIONS:
            for event in bot.ask(question, save=False):
                if not isinstance(event, Answered):
                    continue
                answers.append(serialize.answer(event.answer))
                if not say.json:
                    click.echo(f"❯ {question}")
                    print_answer(event.answer, say.quiet, measured=bot.rates)
                    click.echo()
    if say.json:
        say.object({"answers": answers})
