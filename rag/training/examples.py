"""One training example: a text, a passage, and what is known of the pair. And which side of the fence a document is on."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag.domain import Span
from rag.text import facts
from rag.text.sentences import split_sentences

TUNE, TEST = (
    8,
    14,
)  # percent of the documents that are held out: to choose settings and thresholds, and to report on
_SALT = 6  # of 0..40 the first that puts 4 of SQuAD 2.0's 28 articles to the test, 2 to tune and 22 to training


@dataclass(frozen=True, slots=True)
class Example:
    """`labels` holds what is known (1.0 yes, 0.0 no): answers, helps, supported, partly, against. What is not known is absent."""

    job: str  #: read or support
    origin: str  #: the set it comes from
    document: str  #: what it is held out by
    first: str  #: the question or the sentence
    second: str  #: the passage
    labels: Mapping[str, float] = field(default_factory=dict)
    span: Span | None = None  #: the answer, or where the evidence lies; into `second`
    answers: tuple[str, ...] = ()  #: all that count as right
    weight: float = 1.0


def side(document: str) -> str:
    """ "train", "tune" or "test": decided by the document's name alone, so it is the same in every run and every set."""
    place = int(hashlib.sha256(f"{_SALT}:{document}".encode()).hexdigest()[:8], 16) % 100
    return "test" if place < TEST else "tune" if place < TEST + TUNE else "train"


def rows(path: Path) -> list[dict[str, Any]]:
    """A gzipped JSONL file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def locate(question: str, passage: str, answers: Sequence[str]) -> Span | None:
    """Where the answer stands: the middle one by length, at the place whose sentence shares most words with the question."""
    there = sorted(
        {a.strip() for a in answers if a.strip() and a.strip() in passage},
        key=lambda a: (len(a), a),
    )
    if not there:
        return None
    answer = there[(len(there) - 1) // 2]
    places = list(_places(passage, answer)) or [passage.index(answer)]
    if len(places) > 1:
        asked = set(facts.content_stems(question))
        spans = list(split_sentences(passage))
        places.sort(
            key=lambda at: (
                -max(
                    (
                        len(asked & set(facts.content_stems(s.of(passage))))
                        for s in spans
                        if s.start <= at < s.end
                    ),
                    default=0,
                )
            )
        )
    return Span(places[0], places[0] + len(answer))


def _places(passage: str, answer: str) -> Iterator[int]:
    at = passage.find(answer)
    while at >= 0:
        before, after = passage[at - 1 : at], passage[at + len(answer) : at + len(answer) + 1]
        if not (
            (before.isalnum() and answer[0].isalnum()) or (after.isalnum() and answer[-1].isalnum())
        ):
            yield at
        at = passage.find(answer, at + 1)


def window(text: str, keep: Span | None, most: int, chance: random.Random) -> Span:
    """Whole sentences of `text` around `keep` (or anywhere), of about `most` characters, `keep` at a random place in it."""
    if len(text) <= most:
        return Span(0, len(text))
    spans = list(split_sentences(text)) or [Span(0, len(text))]
    if keep is None:
        middle = chance.randrange(len(spans))
        low = high = middle
    else:
        hit = [n for n, s in enumerate(spans) if s.overlaps(keep)] or [0]
        low, high = hit[0], hit[-1]
    while True:
        left = low > 0 and spans[high].end - spans[low - 1].start <= most
        right = high + 1 < len(spans) and spans[high + 1].end - spans[low].start <= most
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
    """A name for each pair such that pairs that share either text are in one group (connected components)."""
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
