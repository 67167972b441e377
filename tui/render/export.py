"""An answer as text to take away: Markdown with its sources, plain text, or one sentence with its quotation."""

from __future__ import annotations

from rag.domain import Answer, Claim, Evidence, Passage
from rag.phrases import VERDICT_PHRASES
from rag.text.sanitize import answer_as_shown, indented_rows, quote_foreign
from tui.render.answer_text import lines_of
from tui.render.glyphs import UNICODE
from tui.render.marks import mark_answer


def markdown(answer: Answer) -> str:
    """Question, answer with marks, verdicts in words, sources with the quotations that were used."""
    out = [f"**{quote_foreign(answer.question)}**", ""]
    out += [f"Looked up: {quote_foreign(answer.asked)}", ""] if answer.asked else []
    out.append(
        "\n".join(indented_rows(mark_answer(answer, UNICODE).text))
        if answer.text
        else "Not answered."
    )
    if answer.claims:
        out += ["", "Checked:", ""]
        out += [
            f"- {VERDICT_PHRASES[c.verdict]} ({c.score:.2f}): {quote_foreign(c.sentence.text)}"
            for c in answer.claims
        ]
    if answer.passages:
        out += ["", "Sources:", ""]
    for passage in answer.passages:
        out.append(f"- [{passage.number}] {where(passage)}")
        out += [f"  > {quote_foreign(e.text)}" for e in _used(answer, passage.number)]
    return "\n".join(out) + "\n"


def plain(answer: Answer) -> str:
    """The answer's own words, markers included, nothing added but the margin of lines after the first (`rows`)."""
    return "\n".join(indented_rows(answer_as_shown(answer).text)) + "\n"


def sentence(claim: Claim) -> str:
    """One sentence, its verdict, and the words of the source under it."""
    out = [f"{quote_foreign(claim.sentence.text)} ({VERDICT_PHRASES[claim.verdict]})"]
    for e in claim.evidence:
        place = f"page {e.page}, line {e.line}" if e.page else f"line {e.line}"
        out.append(f"“{quote_foreign(e.text)}” ({quote_foreign(e.source)}, {place})")
    return "\n".join(out) + "\n"


def where(passage: Passage) -> str:
    """Title, file and lines of a source."""
    title, source = quote_foreign(passage.chunk.title), quote_foreign(passage.chunk.source)
    named = f"{title} ({source})" if title and title != source else source
    return f"{named}, {lines_of(passage)}"


def _used(answer: Answer, number: int) -> list[Evidence]:
    found = {e.span: e for c in answer.claims for e in c.evidence if e.number == number}
    return [found[span] for span in sorted(found)]
