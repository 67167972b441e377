"""The signs of the chat: a set in Unicode and a set in ASCII. A verdict has a sign and a colour."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from dataclasses import dataclass

from rag.domain import Verdict
from tui.render.wrap import truncate

VERDICT_STYLES: dict[Verdict, str] = {
    Verdict.SUPPORTED: "$text-success",
    Verdict.COMPUTED: "$text-success",
    Verdict.LISTED: "$text-success",
    Verdict.PARTLY: "$text-warning",
    Verdict.UNSUPPORTED: "bold $text-error",
    Verdict.CONTRADICTED: "bold $text-error",
    Verdict.UNCITED: "italic $text-warning",
    Verdict.DANGLING: "bold $text-error",
    Verdict.NEEDS_NONE: "",
}

#: The style of a sentence that stands in its source and is not surely an answer.
RELATED_STYLE = "$text-secondary"
#: The style of the short answer in its sentence. Without colours it is bold.
SHORT_ANSWER_STYLE = "bold $text-accent"

#: ASCII for our own typography; never applied to foreign text.
_PLAIN = str.maketrans(
    {
        "·": "-",
        "…": "...",
        "—": "-",
        "–": "-",
        "›": ">",
        "⏎": "enter",
        "↑": "up ",
        "↓": "down ",
        "←": "left ",
        "→": "right ",
        "≠": "!=",
        "≈": "=",
        "“": '"',
        "”": '"',
    }
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """A set of signs. Every sign is one cell wide, and none is an emoji."""

    supported: str = "✓"
    computed: str = "="
    listed: str = "*"
    partly: str = "~"
    wrong: str = "✗"
    uncited: str = "?"
    dangling: str = "!"
    abstained: str = "⊘"
    waiting: str = "◌"
    stopped: str = "■"
    ask: str = "❯"
    cursor: str = "┃"
    lit: str = "▌"
    here: str = "›"
    down: str = "↓"
    watched: str = "↻"
    furniture: str = "┆"
    rule: str = "─"
    full: str = "█"
    empty: str = "░"
    steps: str = "◜◝◞◟"
    ascii: bool = False

    def of(self, verdict: Verdict) -> str:
        """Return the sign of a verdict; "" for a sentence that needs no source."""
        if verdict in (Verdict.UNSUPPORTED, Verdict.CONTRADICTED):
            return self.wrong
        signs = {
            Verdict.SUPPORTED: self.supported,
            Verdict.COMPUTED: self.computed,
            Verdict.LISTED: self.listed,
            Verdict.PARTLY: self.partly,
            Verdict.UNCITED: self.uncited,
            Verdict.DANGLING: self.dangling,
        }
        return signs.get(verdict, "")

    def say(self, words: str) -> str:
        """Return our own words in the typography of this set."""
        return words.translate(_PLAIN) if self.ascii else words

    def cut(self, text: str, width: int) -> str:
        """Return `text`, which may be foreign, cut to `width` cells; an ellipsis marks the cut."""
        return truncate(text, width, self.say("…"))


UNICODE = Glyphs()
ASCII = Glyphs(
    supported="+",
    wrong="x",
    abstained="o",
    waiting=".",
    stopped="#",
    ask=">",
    cursor="|",
    lit=">",
    here=">",
    down="v",
    watched="@",
    furniture=":",
    rule="-",
    full="#",
    empty=".",
    steps="|/-\\",
    ascii=True,
)


def choose_glyphs(environ: Mapping[str, str]) -> Glyphs:
    """Return the set of the variable FOOTNOTE_ASCII, or else of the encoding of the locale."""
    setting = environ.get("FOOTNOTE_ASCII", "")
    if setting:
        return UNICODE if setting == "0" else ASCII
    return UNICODE if "utf" in locale.getencoding().lower() else ASCII
