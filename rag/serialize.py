"""Domain values as JSON objects: the one place where the field names that scripts rely on are written down.

Library texts go out as they are (a quote must equal its slice of the document); what meets a terminal is the business of
whoever prints. `json.dumps` escapes control characters.
"""

from __future__ import annotations

from typing import Any

from rag import domain as d
from rag import events as e

SCHEMA = 1

#: event names that differ from the class name in lower case, because scripts already read them
_EVENT_NAMES: dict[type, str] = {e.Notice: "noted", e.Repaired: "mended"}


def answer(value: d.Answer) -> dict[str, Any]:
    """The object of ``ask --json``. `left_out` is there only where masked text would answer."""
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
            "context": value.receipt.context, "system": value.receipt.system, "history": value.receipt.history,
            "passages": value.receipt.passages, "answer": value.receipt.answer, "dropped": list(value.receipt.dropped),
        },
        "model": {"name": value.model.name, "sha256": value.model.sha256, "calibrated": value.model.calibrated},
        "seconds": {
            "retrieve": round(value.seconds.retrieve, 4), "first": round(value.seconds.first, 4),
            "check": round(value.seconds.check, 4), "total": round(value.seconds.total, 4),
        },
        **({"left_out": [left_out(e) for e in value.left_out]} if value.left_out else {}),
    }  # fmt: skip


def turn(question: str, saved: dict[str, Any]) -> d.Turn:
    """What a later question remembers of a saved answer object; one of an earlier version lacks fields."""
    return d.Turn(saved.get("asked") or question, saved["answer"], saved.get("short") or "")


def claim(value: d.Claim) -> dict[str, Any]:
    """`text` is what stands in the answer: of a quotation, whose exact words are in the citation, on one line."""
    text = value.sentence.text
    return {
        "text": text if value.sentence.quote is None else " ".join(text.split()),
        "start": value.sentence.span.start,
        "end": value.sentence.span.end,
        "verdict": value.verdict.value,
        "score": round(value.score, 4),
        "reasons": list(value.reasons),
        "markers": [c.number for c in value.sentence.citations],
        "citations": [evidence(v) for v in value.evidence],
    }


def evidence(value: d.Evidence) -> dict[str, Any]:
    return {
        "n": value.number, "source": value.source, "document": value.document, "start": value.span.start, "end": value.span.end,
        "quote": value.text, "line": value.line, "page": value.page,
    }  # fmt: skip


def left_out(value: d.Evidence) -> dict[str, Any]:
    """Masked text that would answer: where it stands, as of a citation, but it has no number."""
    return {key: found for key, found in evidence(value).items() if key != "n"}


def passage(value: d.Passage) -> dict[str, Any]:
    chunk, ranks = value.chunk, value.ranks
    return {
        "n": value.number, "source": chunk.source, "document": chunk.document, "title": chunk.title, "date": chunk.date,
        "heading": chunk.heading, "start": chunk.span.start, "end": chunk.span.end, "line": chunk.line, "page": chunk.page,
        "text": chunk.text, "score": round(value.score, 6),
        "ranks": {"words": ranks.words, "vectors": ranks.vectors, "fused": ranks.fused, "reranked": ranks.reranked},
        "copies": [
            {"source": c.source, "document": c.document, "start": c.span.start, "end": c.span.end} for c in value.copies
        ],
    }  # fmt: skip


def document(value: d.Document) -> dict[str, Any]:
    """The object of ``show --json``."""
    return {
        "id": value.id, "source": value.source, "title": value.title, "date": value.date, "text": value.text,
        "masked": [[s.start, s.end] for s in value.mask], "pages": [[s.start, s.end] for s in value.pages],
        "path": value.path,
    }  # fmt: skip


def listing(value: d.Listing) -> dict[str, Any]:
    return {
        "id": value.id, "source": value.source, "title": value.title, "date": value.date, "chunks": value.chunks,
        "bytes": value.bytes, "state": value.state, "reason": value.reason,
    }  # fmt: skip


def report(value: e.Report) -> dict[str, Any]:
    """The object of ``add --json`` and ``sync --json``."""
    return {
        "added": list(value.added), "unchanged": value.unchanged, "changed": list(value.changed),
        "moved": [{"from": a, "to": b} for a, b in value.moved], "removed": list(value.removed),
        "failed": [{"source": f.source, "reason": f.reason, "cure": f.cure} for f in value.failed],
        "kept": list(value.kept), "seconds": round(value.seconds, 3),
    }  # fmt: skip


def event(value: e.Event) -> dict[str, Any]:
    """A line of ``ask --jsonl``: the event's name and its fields."""
    name = _EVENT_NAMES.get(type(value)) or type(value).__name__.lower()
    if isinstance(value, e.Retrieved):
        found = [passage(p) for p in value.passages]
        return {
            "event": name,
            "asked": value.asked or None,
            "searched": value.searched,
            "passages": found,
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
