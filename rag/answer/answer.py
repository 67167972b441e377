"""Answers one question and yields an event for each step.

The steps are: complete the question, retrieve passages, write (reader or chat model), parse the
citations, check every sentence. A question that refers to earlier ones is completed first; the
completed question is looked up, read and answered. The steps are the same for every writer and
every interface.

Text that was written is kept. A stopped answer is checked as far as it goes. An answer none of
whose sentences is supported becomes an abstention that still shows the text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from rag.answer import check as checking
from rag.answer.answer_parts import answer_in_parts
from rag.answer.cite import is_refusal, parse_citations, piece_text
from rag.answer.corrections import changes_value, may_be_changed
from rag.answer.followup import complete_question
from rag.answer.question_parts import Parts
from rag.answer.reader import SOURCES_DIFFER
from rag.domain import (
    Answer,
    Claim,
    Computed,
    Draft,
    Evidence,
    FoundAnswer,
    Judgement,
    ModelFailure,
    Passage,
    Piece,
    Progress,
    Quote,
    Reason,
    Receipt,
    Seconds,
    Sentence,
    Span,
    Turn,
    Verdict,
)
from rag.events import Answered, Checked, Event, Reading, Retrieved, Token
from rag.protocols import QuotingWriter, SearchingWriter, Writer

#: a question and how many passages -> the nearest passages
Search = Callable[[str, int], tuple[Passage, ...]]
#: True once the user has asked to stop
Stop = Callable[[], bool]
#: a question and its passages -> the answer from the rows of a table, if there is one
Tables = Callable[[str, Sequence[Passage]], FoundAnswer | None]
#: a question -> its answer, if nothing need be searched: it asks about the library itself, say
WithoutSearch = Callable[[str], FoundAnswer | None]
#: a question -> its parts, if it asks several things
Divide = Callable[[str], Parts | None]
#: a question -> the masked text that would answer it
Unread = Callable[[str], tuple[Evidence, ...]]

_NOT_SUPPORTED = {Verdict.UNSUPPORTED, Verdict.CONTRADICTED, Verdict.UNCITED, Verdict.DANGLING}


def answer_question(
    question: str,
    search: Search,
    writer: Writer,
    judge: checking.Judge,
    *,
    limit: int,
    searched: int,
    history: Sequence[Turn] = (),
    stop: Stop = lambda: False,
    unread: Unread = lambda question: (),
    tables: Tables | None = None,
    named: str = "",
    within: tuple[str, ...] = (),
    without_search: WithoutSearch = lambda question: None,
    divide: Divide = lambda question: None,
) -> Iterator[Event]:
    """Yield the events of one question; the last one is `Answered`.

    `limit` is the number of passages to retrieve, `searched` the number of chunks in the library.
    `stop` is called often. `unread` returns masked text that would answer: it is neither searched
    nor quoted, and is said to be left out. `tables` answers from the rows of a table, in the place
    of the writer. `without_search` answers a question about the library, or refuses one. Each part
    that `divide` returns is answered by itself. Only the sources in `within` are searched, if any;
    `named` is the question as typed, with their names. Errors of all of these are passed on.
    """
    run = _QuestionRun(question, writer, time.perf_counter(), unread, named, within)
    if not searched:
        yield from (Retrieved((), 0, "", within), Answered(run.abstain(Reason.EMPTY_LIBRARY)))
        return
    run.complete(history)
    if stop():
        yield Retrieved((), searched, run.completed, within)
        run.stopped = True
        yield from run.check(judge)
        return
    found = without_search(run.resolved_question)
    found = found or run.retrieve(search, limit, stop, tables, divide)
    run.passages += found.passages if found else ()
    run.retrieved_at = time.perf_counter()
    yield Retrieved(run.passages, searched, run.completed, within)
    if not run.passages and not found:
        yield Answered(run.abstain(Reason.NOTHING_FOUND))
        return
    yield from run.write(history, stop, found.pieces if found else None)
    if run.draft.abstained:
        yield Answered(run.abstain(run.draft.reason or Reason.NOT_ANSWERED))
    else:
        yield from run.check(judge)


def _answer_one(
    run: _QuestionRun, search: Search, tables: Tables | None, limit: int, question: str
) -> tuple[Sequence[Passage], Sequence[Draft | Piece]]:
    """The passages for one part of a question, and the pieces of its answer, which are quoted."""
    passages = search(question, limit)
    found = tables(question, passages) if tables else None
    if found:
        return (*passages, *found.passages), found.pieces
    return passages, run.quoted(question, passages) if passages else []


class _QuestionRun:
    """The state of one question while it is answered.

    Times are values of `time.perf_counter` in seconds; 0.0 until the step is reached.
    """

    def __init__(
        self,
        question: str,
        writer: Writer,
        started_at: float,
        unread: Unread,
        named: str,
        within: tuple[str, ...],
    ) -> None:
        self.question, self.writer, self.started_at = question, writer, started_at
        self.named, self.within = named or question, within
        self.resolved_question = question
        self._unread = unread
        self.passages: tuple[Passage, ...] = ()
        self.draft = Draft(Receipt())
        self.pieces: list[Piece] = []
        self.withheld: list[Claim] = []
        self.model_failed: ModelFailure | None = None
        self.retrieved_at = self.first_piece_at = self.written_at = 0.0
        self.stopped = False
        self._judgements: dict[Span | None, Judgement | None] = {}

    @property
    def completed(self) -> str:
        """The completed question; "" if the question is looked up as it is."""
        return "" if self.resolved_question == self.question else self.resolved_question

    def complete(self, history: Sequence[Turn]) -> None:
        """Complete a follow-up question by the rules."""
        if history:
            self.resolved_question = complete_question(self.question, history)

    def retrieve(
        self, search: Search, limit: int, stop: Stop, tables: Tables | None, divide: Divide
    ) -> FoundAnswer | None:
        """Search, and return the answer of the question's parts or of a table; None without one.

        A writer that searches by itself gets the search.
        """
        question = self.resolved_question
        if isinstance(self.writer, SearchingWriter):
            self.writer = self.writer.with_search(search, stop)
        if parts := divide(question):
            found = answer_in_parts(
                parts, question, partial(_answer_one, self, search, tables, limit)
            )
            if found:
                return found
        self.passages = search(question, limit)
        found = tables(question, self.passages) if tables else None
        return self._changed(found) if found else None

    def quoted(self, question: str, passages: Sequence[Passage]) -> list[Draft | Piece]:
        """The pieces that the writer quotes; a chat model writes none."""
        writer = self.writer
        write = writer.read if isinstance(writer, QuotingWriter) else writer.write
        pieces = list[Draft | Piece]()
        for piece in write(question, passages, ()):
            if isinstance(piece, ModelFailure):
                self.model_failed = piece
            elif isinstance(piece, Draft | str | Quote | Computed):
                pieces.append(piece)
        return pieces

    def _changed(self, found: FoundAnswer) -> FoundAnswer:
        """The answer of one row of a table, or the sentence that the reader finds to change it."""
        quotes = [piece for piece in found.pieces if isinstance(piece, Quote | Computed)]
        is_one_row = len(quotes) == 1 and isinstance(quotes[0], Quote)
        if not is_one_row or not may_be_changed(self.resolved_question, self.passages):
            return found
        written = self.quoted(self.resolved_question, self.passages)
        old, new = (
            next((piece.short or "" for piece in pieces if isinstance(piece, Draft)), "")
            for pieces in (found.pieces, written)
        )
        first = next((piece.text for piece in written if isinstance(piece, Quote)), "")
        changes = bool(first and new) and changes_value(first, old, new)
        return FoundAnswer((), tuple(written)) if changes else found

    def write(
        self, history: Sequence[Turn], stop: Stop, found: Sequence[Draft | Piece] | None = None
    ) -> Iterator[Event]:
        """Collect the writer's pieces as they come, until it ends or is stopped.

        `found` are the pieces of an answer that is there already.
        """
        written: Iterator[Draft | Progress | Piece | Claim | Passage | ModelFailure] = (
            self.writer.write(self.resolved_question, self.passages, history)
            if found is None
            else iter(found)
        )
        try:
            for piece in written:
                if isinstance(piece, Draft):
                    self.draft = piece
                elif isinstance(piece, Progress):
                    yield Reading(piece.done, piece.total)
                elif isinstance(piece, Claim):
                    self.withheld.append(piece)
                elif isinstance(piece, Passage):
                    self.passages = (*self.passages, piece)
                elif isinstance(piece, ModelFailure):
                    self.model_failed = piece
                else:
                    self.first_piece_at = self.first_piece_at or time.perf_counter()
                    self.pieces.append(piece)
                    text = piece_text(piece)
                    # of a quotation, all but the marker is quoted
                    yield Token(text, text.rindex(" [") if isinstance(piece, Quote) else 0)
                if stop():
                    self.stopped = True
                    break
        finally:
            close = getattr(written, "close", None)
            if close:
                close()
        self.written_at = time.perf_counter()

    def check(self, judge: checking.Judge) -> Iterator[Event]:
        """Yield the claims one by one, then the answer."""
        text, sentences = parse_citations(self.pieces)
        only_own_words = all(isinstance(piece, str) for piece in self.pieces)
        refused = is_refusal(text) or not text.strip()
        if refused and only_own_words and not self.stopped:
            yield Answered(self.abstain(Reason.NOT_ANSWERED))
            return
        self._judgements = {p.span: p.judgement for p in self.pieces if isinstance(p, Quote)}
        given = self.draft.numbers
        passages = [p for p in self.passages if given is None or p.number in given]
        claims: list[Claim] = []
        for number, sentence in enumerate(sentences, 1):
            claims.append(self._claim(sentence, passages, judge, last=number == len(sentences)))
            yield Checked(claims[-1], number, len(sentences))
        # also true if no sentence states anything
        unsupported = all(
            claim.verdict in _NOT_SUPPORTED
            for claim in claims
            if claim.verdict is not Verdict.NEEDS_NONE
        )
        reason = Reason.UNSUPPORTED if unsupported and not self.stopped else None
        yield Answered(self._answer(text, tuple(claims), reason))

    def _claim(
        self, sentence: Sentence, passages: Sequence[Passage], judge: checking.Judge, last: bool
    ) -> Claim:
        if self.draft.differ and sentence.text == SOURCES_DIFFER:
            # The reader compared the quotations; the sentence is not the writer's own statement.
            reasons = ("found by comparing the quotations",)
            return Claim(sentence, (), Verdict.NEEDS_NONE, 1.0, reasons)
        claim = checking.check_sentence(sentence, passages, judge)
        files = {passage.number: passage.file for passage in passages}
        evidence = tuple(replace(e, file=files.get(e.number, e.file)) for e in claim.evidence)
        judgement = self._judgements.get(sentence.quote)
        claim = replace(claim, evidence=evidence, judgement=judgement)
        if last and self.stopped and claim.verdict is Verdict.UNCITED:
            reasons = ("stopped before its source was written",)
            return Claim(sentence, (), Verdict.UNCITED, 0.0, reasons)
        return claim

    def abstain(self, reason: Reason) -> Answer:
        """An abstention without a text."""
        return self._answer("", (), reason)

    def _answer(self, text: str, claims: tuple[Claim, ...], reason: Reason | None) -> Answer:
        abstained = reason is not None
        return Answer(
            question=self.named,
            text=text,
            short=None if abstained else self.draft.short,
            claims=claims,
            passages=self.passages,
            abstained=abstained,
            reason=reason,
            receipt=self.draft.receipt,
            model=self.writer.model,
            seconds=self._seconds(),
            missing=self.draft.missing if abstained else "",
            stopped=self.stopped,
            differ=self.draft.differ and not abstained,
            chance=self.draft.chance,
            asked=self.completed,
            left_out=self._left_out(claims),
            languages=self.draft.languages,
            related=self._related(),
            parts=self.draft.parts,
            withheld=tuple(self.withheld),
            within=self.within,
            model_failed=self.model_failed,
        )

    def _related(self) -> tuple[Claim, ...]:
        """The sentences that the writer found near the question; each is checked verbatim."""
        by_number = {passage.number: passage for passage in self.passages}
        return tuple(
            replace(checking.check_quote(quote, by_number[quote.number]), judgement=quote.judgement)
            for quote in self.draft.related
            if quote.number in by_number
        )

    def _seconds(self) -> Seconds:
        now = time.perf_counter()
        return Seconds(
            retrieve=(self.retrieved_at or now) - self.started_at,
            first=(self.first_piece_at or now) - self.started_at,
            check=now - self.written_at if self.written_at else 0.0,
            total=now - self.started_at,
        )

    def _left_out(self, claims: Sequence[Claim]) -> tuple[Evidence, ...]:
        """Masked text that would answer and that no evidence contains; none if it was stopped."""
        if self.stopped:
            return ()
        cited = " ".join(" ".join(e.text.split()) for claim in claims for e in claim.evidence)
        masked = self._unread(self.resolved_question)
        return tuple(e for e in masked if " ".join(e.text.split()) not in cited)
