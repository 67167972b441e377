"""The commands that measure: eval, explain, calibrate. They print the results of `rag.eval`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from rag.cli.console import Console, common_options, print_progress
from rag.config import READER
from rag.errors import RagError, Usage

if TYPE_CHECKING:
    from rag.eval.gate import Bound, GateResult
    from rag.eval.records import Comparison, Measurement, Run


class EvalOptions(TypedDict):
    """The options of `eval`."""

    corpus: tuple[str, ...]
    retrieval_only: bool
    limit: int | None
    seed: int
    out: str | None
    run_file: str | None
    against: str | None
    gates: tuple[str, ...]
    report: str | None
    checker: str | None
    draft: int | None


def _progress_printer(console: Console) -> Callable[[str], None]:
    """Return a function that prints lines; a line that ends in a carriage return is overwritten."""

    def print_line(text: str) -> None:
        console.progress(text.rstrip("\r"), end="\r" if text.endswith("\r") else "\n")

    return print_line


@click.command("eval")
@click.argument("questions", required=False)
@click.option(
    "--corpus",
    multiple=True,
    metavar="PATH",
    help="Ask these folders, files or corpus.jsonl instead of the library.",
)
@click.option("--retrieval-only", is_flag=True, help="Measure the search only, without answers.")
@click.option("--limit", type=click.IntRange(1), help="The number of questions, drawn by --seed.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--out",
    metavar="RUN.json",
    help="The file of the run; the same command continues an interrupted one.",
)
@click.option(
    "--run", "run_file", metavar="RUN.json", help="Show this finished run; ask no questions."
)
@click.option(
    "--against", metavar="OLD.json", help="Compare with an earlier run, question by question."
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar='"FIGURE>=X"',
    help="Exit with 1 if a figure does not keep the bound.",
)
@click.option("--report", metavar="RUN.md", help="Write a Markdown page with plots.")
@click.option(
    "--checker", metavar="CLAIMS.jsonl", help="Measure the checker on labelled claims instead."
)
@click.option(
    "--draft",
    type=click.IntRange(1),
    metavar="N",
    help="Draft N questions from the library instead, for review.",
)
@common_options
@click.pass_obj
def eval_(console: Console, /, questions: str | None, **options: Unpack[EvalOptions]) -> None:
    """Measure answers over a file of questions. Each figure has its n and its interval."""
    from rag.eval.gate import parse_bounds

    sources = {
        "a file of questions": questions,
        "--run": options["run_file"],
        "--checker": options["checker"],
        "--draft": options["draft"],
    }
    given = [name for name, value in sources.items() if value is not None]
    if len(given) != 1:
        surplus = f", not {' and '.join(given)}" if given else ""
        raise Usage(
            f"give a file of questions, or one of --run, --checker and --draft{surplus}",
            "footnote eval --help",
        )
    if options["draft"] is not None:
        _draft(console, options["draft"], options["seed"], options["out"])
        return
    measures_checker = options["checker"] is not None
    if measures_checker and (options["against"] or options["report"] is not None):
        raise Usage(
            "--against and --report are of runs over questions, not of --checker",
            "leave them out; --gate works",
        )
    bounds = parse_bounds(options["gates"], _figure_names(measures_checker))
    _measure(console, questions, options, bounds)


def _figure_names(of_checker: bool) -> list[str]:
    """Return the names of all figures of a summary."""
    from rag.eval import checker, run
    from rag.eval.report import figure_rows

    summary = checker.summarise_checker([]) if of_checker else run.summarise([])
    return [name for name, _ in figure_rows(summary)]


def _measure(
    console: Console, questions: str | None, options: EvalOptions, bounds: Sequence[Bound]
) -> None:
    """Run, compare, print the figures, write the page.

    Raises `RagError` at the end if a figure does not keep its bound. Files that cannot be read or
    written are reported before any question is asked.
    """
    from rag.eval import eval_runs, gate, report, run
    from rag.eval.compare import compare_runs

    page = None
    if options["report"] is not None:
        page = eval_runs.claim_page(options["report"], options["out"])
    earlier = run.read_run(options["against"]) if options["against"] else None
    finished, current = _run(console, questions, options)
    comparison = None
    if earlier is not None and finished is not None:
        comparison = compare_runs(earlier, finished)
    results = gate.check_bounds(bounds, dict(report.figure_rows(current["summary"])))
    if page is not None and finished is not None:
        eval_runs.write_report(page, finished, comparison, results)
    if console.json:
        console.object(_result_object(current, comparison, results))
    else:
        _print_result(current, comparison, results)
    broken = [result.says for result in results if not result.holds]
    if broken:
        raise RagError(
            f"gate: {'; '.join(broken)}",
            "compare with an earlier run to see which questions: --against OLD.json",
        )


def _run(
    console: Console, questions: str | None, options: EvalOptions
) -> tuple[Run | None, Measurement]:
    """Return the run that the options name, None for the checker, and the object to show."""
    from rag.eval import eval_runs, run

    print_line = _progress_printer(console)
    if options["checker"] is not None:
        return None, eval_runs.measure_checker(
            console.config(), options["checker"], options["limit"], options["seed"], print_line
        )
    if options["run_file"] is not None:
        finished = run.read_run(options["run_file"])
        return finished, finished
    finished = eval_runs.run_evaluation(
        console.config(),
        questions or "",
        options["corpus"],
        retrieval_only=options["retrieval_only"],
        limit=options["limit"],
        seed=options["seed"],
        out=options["out"],
        say=print_line,
        progress=lambda event: print_progress(console, event),
    )
    return finished, finished


def _result_object(
    current: Measurement, comparison: Comparison | None, results: Sequence[GateResult]
) -> dict[str, object]:
    """Return the object of ``eval --json``: the run, its gates and the comparison, if any."""
    value: dict[str, object] = {**current}
    if results:
        value["gates"] = [
            {
                "gate": f"{result.bound.figure}{result.bound.sign}{result.bound.limit}",
                "value": result.value,
                "holds": result.holds,
            }
            for result in results
        ]
    if comparison:
        value["against"] = comparison
    return value


def _print_result(
    current: Measurement, comparison: Comparison | None, results: Sequence[GateResult]
) -> None:
    """Print the figures of a run, the comparison and the gates."""
    from rag.cli.output import make_console
    from rag.eval import report

    report.print_summary(current["summary"], make_console())
    if comparison:
        report.print_comparison(comparison, make_console())
    report.print_gates(results, make_console())


def _draft(console: Console, count: int, seed: int, out: str | None) -> None:
    """Draft questions, and print them unless they are written to the file `out`."""
    from rag.eval.eval_runs import run_draft

    lines = run_draft(console.config(), count, seed, out, _progress_printer(console))
    if console.json:
        console.object({"questions": lines})
    elif not out:
        for line in lines:
            console.object(line)


@click.command()
@click.argument("question", nargs=-1, required=True)
@click.option(
    "--document", required=True, metavar="D", help="The document that should be in the answer."
)
@click.option("--quote", metavar="Q", help="Words of the passage that should be found.")
@common_options
@click.pass_obj
def explain(
    console: Console, /, question: tuple[str, ...], document: str, quote: str | None
) -> None:
    """Show at which step of a search an expected passage was lost, and which setting keeps it."""
    text = " ".join(question).strip()
    if not text:
        raise Usage("there is no question", 'footnote explain "Who ...?" --document FILE')
    with console.bot() as bot:
        explanation = bot.explain(text, document, quote)
    if console.json:
        console.object(explanation.wire())
    else:
        from rag.cli.output import print_explanation

        print_explanation(explanation)


@click.command()
@click.argument("questions", required=False)
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--for",
    "target",
    type=click.Choice(["abstention", "overall"]),
    default="abstention",
    show_default=True,
    help="The F1 to maximise: of right abstentions, or of all answers as in SQuAD 2.0.",
)
@click.option("--reset", is_flag=True, help="Use the shipped threshold again.")
@common_options
@click.pass_obj
def calibrate(
    console: Console, /, questions: str | None, seed: int, target: str, reset: bool
) -> None:
    """Fit the threshold of this library to a file of questions.

    The threshold is the probability from which the reader answers. With a chat model (--model),
    its opinion is fitted instead: whether it can tell right sentences from others, where the reader
    is in doubt. It is asked from then on if that helps.
    """
    config = console.config()
    if reset == (questions is not None):
        raise Usage("give a file of questions, or --reset", "footnote calibrate QUESTIONS.jsonl")
    if config.model != READER:
        if (seed, target) != (0, "abstention"):
            raise Usage(
                "--seed and --for are for the threshold of the reader",
                "leave them out, or add --model reader",
            )
        _calibrate_juror(console, questions)
        return
    if reset:
        from rag.answer import calibration

        was_calibrated = calibration.reset_calibration(config.folder)
        when = "again" if was_calibrated else "already"
        if console.json:
            console.object({"reset": was_calibrated})
        else:
            click.echo(f"the shipped threshold is in use {when}")
        return
    from rag.cli.output import make_console
    from rag.eval import eval_runs
    from rag.eval.report import print_calibration

    result = eval_runs.run_calibration(
        config, questions or "", target, seed, _progress_printer(console)
    )
    if console.json:
        console.object(result)
    else:
        print_calibration(result, make_console())


def _calibrate_juror(console: Console, questions: str | None) -> None:
    """Fit what the opinion of the chat model is worth; without `questions`, remove the own fit."""
    from rag.eval import fit_juror
    from rag.eval.cases import read_cases

    with console.bot() as bot:
        if questions is None:
            was_fitted = fit_juror.reset_juror(bot)
            when = "again" if was_fitted else "already"
            if console.json:
                console.object({"reset": was_fitted})
            else:
                click.echo(f"what is shipped for this model is in use {when}")
            return
        cases = read_cases(questions)
        found = fit_juror.calibrate_juror(bot, cases, _progress_printer(console))
    if console.json:
        console.object(found)
    else:
        click.echo(f"{found['model']} {found['says']}")
