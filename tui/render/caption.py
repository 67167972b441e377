"""The words around a source: what it is, what the check says of the sentence, and the list of all sources. Pure.

Three shapes, by the room there is: "side" beside the conversation, "drawer" below it, "full" in its place
(and beside a conversation of few rows).
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content

from rag.domain import Claim, ErrorRates, Passage, Ranks, Verdict
from rag.phrases import VERDICT_PHRASES
from rag.text.sanitize import quote_foreign, sanitize_line
from tui.render.answer_text import (
    assemble,
    counted,
    gravest_verdict,
    lines_of,
    percents,
    quoted,
    source_name,
)
from tui.render.excerpt import Excerpt, count_replaced
from tui.render.glyphs import VERDICT_STYLES, Glyphs
from tui.state.cursor import AnswerCursor

Part = tuple[str, str]


def head(
    cursor: AnswerCursor, piece: Excerpt | None, glyphs: Glyphs, shape: str, room: int
) -> Content:
    """Which source, where, and what is to be known of it."""
    passage = cursor.passage
    if passage is None or piece is None:
        return assemble([("SOURCE", "bold")])
    label, where = (
        f"SOURCE {passage.number} of {len(cursor.passages)}",
        glyphs.say(lines_of(passage)),
    )
    title = quote_foreign(source_name(passage))
    if shape == "drawer":
        dot = glyphs.say(" · ")
        warned = [(dot + "!", "bold $text-warning")] if _notes(passage, piece) else []
        shown = glyphs.cut(title, max(8, room - len(label) - len(where) - 6 - 4 * len(warned)))
        return assemble([(label, "bold"), (dot + shown + dot, ""), (where, "$text-muted"), *warned])
    parts = [
        *_ends(label, "bold", where, "$text-muted", room),
        ("\n" + glyphs.cut(title, room), "bold"),
    ]
    if (
        shape == "side"
        and passage.chunk.title.strip()
        and passage.chunk.source != passage.chunk.title
    ):
        parts.append(("\n" + glyphs.cut(quote_foreign(passage.chunk.source), room), "$text-muted"))
    if passage.chunk.heading:
        parts.append(("\n" + glyphs.cut(quote_foreign(passage.chunk.heading), room), ""))
    if shape == "side":
        parts.append(("\n" + glyphs.cut(glyphs.say(_ranks(passage.ranks)), room), "$text-muted"))
    return assemble(
        [*parts, *((f"\n{glyphs.say(note)}", "$text-warning") for note in _notes(passage, piece))]
    )


def claim(
    cursor: AnswerCursor,
    glyphs: Glyphs,
    shape: str,
    room: int,
    pending: bool,
    rates: ErrorRates | None = None,
) -> Content:
    """The sentence that leans on the source: verdict, score, both texts under each other, reasons, and how often such a
    verdict is wrong."""
    found = cursor.claim
    if found is None or cursor.at is None:
        return assemble([(f"{glyphs.waiting} not checked yet", "$text-muted")] if pending else [])
    verdict = (
        f"{glyphs.of(found.verdict)} {VERDICT_PHRASES[found.verdict]} {found.score:.2f}".strip()
    )
    place = f"sentence {cursor.at + 1} of {len(cursor.claims)}"
    why = "; ".join(
        sanitize_line(reason) for reason in found.reasons
    )  # ours; what they quote is made safe in them
    if shape == "drawer":
        errs = (
            f"errs {' / '.join(percents(rates))}" if rates and found.sentence.quote is None else ""
        )
        said = "".join(glyphs.say(" · ") + part for part in (place, errs, why) if part)
        tail = glyphs.cut(said, room - cell_len(verdict))
        return assemble([(verdict, VERDICT_STYLES[found.verdict]), (tail, "$text-muted")])
    parts = list(_ends(place.upper(), "bold", verdict, VERDICT_STYLES[found.verdict], room))
    if shape == "full":
        parts.append(("\nsays    " + glyphs.cut(quote_foreign(found.sentence.text), room - 8), ""))
        parts += [("\n" + glyphs.cut(why, room), "$text-muted")] if why else []
    else:
        parts += _compared(found, cursor, glyphs, room)
    return assemble([*parts, *_errs(rates, room)])


def listing(cursor: AnswerCursor, glyphs: Glyphs, shape: str, room: int, pending: bool) -> Content:
    """All sources of the answer, each with the gravest verdict of the sentences that cite it."""
    parts: list[Part] = []
    for passage in cursor.passages[:12]:
        here = passage.number == cursor.number
        verdict = gravest_verdict(passage.number, cursor.claims)
        sign = glyphs.of(verdict) if verdict else (glyphs.waiting if pending else " ")
        sign_style = VERDICT_STYLES[verdict] if verdict else ""
        top = f"{glyphs.here if here else ' '}{passage.number}"
        if shape == "full":
            parts += [(f"{top} ", "bold" if here else ""), (f"{sign}  ", sign_style)]
            continue
        where = glyphs.say(lines_of(passage))
        title = glyphs.cut(
            quote_foreign(source_name(passage)), max(8, room - len(top) - cell_len(where) - 5)
        )
        gap = " " * max(1, room - len(top) - 3 - cell_len(title) - cell_len(where))
        parts += [
            ("\n" if parts else "", ""),
            (f"{top} ", "bold" if here else ""),
            (sign, sign_style),
        ]
        parts += [(f" {title}{gap}", "bold" if here else ""), (where, "$text-muted")]
    return assemble([] if shape == "drawer" else parts)


def missing(cursor: AnswerCursor) -> str:
    """What the pane says when there is no passage to show."""
    found = cursor.claim
    if cursor.number is not None:
        return f"There is no source {cursor.number}: the answer names one that the model was not given."
    if found is None:
        return ""
    needs = found.verdict is not Verdict.NEEDS_NONE
    return "This sentence names no source." if needs else "This sentence needs no source."


def _ends(left: str, left_style: str, right: str, right_style: str, room: int) -> Iterable[Part]:
    """Two pieces at the two ends of a line."""
    return (
        (left, left_style),
        (" " * max(1, room - cell_len(left) - cell_len(right)), ""),
        (right, right_style),
    )


def _compared(found: Claim, cursor: AnswerCursor, glyphs: Glyphs, room: int) -> Iterable[Part]:
    yield "\nsays    " + glyphs.cut(quote_foreign(found.sentence.text), 2 * room - 12), ""
    words = quoted(cursor.evidence)
    if words:
        yield "\nsource  " + glyphs.say(glyphs.cut(words, 2 * room - 12)), ""
    elif cursor.passage is not None:
        yield "\nsource  no words of it back the sentence", "$text-muted"
    for reason in found.reasons[:4]:
        yield "\n        " + glyphs.cut(sanitize_line(reason), room - 8), "$text-muted"


def _errs(rates: ErrorRates | None, room: int) -> Iterable[Part]:
    """The two rates of the check, and what they do not touch where that fits."""
    if rates is not None:
        short = f"check errs: {' / '.join(percents(rates))}"
        whole = f"{short}, but not on quotations"
        yield "\n" + (whole if cell_len(whole) <= room else short), "$text-muted"


def _notes(passage: Passage, piece: Excerpt) -> list[str]:
    chunk = passage.chunk
    swapped = piece.replaced + sum(
        count_replaced(text) for text in (chunk.title, chunk.source, chunk.heading)
    )
    out = []
    if swapped:
        out.append(
            f"! {counted(swapped, 'character')} replaced: a terminal would obey or hide them"
        )
    if piece.masked:
        out.append("! dimmed: page furniture, never quoted")
    if passage.copies:
        out.append(f"! the same text is also in {counted(len(passage.copies), 'other place')}")
    return out


def _ranks(ranks: Ranks) -> str:
    names = (
        ("rank", ranks.fused),
        ("by words", ranks.words),
        ("by meaning", ranks.vectors),
        ("reranked", ranks.reranked),
    )
    return " · ".join([f"{word} {rank}" for word, rank in names if rank is not None])
