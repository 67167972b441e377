"""Domain values as JSON objects. The shapes are those of `rag.json_objects`.

Texts of the library are not changed, because a quote must equal its slice of the document.
`json.dumps` escapes control characters; whoever prints to a terminal sanitizes.
"""

from __future__ import annotations

from rag import domain as d
from rag import events as e
from rag.disk.strict_json import Json
from rag.json_objects import (
    AnswerObject,
    CitationObject,
    ClaimObject,
    JudgementObject,
    PartObject,
    PassageObject,
    PlaceObject,
    SavedAnswer,
)
from rag.text.units import sheet_rows

SCHEMA = 1


def answer(value: d.Answer) -> AnswerObject:
    """The object of ``ask --json``."""
    written: AnswerObject = {
        "schema": SCHEMA,
        "question": value.question,
        "asked": value.asked or None,
        "answer": value.text,
        "short": value.short,
        "abstained": value.abstained,
        "reason": value.reason.value if value.reason else None,
        "missing": value.missing,
        "stopped": value.stopped,
        "differ": value.differ,
        "chance": None if value.chance is None else round(value.chance, 6),
        "claims": [claim(c) for c in value.claims],
        "passages": [passage(p) for p in value.passages],
        "receipt": {
            "context": value.receipt.context,
            "system": value.receipt.system,
            "history": value.receipt.history,
            "passages": value.receipt.passages,
            "answer": value.receipt.answer,
            "dropped": list(value.receipt.dropped),
        },
        "model": {
            "name": value.model.name,
            "sha256": value.model.sha256,
            "calibrated": value.model.calibrated,
            "server": value.model.server,
        },
        "seconds": {
            "retrieve": round(value.seconds.retrieve, 4),
            "first": round(value.seconds.first, 4),
            "check": round(value.seconds.check, 4),
            "total": round(value.seconds.total, 4),
        },
    }
    _add_what_is_seldom(written, value)
    return written


def _add_what_is_seldom(written: AnswerObject, value: d.Answer) -> None:
    """Add the fields that are present only if there is something to say."""
    if value.left_out:
        written["left_out"] = [left_out(place) for place in value.left_out]
    if value.languages:
        written["languages"] = list(value.languages)
    if value.parts:
        written["parts"] = [part(one) for one in value.parts]
    if value.related:
        written["related"] = [claim(c) for c in value.related]
    if value.withheld:
        written["withheld"] = [claim(sentence) for sentence in value.withheld]
    if value.within:
        written["within"] = list(value.within)
    if failed := value.model_failed:
        written["model_failed"] = {
            "model": failed.name,
            "what": failed.what,
            "cure": failed.cure,
            "wrote": failed.wrote,
        }


def turn(question: str, saved: SavedAnswer) -> d.Turn:
    """The turn of a saved answer object; objects of earlier versions lack fields."""
    return d.Turn(saved.get("asked") or question, saved["answer"], saved.get("short") or "")


def claim(value: d.Claim) -> ClaimObject:
    """A claim. `text` is as in the answer; a quotation is put on one line, and its exact words are
    in the citation."""
    text, quote = value.sentence.text, value.sentence.quote
    computed = value.sentence.computed
    written: ClaimObject = {
        "text": text if quote is None else " ".join(text.split()),
        "start": value.sentence.span.start,
        "end": value.sentence.span.end,
        "verdict": value.verdict.value,
        "score": round(value.score, 4),
        "reasons": list(value.reasons),
        "markers": [c.number for c in value.sentence.citations],
        "cited": [[c.number, c.span.start, c.span.end] for c in value.sentence.citations],
        "quoted": None if quote is None else [quote.start, quote.end],
        "citations": [evidence(place) for place in value.evidence],
    }
    if value.judgement:
        written["judgement"] = judgement(value.judgement)
    if computed:
        written["computed"] = {
            "operation": computed.operation,
            "rows": len(computed.rows),
            "result": computed.result,
        }
    return written


def part(value: d.AnsweredPart) -> PartObject:
    """One part of a question that asks several things."""
    return {"question": value.question, "answered": value.answered, "short": value.short}


def judgement(value: d.Judgement) -> JudgementObject:
    """Whether a sentence answers the question, with the reasons."""
    return {
        "answers": value.answers.value,
        "chance": None if value.chance is None else round(value.chance, 4),
        "reasons": list(value.reasons),
    }


def evidence(value: d.Evidence) -> CitationObject:
    """A citation: the quoted words and their place in the document."""
    return {"n": value.number, "file": value.file.value, **left_out(value)}


def left_out(value: d.Evidence) -> PlaceObject:
    """Masked text that would answer: a citation without a number.

    `sheet` and `row` are present only in a workbook.
    """
    place: PlaceObject = {
        "source": value.source,
        "document": value.document,
        "start": value.span.start,
        "end": value.span.end,
        "quote": value.text,
        "line": value.line,
        "page": value.page,
        "context": value.context,
    }
    if value.row:
        place["sheet"], place["row"] = value.sheet, value.row
    return place


def passage(value: d.Passage) -> PassageObject:
    """A passage with its place, its score and its ranks."""
    chunk, ranks = value.chunk, value.ranks
    written: PassageObject = {
        "n": value.number,
        "source": chunk.source,
        "document": chunk.document,
        "title": chunk.title,
        "date": chunk.date,
        "heading": chunk.heading,
        "start": chunk.span.start,
        "end": chunk.span.end,
        "line": chunk.line,
        "page": chunk.page,
        "text": chunk.text,
        "score": round(value.score, 6),
        "ranks": {
            "words": ranks.words,
            "vectors": ranks.vectors,
            "fused": ranks.fused,
            "reranked": ranks.reranked,
        },
        "copies": [
            {"source": c.source, "document": c.document, "start": c.span.start, "end": c.span.end}
            for c in value.copies
        ],
        "file": value.file.value,
    }
    sheet, row, _ = sheet_rows(chunk)
    if row:
        written["sheet"], written["row"] = sheet, row
    return written


def document(value: d.Document) -> dict[str, Json]:
    """The object of ``show --json``."""
    return {
        "id": value.id,
        "source": value.source,
        "title": value.title,
        "date": value.date,
        "text": value.text,
        "masked": [[s.start, s.end] for s in value.mask],
        "pages": [[s.start, s.end] for s in value.pages],
        "path": value.path,
    }


def listing(value: d.Listing) -> dict[str, Json]:
    """A line of ``list --json``."""
    return {
        "id": value.id,
        "source": value.source,
        "title": value.title,
        "date": value.date,
        "chunks": value.chunks,
        "by_words": value.by_words,
        "bytes": value.bytes,
        "state": value.state,
        "reason": value.reason,
        "cure": value.cure,
        "path": value.path,
        "file": value.file.value,
        "copies": value.copies,
    }


def conversation(value: d.Conversation) -> dict[str, Json]:
    """A line of ``history --json``."""
    return {
        "id": value.id,
        "title": value.title,
        "asked": value.asked,
        "turns": value.turns,
        "verdicts": {verdict.value: count for verdict, count in value.verdicts},
        "unanswered": value.unanswered,
    }


def report(value: e.Report) -> dict[str, Json]:
    """The object of ``add --json`` and ``sync --json``."""
    return {
        "added": list(value.added),
        "unchanged": value.unchanged,
        "changed": list(value.changed),
        "moved": [{"from": a, "to": b} for a, b in value.moved],
        "removed": list(value.removed),
        "failed": [{"source": f.source, "reason": f.reason, "cure": f.cure} for f in value.failed],
        "kept": list(value.kept),
        "by_words": list(value.by_words),
        "seconds": round(value.seconds, 3),
    }


#: events whose name for scripts is not that of their class
_EVENT_NAMES: dict[type, str] = {e.Notice: "noted", e.Repaired: "mended"}


def event(value: e.Event) -> dict[str, object]:
    """A line of ``ask --jsonl``: the event's name and its fields."""
    name = _EVENT_NAMES.get(type(value)) or type(value).__name__.lower()
    if isinstance(value, e.Retrieved):
        passages = [passage(p) for p in value.passages]
        return {
            "event": name,
            "asked": value.asked or None,
            "searched": value.searched,
            "passages": passages,
            **({"within": list(value.within)} if value.within else {}),
        }
    if isinstance(value, e.Token):
        return {
            "event": name,
            "text": value.text,
            **({"quoted": value.quoted} if value.quoted else {}),
        }
    if isinstance(value, e.Checked):
        return {
            "event": name,
            "number": value.number,
            "total": value.total,
            "claim": claim(value.claim),
        }
    if isinstance(value, e.Answered):
        return {"event": name, "answer": answer(value.answer)}
    if isinstance(value, e.Report):
        return {"event": name, **report(value)}
    return {"event": name, **{field: getattr(value, field) for field in value.__slots__}}
