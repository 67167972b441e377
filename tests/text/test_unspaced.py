"""Runs of scripts without spaces become characters and pairs; other text stays as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.search.candidates import query_words
from rag.text.unspaced import divide, spaced


@pytest.mark.parametrize(
    "text", ["", "Plain words, 12.5 %", "Über Größe à l'été", "Привет, мир", "שלום", "नमस्ते"]
)
def test_text_in_other_scripts_is_unchanged(text: str) -> None:
    assert spaced(text) == text
    assert divide(text) == (text, [])


def test_a_run_becomes_its_characters_and_pairs() -> None:
    assert spaced("押金是").split() == ["押", "金", "是", "押金", "金是"]
    assert spaced("猫").split() == ["猫"]
    assert divide("猫 and 押金")[1] == ["猫", "押金"]


def test_a_number_and_english_words_beside_a_run_stay_words() -> None:
    assert query_words("租金 rents 3500元") == ["rents", "3500", "租金", "元"]


def test_composed_and_decomposed_characters_are_the_same_words() -> None:
    assert divide("ガラス")[1] == divide("\u30ab\u3099ラス")[1] == divide("ｶﾞﾗｽ")[1]


def test_vowel_signs_and_tones_belong_to_their_letter() -> None:
    assert divide("ป่า")[1] != divide("ป้า")[1]
    assert len(divide("น้ำตา")[1]) == 3  # น้ and ำ, which is a vowel sign and a letter; ต; า


@given(st.text(st.sampled_from("押金aé 1กั่ガ\n"), max_size=60))
def test_the_pairs_of_a_question_are_words_of_the_same_text(text: str) -> None:
    assert set(divide(text)[1]) <= set(spaced(text).split())
