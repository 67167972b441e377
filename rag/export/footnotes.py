"""The footnotes of a saved answer: only what is cited, each place of a document once.

An answer becomes pieces in order: foreign words, references to footnotes, and our own words (a
verdict other than "supported", a marker without a source). The writers of Markdown and HTML escape
the foreign words and nothing else.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from rag.domain import Answer, Citation, Claim, Evidence, Passage, SavedTurn, Verdict
from rag.phrases import (
    NOT_ANSWERED,
    SOURCES_DIFFER,
    VERDICT_PHRASES,
    abstention_phrase,
    failure_phrase,
    looked_in,
)
from rag.text.foreign_marks import answer_as_shown, quote_foreign

_SAVED_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
#: characters behind which a verdict without a marker is not placed
_SENTENCE_END = " \n.!?"


@dataclass(frozen=True, slots=True)
class Footnote:
    """One cited place: a passage and the words of it that support the sentence, perhaps none."""

    number: int
    passage: Passage
    evidence: tuple[Evidence, ...]
    is_repeated: bool  #: the sentence is the quoted words themselves


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer: `foreign` words, or numbers of footnotes, or `own` words."""

    foreign: str = ""
    notes: tuple[int, ...] = ()
    own: str = ""


@dataclass(frozen=True, slots=True)
class CitedTurn:
    """A question with its answer in pieces. `notices` are lines about the answer."""

    question: str
    asked: str
    label: str  #: which version it is and by which model, "" for the only one
    looked_up: str  #: how and in which documents it was looked up; "" if as it stands, in all
    pieces: tuple[Piece, ...]
    notices: tuple[str, ...]
    footnotes: tuple[Footnote, ...]


class _Edit(NamedTuple):
    """Replacement of the characters `start` to `end` of an answer by a piece."""

    start: int
    end: int
    piece: Piece


def heading_of(title: str, turns: Sequence[SavedTurn]) -> str:
    """Return the title if it says more than the first question, which follows it; else ""."""
    return "" if turns and title == turns[0].question else title


def time_of(asked: str) -> str:
    """Return a saved time without the letter T and in few words; as it is if it is no time."""
    return f"{asked[:10]} {asked[11:16]} UTC" if _SAVED_TIME.fullmatch(asked) else asked


def cite_turns(turns: Sequence[SavedTurn]) -> list[CitedTurn]:
    """Return the turns with their footnotes, numbered through all of them from 1."""
    cited, first = list[CitedTurn](), 1
    for turn in turns:
        cited.append(_cite_turn(turn, first))
        first += len(cited[-1].footnotes)
    return cited


def _cite_turn(turn: SavedTurn, first: int) -> CitedTurn:
    label = ""
    if turn.versions > 1:
        model = f", by {quote_foreign(turn.answer.model.name)}" if turn.answer else ""
        label = f"answer {turn.version} of {turn.versions}{model}"
    if turn.answer is None:
        return CitedTurn(turn.question, turn.asked, label, "", (), ("No answer was saved.",), ())
    answer = answer_as_shown(turn.answer)
    numbering = _Numbering(answer, first)
    edits = [edit for claim in answer.claims for edit in numbering.edits(claim)]
    pieces, end = list[Piece](), 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        pieces += (Piece(foreign=answer.text[end : edit.start]), edit.piece)
        end = max(end, edit.end)
    pieces.append(Piece(foreign=answer.text[end:]))
    return CitedTurn(
        turn.question,
        turn.asked,
        label,
        _looked_up(answer),
        tuple(piece for piece in pieces if piece != Piece()),
        tuple(_notices(turn.answer)),
        tuple(numbering.footnotes),
    )


def _looked_up(answer: Answer) -> str:
    """Return how and where the question was looked up, where that is not as it stands."""
    asked = f"looked up: {answer.asked}" if answer.asked else ""
    return "; ".join(filter(None, (asked, looked_in(answer.within))))


class _Numbering:
    """Gives numbers to the cited places of one answer, in the order of the answer."""

    def __init__(self, answer: Answer, first: int) -> None:
        self._answer, self._first = answer, first
        self._passages = {passage.number: passage for passage in answer.passages}
        self._numbers: dict[tuple[int, tuple[Evidence, ...]], int] = {}
        self.footnotes: list[Footnote] = []

    def edits(self, claim: Claim) -> list[_Edit]:
        """Return the edits of one sentence: a reference for each marker, then the verdict."""
        markers = sorted(claim.sentence.citations, key=lambda citation: citation.span)
        quoted = defaultdict[int, list[Evidence]](list)
        for evidence in claim.evidence:
            quoted[evidence.number].append(evidence)
        notes = {
            number: self._number(claim, passage, tuple(quoted[number]))
            for number in dict.fromkeys(marker.number for marker in markers)
            if (passage := self._passages.get(number)) is not None
        }
        edits = [_edit(list(group), notes) for _, group in groupby(markers, lambda c: c.span)]
        if claim.verdict not in (Verdict.SUPPORTED, Verdict.NEEDS_NONE, Verdict.DANGLING):
            span = claim.sentence.span
            length = len(span.of(self._answer.text).rstrip(_SENTENCE_END))
            place = max([span.start + length, *(edit.end for edit in edits)])
            words = Piece(own=f" ({VERDICT_PHRASES[claim.verdict]})")
            edits.append(_Edit(place, place, words))
        return edits

    def _number(self, claim: Claim, passage: Passage, evidence: tuple[Evidence, ...]) -> int:
        """Return the number of the footnote for a passage that a sentence cites."""
        place = (passage.number, evidence)
        if place not in self._numbers:
            quoted = " ".join(" ".join(e.text for e in evidence).split())
            is_repeated = bool(evidence) and quoted == " ".join(claim.sentence.text.split())
            self._numbers[place] = self._first + len(self.footnotes)
            self.footnotes.append(Footnote(self._numbers[place], passage, evidence, is_repeated))
        return self._numbers[place]


def _edit(group: Sequence[Citation], notes: Mapping[int, int]) -> _Edit:
    """Return the edit of one marker, which may name several passages. `notes` are by passage."""
    span = group[0].span
    known = dict.fromkeys(notes[c.number] for c in group if c.number in notes)
    if known:
        return _Edit(span.start, span.end, Piece(notes=tuple(known)))
    numbers = ", ".join(str(citation.number) for citation in group)
    words = f"({VERDICT_PHRASES[Verdict.DANGLING]}: {numbers})"
    return _Edit(span.start, span.end, Piece(own=words))


def _notices(answer: Answer) -> list[str]:
    """Return the lines under an answer: why there is none, or what its check found."""
    if answer.abstained:
        return [f"{NOT_ANSWERED}: {abstention_phrase(answer.reason, answer.within)}"]
    lines = []
    if answer.stopped:
        lines.append("The answer was stopped before it was finished.")
    if answer.differ:
        lines.append(f"Note: {SOURCES_DIFFER}.")
    if answer.model_failed:
        lines.append(f"Note: {quote_foreign(failure_phrase(answer.model_failed))}.")
    counts = Counter(claim.verdict for claim in answer.claims)
    found = [
        f"{counts[verdict]} {phrase}"
        for verdict, phrase in VERDICT_PHRASES.items()
        if counts[verdict] and verdict is not Verdict.NEEDS_NONE
    ]
    return [*lines, f"Checked: {', '.join(found)}."] if found else lines


def place_of(note: Footnote) -> str:
    """Return the place of a footnote for a person: title, file, page and line, or sheet and row."""
    chunk = note.passage.chunk
    title, source = quote_foreign(chunk.title), quote_foreign(chunk.source)
    name = f"{title} ({source})" if title and title != source else source
    first = note.evidence[0] if note.evidence else None
    if first and first.row:
        return f"{name}, sheet {quote_foreign(first.sheet)}, row {first.row}"
    line, page = (first.line, first.page) if first else (chunk.line, chunk.page)
    return f"{name}, page {page}, line {line}" if page else f"{name}, line {line}"
