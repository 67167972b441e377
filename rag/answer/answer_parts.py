"""Answers a question that asks several things part by part, each with its own footnotes.

Each part is searched for and answered as a question of its own; a later one is completed from the
earlier ones, as a follow-up is. A part without an answer is named. If no part has an answer, or if
one sentence says all, the question is answered as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag.answer.cite import piece_text
from rag.answer.followup import complete_question
from rag.answer.mentions import YEAR_OR_DECADE
from rag.answer.question_parts import Parts
from rag.answer.spans import answer_kind
from rag.domain import (
    AnsweredPart,
    Computed,
    Draft,
    FoundAnswer,
    Passage,
    Piece,
    Quote,
    Receipt,
    Remark,
    Span,
    Turn,
)
from rag.text import facts
from rag.text.foreign_marks import quote_foreign

#: a question -> its passages, and the pieces of its answer, of which the last draft counts
AnswerOne = Callable[[str], tuple[Sequence[Passage], Sequence[Draft | Piece]]]
#: words of a bare part ("and when?"), which may ask about the sentence that answers the part before
_MAX_BARE_WORDS = 4


@dataclass(frozen=True, slots=True)
class _Answered:
    """A part with its pieces; none if it has no answer."""

    question: str  #: completed from the parts before it
    bare: bool  #: it has at most `_MAX_BARE_WORDS` words
    passages: Sequence[Passage]
    draft: Draft
    pieces: Sequence[Piece]

    @property
    def quotes(self) -> list[Quote]:
        """The pieces that are quotations."""
        return [piece for piece in self.pieces if isinstance(piece, Quote)]


def answer_in_parts(parts: Parts, question: str, answer_one: AnswerOne) -> FoundAnswer | None:
    """Return the answer of all parts; None if the question is better answered as one.

    `answer_one` is called for each part, and first for the whole `question` if it asks about
    several things. These must all have an answer, and not in one sentence.
    """
    if parts.things and _names_all(answer_one(question)[1], parts.things):
        return None
    answered, turns = list[_Answered](), list[Turn]()
    for asked in parts.questions:
        completed = complete_question(asked, turns) if turns else asked
        part = _answer(completed, len(asked.split()) <= _MAX_BARE_WORDS, answer_one)
        if part.bare and not part.pieces and answered:
            part = _from_the_same_sentence(part, answered[-1])
        if parts.things and not part.pieces:
            return None
        answered.append(part)
        turns.append(Turn(completed, "", part.draft.short or ""))
    if not any(part.pieces for part in answered):
        return None
    return _joined(answered)


def _answer(question: str, bare: bool, answer_one: AnswerOne) -> _Answered:
    passages, written = answer_one(question)
    drafts = [piece for piece in written if isinstance(piece, Draft)]
    draft = drafts[-1] if drafts else Draft(Receipt())
    pieces = [piece for piece in written if not isinstance(piece, Draft)]
    return _Answered(question, bare, passages, draft, () if draft.abstained else pieces)


def _from_the_same_sentence(part: _Answered, before: _Answered) -> _Answered:
    """The part, answered by the date in the sentence that answers the part before, if it has one.

    "Who founded it and when?": "Ida Brandt founded it in 1931."
    """
    if answer_kind(part.question) != "date":
        return part
    for quote in before.quotes:
        dates = [date.shown for date in facts.find_dates(quote.text)[0]]
        dates += [] if dates else _years(quote.text)
        if len(dates) == 1:
            draft = replace(before.draft, short=dates[0])
            return replace(part, passages=before.passages, draft=draft, pieces=(quote,))
    return part


def _years(text: str) -> list[str]:
    return list(dict.fromkeys(match[0] for match in YEAR_OR_DECADE.finditer(text)))


def _joined(answered: Sequence[_Answered]) -> FoundAnswer:
    """The answers of the parts in one, with the passages that they cite in one numbering."""
    numbering = _Numbering(answered[0].passages)
    pieces, said = list[Piece](), set[object]()
    for part in answered:
        written = [numbering.of(piece, part.passages) for piece in part.pieces]
        if not written:
            asked = quote_foreign(part.question)
            written = [Remark(f"No answer was found for “{asked}”", "this part was searched for")]
        for piece in written:
            key = (piece.number, piece.span) if isinstance(piece, Quote) else piece
            if key in said or (isinstance(piece, str) and not piece.strip()):
                continue
            said.add(key)
            pieces += [" ", piece] if pieces else [piece]
    found = [part for part in answered if part.pieces]
    shorts = dict.fromkeys(part.draft.short for part in found if part.draft.short)
    chances = [part.draft.chance for part in found if part.draft.chance is not None]
    read = sum(part.draft.receipt.passages for part in answered)
    draft = Draft(
        Receipt(context=read, passages=read),
        short="; ".join(shorts) or None,
        chance=min(chances, default=None),
        differ=any(part.draft.differ for part in found),
        parts=tuple(
            AnsweredPart(
                part.question, bool(part.pieces), part.draft.short if part.pieces else None
            )
            for part in answered
        ),
    )
    return FoundAnswer(tuple(numbering.passages), (draft, *pieces))


class _Numbering:
    """Numbers the passages of several searches in one sequence."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = list(passages)
        self._numbers = {self._place(passage): passage.number for passage in passages}

    def _place(self, passage: Passage) -> tuple[str, Span]:
        return passage.chunk.document, passage.chunk.span

    def of(self, piece: Piece, passages: Sequence[Passage]) -> Piece:
        """The piece, which cites `passages`, with the numbers of the common sequence."""
        if isinstance(piece, Quote):
            return replace(piece, number=self._number(piece.number, passages))
        if isinstance(piece, Computed):
            rows = (replace(r, number=self._number(r.number, passages)) for r in piece.rows)
            return replace(piece, rows=tuple(rows))
        return piece

    def _number(self, number: int, passages: Sequence[Passage]) -> int:
        passage = next(passage for passage in passages if passage.number == number)
        place = self._place(passage)
        if place not in self._numbers:
            self._numbers[place] = len(self.passages) + 1
            self.passages.append(replace(passage, number=self._numbers[place]))
        return self._numbers[place]


def _names_all(pieces: Sequence[Draft | Piece], things: Sequence[str]) -> bool:
    """Does one sentence of an answer name all things that the question asks about?"""
    wanted = {stem for thing in things for stem in facts.content_stems(thing)}
    return any(
        wanted <= set(facts.content_stems(piece_text(piece)))
        for piece in pieces
        if not isinstance(piece, Draft | Remark)
    )
