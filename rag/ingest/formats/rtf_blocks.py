"""The paragraphs, cells and notes of RTF, as they become a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.ingest.formats.flow import Flow, is_bold_heading, last_sentence
from rag.ingest.formats.rtf_tables import RowForm, TableRows

_NOTE_TITLES = (("footnote", "Footnotes"), ("annotation", "Comments"))


@dataclass(frozen=True, slots=True)
class ParagraphForm:
    """What the control words make of a paragraph. `style` is a number of the style sheet."""

    style: int = 0
    outline: int = 9
    list_key: int = 0  #: the number of the list of an item
    depth: int = 0
    in_table: bool = False


@dataclass(frozen=True, slots=True)
class _Note:
    kind: str
    author: str
    text: str
    place: str


class Blocks:
    """Collects the text of the body and turns it into a flow."""

    def __init__(self) -> None:
        self.flow, self.title = Flow(), ""
        self.pieces: list[str] = []  #: of the paragraph or cell that is read
        self.styles = dict[int, str]()  #: their names, in small letters
        self.bold = True  #: is all of it in bold type so far?
        self.form = RowForm()
        self._number = ""  #: of the item that begins
        self._boxes, self._margins = list[str](), list[str]()
        self._cells, self._rows = list[str](), TableRows()
        self._notes, self._author = list[_Note](), ""
        self._level = 1  #: of the last heading that has a style

    def part(self, place: str, text: str) -> None:
        """Take the text of a part that stands outside of the body."""
        bare = " ".join(text.split())
        if place == "margin":
            self._margins += text.split("\n")
        elif place == "number":
            self._number = bare or "•"
        elif place == "box":
            self._boxes += [line for line in text.split("\n") if line.strip()]
        elif place == "title":
            self.title = bare
        elif place == "atnauthor":
            self._author = bare
        elif place == "footnote":
            self._notes.append(_Note(place, "", bare, last_sentence(self.pieces)))
        elif place == "annotation":
            context = f"comment on: {last_sentence(self.pieces)}"
            self._notes.append(_Note(place, self._author, bare, context))

    def paragraph(self, form: ParagraphForm) -> None:
        """End a paragraph."""
        if form.in_table:
            self.pieces.append(" ")
            return
        text = self._take()
        self._end_table()
        style = self.styles.get(form.style, "")
        level = _heading_level(style) or (form.outline + 2 if 0 <= form.outline < 9 else 0)
        if level and text.strip():
            self._level = level
            self.flow.paragraph(text, level)
        elif (form.list_key or self._number) and text.strip():
            numbered = any(map(str.isalnum, self._number))
            self.flow.item(text, form.depth, str(form.list_key), numbered)
        elif text.strip() and self.bold and is_bold_heading(text):
            self.flow.paragraph(text, self._level + 1)
        else:
            contents = style.startswith("toc ")
            self.flow.paragraph(text, caption=style == "caption", masked=contents)
        for box in self._boxes:
            self.flow.paragraph(box)
        self._begin()

    def cell(self) -> None:
        """End a cell."""
        text = " ".join([self._take(), *self._boxes])
        self._cells.append(" ".join(text.split()))
        self._begin()

    def row(self) -> None:
        """End a row."""
        if self._cells:
            self._rows.add(self._cells, self.form)
            self._cells = []

    def end(self) -> None:
        """Finish the document."""
        if "".join(self.pieces).strip() or self._boxes:
            self.paragraph(ParagraphForm())
        self._end_table()
        for kind, title in _NOTE_TITLES:
            found = [note for note in self._notes if note.kind == kind]
            if found:
                self.flow.section(title)
            for note in found:
                self.flow.entry(note.author, note.text, note.place)
        self.flow.margins(self._margins)

    def _begin(self) -> None:
        self._number, self.bold, self._boxes = "", True, []

    def _take(self) -> str:
        """Return the text since the last paragraph or cell."""
        text = join_pieces(self.pieces)
        self.pieces.clear()
        return text

    def _end_table(self) -> None:
        self.row()
        if not self._rows:
            return
        table = self._rows.table(self.flow.count_cells)
        if max(map(len, table.rows)) > 1:
            self.flow.table(table)
            return
        for row in table.rows:
            self.flow.paragraph(" ".join(row))


def join_pieces(pieces: Sequence[str]) -> str:
    """Return the text of pieces, in which a rare character may be two halves."""
    return "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _heading_level(style: str) -> int:
    """Return the level of a heading by the name of its style, as Word has them, else 0."""
    last = style.removeprefix("heading ")
    if last != style and last in tuple("123456789"):
        return 1 + int(last)
    return int(style == "title")
