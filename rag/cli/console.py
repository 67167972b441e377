"""How commands speak: the options they share, progress on stderr, JSON on stdout, the report of an ingest."""

from __future__ import annotations

import atexit
import os
import select
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rag.cli import streams
from rag.disk import strict_json
from rag.errors import LibraryBusy, RagError, Usage

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.config import Config
    from rag.events import Added, Event, Repaired, Report

F = TypeVar("F", bound=Callable[..., Any])
_INTERRUPTED = (
    "footnote: interrupted; what was added before is in, and the same command goes on from there"
)
_PATIENCE = 0.7  # seconds that an interrupted ingest has to end by itself


class IngestProgress:
    """How an ingest gets on: passages so far, how many a second, and how long the rest will take at that rate."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._began = now, now()
        self._passages = self._failed = 0

    def failed(self) -> None:
        self._failed += 1

    def line(self, added: Added) -> str:
        """One line about the file at hand and all before it."""
        self._passages += added.chunks
        spent = max(1e-3, self._now() - self._began)
        left = spent / max(1, added.done) * (added.total - added.done)
        parts = [
            f"{added.done:,} of {added.total:,} files",
            f"{self._passages:,} passages",
            f"{self._passages / spent:,.0f} a second",
        ]
        parts += [f"{int(left) // 60}:{int(left) % 60:02} left"] * (added.done < added.total)
        parts += [f"{self._failed} not read"] * bool(self._failed)
        return " · ".join([*parts, added.source])


class Console:
    """What was said before the command, and how to speak: `json` one object, `quiet` no progress."""

    def __init__(self) -> None:
        self.typed: dict[str, Any] = {}
        self.json = self.quiet = False
        self.pace = IngestProgress()

    def config(self) -> Config:
        from rag.config import Config

        streams.files_enough()
        return Config.read(**self.typed)

    def bot(self) -> Bot:
        from rag.bot import Bot

        return Bot.open(self.config())

    def object(self, value: Any) -> None:
        """One JSON object on stdout. Raises `RagError` where a figure in it is not a number."""
        try:
            text = strict_json.dumps(value)
        except ValueError as error:
            raise RagError(
                f"the result cannot be written as JSON: {error}", "please report it"
            ) from error
        click.echo(text)

    def progress(self, text: str, end: str = "\n") -> None:
        """A line on stderr, unless it is to be quiet. On a terminal a line that ends in a carriage return is overwritten."""
        if self.quiet or (end == "\r" and not sys.stderr.isatty()):
            return
        from rag.text.foreign_marks import quote_foreign

        shown = quote_foreign(text)
        if end == "\r":  # what is longer than the screen is wide could not be overwritten
            shown = shown[: max(20, shutil.get_terminal_size().columns - 1)]
        click.echo(("\x1b[K" if sys.stderr.isatty() else "") + shown + end, nl=False, err=True)


def common_options(command: F) -> F:
    """The options that every command takes, before or behind its name."""

    def remember(context: click.Context, option: click.Parameter, value: Any) -> None:
        say = context.ensure_object(Console)
        if value is None or value is False:
            return
        if option.name in ("home", "library", "model", "embedder"):
            say.typed[option.name] = value
        elif option.name == "no_color":
            os.environ["NO_COLOR"] = "1"
        else:
            setattr(say, {"as_json": "json"}.get(option.name or "", option.name or ""), True)

    shared: dict[str, Any] = {"callback": remember, "expose_value": False}
    for decorate in (
        click.option("--no-color", is_flag=True, help="No colours.", **shared),
        click.option("-q", "--quiet", is_flag=True, help="Only errors on stderr.", **shared),
        click.option(
            "--json", "as_json", is_flag=True, help="One JSON object on stdout.", **shared
        ),
        click.option(
            "--model",
            metavar="NAME|PATH.gguf",
            help='Who answers; "reader" is the built-in one.',
            **shared,
        ),
        click.option(
            "--embedder",
            metavar="PATH",
            help="What the library is embedded with: a folder or a GGUF.",
            **shared,
        ),
        click.option("--library", metavar="NAME", help="Which library.", **shared),
        click.option(
            "--home",
            metavar="DIR",
            help="Folder of libraries and models (or FOOTNOTE_HOME).",
            **shared,
        ),
    ):
        command = decorate(command)
    return command


def run_ingest(say: Console, events: Iterable[Event], interrupted: str = _INTERRUPTED) -> bool:
    """Progress on stderr, the report at the end; `interrupted` is said at Ctrl-C. False where nothing went in, but something failed."""
    from rag import serialize
    from rag.events import Report

    well = True
    with _soon(interrupted):
        for event in events:
            print_progress(say, event)
            if isinstance(event, Report):
                if say.json:
                    say.object(serialize.report(event))
                else:
                    _told(say, event)
                well = bool(event.added or event.changed or event.unchanged) or not (
                    event.failed or event.kept
                )
    return well


@contextmanager
def _soon(says: str) -> Iterator[None]:
    """Ctrl-C `says` so and ends the work where it can be left, or after `_PATIENCE` wherever it is: a model is being opened, a
    batch embedded, a file of the index written. What was reported as added is in even where the process is killed. A second
    Ctrl-C does not wait. The clock runs in a thread, because the main one hears of a signal only after the call that it is in.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    heard, tell = os.pipe()
    os.set_blocking(tell, False)

    def watch() -> None:
        if os.read(heard, 1) == bytes([signal.SIGINT]):
            with suppress(OSError):
                click.echo(f"\n{says}", err=True)
            select.select([heard], [], [], _PATIENCE)
            os._exit(130)

    def press(*_: object) -> None:
        signal.signal(signal.SIGINT, lambda *_: None)
        atexit.register(
            os._exit, 130
        )  # what else is done at exit (torch is taken apart) takes half a second
        raise SystemExit(130)

    before, former = (
        signal.signal(signal.SIGINT, press),
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False),
    )
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is press:  # else it is the end
            signal.signal(signal.SIGINT, before)
            signal.set_wakeup_fd(former)
            os.close(tell)
            watcher.join()
            os.close(heard)


def run_repair(say: Console) -> list[dict[str, Any]]:
    """Repair, each thing that was found on stderr as it is done. What cannot be read at all is said like the rest."""
    from rag.events import Repaired

    found = []
    with say.bot() as bot:
        try:
            for event in bot.repair():
                print_progress(say, event)
                if isinstance(event, Repaired):
                    found.append(event)
                    _mended(say, event)
        except LibraryBusy:
            raise
        except RagError as error:
            found.append(Repaired("library", False, str(error), error.cure))
            _mended(say, found[-1])
    if not found:
        say.progress("nothing to mend")
    return [asdict(event) for event in found]


def _mended(say: Console, event: Repaired) -> None:
    helps = "" if event.done else f". What helps: {event.cure}"
    say.progress(f"{'mended' if event.done else 'not mended'}: {event.what}: {event.says}{helps}")


def watch_and_sync(say: Console, bot: Bot, forget: bool) -> None:
    """Sync as soon as the watch stands and whenever something changes below what was added. Ends by Ctrl-C.

    While another process writes, wait for it.
    """
    from rag.ingest.watch import watch_changes

    roots = bot.roots()
    for changed in watch_changes(roots):
        while True:
            try:
                run_ingest(say, bot.sync(forget))
                break
            except LibraryBusy as busy:
                say.progress(f"{busy}; waiting for it")
                time.sleep(2)
        if not changed:
            say.progress(f"watching {', '.join(roots)}; ctrl+c ends it")


def print_progress(say: Console, event: Event) -> None:
    from rag import events as e

    if isinstance(event, e.Loading):
        say.progress(f"opening {event.what} ...", end="\r")
    elif isinstance(event, e.Scanned):
        say.pace = IngestProgress()
        say.progress(f"{event.files} files, {event.bytes / 2**20:.1f} MB", end="\r")
    elif isinstance(event, e.Failed):
        say.pace.failed()
    elif isinstance(event, e.Notice):
        say.progress(event.says)
    elif isinstance(event, e.Added):
        say.progress(say.pace.line(event), end="\r")
    elif isinstance(event, e.Indexing):
        say.progress(f"index: {event.says}", end="\r")


def sure(say: Console, sources: Sequence[str]) -> None:
    """Ask before several documents are forgotten; a "no" ends the command. Raises `Usage` outside a terminal."""
    if len(sources) < 2:
        return
    what = f"{len(sources)} documents ({_some(sources)})"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Usage(
            f"that would forget {what}", "say --yes if that is meant: footnote remove --yes NAME"
        )
    if not click.confirm(f"Forget {what}?", err=True):
        say.progress("nothing was forgotten")
        raise SystemExit(1)


def _some(sources: Sequence[str]) -> str:
    from rag.text.sanitize import sanitize_line

    return ", ".join(map(sanitize_line, sources[:3])) + (", …" if len(sources) > 3 else "")


def _told(say: Console, report: Report) -> None:
    parts = [
        f"{len(report.added)} added", f"{report.unchanged} unchanged", f"{len(report.changed)} changed", f"{len(report.moved)} moved",
        f"{len(report.removed)} removed", f"{len(report.failed)} failed",
    ]  # fmt: skip
    for failed in report.failed:
        say.progress(f"not in: {failed.source}: {failed.reason}. What helps: {failed.cure}")
    say.progress(f"{', '.join(parts)} in {report.seconds:.1f} s")
    if report.kept:
        say.progress(
            f"{len(report.kept)} documents are not found any more and are kept ({_some(report.kept)}). "
            "What helps: mount their disk; or, to drop them: footnote sync --forget"
        )
