"""What the command line prints for people: answers, passages, lists. no markup is parsed.

Strangers' text passes `rag.text.sanitize`: among our own words its marks are spelled and its white space is folded (`theirs`), by itself
(`document`, `passages`) it stands two columns to the right. In the first two columns only Footnote writes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rag.domain import (
    Answer,
    Claim,
    Document,
    ErrorRates,
    Evidence,
    Listing,
    Passage,
    Reason,
    Verdict,
)
from rag.errors import RagError
from rag.phrases import (
    ADD_COMMAND,
    HINT,
    NOT_ANSWERED,
    VERDICT_PHRASES,
    abstention_phrase,
)
from rag.text.sanitize import (
    AnswerStream,
    answer_as_shown,
    indented_rows,
    quote_foreign,
    sanitize,
    sanitize_line,
    spell_marks,
)

if TYPE_CHECKING:
    from rich.console import Console

    from rag.events import Token
    from rag.upkeep.doctor import Finding
    from rag.upkeep.explain import Explanation

GLYPHS = {
    Verdict.SUPPORTED: "✓", Verdict.PARTLY: "~", Verdict.UNSUPPORTED: "✗", Verdict.CONTRADICTED: "✗", Verdict.UNCITED: "?",
    Verdict.DANGLING: "!", Verdict.NEEDS_NONE: " ",
}  # fmt: skip
STYLES = {
    Verdict.SUPPORTED: "green",
    Verdict.PARTLY: "yellow",
    Verdict.UNCITED: "yellow",
    Verdict.NEEDS_NONE: "dim",
}
_NAMED = 3  # copies of a passage that are named; the JSON names all


def make_console(error: bool = False) -> Console:
    """A console that parses no markup, no emoji codes and no numbers."""
    from rich.console import Console

    class Piped(Console):
        """Leaves a pipe that nobody reads to `main`; rich would end the process with exit code 1."""

        def on_broken_pipe(self) -> None:
            raise

    return Piped(
        file=sys.stderr if error else sys.stdout,
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
    )


def print_answer(
    value: Answer,
    quiet: bool = False,
    streamed: bool = False,
    measured: Callable[[], ErrorRates] | None = None,
) -> None:
    """The text (unless it was `streamed` already), the short answer, a line a footnote; on stderr what it took, and how
    often the check errs as `measured`."""
    from rich.text import Text

    out = make_console()
    value = answer_as_shown(value)
    if value.text:
        out.print(Text("" if streamed else "\n".join(indented_rows(value.text))))
    if value.abstained and value.reason:
        out.print(Text(f"⊘ {NOT_ANSWERED}: {abstention_phrase(value.reason)}", style="bold"))
        if value.reason is Reason.EMPTY_LIBRARY:
            out.print(Text(f"  {HINT} {ADD_COMMAND}"))
        if value.missing:
            out.print(Text(f"  {quote_foreign(value.missing)}"))
        for passage in value.passages[:3] if value.reason is Reason.NOT_ANSWERED else ():
            out.print(
                Text(
                    f"  nearest  {_place(passage)}  {quote_foreign(passage.chunk.text)[:100]}…",
                    style="dim",
                )
            )
    _points(value, out)
    left_out(value.left_out, out)
    if value.claims:
        out.print()
    for claim in value.claims:
        _footnote(claim, out)
    if not quiet:
        _took(value, make_console(error=True))
        if value.claims and measured is not None:
            print_error_rates(measured)


class Streamed:
    """Writes an answer as it comes, by whole words, so that what was written never changes."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._words, self._written = write, AnswerStream(), ""

    def add(self, token: Token) -> None:
        """More words of the answer."""
        self._words.add(token.text, token.quoted)
        self._more(self._words.steady)

    def end(self) -> None:
        """The words that were held back."""
        self._more(self._words.text)

    def _more(self, text: str) -> None:
        shown = "\n".join(indented_rows(text))
        self._write(shown[len(self._written) :])
        self._written = shown


def _points(value: Answer, out: Console) -> None:
    """What to see first: the short answer, where it is shorter than its sentence, and that the sources differ."""
    from rich.text import Text

    short = quote_foreign(value.short or "")
    if (
        short
        and value.claims
        and short.rstrip(".") != quote_foreign(value.claims[0].sentence.text).rstrip(".")
    ):
        out.print(Text(f"→ {short}", style="bold"))
    if value.differ:
        cited = dict.fromkeys(c.number for claim in value.claims for c in claim.sentence.citations)
        sides = " and ".join(f"[{number}]" for number in list(cited)[:2])
        out.print(
            Text(
                "≠ the sources differ" + (f": see {sides}" if len(cited) > 1 else ""),
                style="bold yellow",
            )
        )


def left_out(found: Sequence[Evidence], out: Console | None = None) -> None:
    """Masked lines that would answer, each with its place."""
    from rich.text import Text

    for each in found:
        says = f"! a repeated line was left out: “{quote_foreign(each.text)}” {_where(each)}"
        (out or make_console()).print(Text(says, style="bold yellow"))


def _footnote(claim: Claim, out: Console) -> None:
    """The verdict of a sentence beside the places it leans on."""
    from rich.text import Text

    style = STYLES.get(claim.verdict, "bold red")
    word = VERDICT_PHRASES[claim.verdict]
    for evidence in claim.evidence or (None,):
        number = f"[{evidence.number}]" if evidence else "   "
        out.print(
            Text(f"{number} {GLYPHS[claim.verdict]} {word:<12} ", style=style)
            + Text(_where(evidence) or quote_foreign(claim.sentence.text))
        )
        if evidence and evidence.text != claim.sentence.text:
            out.print(Text(f"    “{quote_foreign(evidence.text)}”", style="dim"))
    if claim.verdict is not Verdict.SUPPORTED and claim.reasons:
        out.print(Text("    " + sanitize_line("; ".join(claim.reasons)), style="dim"))


def _took(value: Answer, out: Console) -> None:
    from rich.text import Text

    for dropped in value.receipt.dropped:
        out.print(Text(f"left out: {quote_foreign(dropped)}", style="yellow"))
    stopped = "stopped, " if value.stopped else ""
    calibrated = " (calibrated)" if value.model.calibrated else ""
    sizes = f"{quote_foreign(value.model.name)}{calibrated}, {len(value.passages)} passages, {value.seconds.total:.1f} s"
    out.print(Text(stopped + sizes, style="dim"))


def print_error_rates(measured: Callable[[], ErrorRates]) -> None:
    """On stderr how often the check errs. Where that cannot be read it is said, and what was asked for stands."""
    from rich.text import Text

    try:
        says = measured().says
    except RagError:
        says = "how often it errs cannot be read; what helps: footnote doctor"
    make_console(error=True).print(Text(f"the check: {sanitize_line(says)}", style="dim"))


def _where(evidence: Evidence | None) -> str:
    if evidence is None:
        return ""
    page = f", page {evidence.page}" if evidence.page else ""
    return f"{quote_foreign(evidence.source)}:{evidence.line}{page}"


def _place(passage: Passage) -> str:
    return f"{quote_foreign(passage.chunk.source)}:{passage.chunk.line}"


def print_passages(found: Sequence[Passage]) -> None:
    """Numbered passages with their ranks in both lists."""
    from rich.text import Text

    out = make_console()
    for p in found:
        ranks = f"words {p.ranks.words or '—'}, vectors {p.ranks.vectors or '—'}"
        ranks += f", reranked {p.ranks.reranked}" if p.ranks.reranked else ""
        others = list(dict.fromkeys(c.source for c in p.copies))
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        copies = (
            f", also in {', '.join(map(quote_foreign, others[:_NAMED]))}{more}" if others else ""
        )
        out.print(Text(f"[{p.number}] {_place(p)}  ({ranks}{copies})", style="bold"))
        for row in sanitize(spell_marks(p.chunk.text)).split("\n"):
            _indented(row, "  ", "", out)
        out.print()


def print_listings(found: Iterable[Listing]) -> None:
    """The table of contents."""
    table = _table("state", "source", "title", "date", "passages")
    for item in found:
        state = (
            {"ready": "✓ ready", "failed": "✗ failed"}[item.state]
            if not (item.reason and item.state == "ready")
            else "≠ old"
        )
        table.add_row(
            state,
            *_cells(item.source, item.reason or item.title, item.date or "", str(item.chunks)),
        )
    make_console().print(table)


def print_models(found: Iterable[dict[str, Any]]) -> None:
    """Models, the one in use marked."""
    table = _table("", "model", "size", "file")
    for model in found:
        size = f"{model['bytes'] / 2**20:,.0f} MB" if model["bytes"] else ""
        table.add_row(
            "❯" if model["in_use"] else "",
            *_cells(model["name"], size, model["path"] or "built in"),
        )
    make_console().print(table)


def print_findings(found: Iterable[Finding]) -> None:
    """A doctor's report: what, how it is, and the cure of what is not well."""
    from rich.text import Text

    out = make_console()
    for finding in found:
        out.print(
            Text(
                f"{'✓' if finding.good else '✗'} {finding.what:<10} {quote_foreign(finding.says)}",
                style="" if finding.good else "red",
            )
        )
        if finding.cure and not finding.good:
            out.print(Text(f"             what helps: {quote_foreign(finding.cure)}"))


def print_explanation(value: Explanation) -> None:
    """Where a passage was lost, its ranks, the cure, and the passage that was followed."""
    from rich.text import Text

    out = make_console()
    lost = f"✗ lost: {value.lost}" if value.lost else "✓ not lost"
    out.print(Text(lost, style="bold red" if value.lost else "bold green"))
    out.print(Text(f"  {quote_foreign(value.says)}"))
    if value.ranks:
        ranks = ", ".join(f"{name} {rank or '—'}" for name, rank in value.ranks.items())
        out.print(Text(f"  ranks of {value.of:,} passages: {ranks}"))
    if value.cure:
        out.print(Text(f"  what helps: {quote_foreign(value.cure)}"))
    if value.text and value.span:
        out.print(
            Text(
                f"  {quote_foreign(value.source)}, characters {value.span.start} to {value.span.end}",
                style="dim",
            )
        )
        out.print(Text(f"  “{quote_foreign(value.text)}”", style="dim"))


def print_document(value: Document) -> None:
    """Title, date and text as it is, two columns to the right; masked lines are dim and carry a bar in the first column."""
    from rich.text import Text

    out = make_console()
    out.print(
        Text(
            f"{quote_foreign(value.title)}{'  ' + quote_foreign(value.date) if value.date else ''}",
            style="bold",
        )
    )
    out.print(Text(f"{quote_foreign(value.source)}  {value.id}\n", style="dim"))
    text, at, mask = sanitize(value.text), 0, list(value.mask)[::-1]
    for row in text.split("\n"):
        while mask and mask[-1].end <= at:
            mask.pop()
        masked = bool(mask) and mask[-1].start < at + len(row)
        _indented(row, "│ " if masked else "  ", "dim" if masked else "", out)
        at += len(row) + 1


def _indented(row: str, margin: str, style: str, out: Console) -> None:
    """A line of a document behind its margin; on a terminal also where the line is wider than the screen."""
    from rich.cells import chop_cells
    from rich.text import Text

    parts = (
        chop_cells(row.expandtabs(), max(8, out.width - len(margin))) if out.is_terminal else [row]
    )
    for part in parts or [""]:
        out.print(Text(margin + part, style=style))


def _table(*heads: str) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in heads:
        table.add_column(
            head, justify="right" if head in ("passages", "size") else "left", overflow="fold"
        )
    return table


def _cells(*texts: str) -> list[Any]:
    from rich.text import Text

    return [Text(quote_foreign(text)) for text in texts]
