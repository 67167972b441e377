"""The check screen: every sentence with its verdict in words, its quotations and its reasons.

What it has in common with the screen of a refusal: rows with a cursor.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from rag.domain import Answer, Claim
from rag.phrases import VERDICT_PHRASES, judgement_phrase
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line
from tui.commands import bindings, footer_hints, key_label
from tui.render.answer_text import assemble, tally
from tui.render.glyphs import VERDICT_STYLES, Glyphs
from tui.widgets.text_view import TextView


class Row(Vertical):
    """One row: a heading in words and a style, and texts below it.

    `is_current` is set while the cursor is on it.
    """

    def __init__(self, number: int, heading: tuple[str, str], glyphs: Glyphs) -> None:
        super().__init__(classes="row")
        self.number = number
        self.heading = heading
        self.glyphs = glyphs
        self.is_current = False

    def head(self) -> Static:
        """Return the heading as a widget."""
        return Static(self._heading(), classes="verdict", markup=False)

    def _heading(self) -> Content:
        sign = self.glyphs.ask if self.is_current else " "
        number_style = "bold $text-accent" if self.is_current else ""
        return assemble([(f"{sign} {self.number:>2} ", number_style), self.heading])

    def quotation(self, lead: str, text: str) -> TextView:
        """Return foreign text in quotation marks, behind `lead`."""
        opening, closing = self.glyphs.say(f"{lead}“"), self.glyphs.say("”")
        return TextView(opening + quote_foreign(text) + closing, classes="quote")

    def mark_current(self, is_current: bool) -> None:
        """Show or hide the cursor on this row."""
        self.is_current = is_current
        self.set_class(is_current, "-here")
        self.query_one(".verdict", Static).update(self._heading())


class ClaimRow(Row):
    """A sentence of the answer."""

    def __init__(self, number: int, claim: Claim, glyphs: Glyphs) -> None:
        super().__init__(number, _claim_heading(claim, glyphs), glyphs)
        self.claim = claim

    def compose(self) -> ComposeResult:
        yield self.head()
        yield TextView(quote_foreign(self.claim.sentence.text) + self._markers(), classes="claim")
        for evidence in self.claim.evidence:
            yield self.quotation(f"[{evidence.number}] ", evidence.text)
        if self.claim.judgement:
            yield TextView(sanitize_line(judgement_phrase(self.claim.judgement)), classes="reason")
        if self.claim.reasons:
            yield TextView(
                "; ".join(sanitize_line(reason) for reason in self.claim.reasons), classes="reason"
            )

    def _markers(self) -> str:
        markers = "".join(f"[{c.number}]" for c in self.claim.sentence.citations)
        return f" {markers}" if markers else ""


def _claim_heading(claim: Claim, glyphs: Glyphs) -> tuple[str, str]:
    """Return the verdict of a sentence in words, and its style."""
    score = f"  {claim.score:.2f}" if claim.evidence else ""
    words = f"{glyphs.of(claim.verdict) or ' '} {VERDICT_PHRASES[claim.verdict]}{score}"
    return words, VERDICT_STYLES[claim.verdict]


class RowsScreen(ModalScreen[int | None]):
    """Rows with a cursor. Returns the number of the row that was chosen, from 0, or None."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("check"))
    TITLE_WORDS = ""
    ROW_NOUN = "sentence"

    def __init__(self, answer: Answer, glyphs: Glyphs, at: int, note: str) -> None:
        super().__init__()
        self.answer = answer
        self.glyphs = glyphs
        self.at = at
        self.note = note

    def rows(self) -> list[Row]:
        """Return the rows; none unless a subclass has some."""
        return []

    def total(self) -> Content:
        """Return what stands below the rows; nothing unless a subclass says something."""
        return Content("")

    def compose(self) -> ComposeResult:
        with Vertical(id="check"):
            title = self.glyphs.say(f"{self.TITLE_WORDS} · ") + quote_foreign(self.answer.question)
            yield Static(assemble([(title, "bold")]), id="check-head", markup=False)
            with VerticalScroll(id="check-rows", can_focus=False):
                yield from self.rows()
            yield Static(self.total(), id="check-total", markup=False)
            yield Static(
                assemble([(self.glyphs.say(self.note), "$text-muted")]),
                id="check-note",
                markup=False,
            )
            keys = _keys(self.ROW_NOUN, self.glyphs)
            yield Static(assemble([(keys, "$text-muted")]), id="check-keys", markup=False)

    def on_mount(self) -> None:
        self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        for number, row in enumerate(self.query(Row)):
            row.mark_current(number == self.at)
            if number == self.at:
                row.scroll_visible(animate=False)

    def action_move(self, by: int) -> None:
        self.at = min(max(0, self.at + by), len(self.query(Row)) - 1)
        self._show_cursor()

    def action_choose(self) -> None:
        self.dismiss(self.at)

    def action_close(self) -> None:
        self.dismiss(None)

    async def action_copy(self) -> None:
        await self.run_action("app.copy_checked")


class CheckScreen(RowsScreen):
    """The sentences of an answer."""

    TITLE_WORDS = "CHECK"

    def rows(self) -> list[Row]:
        claims = enumerate(self.answer.claims, 1)
        return [ClaimRow(number, claim, self.glyphs) for number, claim in claims]

    def total(self) -> Content:
        return tally(self.answer.claims, self.glyphs)


def _keys(noun: str, glyphs: Glyphs) -> str:
    """Return the keys; those that move name the `noun` that they move to."""
    return "  ".join(
        f"{'up down' if glyphs.ascii else '↑↓'} {noun}"
        if command.id == "check_up"
        else f"{key_label(command)} {command.label}"
        for command in footer_hints("check")
        if command.place == "check"
    )
