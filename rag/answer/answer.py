"""THE FLOW of a question: complete -> retrieve -> prompt -> generate | read -> cite -> check -> Answer, yielding events.

A question that leans on the ones before it is completed first; what is looked up, read and answered is that. It is the same
for every writer and every face. What was written stays: a stopped answer is checked as far as it goes, and an answer none of whose sentences is supported is an abstention that still shows what was written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from rag.answer import check as checking
from rag.answer.cite import parse_citations, piece_text
from rag.answer.followup import accept_rewrite, complete_question
from rag.answer.prompt import is_refusal
from rag.domain import (
    Answer,
    Claim,
    Draft,
    Evidence,
    Passage,
    Piece,
    Progress,
    Quote,
    Reason,
    Receipt,
    Seconds,
    Sentence,
    Turn,
    Verdict,
    Writer,
)
from rag.events import Answered, Checked, Event, Reading, Retrieved, Token

Search = Callable[[str, int], tuple[Passage, ...]]
Stop = Callable[[], bool]
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
) -> Iterator[Event]:
    """Ask one question; the last event is `Answered`. `searched` is how many chunks there are; `stop` is asked all the time.

    `unread` gives masked text that would answer: it is neither searched nor quoted, and the answer says that it was left out.
    """
    run = _Question(question, writer, time.perf_counter(), unread)
    if not searched:
        yield Retrieved((), 0)
        yield Answered(run.refuse(Reason.EMPTY_LIBRARY))
        return
    run.complete(history, stop)
    if stop():
        yield Retrieved((), searched, run.differs)
        run.stopped = True
        yield from run.check(judge)
        return
    run.passages = search(run.asked, limit)
    run.retrieved = time.perf_counter()
    yield Retrieved(run.passages, searched, run.differs)
    if not run.passages:
        yield Answered(run.refuse(Reason.NOTHING_FOUND))
        return
    yield from run.write(history, stop)
    if run.draft.abstained:
        yield Answered(run.refuse(run.draft.reason or Reason.NOT_ANSWERED))
        return
    yield from run.check(judge)


class _Question:
    """One question on its way."""

    def __init__(self, question: str, writer: Writer, started: float, unread: Unread) -> None:
        self.question, self.asked, self.writer, self.started = question, question, writer, started
        self._unread = unread
        self.passages: tuple[Passage, ...] = ()
        self.draft = Draft(Receipt())
        self.pieces: list[Piece] = []
        self.retrieved = self.first = self.written = 0.0
        self.stopped = False

    @property
    def differs(self) -> str:
        """What was looked up, where it is not the question as it stands."""
        return "" if self.asked == self.question else self.asked

    def complete(self, history: Sequence[Turn], stop: Stop) -> None:
        """What is asked, by itself: in the writer's words where it finds sound ones, else by the rules."""
        self.asked = complete_question(self.question, history)
        if self.differs:
            written = self.writer.rewrite(self.question, history, stop)
            self.asked = (
                "" if is_refusal(written) else accept_rewrite(written, self.question, history)
            ) or self.asked

    def write(self, history: Sequence[Turn], stop: Stop) -> Iterator[Event]:
        """The writer's pieces as they come, until it ends or is stopped."""
        work = self.writer.write(self.asked, self.passages, history)
        try:
            for piece in work:
                if isinstance(piece, Draft):
                    self.draft = piece
                elif isinstance(piece, Progress):
                    yield Reading(piece.done, piece.total)
                else:
                    self.first = self.first or time.perf_counter()
                    self.pieces.append(piece)
                    text = piece_text(piece)
                    yield Token(text, text.rindex(" [") if isinstance(piece, Quote) else 0)
                if stop():
                    self.stopped = True
                    break
        finally:
            close = getattr(work, "close", None)
            if close:
                close()
        self.written = time.perf_counter()

    def check(self, judge: checking.Judge) -> Iterator[Event]:
        """Verdicts one by one, then the answer."""
        text, sentences = parse_citations(self.pieces)
        if (
            not any(isinstance(p, Quote) for p in self.pieces)
            and (is_refusal(text) or not text.strip())
            and not self.stopped
        ):
            yield Answered(self.refuse(Reason.NOT_ANSWERED))
            return
        given = self.draft.numbers
        passages = [p for p in self.passages if given is None or p.number in given]
        claims: list[Claim] = []
        for number, sentence in enumerate(sentences, 1):
            claims.append(self._claim(sentence, passages, judge, last=number == len(sentences)))
            yield Checked(claims[-1], number, len(sentences))
        judged = [c for c in claims if c.verdict is not Verdict.NEEDS_NONE]
        unsupported = not self.stopped and all(
            c.verdict in _NOT_SUPPORTED for c in judged
        )  # also where nothing is stated
        yield Answered(
            self._answer(text, tuple(claims), Reason.UNSUPPORTED if unsupported else None)
        )

    def _claim(
        self, sentence: Sentence, passages: Sequence[Passage], judge: checking.Judge, last: bool
    ) -> Claim:
        claim = checking.check_sentence(sentence, passages, judge)
        if last and self.stopped and claim.verdict is Verdict.UNCITED:
            return Claim(
                sentence, (), Verdict.UNCITED, 0.0, ("stopped before its source was written",)
            )
        return claim

    def refuse(self, reason: Reason) -> Answer:
        """An abstention without a text."""
        return self._answer("", (), reason)

    def _answer(self, text: str, claims: tuple[Claim, ...], reason: Reason | None) -> Answer:
        now = time.perf_counter()
        retrieved = (self.retrieved or now) - self.started
        first = (self.first or now) - self.started
        checked = now - self.written if self.written else 0.0
        cited = " ".join(" ".join(e.text.split()) for claim in claims for e in claim.evidence)
        masked = () if self.stopped else self._unread(self.asked)
        left_out = tuple(e for e in masked if " ".join(e.text.split()) not in cited)
        return Answer(
            self.question, text, self.draft.short if reason is None else None, claims, self.passages, reason is not None, reason,
            self.draft.receipt, self.writer.model, Seconds(retrieved, first, checked, now - self.started),
            self.draft.missing if reason else "", self.stopped, self.draft.differ and reason is None, self.draft.chance,
            self.differs, left_out,
        )  # fmt: skip
