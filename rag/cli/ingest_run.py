"""Running an ingest from the command line: progress, interruption, report, confirmation."""

from __future__ import annotations

import atexit
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from rag.cli.console import Console, print_progress
from rag.errors import LibraryBusy, Usage
from rag.phrases import HINT

if TYPE_CHECKING:
    from rag.bot import Bot
    from rag.events import Event, Report

#: Seconds that an interrupted ingest has to end by itself.
INTERRUPT_SECONDS = 0.7
#: Seconds between two attempts to write to a busy library.
RETRY_SECONDS = 2
#: How many sources a message names.
MAX_NAMED_SOURCES = 3

_INTERRUPTED = (
    "footnote: interrupted; documents added so far are in, and the same command goes on from there"
)


def run_ingest(console: Console, events: Iterable[Event], interrupted: str = _INTERRUPTED) -> bool:
    """Print progress on stderr and the report at the end; `interrupted` is printed at ctrl+c.

    Returns False if no document is in the library and something failed or was kept.
    """
    from rag import serialize
    from rag.events import Report

    succeeded = True
    with exit_on_interrupt(interrupted):
        for event in events:
            print_progress(console, event)
            if isinstance(event, Report):
                if console.json:
                    console.object(serialize.report(event))
                else:
                    _print_report(console, event)
                is_filled = bool(event.added or event.changed or event.unchanged)
                succeeded = is_filled or not (event.failed or event.kept)
    return succeeded


@contextmanager
def exit_on_interrupt(message: str) -> Iterator[None]:
    """End the process with exit code 130 at ctrl+c, after printing `message`.

    The work ends where it can be left safely. After `INTERRUPT_SECONDS`, or at a second ctrl+c, the
    process is killed, because a call that opens a model, embeds a batch or writes a file of the
    index may take longer. Documents reported as added are on the disk even then. The clock runs in
    a thread, because the main thread handles a signal only after its current call.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        yield
        return
    receiver, sender = os.pipe()
    os.set_blocking(sender, False)

    printed = threading.Event()

    def watch() -> None:
        if os.read(receiver, 1) == bytes([signal.SIGINT]):
            with suppress(OSError):
                click.echo(f"\n{message}", err=True)
            printed.set()
            select.select([receiver], [], [], INTERRUPT_SECONDS)
            os._exit(130)

    def on_interrupt(*_: object) -> None:
        signal.signal(signal.SIGINT, lambda *_: None)
        printed.wait(INTERRUPT_SECONDS)
        atexit.register(os._exit, 130)  # skips the teardown of torch, which takes half a second
        raise SystemExit(130)

    previous_handler = signal.signal(signal.SIGINT, on_interrupt)
    previous_descriptor = signal.set_wakeup_fd(sender, warn_on_full_buffer=False)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is on_interrupt:  # otherwise the process is ending
            signal.signal(signal.SIGINT, previous_handler)
            signal.set_wakeup_fd(previous_descriptor)
            os.close(sender)
            watcher.join()
            os.close(receiver)


def watch_and_sync(console: Console, bot: Bot, forget: bool) -> None:
    """Sync at the start and after every change below the added folders, until ctrl+c.

    Waits while another process writes to the library.
    """
    from rag.ingest.watch import watch_changes

    roots = bot.roots()
    for changed in watch_changes(roots):
        while True:
            try:
                run_ingest(console, bot.sync(forget))
                break
            except LibraryBusy as busy:
                console.progress(f"{busy}; waiting for it")
                time.sleep(RETRY_SECONDS)
        if not changed:
            console.progress(f"watching {', '.join(roots)}; ctrl+c ends it")


def confirm_removal(console: Console, sources: Sequence[str]) -> None:
    """Ask the user before several documents are removed. The answer "no" ends the command.

    Raises `Usage` outside a terminal, where nobody can be asked.
    """
    if len(sources) < 2:
        return
    documents = f"{len(sources)} documents ({_name_sources(sources)})"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Usage(
            f"that would forget {documents}",
            "say --yes if that is meant: footnote remove --yes NAME",
        )
    if not click.confirm(f"Forget {documents}?", err=True):
        console.progress("nothing was forgotten")
        raise SystemExit(1)


def _name_sources(sources: Sequence[str]) -> str:
    """Return the first few sources in one line."""
    from rag.text.sanitize import sanitize_line

    more = ", …" if len(sources) > MAX_NAMED_SOURCES else ""
    return ", ".join(map(sanitize_line, sources[:MAX_NAMED_SOURCES])) + more


def _print_report(console: Console, report: Report) -> None:
    """Print the counts of an ingest, and each file that failed, on stderr."""
    counts = (
        (len(report.added), "added"),
        (report.unchanged, "unchanged"),
        (len(report.changed), "changed"),
        (len(report.moved), "moved"),
        (len(report.removed), "removed"),
        (len(report.failed), "failed"),
    )
    for failed in report.failed:
        console.progress(f"not added: {failed.source}: {failed.reason}; {HINT} {failed.cure}")
    summary = ", ".join(f"{count} {word}" for count, word in counts)
    console.progress(f"{summary} in {report.seconds:.1f} s")
    if report.by_words:
        console.progress(
            f"rows of large tables are found by words: {_name_sources(report.by_words)}"
        )
    if report.kept:
        kept = f"{len(report.kept)} documents are not found any more and are kept"
        advice = "mount their disk; or, to drop them: footnote sync --forget"
        console.progress(f"{kept} ({_name_sources(report.kept)}); {HINT} {advice}")
