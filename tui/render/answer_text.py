"""Texts about an answer: its verdicts, its notes, why there is none. Values in, styled text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content
from textual.style import Style

from rag.domain import Answer, Claim, Evidence, Passage, Reason, Verdict
from rag.errors import RagError
from rag.phrases import (
    ADD_COMMAND,
    HINT,
    LINE_LEFT_OUT,
    NOT_ANSWERED,
    RELATED,
    RELATED_SIGN,
    SENT_TO,
    SOURCES_DIFFER,
    VERDICT_PHRASES,
    WITHHELD,
    abstention_phrase,
    failure_phrase,
    file_notes,
    judgement_phrase,
    looked_in,
    withheld_reason,
)
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line
from rag.text.units import sheet_rows
from tui.render.glyphs import RELATED_STYLE, VERDICT_STYLES, Glyphs

if TYPE_CHECKING:
    from rag.protocols import ErrorRates

#: The order in which verdicts are counted. A sentence that needs no source is not counted.
VERDICT_ORDER = (
    Verdict.SUPPORTED,
    Verdict.COMPUTED,
    Verdict.LISTED,
    Verdict.PARTLY,
    Verdict.UNSUPPORTED,
    Verdict.CONTRADICTED,
    Verdict.UNCITED,
    Verdict.DANGLING,
)
#: The default width: in practice no limit.
UNLIMITED_CELLS = 10_000
#: How many of the nearest passages an abstention lists.
MAX_NEAREST = 5

#: A piece of text and its style.
Part = tuple[str, str]


def assemble(parts: Iterable[Part]) -> Content:
    """Join literal pieces, each with its style. Markup in them is not parsed."""
    return Content.assemble(*((text, style) for text, style in parts if text))


def clickable(content: Content, **meta: object) -> Content:
    """Return `content` with `meta`, which a click on it gives to the widget."""
    return content.stylize(Style.from_meta(meta))


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun: "1 source", "1,204 sources"."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def seconds(value: float) -> str:
    """Return a duration in words, with one decimal below 10 seconds."""
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def lines_of(passage: Passage) -> str:
    """Return the place of a passage in its document: its page, if it has one, and its lines.

    In a workbook it is its sheet and its rows.
    """
    chunk = passage.chunk
    sheet, first, last_row = sheet_rows(chunk)
    if first:
        rows = f"row {first}" if first == last_row else f"rows {first}–{last_row}"
        return f"sheet {quote_foreign(sheet)}, {rows}"
    last = chunk.line + chunk.text.rstrip("\n").count("\n")
    lines = f"line {chunk.line}" if last == chunk.line else f"lines {chunk.line}–{last}"
    return lines if chunk.page is None else f"page {chunk.page}, {lines}"


def tally(claims: tuple[Claim, ...], glyphs: Glyphs, max_cells: int = UNLIMITED_CELLS) -> Content:
    """Return the verdicts, counted and named, in lines of at most `max_cells` cells."""
    counts = Counter(claim.verdict for claim in claims)
    judged = len(claims) - counts[Verdict.NEEDS_NONE]
    supported = counts[Verdict.SUPPORTED]
    held = supported + counts[Verdict.COMPUTED] + counts[Verdict.LISTED]
    if judged and supported == judged:
        words = "the sentence is supported" if judged == 1 else f"all {judged} sentences supported"
        return assemble([(f"{glyphs.supported} {words}", VERDICT_STYLES[Verdict.SUPPORTED])])
    parts: list[Part] = []
    if judged and not held and not counts[Verdict.PARTLY]:
        warning = "no sentence is supported: do not rely on this"
        parts.append((f"{glyphs.wrong} {warning}\n", VERDICT_STYLES[Verdict.UNSUPPORTED]))
    used = 0
    for verdict in (v for v in VERDICT_ORDER if counts[v]):
        words = f"{glyphs.of(verdict)} {counts[verdict]} {VERDICT_PHRASES[verdict]}"
        gap = "" if not used else "  " if used + 2 + len(words) <= max_cells else "\n"
        used = len(words) if gap == "\n" else used + len(gap) + len(words)
        parts += [(gap, ""), (words, VERDICT_STYLES[verdict])]
    return assemble(parts)


def total(
    answer: Answer, glyphs: Glyphs, elapsed: float, max_cells: int = UNLIMITED_CELLS
) -> Content:
    """Return the lines under a finished answer: every verdict by sign and word, sizes, time.

    `elapsed` is used if the answer carries no time of its own.
    """
    duration = seconds(answer.seconds.total or elapsed)
    if answer.abstained:
        size = counted(len(answer.passages), "passage")
        words = glyphs.say(f"{glyphs.abstained} abstained · {size} · {duration}")
        why = clickable(assemble([(glyphs.say(" · v see why"), "$text-muted")]), command="check")
        return assemble([(words, "$text-muted")]) + (why if answer.passages else Content(""))
    stopped = _stopped(answer, glyphs, duration)
    if not answer.claims:
        unchecked = [(f"{glyphs.dangling} not checked: no sentence was whole", "$text-warning")]
        return assemble([*stopped, *(unchecked if answer.text else [])])
    judged = sum(claim.verdict is not Verdict.NEEDS_NONE for claim in answer.claims)
    sizes = [counted(judged, "sentence"), counted(_count_used_sources(answer), "source"), duration]
    if answer.model.server:
        sizes.append(SENT_TO.format(quote_foreign(answer.model.server)))
    tail = assemble([(glyphs.say("\n" + " · ".join(sizes) + " · "), "$text-muted")])
    check = assemble([("v see the check", "$text-muted")])
    return (
        assemble(stopped)
        + tally(answer.claims, glyphs, max_cells)
        + tail
        + clickable(check, command="check")
    )


def _count_used_sources(answer: Answer) -> int:
    """Return how many passages the sentences cite or rest on."""
    numbers = {e.number for claim in answer.claims for e in claim.evidence}
    numbers.update(_cited_numbers(answer))
    return sum(passage.number in numbers for passage in answer.passages)


def _cited_numbers(answer: Answer) -> list[int]:
    """Return the numbers that the markers of the answer name, in their order."""
    return list(
        dict.fromkeys(c.number for claim in answer.claims for c in claim.sentence.citations)
    )


def _stopped(answer: Answer, glyphs: Glyphs, duration: str) -> list[Part]:
    """Return the line of an answer that the user stopped; an empty list for any other."""
    if not answer.stopped:
        return []
    kept = (
        f"{counted(len(answer.claims), 'sentence')} kept, checked"
        if answer.claims
        else "nothing was checked"
    )
    words = f"{glyphs.stopped} stopped by you after {duration} · {kept}\n"
    return [(glyphs.say(words), "bold")]


def looked_up(question: str, within: Sequence[str] = (), notices: Sequence[str] = ()) -> Content:
    """Return how and in which documents a question was looked up; empty if as it is, in all.

    `notices` are what the engine has noted about it.
    """
    words = [f"! {quote_foreign(notice)}" for notice in notices]
    words += [f"looked up: {quote_foreign(question)}"] if question else []
    words += [quote_foreign(looked_in(within))] if within else []
    return assemble([("\n".join(words), "$text-muted")])


def notes(answer: Answer, glyphs: Glyphs) -> Content:
    """Return the warnings about an answer.

    They name sources that differ, markers without a source, passages that did not fit, a chat
    model that failed, masked lines that would answer, sentences that are only related, sentences
    that the check did not let pass, and cited files that changed or are gone.
    """
    cited = _cited_numbers(answer)
    parts: list[Part] = []
    if answer.differ:
        sides = f": see [{cited[0]}] and [{cited[1]}]" if len(cited) > 1 else ""
        parts.append((glyphs.say(f"≠ {SOURCES_DIFFER}{sides}\n"), "bold $text-warning"))
    known = sorted(p.number for p in answer.passages)
    unknown = sorted(set(cited) - set(known))
    if unknown:
        names = ", ".join(f"[{number}]" for number in unknown)
        given = (
            f"only [{known[0]}]–[{known[-1]}] were given"
            if len(known) > 1
            else f"only {len(known)} was given"
        )
        words = f"! the answer cites {names}, but {given} to the model\n"
        parts.append((glyphs.say(words), "$text-error"))
    for dropped in answer.receipt.dropped:
        parts.append((f"! left out, for lack of room: {quote_foreign(dropped)}\n", "$text-warning"))
    parts += [*_model_failed(answer, glyphs), *left_out(answer, glyphs), *related(answer, glyphs)]
    parts += [*_withheld(answer, glyphs), *_file_notes(answer, glyphs)]
    if not parts:
        return Content("")
    last_text, last_style = parts[-1]
    return assemble([*parts[:-1], (last_text.rstrip("\n"), last_style)])


def _model_failed(answer: Answer, glyphs: Glyphs) -> list[Part]:
    """Return what happened to the chat model, and what to do next."""
    if not (failure := answer.model_failed):
        return []
    parts = [(glyphs.say(f"! {quote_foreign(failure_phrase(failure))}\n"), "bold $text-warning")]
    if failure.cure:
        parts.append((glyphs.say(f"  {HINT} {quote_foreign(failure.cure)}\n"), "$text-muted"))
    return parts


def left_out(answer: Answer, glyphs: Glyphs) -> list[Part]:
    """Return one line for each masked line that would answer the question."""
    parts = []
    for evidence in answer.left_out:
        quotation = f"{glyphs.say('“')}{quote_foreign(evidence.text)}{glyphs.say('”')}"
        place = f"{quote_foreign(evidence.source)}, line {evidence.line}"
        parts.append((f"! {LINE_LEFT_OUT}: {quotation} {place}\n", "bold $text-warning"))
    return parts


def _file_notes(answer: Answer, glyphs: Glyphs) -> list[Part]:
    """Return one line for each cited file that has changed or is gone, and the key that helps."""
    return [
        (glyphs.say(f"! {phrase}: {quote_foreign(source)} · R reads it again\n"), "$text-warning")
        for source, phrase in file_notes(answer)
    ]


def related(answer: Answer, glyphs: Glyphs) -> list[Part]:
    """Return two lines for each sentence that is near the question and not surely an answer."""
    parts = list[Part]()
    for claim in answer.related:
        sentence = quote_foreign(claim.sentence.text)
        numbers = ", ".join(str(citation.number) for citation in claim.sentence.citations)
        words = f"{RELATED_SIGN} {RELATED}, passage {numbers}: "
        parts.append((glyphs.say(words), RELATED_STYLE))
        parts.append((f"{sentence}\n", ""))
        if claim.judgement:
            phrase = sanitize_line(judgement_phrase(claim.judgement))
            parts.append((glyphs.say(f"    {phrase}\n"), "$text-muted"))
    return parts


def _withheld(answer: Answer, glyphs: Glyphs) -> list[Part]:
    """Return one line for each withheld sentence, and what the nearest source says."""
    parts = []
    for claim in answer.withheld:
        sentence = glyphs.say("“") + quote_foreign(claim.sentence.text) + glyphs.say("”")
        words = f"! {WITHHELD}: {sentence} {quote_foreign(withheld_reason(claim))}"
        for evidence in claim.evidence[:1]:
            says = glyphs.say("“") + quote_foreign(evidence.text) + glyphs.say("”")
            words += f"; {quote_foreign(evidence.source)} says {says}"
        parts.append((f"{words}\n", "$text-warning"))
    return parts


def abstention(answer: Answer, glyphs: Glyphs, width: int) -> Content:
    """Return why there is no answer, the masked lines that would answer, the nearest passages."""
    heading = (
        f"{glyphs.abstained} {NOT_ANSWERED} — {abstention_phrase(answer.reason, answer.within)}\n"
    )
    parts = [(glyphs.say(heading), "bold"), *left_out(answer, glyphs), *_file_notes(answer, glyphs)]
    if answer.reason is Reason.EMPTY_LIBRARY:
        return assemble([*parts, (f"  Add a folder or a file:  {ADD_COMMAND}", "")])
    if not answer.passages:
        return assemble([*parts, (f"  Ask in other words, or add a document:  {ADD_COMMAND}", "")])
    if answer.missing:
        parts.append((f"  Missing: {quote_foreign(answer.missing)}.\n", ""))
    parts += related(answer, glyphs)
    parts.append((f"  {counted(len(answer.passages), 'passage')} read. Nearest:", ""))
    return assemble([*parts, *_nearest(answer.passages[:MAX_NEAREST], glyphs, width)])


def _nearest(passages: tuple[Passage, ...], glyphs: Glyphs, width: int) -> Iterable[Part]:
    """Yield a row for each passage: number, title, lines, and its first words if they fit."""
    titles = [glyphs.cut(quote_foreign(source_name(p)), 28) for p in passages]
    places = [glyphs.say(lines_of(p)) for p in passages]
    title_cells, place_cells = max(map(cell_len, titles)), max(map(cell_len, places))
    for passage, title, place in zip(passages, titles, places, strict=True):
        padding = " " * (title_cells - cell_len(title))
        head = f"\n    {passage.number}  {title}{padding}  {place:<{place_cells}}  "
        yield head, ""
        left = width - cell_len(head)
        if left >= 16:
            words = glyphs.cut(quote_foreign(passage.chunk.text), left - 3)
            yield f'"{words}"', "$text-muted"


def failure(error: RagError, glyphs: Glyphs) -> Content:
    """Return why a question failed, the hint, and the keys that try again."""
    hint = f"{HINT.capitalize()} {quote_foreign(error.cure)}\n" if error.cure else ""
    return assemble(
        [
            (glyphs.say(f"{glyphs.wrong} {NOT_ANSWERED} — "), "bold $text-error"),
            (quote_foreign(str(error)) or type(error).__name__, ""),
            ("\n", ""),
            (hint, "bold"),
            ("Your question is kept.\n", ""),
            ("      ", ""),
        ]
    ) + Content("    ").join(
        [
            clickable(Content("r  ask again"), command="again"),
            clickable(Content("e  edit the question"), command="edit"),
        ]
    )


def source_name(passage: Passage) -> str:
    """Return a short name of the source: its title, or the last part of its path."""
    chunk = passage.chunk
    return chunk.title.strip() or chunk.source.rstrip("/").rsplit("/", 1)[-1] or chunk.source


def gravest_verdict(number: int, claims: tuple[Claim, ...]) -> Verdict | None:
    """Return the gravest verdict of the sentences that cite source `number`; None without one."""
    order = (
        Verdict.CONTRADICTED,
        Verdict.UNSUPPORTED,
        Verdict.PARTLY,
        Verdict.SUPPORTED,
        Verdict.COMPUTED,
    )
    verdicts = {
        claim.verdict
        for claim in claims
        if any(c.number == number for c in claim.sentence.citations)
    }
    return next((verdict for verdict in order if verdict in verdicts), None)


def percents(rates: ErrorRates) -> tuple[str, str]:
    """Return two error rates of the check in percent.

    The first is the share of unsupported claims that it lets pass, the second the share of
    supported claims that it doubts.
    """

    def percent(value: float) -> str:
        return f"{100 * value:.{int(0 < value < 0.01)}f} %"

    return percent(rates.misses[0]), percent(rates.false_alarms[0])


def error_rates(rates: ErrorRates | None) -> str:
    """Return how often the check is wrong, each rate with its 95 % interval."""
    if rates is None:
        return "The error rates of the check are not known here; footnote doctor says why."
    passed, doubted = percents(rates)
    passed_interval, doubted_interval = (
        f"{100 * rate[1]:.0f}–{100 * rate[2]:.0f}" for rate in (rates.misses, rates.false_alarms)
    )
    return (
        f"The check lets {passed} ({passed_interval}) of unsupported claims pass and doubts "
        f"{doubted} ({doubted_interval}) of supported ones, measured on {rates.claims:,}. "
        "Quotations are compared letter by letter; these rates do not apply to them."
    )


def quoted(evidence: Iterable[Evidence]) -> str:
    """Return the evidence as one line of quotations."""
    return " … ".join(f"“{quote_foreign(e.text)}”" for e in evidence)
