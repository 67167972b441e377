"""The command `doctor`: finds and repairs damage."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from rag.cli.console import Console, common_options, print_progress
from rag.errors import LibraryBusy, RagError
from rag.phrases import HINT

if TYPE_CHECKING:
    from rag.events import Repaired


@click.command()
@click.option("--repair", is_flag=True, help="Repair the damage that can be repaired.")
@common_options
@click.pass_obj
def doctor(console: Console, repair: bool) -> None:
    """Check engine, models, library, disk, memory and offline use, with a hint for each problem.

    Without --repair nothing is changed.
    """
    from rag.upkeep.doctor import run_checks

    repaired = run_repair(console) if repair else None
    findings = list(run_checks(console.config()))
    if console.json:
        report: dict[str, object] = {"findings": [asdict(finding) for finding in findings]}
        if repaired is not None:
            report["repaired"] = repaired
        console.object(report)
    else:
        from rag.cli.output import print_findings

        print_findings(findings)
    if not all(finding.good for finding in findings) or not all(r["done"] for r in repaired or ()):
        raise SystemExit(1)


def run_repair(console: Console) -> list[dict[str, object]]:
    """Repair the library, print each repair on stderr, and return the repairs as JSON objects.

    A library that cannot be read at all is reported as a repair that failed. Raises `LibraryBusy`
    if another process writes to it.
    """
    from rag.events import Repaired

    repairs = list[Repaired]()
    with console.bot() as bot:
        try:
            for event in bot.repair():
                print_progress(console, event)
                if isinstance(event, Repaired):
                    repairs.append(event)
                    _print_repair(console, event)
        except LibraryBusy:
            raise
        except RagError as error:
            repairs.append(Repaired("library", False, str(error), error.cure))
            _print_repair(console, repairs[-1])
    if not repairs:
        console.progress("nothing to repair")
    return [asdict(event) for event in repairs]


def _print_repair(console: Console, event: Repaired) -> None:
    hint = "" if event.done else f"; {HINT} {event.cure}"
    outcome = "repaired" if event.done else "not repaired"
    console.progress(f"{outcome}: {event.what}: {event.says}{hint}")
