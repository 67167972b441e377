"""The command `demo`: five news articles of the package, and three questions about them."""

from __future__ import annotations

import gc
import sys
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag.cli.console import Console, common_options
from rag.errors import LibraryMissing, RagError

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.config import Config
    from rag.eval.run_views import RunViews

#: The name of the library that `footnote demo` makes in the home.
LIBRARY = "demo"
#: The questions that are asked outside a terminal.
QUESTIONS = (
    "How many individual sanctions has Russia faced?",
    "Whom did Lavrov meet in New Delhi?",
    "What did Borrell say about Russia in Africa?",
)


@click.command()
@common_options
@click.pass_context
def demo(context: click.Context) -> None:
    """Open the chat over five packaged articles; outside a terminal, ask three questions."""
    console = context.ensure_object(Console)
    console.typed.setdefault("library", LIBRARY)
    with console.bot() as bot:
        add_missing(console, bot)
    if console.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        answer_questions(console)
        return
    context.exit(open_chat(console.config()))


def open_chat(config: Config) -> int:
    """Open the chat and return its exit code.

    Until the first paint no cycles are collected: nothing that is imported and made is garbage.
    """
    gc.disable()
    try:
        from tui.app import run

        return run(config, seeds, partial(_runs, config.home))
    finally:
        gc.enable()


def _runs(home: str) -> RunViews:
    """Return what reads measured runs, which is imported when they are first shown."""
    from rag.eval.run_views import RunViews

    return RunViews(home)


def seeds(package: Path | None = None) -> Path:
    """The folder of the articles: inside the installed package, or in the root of a checkout.

    `package` is the folder of the package, None for the one that runs. Raises `RagError` if
    neither has it.
    """
    package = package or Path(str(files("rag")))
    for folder in (package / "seeds", package.parent / "seeds"):
        if any(folder.glob("*.txt")):
            return folder
    raise RagError(
        f"the demonstration documents are not in {package / 'seeds'}",
        "install the package again",
    )


def add_missing(console: Console, bot: Bot) -> None:
    """Add the articles to the library of `bot`, unless it has all of them."""
    from rag.cli.ingest_run import run_ingest

    folder = seeds()
    sources = {f"{folder.name}/{path.name}" for path in folder.glob("*.txt")}
    try:
        present = {document.source for document in bot.documents() if document.state == "ready"}
    except LibraryMissing:
        present = set()
    if sources <= present:
        return
    console.progress("adding the demonstration documents ...")
    as_json, console.json = console.json, False  # the report of the ingest is not printed
    try:
        run_ingest(console, bot.add([str(folder)]))
    finally:
        console.json = as_json


def answer_questions(console: Console) -> None:
    """Ask `QUESTIONS` and print the answers: as text, or with `--json` as one object."""
    from rag import serialize
    from rag.cli.output import print_answer
    from rag.events import Answered

    answers = []
    with console.bot() as bot:
        for question in QUESTIONS:
            for event in bot.ask(question, save=False):
                if not isinstance(event, Answered):
                    continue
                answers.append(serialize.answer(event.answer))
                if not console.json:
                    click.echo(f"❯ {question}")
                    print_answer(event.answer, console.quiet, measured=bot.rates)
                    click.echo()
    if console.json:
        console.object({"answers": answers})
