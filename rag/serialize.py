"""Domain values as JSON objects. The field names that scripts rely on are defined here only.

Texts of the library are not changed, because a quote must equal its slice of the document.
`json.dumps` escapes control characters; whoever prints to a terminal sanitizes.
"""

from __future__ import annotations

from typing import Any

from rag import domain as d
from rag import events as e

SCHEMA = 1


def answer(value: d.Answer) -> dict[str, Any]:
    """The object of ``ask --json``. `left_out` is present only if masked text would answer."""
    return {
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
        },
        "seconds": {
            "retrieve": round(value.seconds.retrieve, 4),
            "first": round(value.seconds.first, 4),
            "check": round(value.seconds.check, 4),
            "total": round(value.seconds.total, 4),
        },
        **({"left_out": [left_out(e) for e in value.left_out]} if value.left_out else {}),
    }


def turn(question: str, saved: dict[str, Any]) -> d.Turn:
    """The turn of a saved answer object; objects of earlier versions lack fields."""
    return d.Turn(saved.get("asked") or question, saved["answer"], saved.get("short") or "")


def claim(value: d.Claim) -> dict[str, Any]:
    """A claim. `text` is as in the answer; a quotation is put on one line, and its exact words are
    in the citation."""
    text = value.sentence.text
    return {
        "text": text if value.sentence.quote is None else " ".join(text.split()),
        "start": value.sentence.span.start,
        "end": value.sentence.span.end,
        "verdict": value.verdict.value,
        "score": round(value.score, 4),
        "reasons": list(value.reasons),
        "markers": [c.number for c in value.sentence.citations],
        "citations": [evidence(place) for place in value.evidence],
    }


def evidence(value: d.Evidence) -> dict[str, Any]:
    """A citation: the quoted words and their place in the document.

    `sheet` and `row` are present only in a workbook.
    """
    return {
        "n": value.number,
        "source": value.source,
        "document": value.document,
        "start": value.span.start,
        "end": value.span.end,
        "quote": value.text,
        "line": value.line,
        "page": value.page,
        **({"sheet": value.sheet, "row": value.row} if value.row else {}),
    }


def left_out(value: d.Evidence) -> dict[str, Any]:
    """Masked text that would answer: a citation without a number."""
    return {key: field for key, field in evidence(value).items() if key != "n"}


def passage(value: d.Passage) -> dict[str, Any]:
    """A passage with its place, its score and its ranks."""
    chunk, ranks = value.chunk, value.ranks
    return {
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
    }


def document(value: d.Document) -> dict[str, Any]:
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


def listing(value: d.Listing) -> dict[str, Any]:
    """A line of ``list --json``."""
    return {
        "id": value.id,
        "source": value.source,
        "title": value.title,
        "date": value.date,
        "chunks": value.chunks,
        "bytes": value.bytes,
        "state": value.state,
        "reason": value.reason,
    }


def report(value: e.Report) -> dict[str, Any]:
    """The object of ``add --json`` and ``sync --json``."""
    return {
        "added": list(value.added),
        "unchanged": value.unchanged,
        "changed": list(value.changed),
        "moved": [{"from": a, "to": b} for a, b in value.moved],
        "removed": list(value.removed),
        "failed": [{"source": f.source, "reason": f.reason, "cure": f.cure} for f in value.failed],
        "kept": list(value.kept),
        "seconds": round(value.seconds, 3),
    }


#: events whose name for scripts is not that of their class
_EVENT_NAMES: dict[type, str] = {e.Notice: "noted", e.Repaired: "mended"}


def event(value: e.Event) -> dict[str, Any]:
    """A line of ``ask --jsonl``: the event's name and its fields."""
    name = _EVENT_NAMES.get(type(value)) or type(value).__name__.lower()
    if isinstance(value, e.Retrieved):
        passages = [passage(p) for p in value.passages]
        return {
            "event": name,
            "asked": value.asked or None,
            "searched": value.searched,
            "passages": passages,
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
