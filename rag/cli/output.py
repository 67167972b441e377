"""Printing for people: answers, passages, lists. No markup is parsed.

Foreign text passes `rag.text.sanitize`. Within our own words its marks are spelled out and its
white space is folded. On lines of its own (`print_document`, `print_passages`) it is indented by
two columns: only Footnote writes in the first two columns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rag.cli.source_places import copies_of, evidence_place, file_phrase, passage_place
from rag.domain import (
    Answer,
    Claim,
    Document,
    Evidence,
    Listing,
    ModelFailure,
    Passage,
    Reason,
    Verdict,
)
from rag.errors import RagError
from rag.phrases import (
    ADD_COMMAND,
    HINT,
    LINE_LEFT_OUT,
    NOT_ANSWERED,
    REFRESH_COMMAND,
    RELATED,
    RELATED_SIGN,
    SENT_TO,
    SOURCES_DIFFER,
    VERDICT_PHRASES,
    WITHHELD,
    abstention_phrase,
    failure_phrase,
    file_notes,
    is_related,
    judgement_phrase,
    looked_in,
    withheld_reason,
)
from rag.protocols import ErrorRates
from rag.text.foreign_marks import (
    AnswerStream,
    answer_as_shown,
    indented_rows,
    quote_foreign,
    spell_marks,
)
from rag.text.sanitize import sanitize, sanitize_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from rag.events import Token
    from rag.upkeep.doctor import Finding
    from rag.upkeep.explain import Explanation

#: The sign of each verdict.
VERDICT_SIGNS = {
    Verdict.SUPPORTED: "✓",
    Verdict.PARTLY: "~",
    Verdict.UNSUPPORTED: "✗",
    Verdict.CONTRADICTED: "✗",
    Verdict.UNCITED: "?",
    Verdict.DANGLING: "!",
    Verdict.NEEDS_NONE: " ",
    Verdict.COMPUTED: "=",
    Verdict.LISTED: "*",
}
#: The style of each verdict; `BAD_STYLE` for the others.
VERDICT_STYLES = {
    Verdict.SUPPORTED: "green",
    Verdict.COMPUTED: "green",
    Verdict.LISTED: "green",
    Verdict.PARTLY: "yellow",
    Verdict.UNCITED: "yellow",
    Verdict.NEEDS_NONE: "dim",
}
BAD_STYLE = "bold red"
#: The style of a sentence that stands in its source and is not surely an answer.
RELATED_STYLE = "cyan"
#: The width of the column of verdicts: a longer phrase pushes its line to the right.
VERDICT_COLUMNS = 12
#: How many of the nearest passages an abstention lists, and how many characters of each.
MAX_NEAREST, NEAREST_CHARS = 3, 100


def make_console(error: bool = False) -> Console:
    """Return a console for stdout, or for stderr, that parses no markup, emoji or numbers."""
    from rich.console import Console

    class PipeConsole(Console):
        """A console that raises `BrokenPipeError`. That of rich ends the process with 1."""

        def on_broken_pipe(self) -> None:
            raise

    return PipeConsole(
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
    """Print an answer: text, short answer, a line a footnote; on stderr its size and time.

    The text is left out if it was `streamed` already. `measured` returns the error rates of the
    check, which are printed last. `quiet` prints nothing on stderr.
    """
    out = make_console()
    value = answer_as_shown(value)
    if value.within:
        _line(out, quote_foreign(looked_in(value.within)), "dim")
    if value.text:
        _line(out, "" if streamed else "\n".join(indented_rows(value.text)))
    if value.abstained and value.reason:
        _abstention(value, value.reason, out)
    _highlights(value, out)
    left_out(value.left_out, out)
    _file_notes(value, out)
    _model_failed(value.model_failed, out)
    _withheld(value.withheld, out)
    if value.claims or value.related:
        out.print()
    for claim in (*value.claims, *value.related):
        _footnote(claim, out)
    if not quiet:
        _receipt(value, make_console(error=True))
        if value.claims and measured is not None:
            print_error_rates(measured)


def _line(out: Console, text: str, style: str = "") -> None:
    """Print one line without parsing it."""
    from rich.text import Text

    out.print(Text(text, style=style))


def _abstention(value: Answer, reason: Reason, out: Console) -> None:
    """Print why there is no answer, what is missing, and the nearest passages."""
    _line(out, f"⊘ {NOT_ANSWERED}: {abstention_phrase(reason, value.within)}", "bold")
    if reason is Reason.EMPTY_LIBRARY:
        _line(out, f"  {HINT} {ADD_COMMAND}")
    if value.missing:
        _line(out, f"  {quote_foreign(value.missing)}")
    if reason in (Reason.NOT_ANSWERED, Reason.OTHER_LANGUAGE) and not value.related:
        for passage in value.passages[:MAX_NEAREST]:
            words = quote_foreign(passage.chunk.text)[:NEAREST_CHARS]
            _line(out, f"  nearest  {passage_place(passage)}  {words}…", "dim")


class Streamed:
    """Writes an answer as it comes, by whole words, so that nothing written changes later."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._words, self._written = write, AnswerStream(), ""

    def add(self, token: Token) -> None:
        """Add more words of the answer."""
        self._words.add(token.text, token.quoted)
        self._write_new(self._words.steady)

    def end(self) -> None:
        """Write the words that are left."""
        self._write_new(self._words.text)

    def _write_new(self, text: str) -> None:
        shown = "\n".join(indented_rows(text))
        self._write(shown[len(self._written) :])
        self._written = shown


def _highlights(value: Answer, out: Console) -> None:
    """Print the short answer, unless it is the first sentence, and whether the sources differ."""
    short = quote_foreign(value.short or "")
    if short and value.claims:
        first_sentence = quote_foreign(value.claims[0].sentence.text)
        if short.rstrip(".") != first_sentence.rstrip("."):
            _line(out, f"→ {short}", "bold")
    if value.differ:
        cited = dict.fromkeys(c.number for claim in value.claims for c in claim.sentence.citations)
        sides = " and ".join(f"[{number}]" for number in list(cited)[:2])
        see = f": see {sides}" if len(cited) > 1 else ""
        _line(out, f"≠ {SOURCES_DIFFER}{see}", "bold yellow")


def left_out(masked: Sequence[Evidence], out: Console | None = None) -> None:
    """Print masked lines that would answer, each with its place."""
    out = out or make_console()
    for evidence in masked:
        quotation = f"“{quote_foreign(evidence.text)}” {evidence_place(evidence)}"
        _line(out, f"! {LINE_LEFT_OUT}: {quotation}", "bold yellow")


def _file_notes(value: Answer, out: Console) -> None:
    """Print the cited files that changed or are gone, and the command that reads them again."""
    notes = file_notes(value)
    for source, phrase in notes:
        _line(out, f"! {phrase}: {quote_foreign(source)}", "bold yellow")
    if notes:
        _line(out, f"  {HINT} {REFRESH_COMMAND}")


def _model_failed(failure: ModelFailure | None, out: Console) -> None:
    """Print what happened to the chat model, and what to do next."""
    if failure:
        _line(out, f"! {quote_foreign(failure_phrase(failure))}", "bold yellow")
        if failure.cure:
            _line(out, f"  {HINT} {quote_foreign(failure.cure)}")


def _withheld(claims: Sequence[Claim], out: Console) -> None:
    """Print the sentences that the check did not let pass, and what the source says instead."""
    for claim in claims:
        _line(out, f"✗ {WITHHELD}: “{quote_foreign(claim.sentence.text)}”", "yellow")
        _line(out, f"  {quote_foreign(withheld_reason(claim))}", "dim")
        for evidence in claim.evidence[:1]:
            words = quote_foreign(evidence.text)[:NEAREST_CHARS]
            _line(out, f"  nearest  {evidence_place(evidence)}  {words}", "dim")


def _footnote(claim: Claim, out: Console) -> None:
    """Print the verdict of a sentence with the places of its evidence."""
    from rich.text import Text

    style = VERDICT_STYLES.get(claim.verdict, BAD_STYLE)
    sign, phrase = VERDICT_SIGNS[claim.verdict], VERDICT_PHRASES[claim.verdict]
    if claim.verdict is Verdict.SUPPORTED and is_related(claim.judgement):
        style, sign, phrase = RELATED_STYLE, RELATED_SIGN, RELATED
    for evidence in claim.evidence or (None,):
        number = f"[{evidence.number}]" if evidence else "   "
        place = quote_foreign(claim.sentence.text)
        if evidence:
            place = evidence_place(evidence) + file_phrase(evidence.file)
        verdict = Text(f"{number} {sign} {phrase:<{VERDICT_COLUMNS}} ", style=style)
        out.print(verdict + Text(place))
        if evidence and (evidence.text != claim.sentence.text or claim.sentence.span.end == 0):
            _line(out, f"    “{quote_foreign(evidence.text)}”", "dim")
        if evidence and evidence.context:
            _line(out, f"    under {quote_foreign(evidence.context)}", "dim")
    if claim.verdict is not Verdict.SUPPORTED and claim.reasons:
        _line(out, "    " + sanitize_line("; ".join(claim.reasons)), "dim")
    if claim.judgement:
        _line(out, "    " + sanitize_line(judgement_phrase(claim.judgement)), "dim")


def _receipt(value: Answer, out: Console) -> None:
    """Print what did not fit, the model, the number of passages and the seconds."""
    for dropped in value.receipt.dropped:
        _line(out, f"left out: {quote_foreign(dropped)}", "yellow")
    stopped = "stopped, " if value.stopped else ""
    calibrated = " (calibrated)" if value.model.calibrated else ""
    model = f"{quote_foreign(value.model.name)}{calibrated}"
    if value.model.server:
        model += f" ({SENT_TO.format(quote_foreign(value.model.server))})"
    sizes = f"{len(value.passages)} passages, {value.seconds.total:.1f} s"
    _line(out, f"{stopped}{model}, {sizes}", "dim")


def print_error_rates(measured: Callable[[], ErrorRates]) -> None:
    """Print on stderr how often the check errs, or that the rates cannot be read."""
    try:
        rates = measured().says
    except RagError:
        rates = f"its error rates cannot be read; {HINT} footnote doctor"
    _line(make_console(error=True), f"the check: {sanitize_line(rates)}", "dim")


def print_passages(passages: Sequence[Passage]) -> None:
    """Print numbered passages with their ranks in both lists, and the sources of their copies."""
    out = make_console()
    for passage in passages:
        ranks = f"words {passage.ranks.words or '—'}, vectors {passage.ranks.vectors or '—'}"
        if passage.ranks.reranked:
            ranks += f", reranked {passage.ranks.reranked}"
        place = f"{passage_place(passage)}{file_phrase(passage.file)}"
        heading = f"[{passage.number}] {place}  ({ranks}{copies_of(passage)})"
        _line(out, heading, "bold")
        for row in sanitize(spell_marks(passage.chunk.text)).split("\n"):
            _indented(row, "  ", "", out)
        out.print()


def print_listings(listings: Iterable[Listing]) -> None:
    """Print the table of documents."""
    table = make_table("state", "source", "title", "date", "passages")
    states = {"ready": "✓ ready", "failed": "✗ failed"}
    for listing in listings:
        is_outdated = bool(listing.reason) and listing.state == "ready"
        rows = "rows are found by words" if listing.by_words else ""
        table.add_row(
            "≠ old" if is_outdated else states[listing.state],
            *make_cells(
                listing.source,
                listing.reason or " · ".join(filter(None, (listing.title, rows))),
                listing.date or "",
                str(listing.chunks),
            ),
        )
    make_console().print(table)


def print_findings(findings: Iterable[Finding]) -> None:
    """Print the findings of `doctor`, with a hint for each problem."""
    out = make_console()
    for finding in findings:
        sign, style = ("✓", "") if finding.good else ("✗", "red")
        _line(out, f"{sign} {finding.what:<10} {quote_foreign(finding.says)}", style)
        if finding.cure and not finding.good:
            _line(out, f"             {HINT} {quote_foreign(finding.cure)}")


def print_explanation(value: Explanation) -> None:
    """Print where a passage was lost, its ranks, a hint, and the passage itself."""
    out = make_console()
    if value.lost:
        _line(out, f"✗ lost: {value.lost}", "bold red")
    else:
        _line(out, "✓ not lost", "bold green")
    _line(out, f"  {quote_foreign(value.says)}")
    if value.ranks:
        ranks = ", ".join(f"{name} {rank or '—'}" for name, rank in value.ranks.items())
        _line(out, f"  ranks of {value.of:,} passages: {ranks}")
    if value.cure:
        _line(out, f"  {HINT} {quote_foreign(value.cure)}")
    if value.text and value.span:
        place = f"characters {value.span.start} to {value.span.end}"
        _line(out, f"  {quote_foreign(value.source)}, {place}", "dim")
        _line(out, f"  “{quote_foreign(value.text)}”", "dim")


def print_document(value: Document) -> None:
    """Print title, date and text of a document, indented by two columns.

    Masked lines are dim and have a bar in the first column.
    """
    out = make_console()
    date = f"  {quote_foreign(value.date)}" if value.date else ""
    _line(out, quote_foreign(value.title) + date, "bold")
    _line(out, f"{quote_foreign(value.source)}  {value.id}\n", "dim")
    offset, spans = 0, list(value.mask)[::-1]
    for row in sanitize(value.text).split("\n"):
        while spans and spans[-1].end <= offset:
            spans.pop()
        masked = bool(spans) and spans[-1].start < offset + len(row)
        _indented(row, "│ " if masked else "  ", "dim" if masked else "", out)
        offset += len(row) + 1


def _indented(row: str, margin: str, style: str, out: Console) -> None:
    """Print a line after its margin; on a terminal each part of a line that is too wide."""
    from rich.cells import chop_cells

    parts = [row]
    if out.is_terminal:
        parts = chop_cells(row.expandtabs(), max(8, out.width - len(margin)))
    for part in parts or [""]:
        _line(out, margin + part, style)


def make_table(*headings: str) -> Table:
    """Return an empty table. Columns of numbers are aligned to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        is_number = heading in ("passages", "size")
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    return table


def make_cells(*texts: str) -> list[Text]:
    """Return the cells of a row, made safe."""
    from rich.text import Text

    return [Text(quote_foreign(text)) for text in texts]
