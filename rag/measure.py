"""The commands that measure: eval, explain, calibrate. They print what `rag.eval` and the front door find."""

from __future__ import annotations

from typing import Any

import click

from rag.errors import RagError, Usage
from rag.say import Say, everywhere, progress


def _tell(say: Say, text: str) -> None:
    say.progress(text.rstrip("\r"), end="\r" if text.endswith("\r") else "\n")


@click.command("eval")
@click.argument("questions", required=False)
@click.option("--corpus", multiple=True, metavar="PATH", help="Folders, files or a corpus.jsonl to ask; else the library.")  # fmt: skip
@click.option("--retrieval-only", is_flag=True, help="No answers, only what is found.")
@click.option("--limit", type=click.IntRange(1), help="So many, drawn by --seed.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--out", metavar="RUN.json", help="Where the run goes; interrupted, the same command goes on.")
@click.option("--run", "done", metavar="RUN.json", help="Ask nothing: look at this finished run.")
@click.option("--against", metavar="OLD.json", help="Compare with an earlier run, question by question.")
@click.option("--gate", "gates", multiple=True, metavar='"FIGURE>=X"', help="Exit 1 where a figure does not keep the bound.")  # fmt: skip
@click.option("--report", "page", metavar="RUN.md", help="A Markdown page with plots.")
@click.option("--checker", metavar="CLAIMS.jsonl", help="Measure the checker on labelled claims instead.")
@click.option("--draft", type=click.IntRange(1), metavar="N", help="Draft N questions from the library instead, for review.")  # fmt: skip
@everywhere
@click.pass_obj
def eval_(say: Say, /, questions: str | None, **options: Any) -> None:
    """A scripted run over a file of questions, each figure with its n and its interval."""
    from rag.eval.gate import bounds

    ways = {
        "a file of questions": questions,
        "--run": options["done"],
        "--checker": options["checker"],
        "--draft": options["draft"],
    }
    given = [name for name, value in ways.items() if value is not None]
    if len(given) != 1:
        both = f", not {' and '.join(given)}" if given else ""
        raise Usage(f"give a file of questions, or one of --run, --checker and --draft{both}", "footnote eval --help")
    if options["draft"] is not None:
        _draft(say, options)
        return
    on_claims = options["checker"] is not None
    if on_claims and (options["against"] or options["page"] is not None):
        raise Usage(
            "--against and --report are of runs over questions, not of --checker", "leave them out; --gate works"
        )
    _measured(say, questions, options, bounds(options["gates"], _names(on_claims)))


def _names(checker: bool) -> list[str]:
    """Every figure of a summary."""
    from rag.eval import checker as claims
    from rag.eval import run
    from rag.eval.report import figures

    return [name for name, _ in figures(claims.measure([]) if checker else run.summarise([]))]


def _measured(say: Say, questions: str | None, options: dict[str, Any], bounds: Any) -> None:
    """Run, compare, print, write the page; the gates decide last."""
    from rag.eval import command, gate, report, run
    from rag.eval.compare import compare
    from rag.show import console

    # what is wrong with a file is told before the questions are asked
    place = None if options["page"] is None else command.claim_page(options["page"], options["out"])
    old = run.read(options["against"]) if options["against"] else None
    if options["checker"] is not None:
        found = command.measure_checker(say.config(), options["checker"], options["limit"], options["seed"], lambda t: _tell(say, t))  # fmt: skip
    elif options["done"] is not None:
        found = run.read(options["done"])
    else:
        kind = {key: options[key] for key in ("retrieval_only", "limit", "seed", "out")}
        found = command.evaluate(
            say.config(), questions or "", options["corpus"], **kind,
            say=lambda text: _tell(say, text), progress=lambda event: progress(say, event),
        )  # fmt: skip
    against = compare(old, found) if old is not None else None
    kept = gate.kept(bounds, dict(report.figures(found["summary"])))
    if place is not None:
        command.write_page(place, found, against, kept)
    if say.json:
        more = {
            "gates": [
                {"gate": f"{k.bound.figure}{k.bound.sign}{k.bound.limit}", "value": k.value, "holds": k.holds}
                for k in kept
            ]
        }
        say.object({**found, **(more if kept else {}), **({"against": against} if against else {})})
    else:
        report.report(found["summary"], console())
        if against:
            report.compared(against, console())
        report.gated(kept, console())
    failed = [each.says for each in kept if not each.holds]
    if failed:
        raise RagError(
            f"gate: {'; '.join(failed)}", "compare with an earlier run to see which questions: --against OLD.json"
        )


def _draft(say: Say, options: dict[str, Any]) -> None:
    from rag.eval.command import drafted

    lines = drafted(say.config(), options["draft"], options["seed"], options["out"], lambda text: _tell(say, text))
    if say.json:
        say.object({"questions": lines})
    elif not options["out"]:
        for line in lines:
            say.object(line)


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option("--document", required=True, metavar="D", help="The document that should have been found.")
@click.option("--quote", metavar="Q", help="Words of it that should have been in a passage.")
@everywhere
@click.pass_obj
def explain(say: Say, /, question: tuple[str, ...], document: str, quote: str | None) -> None:
    """Where an expected passage was lost on the way to the answer, and what would have kept it."""
    text = " ".join(question).strip()
    if not text:
        raise Usage("there is no question", 'footnote explain "Who ...?" --document FILE')
    with say.bot() as bot:
        found = bot.explain(text, document, quote)
    if say.json:
        say.object(found.wire())
    else:
        from rag.show import explanation

        explanation(found)


@click.command()
@click.argument("questions", required=False)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--for",
    "aim",
    type=click.Choice(["abstention", "overall"]),
    default="abstention",
    show_default=True,
    help="Which F1 it is fitted for: of abstaining rightly, or SQuAD 2.0's of all answers.",
)
@click.option("--reset", is_flag=True, help="Back to the shipped threshold.")
@everywhere
@click.pass_obj
def calibrate(say: Say, /, questions: str | None, seed: int, aim: str, reset: bool) -> None:
    """Fit, to a file of questions, how sure the reader must be to answer from this library."""
    config = say.config()
    if reset == (questions is not None):
        raise Usage("give a file of questions, or --reset", "footnote calibrate QUESTIONS.jsonl")
    if reset:
        from rag import calibration

        there = calibration.reset(config.folder)
        says = "the shipped threshold is in use again" if there else "the shipped threshold is in use already"
        if say.json:
            say.object({"reset": there})
        else:
            click.echo(says)
        return
    from rag.eval import command
    from rag.eval.report import calibrated
    from rag.show import console

    found = command.calibrated(config, questions or "", aim, seed, lambda text: _tell(say, text))
    if say.json:
        say.object(found)
    else:
        calibrated(found, console())
