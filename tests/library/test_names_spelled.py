"""A name is the same name in composed and decomposed letters, and with its blanks folded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.disk.paths import as_spelled
from rag.errors import Usage
from rag.events import Failed, Report
from tests.faults.small import Small

NAME = "Übersicht  Gebühren.txt"  # with two blanks
COMPOSED, DECOMPOSED = (unicodedata.normalize(form, NAME) for form in ("NFC", "NFD"))
FOLDED = " ".join(COMPOSED.split())
SPELLINGS = (COMPOSED, DECOMPOSED, FOLDED, unicodedata.normalize("NFD", FOLDED))


@pytest.fixture(params=[COMPOSED, DECOMPOSED])
def bot(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Small]:
    folder = tmp_path / request.param.removesuffix(".txt")
    folder.mkdir()
    (folder / request.param).write_text("The fee is zqx.\n")
    (folder / "other.txt").write_text("The price is zqx.\n")
    with Small(tmp_path / "home") as opened:
        list(opened.add([str(folder)]))
        yield opened


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
def test_show_finds_a_document_in_any_spelling(bot: Small, name: str) -> None:
    assert bot.document(name).text == "The fee is zqx.\n"
    assert bot.document(f"{name.removesuffix('.txt').removesuffix('.TXT')}/{name}").text


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
def test_remove_means_a_document_or_a_folder_in_any_spelling(bot: Small, name: str) -> None:
    assert len(bot.held(name)) == 1
    folder = name.removesuffix(".txt")
    assert len(bot.held(folder)) == 2
    *_, report = bot.remove(folder)
    assert isinstance(report, Report) and len(report.removed) == 2
    assert bot.roots() == (), "the folder is forgotten too"


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("mark", ['"', "“"])
def test_a_question_may_name_a_file_in_any_spelling(bot: Small, name: str, mark: str) -> None:
    asked = f"What is zqx in {mark}{name}{'”' if mark != mark.strip('“') else mark}?"
    assert [p.chunk.text.strip() for p in bot.search(asked)] == ["The fee is zqx."]


@pytest.mark.slow
def test_an_at_sign_before_a_file_name_is_no_part_of_it(bot: Small) -> None:
    assert [p.chunk.text.strip() for p in bot.search("What is zqx in @other.txt?")] == [
        "The price is zqx."
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", SPELLINGS)
def test_add_takes_a_path_in_any_spelling(tmp_path: Path, name: str) -> None:
    (tmp_path / DECOMPOSED).write_text("The fee is zqx.\n")
    with Small(tmp_path / "home") as bot:
        *_, report = bot.add([str(tmp_path / name)])
        assert isinstance(report, Report) and report.added == (DECOMPOSED,)


@pytest.mark.slow
def test_two_files_of_one_name_are_two_and_each_by_its_own_spelling(tmp_path: Path) -> None:
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).write_text(f"It is {len(name)}.\n")
    with Small(tmp_path / "home") as bot:
        list(bot.add([str(tmp_path / name) for name in (COMPOSED, DECOMPOSED)]))
        for name in (COMPOSED, DECOMPOSED):
            assert bot.document(name).text == f"It is {len(name)}.\n"
            assert as_spelled(str(tmp_path / name)) == str(tmp_path / name)
        with pytest.raises(Usage, match="2 documents are called"):
            bot.document(FOLDED)
        assert as_spelled(str(tmp_path / FOLDED)) == str(tmp_path / FOLDED), "not clear"


@pytest.mark.slow
def test_what_was_refused_is_repeated_with_its_own_cure(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_text("plain text")
    with Small(tmp_path / "home") as bot:
        first, again = (
            [e for e in bot.add([str(tmp_path / "a.docx")]) if isinstance(e, Failed)]
            for _ in range(2)
        )
    assert first == again and "plain text" in first[0].reason and ".txt" in first[0].cure
