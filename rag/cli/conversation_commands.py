"""The commands over saved conversations: history, export, verify."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from rag.cli.console import Console, common_options
from rag.errors import Usage
from rag.export.conversation import cited_documents, saved_conversation

if TYPE_CHECKING:
    from rag.export.verify import Finding

#: Conversations that a list shows without words to look for, and that a search returns.
_MAX_LISTED = 1000
_FORMATS = click.Choice(["markdown", "html", "json"])


class _GroupWithList(click.Group):
    """A group that runs its command `list` if no other one is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        valued = {
            name
            for option in self.params
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        words = [
            word
            for before, word in zip(["", *args], args, strict=False)
            if not word.startswith("-") and before not in valued
        ]
        is_help = not words and {"-h", "--help"} & set(args)
        if not is_help and (not words or words[0] not in self.commands):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_GroupWithList, subcommand_metavar="[WORDS]... | COMMAND [ARGS]...")
@common_options
def history() -> None:
    """List saved conversations, or those in which all WORDS stand.

    The words are looked for in questions, answers, titles and names of cited files.
    """


@history.command("list", hidden=True)
@click.argument("words", nargs=-1)
@common_options
@click.pass_obj
def history_list(console: Console, words: tuple[str, ...]) -> None:
    """List the conversations."""
    from rag import serialize

    with console.bot() as bot:
        found = bot.conversations(_MAX_LISTED, " ".join(words))
    if console.json:
        console.object({"conversations": [serialize.conversation(each) for each in found]})
        return
    from rag.cli.conversation_output import print_conversations

    print_conversations(found)


@history.command("show")
@click.argument("conversation", metavar="ID")
@common_options
@click.pass_obj
def history_show(console: Console, conversation: str) -> None:
    """Print a conversation. ID may be the begin of one."""

    with console.bot() as bot:
        title = bot.conversation_title(conversation)
        turns = bot.conversation(conversation)
        cited = cited_documents(turns)
        states = dict(zip(cited, bot.file_states(cited), strict=True))
    if console.json:
        console.object(saved_conversation(title, turns, states))
        return
    from rag.cli.conversation_output import print_conversation

    print_conversation(title, turns, states)


@history.command("rename")
@click.argument("conversation", metavar="ID")
@click.argument("title")
@common_options
@click.pass_obj
def history_rename(console: Console, conversation: str, title: str) -> None:
    """Give a conversation a title."""
    with console.bot() as bot:
        bot.rename_conversation(conversation, title)


@history.command("remove")
@click.argument("conversation", metavar="ID")
@click.option("-y", "--yes", is_flag=True, help="Remove it without confirmation.")
@common_options
@click.pass_obj
def history_remove(console: Console, conversation: str, yes: bool) -> None:
    """Remove a conversation for good. ID may be the begin of one.

    It must be confirmed: in a terminal by an answer, elsewhere by --yes.
    """
    from rag.text.foreign_marks import quote_foreign

    with console.bot() as bot:
        title = quote_foreign(bot.conversation_title(conversation))
        if not yes:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise Usage(f"this would remove the conversation {title!r}", "add --yes")
            click.confirm(f"Remove the conversation {title!r}?", abort=True, err=True)
        turns = bot.remove_conversation(conversation)
    console.progress(f"removed {title!r}, {turns} {'question' if turns == 1 else 'questions'}")


@click.command()
@click.argument("conversation", metavar="[ID]", required=False)
@click.option("--last", is_flag=True, help="Export the newest conversation.")
@click.option(
    "--format", "form", type=_FORMATS, default="markdown", help="The format; markdown by default."
)
@click.option("--out", metavar="FILE", help="Write to a file, which may be an earlier export.")
@common_options
@click.pass_obj
def export(
    console: Console, conversation: str | None, last: bool, form: str, out: str | None
) -> None:
    """Export a conversation with its footnotes: Markdown, a page of HTML, or a JSON bundle.

    ID is one of `footnote history`, or the begin of one. `footnote verify` checks a bundle.
    """
    from rag.export.bundle import export_conversation, write_export

    if bool(conversation) == last:
        raise Usage("which conversation?", "give its ID (footnote history), or --last")
    with console.bot() as bot:
        if last:
            newest = bot.conversations(1)
            if not newest:
                raise Usage("there is no conversation yet", 'footnote ask "Who ...?"')
            conversation = newest[0].id
        assert conversation is not None
        title = bot.conversation_title(conversation)
        text = export_conversation(form, conversation, title, bot.conversation(conversation))
    if out is None:
        click.echo(text, nl=False)
    else:
        console.progress(f"written: {write_export(text, form, out)}")


@click.command()
@click.argument("bundle")
@click.option(
    "--against",
    multiple=True,
    metavar="LIBRARY|PATH",
    help="A library by its name, a file or a folder; may be given several times.",
)
@common_options
@click.pass_obj
def verify(console: Console, bundle: str, against: tuple[str, ...]) -> None:
    """Check the quotes of a bundle against their passages and sources, without a model.

    Without --against, sources are looked up in the library that is in use, if there is one.
    Verdicts of sentences in the writer's own words are not checked again. The exit code is 1 if a
    footnote does not hold.
    """
    from rag.cli.sources_at_hand import SourcesAtHand
    from rag.export.bundle import read_bundle
    from rag.export.verify import sentences_without_quote, verify_bundle

    value = read_bundle(bundle)
    with ExitStack() as stack:
        sources = stack.enter_context(SourcesAtHand(console.config(), against))
        findings = verify_bundle(value, sources.find)
    if console.json:
        console.object({"ok": all(f.ok for f in findings), "findings": list(_objects(findings))})
    else:
        from rag.cli.conversation_output import print_findings

        print_findings(findings, sentences_without_quote(value))
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


def _objects(findings: list[Finding]) -> Iterator[dict[str, object]]:
    """Yield the JSON of findings."""
    for finding in findings:
        yield {
            "turn": finding.turn,
            "claim": finding.claim,
            "n": finding.n,
            "source": finding.source,
            "line": finding.line,
            "quote": finding.quote,
            "in_passage": finding.in_passage,
            "in_source": finding.in_source.value,
            "ok": finding.ok,
            "problem": finding.problem,
            "found_in": finding.found_in,
        }
