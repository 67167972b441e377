"""Headings of plain text, and what looks like one."""

from __future__ import annotations

import pytest

from rag.domain import RawDocument, UnitKind
from rag.ingest.clean import clean_document
from rag.ingest.structure.text_headings import find_text_headings

MINUTES = (
    "Harbour committee\nMinutes of 4 March\n\n1. Minutes of February: agreed without a change.\n\n"
    "2. The crane\nIt will be painted in May. Ola Berg objects.\nThe paint is grey.\n\n"
    "3. Moorings\nEleven are free. The fee stays at 40.\n"
)
RULES = (
    "HOUSE RULES\n\nOPENING HOURS\n\nThe gate is open from 8 to 18.\n\n"
    "GUESTS AND PETS\nGuests sign the book. Dogs stay outside.\n"
)
LEASE = "Lease\n\n4. Notice\n\n4.1 The tenant gives three months.\n\n5. Deposit\n\nIt is 900.\n"


def titles(text: str) -> list[tuple[int, str]]:
    found = find_text_headings(text)
    assert all(text[start:].startswith(title) for start, _, title in found)
    return [(level, title) for _, level, title in found]


def test_numbered_titles_and_lines_in_capitals_are_headings() -> None:
    assert titles(MINUTES) == [(1, "2. The crane"), (1, "3. Moorings")]
    assert titles(RULES) == [(1, "OPENING HOURS"), (1, "GUESTS AND PETS")]
    assert titles("Lease\n\n1. TERM\n\nTwo years.\n\n2. RENT\n\nIt is due.\n") == [
        (1, "1. TERM"),
        (1, "2. RENT"),
    ]
    assert titles(LEASE) == [(1, "4. Notice"), (1, "5. Deposit")]


@pytest.mark.parametrize(
    "text",
    [
        "Bread\n\n1. Mix the flour\n2. Add water\n3. Wait\n",
        "Bread\n\n1. Mix the flour\n\n2. Add water\n\n3. Wait\n\nServe warm.\n",
        "Stock\n\n1 Apples   3.50\n\n2 Pears   4.20\n\nAll in euros.\n",
        "Dear Ms Dell,\n\nthank you for the letter.\n\nYours\n\nI. MARSH\n",
        "Notes\n\n1. The pump runs well.\n\n2. The valve leaks.\n\nCall Ola.\n",
        "Bread\n\n1. Mix\n\n2. Wait an hour\n\nServe.\n\nSoup\n\n1. Chop\n\n2. Salt it\n\nServe hot.\n",
        "1. Press the switch\n\n   It is on the left.\n\n2. Wait\n\n   For long.\n",
        "5 Mill Lane\nOxford\n\n12 March 2024\n\nDear Ms Dell,\n\nThe house was built.\n",
        "M. Dell\nTenant\n\nADA BERG\nTreasurer\n\nThe deposit is two rents.\n",
        "Dough\n\n2 Eggs\nSugar\n\nFilling\n\n3 Apples\nCinnamon and more\n",
        "Bill\n\nTOTAL 24.50 EUR\nPaid by card on Monday\n\nID,NAME,PRICE\n1,Lamp,20\n",
        "Notes\n\n1. Turn the main switch off and the\nkitchen is dark. Wait.\n\n2. Go on with the\ncellar.\n",
    ],
)
def test_items_fields_and_names_are_none(text: str) -> None:
    assert titles(text) == []


def test_what_stands_below_has_the_heading_as_its_context_and_is_no_item() -> None:
    document = clean_document(RawDocument(MINUTES), "minutes.txt")
    at = MINUTES.index("Ola Berg")
    sections = [
        u for u in document.units if u.kind is UnitKind.SECTION and u.span.start <= at < u.span.end
    ]
    assert [unit.context for unit in sections] == ["2. The crane"]
    assert not any(unit.kind in (UnitKind.LIST, UnitKind.ITEM) for unit in document.units)
