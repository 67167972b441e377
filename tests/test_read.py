"""The built-in reader: the best words first, exactly as they stand in the file, or what is missing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.check import check
from rag.cite import cite
from rag.domain import Draft, Model, Passage, Piece, Quote, Reason, Turn, Verdict
from rag.read import Reader, choose, holds, kind, unnamed
from tests.fakes import WordVectors, passage

FILE = "# Bridges\n\nThe bridge over the Tarn was built by Paul Lasne. It is 2,460 metres long and has seven pillars. It opened on 16 December 2004.\n"
BRIDGE = passage(1, FILE[11:].rstrip(), offset=11, line=3, title="Bridges")
MUSEUM = passage(
    2, "Tickets for the museum cost eight euros. The museum closes on Mondays. Children enter free.", offset=10
)
COPY = passage(3, "The bridge over the Tarn opened on 16 December 2004.")
PASSAGES = (BRIDGE, MUSEUM, COPY)


def _write(question: str, passages: Sequence[Passage] = PASSAGES, near: float = 0.2) -> tuple[Draft, list[Piece]]:
    reader = Reader(WordVectors(), Model("reader", ""), near)
    draft, *pieces = reader.write(question, passages, [Turn("before", "after")])
    assert isinstance(draft, Draft)
    return draft, [p for p in pieces if isinstance(p, str | Quote)]


def _quotes(pieces: Sequence[Piece]) -> list[Quote]:
    return [p for p in pieces if isinstance(p, Quote)]


@pytest.mark.parametrize(
    ("question", "number", "best"),
    [
        ("Who built the bridge over the Tarn?", 1, "The bridge over the Tarn was built by Paul Lasne."),
        ("How many pillars has the bridge?", 1, "It is 2,460 metres long and has seven pillars."),
        ("When did the bridge over the Tarn open?", 3, "The bridge over the Tarn opened on 16 December 2004."),
        ("When does the museum close?", 2, "The museum closes on Mondays."),
        ("What do tickets for the museum cost?", 2, "Tickets for the museum cost eight euros."),
    ],
)
def test_the_best_sentence_comes_first_with_its_footnote(question: str, number: int, best: str) -> None:
    draft, pieces = _write(question)
    assert not draft.abstained and draft.receipt.passages > 0
    first = _quotes(pieces)[0]
    assert (first.text, first.number) == (best, number)


def test_a_quotation_is_the_files_own_words_at_its_place() -> None:
    _, pieces = _write("How many pillars has the bridge?")
    first = _quotes(pieces)[0]
    assert first.span.of(FILE) == first.text


def test_what_it_writes_is_supported() -> None:
    _, pieces = _write("Who built the bridge over the Tarn?")
    for sentence in cite(pieces)[1]:
        assert check(sentence, PASSAGES, WordVectors().similar).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Is Obama the owner of the museum?", "Obama"),
        ("What did Gustave Eiffel say about the museum?", "Gustave Eiffel"),
        ("Who built the bridge over the Tarn in 1850?", "1850"),
        ("Which bridge over the Tarn opened on 17 December 2004?", "17 December 2004"),
        ("Do tickets for the museum cost 9 euros?", "9"),
    ],
)
def test_it_abstains_on_a_name_or_number_that_no_passage_has(question: str, missing: str) -> None:
    draft, pieces = _write(question)
    assert draft.abstained and draft.reason is Reason.NOT_ANSWERED and not pieces
    assert draft.missing == f"no passage names {missing}"


def test_it_abstains_where_how_many_has_no_number() -> None:
    free = passage(1, "Children enter the museum free. Guides wear green.")
    draft, pieces = _write("How many children enter the museum?", [free])
    assert draft.abstained and not pieces and draft.missing == "no sentence near to the question gives a number"
    assert not _write("How many children enter the museum?", [passage(1, "Forty children enter the museum.")])[
        0
    ].abstained


def test_it_abstains_where_when_has_no_date() -> None:
    draft, _ = _write("When do children enter the museum?", [passage(1, "Children enter the museum free.")])
    assert draft.abstained and draft.missing == "no sentence near to the question gives a date"


@pytest.mark.parametrize("passages", [(), (passage(1, " "),), (MUSEUM,)])
def test_it_abstains_where_nothing_is_near(passages: tuple[Passage, ...]) -> None:
    draft, pieces = _write("Do whales sing underwater?", passages)
    assert draft.abstained and not pieces and draft.missing == "no sentence is near to the question"


def test_what_is_near_can_be_set() -> None:
    assert _write("Who built the bridge over the Tarn?", near=1.01)[0].abstained
    assert not _write("Who built the bridge over the Tarn?", near=0.5)[0].abstained


def test_near_duplicates_are_not_repeated() -> None:
    copies = [passage(n, "The museum closes on Mondays at noon.") for n in range(1, 4)]
    other = passage(4, "The museum closes on Mondays, and the garden as well, all winter.")
    _, pieces = _write("When does the museum close?", [*copies, other])
    texts = [q.text for q in _quotes(pieces)]
    assert texts.count("The museum closes on Mondays at noon.") == 1


def test_at_most_three_quotations_with_blanks_between() -> None:
    many = passage(1, " ".join(f"The museum keeps a {thing}." for thing in "clock whale mirror piano saddle".split()))
    _, pieces = _write("What does the museum keep?", [many])
    assert [type(p) for p in pieces] == [Quote, str, Quote, str, Quote]
    assert len(choose(Reader(WordVectors(), Model("reader", "")).score("What does the museum keep?", [many]))) == 3


def test_a_nearer_passage_wins_a_draw() -> None:
    one, two = passage(1, "The museum keeps a clock."), passage(2, "The museum keeps a clock.")
    assert _quotes(_write("What does the museum keep?", [two, one])[1])[0].number == 1


def test_markers_in_a_document_stay_words() -> None:
    _, pieces = _write("What does the museum keep?", [passage(1, "The museum keeps a clock [7].")])
    text, sentences = cite(pieces)
    assert text == "The museum keeps a clock [7]. [1]"
    assert [c.number for s in sentences for c in s.citations] == [1]


QUESTIONS = st.lists(
    st.sampled_from(
        "who when how many what bridge Tarn museum Mondays 2004 Obama Paul seven close ? é \ud800 Children".split()
    ),
    max_size=8,
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(QUESTIONS)
def test_any_question_gets_exact_quotations_or_a_reason_and_the_same_twice(question: str) -> None:
    draft, pieces = _write(question)
    assert (draft, pieces) == _write(question)
    assert draft.abstained is bool(draft.missing) is (not pieces)
    for found in _quotes(pieces):
        held = next(p for p in PASSAGES if p.number == found.number).chunk
        start = held.span.start
        assert held.text[found.span.start - start : found.span.end - start] == found.text


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How many bolts?", "number"),
        ("What is the total number of bolts?", "number"),
        ("When was it built?", "date"),
        ("In which year?", "date"),
        ("Who built it?", "name"),
        ("Where is it?", "name"),
        ("Which city?", "name"),
        ("Why is it green?", ""),
        ("", ""),
    ],
)
def test_what_is_asked_for(question: str, asked: str) -> None:
    assert kind(question) == asked


@pytest.mark.parametrize(
    ("asked", "text", "there"),
    [
        ("number", "It has seven pillars.", True),
        ("number", "It opened on 16 December.", False),
        ("date", "It opened on 16 December.", True),
        ("date", "It closes on Mondays.", True),
        ("date", "It opens at 10:30.", True),
        ("date", "It took place two weeks ago.", True),
        ("date", "It has seven pillars.", False),
        ("name", "It was built by Lasne.", True),
        ("name", "It was built by men.", False),
        ("", "Anything.", False),
    ],
)
def test_what_a_sentence_holds(asked: str, text: str, there: bool) -> None:
    assert holds(asked, text) is there


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("Who is Paul Lasne?", []),
        ("Is the bridge of the U.S. army?", []),
        ("Bananas?", []),
        ("Who is Pablo Lasne?", ["Pablo Lasne"]),
        ("Does it have 2460 metres?", []),
        ("Does it have 2461 metres?", ["2461"]),
        ("What are the two best bridges?", []),
    ],
)
def test_names_and_numbers_that_are_nowhere(question: str, absent: list[str]) -> None:
    assert unnamed(question, PASSAGES) == absent
