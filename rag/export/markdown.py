"""Answers as Markdown with footnotes `[^1]`: one to copy, or a saved conversation as a file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.domain import Answer, SavedTurn
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
        parts += [f"## {_line(turn.question)}", *_paragraphs(turn)]
    return "\n\n".join(parts) + "\n"


def answer_markdown(answer: Answer) -> str:
    """Return one answer under its question, to be pasted into a text."""
    (turn,) = cite_turns([SavedTurn(1, answer.question, "", answer)])
    return "\n\n".join([f"**{_line(turn.question)}**", *_paragraphs(turn)]) + "\n"


def _paragraphs(turn: CitedTurn) -> list[str]:
    """Return the paragraphs of one answer. The footnotes are one paragraph."""
    lines = list[str]()
    about = [_line(part) for part in (time_of(turn.asked), turn.label, turn.looked_up) if part]
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
