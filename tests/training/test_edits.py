"""Edits of sentences: wrong ones change one fact only, right ones add nothing new."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from rag.text import facts, quantities
from rag.training import edits

SEEDS = st.integers(0, 2**32)
AROUND = (
    "In 1911, Marta Lindqvist bought 4,200 sheep and 18 horses in Oslo. "
    "Piotr Nowak, of Gdansk, sold 37 in 1924, "
    "fishing at Lake Orta for 2.75 years. Among others, nobody was drawing maps then."
)
SENTENCES = [
    "In 1931, the two brothers from Utrecht bought 1,250 acres, which they sold on 4 May 1940.",
    "On Tuesday, Anna Berg told the council (of 12 members) "
    "that 3,400 trees were planted in Novi Sad.",
    "The tower, constructed in 1887 by Luis Ortega, was approximately 91.5 metres tall, "
    "making it a record.",
    "Although 7 of the 12 ships were lost, Captain Reyes began his fourth voyage in March 1602.",
    "By 2004, sales had increased by 15 percent in Denmark, while they fell in Norway.",
    "The committee did not accept the plan of Elena Rossi, because it was too expensive.",
    "He can't have met Peter Holm in Lima before June 1999, when the port was opened.",
    "Around 40 people lived near the numerous wells of Tashkent until 10 January 1921.",
    "Wheat needs 300,000 litres of water a year, or 5 million for the entire valley.",
    "It was sold for $6 in 1950.",
    "During the long winter of 1944, 10 000 people left Arnhem on foot.",
]


def _values(text: str) -> list[float]:
    """All quantities of a text, years among them; the numbers of dates too."""
    days, rest = facts.find_dates(text)
    parts = [float(p) for d in days for p in (d.year, d.month, d.day) if p]
    return sorted([v for n in quantities.find_numbers(rest) for v in n.values] + parts)


def _when(text: str) -> tuple[object, ...]:
    days, rest = facts.find_dates(text)
    weekdays = re.findall(
        r"\w+day\b|\b(?:January|February|March|April|May|June|July|August|\w+ber)\b", text
    )
    return [(d.year, d.month, d.day) for d in days], re.findall(r"\d{4}", rest), weekdays


def _changed(before: str, after: str) -> tuple[str, str]:
    """The replaced and the new words: both texts without their common start and end."""
    old, new = before.split(" "), after.split(" ")
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return " ".join(old), " ".join(new)


@pytest.mark.parametrize(
    ("kind", "text", "old", "new"),
    [
        ("number", "It has 350 rooms.", "350", r"[1-9]\d{1,3}|4,200|2\.75"),
        ("number", "It has 4,200 rooms.", "4,200", r"[\d,]+|2\.75"),
        ("number", "It has 4,200, or more, rooms.", "4,200,", r"([\d,]*\d|2\.75),"),
        ("number", "It has nine rooms.", "nine", "[a-z]+"),
        ("number", "Nine rooms are there.", "Nine", "[A-Z][a-z]+"),
        ("number", "It rose by 2.5 %.", "2.5", r"\d+(\.\d+)?|4,200"),
        ("date", "In 1931, it was built.", "1931,", r"(18|19)\d\d,"),
        ("date", "It opened on 4 May.", "May.", r"[A-Z]\w+\."),
        ("date", "It opened on Tuesday.", "Tuesday.", r"\w+day\."),
        (
            "name",
            "It was Anna Berg who came.",
            "Anna Berg",
            "Marta Lindqvist|Oslo|Piotr Nowak|Gdansk|Lake Orta",
        ),
        ("negation", "It was built there.", "", "not"),
        ("negation", "It was not built there.", "not", ""),
        ("negation", "They walked home.", "", "not|never"),
        ("negation", "He won't come.", "won't", "will"),
        ("negation", "He can't come.", "can't", "can"),
        ("negation", "Can't he come?", "Can't", "Can"),
        ("negation", "He isn't there.", "isn't", "is"),
        (
            "places",
            "Anna Berg saw her son Olaf.",
            "Anna Berg saw her son Olaf.",
            "Olaf saw her son Anna Berg.",
        ),
        ("opposite", "The river is very long.", "long.", "short."),
        ("opposite", "Older houses stand here.", "Older", "Younger"),
        ("word", "So it is trading here.", "trading", "fishing|drawing"),
    ],
)
def test_a_wrong_edit_changes_one_place(kind: str, text: str, old: str, new: str) -> None:
    for seed in range(30):
        edited = edits.WRONG[kind](text, AROUND, random.Random(seed))
        assert edited is not None
        was, became = _changed(text, edited)
        assert was == old and re.fullmatch(new, became), (edited, was, became)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "In 1931, it was built."),
        ("number", "The A4 road and the 3rd lane are closed."),
        ("date", "It has 350 rooms."),
        ("name", "The lake is deep."),
        ("negation", "A sad song."),
        ("places", "Anna Berg and Elena Rossi came."),
        ("places", "Anna Berg came."),
        ("opposite", "The lake is blue."),
        ("word", "It is so."),
    ],
)
def test_where_there_is_nothing_to_edit_nothing_is(kind: str, text: str) -> None:
    assert all(edits.WRONG[kind](text, AROUND, random.Random(seed)) is None for seed in range(20))


NUMBERS = st.one_of(
    st.integers(0, 10**7).map(str),
    st.integers(0, 10**9).map(lambda n: f"{n:,}"),
    st.decimals(0, 10**4, places=2).map(str),
    st.sampled_from(
        (
            "two twelve twenty fifty hundred thousand five,thousand three,million "
            "5,000 5000 2.50 2.5"
        ).split()
    ),
)
FRAMES = st.sampled_from(
    [
        "It has {} rooms.",
        "It has {}, or more.",
        "{} of them are left",
        "In Oslo ({}) it fell.",
        "{} %",
    ]
)


@given(FRAMES, NUMBERS, NUMBERS, SEEDS)
@example("It has {} rooms.", "5000", "5,000", 3)
@example("It has {} rooms.", "2.5", "2.50", 3)
def test_a_number_edit_changes_the_value(frame: str, one: str, other: str, seed: int) -> None:
    text, around = (frame.format(n.replace("five,thousand", "five thousand")) for n in (one, other))
    edited = edits.number(text, around, random.Random(seed))
    if edited is not None:
        assert _values(edited) != _values(text)
    else:
        assert not edits._DIGITS.search(text) or edits._YEAR.search(text)


YEARS = st.integers(1000, 2099).map(str)
DAYS = st.sampled_from(
    ["4 May 1940", "June 3, 1875", "Tuesday", "March 2001", "12 December", "1066", "Sunday"]
)


@given(
    st.sampled_from(["In {}, it was built.", "It closed on {}.", "From {} (and later) it grew."]),
    st.one_of(DAYS, YEARS),
    st.one_of(DAYS, YEARS),
    SEEDS,
)
def test_a_date_edit_changes_the_date_and_no_other_number(
    frame: str, one: str, other: str, seed: int
) -> None:
    text = frame.format(one) + " It has 350 rooms."
    edited = edits.date(text, f"It began on {other}.", random.Random(seed))
    assert edited is not None and _when(edited) != _when(text)
    assert "350" in edited and edited.count(",") == text.count(",")


PIECES = st.sampled_from(
    (
        "the lake was deep|He|they|can't|won't|isn't|is|walked|planted|never|not|do not|did|could|"
        "and|refused it|no ships|has|was made by him|Anna Berg"
    ).split("|")
)


@given(st.lists(PIECES, min_size=1, max_size=7).map(" ".join), SEEDS)
def test_a_negation_edit_turns_the_statement_round(text: str, seed: int) -> None:
    edited = edits.negation(text, "", random.Random(seed))
    assume(edited is not None)
    assert (
        edited is not None and abs(facts.count_negations(edited) - facts.count_negations(text)) == 1
    )
    assert not re.search(r"\b(?:ca|wo)\b", edited)


@given(st.sampled_from(SENTENCES), SEEDS)
def test_a_name_edit_leaves_the_other_words_whole(sentence: str, seed: int) -> None:
    text = f"{sentence} The Annals of Annaberg tell of Anna and Bergen."
    edited = edits.name(text, AROUND, random.Random(seed))
    assert edited is not None and edited != text
    known = set(facts.word_tokens(text)) | set(facts.word_tokens(AROUND))
    assert set(facts.word_tokens(edited)) <= known
    assert _values(edited) == _values(text)


@given(st.sampled_from([*SENTENCES, AROUND]), st.sampled_from([*SENTENCES, AROUND, ""]), SEEDS)
def test_what_is_spoilt_is_never_the_text_itself(text: str, around: str, seed: int) -> None:
    found = edits.make_wrong(text, around, random.Random(seed))
    assert found is not None
    edited, kind = found
    assert edited != text and kind in edits.WRONG
    assert edits.make_wrong(text, around, random.Random(seed)) == found


@given(
    st.sampled_from(SENTENCES),
    st.lists(st.sampled_from(sorted(edits.WRONG)), min_size=1, unique=True),
    SEEDS,
)
def test_a_text_is_spoilt_in_the_ways_that_are_asked_for(
    text: str, kinds: list[str], seed: int
) -> None:
    found = edits.make_wrong(text, AROUND, random.Random(seed), kinds)
    assert found is None or found[1] in kinds


@given(st.text(max_size=80), st.text(max_size=80), SEEDS)
def test_any_text_can_be_asked_for_an_edit(text: str, around: str, seed: int) -> None:
    found = edits.make_wrong(text, around, random.Random(seed))
    assert found is None or found[0] != text
    assert edits.reword(text, random.Random(seed)).strip() or not text.strip()


@given(st.sampled_from(SENTENCES), SEEDS)
@example(
    "In 1931, the two brothers from Utrecht bought 1,250 acres, which they sold on 4 May 1940.", 1
)
def test_what_is_reworded_says_nothing_new(text: str, seed: int) -> None:
    said = edits.reword(text, random.Random(seed))
    assert set(_values(said)) <= set(_values(text))
    assert {d.iso or d.shown for d in facts.find_dates(said)[0]} <= {
        d.iso or d.shown for d in facts.find_dates(text)[0]
    }
    known = {facts.fold_text(w) for w in facts.word_tokens(text)}
    assert all(
        facts.fold_text(w) in known
        for name in facts.find_names(said)
        for w in facts.word_tokens(name)
    )
    assert facts.count_negations(said) <= facts.count_negations(text)


@pytest.mark.parametrize(
    ("edit", "text", "expected"),
    [
        (edits._no_brackets, "It was built (in 1900) by the sea.", "It was built by the sea."),
        (edits._no_brackets, "It was (so).", None),
        (
            edits._no_lead,
            "In the spring, the river floods the fields.",
            "The river floods the fields.",
        ),
        (edits._no_lead, "In the spring, it floods.", None),
        (
            edits._no_tail,
            "The river floods the lower fields, which are wide.",
            "The river floods the lower fields.",
        ),
        (
            edits._turned,
            "In the spring, the river floods the fields.",
            "The river floods the fields in the spring.",
        ),
        (edits._respelled, "It has 1,250,000 leaves.", "It has 1250000 leaves."),
        (edits._respelled, "It has 7 leaves.", "It has seven leaves."),
        (edits._respelled, "It has 13 leaves.", None),
        (edits._respelled, "It is 7 May.", None),
        (
            edits._respelled,
            "It has 7.5 leaves, or 10 000 in all, and costs $3 at F-16 or 5:30.",
            None,
        ),
        (edits._synonym, "It was founded here.", "It was established here."),
    ],
)
def test_a_right_edit(
    edit: Callable[[str, random.Random], str | None], text: str, expected: str | None
) -> None:
    assert edit(text, random.Random(0)) == expected


def test_every_kind_of_edit_is_made_somewhere() -> None:
    assert all(any(edit(text, random.Random(0)) for text in SENTENCES) for edit in edits._RIGHT)
    found = [
        edits.make_wrong(text, AROUND, random.Random(seed))
        for text in SENTENCES
        for seed in range(20)
    ]
    assert {made[1] for made in found if made} == set(edits.WRONG)
