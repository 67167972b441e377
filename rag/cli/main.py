"""The command `footnote`: the group of all commands, errors in words, exit codes.

stdout carries only the answer, a list or JSON. Progress, warnings and timings go to stderr. Foreign
text is sanitized before it is printed. JSON is written in ASCII, so that no control character
reaches a terminal. Heavy libraries are imported inside the commands that need them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from rag import __version__
from rag.cli import streams
from rag.cli.console import Console, common_options
from rag.cli.lazy_group import LazyGroup
from rag.errors import RagError
from rag.phrases import HINT
from rag.process import harden_process

#: the module and the function of each command, by its name
PLACES = {
    **{
        name: ("rag.cli.library_commands", name)
        for name in ("add", "sync", "remove", "rebuild", "show")
    },
    **{name: ("rag.cli.question_commands", name) for name in ("ask", "search", "check")},
    **{name: ("rag.cli.conversation_commands", name) for name in ("history", "export", "verify")},
    **{name: ("rag.cli.eval_commands", name) for name in ("explain", "calibrate")},
    "list": ("rag.cli.library_commands", "list_"),
    "eval": ("rag.cli.eval_commands", "eval_"),
    "models": ("rag.cli.model_commands", "models"),
    "demo": ("rag.cli.demo", "demo"),
    "doctor": ("rag.cli.doctor_command", "doctor"),
}


@click.group(
    cls=LazyGroup,
    places=PLACES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@common_options
@click.version_option(__version__, prog_name="footnote")
@click.pass_context
def cli(context: click.Context) -> None:
    """Ask your own documents, offline. Every sentence of an answer carries a checked footnote.

    Without a command, in a terminal, the chat opens.
    """
    if context.invoked_subcommand is not None:
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(context.get_help(), err=True)
        context.exit(2)
    from rag.cli.demo import open_chat

    context.exit(open_chat(context.ensure_object(Console).config()))


def main() -> None:
    """Run the command `footnote` and end the process with its exit code."""
    streams.prepare()
    raise SystemExit(streams.finish(run_command()))


def run_command(arguments: Sequence[str] | None = None, console: Console | None = None) -> int:
    """Run the command and return its exit code. Every error is printed as a sentence.

    Without `arguments`, those of the process; `console` opens the bot of the command.
    """
    try:
        harden_process()
        code = cli(arguments, prog_name="footnote", standalone_mode=False, obj=console)
        return code if isinstance(code, int) else 0  # `context.exit` of click returns its code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.exceptions.Abort, KeyboardInterrupt):  # click turns the second into the first
        click.echo("footnote: interrupted", err=True)
        return 130
    except RagError as error:
        _print_error(error)
        return error.exit_code
    except BaseException as error:  # a panic of a Rust library is no Exception
        if isinstance(error, OSError) and streams.failure():
            return 0  # `streams.finish` prints the reason
        streams.complain(error)
        return 1


def _print_error(error: RagError) -> None:
    """Print an error of the project, and its hint if it has one."""
    from rag.text.foreign_marks import quote_foreign

    click.echo(f"footnote: {quote_foreign(str(error))}", err=True)
    if error.cure:
        click.echo(f"  {HINT} {quote_foreign(error.cure)}", err=True)
