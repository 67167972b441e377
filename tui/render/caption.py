"""Texts around a source: its heading, the check of the sentence, the list of all sources.

There are three shapes: "side" next to the conversation, "drawer" below it, and "full" in its place
(or next to a conversation of few rows). Widths are in cells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.content import Content

from rag.domain import Claim, Passage, Ranks, Verdict
from rag.phrases import FILE_PHRASES, VERDICT_PHRASES, judgement_phrase
from rag.text.foreign_marks import quote_foreign
from rag.text.sanitize import sanitize_line
from tui.render.answer_text import (
    Part,
    assemble,
    clickable,
    counted,
    gravest_verdict,
    lines_of,
    percents,
    quoted,
    source_name,
)
from tui.render.excerpt import Excerpt, count_replaced
from tui.render.glyphs import VERDICT_STYLES, Glyphs
from tui.render.indent import hang
from tui.state.cursor import AnswerCursor

if TYPE_CHECKING:
    from rag.protocols import ErrorRates

#: How many sources the list shows.
MAX_LISTED = 12
#: How many reasons of a verdict are shown next to the conversation.
MAX_REASONS = 4
#: How many rows of a sentence and of its quotation are shown there.
MAX_ROWS = 2
#: The narrowest title of a source.
MIN_TITLE_CELLS = 8
#: The label in front of a sentence, and that in front of its source.
SENTENCE_LABEL, SOURCE_LABEL = "says    ", "source  "


def head(
    cursor: AnswerCursor, excerpt: Excerpt | None, glyphs: Glyphs, shape: str, width: int
) -> Content:
    """Return number, place and title of the source, and warnings about its text."""
    passage = cursor.passage
    if passage is None or excerpt is None:
        return assemble([("SOURCE", "bold")])
    label = f"SOURCE {passage.number} of {len(cursor.passages)}"
    place = glyphs.say(lines_of(passage))
    title = quote_foreign(source_name(passage))
    notes = _notes(passage, excerpt)
    if shape == "drawer":
        dot = glyphs.say(" · ")
        warning = [(dot + "!", "bold $text-warning")] if notes else []
        left = width - len(label) - len(place) - 2 * len(dot) - 4 * len(warning)
        title = glyphs.cut(title, max(MIN_TITLE_CELLS, left))
        return assemble(
            [(label, "bold"), (dot + title + dot, ""), (place, "$text-muted"), *warning]
        )
    parts = [
        *_ends(label, "bold", place, "$text-muted", width),
        ("\n" + glyphs.cut(title, width), "bold"),
    ]
    chunk = passage.chunk
    if shape == "side" and chunk.title.strip() and chunk.source != chunk.title:
        parts.append(("\n" + glyphs.cut(quote_foreign(chunk.source), width), "$text-muted"))
    if chunk.heading:
        parts.append(("\n" + glyphs.cut(quote_foreign(chunk.heading), width), ""))
    if shape == "side":
        parts.append(("\n" + glyphs.cut(glyphs.say(_ranks(passage.ranks)), width), "$text-muted"))
    parts += [(f"\n{glyphs.say(note)}", "$text-warning") for note in notes]
    return assemble(parts)


def claim(
    cursor: AnswerCursor,
    glyphs: Glyphs,
    shape: str,
    width: int,
    pending: bool,
    rates: ErrorRates | None = None,
) -> Content:
    """Return the check of the sentence: verdict, score, sentence and source, reasons, error rates.

    `pending` is set while verdicts are still to come. `rates` are the error rates of the check, if
    they are known.
    """
    checked = cursor.claim
    if checked is None or cursor.at is None:
        return assemble([(f"{glyphs.waiting} not checked yet", "$text-muted")] if pending else [])
    style = VERDICT_STYLES[checked.verdict]
    sign, phrase = glyphs.of(checked.verdict), VERDICT_PHRASES[checked.verdict]
    verdict = f"{sign} {phrase} {checked.score:.2f}".strip()
    place = _place_among(cursor.claims, cursor.at)
    # reasons are our own words; foreign words in them are quoted where they are made
    own = [judgement_phrase(checked.judgement)] if checked.judgement else []
    reasons = "; ".join(map(sanitize_line, [*own, *checked.reasons]))
    if shape == "drawer":
        applies = rates is not None and checked.sentence.quote is None
        errors = f"errs {' / '.join(percents(rates))}" if rates and applies else ""
        details = [glyphs.say(" · ") + part for part in (place, errors, reasons) if part]
        tail = glyphs.cut("".join(details), width - cell_len(verdict))
        return assemble([(verdict, style), (tail, "$text-muted")])
    parts = list(_ends(place.upper(), "bold", verdict, style, width))
    if shape == "full":
        sentence = glyphs.cut(quote_foreign(checked.sentence.text), width - len(SENTENCE_LABEL))
        parts.append((f"\n{SENTENCE_LABEL}{sentence}", ""))
        parts += [("\n" + glyphs.cut(reasons, width), "$text-muted")] if reasons else []
    else:
        parts += _compared(checked, cursor, glyphs, width)
    return assemble([*parts, *_error_rates(rates, width)])


def _place_among(claims: Sequence[Claim], at: int) -> str:
    """Return which sentence of those with a source it is; a remark of ours is none of them."""
    sourced = [n for n, claim in enumerate(claims) if claim.verdict is not Verdict.NEEDS_NONE]
    return f"sentence {sourced.index(at) + 1} of {len(sourced)}" if at in sourced else "remark"


def listing(cursor: AnswerCursor, glyphs: Glyphs, shape: str, width: int, pending: bool) -> Content:
    """Return all sources, each with the gravest verdict of the sentences that cite it.

    A click on one gives its number as `source`. In a drawer the list is empty.
    """
    if shape == "drawer":
        return assemble([])
    rows = []
    for passage in cursor.passages[:MAX_LISTED]:
        is_current = passage.number == cursor.number
        style = "bold" if is_current else ""
        verdict = gravest_verdict(passage.number, cursor.claims)
        sign = glyphs.of(verdict) if verdict else (glyphs.waiting if pending else " ")
        sign_style = VERDICT_STYLES[verdict] if verdict else ""
        number = f"{glyphs.here if is_current else ' '}{passage.number}"
        if shape == "full":
            row = assemble([(f"{number} ", style), (f"{sign}  ", sign_style)])
            rows.append(clickable(row, source=passage.number))
            continue
        place = glyphs.say(lines_of(passage))
        left = width - len(number) - cell_len(place)
        title = glyphs.cut(quote_foreign(source_name(passage)), max(MIN_TITLE_CELLS, left - 5))
        gap = " " * max(1, left - 3 - cell_len(title))
        row = assemble(
            [
                (f"{number} ", style),
                (sign, sign_style),
                (f" {title}{gap}", style),
                (place, "$text-muted"),
            ]
        )
        rows.append(clickable(row, source=passage.number))
    return Content("" if shape == "full" else "\n").join(rows)


def missing(cursor: AnswerCursor) -> str:
    """Return why there is no passage to show."""
    number = cursor.number
    if number is not None:
        return f"There is no source {number}: the answer names one that the model was not given."
    if cursor.claim is None:
        return ""
    if cursor.claim.verdict is Verdict.NEEDS_NONE:
        return "This sentence needs no source."
    if cursor.claim.verdict is Verdict.LISTED:
        return "This sentence is from the library's own list and cites no passage."
    return "This sentence names no source."


def _ends(left: str, left_style: str, right: str, right_style: str, width: int) -> Iterable[Part]:
    """Return two texts at the two ends of a line."""
    gap = " " * max(1, width - cell_len(left) - cell_len(right))
    return (left, left_style), (gap, ""), (right, right_style)


def _compared(checked: Claim, cursor: AnswerCursor, glyphs: Glyphs, width: int) -> Iterator[Part]:
    """Yield the sentence, the words of the source, and the reasons, one below the other."""
    more = glyphs.say("…")
    sentence = quote_foreign(checked.sentence.text)
    yield "\n" + hang(SENTENCE_LABEL, sentence, width, MAX_ROWS, more), ""
    quotation = glyphs.say(quoted(cursor.evidence))
    if quotation:
        yield "\n" + hang(SOURCE_LABEL, quotation, width, MAX_ROWS, more), ""
    elif cursor.passage is not None:
        nothing = "none of its words support the sentence"
        yield "\n" + hang(SOURCE_LABEL, nothing, width, MAX_ROWS, more), "$text-muted"
    indent = " " * len(SOURCE_LABEL)
    for reason in checked.reasons[:MAX_REASONS]:
        words = glyphs.cut(sanitize_line(reason), width - len(indent))
        yield f"\n{indent}{words}", "$text-muted"


def _error_rates(rates: ErrorRates | None, width: int) -> Iterator[Part]:
    """Yield the two error rates of the check, with their limits if there is space for them."""
    if rates is not None:
        passed, doubted = percents(rates)
        short = f"check errs: {passed} pass, {doubted} doubted"
        complete = f"{short} (not quotations)"
        yield "\n" + (complete if cell_len(complete) <= width else short), "$text-muted"


def _notes(passage: Passage, excerpt: Excerpt) -> list[str]:
    """Return warnings: a changed file, replaced characters, boilerplate, copies."""
    chunk = passage.chunk
    replaced = excerpt.replaced + sum(
        count_replaced(text) for text in (chunk.title, chunk.source, chunk.heading)
    )
    notes = [f"! {FILE_PHRASES[passage.file]}"] if passage.file in FILE_PHRASES else []
    if replaced:
        characters = counted(replaced, "character")
        notes.append(f"! {characters} replaced: a terminal would obey or hide them")
    if excerpt.masked:
        notes.append("! dimmed: menus and repeated lines, never quoted")
    if passage.copies:
        notes.append(f"! the same text is also in {counted(len(passage.copies), 'other place')}")
    return notes


def _ranks(ranks: Ranks) -> str:
    """Return the places of a passage in the lists of the search, in words."""
    place = ranks.reranked or ranks.fused
    lists = (("words", ranks.words), ("meaning", ranks.vectors))
    found = ", ".join(f"{_ordinal(rank)} by {name}" for name, rank in lists if rank is not None)
    parts = [f"{_ordinal(place)} match" if place else "", found]
    return ": ".join(part for part in parts if part)


def _ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th ..."""
    if number % 100 in (11, 12, 13):
        return f"{number:,}th"
    return f"{number:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"
