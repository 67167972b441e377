"""Questions about the library itself are answered from its list, and no other question is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from rag import serialize
from rag.answer.answer import answer_question
from rag.answer.library_answer import answer_about_library
from rag.answer.library_question import Wanted, parse_library_question
from rag.cli.output import print_answer
from rag.disk.strict_json import Json
from rag.domain import Answer, Passage, Verdict
from rag.events import Answered
from rag.export.saved_answer import read_answer
from tests.library.test_library import House
from tests.support.fakes import JUDGE, Script
from tests.support.pdf_files import pdf

FILES = {
    "minutes.md": "---\nauthor: Olga Stein\ndate: 2024-03-12\n---\n\nThe roof was mended.\n",
    "letter.txt": "Dear Olga,\n\nthe roof leaks again. It costs 90 euros.\n\nKarl\n",
    "notes/[2] plan.txt": "2021-05-01\n\nThe garden gets a pond.\n",
}


@pytest.fixture
def house_of_files(tmp_path: Path) -> House:
    folder = tmp_path / "papers"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "offer.pdf").write_bytes(pdf([["The offer is valid until June."]]))
    house = House(tmp_path)
    house.add(folder)
    return house


def _search(question: str, limit: int) -> Sequence[Passage]:
    raise AssertionError(f"searched for {question}")


def _ask(house: House, question: str) -> Answer:
    events = answer_question(
        question,
        _search,  # type: ignore[arg-type]
        Script("nothing is written"),
        JUDGE,
        limit=3,
        searched=5,
        without_search=lambda asked: answer_about_library(asked, house.library),
    )
    (answer,) = [event.answer for event in events if isinstance(event, Answered)]
    return answer


@pytest.mark.slow
@pytest.mark.parametrize(
    "question",
    ["What documents do you have?", "list all files", "Which files are there?", "show me my docs"],
)
def test_the_documents_are_named_from_the_list_without_a_tick(
    house_of_files: House, question: str
) -> None:
    answer = _ask(house_of_files, question)
    assert not answer.abstained and "4 documents" in answer.text
    assert all(name.rpartition("/")[2].split()[-1] in answer.text for name in FILES)
    (claim,) = answer.claims
    assert claim.verdict is Verdict.LISTED and not claim.evidence
    assert claim.reasons == ("from the library's list of documents",)


@pytest.mark.slow
def test_a_file_name_with_a_marker_makes_no_citation(house_of_files: House) -> None:
    answer = _ask(house_of_files, "What documents do you have?")
    assert "[2]" not in answer.text and not answer.claims[0].sentence.citations


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("How many documents are there?", "4"),
        ("How many PDFs do I have?", "1"),
        ("how many spreadsheets are in my library", "0"),
        ("When was minutes.md written?", "2024-03-12"),
    ],
)
def test_numbers_and_dates_come_from_the_list(
    house_of_files: House, question: str, short: str
) -> None:
    answer = _ask(house_of_files, question)
    assert answer.short == short
    assert [claim.verdict for claim in answer.claims] == [Verdict.LISTED]


@pytest.mark.slow
def test_a_kind_of_file_limits_the_list(house_of_files: House) -> None:
    answer = _ask(house_of_files, "List the PDFs")
    assert "offer.pdf" in answer.text and "minutes" not in answer.text


@pytest.mark.slow
def test_which_document_has_a_word_is_said_and_quoted(house_of_files: House) -> None:
    answer = _ask(house_of_files, "Which documents mention the roof?")
    assert answer.text.startswith("2 documents of 4 name “roof”: ")
    listed, *quoted = answer.claims
    assert listed.verdict is Verdict.LISTED and not listed.evidence
    assert [claim.verdict for claim in quoted] == [Verdict.SUPPORTED, Verdict.SUPPORTED]
    cited = {place.source.rpartition("/")[2] for claim in quoted for place in claim.evidence}
    assert cited == {"minutes.md", "letter.txt"}


@pytest.mark.slow
def test_a_word_that_no_document_has_is_an_abstention(house_of_files: House) -> None:
    answer = _ask(house_of_files, "Is there a document about zebras?")
    assert answer.abstained and answer.missing == "no document of the library names “zebras”"


@pytest.mark.slow
def test_the_newest_document_is_that_of_the_latest_date(house_of_files: House) -> None:
    newest = _ask(house_of_files, "What is the newest document?")
    assert "minutes.md is the newest (2024-03-12" in newest.text
    oldest = _ask(house_of_files, "Which file is the oldest?")
    assert "plan.txt is the oldest (2021-05-01; 2 of 4 name no date)" in oldest.text


@pytest.mark.slow
def test_the_author_of_a_file_is_quoted_from_it(house_of_files: House) -> None:
    answer = _ask(house_of_files, "Who wrote minutes.md?")
    assert answer.short == "Olga Stein"
    assert answer.claims[0].verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    "question",
    [
        "How many files did the police seize?",
        "Which documents do I need for the visa?",
        "How many documents are in the red box?",
        "What is the newest version of the contract?",
        "Which file format does the camera write?",
        "Who wrote the letter to Olga?",
        "When was the contract signed?",
        "What do you have to bring?",
        "Show me how many files were lost",
        "Which document says that the roof of the old school house leaks in winter?",
    ],
)
def test_an_ordinary_question_is_left_to_the_search(question: str) -> None:
    assert parse_library_question(question) is None


@pytest.mark.parametrize(
    ("question", "wanted", "thing"),
    [
        ("Which of my files mentions the roof?", Wanted.MENTIONS, "roof"),
        ("in which document is the deposit mentioned", Wanted.MENTIONS, "deposit"),
        ("Do any documents talk about Olga Stein?", Wanted.MENTIONS, "Olga Stein"),
        ("Where is the pond mentioned?", Wanted.MENTIONS, "pond"),
    ],
)
def test_the_thing_that_is_looked_for(question: str, wanted: Wanted, thing: str) -> None:
    asked = parse_library_question(question)
    assert asked is not None and (asked.wanted, asked.thing) == (wanted, thing)


@pytest.mark.slow
def test_the_answer_is_printed_and_saved_with_its_own_verdict(
    house_of_files: House, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = _ask(house_of_files, "How many documents are there?")
    print_answer(answer)
    shown = capsys.readouterr().out
    assert "* from the list" in shown and "✓" not in shown
    saved = serialize.answer(answer)
    assert saved["claims"][0]["verdict"] == "listed" and saved["claims"][0]["citations"] == []
    assert read_answer(cast("dict[str, Json]", saved), "").claims[0].verdict is Verdict.LISTED
