"""Slips of the pen and names of files, against a real library of a few texts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.library.library import Library
from rag.text.facts import one_letter_apart
from tests.faults.small import Small


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("lookup")
    texts = {
        "mill.txt": "The mill at Aldeburg ground rye. Millers smoked eels.",
        "deep/notes_1.md": "Lavrov met ministers. Sanctions were imposed on the minister.",
        "deep/notesX1.md": "A bridge was opened by the ministry.",
    }
    for name, text in texts.items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    with Small(folder / "home") as bot:
        list(bot.add([str(folder / "docs")]))
        yield bot.library


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("sanktions", ["sanction"]),  # another letter
        ("sancton", ["sanction"]),  # one too few
        ("lavroov", ["lavrov"]),  # one too many
        ("aldebrug", ["aldeburg"]),  # two changed places
        ("rya", []),  # too short to tell
        ("zebra", []),
        ("b2idge", []),
        ("", []),
        ("\U0010ffff" * 6, []),
    ],
)
def test_a_word_that_is_not_there_is_taken_for_those_one_letter_off(
    library: Library, typed: str, found: list[str]
) -> None:
    assert library.spelling.spelt(typed) == found


@pytest.mark.slow
def test_files_are_found_by_the_end_of_their_path_and_nothing_in_a_name_is_a_pattern(
    library: Library,
) -> None:
    def held(*names: str) -> list[str]:
        chunks = library.documents.chunks(library.documents.chunk_ids_named(names))
        return sorted({c.source.rsplit("/", 1)[-1] for c in chunks.values()})

    assert held("mill.txt") == ["mill.txt"] and held("deep/notes_1.md") == ["notes_1.md"]
    assert held("notes_1.md") == ["notes_1.md"]  # "_" is no wildcard
    assert held("%.md") == held("ill.txt") == held("") == held() == []
    assert held("mill.txt", "notes_1.md") == ["mill.txt", "notes_1.md"]


WORDS = st.text("abcde", min_size=2, max_size=8)


@given(WORDS, st.integers(0, 8), st.sampled_from("abcdez"))
def test_one_letter_more_less_or_other_is_one_off_both_ways(
    word: str, at: int, letter: str
) -> None:
    at = min(at, len(word) - 1)
    for other in (
        word[:at] + letter + word[at:],
        word[:at] + word[at + 1 :],
        word[:at] + letter + word[at + 1 :],
    ):
        assert one_letter_apart(word, other) and one_letter_apart(other, word)
    swapped = word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
    assert one_letter_apart(word, swapped)
    assert not one_letter_apart(word, word + "zz") and not one_letter_apart(
        "zz" + word[2:] + "yy", word + "xx"
    )
