"""The commands that measure: eval, explain, calibrate. They print what `rag.eval` and the front door find."""

from __future__ import annotations

from typing import Any

import click

from rag.cli.console import Console, common_options, print_progress
from rag.errors import RagError, Usage


def _tell(say: Console, text: str) -> None:
    say.progress(text.rstrip("\r"), end="\r" if text.endswith("\r") else "\n")


@click.command("eval")
@click.argument("questions", required=False)
@click.option("--corpus", multiple=True, metavar="PATH", help="Folders, files or a corpus.jsonl to ask; else the library.")  # fmt: skip
@click.option("--retrieval-only", is_flag=True, help="No answers, only what is found.")
@click.option("--limit", type=click.IntRange(1), help="So many, drawn by --seed.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--out", metavar="RUN.json", help="Where the run goes; interrupted, the same command goes on."
)
@click.option("--run", "done", metavar="RUN.json", help="Ask nothing: look at this finished run.")
@click.option(
    "--against", metavar="OLD.json", help="Compare with an earlier run, question by question."
)
@click.option("--gate", "gates", multiple=True, metavar='"FIGURE>=X"', help="Exit 1 where a figure does not keep the bound.")  # fmt: skip
@click.option("--report", "page", metavar="RUN.md", help="A Markdown page with plots.")
@click.option(
    "--checker", metavar="CLAIMS.jsonl", help="Measure the checker on labelled claims instead."
)
@click.option("--draft", type=click.IntRange(1), metavar="N", help="Draft N questions from the library instead, for review.")  # fmt: skip
@common_options
@click.pass_obj
def eval_(say: Console, /, questions: str | None, **options: Any) -> None:
    """A scripted run over a file of questions, each figure with its n and its interval."""
    from rag.eval.gate import parse_bounds

    ways = {
        "a file of questions": questions,
        "--run": options["done"],
        "--checker": options["checker"],
        "--draft": options["draft"],
    }
    given = [name for name, value in ways.items() if value is not None]
    if len(given) != 1:
        both = f", not {' and '.join(given)}" if given else ""
        raise Usage(
            f"give a file of questions, or one of --run, --checker and --draft{both}",
            "footnote eval --help",
        )
    if options["draft"] is not None:
        _draft(say, options)
        return
    on_claims = options["checker"] is not None
    if on_claims and (options["against"] or options["page"] is not None):
        raise Usage(
            "--against and --report are of runs over questions, not of --checker",
            "leave them out; --gate works",
        )
    _measured(say, questions, options, parse_bounds(options["gates"], _names(on_claims)))


def _names(checker: bool) -> list[str]:
    """Every figure of a summary."""
    from rag.eval import checker as claims
    from rag.eval import run
    from rag.eval.report import figure_rows

    return [
        name
        for name, _ in figure_rows(claims.summarise_checker([]) if checker else run.summarise([]))
    ]


def _measured(say: Console, questions: str | None, options: dict[str, Any], bounds: Any) -> None:
    """Run, compare, print, write the page; the gates decide last."""
    from rag.cli.output import make_console
    from rag.eval import eval_runs, gate, report, run
    from rag.eval.compare import compare_runs

    # what is wrong with a file is told before the questions are asked
    place = (
        None if options["page"] is None else eval_runs.claim_page(options["page"], options["out"])
    )
    old = run.read_run(options["against"]) if options["against"] else None
    if options["checker"] is not None:
        found = eval_runs.measure_checker(say.config(), options["checker"], options["limit"], options["seed"], lambda t: _tell(say, t))  # fmt: skip
    elif options["done"] is not None:
        found = run.read_run(options["done"])
    else:
        kind = {key: options[key] for key in ("retrieval_only", "limit", "seed", "out")}
        found = eval_runs.run_evaluation(
            say.config(), questions or "", options["corpus"], **kind,
            say=lambda text: _tell(say, text), progress=lambda event: print_progress(say, event),
        )  # fmt: skip
    against = compare_runs(old, found) if old is not None else None
    kept = gate.check_bounds(bounds, dict(report.figure_rows(found["summary"])))
    if place is not None:
        eval_runs.write_report(place, found, against, kept)
    if say.json:
        more = {
            "gates": [
                {
                    "gate": f"{k.bound.figure}{k.bound.sign}{k.bound.limit}",
                    "value": k.value,
                    "holds": k.holds,
                }
                for k in kept
            ]
        }
        say.object({**found, **(more if kept else {}), **({"against": against} if against else {})})
    else:
        report.print_summary(found["summary"], make_console())
        if against:
            report.print_comparison(against, make_console())
        report.print_gates(kept, make_console())
    failed = [each.says for each in kept if not each.holds]
    if failed:
        raise RagError(
            f"gate: {'; '.join(failed)}",
            "compare with an earlier run to see which questions: --against OLD.json",
        )


def _draft(say: Console, options: dict[str, Any]) -> None:
    from rag.eval.eval_runs import run_draft

    lines = run_draft(
        say.config(),
        options["draft"],
        options["seed"],
        options["out"],
        lambda text: _tell(say, text),
    )
    if say.json:
        say.object({"questions": lines})
    elif not options["out"]:
        for line in lines:
            say.object(line)


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--document", required=True, metavar="D", help="The document that should have been found."
)
@click.option("--quote", metavar="Q", help="Words of it that should have been in a passage.")
@common_options
@click.pass_obj
def explain(say: Console, /, question: tuple[str, ...], document: str, quote: str | None) -> None:
    """Where an expected passage was lost on the way to the answer, and what would have kept it."""
    text = " ".join(question).strip()
    if not text:
        raise Usage("there is no question", 'footnote explain "Who ...?" --document FILE')
    with say.bot() as bot:
        found = bot.explain(text, document, quote)
    if say.json:
        say.object(found.wire())
    else:
        from rag.cli.output import print_explanation

        print_explanation(found)


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
@common_options
@click.pass_obj
def calibrate(say: Console, /, questions: str | None, seed: int, aim: str, reset: bool) -> None:
    """Fit, to a file of questions, how sure the reader must be to answer from this library."""
    config = say.config()
    if reset == (questions is not None):
        raise Usage("give a file of questions, or --reset", "footnote calibrate QUESTIONS.jsonl")
    if reset:
        from rag.answer import calibration

        there = calibration.reset_calibration(config.folder)
        says = (
            "the shipped threshold is in use again"
            if there
            else "the shipped threshold is in use already"
        )
        if say.json:
            say.object({"reset": there})
        else:
            click.echo(says)
        return
    from rag.cli.output import make_console
    from rag.eval import eval_runs
    from rag.eval.report import print_calibration

    found = eval_runs.run_calibration(
        config, questions or "", aim, seed, lambda text: _tell(say, text)
    )
    if say.json:
        say.object(found)
    else:
        print_calibration(found, make_console())
