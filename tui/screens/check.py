"""The check screen: every sentence with its verdict in words, its quotations and its reasons."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
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
    """One sentence. `is_current` is set while the cursor is on it."""

    def __init__(self, number: int, claim: Claim, glyphs: Glyphs) -> None:
        super().__init__(classes="row")
        self.number = number
        self.claim = claim
        self.glyphs = glyphs
        self.is_current = False

    def compose(self) -> ComposeResult:
        yield Static(self._verdict(), classes="verdict", markup=False)
        yield TextView(quote_foreign(self.claim.sentence.text) + self._markers(), classes="claim")
        for evidence in self.claim.evidence:
            opening, closing = self.glyphs.say(f"[{evidence.number}] “"), self.glyphs.say("”")
            yield TextView(opening + quote_foreign(evidence.text) + closing, classes="quote")
        if self.claim.judgement:
            yield TextView(sanitize_line(judgement_phrase(self.claim.judgement)), classes="reason")
        if self.claim.reasons:
            yield TextView(
                "; ".join(sanitize_line(reason) for reason in self.claim.reasons), classes="reason"
            )

    def _markers(self) -> str:
        markers = "".join(f"[{c.number}]" for c in self.claim.sentence.citations)
        return f" {markers}" if markers else ""

    def _verdict(self) -> Content:
        verdict = self.claim.verdict
        sign = self.glyphs.ask if self.is_current else " "
        score = f"  {self.claim.score:.2f}" if self.claim.evidence else ""
        words = f"{self.glyphs.of(verdict) or ' '} {VERDICT_PHRASES[verdict]}{score}"
        return assemble(
            [
                (f"{sign} {self.number:>2} ", "bold $text-accent" if self.is_current else ""),
                (words, VERDICT_STYLES[verdict]),
            ]
        )

    def mark_current(self, is_current: bool) -> None:
        """Show or hide the cursor on this row."""
        self.is_current = is_current
        self.set_class(is_current, "-here")
        self.query_one(".verdict", Static).update(self._verdict())


class CheckScreen(ModalScreen[int | None]):
    """Returns the number of the sentence that was chosen, from 0, or None."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("check"))

    class Copied(Message):
        """The user wants to copy the answer with its verdicts."""

    def __init__(self, answer: Answer, glyphs: Glyphs, at: int, note: str) -> None:
        super().__init__()
        self.answer = answer
        self.glyphs = glyphs
        self.at = at
        self.note = note

    def compose(self) -> ComposeResult:
        with Vertical(id="check"):
            title = self.glyphs.say("CHECK · ") + quote_foreign(self.answer.question)
            yield Static(assemble([(title, "bold")]), id="check-head", markup=False)
            with VerticalScroll(id="check-rows", can_focus=False):
                for number, claim in enumerate(self.answer.claims, 1):
                    yield Row(number, claim, self.glyphs)
            yield Static(tally(self.answer.claims, self.glyphs), id="check-total", markup=False)
            yield Static(
                assemble([(self.glyphs.say(self.note), "$text-muted")]),
                id="check-note",
                markup=False,
            )
            yield Static(assemble([(_keys(), "$text-muted")]), id="check-keys", markup=False)

    def on_mount(self) -> None:
        self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        for number, row in enumerate(self.query(Row)):
            row.mark_current(number == self.at)
            if number == self.at:
                row.scroll_visible(animate=False)

    def action_move(self, by: int) -> None:
        self.at = min(max(0, self.at + by), len(self.answer.claims) - 1)
        self._show_cursor()

    def action_choose(self) -> None:
        self.dismiss(self.at)

    def action_close(self) -> None:
        self.dismiss(None)

    async def action_copy(self) -> None:
        await self.run_action("app.copy_checked")


def _keys() -> str:
    return "  ".join(
        f"{key_label(command)} {command.label}"
        for command in footer_hints("check")
        if command.place == "check"
    )
