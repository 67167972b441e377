"""The commands that ask: ask, search, check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypedDict, cast

import click

from rag import limits
from rag.cli.console import Console, common_options
from rag.cli.stop_request import stop_on_interrupt
from rag.disk import strict_json
from rag.errors import RagError, Usage

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.domain import Answer
    from rag.events import Event

_CLAIM_HINT = 'one {"id", "claim", "passage"} a line'
#: Bytes of the longest character in UTF-8.
_MAX_UTF8_BYTES = 4
#: Exit codes of `ask`.
_ABSTAINED, _NOT_SUPPORTED, _STOPPED = 3, 4, 130


class ClaimRecord(TypedDict):
    """One line of the input of `check`."""

    id: object
    claim: str
    passage: str


@click.command()
@click.argument("question", nargs=-1)
@click.option("-c", "--continue", "resume", is_flag=True, help="Continue the last conversation.")
@click.option("-i", "--interactive", is_flag=True, help="Ask line by line, in plain text.")
@click.option(
    "--in",
    "within",
    multiple=True,
    metavar="DOCUMENT",
    help="Look in this document alone, or in a folder/; may be given several times.",
)
@click.option("--jsonl", is_flag=True, help="Print the events, one JSON object a line.")
@click.option("--refresh", is_flag=True, help="First read changed files of its sources again.")
@click.option("--strict", is_flag=True, help="Exit with 4 if a sentence is not supported.")
@common_options
@click.pass_obj
def ask(
    console: Console,
    question: tuple[str, ...],
    resume: bool,
    interactive: bool,
    within: tuple[str, ...],
    jsonl: bool,
    refresh: bool,
    strict: bool,
) -> None:
    """Answer a question, with footnotes.

    A question may name the documents to look in: "What does it cost? @price-list.pdf".
    """
    from rag.disk.regular_files import read_stdin

    if interactive:
        if console.json or jsonl or refresh or strict:
            raise Usage("-i goes with -c, --in and -q alone", "footnote ask -i")
        raise SystemExit(_ask_by_line(console, " ".join(question), resume, within))
    text = (
        " ".join(question)
        if question and question != ("-",)
        else read_stdin(_MAX_UTF8_BYTES * limits.MAX_QUESTION_CHARS, "a question")
    )
    if not text.strip():
        raise Usage("there is no question", 'footnote ask "Who ...?"')
    with console.bot() as bot:
        last = bot.conversations(1) if resume else ()
        conversation_id = last[0].id if last else None
        ask_now = partial(bot.ask, text.strip(), conversation_id, refresh, within)
        answer = _answer(console, bot, ask_now, jsonl)
    if answer.stopped:
        raise SystemExit(_STOPPED)
    verdicts = {claim.verdict.value for claim in answer.claims}
    if strict and verdicts - {"supported", "computed", "listed", "needs_none"}:
        raise SystemExit(_NOT_SUPPORTED)  # also if the answer abstains for that reason
    if answer.abstained:
        raise SystemExit(_ABSTAINED)


def _ask_by_line(console: Console, first: str, resume: bool, within: tuple[str, ...]) -> int:
    """Run the line mode and return its exit code."""
    from rag.bot import Bot
    from rag.cli.line_mode import LineMode

    with Bot.open(console.config(), follows=True) as bot:
        last = bot.conversations(1) if resume else ()
        conversation_id = last[0].id if last else None
        return LineMode(bot, conversation_id, within, console.quiet).run(first.strip())


def _answer(
    console: Console, bot: Bot, ask_now: Callable[..., Iterator[Event]], jsonl: bool
) -> Answer:
    """Ask, print events and answer as the options say, and return the answer.

    `ask_now` is given the function that says whether to stop. Raises `RagError` if the events end
    without an answer.
    """
    from rag import serialize
    from rag.cli.output import Streamed
    from rag.events import Answered, Token

    streamed = Streamed(lambda text: click.echo(text, nl=False))
    streaming = sys.stdout.isatty() and not console.json and not jsonl
    with stop_on_interrupt() as stop_requested:
        for event in ask_now(stop=stop_requested):
            if jsonl:
                console.object(serialize.event(event))
            if isinstance(event, Answered):
                if streaming:
                    streamed.end()
                else:
                    console.progress("", end="\r")
                if not jsonl:
                    _print_answer(console, bot, event.answer, streaming)
                return event.answer
            if isinstance(event, Token) and streaming:
                streamed.add(event)
            else:
                _print_question_progress(console, event)
    raise RagError("the question ended without an answer", "footnote doctor")


def _print_answer(console: Console, bot: Bot, answer: Answer, streamed: bool) -> None:
    """Print a finished answer as JSON or as text."""
    from rag import serialize
    from rag.cli.output import print_answer

    if console.json:
        console.object(serialize.answer(answer))
    else:
        print_answer(answer, console.quiet, streamed, bot.rates)


def _print_question_progress(console: Console, event: Event) -> None:
    """Print on stderr how far a question is."""
    from rag.events import Loading, Notice, Reading, Retrieved

    if isinstance(event, Loading):
        console.progress(f"opening {event.what} ...", end="\r")
    elif isinstance(event, Reading):
        console.progress(f"reading {event.done} of {event.total} tokens", end="\r")
    elif isinstance(event, Notice):
        console.progress(event.says)
    elif isinstance(event, Retrieved) and event.asked:
        console.progress(f"looked up: {event.asked}")


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option("-k", "limit", type=click.IntRange(1, 1000), help="The number of passages.")
@common_options
@click.pass_obj
def search(console: Console, question: tuple[str, ...], limit: int | None) -> None:
    """Find passages, without an answer."""
    from rag import serialize

    text = " ".join(question)
    with console.bot() as bot:
        passages, masked = bot.search(text, limit), bot.unread(text)
    if console.json:
        console.object(
            {
                "passages": [serialize.passage(p) for p in passages],
                "left_out": [serialize.left_out(e) for e in masked],
            }
        )
    else:
        from rag.cli.output import left_out, print_passages

        print_passages(passages)
        left_out(masked)
    if not passages:
        raise SystemExit(_ABSTAINED)


@click.command()
@click.argument("file")
@common_options
@click.pass_obj
def check(console: Console, file: str) -> None:
    """Judge claims from a JSONL file: {"id", "claim", "passage"} in, {"id", "verdict", ...} out."""
    from rag.cli.output import print_error_rates
    from rag.disk.regular_files import MAX_QUESTIONS_BYTES, read_stdin
    from rag.ingest.load import read_jsonl_text

    text = read_stdin(MAX_QUESTIONS_BYTES, "claims") if file == "-" else read_jsonl_text(file)
    lines = text.split("\n")  # not `splitlines`: U+2028 may stand inside a JSON string
    records = [
        _parse_claim(line, f"{file}, line {number}")
        for number, line in enumerate(lines, 1)
        if line.strip()
    ]
    with console.bot() as bot:
        for record in records:
            verdict, score, reasons = bot.check(record["claim"], record["passage"])
            console.object(
                {
                    "id": record["id"],
                    "verdict": verdict.value,
                    "score": round(score, 4),
                    "reasons": list(reasons),
                }
            )
        if records and not console.quiet:
            print_error_rates(bot.rates)


def _parse_claim(line: str, place: str) -> ClaimRecord:
    """Parse one line of claims. `place` names the line in errors.

    Raises `Usage` for a line that is no JSON object with these three keys, and for texts that are
    too long.
    """
    try:
        record = strict_json.parse(line)
    except ValueError as error:
        raise Usage(f"{place} is not JSON: {error}", _CLAIM_HINT) from error
    if (
        not isinstance(record, dict)
        or not all(isinstance(record.get(key), str) for key in ("claim", "passage"))
        or "id" not in record
    ):
        raise Usage(f'{place} has no "id", "claim" and "passage"', _CLAIM_HINT)
    claim = cast(ClaimRecord, record)
    limits.check_claim(claim["claim"], f"{place}: ")
    limits.check_passage(claim["passage"], f"{place}: ")
    return claim
