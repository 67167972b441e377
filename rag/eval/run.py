"""Runs an evaluation: asks each case, scores it, keeps the record, and summarises all records.

A record is one case in JSON values: the question, its gold, the whole answer object, the retrieved
passages, and `scores` by group. A score is a number or a pair [numerator, denominator]. The summary
is computed from the scores alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from rag import serialize
from rag.disk import regular_files, result_files, strict_json
from rag.domain import Answer, Document, Passage
from rag.errors import RagError, Unreadable, Usage
from rag.eval.cases import Case, changed_sources
from rag.eval.interval import bootstrap_interval, quantile
from rag.eval.records import CaseRecord, CaseScores, Row, Run, Summary, score_of
from rag.eval.resume import PartialRun, Say, is_partial
from rag.eval.run_shape import misshapen
from rag.eval.scoring import score_answer, score_retrieval
from rag.events import Answered, Event
from rag.json_objects import RetrievedObject

if TYPE_CHECKING:
    from rag.disk.strict_json import Json

SCHEMA = 1
#: Bytes of a run file that may be replaced.
_MAX_RUN_BYTES = 2**30
#: Characters of the name of a field that a message repeats.
_MAX_FIELD_CHARS = 80
#: Passages that retrieval figures are computed from.
DEPTH = 10

FIGURES = {
    "retrieval": (
        "recall@1",
        "recall@5",
        "recall@10",
        "ndcg@10",
        "mrr@10",
        "quote_recall@5",
        "quote_recall@10",
    ),
    "answer": ("em", "f1", "contains"),
    "overall": ("em", "f1"),
    "citation": ("valid", "quote_exact", "precision", "recall", "supported"),
    "abstention": ("precision", "recall", "f1", "answered_wrongly"),
}
SECONDS = ("retrieve", "first", "total")
QUANTILES = {"p50": 0.5, "p95": 0.95}


class Bot(Protocol):
    """The methods of `rag.bot.Bot` that a run calls."""

    def ask(self, question: str, /) -> Iterator[Event]: ...

    def search(self, question: str, limit: int, /) -> tuple[Passage, ...]: ...

    def document(self, name: str, /) -> Document: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything but the questions that the figures depend on.

    `config` also names the library or corpus.
    """

    config: dict[str, Json]
    weights: dict[str, str]
    version: str


def run_cases(
    bot: Bot,
    cases: Sequence[Case],
    out: str | Path,
    setup: Setup,
    say: Say,
    retrieval_only: bool = False,
) -> Iterator[CaseRecord]:
    """Evaluate the cases and write the run file. Yields each finished record.

    After an interruption the same call continues: records of an earlier call are not yielded again,
    but are in the run file.
    """
    with PartialRun(
        Path(f"{out}.partial"), fingerprint(setup, cases, retrieval_only), say
    ) as partial:
        for record in evaluate_cases(bot, cases, retrieval_only, partial.done.copy()):
            partial.add(record)
            yield record
        write_run(out, run_object([partial.done[case.id] for case in cases], setup))
        partial.remove()


def evaluate_cases(
    bot: Bot,
    cases: Sequence[Case],
    retrieval_only: bool = False,
    done: Collection[str] | None = None,
) -> Iterator[CaseRecord]:
    """Yield a record for each case, in order, without those whose id is in `done`."""
    for case in cases:
        if done is None or case.id not in done:
            yield _record(bot, case, retrieval_only)


def _record(bot: Bot, case: Case, retrieval_only: bool) -> CaseRecord:
    answer = None if retrieval_only else _ask(bot, case.question)
    started = time.perf_counter()
    passages = bot.search(case.question, DEPTH)
    seconds = time.perf_counter() - started
    scores: CaseScores = {"retrieval": score_retrieval(case, passages)}
    if answer:
        scores |= score_answer(case, answer, bot.document)
    else:
        scores["seconds"] = {"retrieve": seconds}
    changed = changed_sources(case, bot.document)
    record: CaseRecord = {
        "id": case.id,
        "question": case.question,
        "type": case.type,
        "answerable": case.answerable,
        "gold": {
            "answers": list(case.answers),
            "evidence": [{"source": gold.source, "quote": gold.quote} for gold in case.evidence],
        },
        "answer": serialize.answer(answer) if answer else None,
        "retrieved": [_retrieved_record(passage) for passage in passages],
        "scores": scores,
    }
    if changed:
        record["changed"] = changed
    return record


def _ask(bot: Bot, question: str) -> Answer:
    answer: Answer | None = None
    for event in bot.ask(question):
        if isinstance(event, Answered):
            if failure := event.answer.model_failed:  # the answer of another writer is no figure
                raise RagError(
                    f"the chat model {failure.name} failed: {failure.what}", failure.cure
                )
            answer = event.answer
    if answer is None or answer.stopped:
        raise RagError(
            "a question was stopped before it was answered",
            "run the same command again: it goes on from there",
        )
    return answer


def _retrieved_record(passage: Passage) -> RetrievedObject:
    """Return a retrieved passage without its text, which document and span name."""
    fields = serialize.passage(passage)
    return cast(RetrievedObject, {key: value for key, value in fields.items() if key != "text"})


def summarise(records: Sequence[CaseRecord]) -> Summary:
    """Return every figure with its interval and the number of its cases."""
    summary: dict[str, Summary] = {
        group: {name: bootstrap_interval(_rows(records, group, name)) for name in names}
        for group, names in FIGURES.items()
    }
    summary["seconds"] = {
        part: {
            name: bootstrap_interval(_rows(records, "seconds", part), statistic=quantile(share))
            for name, share in QUANTILES.items()
        }
        for part in SECONDS
    }
    return summary


def _rows(records: Sequence[CaseRecord], group: str, name: str) -> list[Row]:
    """Return the scores of a figure, without pairs whose denominator is 0."""
    rows = (score_of(record, group, name) for record in records)
    return [
        row for row in rows if row is not None and (not isinstance(row, list | tuple) or row[1])
    ]


def run_object(records: Sequence[CaseRecord], setup: Setup) -> Run:
    """Return the object of RUN.json."""
    return {
        "schema": SCHEMA,
        "config": setup.config,
        "weights": setup.weights,
        "version": setup.version,
        "cases": list(records),
        "summary": summarise(records),
    }


def fingerprint(setup: Setup, cases: Sequence[Case], retrieval_only: bool = False) -> str:
    """Return a hash of everything that must be equal for an interrupted run to be continued."""
    parts = [SCHEMA, asdict(setup), [asdict(case) for case in cases], retrieval_only]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_run(path: str | Path) -> Run:
    """Read a run file. Raises `Usage` if it is none."""
    try:
        run = strict_json.parse(regular_files.read_text_file(path, regular_files.MAX_RUN_BYTES))
    except (Unreadable, ValueError, RecursionError) as error:
        raise Usage(
            f"{path} cannot be read as a run file: {error}", "give the --out of an earlier run"
        ) from error
    if not isinstance(run, dict) or not isinstance(run.get("cases"), list) or "summary" not in run:
        raise Usage(
            f"{path} is no run file: it has no cases and no summary",
            "give the --out of an earlier run",
        )
    if run.get("schema") != SCHEMA:
        raise Usage(
            f"{path} is of format {run.get('schema')!r}, this program reads format {SCHEMA}",
            "run it again with this version",
        )
    if field := misshapen(run):
        raise Usage(
            f"{path} is no run file: its field {field[:_MAX_FIELD_CHARS]!r} is not that of a run",
            "give the --out of an earlier run",
        )
    return cast(Run, run)


def write_run(path: str | Path, run: Run) -> None:
    """Write RUN.json atomically. Raises `Usage` if it cannot be written."""
    text = json.dumps(run, indent=1, allow_nan=False) + "\n"
    result_files.write_result(Path(path).absolute(), text, "--out", is_run, "a run file")


def is_run(path: Path) -> bool:
    """Tell whether the regular file at `path` is a run file of this format."""
    if (
        not result_files.begins(path).lstrip().startswith(b"{")
        or path.stat().st_size > _MAX_RUN_BYTES
    ):
        return False
    try:
        return {"config", "weights", "version"} <= set(read_run(path))
    except Usage:
        return False


def claim(path: str | Path) -> Path:
    """Return the absolute path for a run file.

    Raises `Usage` if the run file or its partial file must not be written there.
    """
    run_path = result_files.check_result_path(path, "--out", is_run, "a run file")
    result_files.check_result_path(
        f"{run_path}.partial", "--out", is_partial, "the beginning of a run"
    )
    return run_path
