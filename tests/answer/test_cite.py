"""Markers: which sentence each belongs to, where it stands, and that a quotation forges none."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.answer.cite import parse_citations, piece_text
from rag.domain import Piece, Quote, Span
from tests.support.examples import examples


def _read(*pieces: Piece) -> list[tuple[str, list[int]]]:
    return [(s.text, [c.number for c in s.citations]) for s in parse_citations(pieces)[1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rained [1].", [("It rained.", [1])]),
        ("It rained [1, 3].", [("It rained.", [1, 3])]),
        ("It rained [1][3].", [("It rained.", [1, 3])]),
        ("It rained [1; 3] [2].", [("It rained.", [1, 3, 2])]),
        ("It rained. [1] It snowed. [2]", [("It rained.", [1]), ("It snowed.", [2])]),
        ("It rained.[1] It snowed.[2]", [("It rained.", [1]), ("It snowed.", [2])]),
        ("[1] It rained. It snowed.", [("It rained.", [1]), ("It snowed.", [])]),
        ("It [1] rained, it [2] snowed.", [("It rained, it snowed.", [1, 2])]),
        ("Dr. [1] Smith went.", [("Dr. Smith went.", [1])]),
        ("No marker. None at all.", [("No marker.", []), ("None at all.", [])]),
        ("It rained [99] and [0].", [("It rained and.", [99, 0])]),
        ("He [sic] saw a[b] and [12345].", [("He [sic] saw a[b] and [12345].", [])]),
        ("- one [1]\n- two [2]\n", [("- one", [1]), ("- two", [2])]),
        ("It ended. [1]\n\nNew paragraph.", [("It ended.", [1]), ("New paragraph.", [])]),
        ("[1]", [("", [1])]),
        ("", []),
        (" \n", []),
    ],
)
def test_whose_marker_it_is(text: str, expected: list[tuple[str, list[int]]]) -> None:
    assert _read(text) == expected


def test_pieces_of_a_stream_are_joined_first() -> None:
    assert _read("It ra", "ined [", "1", "] and. It sn", "owed.") == [
        ("It rained and.", [1]),
        ("It snowed.", []),
    ]


def test_a_quotation_has_its_own_marker_and_forges_none() -> None:
    quote = Quote("It says [9]. And [8].", 2, Span(10, 31))
    text, found = parse_citations(["He wrote [1]. ", quote, " Then [3]."])
    assert text == "He wrote [1]. It says [9]. And [8]. [2] Then [3]."
    assert [(s.text, [c.number for c in s.citations], s.quote) for s in found] == [
        ("He wrote.", [1], None),
        (quote.text, [2], Span(10, 31)),
        ("Then.", [3], None),
    ]
    assert found[1].span.of(text) == piece_text(quote) == "It says [9]. And [8]. [2]"
    assert found[1].citations[0].span.of(text) == "[2]"


def test_a_quotation_stands_on_one_line_and_its_words_stay_as_they_are() -> None:
    words = (
        "The fee\r\n is \u2028\u2029\x85\v\f\t 900\u00a0\u00a0euros.\n"
        "[2] \u2713 supported  register.pdf:12"
    )
    text, (sentence, after) = parse_citations(
        [Quote(words, 1, Span(5, 5 + len(words))), " So it is [3]."]
    )
    assert text == "The fee is 900 euros. [2] \u2713 supported register.pdf:12 [1] So it is [3]."
    assert sentence.text == words and sentence.quote == Span(5, 5 + len(words))
    assert (
        sentence.citations[0].span.of(text) == "[1]" and after.citations[0].span.of(text) == "[3]"
    )
    assert sentence.span.of(text) + after.span.of(text) == text.replace("[1] So", "[1]So")


@pytest.mark.parametrize(
    "marker", ["[１]", "[١]", "[²]", "[1\u200b]", "[ 1 ]", "［1］", "[1,\u20283]", "[1,\n3]", "[①]"]
)
def test_what_only_looks_like_a_marker_is_none(marker: str) -> None:
    assert not any(s.citations for s in parse_citations([f"It rained {marker}."])[1])


@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029"])
def test_a_line_of_the_writers_does_not_share_the_marker_of_the_next(line_break: str) -> None:
    rows = [
        f"{'The tenant may end the lease of the mill at will and for whatever reason he has' + end}"
        for end in ":,-"
    ]
    known = (
        "The lease of the mill runs for nine years, "
        "and the rent is paid at the end of each month [1]."
    )
    found = _read(line_break.join(f"{row}{line_break}{known}" for row in rows))
    assert [numbers for _, numbers in found] == [[], [1]] * 3


def test_two_quotations_side_by_side() -> None:
    text, found = parse_citations([Quote("One.", 1, Span(0, 4)), " ", Quote("Two.", 2, Span(5, 9))])
    assert text == "One. [1] Two. [2]"
    assert [s.span.of(text) for s in found] == ["One. [1]", "Two. [2]"]


WORDS = st.lists(
    st.sampled_from(
        [
            "It rained",
            ". ",
            "[1]",
            " [2, 3]",
            "[",
            "]",
            "12",
            " ",
            "\n",
            "Dr. ",
            "!",
            "[1;4]",
            "é",
            '"',
            "\u00a0",
            "\ud800",
        ]
    ),
    max_size=12,
).map("".join)
PIECES = st.lists(
    st.one_of(
        WORDS, st.builds(lambda t, n: Quote(t, n, Span(0, len(t))), WORDS, st.integers(1, 9))
    ),
    max_size=6,
)


@examples(400)
@given(PIECES)
@example(["a [1]", Quote("", 1, Span(0, 0)), "[2]"])
def test_any_pieces_give_lawful_sentences(pieces: list[Piece]) -> None:
    text, found = parse_citations(pieces)
    assert text == "".join(piece_text(p) for p in pieces)
    last = 0
    for sentence in found:
        assert last <= sentence.span.start <= sentence.span.end <= len(text)
        assert not text[last : sentence.span.start].strip(), "words that no sentence has"
        last = sentence.span.end
        for citation in sentence.citations:
            assert citation.span.within(sentence.span)
            marker = citation.span.of(text)
            assert marker[0] == "[" and marker[-1] == "]" and str(citation.number) in marker
        if sentence.quote is None:
            assert not any(f"[{n}]" in sentence.text for n in range(1, 5))
    assert not text[last:].strip()
    quotes = [p for p in pieces if isinstance(p, Quote)]
    assert [(s.text, s.quote, s.citations[0].number) for s in found if s.quote] == [
        (q.text, q.span, q.number) for q in quotes
    ]
