"""A corpus of files of 26 formats, read by the product and by another reader.

Each cell of a table that the other reader finds is the cell of a unit under the same name; each item
of a list is a unit with its introduction; each quotation of a unit stands in the other reader's text.
Set REAL_FILES to a folder to have its files read in the same way, with the shares by format.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rag.domain import Document, RawDocument, Unit, UnitKind
from rag.errors import Unreadable
from rag.ingest.clean import clean_document
from rag.ingest.formats.registry import file_format
from rag.ingest.load import load_file, walk_files
from tests.ingest.test_formats_plain import cut, read
from tests.support.corpus import WRITERS, Content, contents
from tests.support.second_readers import READERS, Found, plain, read_md

#: the mark of an item
_MARK = re.compile(r"\A(?:[-*+•●○▪☐☒]\s+|\(?\w{1,3}[.)]\s+)")
#: characters at the end of an introduction that are compared; the product gives its last sentence.
#: A paragraph without a colon above a list is no introduction
_COMPARED_CHARS = 25


class Share(NamedTuple):
    """How much of what another reader finds was found."""

    cells: int = 0
    all_cells: int = 0
    items: int = 0
    all_items: int = 0
    quotes: int = 0
    all_quotes: int = 0

    def __add__(self, other: tuple[int, ...]) -> Share:  # type: ignore[override]
        return Share(*(a + b for a, b in zip(self, other, strict=True)))


class Units:
    """The units of the documents of a file, for looking up."""

    def __init__(self, documents: list[Document], ending: str) -> None:
        self._shown = rendered if ending in (".md", ".ipynb") else plain
        self.cells: dict[str, list[str]] = defaultdict(list)
        self.items: dict[str, list[str]] = defaultdict(list)
        self.quotes: list[str] = []
        for document in documents:
            for unit in document.units:
                self._add(document, unit)

    def _add(self, document: Document, unit: Unit) -> None:
        text = document.text
        assert 0 <= unit.span.start < unit.span.end <= len(text)
        headings = [path for span, path in document.headings if span.start <= unit.span.start]
        around = self._shown(" ".join([unit.context, *headings[-1:]])).lower()
        for cell in unit.cells:
            assert cell.span.within(unit.span)
            value = self._shown(cell.span.of(text))
            self.cells[value].append(f"{self._shown(cell.header).lower()} {around}")
            self.quotes.append(value)
        if unit.kind is UnitKind.ITEM:
            said = self._shown(_MARK.sub("", unit.span.of(text)))
            self.items[said].append(around)
            self.quotes.append(said)

    def has_cell(self, header: str, value: str) -> bool:
        """Is a cell of this value under this name?"""
        return any(plain(header).lower() in around for around in self.cells.get(plain(value), ()))

    def has_item(self, introduction: str, item: str) -> bool:
        """Is an item of this text under this introduction?"""
        introduces = introduction.endswith(":")
        said = plain(introduction).strip(" :").lower()[-_COMPARED_CHARS:] if introduces else ""
        return any(said in around for around in self.items.get(plain(item), ()))


def rendered(markdown: str) -> str:
    """Return Markdown as a person sees it."""
    return plain(read_md(markdown.encode()).text)


def compare(documents: list[Document], found: Found, ending: str) -> Share:
    """Count what another reader finds and the units have, and quotations that it has too."""
    units, text = Units(documents, ending), plain(found.text)
    return Share(
        sum(units.has_cell(*cell) for cell in found.cells),
        len(found.cells),
        sum(units.has_item(*item) for item in found.items),
        len(found.items),
        sum(quote in text for quote in units.quotes),
        len(units.quotes),
    )


def missing(documents: list[Document], found: Found, ending: str) -> list[object]:
    """The first things that are not found."""
    units, text = Units(documents, ending), plain(found.text)
    return [
        *[cell for cell in found.cells if not units.has_cell(*cell)][:5],
        *[item for item in found.items if not units.has_item(*item)][:5],
        *[quote for quote in units.quotes if quote not in text][:5],
    ]


def documents_of(folder: Path, name: str, content: bytes) -> list[Document]:
    """The documents of a file; each chunk of them is a slice of the text."""
    documents = list[Document]()
    for part in read(folder, name, content):
        assert isinstance(part, RawDocument)
        documents.append(clean_document(part, name + part.name))
        cut(documents[-1])
    return documents


@pytest.mark.slow
@pytest.mark.parametrize("made", contents(), ids=lambda made: made.name)
@pytest.mark.parametrize("ending", WRITERS)
def test_what_another_reader_finds_is_a_unit(tmp_path: Path, ending: str, made: Content) -> None:
    content = WRITERS[ending](made)
    documents = documents_of(tmp_path, f"{made.name}{ending}", content)
    found = READERS[ending](content)
    if ending == ".pdf":  # pypdf finds words, not tables
        found.table([made.header, *made.rows])
        found.items = [(made.introduction, item) for item in made.items]
    share = compare(documents, found, ending)
    assert share.all_cells >= len(made.rows)
    assert share == Share(*(n for n in share[1::2] for _ in range(2))), missing(
        documents, found, ending
    )


def test_the_corpus_is_large_enough() -> None:
    assert len(WRITERS) >= 20
    assert len(WRITERS) * len(contents()) >= 80
    assert READERS.keys() == WRITERS.keys()


# -- real files


#: of these only quotations are compared. The other readers find no tables in a PDF; in a workbook
#: they know neither where a table begins nor how its numbers are shown; of a page they do not know
#: what is navigation
_ONLY_QUOTES = (".pdf", ".xlsx", ".html")
#: least shares over a folder of real files: cells, items, quotations
_LEAST = 0.9, 0.8, 0.9


def _real(folder: Path) -> Iterator[tuple[str, Path, list[Document], Found]]:
    """Read each file of a folder that both readers can read."""
    for file in walk_files(str(folder)):
        try:
            ending = file_format(file.path)[0]
            parts = list(load_file(file)) if ending in READERS else []
        except Unreadable:
            continue
        raws = [part for part in parts if isinstance(part, RawDocument)]
        documents = [clean_document(raw, file.source + raw.name) for raw in raws]
        for document in documents:
            cut(document)
        if documents:
            path = Path(file.path)
            found = READERS[ending](path.read_bytes())
            if ending in _ONLY_QUOTES:
                found.cells, found.items = [], []
            yield ending, path, documents, found


def _report(folder: Path) -> dict[str, tuple[int, Share]]:
    """Return the number of files and the shares of each format."""
    shares = dict[str, tuple[int, Share]]()
    for ending, path, documents, found in _real(folder):
        share = compare(documents, found, ending)
        count, before = shares.get(ending, (0, Share()))
        shares[ending] = count + 1, before + share
        if share != Share(*(n for n in share[1::2] for _ in range(2))):
            print(f"{path.name}: {share} {missing(documents, found, ending)}"[:600])
    for ending, (count, share) in sorted(shares.items()):
        print(ending, count, share)
    return shares


@pytest.mark.skipif(
    not os.environ.get("REAL_FILES"),
    reason="REAL_FILES names no folder of real files",
)
def test_real_files() -> None:
    shares = _report(Path(os.environ["REAL_FILES"]))
    total = sum((share for _, share in shares.values()), Share())
    assert total.cells >= _LEAST[0] * total.all_cells
    assert total.items >= _LEAST[1] * total.all_items
    assert total.quotes >= _LEAST[2] * total.all_quotes
