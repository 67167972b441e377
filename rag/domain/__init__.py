"""The shared types: frozen values, without files, models or screens.

All offsets are characters into `Document.text`, half-open, so that
``document.text[span.start:span.end]`` is always the quote, the chunk or the highlight.
"""

from __future__ import annotations

from rag.domain.answers import (
    Answer,
    Answers,
    Citation,
    Claim,
    Computed,
    ComputedRow,
    Draft,
    Evidence,
    Judgement,
    Model,
    Piece,
    Progress,
    Quote,
    Reason,
    Receipt,
    SavedTurn,
    Seconds,
    Sentence,
    Turn,
    Verdict,
)
from rag.domain.documents import (
    Cell,
    Chunk,
    Copy,
    Document,
    FileState,
    Passage,
    Ranks,
    RawDocument,
    RefusedPart,
    Span,
    Unit,
    UnitKind,
)
from rag.domain.listings import Conversation, Listing, OpenedDocument, Status

__all__ = [
    "Answer",
    "Answers",
    "Cell",
    "Chunk",
    "Citation",
    "Claim",
    "Computed",
    "ComputedRow",
    "Conversation",
    "Copy",
    "Document",
    "Draft",
    "Evidence",
    "FileState",
    "Judgement",
    "Listing",
    "Model",
    "OpenedDocument",
    "Passage",
    "Piece",
    "Progress",
    "Quote",
    "Ranks",
    "RawDocument",
    "Reason",
    "Receipt",
    "RefusedPart",
    "SavedTurn",
    "Seconds",
    "Sentence",
    "Span",
    "Status",
    "Turn",
    "Unit",
    "UnitKind",
    "Verdict",
]
