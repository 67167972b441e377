"""Saved turns as one self-contained HTML page, the quotes marked in their passages.

The page has no script and loads nothing, and its policy says so. All foreign text is sanitized and
escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from rag.domain import SavedTurn, Span
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
from rag.text.sanitize import sanitize

#: the begin of an exported page; a file that begins otherwise is never overwritten
MARK = "<!doctype html>\n<!-- footnote export -->"
_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; }
.about, .place { opacity: 0.75; font-size: 0.9rem; }
.verdict { font-weight: bold; }
blockquote { white-space: pre-wrap; margin: 0.3rem 0 1rem; padding-left: 1rem;
  border-left: 3px solid #888; overflow-wrap: anywhere; }
mark { background: #ffe066; color: #000; }
"""
_HEAD = """{mark}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
"""


def conversation_html(title: str, turns: Sequence[SavedTurn]) -> str:
    """Return a conversation as an HTML page."""
    head = _HEAD.format(mark=MARK, title=_line(title), style=_STYLE)
    heading = _line(heading_of(title, turns))
    head += f"<h1>{heading}</h1>\n" if heading else ""
    return head + "\n".join(map(_turn, cite_turns(turns))) + "\n</body>\n</html>\n"


def _turn(turn: CitedTurn) -> str:
    known = (time_of(turn.asked), turn.label, turn.looked_up)
    about = " · ".join(_line(part) for part in known if part)
    lines = [f"<section>\n<h2>{_line(turn.question)}</h2>"]
    lines += [f'<p class="about">{about}</p>'] if about else []
    text = "".join(map(_piece, turn.pieces)).strip()
    lines += [f"<p>{text}</p>"] if text else []
    lines += [f'<p class="verdict">{escape(notice)}</p>' for notice in turn.notices]
    by_passage = sorted(turn.footnotes, key=lambda note: note.passage.number)
    for _, notes in groupby(by_passage, lambda note: note.passage.number):
        lines.append(_source(list(notes)))
    return "\n".join([*lines, "</section>"])


def _piece(piece: Piece) -> str:
    if piece.own:
        return f'<span class="verdict">{escape(piece.own)}</span>'
    if piece.notes:
        links = ", ".join(f'<a href="#fn{n}">{n}</a>' for n in piece.notes)
        return f"<sup>{links}</sup>"
    return escape(sanitize(piece.foreign)).replace("\n", "<br>\n")


def _source(notes: Sequence[Footnote]) -> str:
    """Return a cited passage once, with the words of all its footnotes marked."""
    names = " ".join(f'<span id="fn{note.number}">[{note.number}]</span>' for note in notes)
    places = "; ".join(dict.fromkeys(escape(place_of(note)) for note in notes))
    return (
        f'<p class="place">{names} {places}</p>\n<blockquote>{_marked_passage(notes)}</blockquote>'
    )


def _marked_passage(notes: Sequence[Footnote]) -> str:
    """Return the passage with its quotes marked; quotes beside the passage follow it."""
    chunk = notes[0].passage.chunk
    text, start = sanitize(chunk.text), chunk.span.start
    evidence = dict.fromkeys(e for note in notes for e in note.evidence)
    inside = {
        e: e.span for e in evidence if e.document == chunk.document and e.span.within(chunk.span)
    }
    parts, end = list[str](), start
    for span in _merged(list(inside.values())):
        parts.append(escape(text[end - start : span.start - start]))
        parts.append(f"<mark>{escape(text[span.start - start : span.end - start])}</mark>")
        end = span.end
    parts.append(escape(text[end - start : chunk.span.end - start]))
    beside = dict.fromkeys(e.text for e in evidence if e not in inside)
    parts += [f"\n… <mark>{escape(sanitize(text))}</mark>" for text in beside]
    return "".join(parts)


def _merged(spans: Sequence[Span]) -> list[Span]:
    """Return the spans in order, those that overlap as one."""
    merged = list[Span]()
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _line(text: str) -> str:
    return escape(quote_foreign(text))
