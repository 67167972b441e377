"""The place of the user in an answer: a sentence and a source. A move returns a new value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rag.domain import Claim, Evidence, Passage


@dataclass(frozen=True, slots=True)
class AnswerCursor:
    """The place that the source pane shows. `number` is that of a passage; `at` counts from 0."""

    passages: tuple[Passage, ...] = ()
    claims: tuple[Claim, ...] = ()
    at: int | None = None
    number: int | None = None
    short: str = ""  #: the short answer, which is part of the first sentence

    @property
    def claim(self) -> Claim | None:
        """The current sentence; None without one."""
        return None if self.at is None or self.at >= len(self.claims) else self.claims[self.at]

    @property
    def passage(self) -> Passage | None:
        """The current source; None without one."""
        return next((p for p in self.passages if p.number == self.number), None)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The words of the current source that support the sentence."""
        claim = self.claim
        return () if claim is None else tuple(e for e in claim.evidence if e.number == self.number)

    @property
    def answered(self) -> str:
        """The short answer if it is part of the current sentence; else ""."""
        return self.short if self.at == 0 else ""

    @property
    def line(self) -> int:
        """The line of the source to open in an editor."""
        if self.evidence:
            return self.evidence[0].line
        return self.passage.chunk.line if self.passage else 1

    def numbers(self) -> tuple[int, ...]:
        """Return the numbers of the sources of the sentence; of all passages without a sentence."""
        claim = self.claim
        if claim is None:
            return tuple(p.number for p in self.passages)
        cited = [c.number for c in claim.sentence.citations]
        return tuple(dict.fromkeys(cited + [e.number for e in claim.evidence]))

    def sentence(self, at: int) -> AnswerCursor:
        """Move to sentence `at`, and to the first of its sources that has evidence."""
        moved = replace(self, at=at, number=None)
        with_evidence = {e.number for e in self.claims[at].evidence}
        numbers = moved.numbers()
        first = numbers[0] if numbers else None
        return replace(moved, number=next((n for n in numbers if n in with_evidence), first))

    def start(self) -> AnswerCursor:
        """Move to the first sentence, or to the first passage of an answer without sentences."""
        if self.claims:
            return self.sentence(0)
        return replace(self, at=None, number=self.passages[0].number if self.passages else None)

    def end(self) -> AnswerCursor:
        """Move to the last sentence."""
        return self.sentence(len(self.claims) - 1) if self.claims else self.start()

    def down(self, by: int) -> AnswerCursor | None:
        """Move by sentences, or by passages without sentences; None beyond either end."""
        if not self.claims:
            return self._move_passage(by)
        at = by - 1 if self.at is None and by > 0 else (self.at or 0) + by
        return self.sentence(at) if 0 <= at < len(self.claims) else None

    def across(self, by: int) -> AnswerCursor:
        """Move by sources of this sentence; after the last comes the first."""
        numbers = self.numbers()
        if not numbers:
            return self
        if self.number not in numbers:
            return replace(self, number=numbers[0])
        return replace(self, number=numbers[(numbers.index(self.number) + by) % len(numbers)])

    def along(self, by: int) -> AnswerCursor:
        """Move by passages of the answer; after the last comes the first."""
        numbers = [p.number for p in self.passages]
        if not numbers:
            return self
        current = numbers.index(self.number) if self.number in numbers else -by
        return replace(self, number=numbers[(current + by) % len(numbers)])

    def source(self, number: int) -> AnswerCursor:
        """Move to source `number`, even if the sentence does not cite it; stay if it is unknown."""
        is_known = any(passage.number == number for passage in self.passages)
        return replace(self, number=number) if is_known else self

    def _move_passage(self, by: int) -> AnswerCursor | None:
        """Move by passages; None beyond either end."""
        numbers = [p.number for p in self.passages]
        at = (numbers.index(self.number) if self.number in numbers else -1) + by
        return replace(self, number=numbers[at]) if 0 <= at < len(numbers) else None
