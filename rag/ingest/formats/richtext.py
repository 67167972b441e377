"""RTF: paragraphs, lists, tables, notes, headers.

By a reader of our own: the library for it (striprtf) leaves out footnotes and headers, knows
neither headings nor merged cells, and has patterns whose time grows with the square of a file. The
tokens of a file are read once. What is hidden or deleted is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from rag.domain import RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.formats.common import check_length
from rag.ingest.formats.content_kind import refuse_other_kind
from rag.ingest.formats.not_taken import NotTaken, Tally
from rag.ingest.formats.rtf_blocks import Blocks, ParagraphForm, join_pieces
from rag.ingest.formats.rtf_tables import RowForm
from rag.ingest.formats.rtf_tokens import Token, code_page, code_page_of_font, tokens

#: groups that may lie one in another
_MAX_DEPTH = 2000
_CHARACTERS = {
    "tab": "\t",
    "line": "\n",
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
    **dict.fromkeys(("emspace", "enspace", "qmspace", "nestcell", "nestrow"), " "),
}
_SYMBOLS = {b"~": "\xa0", b"_": "\u2011", b"{": "{", b"}": "}", b"\\": "\\"}
#: parts whose text goes to a place of its own
_PLACES = {
    **{name: name for name in ("footnote", "annotation", "atnauthor")},
    **dict.fromkeys(("header", "headerl", "headerr", "headerf"), "margin"),
    **dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "margin"),
    **dict.fromkeys(("listtext", "pntext"), "number"),
    "shptxt": "box",
    "fonttbl": "fonts",
    "stylesheet": "styles",
}
#: parts that an old program may pass over, and that are read
_STARRED = ("shpinst", "shppict", *_PLACES)
#: parts that are not text
_SKIPPED = frozenset(
    "colortbl info pict objdata themedata datastore listtable listoverridetable fldinst nonshppict "
    "sp xe tc rxe filetbl revtbl rsidtbl generator pntxta pntxtb ftnsep ftnsepc aftnsep bkmkstart "
    "bkmkend nonesttables shprslt do".split()
)
_MERGES = {"clmgf": "", "clmrg": "left", "clvmgf": "", "clvmrg": "above"}
_COUNTED = {"pict": NotTaken.PICTURES, "objdata": NotTaken.OBJECTS}


@dataclass(slots=True)
class _State:
    """What holds in a group and in those in it."""

    out: list[str]  #: where text goes
    form: ParagraphForm
    place: str = "body"
    codec: str = ""  #: of the font; "" for that of the file
    skip: int = 1  #: characters that stand for a Unicode character in old programs
    hidden: bool = False
    deleted: bool = False
    bold: bool = False
    defined: int = -1  #: the style or font that is defined
    in_object: bool = False

    def inner(self) -> _State:
        """Return a copy, for a group in this one; `copy.copy` takes ten times as long."""
        return _State(
            self.out,
            self.form,
            self.place,
            self.codec,
            self.skip,
            self.hidden,
            self.deleted,
            self.bold,
            self.defined,
            self.in_object,
        )


def read_rtf(content: bytes) -> Iterator[RawDocument | RefusedPart]:
    """Yield a document of rich text, and what it holds that is not taken in."""
    if not content[:1000].lstrip().startswith(b"{\\rtf"):
        refuse_other_kind(content, "RTF")
        raise Unreadable(
            "is not RTF by its content", "open it in its own program and save it again"
        )
    reader = _Reader()
    for token in tokens(content):
        reader.read(token)
    reader.end()
    yield reader.blocks.flow.raw(reader.blocks.title)
    yield from reader.tally.parts()


class _Reader:
    """Turns tokens into blocks."""

    def __init__(self) -> None:
        self.blocks, self.tally = Blocks(), Tally()
        self._state, self._stack = _State(self.blocks.pieces, ParagraphForm()), list[_State]()
        self._starred = False
        self._left_to_skip = 0
        self._bytes = bytearray()  #: of characters that may take several
        self._fonts, self._codec = dict[int, str](), "cp1252"
        self._length = 0

    def read(self, token: Token) -> None:
        """Take the next token."""
        if token.kind in ("hex", "text"):
            skipped = min(self._left_to_skip, len(token.value))
            self._left_to_skip -= skipped
            if self._state.place != "skip":
                self._bytes += token.value[skipped:]
            return
        self._flush()
        if token.kind == "{":
            self._open()
        elif token.kind == "}":
            self._close()
        elif token.kind == "word":
            self._word(token.name, token.number)
        elif token.value == b"*":
            self._starred = True
        elif token.value in (b"\n", b"\r"):
            self._word("par", None)
        else:
            self._add(_SYMBOLS.get(token.value, ""))

    def end(self) -> None:
        """Finish the document."""
        self._flush()
        while self._stack:
            self._close()
        self.blocks.end()

    def _flush(self) -> None:
        if self._bytes:
            self._add(self._bytes.decode(self._state.codec or self._codec, "replace"))
            self._bytes.clear()

    def _add(self, text: str) -> None:
        state = self._state
        if not text or state.place == "skip" or state.deleted:
            return
        if state.hidden:
            self.tally.add(NotTaken.HIDDEN, bool(text.strip()))
            return
        self._length += len(text)
        check_length(self._length)
        state.out.append(text)
        if state.place == "body" and text.strip():
            self.blocks.bold = self.blocks.bold and state.bold

    def _open(self) -> None:
        if len(self._stack) >= _MAX_DEPTH:
            raise Unreadable(f"nests more than {_MAX_DEPTH:,} groups", "save it as .docx or .txt")
        self._stack.append(self._state)
        self._state = self._state.inner()
        self._starred, self._left_to_skip = False, 0

    def _close(self) -> None:
        if not self._stack:
            return
        closed, self._state = self._state, self._stack.pop()
        self._left_to_skip = 0
        if closed.out is self._state.out:
            return
        text = join_pieces(closed.out)
        if closed.place == "styles" and closed.defined >= 0:
            self.blocks.styles[closed.defined] = text.strip("; ").lower()
        else:
            self.blocks.part(closed.place, text)

    def _word(self, word: str, number: int | None) -> None:
        starred, self._starred = self._starred, False
        state = self._state
        if state.place == "skip":
            if word == "title":  # in the properties
                state.place, state.out = word, []
        elif word in _SKIPPED or (starred and word not in _STARRED):
            if word in _COUNTED and not (state.in_object and word == "pict"):
                self.tally.add(_COUNTED[word])
            state.place, state.out = "skip", []
        elif word in _PLACES:
            state.place, state.out = _PLACES[word], []
        elif word in _CHARACTERS:
            self._add(_CHARACTERS[word])
        elif word == "u":
            self._add(chr((number or 0) & 0xFFFF))
            self._left_to_skip = state.skip
        elif word in _MERGES:
            self.blocks.form.next_merged = _MERGES[word]
        elif action := _ACTIONS.get(word):
            action(self, state, number)

    # -- what control words do; `number` is theirs

    def end_paragraph(self, state: _State, number: int | None) -> None:
        """End a paragraph of the body, or a line of another part."""
        if state.place == "body":
            self.blocks.paragraph(state.form)
        else:
            state.out.append("\n")

    def end_cell(self, state: _State, number: int | None) -> None:
        """End a cell."""
        if state.place == "body":
            self.blocks.cell()

    def end_row(self, state: _State, number: int | None) -> None:
        """End a row."""
        if state.place == "body":
            self.blocks.row()

    def define_row(self, state: _State, number: int | None) -> None:
        """Begin the definition of a row."""
        self.blocks.form = RowForm()

    def define_edge(self, state: _State, number: int | None) -> None:
        """End the definition of a cell."""
        self.blocks.form.edge(number or 0)

    def define_header(self, state: _State, number: int | None) -> None:
        """Make the row that is defined a header."""
        self.blocks.form.header = True

    def font(self, state: _State, number: int | None) -> None:
        """Take a font, or begin its definition."""
        if state.place == "fonts":
            state.defined = number or 0
        else:
            state.codec = self._fonts.get(number or 0, "")

    def charset(self, state: _State, number: int | None) -> None:
        """Define the characters of a font."""
        if state.place == "fonts":
            self._fonts[state.defined] = code_page_of_font(number)

    def style(self, state: _State, number: int | None) -> None:
        """Take a style, or begin its definition."""
        if state.place == "styles":
            state.defined, state.out = number or 0, []
        else:
            state.form = replace(state.form, style=number or 0)

    def code_page(self, state: _State, number: int | None) -> None:
        """Set the code page of the file."""
        self._codec = code_page(number)


def _plain(reader: _Reader, state: _State, number: int | None) -> None:
    state.hidden = state.bold = False


def _new_form(reader: _Reader, state: _State, number: int | None) -> None:
    state.form = ParagraphForm()


def _in_table(reader: _Reader, state: _State, number: int | None) -> None:
    state.form = replace(state.form, in_table=True)


def _switch(name: str) -> _Action:
    """Return the action that puts a property of the state on, or off for the number 0."""
    return lambda reader, state, number: setattr(state, name, number != 0)


def _form(name: str) -> _Action:
    """Return the action that sets a number of the paragraph."""

    def act(reader: _Reader, state: _State, number: int | None) -> None:
        change: dict[str, Any] = {name: number or 0}
        state.form = replace(state.form, **change)

    return act


_Action = Callable[[_Reader, _State, int | None], None]
_ACTIONS: dict[str, _Action] = {
    **dict.fromkeys(("par", "sect", "page"), _Reader.end_paragraph),
    "cell": _Reader.end_cell,
    "row": _Reader.end_row,
    "trowd": _Reader.define_row,
    "cellx": _Reader.define_edge,
    "trhdr": _Reader.define_header,
    "f": _Reader.font,
    "fcharset": _Reader.charset,
    "s": _Reader.style,
    "ansicpg": _Reader.code_page,
    "plain": _plain,
    "pard": _new_form,
    "b": _switch("bold"),
    "v": _switch("hidden"),
    "deleted": _switch("deleted"),
    "object": _switch("in_object"),
    "outlinelevel": _form("outline"),
    "ilvl": _form("depth"),
    "intbl": _in_table,
    "ls": _form("list_key"),
    "uc": lambda reader, state, number: setattr(state, "skip", number or 0),
}
