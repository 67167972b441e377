"""Checks a bundle without a model: each quote against its passage and, at hand, its document.

A quote holds in its passage if the passage that the answer recorded has these words at this place.
It holds in its source if the text with the recorded hash has them at the recorded place, or, where
that text is not at hand, if the document that has the name now still contains them.

A sentence that is recorded as a quotation must be the quoted words. A sentence that is recorded as
supported must have a quote, every marker of the answer must belong to a sentence, and the line of a
quote must be that of the source. What is not checked is the verdict of a sentence in the writer's
own words.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from rag.disk.strict_json import Json
from rag.domain import Answer, Claim, Evidence, Passage, Span, Verdict
from rag.export.saved_answer import AnswerText, read_answer

#: characters of the hash in the id of a document
_ID_CHARS = 32
#: verdicts of sentences that a source is said to support
_SUPPORTED = (Verdict.SUPPORTED, Verdict.PARTLY, Verdict.COMPUTED)


class InSource(StrEnum):
    """Whether a quote stands in its source."""

    HOLDS = "holds"  #: in the same text, at the same place
    ELSEWHERE = "elsewhere"  #: the document has changed; the words still stand in it
    MISSING = "missing"  #: the words are not there
    NOT_AT_HAND = "not at hand"


@dataclass(frozen=True, slots=True)
class Finding:
    """What holds of one footnote, or of a sentence or marker that lacks one."""

    turn: int  #: from 1
    claim: int  #: number of the sentence, from 1; 0 for a marker outside of every sentence
    n: int  #: number of the passage
    source: str
    line: int
    quote: str
    in_passage: bool
    in_source: InSource
    problem: str = ""  #: what contradicts the record besides, in words
    found_in: str = ""  #: the name of the text in which the quote was found
    is_quotation: bool = False  #: the sentence is recorded as the quoted words themselves

    @property
    def ok(self) -> bool:
        """Whether nothing contradicts the footnote."""
        return self.in_passage and self.in_source is not InSource.MISSING and not self.problem


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of a document at hand. `name` says where it was found."""

    text: str
    name: str
    pages: tuple[Span, ...] = ()


#: The texts at hand for a document, by its id and its source; the likeliest first.
FindTexts = Callable[[str, str], Iterator[SourceText]]


def document_id(text: str) -> str:
    """Return the id of a document with a text: the begin of its SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_ID_CHARS]


def verify_bundle(bundle: dict[str, Json], find_texts: FindTexts) -> list[Finding]:
    """Return a finding for each quote of a bundle, in its order."""
    findings, sources = list[Finding](), _Sources(find_texts)
    for number, answer in _answers(bundle):
        findings += _verify_answer(number, answer, sources)
    return findings


def sentences_without_quote(bundle: dict[str, Json]) -> int:
    """Return the number of sentences of a bundle that have no quote, so that none can hold."""
    return sum(not claim.evidence for _, answer in _answers(bundle) for claim in answer.claims)


def _answers(bundle: dict[str, Json]) -> Iterator[tuple[int, Answer]]:
    """Yield the answers of a bundle, each with the number of its question."""
    turns = bundle.get("turns")
    for number, turn in enumerate(turns if isinstance(turns, list) else [], 1):
        saved = turn.get("answer") if isinstance(turn, dict) else None
        if isinstance(saved, dict):
            yield number, read_answer(saved, "")


class _TextAtHand:
    """The text of a document at hand, with its id and the places of its lines."""

    def __init__(self, found: SourceText) -> None:
        self.text, self.name, self.id = found.text, found.name, document_id(found.text)
        self._pages = [page.start for page in found.pages]

    @cached_property
    def _line_ends(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]

    def line(self, place: int) -> int:
        """Return the number of the line with a place, from 1."""
        return bisect_left(self._line_ends, place) + 1

    def page(self, place: int) -> int | None:
        """Return the number of the page with a place, from 1; None without pages."""
        return bisect_right(self._pages, place) or None


class _Sources:
    """The texts at hand for the documents of a bundle. Those of one document are kept."""

    def __init__(self, find_texts: FindTexts) -> None:
        self._find = find_texts
        self._key = ("", "")
        self._texts = list[_TextAtHand]()

    def of(self, evidence: Evidence) -> list[_TextAtHand]:
        """Return the texts for a quote; the one with the recorded id is the last."""
        key = evidence.document, evidence.source
        if key != self._key:
            self._key, self._texts = key, []
            for found in self._find(*key):
                self._texts.append(_TextAtHand(found))
                if self._texts[-1].id == evidence.document:
                    break
        return self._texts


def _verify_answer(turn: int, answer: Answer, sources: _Sources) -> Iterator[Finding]:
    passages: dict[tuple[int, str], list[Passage]] = {}
    for passage in answer.passages:
        passages.setdefault((passage.number, passage.chunk.document), []).append(passage)
    problems = _problems_of_sentences(answer)
    for number, claim in enumerate(answer.claims, 1):
        if claim.verdict in _SUPPORTED and not claim.evidence:
            says = f"the sentence is recorded as {claim.verdict} and has no quote"
            yield _without_quote(turn, number, 0, says)
        problem = problems[number - 1]
        for evidence in claim.evidence:
            own = passages.get((evidence.number, evidence.document), [])
            at = next((passage for passage in own if _is_in_passage(passage, evidence)), None)
            state, found = _state_in_source(evidence, sources)
            misplaced = ""
            if found is not None and state is InSource.HOLDS:
                misplaced = _problem_of_place(evidence, at, found)
            yield Finding(
                turn,
                number,
                evidence.number,
                evidence.source,
                evidence.line,
                evidence.text,
                at is not None,
                state,
                problem or _problem_of_quotation(claim, evidence) or misplaced,
                "" if found is None else found.name,
                claim.sentence.quote is not None,
            )
    for marker in _loose_markers(answer):
        yield _without_quote(turn, 0, marker, "the marker belongs to no sentence")


def _without_quote(turn: int, claim: int, number: int, problem: str) -> Finding:
    return Finding(turn, claim, number, "", 0, "", False, InSource.NOT_AT_HAND, problem)


def _problems_of_sentences(answer: Answer) -> list[str]:
    """Return for each sentence what is wrong with its place in the answer, or ""."""
    problems, end = [""] * len(answer.claims), 0
    in_order = sorted(enumerate(answer.claims), key=lambda each: each[1].sentence.span)
    for number, claim in in_order:
        span = claim.sentence.span
        if span.start < end:  # read once, however many sentences claim the same words
            problems[number] = "the sentence has the place of another one"
        else:
            problems[number] = _problem_of_sentence(claim, answer.text)
        end = max(end, span.end)
    return problems


def _problem_of_sentence(claim: Claim, answer: str) -> str:
    """Return what is wrong if the answer has other words at the place of a sentence."""
    sentence = claim.sentence
    words, start = list[str](), sentence.span.start
    for marker in sorted({citation.span for citation in sentence.citations}):
        words.append(answer[start : max(start, marker.start)])
        start = max(start, marker.end)
    words.append(answer[start : max(start, sentence.span.end)])
    same = "".join("".join(words).split()) == "".join(sentence.text.split())
    return "" if same else "the answer has other words at the place of the sentence"


def _problem_of_quotation(claim: Claim, evidence: Evidence) -> str:
    """Return what is wrong if a sentence is said to be a quotation and is not the quoted words."""
    if claim.sentence.quote is None or claim.verdict is not Verdict.SUPPORTED:
        return ""
    same = claim.sentence.text == evidence.text and claim.sentence.quote == evidence.span
    return "" if same else "the sentence is not the quoted words"


def _problem_of_place(evidence: Evidence, at: Passage | None, found: _TextAtHand) -> str:
    """Return what is wrong with the line or the page of words that stand in the source."""
    line = found.line(evidence.span.start)
    if evidence.line != line:
        return f"the words are in line {line}, not {evidence.line}"
    page = found.page(at.chunk.span.start) if at else None
    if page and evidence.page != page:
        return f"the words are on page {page}, not {evidence.page or 0}"
    return ""


def _loose_markers(answer: Answer) -> list[int]:
    """Return the numbers of the markers in an answer that stand in none of its sentences."""
    spans = sorted(claim.sentence.span for claim in answer.claims)
    ends, starts, loose = list[int](), [span.start for span in spans], list[int]()
    for span in spans:
        ends.append(max(span.end, ends[-1] if ends else 0))
    for marker in AnswerText(answer.text).markers:
        before = bisect_right(starts, marker.span.start)
        if not before or ends[before - 1] < marker.span.end:
            loose.append(marker.number)
    return loose


def _is_in_passage(passage: Passage, evidence: Evidence) -> bool:
    """Whether the passage has the quoted words at the recorded place."""
    chunk = passage.chunk
    start = evidence.span.start - chunk.span.start
    end = evidence.span.end - chunk.span.start
    return 0 <= start <= end and chunk.text[start:end] == evidence.text != ""


def _state_in_source(evidence: Evidence, sources: _Sources) -> tuple[InSource, _TextAtHand | None]:
    """Look for the quoted words in the texts at hand; return the text that decides, too."""
    state, decides = InSource.NOT_AT_HAND, None
    for found in sources.of(evidence):
        if found.id == evidence.document:
            holds = evidence.text != "" and evidence.span.of(found.text) == evidence.text
            return (InSource.HOLDS if holds else InSource.MISSING), found
        if evidence.text != "" and evidence.text in found.text:
            state, decides = InSource.ELSEWHERE, found
        elif state is InSource.NOT_AT_HAND:
            state, decides = InSource.MISSING, found
    return state, decides
