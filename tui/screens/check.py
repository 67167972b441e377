"""The check, spelled out: one sentence a row, its verdict as a word, its quotations and its reasons."""

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
from rag.phrases import VERDICT_PHRASES
from rag.text.sanitize import quote_foreign, sanitize_line
from tui.commands import bindings, footer_hints, key_label
from tui.render.answer_text import assemble, tally
from tui.render.glyphs import VERDICT_STYLES, Glyphs
from tui.widgets.text_view import TextView


class Row(Vertical):
    """One sentence."""

    def __init__(self, number: int, claim: Claim, glyphs: Glyphs) -> None:
        super().__init__(classes="row")
        self.number = number
        self.claim = claim
        self.glyphs = glyphs
        self.here = False

    def compose(self) -> ComposeResult:
        yield Static(self._head(), classes="verdict", markup=False)
        yield TextView(quote_foreign(self.claim.sentence.text) + self._cited(), classes="claim")
        for e in self.claim.evidence:
            yield TextView(
                self.glyphs.say(f"[{e.number}] “") + quote_foreign(e.text) + self.glyphs.say("”"),
                classes="quote",
            )
        if self.claim.reasons:
            yield TextView(
                "; ".join(sanitize_line(reason) for reason in self.claim.reasons), classes="reason"
            )

    def _cited(self) -> str:
        cited = "".join(f"[{c.number}]" for c in self.claim.sentence.citations)
        return f" {cited}" if cited else ""

    def _head(self) -> Content:
        verdict = self.claim.verdict
        sign = self.glyphs.ask if self.here else " "
        score = f"  {self.claim.score:.2f}" if self.claim.evidence else ""
        words = f"{self.glyphs.of(verdict) or ' '} {VERDICT_PHRASES[verdict]}{score}"
        return assemble(
            [
                (f"{sign} {self.number:>2} ", "bold $text-accent" if self.here else ""),
                (words, VERDICT_STYLES[verdict]),
            ]
        )

    def stand(self, here: bool) -> None:
        """Whether the cursor is on this row."""
        self.here = here
        self.set_class(here, "-here")
        self.query_one(".verdict", Static).update(self._head())


class CheckScreen(ModalScreen[int | None]):
    """Gives back the sentence that was chosen, or None."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("check"))

    class Copied(Message):
        """The reader wants the answer with its verdicts."""

    def __init__(self, answer: Answer, glyphs: Glyphs, at: int, note: str) -> None:
        super().__init__()
        self.answer = answer
        self.glyphs = glyphs
        self.at = at
        self.note = note

    def compose(self) -> ComposeResult:
        with Vertical(id="check"):
            title = f"CHECK · {quote_foreign(self.answer.question)}"
            yield Static(
                assemble(
                    [(self.glyphs.say(title[:5]) + self.glyphs.say(" · ") + title[8:], "bold")]
                ),
                id="check-head",
                markup=False,
            )
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
        self.call_after_refresh(self._stand)

    def _stand(self) -> None:
        for number, row in enumerate(self.query(Row)):
            row.stand(number == self.at)
            if number == self.at:
                row.scroll_visible(animate=False)

    def action_move(self, by: int) -> None:
        self.at = min(max(0, self.at + by), len(self.answer.claims) - 1)
        self._stand()

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
