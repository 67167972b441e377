"""THE FLOW of a scripted run: ask each case, score it, keep it, and summarise them all.

A record is one case in plain JSON values: the question, its gold, the whole answer object, what retrieval found, and
`scores` by group, where a number or a pair [numerator, denominator] stands for each figure the case has a part in.
Everything in the summary is arithmetic over those.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from rag import serialize
from rag.disk import regular_files, result_files, strict_json
from rag.domain import Answer, Document, Passage
from rag.errors import RagError, Unreadable, Usage
from rag.eval.cases import Case, changed_sources
from rag.eval.interval import Row, bootstrap_interval, quantile
from rag.eval.resume import PartialRun, Record, Say, is_partial
from rag.eval.scoring import score_answer, score_retrieval
from rag.events import Answered, Event

SCHEMA = 1
_LARGEST = 2**30  # bytes of a run file
DEPTH = 10  # passages that retrieval figures are taken from

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
    """What a run asks: the front door, or a test's script."""

    def ask(self, question: str, /) -> Iterator[Event]: ...

    def search(self, question: str, limit: int, /) -> tuple[Passage, ...]: ...

    def document(self, name: str, /) -> Document: ...


@dataclass(frozen=True, slots=True)
class Setup:
    """What the figures depend on besides the questions. `config` also names the library or corpus that is asked."""

    config: dict[str, Any]
    weights: dict[str, Any]
    version: str


def run_cases(
    bot: Bot,
    cases: Sequence[Case],
    out: str | Path,
    setup: Setup,
    say: Say,
    retrieval_only: bool = False,
) -> Iterator[Record]:
    """Evaluate and write the run file; yields each record as it is finished. Interrupted, the same call goes on.

    What an earlier call finished is not asked again and not yielded again, but is in the run file.
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
) -> Iterator[Record]:
    """One record for each case, in order, but for those whose id is in `done`."""
    for case in cases:
        if done is None or case.id not in done:
            yield _record(bot, case, retrieval_only)


def _record(bot: Bot, case: Case, retrieval_only: bool) -> Record:
    answer = None if retrieval_only else _ask(bot, case.question)
    started = time.perf_counter()
    found = bot.search(case.question, DEPTH)
    seconds = time.perf_counter() - started
    scores = {"retrieval": score_retrieval(case, found)}
    scores |= (
        score_answer(case, answer, bot.document) if answer else {"seconds": {"retrieve": seconds}}
    )
    changed = changed_sources(case, bot.document)
    return {
        "id": case.id,
        "question": case.question,
        "type": case.type,
        "answerable": case.answerable,
        "gold": {
            "answers": list(case.answers),
            "evidence": [asdict(gold) for gold in case.evidence],
        },
        "answer": serialize.answer(answer) if answer else None,
        "retrieved": [_slim(serialize.passage(passage)) for passage in found],
        "scores": scores,
        **({"changed": changed} if changed else {}),
    }


def _ask(bot: Bot, question: str) -> Answer:
    answer: Answer | None = None
    for event in bot.ask(question):
        if isinstance(event, Answered):
            answer = event.answer
    if answer is None or answer.stopped:
        raise RagError(
            "a question was stopped before it was answered",
            "run the same command again: it goes on from there",
        )
    return answer


def _slim(passage: dict[str, Any]) -> dict[str, Any]:
    """A retrieved passage without its text, which its document and span name: run files stay small."""
    return {key: value for key, value in passage.items() if key != "text"}


def summarise(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every figure with its interval and n: the cases that have a part in it."""
    scores = [record["scores"] for record in records]
    summary: dict[str, Any] = {
        group: {name: bootstrap_interval(_rows(scores, group, name)) for name in names}
        for group, names in FIGURES.items()
    }
    summary["seconds"] = {
        part: {
            name: bootstrap_interval(_rows(scores, "seconds", part), statistic=quantile(share))
            for name, share in QUANTILES.items()
        }
        for part in SECONDS
    }
    return summary


def _rows(scores: Sequence[Mapping[str, Any]], group: str, name: str) -> list[Row]:
    """A figure's rows: without the cases that have no such score, or whose pair has nothing to be a share of."""
    rows = [score[group][name] for score in scores if name in score.get(group, {})]
    return [row for row in rows if not isinstance(row, list | tuple) or row[1]]


def run_object(records: Sequence[Record], setup: Setup) -> dict[str, Any]:
    """The object of RUN.json."""
    return {
        "schema": SCHEMA,
        **asdict(setup),
        "cases": list(records),
        "summary": summarise(records),
    }


def fingerprint(setup: Setup, cases: Sequence[Case], retrieval_only: bool = False) -> str:
    """What must be the same for records of an interrupted run to be taken over."""
    parts = [SCHEMA, asdict(setup), [asdict(case) for case in cases], retrieval_only]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_run(path: str | Path) -> dict[str, Any]:
    """A run file. Raises `Usage` where it is none."""
    try:
        found: dict[str, Any] = strict_json.parse(
            regular_files.read_text_file(path, regular_files.MAX_RUN_BYTES)
        )
    except (Unreadable, ValueError, RecursionError) as error:
        raise Usage(
            f"{path} cannot be read as a run file: {error}", "give the --out of an earlier run"
        ) from error
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("cases"), list)
        or "summary" not in found
    ):
        raise Usage(
            f"{path} is no run file: it has no cases and no summary",
            "give the --out of an earlier run",
        )
    if found.get("schema") != SCHEMA:
        raise Usage(
            f"{path} is of format {found.get('schema')!r}, this program reads format {SCHEMA}",
            "run it again with this version",
        )
    return found


def write_run(path: str | Path, run: Mapping[str, Any]) -> None:
    """Write RUN.json so that there is either the old run or the new one, whole. Raises `Usage`."""
    text = json.dumps(run, indent=1, allow_nan=False) + "\n"
    result_files.write_result(Path(path).absolute(), text, "--out", is_run, "a run file")


def is_run(path: Path) -> bool:
    """Is the regular file at `path` a run file of this format?"""
    if not result_files.begins(path).lstrip().startswith(b"{") or path.stat().st_size > _LARGEST:
        return False
    try:
        return {"config", "weights", "version"} <= set(read_run(path))
    except Usage:
        return False


def claim(path: str | Path) -> Path:
    """The absolute path for a run file, which may be written together with its partial file. Raises `Usage`."""
    place = result_files.check_result_path(path, "--out", is_run, "a run file")
    result_files.check_result_path(
        f"{place}.partial", "--out", is_partial, "the beginning of a run"
    )
    return place
