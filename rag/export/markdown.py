"""Saved turns as Markdown with footnotes `[^1]`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.domain import SavedTurn
from rag.export.footnotes import (
    CitedTurn,
    Footnote,
    Piece,
    cite_turns,
    heading_of,
    place_of,
    time_of,
)
from rag.text.foreign_marks import quote_foreign
from rag.text.markdown import escape_inline
from rag.text.sanitize import sanitize

#: the first line of an exported file; a file that begins otherwise is never overwritten
MARK = "<!-- footnote export -->"
_BRACKETS = re.compile(r"[\[\]|]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r" ?\n[ \n]*")


def conversation_markdown(title: str, turns: Sequence[SavedTurn]) -> str:
    """Return a conversation as a Markdown file."""
    heading = _line(heading_of(title, turns))
    parts = [MARK, *([f"# {heading}"] if heading else [])]
    for turn in cite_turns(turns):
        parts += _turn_lines(turn)
    return "\n\n".join(parts) + "\n"


def _turn_lines(turn: CitedTurn) -> list[str]:
    """Return the paragraphs of one question. The footnotes are one paragraph."""
    lines = [f"## {_line(turn.question)}"]
    about = [part for part in (_line(time_of(turn.asked)), _line(turn.label)) if part]
    if about:
        lines.append(f"*{' · '.join(about)}*")
    text = "".join(map(_piece, turn.pieces)).strip()
    lines += [text] if text else []
    lines += [f"*{notice}*" for notice in turn.notices]
    if turn.footnotes:
        lines.append("\n".join(map(_footnote, turn.footnotes)))
    return lines


def _piece(piece: Piece) -> str:
    if piece.own:
        return f"*{piece.own}*" if not piece.own.startswith(" ") else f" *{piece.own[1:]}*"
    if piece.notes:
        return "".join(f"[^{number}]" for number in piece.notes)
    return _words(piece.foreign)


def _words(text: str) -> str:
    """Return foreign words without markup; a line break stays one."""
    folded = _BLANK_LINES.sub("\n", _SPACES.sub(" ", sanitize(text)))
    escaped = _escape(folded)
    if escaped[:1] in ("(", ":"):  # behind a reference it would make a link or a definition
        escaped = "\\" + escaped
    return escaped.replace("\n", "  \n")


def _escape(text: str) -> str:
    return _BRACKETS.sub(r"\\\g<0>", escape_inline(text))


def _line(text: str) -> str:
    """Return foreign text on one line without markup."""
    return _escape(quote_foreign(text))


def _footnote(note: Footnote) -> str:
    place = _escape(place_of(note))
    if not note.evidence:
        return f"[^{note.number}]: {place} (no words of it support the sentence)"
    if note.is_repeated:
        return f"[^{note.number}]: {place} (quoted word for word)"
    quotes = " … ".join(f"“{_line(evidence.text)}”" for evidence in note.evidence)
    return f"[^{note.number}]: {quotes} {place}"
