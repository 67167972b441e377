"""Checks a bundle without a model: each quote against its passage and, at hand, its document.

A quote holds in its passage if the passage that the answer recorded has these words at this place.
It holds in its source if the text with the recorded hash has them at the recorded place, or, where
that text is not at hand, if the document that has the name now still contains them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from rag.disk.strict_json import Json
from rag.domain import Answer, Evidence
from rag.export.saved_answer import read_answer

#: characters of the hash in the id of a document
_ID_CHARS = 32


class InSource(StrEnum):
    """Whether a quote stands in its source."""

    HOLDS = "holds"  #: in the same text, at the same place
    ELSEWHERE = "elsewhere"  #: the document has changed; the words still stand in it
    MISSING = "missing"  #: the words are not there
    NOT_AT_HAND = "not at hand"


@dataclass(frozen=True, slots=True)
class Finding:
    """What holds of one footnote."""

    turn: int  #: from 1
    claim: int  #: number of the sentence, from 1
    n: int  #: number of the passage
    source: str
    line: int
    quote: str
    in_passage: bool
    in_source: InSource

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts the footnote."""
        return self.in_passage and self.in_source is not InSource.MISSING


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a document at hand. `name` says where it was found."""

    text: str
    name: str

    @property
    def id(self) -> str:
        """The id of a document with this text."""
        return document_id(self.text)


#: The texts at hand for a document, by its id and its source; the likeliest first.
FindTexts = Callable[[str, str], Iterator[SourceText]]


def document_id(text: str) -> str:
    """Return the id of a document with a text: the begin of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_CHARS]


def verify_bundle(bundle: dict[str, Json], find_texts: FindTexts) -> list[Finding]:
    """Return a finding for each quote of a bundle, in its order."""
    findings = list[Finding]()
    turns = bundle.get("turns")
    for number, turn in enumerate(turns if isinstance(turns, list) else [], 1):
        saved = turn.get("answer") if isinstance(turn, dict) else None
        if isinstance(saved, dict):
            findings += _verify_answer(number, read_answer(saved, ""), find_texts)
    return findings


def _verify_answer(turn: int, answer: Answer, find_texts: FindTexts) -> Iterator[Finding]:
    for number, claim in enumerate(answer.claims, 1):
        for evidence in claim.evidence:
            yield Finding(
                turn,
                number,
                evidence.number,
                evidence.source,
                evidence.line,
                evidence.text,
                _is_in_passage(answer, evidence),
                _state_in_source(evidence, find_texts),
            )


def _is_in_passage(answer: Answer, evidence: Evidence) -> bool:
    """Whether the passage of that number has the quoted words at the recorded place."""
    for passage in answer.passages:
        chunk = passage.chunk
        if passage.number != evidence.number or chunk.document != evidence.document:
            continue
        start = evidence.span.start - chunk.span.start
        end = evidence.span.end - chunk.span.start
        if 0 <= start <= end and chunk.text[start:end] == evidence.text != "":
            return True
    return False


def _state_in_source(evidence: Evidence, find_texts: FindTexts) -> InSource:
    """Look for the quoted words in the texts at hand."""
    state = InSource.NOT_AT_HAND
    for found in find_texts(evidence.document, evidence.source):
        if found.id == evidence.document:
            holds = evidence.text != "" and evidence.span.of(found.text) == evidence.text
            return InSource.HOLDS if holds else InSource.MISSING
        stands = evidence.text != "" and evidence.text in found.text
        if stands:
            state = InSource.ELSEWHERE
        elif state is InSource.NOT_AT_HAND:
            state = InSource.MISSING
    return state
