"""The signs on the screen: one set in Unicode, one in plain ASCII. A verdict is a sign and a word, then a colour."""

from __future__ import annotations

import locale
from collections.abc import Mapping
from dataclasses import dataclass

from rag.domain import Verdict
from tui.render.wrap import truncate

VERDICT_STYLES: dict[Verdict, str] = {
    Verdict.SUPPORTED: "$text-success",
    Verdict.PARTLY: "$text-warning",
    Verdict.UNSUPPORTED: "bold $text-error",
    Verdict.CONTRADICTED: "bold $text-error",
    Verdict.UNCITED: "italic $text-warning",
    Verdict.DANGLING: "bold $text-error",
    Verdict.NEEDS_NONE: "",
}

#: the short answer in its sentence; without colours it is bold
SHORT_ANSWER_STYLE = "bold $text-accent"

#: our own typography, for terminals that have only ASCII; never applied to what strangers wrote
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
        "“": '"',
        "”": '"',
    }
)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs. Every sign is one cell wide and none is an emoji."""

    supported: str = "✓"
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
    steps: str = "◜◝◞◟"
    ascii: bool = False

    def of(self, verdict: Verdict) -> str:
        """The sign of a verdict; nothing for a sentence that needs no source."""
        if verdict in (Verdict.UNSUPPORTED, Verdict.CONTRADICTED):
            return self.wrong
        signs = {
            Verdict.SUPPORTED: self.supported,
            Verdict.PARTLY: self.partly,
            Verdict.UNCITED: self.uncited,
            Verdict.DANGLING: self.dangling,
        }
        return signs.get(verdict, "")

    def say(self, words: str) -> str:
        """Our own words in this set's typography."""
        return words.translate(_PLAIN) if self.ascii else words

    def cut(self, text: str, width: int) -> str:
        """`text`, also a stranger's, in at most `width` cells; what is missing is shown in this set's typography."""
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
    steps="|/-\\",
    ascii=True,
)


def choose_glyphs(environ: Mapping[str, str]) -> Glyphs:
    """ASCII when it is asked for or the locale cannot show more."""
    asked = environ.get("FOOTNOTE_ASCII", "")
    if asked:
        return UNICODE if asked == "0" else ASCII
    return UNICODE if "utf" in locale.getencoding().lower() else ASCII
