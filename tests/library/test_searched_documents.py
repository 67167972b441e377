"""A question about some documents alone: their names, in the question and beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.errors import Usage
from rag.library.searched_documents import searched_documents
from tests.library.test_library import House

pytestmark = pytest.mark.slow

TEXTS = {
    "docs/pump-manual.md": "The pump cover is held by six bolts of size eight.\n",
    "docs/old/pump-manual.md": "The pump cover is held by nine bolts of size five.\n",
    "docs/gear.txt": "The gear box has four bolts and a gasket of rubber.\n",
    "docs/copy of gear.txt": "The gear box has four bolts and a gasket of rubber.\n",
    "docs/notes.txt": "Nothing is written here about any machine at all.\n",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    for name, text in TEXTS.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    made = House(tmp_path / "house")
    made.add(tmp_path / "docs")
    return made


def test_names_become_documents_and_leave_the_question(house: House) -> None:
    searched = searched_documents(
        "Which bolts hold the cover in @docs/pump-manual.md?", (), house.library
    )
    assert searched.question == "Which bolts hold the cover?"
    assert searched.sources == ("docs/pump-manual.md",) and len(searched.documents) == 1
    beside = searched_documents("Which bolts?", ["docs/pump-manual.md", "gear"], house.library)
    assert beside.question == "Which bolts?" and len(beside.sources) == 2
    folder = searched_documents("Which bolts? @docs/old/", (), house.library)
    assert folder.sources == ("docs/old/pump-manual.md",)


def test_two_names_of_one_text_are_not_unclear(house: House) -> None:
    assert searched_documents("Which gasket? @gear.txt", (), house.library).sources == (
        "docs/gear.txt",
    )
    named = searched_documents('Which gasket? @"copy of gear.txt"', (), house.library)
    assert named.sources == ("docs/copy of gear.txt",)


@pytest.mark.parametrize(
    ("question", "message", "cure"),
    [
        ("Which? @pump-manual.md", "2 documents are called", "write more of the path"),
        ("Which? @pmup-manaul.md", "no document called 'pmup-manaul.md'", "docs/pump-manual.md"),
        ("Which? @nots", "no document called 'nots'", "docs/notes.txt"),
        ("Which? @warranty.docx", "no document called", "footnote list"),
        ("Which? @nowhere/", "no document called", "footnote list"),
        ("@gear.txt?", "no question beside", "ask"),
    ],
)
def test_an_unclear_name_is_an_error_that_names_the_nearest(
    house: House, question: str, message: str, cure: str
) -> None:
    with pytest.raises(Usage, match=message) as raised:
        searched_documents(question, (), house.library)
    assert cure in raised.value.cure or cure in str(raised.value)


@pytest.mark.parametrize(
    "question",
    ["Who is bob@example.org?", "What does @alice say?", "Is it 5 @ 3?", "25 mm @2, @3?"],
)
def test_an_at_sign_in_ordinary_text_is_part_of_the_question(house: House, question: str) -> None:
    searched = searched_documents(question, (), house.library)
    assert (searched.question, searched.documents) == (question, ())
