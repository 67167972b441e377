"""The command line: prints events, keeps to the exit codes. Nothing heavy is imported before a command needs it.

stdout carries only the answer, a list or JSON; progress, warnings and timings go to stderr. Everything a stranger wrote
passes `safe` on the way out; JSON is written in ASCII, so no control character reaches a terminal that way either.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from rag import __version__, limits
from rag.cli import streams
from rag.cli.console import (
    Console,
    common_options,
    print_progress,
    run_ingest,
    run_repair,
    sure,
    watch_and_sync,
)
from rag.cli.eval_commands import calibrate, eval_, explain
from rag.disk import strict_json
from rag.errors import RagError, Usage
from rag.process import harden_process

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.domain import Answer


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@common_options
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

    context.exit(run(context.ensure_object(Console).config()))


_forget = click.option(
    "--forget", is_flag=True, help="Forget vanished documents also where they are many."
)


@cli.command()
@click.argument("paths", nargs=-1, required=True)
@_forget
@common_options
@click.pass_obj
def add(say: Console, paths: tuple[str, ...], forget: bool) -> None:
    """Take in files, folders, or a .jsonl corpus.

    Documents of a folder whose files are gone are forgotten. They are kept, and counted in the
    report, where the whole folder is empty, or where it had ten documents or more and more than
    half of them are gone: see --forget.
    """
    if not streams.here() and not all(map(os.path.isabs, paths)):
        raise FileNotFoundError("the current folder")
    with say.bot() as bot:
        if not run_ingest(say, bot.add(list(paths), forget)):
            raise SystemExit(1)


@cli.command()
@click.option("--watch", is_flag=True, help="Go on: take in what changes, until ctrl+c.")
@_forget
@common_options
@click.pass_obj
def sync(say: Console, watch: bool, forget: bool) -> None:
    """Everything added before, again: new, changed, moved and vanished files.

    Documents whose files are gone are forgotten. They are kept, and counted in the report, where
    a whole folder is empty, or where it had ten documents or more and more than half of them are
    gone: see --forget. Documents of a folder that is missing or cannot be read are always kept.
    """
    with say.bot() as bot:
        if watch:
            watch_and_sync(say, bot, forget)
        elif not run_ingest(say, bot.sync(forget)):
            raise SystemExit(1)


@cli.command()
@click.argument("document")
@click.option("-y", "--yes", is_flag=True, help="Forget several documents without asking.")
@common_options
@click.pass_obj
def remove(say: Console, document: str, yes: bool) -> None:
    """Forget a document (by source, path or id), or all below a folder.

    Where that is more than one document it asks, and outside a terminal it wants --yes.
    """
    with say.bot() as bot:
        if not yes:
            sure(say, bot.held(document))
        run_ingest(
            say, bot.remove(document), "footnote: interrupted; footnote list says what is still in"
        )


@cli.command()
@common_options
@click.pass_obj
def rebuild(say: Console) -> None:
    """Make the index (Chroma) again from the library; nothing is embedded."""
    with say.bot() as bot:
        for event in bot.rebuild():
            print_progress(say, event)
        documents = bot.status()
    say.progress(f"the index holds {documents.passages} passages again")


@cli.command("list")
@common_options
@click.pass_obj
def list_(say: Console) -> None:
    """The documents of the library."""
    from rag import serialize

    with say.bot() as bot:
        found = bot.documents()
    if say.json:
        say.object({"documents": [serialize.listing(d) for d in found]})
        return
    from rag.cli.output import print_listings

    print_listings(found)


@cli.command()
@click.argument("document")
@common_options
@click.pass_obj
def show(say: Console, document: str) -> None:
    """A document's text; page furniture is marked with a bar."""
    from rag import serialize

    with say.bot() as bot:
        found = bot.document(document)
    if say.json:
        say.object(serialize.document(found))
        return
    from rag.cli.output import print_document

    print_document(found)


@cli.command()
@click.argument("question", nargs=-1)
@click.option("-c", "--continue", "again", is_flag=True, help="Go on with the last conversation.")
@click.option("--jsonl", is_flag=True, help="The stream of events, one JSON object a line.")
@click.option("--strict", is_flag=True, help="Exit 4 where a sentence is not supported.")
@common_options
@click.pass_obj
def ask(say: Console, question: tuple[str, ...], again: bool, jsonl: bool, strict: bool) -> None:
    """An answer with footnotes."""
    from rag.disk.regular_files import read_stdin

    text = (
        " ".join(question)
        if question and question != ("-",)
        else read_stdin(4 * limits.MAX_QUESTION_CHARS, "a question")
    )
    if not text.strip():
        raise Usage("there is no question", 'footnote ask "Who ...?"')
    with say.bot() as bot:
        last = bot.conversations(1) if again else ()
        answer = _asked(say, bot, text.strip(), last[0].id if last else None, jsonl)
    if answer.stopped:
        raise SystemExit(130)
    if strict and any(c.verdict.value not in ("supported", "needs_none") for c in answer.claims):
        raise SystemExit(4)  # also where it abstains because nothing it wrote is supported
    if answer.abstained:
        raise SystemExit(3)


def _asked(say: Console, bot: Bot, question: str, conversation: str | None, jsonl: bool) -> Answer:
    from rag import serialize
    from rag.cli.output import Streamed, print_answer
    from rag.events import Answered, Loading, Reading, Retrieved, Token

    written = Streamed(lambda text: click.echo(text, nl=False))
    streams = sys.stdout.isatty() and not say.json and not jsonl
    with _interruptible() as stopped:
        for event in bot.ask(question, conversation, stopped):
            if jsonl:
                say.object(serialize.event(event))
            if isinstance(event, Loading):
                say.progress(f"opening {event.what} ...", end="\r")
            elif isinstance(event, Reading):
                say.progress(f"reading {event.done} of {event.total} tokens", end="\r")
            elif isinstance(event, Retrieved) and event.asked:
                say.progress(f"looked up: {event.asked}")
            elif isinstance(event, Token) and streams:
                written.add(event)
            elif isinstance(event, Answered):
                if streams:
                    written.end()
                else:
                    say.progress("", end="\r")
                if say.json and not jsonl:
                    say.object(serialize.answer(event.answer))
                elif not jsonl:
                    print_answer(event.answer, say.quiet, streams, bot.rates)
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
@common_options
@click.pass_obj
def search(say: Console, question: tuple[str, ...], limit: int | None) -> None:
    """Passages only."""
    from rag import serialize

    with say.bot() as bot:
        found, masked = bot.search(" ".join(question), limit), bot.unread(" ".join(question))
    if say.json:
        say.object(
            {
                "passages": [serialize.passage(p) for p in found],
                "left_out": [serialize.left_out(e) for e in masked],
            }
        )
    else:
        from rag.cli.output import left_out, print_passages

        print_passages(found)
        left_out(masked)
    if not found:
        raise SystemExit(3)


@cli.command()
@click.argument("file")
@common_options
@click.pass_obj
def check(say: Console, file: str) -> None:
    """Verdicts for claims that somebody else wrote: JSONL of {"id", "claim", "passage"} in, {"id", "verdict", ...} out."""
    from rag.cli.output import print_error_rates
    from rag.disk.regular_files import MAX_QUESTIONS_BYTES, read_stdin
    from rag.ingest.load import read_jsonl_text

    text = read_stdin(MAX_QUESTIONS_BYTES, "claims") if file == "-" else read_jsonl_text(file)
    records = []
    for number, line in enumerate(text.split("\n"), 1):  # a JSON text may hold U+2028 and its like
        if line.strip():
            records.append(_claim(line, f"{file}, line {number}"))
    with say.bot() as bot:
        for record in records:
            verdict, score, reasons = bot.check(record["claim"], record["passage"])
            say.object(
                {
                    "id": record["id"],
                    "verdict": verdict.value,
                    "score": round(score, 4),
                    "reasons": list(reasons),
                }
            )
        if records and not say.quiet:
            print_error_rates(bot.rates)


def _claim(line: str, where: str) -> dict[str, Any]:
    try:
        record = strict_json.parse(line)
    except ValueError as error:
        raise Usage(
            f"{where} is not JSON: {error}", 'one {"id", "claim", "passage"} a line'
        ) from error
    if (
        not isinstance(record, dict)
        or not all(isinstance(record.get(k), str) for k in ("claim", "passage"))
        or "id" not in record
    ):
        raise Usage(
            f'{where} has no "id", "claim" and "passage"', 'one {"id", "claim", "passage"} a line'
        )
    limits.check_claim(record["claim"], f"{where}: ")
    limits.check_passage(record["passage"], f"{where}: ")
    return record


@cli.group()
@common_options
def models() -> None:
    """Who answers: the built-in reader, or a chat model of yours."""


@cli.command()
@common_options
@click.pass_context
def demo(context: click.Context) -> None:
    """The chat over five packaged articles; without a terminal, three questions."""
    from rag.cli import demo as demonstration

    say = context.ensure_object(Console)
    say.typed.setdefault("library", demonstration.LIBRARY)
    with say.bot() as bot:
        demonstration.add_missing(say, bot)
    if say.json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        demonstration.answer_questions(say)
        return
    from tui.app import run

    context.exit(run(say.config()))


@models.command("list")
@common_options
@click.pass_obj
def models_list(say: Console) -> None:
    """The models on this machine."""
    from rag.inference import weights

    config = say.config()
    found = [
        {
            "name": "reader",
            "path": None,
            "bytes": weights.READER_FILE.size,
            "in_use": config.model == "reader",
        }
    ]
    for model in weights.list_chat_models(config.home):
        found.append(
            {
                "name": model.name,
                "path": str(model.path),
                "bytes": weights.size(model.path),
                "in_use": config.model == model.name,
            }
        )
    if config.model not in [m["name"] for m in found]:
        found.append({"name": config.model, "path": config.model, "bytes": None, "in_use": True})
    if say.json:
        say.object({"models": found})
        return
    from rag.cli.output import print_models

    print_models(found)


@models.command("use")
@click.argument("name")
@common_options
@click.pass_obj
def models_use(say: Console, name: str) -> None:
    """Make a model the one that answers: "reader", or the name or path of a .gguf file."""
    from rag.inference import model_trial, weights

    config = say.config()
    chosen = name
    if name != "reader":
        found, _ = model_trial.find_tried_chat_model(config.home, name)
        chosen = (
            found.name
            if found.path.parent == weights.models_folder(config.home)
            else str(found.path)
        )
    weights.save_model_setting(config.home, chosen)
    say.progress(f"{chosen} answers from now on")


@cli.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended, and say what was done.")
@common_options
@click.pass_obj
def doctor(say: Console, repair: bool) -> None:
    """Engine, models, library, disk, memory, offline: what is wrong, and what cures it. Without --repair nothing is changed."""
    from rag.upkeep.doctor import run_checks

    mended = run_repair(say) if repair else None
    findings = list(run_checks(say.config()))
    if say.json:
        say.object(
            {"findings": [asdict(f) for f in findings]}
            | ({} if mended is None else {"repaired": mended})
        )
    else:
        from rag.cli.output import print_findings

        print_findings(findings)
    if not all(f.good for f in findings):
        raise SystemExit(1)


for _command in (eval_, explain, calibrate):
    cli.add_command(_command)


def main() -> None:
    """The command `footnote`. Ends the process with one of the exit codes of the interface."""
    streams.prepare()
    raise SystemExit(streams.finish(_code()))


def _code() -> int:
    """Run the command; the exit code. Whatever goes wrong is said in a sentence."""
    try:
        harden_process()
        code = cli(standalone_mode=False, prog_name="footnote")
        return code if isinstance(code, int) else 0  # what click's own `exit` comes back as
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):  # click makes the one of the other
        click.echo("footnote: interrupted", err=True)
        return 130
    except RagError as error:
        from rag.text.foreign_marks import quote_foreign

        click.echo(f"footnote: {quote_foreign(str(error))}", err=True)
        if error.cure:
            click.echo(f"  what helps: {quote_foreign(error.cure)}", err=True)
        return error.exit_code
    except BaseException as error:  # a library in Rust raises what is no Exception
        if isinstance(error, OSError) and streams.failure():
            return 0  # `finish` says why
        streams.complain(error)
        return 1
