"""The commands that change or list the library: add, sync, remove, rebuild, list, show."""

from __future__ import annotations

import os

import click

from rag.cli import streams
from rag.cli.console import Console, common_options, print_progress
from rag.cli.ingest_run import confirm_removal, run_ingest, watch_and_sync

_REMOVAL_INTERRUPTED = "footnote: interrupted; footnote list shows the documents that are left"

_forget_option = click.option(
    "--forget", is_flag=True, help="Remove vanished documents even if they are many."
)


@click.command()
@click.argument("paths", nargs=-1, required=True)
@_forget_option
@common_options
@click.pass_obj
def add(console: Console, paths: tuple[str, ...], forget: bool) -> None:
    """Add files, folders, or a .jsonl corpus.

    Documents of a folder whose files have vanished are removed. They are kept, and counted in the
    report, if the whole folder is empty, or if it had ten documents or more and more than half of
    them have vanished: see --forget.
    """
    if not streams.current_folder() and not all(map(os.path.isabs, paths)):
        raise FileNotFoundError("the current folder")
    with console.bot() as bot:
        if not run_ingest(console, bot.add(list(paths), forget)):
            raise SystemExit(1)


@click.command()
@click.option("--watch", is_flag=True, help="Continue to add changes until ctrl+c.")
@_forget_option
@common_options
@click.pass_obj
def sync(console: Console, watch: bool, forget: bool) -> None:
    """Update everything that was added: new, changed, moved and vanished files.

    Documents whose files have vanished are removed. They are kept, and counted in the report, if a
    whole folder is empty, or if it had ten documents or more and more than half of them have
    vanished: see --forget. Documents of a folder that is missing or cannot be read are always kept.
    """
    with console.bot() as bot:
        if watch:
            watch_and_sync(console, bot, forget)
        elif not run_ingest(console, bot.sync(forget)):
            raise SystemExit(1)


@click.command()
@click.argument("document")
@click.option("-y", "--yes", is_flag=True, help="Remove several documents without confirmation.")
@common_options
@click.pass_obj
def remove(console: Console, document: str, yes: bool) -> None:
    """Remove a document (by source, path or id), or all below a folder.

    Several documents must be confirmed: in a terminal by an answer, elsewhere by --yes.
    """
    with console.bot() as bot:
        if not yes:
            confirm_removal(console, bot.held(document))
        run_ingest(console, bot.remove(document), _REMOVAL_INTERRUPTED)


@click.command()
@common_options
@click.pass_obj
def rebuild(console: Console) -> None:
    """Build the index (Chroma) again from the library, without embedding anything."""
    with console.bot() as bot:
        for event in bot.rebuild():
            print_progress(console, event)
        status = bot.status()
    console.progress(f"rebuilt the index of {status.passages} passages")


@click.command("list")
@common_options
@click.pass_obj
def list_(console: Console) -> None:
    """List the documents of the library."""
    from rag import serialize

    with console.bot() as bot:
        documents = bot.documents()
    if console.json:
        console.object({"documents": [serialize.listing(d) for d in documents]})
        return
    from rag.cli.output import print_listings

    print_listings(documents)


@click.command()
@click.argument("document")
@common_options
@click.pass_obj
def show(console: Console, document: str) -> None:
    """Print the text of a document. Boilerplate is marked with a bar."""
    from rag import serialize

    with console.bot() as bot:
        stored = bot.document(document)
    if console.json:
        console.object(serialize.document(stored))
        return
    from rag.cli.output import print_document

    print_document(stored)
