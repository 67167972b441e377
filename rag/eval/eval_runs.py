"""Runs ``footnote eval`` and ``footnote calibrate``.

Opens the library (the configured one, or one made of a corpus and kept under its hash), runs the
questions or the claims, and returns the summary.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag import __version__
from rag.answer.calibration import (
    Calibration,
    active_calibration,
    fitted_settings,
    save_calibration,
)
from rag.bot import Bot
from rag.config import READER, Config
from rag.disk import result_files
from rag.disk.atomic_files import sha256
from rag.domain import Document
from rag.errors import Unreadable, Usage
from rag.eval import checker, run
from rag.eval.calibrate import check_enough, fit_threshold
from rag.eval.cases import Case, read_cases, sample_cases
from rag.eval.draft import draft_questions
from rag.eval.gate import GateResult
from rag.eval.markdown_report import is_page, markdown_report
from rag.eval.records import CalibrationRecord, Comparison, Measurement, QuestionLine, Run
from rag.events import Event
from rag.inference.embedders import open_embedder
from rag.inference.weights import PART_READER_FILE, READER_FILE, find_chat_model, fingerprint
from rag.ingest.load import read_bytes, walk_files

if TYPE_CHECKING:
    from rag.disk.strict_json import Json

#: Describes the files that a draft may replace, in error messages.
_DRAFT = "a file that may be replaced (it may hold a reviewed draft)"
Progress = Callable[[Event], None]
Say = Callable[[str], None]


class _WithoutHistory:
    """A bot whose questions are not saved in its history."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.search = bot.search

    def ask(self, question: str) -> Iterator[Event]:
        return self._bot.ask(question, save=False)

    def document(self, document_id: str) -> Document:
        return self._bot.document(document_id)


def run_evaluation(
    config: Config,
    questions: str,
    corpus: Sequence[str],
    *,
    retrieval_only: bool,
    limit: int | None,
    seed: int,
    out: str | None,
    say: Say,
    progress: Progress,
) -> Run:
    """Return the run object, also written to `out` or to the home's ``runs`` folder.

    An interrupted run is continued.
    """
    if out is not None:
        run.claim(out)  # before anything is read, embedded or asked
    drawn = sample_cases(read_cases(questions), limit, seed)
    with open_corpus(config, corpus, progress) as (bot, about):
        setup = run.Setup(
            {**about, "questions": sha256(questions), "seed": seed},
            _weights(bot.config),
            __version__,
        )
        return _run(bot, drawn, setup, retrieval_only, out, say)


def _run(
    bot: Bot,
    drawn: Sequence[Case],
    setup: run.Setup,
    retrieval_only: bool,
    out: str | None,
    say: Say,
) -> Run:
    """Ask the drawn cases, report progress, and return the run object."""
    file_name = f"{run.fingerprint(setup, drawn, retrieval_only)[:16]}.json"
    run_path = run.claim(Path(bot.config.home) / "runs" / file_name if out is None else out)
    os.makedirs(run_path.parent, exist_ok=True)
    if out is None and run_path.exists():
        say("an earlier run has the same questions, library and settings: this one replaces it")
    numbers = {case.id: number for number, case in enumerate(drawn, 1)}
    started = time.monotonic()
    for asked, record in enumerate(
        run.run_cases(_WithoutHistory(bot), drawn, run_path, setup, say, retrieval_only), 1
    ):
        number = numbers[record["id"]]
        seconds = int((time.monotonic() - started) / asked * (len(drawn) - number))
        time_left = f"{seconds // 60}:{seconds % 60:02} left"
        say(f"{number} of {len(drawn)} · {time_left} · {record['question']}\r")
    finished = run.read_run(run_path)
    for case in finished["cases"]:
        if case.get("changed"):
            say(f"{case['id']}: {case['changed']}")
    drafts = sum(case.draft for case in drawn)
    if drafts:
        say(
            f"{drafts} of {len(drawn)} questions are drafts that nobody has accepted "
            '(set "review" to "accept" or "reject")'
        )
    return finished


def run_draft(
    config: Config, count: int, seed: int, out: str | None, say: Say
) -> list[QuestionLine]:
    """Return up to `count` lines of a drafted question file.

    They are also written to `out` if it is given. `out` must not exist.
    """
    out_path = (
        None
        if out is None
        else result_files.check_result_path(out, "--out", result_files.never_replace, _DRAFT)
    )
    with Bot.open(config) as bot:
        lines = draft_questions(bot, count, seed)
    if out_path is not None:
        text = "".join(
            json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines
        )
        result_files.write_result(out_path, text, "--out", result_files.never_replace, _DRAFT)
    kinds = Counter(line["type"] for line in lines)
    missing = ""
    if len(lines) != count:
        missing = f" of the {count} asked for: the library gives no more by rule"
    by_kind = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    say(f"{len(lines)} questions{missing} ({by_kind})")
    return lines


def run_calibration(
    config: Config, questions: str, aim: str, seed: int, say: Say
) -> CalibrationRecord:
    """Fit the reader's threshold to a question file, save it, and return the ``--json`` object.

    It is saved with the library.
    """
    drawn = read_cases(questions)
    check_enough(
        sum(case.answerable and bool(case.answers) for case in drawn),
        sum(not case.answerable for case in drawn),
    )
    with Bot.open(config, threshold=0.0) as bot:
        about = _about(config) | {"least": 0.0, "revision": bot.revision()}
        setup = run.Setup({**about, "questions": sha256(questions)}, _weights(config), __version__)
        found = _run(bot, drawn, setup, False, None, say)
        shipped = bot.machines.shipped_threshold()
    fitted = fit_threshold(found["cases"], shipped, aim, seed)
    kept = Calibration(
        round(fitted.least, 6),
        fitted.answerable,
        fitted.unanswerable,
        READER_FILE.sha256,
        fitted_settings(config),
        dict(fitted.fitted),
    )
    save_calibration(config.folder, kept)
    return {
        "schema": run.SCHEMA,
        "version": __version__,
        "least": fitted.least,
        "answerable": fitted.answerable,
        "unanswerable": fitted.unanswerable,
        "skipped": fitted.skipped,
        "fitted": fitted.fitted,
        "shipped": fitted.shipped,
        "change": fitted.change,
        "shipped_least": round(shipped, 6),
        "aim": aim,
        "seed": seed,
    }


def claim_page(place: str, out: str | None) -> Path:
    """Return the absolute path for the page of a run whose run file is `out`.

    Raises `Usage` if the page must not be written there.
    """
    page_path = result_files.check_result_path(
        place, "--report", is_page, "a report of an evaluation"
    )
    if out is not None and str(page_path) in (
        os.path.abspath(out),
        os.path.abspath(out) + ".partial",
    ):
        raise Usage("--out and --report name the same file", "give them two names")
    return page_path


def write_report(
    place: Path,
    found: Run,
    against: Comparison | None,
    kept: Sequence[GateResult],
) -> None:
    """Write the Markdown page of a run atomically to a path from `claim_page`."""
    result_files.write_result(
        place,
        markdown_report(found, against, kept),
        "--report",
        is_page,
        "a report of an evaluation",
    )


def measure_checker(
    config: Config, claims: str, limit: int | None, seed: int, say: Say
) -> Measurement:
    """Return the checker's figures on labelled claims."""
    import random

    labelled = list(checker.read_claims(claims))
    if limit is not None and limit < len(labelled):
        labelled = random.Random(seed).sample(labelled, limit)  # noqa: S311
    records = []
    with Bot.open(config) as bot:
        for number, record in enumerate(checker.judge_claims(labelled, bot.check), 1):
            say(f"{number} of {len(labelled)} claims\r")
            records.append(record)
    return {
        "schema": run.SCHEMA,
        "version": __version__,
        "summary": checker.summarise_checker(records),
    }


@contextmanager
def open_corpus(
    config: Config, corpus: Sequence[str], progress: Progress
) -> Iterator[tuple[Bot, dict[str, Json]]]:
    """Yield the bot and the settings for the run file.

    A corpus becomes a library named by its hash.
    """
    about = _about(config)
    if corpus:
        about["corpus"] = digest = _hash(corpus)
        if config.embedder:  # the same documents with other vectors are another library
            digest = hashlib.sha256(f"{digest}\0{_embedding(config)[2]}".encode()).hexdigest()
        config = replace(config, library=f"eval-{digest[:16]}")
        about.pop("library")
    with Bot.open(config) as bot:
        if corpus:
            for event in bot.add(list(corpus)):
                progress(event)
        else:
            # An interrupted run is continued only over the same documents.
            about["revision"] = bot.revision()
            calibration = active_calibration(config) if config.model == READER else None
            about |= {"calibrated": calibration.least} if calibration else {}
        yield bot, about


def _hash(corpus: Sequence[str]) -> str:
    """Return a hash of the names and contents of all files of the corpus."""
    digest = hashlib.sha256()
    for path in corpus:
        try:
            files = list(walk_files(path))
        except Unreadable as error:
            raise Usage(f"--corpus {path}: {error}", error.cure) from error
        for file in files:
            if file.closed:
                raise Usage(f"--corpus {file.path}: {file.closed}", "make it readable")
            try:
                content = hashlib.sha256(read_bytes(file.path)).hexdigest()
            except Unreadable as error:  # reported later, and the same in the next run
                content = str(error)
            digest.update(f"{file.source}\0{content}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _about(config: Config) -> dict[str, Json]:
    """Return the settings of a run, with the name of an embedder that is not built in.

    The embedder's checksum is among the weights.
    """
    about = {key: value for key, value in asdict(config).items() if key not in ("home", "embedder")}
    return about | ({"embedder": _embedding(config)[0]} if config.embedder else {})


def _embedding(config: Config) -> tuple[str, str, str]:
    """Return name, checksum and identity of the embedder in use."""
    embedder = open_embedder(config)
    try:
        return embedder.name, embedder.sha256, embedder.identity
    finally:
        embedder.close()


def _weights(config: Config) -> dict[str, str]:
    """Return the checksums of the weights, of a server's model none.

    The reader also judges what a chat model writes.
    """
    checksums = {
        "embedder": _embedding(config)[1],
        "reader": READER_FILE.sha256,
        "part_reader": PART_READER_FILE.sha256,
    }
    if config.model != READER and not config.server:
        model_path = find_chat_model(config.home, config.model).path
        checksums["model"] = fingerprint(config.home, model_path)
    return checksums
