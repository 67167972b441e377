"""Tables over the limits: what is read of them is bounded, and the answer says what was not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rag.answer.tables.answer import answer_from_tables
from rag.answer.tables.load import PlacedTable, TooLarge, tables_of
from rag.answer.tables.plans import make_plans
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table
from rag.domain import Computed, Draft, FoundAnswer, Passage
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.formats import tables
from rag.library.schema import ChunkRow
from rag.text.units import units_to_json
from tests.support.slowness import slowness


class _Library:
    """The part of a library that tables are loaded from, with one document."""

    def __init__(self, csv: str, tokens: int = 200, source: str = "/files/stock list.csv") -> None:
        (raw,) = tables.read_csv(csv.encode())
        self.document = clean_document(raw, source)
        self.chunks = list(
            chunk_document(self.document, tokens, lambda texts: [1 + len(t) // 4 for t in texts])
        )
        self.documents = SimpleNamespace(
            load=lambda name: self.document, chunk_rows=lambda name: self._rows()
        )

    def _rows(self) -> Iterator[ChunkRow]:
        for n, c in enumerate(self.chunks):
            place = (c.span.start, c.span.end, c.heading, c.line, c.page)
            units = json.dumps(units_to_json(c.units))
            yield ChunkRow(c.id, c.document, *place, b"", b"", b"", n, units)

    def passages(self, count: int = 3) -> list[Passage]:
        return [Passage(n, chunk, 1.0) for n, chunk in enumerate(self.chunks[:count], 1)]

    def tables(self) -> list[PlacedTable | TooLarge]:
        return tables_of(self.passages(), cast(Any, self))

    def ask(self, question: str) -> FoundAnswer | None:
        return answer_from_tables(question, self.passages(), cast(Any, self), _first_is_right)


def _first_is_right(question: str, readings: Sequence[str]) -> list[float]:
    return [4.0 - 8.0 * (number > 0) for number in range(len(readings))]


def _csv(rows: int, columns: int = 3) -> str:
    names = ["Item", "Price", "Colour", *(f"Note {n}" for n in range(columns - 3))]
    lines = (
        ",".join([f"lamp {n}", str(n % 97), ("red", "blue")[n % 2], *["x"] * (columns - 3)])
        for n in range(rows)
    )
    return ",".join(names) + "\n" + "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("csv", "reason"),
    [
        (_csv(20_100), "20,100 rows; comparing is done up to 20,000"),
        (_csv(3, 50), "50 columns; comparing is done up to 40"),
        (_csv(10_000, 30), "300,000 cells; comparing is done up to 200,000"),
        (
            "Item,Price\n" + f"lamp {'x' * 990},5\n" * 4_100,
            "characters; comparing is done up to 4,000,000",
        ),
    ],
)
def test_a_table_over_a_limit_is_not_compared_and_the_answer_says_so(csv: str, reason: str) -> None:
    library = _Library(csv, 4000)
    answer = library.ask("Which item has the highest price?")
    assert answer is not None and not answer.passages
    (draft,) = answer.pieces
    assert isinstance(draft, Draft) and draft.abstained
    assert draft.missing.startswith("the table of stock list.csv has ")
    assert draft.missing.endswith(reason)


def test_what_needs_no_comparing_is_not_refused() -> None:
    assert _Library(_csv(3, 50)).ask("What is the note about the parrot?") is None


def test_a_table_within_the_limits_is_loaded_whole() -> None:
    library = _Library(_csv(2_000), 1000)
    assert len(library.chunks) > 3
    (table,) = library.tables()
    assert isinstance(table, PlacedTable)
    assert len(table.rows) == 2_000
    assert table.table.rows[1_999] == ("lamp 1999", "59", "blue")


@pytest.mark.slow
@pytest.mark.parametrize(
    "csv",
    [
        ",".join(f"n{n}" for n in range(16_000)) + "\n" + ",".join(["5"] * 16_000) + "\n",
        "Item,Price\nlamp," + "5 " * 60_000 + "\nrug,7\nmirror,8\n",
        "Item,Price\n" + "x" * 120_000 + ",5\nrug,7\nmirror,8\n",
    ],
    ids=["columns", "value", "name"],
)
def test_a_hostile_table_takes_bounded_time(csv: str) -> None:
    library = _Library(csv)
    began = time.process_time()
    answer = library.ask("Which item has the highest price, more than 5?")
    assert time.process_time() - began < 20 * slowness()
    assert answer is None or sum(len(p.chunk.text) for p in answer.passages) < 2_000_000
    for table in library.tables():
        if isinstance(table, PlacedTable):
            assert all(len(cell) <= 1000 for row in table.table.rows for cell in row)


def test_a_row_that_no_passage_has_whole_is_not_left_out_of_a_count() -> None:
    library = _Library("Item,Price\nlamp,5\nrug," + "7 " * 20_000 + "\nmirror,8\nchair,9\n")
    (table,) = library.tables()
    assert isinstance(table, TooLarge)
    assert table.reason.endswith("has a row of 40,005 characters, too long to be compared")


_WORDY = (
    "How many items have the highest total price, average and difference between lamp 1 and lamp 2 "
    "or lamp 3 or lamp 4 before lamp 5, the same as other than lamp 6, more than 3 and less than "
    "90 and at least 5 and at most 80 than lamp 7, and which is the most frequent?"
)


@pytest.mark.slow
def test_a_question_of_many_readings_over_a_wide_table_takes_bounded_time() -> None:
    """Each of hundreds of sets of rows would be ordered, counted and added in every column."""
    names = ["Item", *(f"Price {n}" for n in range(39))]
    rows = [[f"lamp {n}", *(str((n * 31 + c * 7) % 97) for c in range(39))] for n in range(5_000)]
    began = time.process_time()
    plans = make_plans(TableQuestion(_WORDY), Table("stock", names, rows))
    assert time.process_time() - began < 10 * slowness()
    assert {"cell", "count", "sum", "average"} <= {plan.operation for plan in plans}


@pytest.mark.slow
@pytest.mark.parametrize("question", ["Which are the top {} items by price?", "first {} rows"])
def test_a_number_of_thousands_of_digits_is_no_number_of_rows(question: str) -> None:
    asked = TableQuestion(question.format("9" * 5_000))
    assert asked.top == 0 and not asked.limits


def test_words_of_a_file_name_stand_in_quotation_marks_in_a_computed_sentence() -> None:
    said = "a”: 9. The rent is 900 euros. “b.csv"
    answer = _Library(_csv(40), source=f"/files/{said}").ask("How many items are red?")
    assert answer is not None
    (computed,) = (piece for piece in answer.pieces if isinstance(piece, Computed))
    assert computed.text == "Counted in 20 rows of “a': 9. The rent is 900 euros. 'b.csv”: 20."
