"""What ``footnote eval`` and ``footnote calibrate`` do: opens the library that is asked (its own, or a corpus embedded once and kept by its hash),
runs the questions or the claims, and hands back the summary."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

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
from rag.events import Event
from rag.inference.embedders import open_embedder
from rag.inference.weights import READER_FILE, find_chat_model, fingerprint
from rag.ingest.load import read_bytes, walk_files

_DRAFT = "a file that may be replaced (it may hold a reviewed draft)"
Progress = Callable[[Event], None]
Say = Callable[[str], None]


class _Asked:
    """A bot that is asked without leaving a trace in its history."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.search = bot.search

    def ask(self, question: str) -> Iterator[Event]:
        return self._bot.ask(question, save=False)

    def document(self, name: str) -> Document:
        return self._bot.document(name)


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
) -> dict[str, Any]:
    """The run object, also written to `out` (else to the home's ``runs`` folder). An interrupted run goes on."""
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
) -> dict[str, Any]:
    own = (
        Path(bot.config.home)
        / "runs"
        / f"{run.fingerprint(setup, drawn, retrieval_only)[:16]}.json"
    )
    place = run.claim(own if out is None else out)
    os.makedirs(place.parent, exist_ok=True)
    places, started = {case.id: number for number, case in enumerate(drawn, 1)}, time.monotonic()
    for asked, record in enumerate(
        run.run_cases(_Asked(bot), drawn, place, setup, say, retrieval_only), 1
    ):
        number = places[record["id"]]
        left = (time.monotonic() - started) / asked * (len(drawn) - number)
        say(
            f"{number} of {len(drawn)} · {int(left) // 60}:{int(left) % 60:02} left · {record['question']}\r"
        )
    found = run.read_run(place)
    for case in found["cases"]:
        if case.get("changed"):
            say(f"{case['id']}: {case['changed']}")
    drafts = sum(case.draft for case in drawn)
    if drafts:
        say(
            f'{drafts} of {len(drawn)} questions are drafts that nobody has accepted (set "review" to "accept" or "reject")'
        )
    return found


def run_draft(
    config: Config, many: int, seed: int, out: str | None, say: Say
) -> list[dict[str, Any]]:
    """The lines of a drafted question file; written to `out`, where it is given, which must not be there yet."""
    place = (
        None
        if out is None
        else result_files.check_result_path(out, "--out", result_files.never_replace, _DRAFT)
    )
    with Bot.open(config) as bot:
        lines = draft_questions(bot, many, seed)
    if place is not None:
        text = "".join(
            json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in lines
        )
        result_files.write_result(place, text, "--out", result_files.never_replace, _DRAFT)
    kinds = Counter(line["type"] for line in lines)
    short = (
        "" if len(lines) == many else f" of the {many} asked for: the library gives no more by rule"
    )
    say(
        f"{len(lines)} questions{short} ({', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))})"
    )
    return lines


def run_calibration(
    config: Config, questions: str, aim: str, seed: int, say: Say
) -> dict[str, Any]:
    """Fit the reader's threshold on a question file and keep it beside the library; the object of ``calibrate --json``."""
    if config.model != READER:
        raise Usage(
            f"{config.model} answers, and has no threshold of its own",
            "footnote calibrate --model reader QUESTIONS.jsonl",
        )
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
        round(fitted.least, 6), fitted.answerable, fitted.unanswerable, READER_FILE.sha256, fitted_settings(config), dict(fitted.fitted)
    )  # fmt: skip
    save_calibration(config.folder, kept)
    return {
        "schema": run.SCHEMA,
        "version": __version__,
        **asdict(fitted),
        "shipped_least": round(shipped, 6),
        "aim": aim,
        "seed": seed,
    }


def claim_page(place: str, out: str | None) -> Path:
    """The absolute path for the page of a run that goes to `out`. Raises `Usage` where it must not be written there."""
    found = result_files.check_result_path(place, "--report", is_page, "a report of an evaluation")
    if out is not None and str(found) in (os.path.abspath(out), os.path.abspath(out) + ".partial"):
        raise Usage("--out and --report name the same file", "give them two names")
    return found


def write_report(
    place: Path,
    found: Mapping[str, Any],
    against: Mapping[str, Any] | None,
    kept: Sequence[GateResult],
) -> None:
    """The Markdown page of a run, whole or not at all, at the path that `claim_page` gave."""
    result_files.write_result(
        place,
        markdown_report(found, against, kept),
        "--report",
        is_page,
        "a report of an evaluation",
    )


def measure_checker(
    config: Config, claims: str, limit: int | None, seed: int, say: Say
) -> dict[str, Any]:
    """The checker's figures on labelled claims."""
    import random

    found = list(checker.read_claims(claims))
    if limit is not None and limit < len(found):
        found = random.Random(seed).sample(found, limit)  # noqa: S311
    records = []
    with Bot.open(config) as bot:
        for number, record in enumerate(checker.judge_claims(found, bot.check), 1):
            say(f"{number} of {len(found)} claims\r")
            records.append(record)
    return {
        "schema": run.SCHEMA,
        "version": __version__,
        "summary": checker.summarise_checker(records),
    }


@contextmanager
def open_corpus(
    config: Config, corpus: Sequence[str], progress: Progress
) -> Iterator[tuple[Bot, dict[str, Any]]]:
    """The bot that is asked, and what the run file says about it. A corpus becomes a library named by its hash."""
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
            about["revision"] = (
                bot.revision()
            )  # an interrupted run goes on only over the same documents
            known = active_calibration(config) if config.model == READER else None
            about |= {"calibrated": known.least} if known else {}
        yield bot, about


def _hash(corpus: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for path in corpus:
        try:
            files = list(walk_files(path))
        except Unreadable as error:
            raise Usage(f"--corpus {error}", error.cure) from error
        for file in files:
            if file.closed:
                raise Usage(f"--corpus {file.path}: {file.closed}", "make it readable")
            try:
                held = hashlib.sha256(read_bytes(file.path)).hexdigest()
            except (
                Unreadable
            ) as error:  # it is a line of the report, and the same one the next time
                held = str(error)
            digest.update(f"{file.source}\0{held}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _about(config: Config) -> dict[str, Any]:
    """The settings of a run; of the embedder its name, where it is not the built-in one (its checksum is among the weights)."""
    about = {key: value for key, value in asdict(config).items() if key not in ("home", "embedder")}
    return about | ({"embedder": _embedding(config)[0]} if config.embedder else {})


def _embedding(config: Config) -> tuple[str, str, str]:
    """Name, checksum and identity of the embedder that is really used."""
    found = open_embedder(config)
    try:
        return found.name, found.sha256, found.identity
    finally:
        found.close()


def _weights(config: Config) -> dict[str, str]:
    embedder = _embedding(config)[1]
    found = {
        "embedder": embedder,
        "reader": READER_FILE.sha256,
    }  # the reader also judges what a chat model writes
    if config.model != READER:
        found["model"] = fingerprint(config.home, find_chat_model(config.home, config.model).path)
    return found
