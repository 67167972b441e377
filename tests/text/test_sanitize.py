"""Strangers' text on its way to a terminal: what may pass, what is shown as what, and that nothing moves."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.sanitize import sanitize, sanitize_line
from tests.support.examples import examples

HOSTILE = [
    "\x1b[31mred\x1b[0m",  # ANSI colour
    "\x1b[2J\x1b[H",  # clear the screen
    "\x1b]52;c;ZXZpbA==\x07",  # OSC 52: the clipboard
    "\x1b]8;;http://evil.test\x1b\\click\x1b]8;;\x1b\\",  # OSC 8: a link
    "\x1b]0;title\x07",
    "\x1bP1$r0m\x1b\\",  # DCS
    "\x1b_Gi=1;AAAA\x1b\\",  # APC
    "\x1b^secret\x1b\\",  # PM
    "\x1bXsos\x1b\\",  # SOS
    "\x1b[?1049h\x1b[6n",
    "\x9b31mC1\x9c\x90\x9d52;c;AA\x9c",  # the same in C1
    "unterminated \x1b]52;c;",
    "user\rroot",
    "\u202egpj.exe",  # right to left override
    "\u2066isolated\u2069\u200f\u061c",
    "zero\u200bwidth\u2060joined\ufeff",
    "tag\U000e0041\U000e0042\U000e007f",
    "\ue000 private \U0010fffd",
    "half \ud83d pair \ude00",
    "line\u2028and\u2029paragraph",
    "soft\xadhyphen",
    "filler\u3164\uffa0\u115f\u1160",
    "\x00\x07\x08\x7f",
]
#: mostly what steers, so that a few hundred examples meet it all
CHARACTERS = st.one_of(
    st.sampled_from(
        sorted(set("".join(HOSTILE)) | set("\u0301\u0489\u200d\ufe0f\ufe01\U000e0100👨💻❤\n\t aé1"))
    ),
    st.characters(exclude_categories=()),
)
TEXTS = st.text(CHARACTERS, max_size=60)


def _harmless(text: str) -> None:
    for at, char in enumerate(text):
        category = unicodedata.category(char)
        if char in "\n\t":
            continue
        if char == "\u200d":
            around = text[at - 1 : at], text[at + 1 : at + 2]
            assert all(a and not a.isalnum() and not a.isspace() for a in around), ascii(text)
            continue
        assert category not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"), (
            ascii(text),
            ascii(char),
        )


@examples(400)
@given(TEXTS)
@example("a\r\n\r\r\n\r")
@example("a\u0301\u200d\u0301b")
def test_the_length_is_kept_it_is_harmless_and_a_second_time_changes_nothing(text: str) -> None:
    shown = sanitize(text)
    assert len(shown) == len(text)
    assert sanitize(shown) == shown
    _harmless(shown)
    assert [n for n, c in enumerate(text) if c == "\n"] == [
        n for n, c in enumerate(shown) if c == "\n"
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_escape_family_gets_through_and_the_words_stay(text: str) -> None:
    shown = sanitize(text)
    _harmless(shown)
    assert shown != text
    assert "".join(c for c in text if c.isascii() and c.isprintable()) in "".join(
        c for c in shown if c.isascii() and c.isprintable()
    )


@pytest.mark.slow
def test_every_code_point_alone_and_between_letters() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        shown = sanitize(f"a{char}b")
        assert len(shown) == 3 and shown[0] == "a" and shown[2] == "b"
        if char not in "\n\t":
            assert unicodedata.category(shown[1]) not in (
                "Cc",
                "Cf",
                "Cs",
                "Co",
                "Cn",
                "Zl",
                "Zp",
            ), hex(code)


def test_controls_are_shown_by_their_pictures() -> None:
    assert sanitize("\x1b\x00\x07\x7f") == "␛␀␇␡"
    assert sanitize("\x9b\u202e\ue000") == "\ufffd" * 3
    assert sanitize("a\tb\nc") == "a\tb\nc"


def test_a_line_break_of_windows_is_one_and_a_bare_return_is_shown() -> None:
    assert sanitize("a\r\nb\rc") == "a \nb␍c"


@pytest.mark.parametrize(
    "text",
    [
        "naïve café, Zażółć gęślą jaźń",
        "Tiếng Việt e\u0302\u0301",
        "東京 はがき 한국어",
        "Привет, мир — “да”…",
        "नमस्ते",
        "👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥 🏳\ufe0f\u200d🌈 👨🏽\u200d💻 1\ufe0f\u20e3",
        "葛\U000e0100城",
        "α² ≤ ½ → ∞ €",
    ],
)
def test_honest_text_is_left_alone(text: str) -> None:
    assert sanitize(text) == text


def test_combining_marks_are_bounded() -> None:
    shown = sanitize("Z" + "\u0321\u0363\u035c" * 400 + "a" + "\u0489" * 50)
    longest = run = 0
    for char in shown:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        longest = max(longest, run)
    assert longest == 4


def test_a_joiner_stays_only_inside_a_sequence_of_symbols() -> None:
    assert "\u200d" not in sanitize("pass\u200dword") + sanitize("\u200d") + sanitize(
        "a\u0301\u200d\u0301"
    ) + sanitize("👨\u200d")
    assert "\u200d" in sanitize("👨\u200d💻")


def test_variation_selectors_carry_no_hidden_text() -> None:
    hidden = "👍" + "".join(chr(0xE0100 + byte) for byte in b"run rm -rf") + "a\ufe01\ufe02"
    assert (
        sum(
            "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef" for c in sanitize(hidden)
        )
        <= 1
    )


@given(TEXTS)
def test_a_line_is_one_line(text: str) -> None:
    shown = sanitize_line(text)
    _harmless(shown)
    assert len(shown.splitlines()) <= 1
    assert shown == shown.strip() and "  " not in shown and "\t" not in shown


def test_a_file_name_on_one_line() -> None:
    assert sanitize_line("a\nb\x1b[31m\t\u2028c.txt") == "a b␛[31m \ufffdc.txt"


def test_a_megabyte_takes_no_time() -> None:
    text = "é東京\u0301 a" * 200_000
    assert len(sanitize(text)) == len(text)
