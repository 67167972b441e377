"""Why a question was not answered: the reason, and the nearest passages with what each lacks."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content

from rag.domain import Answer, Claim, Passage
from rag.phrases import NOT_ANSWERED, abstention_phrase, judgement_phrase
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line
from tui.render.answer_text import Part, assemble, lines_of, source_name
from tui.render.glyphs import Glyphs
from tui.screens.check import Row, RowsScreen
from tui.widgets.text_view import TextView

#: The widest beginning of a passage of which no sentence was judged.
_MAX_CELLS = 160
_NOT_JUDGED = "no sentence of it comes near an answer"


class PassageRow(Row):
    """A passage: its nearest sentences and what they lack, or its first words."""

    def __init__(
        self, number: int, passage: Passage, nearest: list[Claim], lacks: str, glyphs: Glyphs
    ) -> None:
        """`lacks` is what a passage without a nearest sentence lacks, as harmless words."""
        place = glyphs.say(lines_of(passage))
        super().__init__(
            number, (f"{quote_foreign(source_name(passage))}, {place}", "bold"), glyphs
        )
        self.passage, self.nearest, self.lacks = passage, nearest, lacks

    def compose(self) -> ComposeResult:
        yield self.head()
        for claim in self.nearest:
            yield self.quotation("", claim.sentence.text)
            if claim.judgement:
                words = sanitize_line(judgement_phrase(claim.judgement))
                yield TextView(self.glyphs.say(words), classes="reason")
        if not self.nearest:
            first = self.glyphs.cut(quote_foreign(self.passage.chunk.text), _MAX_CELLS)
            yield self.quotation("", first)
            yield TextView(self.lacks, classes="reason")


class RefusalScreen(RowsScreen):
    """The passages of an answer that is an abstention."""

    TITLE_WORDS = "WHY NOT"
    ROW_NOUN = "passage"

    def rows(self) -> list[Row]:
        return [
            PassageRow(passage.number, passage, nearest, lacks_of(self.answer), self.glyphs)
            for passage in self.answer.passages
            for nearest in [nearest_sentences(self.answer, passage)]
        ]

    def total(self) -> Content:
        reason = abstention_phrase(self.answer.reason, self.answer.within)
        heading = f"{self.glyphs.abstained} {NOT_ANSWERED} — {reason}"
        parts: list[Part] = [(self.glyphs.say(heading), "bold")]
        if self.answer.missing:
            parts.append((f"\nMissing: {quote_foreign(self.answer.missing)}.", ""))
        return assemble(parts)


def nearest_sentences(answer: Answer, passage: Passage) -> list[Claim]:
    """Return the sentences of a passage that were judged and are not surely an answer."""
    return [
        claim
        for claim in answer.related
        if any(citation.number == passage.number for citation in claim.sentence.citations)
    ]


def lacks_of(answer: Answer) -> str:
    """Return what a passage without a judged sentence lacks; all lack it if none was judged."""
    return quote_foreign(answer.missing) if answer.missing and not answer.related else _NOT_JUDGED
