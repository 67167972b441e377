"""Where the reader is in an answer: which sentence, which source. Moving gives a new value."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rag.domain import Claim, Evidence, Passage


@dataclass(frozen=True, slots=True)
class AnswerCursor:
    """What the source pane shows. `number` is a marker's number; `at` counts sentences from 0."""

    passages: tuple[Passage, ...] = ()
    claims: tuple[Claim, ...] = ()
    at: int | None = None
    number: int | None = None
    short: str = ""  #: the shortest answer; it stands in the first sentence

    @property
    def claim(self) -> Claim | None:
        return None if self.at is None or self.at >= len(self.claims) else self.claims[self.at]

    @property
    def passage(self) -> Passage | None:
        return next((p for p in self.passages if p.number == self.number), None)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The words of this source that the sentence leans on."""
        claim = self.claim
        return () if claim is None else tuple(e for e in claim.evidence if e.number == self.number)

    @property
    def answered(self) -> str:
        """The short answer, where this is the sentence that it stands in."""
        return self.short if self.at == 0 else ""

    @property
    def line(self) -> int:
        """The line of the source to open in an editor."""
        if self.evidence:
            return self.evidence[0].line
        return self.passage.chunk.line if self.passage else 1

    def numbers(self) -> tuple[int, ...]:
        """The sources to step through: those of the sentence, or all where there is none."""
        claim = self.claim
        if claim is None:
            return tuple(p.number for p in self.passages)
        cited = [c.number for c in claim.sentence.citations]
        return tuple(dict.fromkeys(cited + [e.number for e in claim.evidence]))

    def sentence(self, at: int) -> AnswerCursor:
        """At sentence `at`, with the first of its sources that has lit words."""
        moved = replace(self, at=at, number=None)
        lit = {e.number for e in self.claims[at].evidence}
        numbers = moved.numbers()
        return replace(
            moved, number=next((n for n in numbers if n in lit), numbers[0] if numbers else None)
        )

    def start(self) -> AnswerCursor:
        """At the first sentence, or at the nearest passage of an answer without one."""
        if self.claims:
            return self.sentence(0)
        return replace(self, at=None, number=self.passages[0].number if self.passages else None)

    def end(self) -> AnswerCursor:
        return self.sentence(len(self.claims) - 1) if self.claims else self.start()

    def down(self, by: int) -> AnswerCursor | None:
        """The next sentence (or passage, without sentences); None past either end."""
        if not self.claims:
            return self._passage(by)
        at = by - 1 if self.at is None and by > 0 else (self.at or 0) + by
        return self.sentence(at) if 0 <= at < len(self.claims) else None

    def across(self, by: int) -> AnswerCursor:
        """The next source of this sentence, round and round."""
        numbers = self.numbers()
        if not numbers:
            return self
        if self.number not in numbers:
            return replace(self, number=numbers[0])
        return replace(self, number=numbers[(numbers.index(self.number) + by) % len(numbers)])

    def along(self, by: int) -> AnswerCursor:
        """The next passage of the answer, round and round, whatever the sentence cites."""
        numbers = [p.number for p in self.passages]
        if not numbers:
            return self
        here = numbers.index(self.number) if self.number in numbers else -by
        return replace(self, number=numbers[(here + by) % len(numbers)])

    def source(self, number: int) -> AnswerCursor:
        """Source `number`, whether the sentence cites it or not; stays where there is no such source."""
        return (
            replace(self, number=number) if any(p.number == number for p in self.passages) else self
        )

    def _passage(self, by: int) -> AnswerCursor | None:
        numbers = [p.number for p in self.passages]
        at = (numbers.index(self.number) if self.number in numbers else -1) + by
        return replace(self, number=numbers[at]) if 0 <= at < len(numbers) else None
