"""The command line: prints events, keeps to the exit codes. Nothing heavy is imported before a command needs it.

stdout carries only the answer, a list or JSON; progress, warnings and timings go to stderr. Everything a stranger wrote
passes `safe` on the way out; JSON is written in ASCII, so no control character reaches a terminal that way either.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rag import __version__
from rag.errors import RagError, Usage
from rag.measure import calibrate, eval_, explain
from rag.safe import protect
from rag.say import Say, everywhere, ingested, mending, progress, watched

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.domain import Answer


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@everywhere
@click.version_option(__version__, prog_name="footnote")
@click.pass_context
def cli(context: click.Context) -> None:
    """Ask your own documents, offline. Every sentence of an answer carries a footnote that was checked.

    Without a command, in a terminal, the chat opens.
    """
    if context.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(context.get_help(), err=True)
        context.exit(2)
    from tui.app import run

    context.exit(run(context.ensure_object(Say).config()))


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@everywhere
@click.pass_obj
def add(say: Say, paths: tuple[str, ...]) -> None:
    """Take in files, folders, or a .jsonl corpus."""
    with say.bot() as bot:
        ingested(say, bot.add(list(paths)))


@cli.command()
@click.option("--watch", is_flag=True, help="Go on: take in what changes, until ctrl+c.")
@everywhere
@click.pass_obj
def sync(say: Say, watch: bool) -> None:
    """Everything added before, again: new, changed, moved and vanished files."""
    with say.bot() as bot:
        if watch:
            watched(say, bot)
        else:
            ingested(say, bot.sync())


@cli.command()
@click.argument("document")
@everywhere
@click.pass_obj
def remove(say: Say, document: str) -> None:
    """Forget a document (by source or id), or all below a folder."""
    with say.bot() as bot:
        ingested(say, bot.remove(document), "footnote: interrupted; footnote list says what is still in")


@cli.command()
@everywhere
@click.pass_obj
def rebuild(say: Say) -> None:
    """Make the index (Chroma) again from the library; nothing is embedded."""
    with say.bot() as bot:
        for event in bot.rebuild():
            progress(say, event)
        documents = bot.status()
    say.progress(f"the index holds {documents.passages} passages again")


@cli.command("list")
@everywhere
@click.pass_obj
def list_(say: Say) -> None:
    """The documents of the library."""
    from rag import wire

    with say.bot() as bot:
        found = bot.documents()
    if say.json:
        say.object({"documents": [wire.listing(d) for d in found]})
        return
    from rag.show import listings

    listings(found)


@cli.command()
@click.argument("document")
@everywhere
@click.pass_obj
def show(say: Say, document: str) -> None:
    """A document's text; page furniture is marked with a bar."""
    from rag import wire

    with say.bot() as bot:
        found = bot.document(document)
    if say.json:
        say.object(wire.document(found))
        return
    from rag.show import document as shown

    shown(found)


@cli.command()
@click.argument("question", nargs=-1)
@click.option("-c", "--continue", "again", is_flag=True, help="Go on with the last conversation.")
@click.option("--jsonl", is_flag=True, help="The stream of events, one JSON object a line.")
@click.option("--strict", is_flag=True, help="Exit 4 where a sentence is not supported.")
@everywhere
@click.pass_obj
def ask(say: Say, question: tuple[str, ...], again: bool, jsonl: bool, strict: bool) -> None:
    """An answer with footnotes."""
    text = " ".join(question) if question and question != ("-",) else sys.stdin.read()
    if not text.strip():
        raise Usage("there is no question", 'footnote ask "Who ...?"')
    with say.bot() as bot:
        last = bot.conversations(1) if again else ()
        answer = _asked(say, bot, text.strip(), last[0].id if last else None, jsonl)
    if answer.stopped:
        raise SystemExit(130)
    if answer.abstained:
        raise SystemExit(3)
    if strict and any(c.verdict.value not in ("supported", "needs_none") for c in answer.claims):
        raise SystemExit(4)


def _asked(say: Say, bot: Bot, question: str, conversation: str | None, jsonl: bool) -> Answer:
    from rag import wire
    from rag.events import Answered, Loading, Reading, Retrieved, Token
    from rag.safe import safe
    from rag.show import answer as shown

    streams = sys.stdout.isatty() and not say.json and not jsonl
    with _interruptible() as stopped:
        for event in bot.ask(question, conversation, stopped):
            if jsonl:
                say.object(wire.event(event))
            if isinstance(event, Loading):
                say.progress(f"opening {event.what} ...", end="\r")
            elif isinstance(event, Reading):
                say.progress(f"reading {event.done} of {event.total} tokens", end="\r")
            elif isinstance(event, Retrieved) and event.asked:
                say.progress(f"looked up: {event.asked}")
            elif isinstance(event, Token) and streams:
                click.echo(safe(event.text), nl=False)
            elif isinstance(event, Answered):
                if not streams:
                    say.progress("", end="\r")
                if say.json and not jsonl:
                    say.object(wire.answer(event.answer))
                elif not jsonl:
                    shown(event.answer, say.quiet, streams, bot.rates)
                return event.answer
    raise RagError("the question ended without an answer", "footnote doctor")


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once asks the work to stop (what is written is kept), twice ends it."""
    pressed: list[int] = []

    def press(*_: Any) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(1)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


@cli.command()
@click.argument("question", nargs=-1, required=True)
@click.option("-k", "limit", type=click.IntRange(1, 1000), help="How many passages.")
@everywhere
@click.pass_obj
def search(say: Say, question: tuple[str, ...], limit: int | None) -> None:
    """Passages only."""
    from rag import wire

    with say.bot() as bot:
        found = bot.search(" ".join(question), limit)
    if say.json:
        say.object({"passages": [wire.passage(p) for p in found]})
    else:
        from rag.show import passages

        passages(found)
    if not found:
        raise SystemExit(3)


@cli.command()
@click.argument("file")
@everywhere
@click.pass_obj
def check(say: Say, file: str) -> None:
    """Verdicts for claims that somebody else wrote: JSONL of {"id", "claim", "passage"} in, {"id", "verdict", ...} out."""
    from rag.load import questions
    from rag.show import rates

    text = sys.stdin.read() if file == "-" else questions(file)
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            records.append(_claim(line, f"{file}, line {number}"))
    with say.bot() as bot:
        for record in records:
            verdict, score, reasons = bot.check(record["claim"], record["passage"])
            say.object(
                {"id": record["id"], "verdict": verdict.value, "score": round(score, 4), "reasons": list(reasons)}
            )
        if records and not say.quiet:
            rates(bot.rates)


def _claim(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise Usage(f"{where} is not JSON: {error}", 'one {"id", "claim", "passage"} a line') from error
    if (
        not isinstance(record, dict)
        or not all(isinstance(record.get(k), str) for k in ("claim", "passage"))
        or "id" not in record
    ):
        raise Usage(f'{where} has no "id", "claim" and "passage"', 'one {"id", "claim", "passage"} a line')
    return record


@cli.group()
@everywhere
def models() -> None:
    """Who answers: the built-in reader, or a chat model of yours."""


@cli.command()
@everywhere
@click.pass_context
def demo(context: click.Context) -> None:
    """The chat over five packaged articles; without a terminal, three questions."""
    from rag import demo as demonstration

    say = context.ensure_object(Say)
    say.typed.setdefault("library", demonstration.LIBRARY)
    with say.bot() as bot:
        demonstration.add_missing(say, bot)
    if say.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        demonstration.answer_questions(say)
        return
    from tui.app import run

    context.exit(run(say.config()))


@models.command("list")
@everywhere
@click.pass_obj
def models_list(say: Say) -> None:
    """The models on this machine."""
    from rag import weights

    config = say.config()
    found = [{"name": "reader", "path": None, "bytes": weights.READER_FILE.size, "in_use": config.model == "reader"}]
    for model in weights.chat_models(config.home):
        found.append(
            {
                "name": model.name,
                "path": str(model.path),
                "bytes": model.path.stat().st_size,
                "in_use": config.model == model.name,
            }
        )
    if config.model not in [m["name"] for m in found]:
        found.append({"name": config.model, "path": config.model, "bytes": None, "in_use": True})
    if say.json:
        say.object({"models": found})
        return
    from rag.show import models as shown

    shown(found)


@models.command("use")
@click.argument("name")
@everywhere
@click.pass_obj
def models_use(say: Say, name: str) -> None:
    """Make a model the one that answers: "reader", or the name or path of a .gguf file."""
    from rag import weights

    config = say.config()
    chosen = name
    if name != "reader":
        found = weights.chat_model(config.home, name)
        chosen = found.name if found.path.parent == weights.models_folder(config.home) else str(found.path)
    weights.remember(config.home, chosen)
    say.progress(f"{chosen} answers from now on")


@cli.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended, and say what was done.")
@everywhere
@click.pass_obj
def doctor(say: Say, repair: bool) -> None:
    """Engine, models, library, disk, memory, offline: what is wrong, and what cures it. Without --repair nothing is changed."""
    from rag.doctor import examine

    mended = mending(say) if repair else None
    findings = list(examine(say.config()))
    if say.json:
        say.object({"findings": [asdict(f) for f in findings]} | ({} if mended is None else {"repaired": mended}))
    else:
        from rag.show import findings as shown

        shown(findings)
    if not all(f.good for f in findings):
        raise SystemExit(1)


for _command in (eval_, explain, calibrate):
    cli.add_command(_command)


def main() -> None:
    """The command `footnote`. Ends the process with one of the exit codes of the interface."""
    protect()
    try:
        code = cli(standalone_mode=False, prog_name="footnote")
        sys.stdout.flush()
        if isinstance(code, int) and code:  # what click's own `exit` comes back as
            raise SystemExit(code)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except click.exceptions.Exit as end:
        raise SystemExit(end.exit_code) from None
    except (click.exceptions.Abort, KeyboardInterrupt):  # click makes the one of the other
        click.echo("footnote: interrupted", err=True)
        raise SystemExit(130) from None
    except RagError as error:
        from rag.safe import line

        click.echo(f"footnote: {line(str(error))}", err=True)
        if error.cure:
            click.echo(f"  what helps: {line(error.cure)}", err=True)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise SystemExit(0) from None
