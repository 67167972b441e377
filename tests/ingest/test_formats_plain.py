"""Formats that are text already: reStructuredText, source code, JSON, tables, notebooks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.domain import Chunk, Document, RawDocument, RefusedPart
from rag.errors import Unreadable
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.formats.common import LineBuilder
from rag.ingest.formats.sheet_blocks import add_records
from rag.ingest.load import File, load_file
from rag.text.sentences import split_sentences
from tests.support.examples import examples


def by_word(texts: Sequence[str]) -> list[int]:
    return [len(t.split()) for t in texts]


def read(folder: Path, name: str, content: bytes) -> list[RawDocument | RefusedPart]:
    path = folder / name
    path.write_bytes(content)
    return list(load_file(File(str(path), path.name, len(content), 0)))


def one(folder: Path, name: str, content: bytes) -> Document:
    """The only document of a file, cut by the law of chunks."""
    (raw,) = read(folder, name, content)
    assert isinstance(raw, RawDocument)
    document = clean_document(raw, name)
    cut(document)
    return document


def cut(document: Document, size: int = 60) -> list[Chunk]:
    """Return its chunks: each is a slice, on one page, under its heading; together they are whole."""
    chunks = list(chunk_document(document, size, by_word))
    seen = [c.isspace() for c in document.text]
    for part in chunks:
        assert document.text[part.span.start : part.span.end] == part.text
        assert part.line == document.text[: part.span.start].count("\n") + 1
        under = [
            name for span, name in document.headings if span.start <= part.span.start < span.end
        ]
        assert part.heading == (under[-1] if under else "")
        on = [
            n
            for n, page in enumerate(document.pages, 1)
            if page.start <= part.span.start < page.end
        ]
        assert part.page == (on[0] if on else None)
        seen[part.span.start : part.span.end] = [True] * len(part.text)
    for masked in document.mask:
        seen[masked.start : masked.end] = [True] * (masked.end - masked.start)
    assert all(seen), "something is left out"
    return chunks


def refusal(folder: Path, name: str, content: bytes) -> str:
    with pytest.raises(Unreadable) as error:
        read(folder, name, content)
    assert error.value.cure
    return str(error.value)


# -- reStructuredText --

RST = """====
Pump
====

:Date: 2023-05-04

Intro words here.

Bolts
-----

Tighten them to 40 Nm.
"""


def test_restructured_text(tmp_path: Path) -> None:
    document = one(tmp_path, "pump.rst", RST.encode())
    assert (document.text, document.title, document.date) == (RST, "Pump", "2023-05-04")
    assert [name for _, name in document.headings] == ["Pump", "Pump › Bolts"]


# -- source code --

CODE = '''"""Counts bees."""

import os

# Comments
class Hive:
    """Where bees live."""

    def count(self, bees):
        # not a heading
        return len(bees)
        return len(bees)


def main():
    print(Hive().count([]))
'''


def test_source_code_is_unchanged_and_cut_at_lines(tmp_path: Path) -> None:
    document = one(tmp_path, "hive.py", CODE.encode())
    assert document.text == CODE and document.title == "hive" and document.mask == ()
    assert [name for _, name in document.headings] == [
        "class Hive",
        "class Hive › def count",
        "def main",
    ]
    lines = {line for line in CODE.split("\n") if line.strip()}
    for part in cut(document, 8):
        assert set(part.text.split("\n")) - {""} <= lines, "a line is cut"


@pytest.mark.parametrize(
    ("name", "content", "headings"),
    [
        ("a.rs", "pub fn swim() {}\n", ["fn swim"]),
        (
            "a.ts",
            "export default class Otter {\n  async function dive() {}\n}\n",
            ["class Otter", "class Otter › function dive"],
        ),
        ("a.go", "func Swim() {\n}\n", ["func Swim"]),
        ("a.yaml", "# not a heading\nname: otter\n", []),
        ("Makefile", "all:\n\techo hi\n", []),
        ("README", "Title\n=====\n\nWords.\n", ["Title"]),
    ],
)
def test_other_files_by_lines(tmp_path: Path, name: str, content: str, headings: list[str]) -> None:
    document = one(tmp_path, name, content.encode())
    assert document.text == content and [h for _, h in document.headings] == headings


def test_long_lines_of_code_are_cut_all_the_same(tmp_path: Path) -> None:
    (raw,) = read(tmp_path, "a.py", (b" " * 500 + b"word " * 1000 + b"\n") * 3)
    assert isinstance(raw, RawDocument)
    assert max(by_word([c.text for c in cut(clean_document(raw, "a.py"), 30)])) <= 30


@examples(100)
@given(st.lists(st.text(" \tab.#=:|\r\x0b\u2028é", max_size=12), max_size=30), st.integers(3, 20))
@example([" " * 12], 3)
def test_lines_are_cut_by_the_law(rows: list[str], size: int) -> None:
    text = "\n".join(rows)
    cut(clean_document(RawDocument(text, headings=(), lines=True), "a.py"), size)


# -- JSON --


def test_json_is_the_file_itself(tmp_path: Path) -> None:
    text = json.dumps({"pump": {"torque": "40 Nm", "bolts": [1, 2, 3]}}, indent=2)
    assert one(tmp_path, "a.json", text.encode()).text == text
    one(tmp_path, "b.json", json.dumps([{"name": f"n {n}"} for n in range(500)]).encode())
    assert one(tmp_path, "deep.json", b"[" * 50_000).text == "[" * 50_000


def test_records_are_read_as_they_stand_and_a_corpus_as_documents(tmp_path: Path) -> None:
    text = '{"level": "warn", "what": "pump is hot"}\n{"level": "info", "what": "pump is cold"}\n'
    assert one(tmp_path, "log.jsonl", text.encode()).text == text
    names = [
        part.name
        for part in read(tmp_path, "c.jsonl", b'{"id":"a","text":"x"}\n{"id":"b","text":"y"}')
    ]
    assert names == ["a", "b"]


# -- tables --

CITIES = """City;Population;Founded
Bergen;285 601;1070
"Saint-Denis; La Plaine";113116;"long
ago"

Oslo;709037;
"""


def test_a_row_is_a_sentence_with_its_headers(tmp_path: Path) -> None:
    document = one(tmp_path, "cities.csv", CITIES.encode("utf-8-sig"))
    assert document.text.split("\n") == [
        "City | Population | Founded",
        "Bergen | 285 601 | 1070",
        "Saint-Denis; La Plaine | 113116 | long ago",
        "",
        "Oslo | 709037",
        "",
    ]
    assert document.title == "cities" and document.headings == ()


def test_rows_of_a_passage_stay_apart_where_it_is_read(tmp_path: Path) -> None:
    rows = "".join(
        f"Town number {n},{1000 + n},a village of the upper valley {n}\n" for n in range(40)
    )
    for text in ("Town,Population,Kind\n" + rows, rows.replace("Town", "7")):
        for part in cut(one(tmp_path, "t.csv", text.encode()), 120):
            found = [s.of(part.text) for s in split_sentences(part.text)]
            assert found == [line for line in part.text.split("\n") if line]


def test_a_table_without_a_header_keeps_its_values(tmp_path: Path) -> None:
    assert one(tmp_path, "a.tsv", b"1\t2\t3\n4\t\t6\n").text == "1 | 2 | 3\n4 | 6\n"
    assert one(tmp_path, "b.csv", b"Sales of 2023\nYear,Sum\n2023,7\n").text == (
        "Sales of 2023\nYear | Sum\n2023 | 7\n"
    )


def test_damaged_tables(tmp_path: Path) -> None:
    assert "field larger" in refusal(tmp_path, "a.csv", b"a,b\n" + b'"' + b"x" * 200_000 + b'",1\n')
    assert "no text" in refusal(tmp_path, "b.csv", b" \n ")
    assert "binary" in refusal(tmp_path, "c.csv", b"a,b\n\0\1\2,3\n")
    assert (
        one(tmp_path, "d.csv", b'a,b\n1,"never closed\n2,3\n').text
        == "a | b\n1 | never closed 2,3\n"
    )


CELLS = st.lists(st.lists(st.text("aB1 .;:|\"',\n\té", max_size=8), max_size=5), max_size=8)


@examples(150)
@given(CELLS)
def test_every_value_of_a_table_is_in_its_own_line(rows: list[list[str]]) -> None:
    builder = LineBuilder()
    add_records(builder, [["first", "7"], *rows, ["last", "8"]])
    lines = builder.raw().text.split("\n")[1:-2]
    assert len(lines) == len(rows)
    for row, line in zip(rows, lines, strict=True):
        if len({" ".join(cell.split()) for cell in row} - {""}) == 1:
            continue  # a label, given once
        at = 0
        for value in (" ".join(cell.split()) for cell in row):
            assert value in line[at:], "in order"
            at = line.index(value, at) + len(value)
        assert "\n" not in line


def test_the_library_of_python_finds_the_same_values(tmp_path: Path) -> None:
    rows = [
        ["Name", "Says"],
        ["Ann", 'the "pump", again'],
        ["Bo", "two\nlines"],
        ["Cy", "a;b|c\td"],
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    text = one(tmp_path, "a.csv", out.getvalue().encode()).text
    second = csv.reader(io.StringIO(out.getvalue(), newline=""))
    for number, (row, line) in enumerate(zip(second, text.split("\n"), strict=False)):
        assert all(" ".join(value.split()) in line for value in row), number


# -- notebooks --


def _notebook(*cells: dict[str, object], **metadata: object) -> bytes:
    return json.dumps(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


def test_a_notebook(tmp_path: Path) -> None:
    content = _notebook(
        {
            "cell_type": "markdown",
            "source": ["# Bees\n", "\n", "They make honey.\n", "```\n", "# no heading\n", "```"],
        },
        {
            "cell_type": "code",
            "source": "# a comment\nprint(6 * 7)",
            "outputs": [
                {"output_type": "stream", "text": ["42\n"]},
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "'done'", "image/png": "AAAA"},
                },
                {"output_type": "stream", "text": "x" * 30_000},
            ],
        },
        {"cell_type": "markdown", "source": "## Hives\nThere are 12."},
        date="2024-02-03",
    )
    document = one(tmp_path, "bees.ipynb", content)
    assert document.title == "Bees" and document.date == "2024-02-03"
    assert [name for _, name in document.headings] == ["Bees", "Bees › Hives"]
    assert "print(6 * 7)\n42\n'done'\n" in document.text and "AAAA" not in document.text
    assert "(20,000 more characters of output)" in document.text
    for cell in json.loads(content)["cells"]:
        assert "".join(cell["source"]) in document.text


def test_what_is_no_notebook(tmp_path: Path) -> None:
    for content in (b"{", b"[]", b"{}", b'{"cells": [1]}', b"[" * 100_000, _notebook()):
        refusal(tmp_path, "a.ipynb", content)
