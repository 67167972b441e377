"""Training examples: a text, a passage, and the labels of the pair.

`side` decides whether a document is used for training, tuning or testing.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from rag.domain import Span
from rag.text import facts
from rag.text.sentences import split_sentences

#: percent of the documents kept out of training: for settings and thresholds, and for the figures
TUNE_PERCENT, TEST_PERCENT = 8, 14
#: the first of 0 to 40 that assigns 4 of SQuAD 2.0's 28 articles to the test and 2 to tuning
_SALT = 6


@dataclass(frozen=True, slots=True)
class Example:
    """A pair of texts with its known labels.

    The labels are answers, helps, supported, partly and against: 1.0 yes, 0.0 no. A label that is
    not known is absent.
    """

    job: str  #: "read" or "support"
    origin: str  #: the set it comes from
    document: str  #: decides the side of the example, see `side`
    first: str  #: the question or the sentence
    second: str  #: the passage
    labels: Mapping[str, float] = field(default_factory=dict)
    span: Span | None = None  #: the answer or the evidence in `second`
    answers: tuple[str, ...] = ()  #: all correct answers
    weight: float = 1.0


class GoldPlace(TypedDict, total=False):
    """The passage with the answer to a question, and the words of the answer."""

    doc_id: str
    quotes: list[str]


class SetTable(TypedDict, total=False):
    """A table with the names of its columns."""

    title: str
    header: list[str]
    rows: list[list[str]]


class SetRow(TypedDict, total=False):
    """A row of a set: of a corpus, of questions, or of claims. A set has some of the keys."""

    id: str
    text: str
    question: str
    answerable: bool
    answers: list[str]
    evidence: list[GoldPlace]
    near_doc_id: str | None
    document: str
    passage: str
    claim: str
    label: str
    orig_label: str | None
    table: SetTable
    answer_in_cell: bool


def side(document: str) -> str:
    """The side of a document: "train", "tune" or "test".

    It depends on the document's name only, so it is the same in every run and every set.
    """
    percentile = int(hashlib.sha256(f"{_SALT}:{document}".encode()).hexdigest()[:8], 16) % 100
    if percentile < TEST_PERCENT:
        return "test"
    return "tune" if percentile < TEST_PERCENT + TUNE_PERCENT else "train"


def rows(path: Path) -> list[SetRow]:
    """The rows of a gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def locate(question: str, passage: str, answers: Sequence[str]) -> Span | None:
    """The span of an answer in the passage; None if it contains none of the answers.

    Of several answers the one of median length is taken, where its sentence shares most words with
    the question.
    """
    present = sorted(
        {answer.strip() for answer in answers if answer.strip() and answer.strip() in passage},
        key=lambda answer: (len(answer), answer),
    )
    if not present:
        return None
    answer = present[(len(present) - 1) // 2]
    starts = list(_starts(passage, answer)) or [passage.index(answer)]
    if len(starts) > 1:
        question_stems = set(facts.content_stems(question))
        sentences = list(split_sentences(passage))

        def shared_words(start: int) -> int:
            shared = (
                len(question_stems & set(facts.content_stems(sentence.of(passage))))
                for sentence in sentences
                if sentence.start <= start < sentence.end
            )
            return max(shared, default=0)

        starts.sort(key=lambda start: -shared_words(start))
    return Span(starts[0], starts[0] + len(answer))


def _starts(passage: str, answer: str) -> Iterator[int]:
    """The starts of all occurrences of `answer` that do not cut a word."""
    start = passage.find(answer)
    while start >= 0:
        end = start + len(answer)
        before, after = passage[start - 1 : start], passage[end : end + 1]
        cuts_start = before.isalnum() and answer[0].isalnum()
        cuts_end = after.isalnum() and answer[-1].isalnum()
        if not cuts_start and not cuts_end:
            yield start
        start = passage.find(answer, start + 1)


def window(text: str, keep: Span | None, max_chars: int, chance: random.Random) -> Span:
    """A range of whole sentences of `text`, of about `max_chars` characters.

    It contains `keep` at a random position; without `keep` it is anywhere in the text.
    """
    if len(text) <= max_chars:
        return Span(0, len(text))
    spans = list(split_sentences(text)) or [Span(0, len(text))]
    if keep is None:
        middle = chance.randrange(len(spans))
        low = high = middle
    else:
        kept = [number for number, span in enumerate(spans) if span.overlaps(keep)] or [0]
        low, high = kept[0], kept[-1]
    while True:
        left = low > 0 and spans[high].end - spans[low - 1].start <= max_chars
        right = high + 1 < len(spans) and spans[high + 1].end - spans[low].start <= max_chars
        if not left and not right:
            break
        if left and (not right or chance.random() < 0.5):
            low -= 1
        else:
            high += 1
    start, end = spans[low].start, spans[high].end
    if keep is not None:
        start, end = min(start, keep.start), max(end, keep.end)
    return Span(start, end)


def groups(pairs: Sequence[tuple[str, str]], prefix: str) -> list[str]:
    """The name of the group of each pair; pairs that share a text are in the same group.

    The groups are connected components.
    """
    parent: dict[str, str] = {}

    def root(key: str) -> str:
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    keys = [(f"1{facts.flatten_text(a)}", f"2{facts.flatten_text(b)}") for a, b in pairs]
    for a, b in keys:
        ra, rb = root(a), root(b)
        parent[max(ra, rb)] = min(ra, rb)
    return [f"{prefix}:{root(a)}" for a, _ in keys]
