"""An answer to copy: Markdown with its sources, plain text, or one sentence with its quotation."""

from __future__ import annotations

from rag.domain import Answer, Claim, Evidence, Passage, Verdict
from rag.phrases import VERDICT_PHRASES, abstention_phrase
from rag.text.foreign_marks import answer_as_shown, indented_rows, quote_foreign
from rag.text.markdown import escape_inline
from tui.render.answer_text import lines_of
from tui.render.glyphs import UNICODE
from tui.render.marks import mark_answer


def markdown(answer: Answer) -> str:
    """Return question, answer with marks, the verdicts counted, and the cited sources as footnotes.

    Markers become references to the footnotes: [1] becomes [^1]. Foreign text that looks like a
    marker was spelled out before.
    """
    lines = [f"**{_foreign(answer.question)}**", ""]
    lines += [f"Looked up: {_foreign(answer.asked)}", ""] if answer.asked else []
    if answer.text:
        text = escape_inline("\n".join(indented_rows(mark_answer(answer, UNICODE).text)))
        for passage in cited_passages(answer):
            text = text.replace(f"[{passage.number}]", f"[^{passage.number}]")
        lines.append(text)
    else:
        lines.append(f"Not answered: {abstention_phrase(answer.reason)}")
    if answer.claims:
        verdicts = [claim.verdict for claim in answer.claims]
        counts = [(verdicts.count(v), VERDICT_PHRASES[v]) for v in Verdict if v in verdicts]
        lines += ["", "Checked: " + ", ".join(f"{number} {words}" for number, words in counts)]
    for passage in cited_passages(answer):
        lines += ["", f"[^{passage.number}]: {escape_inline(source_line(passage))}"]
        lines += [f"    > {_foreign(e.text)}" for e in _used(answer, passage.number)]
    return "\n".join(lines) + "\n"


def cited_passages(answer: Answer) -> list[Passage]:
    """Return the passages that a marker names or that a sentence rests on."""
    numbers = {c.number for claim in answer.claims for c in claim.sentence.citations}
    numbers.update(e.number for claim in answer.claims for e in claim.evidence)
    return [passage for passage in answer.passages if passage.number in numbers]


def _foreign(text: str) -> str:
    """Foreign text on one line of Markdown, without markup."""
    return escape_inline(quote_foreign(text))


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


def source_line(passage: Passage) -> str:
    """Return title, file and lines of a source."""
    title, source = quote_foreign(passage.chunk.title), quote_foreign(passage.chunk.source)
    name = f"{title} ({source})" if title and title != source else source
    return f"{name}, {lines_of(passage)}"


def _used(answer: Answer, number: int) -> list[Evidence]:
    """Return the evidence from source `number`, each span once, in the order of the document."""
    by_span = {e.span: e for c in answer.claims for e in c.evidence if e.number == number}
    return [by_span[span] for span in sorted(by_span)]
