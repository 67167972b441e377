"""Reads QUESTIONS.jsonl, one JSON object a line. An error names the line and what to change."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

from rag import limits
from rag.disk import strict_json
from rag.disk.strict_json import Json
from rag.domain import Document
from rag.errors import Unreadable, Usage
from rag.ingest.load import read_jsonl_bytes

REVIEWS = ("draft", "accept", "reject")
FORM = (
    '{"id", "question", "answers", "evidence", "answerable": true, "type"}; answers is a list of '
    'texts, evidence a list of {"source", "quote"}'
)


@dataclass(frozen=True, slots=True)
class Gold:
    """A document with the answer, and the words of the answer if the author marked them."""

    source: str
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The place that a drafted question was made from.

    `document` is the hash of the document's text (`Document.id`), `quote` the text from `start` to
    `end`.
    """

    source: str
    document: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the known facts about its answer.

    `type` is the author's label or "". `anchors` are the places that a drafted question was made
    from. `draft` is true until a user accepts the draft.
    """

    id: str
    question: str
    answers: tuple[str, ...] = ()
    evidence: tuple[Gold, ...] = ()
    answerable: bool = True
    type: str = ""
    anchors: tuple[Anchor, ...] = ()
    draft: bool = False

    @property
    def sources(self) -> tuple[str, ...]:
        """The distinct gold documents."""
        return tuple(dict.fromkeys(gold.source for gold in self.evidence))

    @property
    def quotes(self) -> tuple[str, ...]:
        """The distinct gold quotes."""
        return tuple(dict.fromkeys(gold.quote for gold in self.evidence if gold.quote is not None))


@dataclass(frozen=True, slots=True)
class Entry:
    """A JSON object of a file, with its place and the right form for error messages."""

    where: str
    form: str
    values: dict[str, Json]

    def wrong(self, what: str) -> Usage:
        return Usage(f"{self.where}: {what}", f"write the line as {self.form}")

    def text(self, key: str) -> str:
        """Return the text at `key`. Raises `Usage` if it is missing or blank."""
        return self.checked(self.values.get(key), f'"{key}"')

    def listed(self, key: str) -> list[Json]:
        """Return the list at `key`, or an empty one."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(f'"{key}" must be a list, not {_shown(value)}')
        return value

    def checked(self, value: object, name: str) -> str:
        """Return `value` if it is text, not blank, and without a lone surrogate.

        No model accepts a lone surrogate.
        """
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"{name} must be text that is not empty, not {_shown(value)}")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise self.wrong(f"{name} holds half a character (a lone \\ud800 to \\udfff escape)")
        return value


def read_cases(path: str | Path) -> tuple[Case, ...]:
    """Return the questions of a .jsonl or .jsonl.gz file, in order, without rejected ones.

    Raises `Usage` for a file or line that is wrong.
    """
    cases: dict[str, Case] = {}
    for entry in read_entries(path, FORM):
        if _review(entry) == "reject":
            continue
        case = _case(entry)
        if case.id in cases:
            raise entry.wrong(
                f"the id {case.id!r} was used before, and each question needs its own"
            )
        cases[case.id] = case
    if not cases:
        raise Usage(f"{path} holds no questions", f"write a line for each question: {FORM}")
    return tuple(cases.values())


def sample_cases(cases: Sequence[Case], limit: int | None, seed: int = 0) -> tuple[Case, ...]:
    """Return `limit` of the cases, drawn without replacement, in file order."""
    if limit is None or limit >= len(cases):
        return tuple(cases)
    if limit < 1:
        raise Usage(f"{limit} questions are too few", "give a limit of at least 1")
    generator = random.Random(seed)  # noqa: S311 - a sample, not a secret
    drawn = generator.sample(range(len(cases)), limit)
    return tuple(cases[place] for place in sorted(drawn))


def read_entries(path: str | Path, form: str) -> Iterator[Entry]:
    """Yield the JSON objects of a file, one a line; blank lines are skipped.

    `form` is the right form of a line, for error messages.
    """
    try:
        content = read_jsonl_bytes(path)
        for number, line in enumerate(TextIOWrapper(BytesIO(content), encoding="utf-8-sig"), 1):
            if line.strip():
                yield _entry(line, f"{path}, line {number}", form)
    except UnicodeDecodeError as error:
        raise Usage(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8"
        ) from error
    except Unreadable as error:
        why = "Is a directory" if os.path.isdir(path) else error
        raise Usage(
            f"{path} cannot be read: {why}", "give a whole .jsonl or .jsonl.gz file"
        ) from error


def _entry(line: str, where: str, form: str) -> Entry:
    try:
        values = strict_json.parse(line)
    except json.JSONDecodeError as error:
        what = f"{where}: not JSON: {error.msg} at character {error.pos + 1}"
        raise Usage(what, f"write the line as {form}") from error
    except ValueError as error:
        raise Usage(
            f"{where}: not JSON that can be read: {error}", f"write the line as {form}"
        ) from error
    if not isinstance(values, dict):
        raise Usage(
            f"{where}: must be an object, not {_shown(values)}", f"write the line as {form}"
        )
    return Entry(where, form, values)


def _case(entry: Entry) -> Case:
    answerable = entry.values.get("answerable", bool(entry.listed("answers")))
    if not isinstance(answerable, bool):
        raise entry.wrong(f'"answerable" must be true or false, not {_shown(answerable)}')
    question = entry.text("question")
    if len(question) > limits.MAX_QUESTION_CHARS:
        raise entry.wrong(
            f"the question has {len(question):,} characters, over {limits.MAX_QUESTION_CHARS:,}"
        )
    return Case(
        id=entry.text("id"),
        question=question,
        answers=tuple(
            entry.checked(answer, 'each of "answers"') for answer in entry.listed("answers")
        ),
        evidence=tuple(_gold(entry, gold) for gold in entry.listed("evidence")),
        answerable=answerable,
        type=entry.text("type") if entry.values.get("type") else "",
        anchors=tuple(_anchors(entry)),
        draft=_review(entry) == "draft",
    )


def _review(entry: Entry) -> str:
    """Return the review of a draft; "accept" if the line is no draft."""
    review = entry.values.get("review", "accept")
    if review not in REVIEWS:
        raise entry.wrong(f'"review" must be one of {", ".join(REVIEWS)}, not {_shown(review)}')
    return str(review)


def _anchors(entry: Entry) -> Iterator[Anchor]:
    """Yield the places with a document's hash: of the evidence, and of a near miss its origin."""
    near = entry.values.get("near")
    for place in [*entry.listed("evidence"), *([near] if near is not None else [])]:
        if not isinstance(place, dict) or place.get("document") is None:
            continue
        start, end = place.get("start"), place.get("end")
        if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end):
            raise entry.wrong(
                '"start" and "end" must be there beside "document", as counts of characters'
            )
        names = ("source", "document", "quote")
        source, document, quote = (
            entry.checked(place.get(name), f'the "{name}" beside "start"') for name in names
        )
        yield Anchor(source, document, start, end, quote)


def changed_sources(case: Case, document: Callable[[str], Document]) -> str:
    """Return how the documents of a drafted question changed, or "" if they did not."""
    changes = []
    for anchor in case.anchors:
        try:
            if document(anchor.document).text[anchor.start : anchor.end] == anchor.quote:
                continue
            changes.append(
                f"the place in {anchor.source} "
                "does not hold the words that the question was made from"
            )
            continue
        except Usage:
            pass
        try:
            now = document(anchor.source)
        except Usage:
            changes.append(f"{anchor.source} is not in the library")
            continue
        kept = " ".join(anchor.quote.split()) in " ".join(now.text.split())
        words = "its words are still there" if kept else "its words are gone"
        changes.append(f"{anchor.source} has changed since the question was made; {words}")
    return "; ".join(dict.fromkeys(changes))


def _gold(entry: Entry, gold: object) -> Gold:
    """Return the evidence, whose document is named by "source" or "doc_id" (a corpus file's id)."""
    if not isinstance(gold, dict):
        raise entry.wrong(
            f'each of "evidence" must be an object with "source" or "doc_id", not {_shown(gold)}'
        )
    source = gold["source"] if gold.get("source") is not None else gold.get("doc_id")
    quote = gold.get("quote")
    return Gold(
        source=entry.checked(source, 'the "source" or "doc_id" of evidence'),
        quote=entry.checked(quote, 'the "quote" of evidence') if quote is not None else None,
    )


def _shown(value: object) -> str:
    """Return a wrong value, shortened for an error message."""
    if value is None:
        return "nothing"
    try:
        text = json.dumps(value)
    except RecursionError:
        return "something that nests deep"
    return text if len(text) <= 40 else f"{text[:39]}…"
