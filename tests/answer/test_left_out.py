"""Masked text: a fact is never masked, and an answer says if masked text would answer."""

from __future__ import annotations

import json
import struct
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from rag import domain as d
from rag import serialize
from rag.answer import left_out as leftout
from rag.answer.answer import answer_question
from rag.cli import output
from rag.domain import Document, RawDocument
from rag.events import Answered
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.library import boilerplate as boilerplate_table
from rag.library.database import Database
from rag.text import boilerplate
from rag.text.boilerplate import line_hashes, mask_boilerplate, recurring_hashes
from tests.library.test_library import House
from tests.support.fakes import JUDGE, Script, WordPairs, passage
from tui.render.answer_text import abstention, notes
from tui.render.glyphs import UNICODE

FACTS = [
    "The yearly subscription fee is 900 euros.",
    "The yearly subscription fee is nine hundred euros.",
    "The subscription ends with the calendar year.",
    "You may cancel your subscription at any time.",
    "You may cancel your subscription within 14 days of its start.",
    "The notice period is three months.",
    "The privacy policy was approved by the board of Ashby.",
    "Terms and conditions of the lease are governed by Freedonian law.",
    "All rights reserved to the landlord are listed in annex B.",
    "Copyright in the drawings stays with the architect.",
    "The pump is powered by a diesel engine.",
    "Cookies are baked every Friday in the mill.",
    "The mill advertises its flour in the Gazette.",
    "The newsletter of the mill is printed in Ashby.",
    "Sign in at the desk of the porter.",
    "Subscription fee: 900 euros",
    "Subscription fee 900 euros",
    "Subscription included",
    "Newsletter: 12 issues a year",
    "Advertising costs 40 euros a line",
    "© 2020 the fee for a copy is 9 euros.",
    "Members log in with the number of their card.",
    "Sign up costs 5 euros",
]
BLOCKS = [
    "Heating costs are included\nPets are not allowed\nSmoking is forbidden\n",
    "Tenant pays heating costs\nLandlord pays repairs\nNeighbours share the stairs\n",
    "Managing Director\nJohn Smith\nAshby Mills\n",
    "Single Room\nDouble Room\nBreakfast Included\n",
    "Landlord\nMary Jones\nTenant\nPeter Brown\n",
    "Jane Doe\nChief Press Officer\nAshby Mills\n",
]
FURNITURE = [
    "We use cookies to make this site better for you. By reading on you agree.",
    "By using this website you agree to our terms of use and privacy policy.",
    "Subscribe to our newsletter and get the news in your inbox every morning.",
    "Please enable JavaScript in your browser to read this page.",
    "© 2019-2024 The Daily Freedonian. All rights reserved.",
    "Copyright 2024 The Daily Freedonian",
    "All rights reserved.",
    "Privacy Policy",
    "Sign In",
    "Follow us on Facebook and read our stories there.",
]


def _page(number: int, before: str = "", after: str = "", middle: str = "") -> str:
    decisions = "".join(
        f"In year {n} the council decided about house number {n * number} in the town.\n\n"
        for n in range(3)
    )
    fact = f"The mayor of town {number} speaks in this page about house {number}."
    return f"{before}\n\n{fact}\n\n{middle}\n\n{decisions}{after}\n"


def _masked(texts: list[str]) -> set[str]:
    """The lines that the documents of a folder have masked as its template."""
    documents = [clean_document(RawDocument(text), f"{n}.txt") for n, text in enumerate(texts)]
    found = recurring_hashes([{key for key, _ in line_hashes(document)} for document in documents])
    return {
        line
        for document in documents
        for span in set(mask_boilerplate(document, found).mask) - set(document.mask)
        for line in span.of(document.text).split("\n")
    }


@pytest.mark.parametrize("fact", [*FACTS, *BLOCKS])
@pytest.mark.parametrize("place", ["before", "after", "middle"])
@pytest.mark.parametrize("neighbours", [2, 7, 50])
def test_a_fact_that_neighbours_repeat_is_not_masked(
    fact: str, place: str, neighbours: int
) -> None:
    assert not _masked([_page(n, **{place: fact}) for n in range(1, neighbours + 1)])


@pytest.mark.parametrize("fact", [*FACTS, *BLOCKS])
def test_nor_beside_the_furniture_of_the_page(fact: str) -> None:
    menu, foot = (
        "World\nOpinion\nArts and Letters\n",
        f"{FURNITURE[0]}\nOur Authors\nCareers\nContact\n",
    )
    for before, after in (
        (menu, f"{fact}\n{foot}"),
        (f"{menu}\n{fact}", foot),
        (menu, f"{foot}\n{fact}"),
    ):
        found = _masked([_page(n, before=before, after=after) for n in range(1, 9)])
        assert not found & set(fact.splitlines()) and found & {"Opinion", FURNITURE[0]}


@pytest.mark.parametrize("fact", FACTS)
def test_a_document_of_one_sentence_is_not_masked(fact: str) -> None:
    assert not _masked([f"{fact}\n"] * 8) and not _masked([f"Town {n}\n{fact}\n" for n in range(8)])


@pytest.mark.parametrize("line", FURNITURE)
@pytest.mark.parametrize("place", ["before", "after"])
def test_the_notices_of_a_site_are_masked(line: str, place: str) -> None:
    texts = [_page(n, **{place: line}) for n in range(1, 9)]
    assert _masked(texts) == {line} or all(
        clean_document(RawDocument(text), "x").mask for text in texts
    ), "by its form alone, where clean knows it"


def _library(*documents: Document) -> Any:
    folder = tempfile.TemporaryDirectory()
    database = Database(Path(folder.name) / "library.db", make=True)
    database.connection.executescript(boilerplate_table.BOILERPLATE_TABLES)
    table = boilerplate_table.BoilerplateTable(database)
    for document in documents:
        table.put(document)
    return SimpleNamespace(
        boilerplate=table,
        documents=SimpleNamespace(load={x.id: x for x in documents}.__getitem__),
        folder=folder,  # is removed with this object
    )


class Pairs(WordPairs):
    fits: ClassVar = {"read": (1.0, 0.0, 0.58)}


def _document(text: str, *lines: str) -> Document:
    spans = tuple(d.Span(text.index(line), text.index(line) + len(line)) for line in lines)
    return Document("0123456789abcdef" * 2, "a/b.txt", "B", None, text, spans)


FEE = "We use cookies; the yearly subscription fee is 900 euros."
TEXT = f"World\nOpinion\n\nThe mayor speaks in this page.\n\n{FEE}\n"


def test_a_masked_line_that_would_answer_is_found_and_others_are_not() -> None:
    library = _library(_document(TEXT, "World\nOpinion", FEE))
    (found,) = leftout.masked_answers("What is the yearly subscription fee?", library, Pairs)
    assert (found.text, found.line, found.source) == (FEE, 6, "a/b.txt") and found.span.of(
        TEXT
    ) == FEE
    for question in (
        "Who leads the world?",
        "World opinion",
        "What does the mayor do?",
        "",
        "?",
        '"',
        "AND OR NOT",
    ):
        assert not leftout.masked_answers(question, library, Pairs), question


def test_a_label_is_read_with_its_neighbours() -> None:
    text = "Home\nJane Doe\nChief Press Officer\nSearch\n\nThe mayor speaks in this page.\n"
    library = _library(_document(text, "Home", "Jane Doe", "Chief Press Officer", "Search"))
    (found, *_) = leftout.masked_answers("Who is the chief press officer?", library, Pairs)
    assert "Jane Doe\nChief Press Officer" in found.text and found.span.of(text) == found.text


def test_nothing_is_read_where_nothing_is_masked() -> None:
    def never() -> Any:
        raise AssertionError("the model was opened")

    assert not leftout.masked_answers("What is the yearly subscription fee?", _library(), never)
    assert not leftout.masked_answers(
        "What is the yearly subscription fee?", _library(_document(TEXT)), never
    )


def _asked(claims: str = "", **more: Any) -> d.Answer:
    library = _library(_document(TEXT, FEE))
    here = passage(1, "The mayor speaks in this page.")
    writer = Script(claims) if claims else Script(draft=d.Draft(d.Receipt(), abstained=True))
    *_, last = answer_question(
        "What is the yearly subscription fee?",
        lambda q, k: (here,),
        writer,
        JUDGE,
        limit=5,
        searched=1,
        unread=lambda question: leftout.masked_answers(question, library, Pairs),
        **more,
    )
    assert isinstance(last, Answered)
    return last.answer


@pytest.mark.parametrize("claims", ["", "The mayor speaks in this page [1]."])
def test_it_is_said_in_the_answer_on_the_command_line_and_in_the_chat(
    claims: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = _asked(claims)
    assert found.abstained is not bool(claims) and [e.text for e in found.left_out] == [FEE]
    left_out_json = json.loads(json.dumps(serialize.answer(found)))["left_out"]
    assert left_out_json == [
        {
            "source": "a/b.txt",
            "document": "0123456789abcdef" * 2,
            "start": 47,
            "end": 47 + len(FEE),
            "quote": FEE,
            "line": 6,
            "page": None,
            "context": "",
        }
    ]
    assert TEXT[47 : 47 + len(FEE)] == FEE
    output.print_answer(found)
    assert f"\n! a repeated line was left out: “{FEE}” a/b.txt:6\n" in capsys.readouterr().out
    seen = (notes(found, UNICODE) if claims else abstention(found, UNICODE, 80)).plain
    assert f"! a repeated line was left out: “{FEE}” a/b.txt, line 6" in seen


@pytest.mark.slow
def test_what_an_earlier_version_masked_by_a_wider_rule_is_text_again(tmp_path: Path) -> None:
    house, site = House(tmp_path), tmp_path / "site"
    site.mkdir()
    fact = FACTS[0]
    for number in range(1, 4):
        (site / f"{number}.txt").write_text(_page(number, after=f"{fact}\n\nRead more\n"))
    house.add(site)
    for listed in list(house.library.files.listings()):
        document = house.library.documents.load(listed.id)
        at = document.text.index(fact)
        mask = tuple(sorted([*document.mask, d.Span(at, at + len(fact))]))
        hidden = replace(document, mask=mask)
        chunks = tuple(chunk_document(hidden, 40, lambda texts: [len(t.split()) for t in texts]))
        vectors = house.embedder.embed([c.text for c in chunks])
        house.library.remask([(hidden, chunks, vectors, [c.id.encode() for c in chunks])])
        with house.library.database.writing():
            packed = struct.pack("<q", boilerplate._hash(fact))
            house.library.database.execute(
                "UPDATE templates SET masked = ? WHERE document = ?", (packed, document.id)
            )
            house.library.database.execute("DELETE FROM meta WHERE key = 'template'")
            house.library.database.execute("DROP TABLE masked")
    house.add(site)
    for listed in house.library.files.listings():
        document = house.library.documents.load(listed.id)
        assert [span.of(document.text) for span in document.mask] == ["Read more"]
    house.agrees()
    assert not house.library.boilerplate.outdated()
    assert leftout.masked_answers("Who may read more?", house.library, Pairs) == ()
    revision = house.library.revision
    house.add(site)
    assert house.library.revision == revision


def test_what_the_answer_quotes_anyway_is_not_said_to_be_left_out() -> None:
    here = passage(1, FEE)
    *_, last = answer_question(
        "What is the fee?",
        lambda q, k: (here,),
        Script(d.Quote(FEE, 1, d.Span(0, len(FEE)))),
        JUDGE,
        limit=5,
        searched=1,
        unread=lambda question: (
            d.Evidence(0, "other", "b.txt", d.Span(3, 9), FEE.replace(" ", "\n"), 1),
        ),
    )
    assert isinstance(last, Answered) and not last.answer.left_out


@pytest.mark.slow
def test_the_library_keeps_the_masked_lines_of_its_documents(tmp_path: Path) -> None:
    house, site = House(tmp_path), tmp_path / "site"
    site.mkdir()
    cookies = "We use cookies to remember the lamp that you chose on this site."
    for number in range(1, 9):
        (site / f"{number}.txt").write_text(_page(number, after=f"{FACTS[0]}\n\n{cookies}"))
    house.add(site)
    assert any("900 euros" in text for text in house.embedded) and not any(
        "cookies" in t for t in house.embedded
    )
    (found, *_) = leftout.masked_answers(
        "Which lamp do cookies remember on the site?", house.library, Pairs
    )
    assert found.text == cookies and house.library.documents.load(found.document).text[
        found.span.start :
    ].startswith(cookies)
    assert not leftout.masked_answers("What is the yearly subscription fee?", house.library, Pairs)
    house.agrees()
    for number in range(1, 9):
        (site / f"{number}.txt").unlink()
    house.ingest.add([str(site)])
    for _ in house.ingest.sync(forget=True):
        pass
    assert not leftout.masked_answers(
        "Which lamp do cookies remember on the site?", house.library, Pairs
    )
