"""The command `footnote`: the group of all commands, errors in words, exit codes.

stdout carries only the answer, a list or JSON. Progress, warnings and timings go to stderr. Foreign
text is sanitized before it is printed. JSON is written in ASCII, so that no control character
reaches a terminal. Heavy libraries are imported inside the commands that need them.
"""

from __future__ import annotations

import sys

import click

from rag import __version__
from rag.cli import streams
from rag.cli.console import Console, common_options
from rag.cli.conversation_commands import export, history, verify
from rag.cli.demo import demo, open_chat
from rag.cli.doctor_command import doctor
from rag.cli.eval_commands import calibrate, eval_, explain
from rag.cli.library_commands import add, list_, rebuild, remove, show, sync
from rag.cli.model_commands import models
from rag.cli.question_commands import ask, check, search
from rag.errors import RagError
from rag.phrases import HINT
from rag.process import harden_process


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
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
    context.exit(open_chat(context.ensure_object(Console).config()))


for _command in (
    *(add, sync, remove, rebuild, list_, show),
    *(ask, search, check),
    *(history, export, verify),
    *(models, demo, doctor),
    *(eval_, explain, calibrate),
):
    cli.add_command(_command)


def main() -> None:
    """Run the command `footnote` and end the process with its exit code."""
    streams.prepare()
    raise SystemExit(streams.finish(_exit_code()))


def _exit_code() -> int:
    """Run the command and return its exit code. Every error is printed as a sentence."""
    try:
        harden_process()
        code = cli(standalone_mode=False, prog_name="footnote")
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
