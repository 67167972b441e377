"""Words divided at the end of a line: which hyphen stays, and the view that joins them."""

from __future__ import annotations

import pytest

from rag.domain import Chunk, Span
from rag.text.units import KnownWords, divided_word, divisions, keeps_hyphen, view_of


def joined(before: str, after: str, text: str = "") -> str:
    """The word at the end of `before`, as it is read; `text` is the rest of the document."""
    known = KnownWords()
    known.learn(text.split())
    assert divided_word(before, after)
    return before + after if keeps_hyphen(before, after, known) else before[:-1] + after


@pytest.mark.parametrize(
    ("before", "after", "text", "word"),
    [
        ("mainte-", "nance", "", "maintenance"),
        ("Novem-", "ber", "", "November"),
        ("MAIN-", "TENANCE", "", "MAINTENANCE"),
        ("Straßen-", "übergang", "", "Straßenübergang"),
        ("re-", "elected", "", "re-elected"),
        ("re-", "stored", "", "restored"),
        ("self-", "made", "", "self-made"),
        ("state-of-", "the-art", "", "state-of-the-art"),
        ("cross-", "ing", "a crossing.", "crossing"),
        ("long-", "term", "the long-term plan", "long-term"),
        ("stone-", "mason", "a stone and a mason", "stone-mason"),
    ],
)
def test_which_hyphen_stays(before: str, after: str, text: str, word: str) -> None:
    assert joined(before, after, text) == word


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("the end -", "and then"),
        ("2019-", "2024"),
        ("K-", "200"),
        ("word", "word"),
        ("Anne-", "Marie"),
    ],
)
def test_what_is_no_divided_word(before: str, after: str) -> None:
    assert not divided_word(before, after)


def chunk(text: str) -> Chunk:
    return Chunk("c", "d", "a.txt", "", None, "", Span(100, 100 + len(text)), text, 1)


def test_the_view_has_the_word_and_the_place_is_that_of_the_file() -> None:
    text = "It was re-\nstored in 1988, who found the origi-\n  nal millstone of 1742-\n1743."
    view = view_of(chunk(text))
    assert view.text == "It was restored in 1988, who found the original millstone of 1742-\n1743."
    for word, own in (("restored", "re-\nstored"), ("original", "origi-\n  nal"), ("1988", "1988")):
        start = view.text.index(word)
        place = view.span(Span(start, start + len(word)))
        assert place and text[place.start - 100 : place.end - 100] == own


@pytest.mark.slow
def test_divisions_of_long_text_take_linear_time() -> None:
    assert len(list(divisions("mainte-\nnance " * 50_000, 0, 700_000))) == 50_000
