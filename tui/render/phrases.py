"""What the screen says about an answer, in words. Pure: values in, styled literal text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content

from rag.domain import Answer, Claim, ErrorRates, Evidence, Passage, Reason, Verdict
from rag.text.foreign_marks import quote_foreign
from tui.render.glyphs import VERDICT_STYLES, VERDICT_WORDS, Glyphs

ORDER = (
    Verdict.SUPPORTED,
    Verdict.PARTLY,
    Verdict.UNSUPPORTED,
    Verdict.CONTRADICTED,
    Verdict.UNCITED,
    Verdict.DANGLING,
)

WHY: dict[Reason | None, str] = {
    Reason.EMPTY_LIBRARY: "there is nothing to look in yet.",
    Reason.NOTHING_FOUND: "no passage of the library comes near the question.",
    Reason.NOT_ANSWERED: "the library does not say.",
    Reason.UNSUPPORTED: "what could be written is not supported by the passages.",
    Reason.TOO_LONG: "the question does not fit into the model's context.",
    None: "the library does not say.",
}


def assemble(parts: Iterable[tuple[str, str]]) -> Content:
    """Literal pieces, each with its style."""
    return Content.assemble(*((text, style) for text, style in parts if text))


def counted(number: int, one: str, more: str | None = None) -> str:
    """ "1 source", "1,204 sources"."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def seconds(value: float) -> str:
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def lines_of(passage: Passage) -> str:
    """Where a passage stands in its document."""
    chunk = passage.chunk
    last = chunk.line + chunk.text.rstrip("\n").count("\n")
    where = f"line {chunk.line}" if last == chunk.line else f"lines {chunk.line}–{last}"
    return where if chunk.page is None else f"page {chunk.page}, {where}"


def tally(claims: tuple[Claim, ...], glyphs: Glyphs, room: int = 10_000) -> Content:
    """The verdicts counted and named, in lines of at most `room` cells."""
    counts = Counter(claim.verdict for claim in claims)
    need = len(claims) - counts[Verdict.NEEDS_NONE]
    good = counts[Verdict.SUPPORTED]
    if need and good == need:
        words = "the sentence is supported" if need == 1 else f"all {need} sentences supported"
        return assemble([(f"{glyphs.supported} {words}", VERDICT_STYLES[Verdict.SUPPORTED])])
    parts: list[tuple[str, str]] = []
    if need and not good and not counts[Verdict.PARTLY]:
        bad = "no sentence is supported: do not rely on this"
        parts.append((f"{glyphs.wrong} {bad}\n", VERDICT_STYLES[Verdict.UNSUPPORTED]))
    used = 0
    for verdict in (v for v in ORDER if counts[v]):
        words = f"{glyphs.of(verdict)} {counts[verdict]} {VERDICT_WORDS[verdict]}"
        gap = "" if not used else "  " if used + 2 + len(words) <= room else "\n"
        used = len(words) if gap == "\n" else used + len(gap) + len(words)
        parts += [(gap, ""), (words, VERDICT_STYLES[verdict])]
    return assemble(parts)


def total(answer: Answer, glyphs: Glyphs, elapsed: float, room: int = 10_000) -> Content:
    """The line under a finished answer: every verdict by sign and word, then sizes and time."""
    took = answer.seconds.total or elapsed
    cited = {e.number for c in answer.claims for e in c.evidence} | {
        c.number for claim in answer.claims for c in claim.sentence.citations
    }
    used = [p for p in answer.passages if p.number in cited]
    sizes = [counted(len(answer.claims), "sentence"), counted(len(used), "source"), seconds(took)]
    if answer.abstained:
        return assemble(
            [
                (
                    glyphs.say(
                        f"{glyphs.abstained} abstained · {counted(len(answer.passages), 'passage')} · {seconds(took)}"
                    ),
                    "$text-muted",
                )
            ]
        )
    if not answer.claims:
        parts = [(f"{glyphs.dangling} not checked: no sentence was whole", "$text-warning")]
        return (
            assemble([*_stopped(answer, glyphs, took), *parts])
            if answer.text
            else assemble(_stopped(answer, glyphs, took))
        )
    tail = assemble(
        [
            (glyphs.say("\n" + " · ".join(sizes)), "$text-muted"),
            (glyphs.say(" · v see the check"), "$text-muted"),
        ]
    )
    return assemble(_stopped(answer, glyphs, took)) + tally(answer.claims, glyphs, room) + tail


def _stopped(answer: Answer, glyphs: Glyphs, took: float) -> list[tuple[str, str]]:
    if not answer.stopped:
        return []
    kept = (
        f"{counted(len(answer.claims), 'sentence')} kept, checked"
        if answer.claims
        else "nothing was checked"
    )
    return [
        (glyphs.say(f"{glyphs.stopped} stopped by you after {seconds(took)} · {kept}\n"), "bold")
    ]


def looked_up(asked: str) -> Content:
    """What was looked up, where it is not the question as it stands."""
    return (
        assemble([(f"looked up: {quote_foreign(asked)}", "$text-muted")]) if asked else Content("")
    )


def notes(answer: Answer, glyphs: Glyphs) -> Content:
    """What must not be passed over: sources that differ, markers that name no source, and passages that did not fit."""
    known = sorted(p.number for p in answer.passages)
    bad = sorted(
        {c.number for claim in answer.claims for c in claim.sentence.citations} - set(known)
    )
    out: list[tuple[str, str]] = []
    if answer.differ:
        cited = list(
            dict.fromkeys(c.number for claim in answer.claims for c in claim.sentence.citations)
        )
        sides = f": see [{cited[0]}] and [{cited[1]}]" if len(cited) > 1 else ""
        out.append((glyphs.say(f"≠ the sources differ{sides}\n"), "bold $text-warning"))
    if bad:
        named = ", ".join(f"[{n}]" for n in bad)
        given = (
            f"only [{known[0]}]–[{known[-1]}] were given"
            if len(known) > 1
            else f"only {len(known)} was given"
        )
        out.append(
            (glyphs.say(f"! the answer cites {named}, but {given} to the model\n"), "$text-error")
        )
    for dropped in answer.receipt.dropped:
        out.append((f"! left out, for lack of room: {quote_foreign(dropped)}\n", "$text-warning"))
    out += left_out(answer, glyphs)
    return assemble([*out[:-1], (out[-1][0].rstrip("\n"), out[-1][1])]) if out else Content("")


def left_out(answer: Answer, glyphs: Glyphs) -> list[tuple[str, str]]:
    """Masked lines that would answer, a line each."""
    out = []
    for each in answer.left_out:
        said = f"{glyphs.say('“')}{quote_foreign(each.text)}{glyphs.say('”')} {quote_foreign(each.source)}, line {each.line}"
        out.append((f"! a repeated line was left out: {said}\n", "bold $text-warning"))
    return out


def abstention(answer: Answer, glyphs: Glyphs, width: int) -> Content:
    """A refusal: a result like any other, with the passages that came nearest, and what of the answer may be masked."""
    parts = [(glyphs.say(f"{glyphs.abstained} NOT ANSWERED — {WHY[answer.reason]}\n"), "bold")]
    parts += left_out(answer, glyphs)
    if answer.reason is Reason.EMPTY_LIBRARY:
        parts.append(("  Add a folder or a file:  footnote add FOLDER", ""))
        return assemble(parts)
    if not answer.passages:
        parts.append(("  Ask in other words, or add a document:  footnote add FOLDER", ""))
        return assemble(parts)
    if answer.missing:
        parts.append((f"  Missing: {quote_foreign(answer.missing)}.\n", ""))
    parts.append((f"  {counted(len(answer.passages), 'passage')} read. Nearest:", ""))
    near = answer.passages[:5]
    titles = [glyphs.cut(quote_foreign(source_name(p)), 28) for p in near]
    places = [glyphs.say(lines_of(p)) for p in near]
    widest, longest = max(map(cell_len, titles)), max(map(cell_len, places))
    for passage, title, place in zip(near, titles, places, strict=True):
        title += " " * (widest - cell_len(title))
        head = f"\n    {passage.number}  {title}  {place:<{longest}}  "
        room = width - cell_len(head)
        parts.append((head, ""))
        if room >= 16:
            parts.append(
                ('"' + glyphs.cut(quote_foreign(passage.chunk.text), room - 3) + '"', "$text-muted")
            )
    return assemble(parts)


def source_name(passage: Passage) -> str:
    """What a person calls the source: its title, or the last part of its path."""
    chunk = passage.chunk
    return chunk.title.strip() or chunk.source.rstrip("/").rsplit("/", 1)[-1] or chunk.source


def gravest_verdict(number: int, claims: tuple[Claim, ...]) -> Verdict | None:
    """The gravest verdict of the sentences that cite source `number`; None where none does."""
    grave = (Verdict.CONTRADICTED, Verdict.UNSUPPORTED, Verdict.PARTLY, Verdict.SUPPORTED)
    found = {
        c.verdict for c in claims if any(cited.number == number for cited in c.sentence.citations)
    }
    return next((v for v in grave if v in found), None)


def percents(rates: ErrorRates) -> tuple[str, str]:
    """How much that is unsupported passes the check, and how much that is supported it doubts."""

    def percent(value: float) -> str:
        return f"{100 * value:.{int(0 < value < 0.01)}f} %"

    return percent(rates.misses[0]), percent(rates.false_alarms[0])


def error_rates(rates: ErrorRates | None) -> str:
    """How often the check is wrong, each rate with its 95 % interval, and what is not subject to it."""
    if rates is None:
        return "How often the check errs is not known here; footnote doctor says why."
    passed, doubted = percents(rates)
    around, spread = (
        f"{100 * r[1]:.0f}–{100 * r[2]:.0f}" for r in (rates.misses, rates.false_alarms)
    )
    return (
        f"The check lets {passed} ({around}) of unsupported claims pass and doubts {doubted} ({spread}) of supported ones, "
        f"measured on {rates.claims:,}. Quotations are compared letter by letter; these rates do not apply to them."
    )


def quoted(evidence: Iterable[Evidence]) -> str:
    """The evidence as one line of quotations."""
    return " … ".join(f"“{quote_foreign(e.text)}”" for e in evidence)
