"""Questions that ask for rows themselves: by a column of yes and no, or by a verb that names a column."""

from __future__ import annotations

import pytest

from rag.answer.asked_rows import asked_rows, columns_fulfilled
from rag.answer.lookup import look_up
from rag.domain import Passage, RawDocument
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.formats.plain import read_yaml
from tests.support.structured import table_passage

KEEPERS = """keepers:
  - name: Mona Dell
    trainer: Kolb
    keys: true
    trained: 2011
  - name: Ivo Marsh
    trainer: Aske
    keys: false
    trained: 2018
  - name: Sela Ruiz
    trainer: Kolb
    keys: true
    trained: 2020
"""
CRATES = table_passage(
    "item,month,content,checked\nK-1,April,ropes,yes\nK-2,May,sails,no\nK-3,March,lamps,no\n",
    "crates.csv",
)


def _records(text: str) -> Passage:
    (raw,) = read_yaml(text.encode())
    assert isinstance(raw, RawDocument)
    chunks = list(
        chunk_document(clean_document(raw, "keepers.yaml"), 400, lambda ts: [len(t) for t in ts])
    )
    return Passage(1, chunks[0], 1.0)


def _shorts(question: str, passage: Passage) -> list[str]:
    start, text = passage.chunk.span.start, passage.chunk.text
    found = look_up(question, [passage])
    return sorted({text[p.short.start - start : p.short.end - start] for p in found})


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("Which keepers have keys?", "keep"),
        ("which archive items have not been checked yet", "item"),
        ("What is the price of the boat?", ""),
        ("Who has keys?", ""),
        ("Which is larger?", ""),
    ],
)
def test_the_noun_of_the_rows_that_are_asked_for(question: str, noun: str) -> None:
    assert asked_rows(question) == noun


@pytest.mark.parametrize(
    ("question", "cells", "columns"),
    [
        ("Which keepers have keys?", {"name": "Ann", "keys": "yes"}, [1]),
        ("Which keepers have keys?", {"name": "Ann", "keys": "no"}, None),
        ("Which keepers have no keys?", {"name": "Ann", "keys": "no"}, [1]),
        ("Which keepers have no keys?", {"name": "Ann", "keys": "two"}, None),
        ("Which keepers have keys?", {"name": "Ann", "keys": "two"}, []),
        ("Which keepers have keys?", {"name": "Ann", "keys_lost": "no"}, []),
        ("Which keepers must have keys?", {"name": "Ann", "keys": "no"}, None),
        ("Which keepers have keys or lamps?", {"keys": "yes", "lamps": "no"}, None),
        ("Which keepers have keys but no lamps?", {"keys": "no", "lamps": "no"}, None),
        ("Which keepers not from Bern have keys?", {"name": "Ann", "keys": "no"}, None),
        ("Which keepers have keys?", {"keeper": "no", "keys": "yes"}, [1]),
    ],
)
def test_a_row_fulfils_the_columns_of_yes_and_no(
    question: str, cells: dict[str, str], columns: list[int] | None
) -> None:
    assert columns_fulfilled(question, list(cells.values()), list(cells)) == columns


def test_a_column_that_a_word_of_denial_names_is_not_turned_round() -> None:
    runs = table_passage("test,owner,failed\nt1,a,yes\nt2,b,no\n", "tests.csv")
    assert _shorts("Which tests failed?", runs) == []


def test_a_property_is_asked_for_where_the_file_is_named_like_it() -> None:
    prices = table_passage("service,category,amount\nSauna,Wellness,12\n", "price list.csv")
    assert _shorts("What price does the sauna have?", prices) == ["12"]


def test_a_month_that_is_a_name_asks_for_no_month() -> None:
    people = table_passage(
        "name,phone,born\nJune Carter,1234567,1990-03-04\nTom Berg,7654321,1980-06-12\n",
        "people.csv",
    )
    assert _shorts("What is June's phone number?", people) == ["1234567"]


def test_the_names_of_the_records_whose_field_says_yes_answer_with_the_whole_record() -> None:
    keepers = _records(KEEPERS)
    assert _shorts("Which keepers have keys?", keepers) == ["Mona Dell", "Sela Ruiz"]
    (first, _) = look_up("Which keepers have keys?", [keepers])
    assert "keys: true" in first.quote.of(KEEPERS)


def test_a_verb_that_names_another_column_does_not_ask_for_its_value() -> None:
    assert _shorts("Which keepers were trained by Kolb?", _records(KEEPERS)) == [
        "Mona Dell",
        "Sela Ruiz",
    ]
    assert _shorts("When was Ivo Marsh trained?", _records(KEEPERS)) == ["2018"]


def test_a_denial_of_a_column_of_yes_and_no_is_looked_up_and_no_other() -> None:
    assert _shorts("Which items have not been checked?", CRATES) == ["K-2", "K-3"]
    assert _shorts("Which items have been checked?", CRATES) == ["K-1"]
    assert _shorts("Which items are not ropes?", CRATES) == []
    people = table_passage(
        "name,city,licence\nAnna,Bern,no\nBert,Basel,no\nCleo,Bern,yes\n", "helpers.csv"
    )
    assert _shorts("Which helpers in Bern have no licence?", people) == ["Anna"]
    assert _shorts("Which helpers do not live in Bern?", people) == []


def test_a_row_of_another_month_does_not_answer() -> None:
    assert _shorts("What is the content for April?", CRATES) == ["ropes"]
    assert _shorts("What is the content for May?", CRATES) == ["sails"]
    assert _shorts("What is the content for June?", CRATES) == []
