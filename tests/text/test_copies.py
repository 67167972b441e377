"""What is a copy and what only looks like one: nothing that a person may ask for is ever taken for said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.copies import _CODE, WordText, find_copy, same_content

TEXT = (
    "The foreign minister of Freedonia said on Tuesday that the country has so far faced over 5,000 individual sanctions, a "
    "record that eclipses the restrictions imposed against Sylvania and Brulovia. What is happening now, Rufus Firefly said, "
    "cannot be compared to the measures introduced after the events of 2014, when the canal was closed, but the experience of "
    "that time allowed the country to learn a lesson that helped it to prepare for the current situation."
)
OTHER = (
    "Farmers in the north of Sylvania have brought in the largest harvest of barley since 1987. The ministry puts it at 40,000 "
    "tonnes, twice what was hoped for in the spring, and expects the price of bread to fall by the end of the month."
)


def _edited(*pairs: tuple[str, str]) -> str:
    text = TEXT
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.upper(),
        TEXT.lower(),
        TEXT.replace(" ", "\n "),
        _edited((", a record", " – a record"), ("now, Rufus", "now Rufus"), ("Brulovia.", "Brulovia;")),
        _edited(("measures", "steps"), ("helped it to prepare", "enabled it to prepare")),
        _edited(("cannot be compared to the measures introduced after the events of 2014, when the canal was closed",
                 "after the events of 2014, when the canal was closed, cannot be compared to the measures introduced")),
    ],
    ids=["itself", "upper", "lower", "blanks", "punctuation", "synonyms", "a clause moved"],
)  # fmt: skip
def test_a_copy_is_a_copy(text: str) -> None:
    assert same_content(WordText(TEXT), WordText(text)) and same_content(
        WordText(text), WordText(TEXT)
    )


@pytest.mark.parametrize(
    "pairs",
    [
        [("5,000", "5,001")], [("5,000", "six thousand")], [("2014", "2015")], [("Tuesday", "Monday")], [("over 5,000", "under 5,000")],
        [("cannot be", "can be")], [("has so far faced", "has not so far faced")], [("helped it to prepare", "never helped it to prepare")],
        [("Sylvania", "Osterlich")], [("Sylvania and Brulovia", "Brulovia and Sylvania")], [("Freedonia", "Sylvania"), ("against Sylvania", "against Freedonia")],
        [("after the events", "before the events")], [("closed", "opened")], [("imposed against", "imposed for")], [("current", "current 3rd")],
        [("individual", "individual €")], [(" 5,000 individual", " -5,000 individual")],
    ],
    ids=lambda pairs: " ".join(f"{a}>{b}" for a, b in pairs),
)  # fmt: skip
def test_a_text_that_says_something_else_is_none(pairs: list[tuple[str, str]]) -> None:
    assert not same_content(WordText(TEXT), WordText(_edited(*pairs)))
    assert find_copy(WordText(_edited(*pairs)), [WordText(OTHER), WordText(TEXT)]) is None
    assert find_copy(WordText(TEXT), [WordText(_edited(*pairs))]) is None


def test_the_same_story_told_by_another_is_none() -> None:
    told = (
        "Freedonia has now been hit by some 4,800 sanctions, its foreign minister Rufus Firefly told reporters in the capital, more "
        "than were ever imposed against Sylvania. He said the country had learnt its lesson after 2014 and was prepared."
    )
    assert (
        find_copy(WordText(told), [WordText(TEXT)]) is None
        and find_copy(WordText(TEXT), [WordText(told)]) is None
    )


def test_two_short_texts_are_the_same_under_the_same_title_only() -> None:
    words = "It weighs 5 kg."
    assert same_content(WordText(words, "The green pump"), WordText(words, "The green pump"))
    assert not same_content(
        WordText(words, "The green pump"), WordText(words, "The small red pump")
    )
    assert same_content(WordText(TEXT, "The Herald"), WordText(TEXT, "Daily News"))


def test_a_headline_of_its_own_is_no_news_where_it_denies_nothing_and_has_no_number_of_its_own() -> (
    None
):
    for head in ("The Daily Herald\nFirefly: Freedonia faces 5,000 sanctions", "From our own wire"):
        assert same_content(WordText(f"{head}\n\n{TEXT}"), WordText(TEXT))
    for head in (
        "Firefly: Freedonia faces 6,000 sanctions",
        "Firefly never said so",
        "Sylvania has declared war.",
        "- Sylvania",
    ):
        assert find_copy(WordText(f"{head}\n\n{TEXT}"), [WordText(TEXT)]) is None


def test_the_first_lines_of_a_poem_are_no_headlines() -> None:
    poem = "The river runs\nAnd never home\nIt saw the mill\nIt saw the town\nIt sees the sea\nAnd so do we\nWho sit and wait\nBeside the gate\nAnd hear it go"
    assert WordText(poem).words[:3] == ["the", "river", "runs"]


def test_a_part_is_said_by_the_whole_but_the_whole_not_by_a_part() -> None:
    part = TEXT[TEXT.index("What is") :]
    assert find_copy(WordText(part), [WordText(OTHER), WordText(TEXT)]) == 1
    assert find_copy(WordText(TEXT), [WordText(part)]) is None


def test_passages_cut_elsewhere_are_held_against_all_that_is_known_together() -> None:
    words = (TEXT + " " + OTHER).split()
    halves = [WordText(" ".join(words[:50])), WordText(" ".join(words[50:]))]
    middle = WordText(" ".join(words[20:80]))
    assert find_copy(middle, halves) is not None
    assert find_copy(middle, halves[:1]) is None and find_copy(middle, halves[1:]) is None


CODE = "The call `os.path.join(a, b)` gives x == y for every value; see Section 3.\n\n- when a - b > 0 it is kept\n"


@pytest.mark.parametrize(("old", "new"), [("==", "!="), ("a - b", "a * b"), ("os.path", "os.Path"), ("> 0", ">= 0"), ("(a, b)", "(b, a)")])  # fmt: skip
def test_in_code_every_character_says_something(old: str, new: str) -> None:
    assert not same_content(WordText(CODE), WordText(CODE.replace(old, new)))


def test_code_may_stand_in_other_lines() -> None:
    assert same_content(
        WordText(CODE), WordText(CODE.replace("\n\n", "\n").replace(" see", "  see"))
    )


WORDS = st.lists(
    st.sampled_from("the cat saw two dogs not Rome 5 7 from to big small and".split()), max_size=12
)


@given(WORDS, WORDS)
def test_what_is_folded_lacks_no_number_no_name_and_no_negation(
    one: list[str], two: list[str]
) -> None:
    if find_copy(WordText(" ".join(one)), [WordText(" ".join(two))]) is not None:
        assert {w for w in one if w in "not Rome 5 7 two".split()} <= set(two)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared_and_order_plays_no_part(one: str, two: str) -> None:
    assert same_content(WordText(one), WordText(one)) and same_content(
        WordText(one), WordText(two)
    ) == same_content(WordText(two), WordText(one))


@given(st.text(st.sampled_from("aé1_ \n(){}=<>\\|^~`."), max_size=8))
def test_code_is_told_by_its_signs_or_by_a_bracket_behind_a_word(text: str) -> None:
    assert bool(_CODE.search(text)) == bool(re.search(r"[{}=<>\\|^~`]|\w\(", text))
