"""The options that all commands share, and the two streams: progress on stderr, JSON on stdout."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import click

from rag.cli import streams
from rag.disk import strict_json
from rag.errors import RagError

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.config import Config
    from rag.events import Added, Event

F = TypeVar("F", bound=Callable[..., object])

#: The common options that are settings of `Config`.
_SETTINGS = ("home", "library", "model", "embedder")
#: The narrowest line of progress, in columns.
_MIN_COLUMNS = 20


class IngestProgress:
    """The rate of an ingest: passages so far, passages a second, and the time left at that rate."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()
        self._passages = self._failed = 0

    def failed(self) -> None:
        """Count one file that failed."""
        self._failed += 1

    def line(self, added: Added) -> str:
        """Count one file that was added, and return a line about all files so far."""
        self._passages += added.chunks
        spent = max(1e-3, self._clock() - self._start)
        left = int(spent / max(1, added.done) * (added.total - added.done))
        parts = [
            f"{added.done:,} of {added.total:,} files",
            f"{self._passages:,} passages",
            f"{self._passages / spent:,.0f} a second",
        ]
        if added.done < added.total:
            parts.append(f"{left // 60}:{left % 60:02} left")
        if self._failed:
            parts.append(f"{self._failed} not read")
        return " · ".join([*parts, added.source])


class Console:
    """The options given before or after the command, and the ways to print.

    `json` asks for one JSON object on stdout, `quiet` for no progress on stderr. `typed` holds the
    settings of the command line.
    """

    def __init__(self) -> None:
        self.typed: dict[str, str] = {}
        self.json = self.quiet = False
        self.ingest_progress = IngestProgress()

    def config(self) -> Config:
        """Return the configuration. Raises `Usage` for a wrong setting."""
        from rag.config import Config

        streams.raise_file_limit()
        return Config.read(**self.typed)

    def bot(self) -> Bot:
        """Open the library."""
        from rag.bot import Bot

        return Bot.open(self.config())

    def object(self, value: Mapping[str, object]) -> None:
        """Print one JSON object on stdout. Raises `RagError` if a figure in it is not a number."""
        try:
            text = strict_json.dumps(value)
        except ValueError as error:
            raise RagError(
                f"the result cannot be written as JSON: {error}", "please report it"
            ) from error
        click.echo(text)

    def progress(self, text: str, end: str = "\n") -> None:
        """Print a line on stderr, unless `quiet` is set.

        On a terminal the next line overwrites one that ends in a carriage return; elsewhere such a
        line is not printed, unless FOOTNOTE_PROGRESS asks for whole lines, as the chat does.
        """
        if end == "\r" and os.environ.get("FOOTNOTE_PROGRESS") == "lines":
            end = "\n"
        if self.quiet or (end == "\r" and not sys.stderr.isatty()):
            return
        from rag.text.foreign_marks import quote_foreign

        line = quote_foreign(text)
        if end == "\r":  # a line that wraps could not be overwritten
            line = line[: max(_MIN_COLUMNS, shutil.get_terminal_size().columns - 1)]
        clear = "\x1b[K" if sys.stderr.isatty() else ""
        click.echo(clear + line + end, nl=False, err=True)


def common_options(command: F) -> F:
    """Add the options that every command takes, before or after its name."""

    def remember(context: click.Context, option: click.Parameter, value: str | bool | None) -> None:
        console = context.ensure_object(Console)
        if value is None or value is False:
            return
        if option.name in _SETTINGS:
            console.typed[option.name] = str(value)
        elif option.name == "no_color":
            os.environ["NO_COLOR"] = "1"
        elif option.name == "as_json":
            console.json = True
        else:
            console.quiet = True

    setting = partial(click.option, callback=remember, expose_value=False)
    flag = partial(setting, is_flag=True)
    for decorate in (
        flag("--no-color", help="Print without colours."),
        flag("-q", "--quiet", help="Print only errors on stderr."),
        flag("--json", "as_json", help="Print one JSON object on stdout."),
        setting(
            "--model",
            metavar="NAME|PATH.gguf|URL",
            help='The model that answers; "reader" is the built-in one.',
        ),
        setting(
            "--embedder",
            metavar="PATH",
            help="The model that embeds the library: a folder or a GGUF file.",
        ),
        setting("--library", metavar="NAME", help="The name of the library."),
        setting(
            "--home",
            metavar="DIR",
            help="The folder of libraries and models (or FOOTNOTE_HOME).",
        ),
    ):
        command = decorate(command)
    return command


def print_progress(console: Console, event: Event) -> None:
    """Print an event of an ingest, a rebuild or a repair on stderr."""
    from rag import events as e

    if isinstance(event, e.Loading):
        console.progress(f"opening {event.what} ...", end="\r")
    elif isinstance(event, e.Scanned):
        console.ingest_progress = IngestProgress()
        console.progress(f"{event.files} files, {event.bytes / 2**20:.1f} MB", end="\r")
    elif isinstance(event, e.Failed):
        console.ingest_progress.failed()
    elif isinstance(event, e.Notice):
        console.progress(event.says)
    elif isinstance(event, e.Added):
        console.progress(console.ingest_progress.line(event), end="\r")
    elif isinstance(event, e.Indexing):
        console.progress(f"index: {event.says}", end="\r")
