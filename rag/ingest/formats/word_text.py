"""The text of one paragraph of Word, and what hangs on it: boxes, pictures, notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rag.ingest.formats.flow import last_sentence
from rag.ingest.formats.not_taken import NotTaken, says_something
from rag.ingest.formats.word_styles import is_on
from rag.ingest.formats.xml_parts import attribute, child, tag_of

#: elements whose text is not shown: deleted, moved away, a second form for old programs
SKIPPED = frozenset(
    "del moveFrom Fallback instrText delText pPr rPr fldData sectPr tcPr tblPr trPr".split()
)
_BREAKS = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOT_TAKEN = {
    "OLEObject": NotTaken.OBJECTS,
    "relIds": NotTaken.DIAGRAMS,
}
_PICTURES = ("blip", "imagedata")
#: characters of what a comment belongs to, and pieces of text that are looked at
_MAX_PLACE_CHARS = 200
_MAX_PLACE_PIECES = 40


@dataclass(slots=True)
class ParagraphText:
    """The text with its line breaks. `bold`: all of it is in bold type."""

    text: str = ""
    bold: bool = False
    boxes: list[Any] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)  #: of pictures
    charts: list[str] = field(default_factory=list)  #: ids of their parts
    not_taken: list[NotTaken] = field(default_factory=list)


class NotePlaces:
    """Collects the words that footnotes, endnotes and comments belong to."""

    def __init__(self) -> None:
        self._words = dict[tuple[str, str], str]()
        self._open = dict[str, tuple[object, int]]()  #: comments: paragraph and piece of the start

    def of(self, kind: str, number: str) -> str:
        """Return the words that a note belongs to, or ""."""
        return self._words.get((kind, number), "")

    def meet(self, node: Any, tag: str, pieces: list[str]) -> None:
        """Note a mark in the text. `pieces` is the text of the paragraph so far."""
        number = attribute(node, "id")
        if tag == "commentRangeStart":
            self._open[number] = pieces, len(pieces)
        elif tag == "commentRangeEnd":
            of, start = self._open.pop(number, (None, 0))
            start = start if of is pieces else 0
            part = pieces[start : start + _MAX_PLACE_PIECES]
            words = " ".join("".join(piece[:_MAX_PLACE_CHARS] for piece in part).split())
            self._words["comment", number] = words[:_MAX_PLACE_CHARS]
        else:
            self._words[tag.removesuffix("Reference"), number] = last_sentence(pieces)


def paragraph_text(paragraph: Any, places: NotePlaces) -> ParagraphText:
    """Return what a paragraph holds. What is in text boxes is not in its text."""
    found, out, plain = ParagraphText(), list[str](), False
    todo = list(paragraph)[::-1]
    while todo:
        node = todo.pop()
        tag = tag_of(node)
        if tag == "t":
            out.append(node.text or "")
        elif tag in _BREAKS:
            out.append(_BREAKS[tag])
        elif tag in ("drawing", "pict", "object"):
            _drawing(node, found)
        elif tag in ("footnoteReference", "endnoteReference") or tag.startswith("commentRange"):
            places.meet(node, tag, out)
        elif tag == "sym":
            out.append(_symbol(node))
        elif tag == "r":
            properties = child(node, "rPr")
            if properties is not None and is_on(child(properties, "vanish")):
                if child(node, "t") is not None:
                    found.not_taken.append(NotTaken.HIDDEN)
                continue
            bold = properties is not None and is_on(child(properties, "b"))
            plain = plain or (not bold and bool((node.findtext("{*}t") or "").strip()))
            todo += list(node)[::-1]
        elif tag not in SKIPPED:
            todo += list(node)[::-1]
    found.text = "".join(out)
    found.bold = not plain and bool(found.text.strip())
    return found


def _drawing(drawing: Any, found: ParagraphText) -> None:
    """Add the boxes and pictures of a drawing, and what is not taken in."""
    pictures, description, charts = 0, "", list[str]()
    todo = [drawing]
    kinds = set[NotTaken]()
    while todo:
        node = todo.pop()
        tag = tag_of(node)
        if tag == "txbxContent":
            found.boxes.append(node)
            continue
        if tag == "docPr" or (tag == "shape" and node.get("alt")):
            description = description or attribute(node, "descr") or node.get("alt") or ""
        elif tag in _PICTURES:
            pictures += 1
        elif tag == "chart":
            charts.append(attribute(node, "id"))
        elif tag in _NOT_TAKEN:
            kinds.add(_NOT_TAKEN[tag])
        if tag not in SKIPPED:
            todo += list(node)[::-1]
    description = " ".join(description.split())
    found.charts += charts
    if charts:
        return
    if kinds:
        found.not_taken += sorted(kinds, key=list(NotTaken).index)
    elif pictures and says_something(description):
        found.descriptions.append(description)
    elif pictures:
        found.not_taken += [NotTaken.PICTURES] * pictures


def _symbol(node: Any) -> str:
    """Return a character that is given by its number in a font, if it is one of text."""
    try:
        number = int(attribute(node, "char"), 16)
    except ValueError:
        return ""
    return chr(number) if 32 <= number < 0xD800 else ""
