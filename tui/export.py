"""An answer as text to take away: Markdown with its sources, plain text, or one sentence with its quotation."""

from __future__ import annotations

from rag.domain import Answer, Claim, Evidence, Passage
from rag.safe import as_shown, rows, theirs
from tui.glyphs import UNICODE, WORDS
from tui.marks import marked
from tui.words import lines_of


def markdown(answer: Answer) -> str:
    """Question, answer with marks, verdicts in words, sources with the quotations that were used."""
    out = [f"**{theirs(answer.question)}**", ""]
    out += [f"Looked up: {theirs(answer.asked)}", ""] if answer.asked else []
    out.append("\n".join(rows(marked(answer, UNICODE).text)) if answer.text else "Not answered.")
    if answer.claims:
        out += ["", "Checked:", ""]
        out += [f"- {WORDS[c.verdict]} ({c.score:.2f}): {theirs(c.sentence.text)}" for c in answer.claims]
    if answer.passages:
        out += ["", "Sources:", ""]
    for passage in answer.passages:
        out.append(f"- [{passage.number}] {where(passage)}")
        out += [f"  > {theirs(e.text)}" for e in _used(answer, passage.number)]
    return "\n".join(out) + "\n"


def plain(answer: Answer) -> str:
    """The answer's own words, markers included, nothing added but the margin of lines after the first (`rows`)."""
    return "\n".join(rows(as_shown(answer).text)) + "\n"


def sentence(claim: Claim) -> str:
    """One sentence, its verdict, and the words of the source under it."""
    out = [f"{theirs(claim.sentence.text)} ({WORDS[claim.verdict]})"]
    for e in claim.evidence:
        place = f"page {e.page}, line {e.line}" if e.page else f"line {e.line}"
        out.append(f"“{theirs(e.text)}” ({theirs(e.source)}, {place})")
    return "\n".join(out) + "\n"


def where(passage: Passage) -> str:
    """Title, file and lines of a source."""
    title, source = theirs(passage.chunk.title), theirs(passage.chunk.source)
    named = f"{title} ({source})" if title and title != source else source
    return f"{named}, {lines_of(passage)}"


def _used(answer: Answer, number: int) -> list[Evidence]:
    found = {e.span: e for c in answer.claims for e in c.evidence if e.number == number}
    return [found[span] for span in sorted(found)]
