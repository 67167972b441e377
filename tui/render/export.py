"""An answer to copy as plain text, or one sentence of it with its quotation."""

from __future__ import annotations

from rag.domain import Answer, Claim
from rag.phrases import VERDICT_PHRASES
from rag.text.foreign_marks import answer_as_shown, indented_rows, quote_foreign


def plain(answer: Answer) -> str:
    """Return the text of the answer with its markers. Lines after the first are indented."""
    return "\n".join(indented_rows(answer_as_shown(answer).text)) + "\n"


def sentence(claim: Claim) -> str:
    """Return one sentence, its verdict, and the words of its sources below it."""
    lines = [f"{quote_foreign(claim.sentence.text)} ({VERDICT_PHRASES[claim.verdict]})"]
    for e in claim.evidence:
        place = f"page {e.page}, line {e.line}" if e.page else f"line {e.line}"
        if e.row:
            place = f"sheet {quote_foreign(e.sheet)}, row {e.row}"
        lines.append(f"“{quote_foreign(e.text)}” ({quote_foreign(e.source)}, {place})")
    return "\n".join(lines) + "\n"
