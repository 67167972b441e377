"""QUESTIONS.jsonl -> cases: one JSON object a line. A wrong line is named with its number and its cure."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

from rag.errors import Usage

FORM = '{"id", "question", "answers": […], "evidence": [{"source", "quote"}], "answerable": true, "type"}'


@dataclass(frozen=True, slots=True)
class Gold:
    """A document that holds the answer, and its words where the questions' author marked them."""

    source: str
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known about its answer. `type` is its author's label, "" where there is none."""

    id: str
    question: str
    answers: tuple[str, ...] = ()
    evidence: tuple[Gold, ...] = ()
    answerable: bool = True
    type: str = ""

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
    """One JSON object of a file: it knows where it stands and how it should look, to say what is wrong."""

    where: str
    form: str
    values: dict[str, Any]

    def wrong(self, what: str) -> Usage:
        return Usage(f"{self.where}: {what}", f"write the line as {self.form}")

    def text(self, key: str) -> str:
        """The text at `key`, which must be there and must not be blank."""
        return self.checked(self.values.get(key), f'"{key}"')

    def listed(self, key: str) -> list[Any]:
        """The list at `key`; empty where there is none."""
        value = self.values.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.wrong(f'"{key}" must be a list, not {_shown(value)}')
        return value

    def checked(self, value: object, name: str) -> str:
        """`value`, if it is text, is not blank, and holds no half of a surrogate pair, which no model could take."""
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"{name} must be text that is not empty, not {_shown(value)}")
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise self.wrong(f"{name} holds half a character (a lone \\ud800 to \\udfff escape)")
        return value


def cases(path: str | Path) -> tuple[Case, ...]:
    """All questions of a .jsonl or .jsonl.gz file, in its order. Raises `Usage` for what cannot be read as such."""
    found: dict[str, Case] = {}
    for entry in entries(path, FORM):
        case = _case(entry)
        if case.id in found:
            raise entry.wrong(f"the id {case.id!r} was used before, and each question needs its own")
        found[case.id] = case
    if not found:
        raise Usage(f"{path} holds no questions", f"write a line for each question: {FORM}")
    return tuple(found.values())


def sample(cases: Sequence[Case], limit: int | None, seed: int = 0) -> tuple[Case, ...]:
    """`limit` of the cases, drawn without replacement by `seed`, in file order; all where there is no limit."""
    if limit is None or limit >= len(cases):
        return tuple(cases)
    if limit < 1:
        raise Usage(f"{limit} questions are too few", "give a limit of at least 1")
    drawn = random.Random(seed).sample(range(len(cases)), limit)  # noqa: S311 - a sample, not a secret
    return tuple(cases[place] for place in sorted(drawn))


def entries(path: str | Path, form: str) -> Iterator[Entry]:
    """The JSON objects of a file, one a line; blank lines are passed over. `form` tells a person how a line looks."""
    try:
        with _open(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _entry(line, f"{path}, line {number}", form)
    except UnicodeDecodeError as error:
        raise Usage(f"{path} is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8") from error
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise Usage(f"{path} cannot be read: {why}", "give a whole .jsonl or .jsonl.gz file") from error


def _open(path: str | Path) -> TextIO:
    if str(path).endswith(".gz"):
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig"))
    return open(path, encoding="utf-8-sig")


def _entry(line: str, where: str, form: str) -> Entry:
    try:
        values = json.loads(line)
    except json.JSONDecodeError as error:
        what = f"{where}: not JSON: {error.msg} at character {error.pos + 1}"
        raise Usage(what, f"write the line as {form}") from error
    except (ValueError, RecursionError) as error:
        raise Usage(f"{where}: not JSON that can be read: {error}", f"write the line as {form}") from error
    if not isinstance(values, dict):
        raise Usage(f"{where}: must be an object, not {_shown(values)}", f"write the line as {form}")
    return Entry(where, form, values)


def _case(entry: Entry) -> Case:
    answerable = entry.values.get("answerable")
    if not isinstance(answerable, bool):
        raise entry.wrong(f'"answerable" must be true or false, not {_shown(answerable)}')
    return Case(
        id=entry.text("id"),
        question=entry.text("question"),
        answers=tuple(entry.checked(answer, 'each of "answers"') for answer in entry.listed("answers")),
        evidence=tuple(_gold(entry, gold) for gold in entry.listed("evidence")),
        answerable=answerable,
        type=entry.text("type") if entry.values.get("type") else "",
    )


def _gold(entry: Entry, gold: object) -> Gold:
    """Gold evidence names its document by "source" or "doc_id" (a corpus file's id); its quote may be left out."""
    if not isinstance(gold, dict):
        raise entry.wrong(f'each of "evidence" must be an object with "source" or "doc_id", not {_shown(gold)}')
    source = gold["source"] if gold.get("source") is not None else gold.get("doc_id")
    quote = gold.get("quote")
    return Gold(
        source=entry.checked(source, 'the "source" or "doc_id" of evidence'),
        quote=entry.checked(quote, 'the "quote" of evidence') if quote is not None else None,
    )


def _shown(value: object) -> str:
    """A wrong value, short enough for an error message."""
    if value is None:
        return "nothing"
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
