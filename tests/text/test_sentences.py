"""The splitter: its laws on any text, and what it does to the texts that trip splitters."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.domain import Span
from rag.text.sentences import line_number, split_blocks, split_sentences
from tests.support.examples import examples

PARTS = st.sampled_from(
    'a|B| |\n|\r\n|\r|.|?|!|"|“|”|(|)|1.|2)|Dr.|e.g.|U.S.|No. 5|3.5|- |Mr. Smith went. |It was cold. |\u2028|\x85|\x0b|\x00'
    "|。|é|İ|😀|\ud800|\u00a0|\u3000|Ж.|```|==".split("|")
)
TEXTS = st.one_of(
    st.lists(PARTS, max_size=40).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=80),
)


def _split(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


def _lawful(text: str, spans: list[Span]) -> None:
    """In order, disjoint, trimmed, and between them nothing but white space."""
    last = 0
    for span in spans:
        assert last <= span.start < span.end <= len(text)
        assert not text[last : span.start].strip()
        assert span.of(text) == span.of(text).strip()
        last = span.end
    assert not text[last:].strip()


@examples(400)
@given(TEXTS)
@example("Plan B\u00a0. Next")  # the segmenter panics at this
@example("B\u3000.")
@example("half \ud800 a pair. Two.")
def test_spans_are_lawful_on_any_text(text: str) -> None:
    _lawful(text, list(split_sentences(text)))
    _lawful(text, list(split_blocks(text)))


@given(TEXTS, TEXTS)
def test_a_part_from_a_line_on_is_split_as_if_it_were_alone(before: str, text: str) -> None:
    before += "\n"
    within = Span(len(before), len(before) + len(text))
    moved = [Span(s.start + len(before), s.end + len(before)) for s in split_sentences(text)]
    assert list(split_sentences(before + text + before, within)) == moved


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dr. Smith met Mr. Jones. They spoke.", ["Dr. Smith met Mr. Jones.", "They spoke."]),
        ("The U.S. Army left. It was cold.", ["The U.S. Army left.", "It was cold."]),
        (
            "Take fruit, e.g. Apples or pears. Then eat.",
            ["Take fruit, e.g. Apples or pears.", "Then eat."],
        ),
        ("See No. 5 for more. It is long.", ["See No. 5 for more.", "It is long."]),
        ("It costs $3.50 now. It was 2.5 million.", ["It costs $3.50 now.", "It was 2.5 million."]),
        ("J. R. Smith v. Jones, Inc. was heard.", ["J. R. Smith v. Jones, Inc. was heard."]),
        ("It began on Feb. 24. It ended.", ["It began on Feb. 24.", "It ended."]),
        ("Is it? Yes! No... Maybe.", ["Is it?", "Yes!", "No...", "Maybe."]),
        (
            "“I came. I saw. I won,” he said. Nobody cared.",
            ["“I came. I saw. I won,” he said.", "Nobody cared."],
        ),
        ('He said: "I came. I saw." Then he left.', ['He said: "I came. I saw."', "Then he left."]),
        ("中文句子。第二句。", ["中文句子。", "第二句。"]),
        ("It rained [1]. It snowed [2].", ["It rained [1].", "It snowed [2]."]),
        ("", []),
        (" \n\t\n", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert _split(text) == expected


def test_a_number_of_a_list_belongs_to_its_item() -> None:
    items = ["1. Remove the bolts.", "2. Lift the lid.", "- a dash", "* a star", "a) a letter"]
    assert _split("\n".join(items)) == items
    assert _split("1. First thing here. 2. Second thing.") == [
        "1. First thing here.",
        "2. Second thing.",
    ]


WRAPPED = """The quick brown fox jumps over the lazy dog and runs on into
the forest where it meets another fox. That fox is called Bob
and he lives in a small burrow near the river. They talk for a
long time about the weather and about food. Then it goes home.

A new paragraph begins here and it too is wrapped at the column
sixty or so. It ends here.
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_of_a_hard_wrapped_text_belong_together(ending: str) -> None:
    found = _split(WRAPPED.replace("\n", ending))
    assert (
        found[0]
        == f"The quick brown fox jumps over the lazy dog and runs on into{ending}the forest where it meets another fox."
    )
    assert found[3:] == [
        "Then it goes home.",
        f"A new paragraph begins here and it too is wrapped at the column{ending}sixty or so.",
        "It ends here.",
    ]
    assert found[2] == f"They talk for a{ending}long time about the weather and about food."


def test_a_list_in_a_hard_wrapped_text_is_not_joined() -> None:
    items = [
        "- the first item of a list that is nearly as wide as the rest",
        "2. the second item of it, and that one is as wide as can be",
        "(c) more",
    ]
    text = WRAPPED + "\n".join(items)
    assert [s.of(text) for s in split_blocks(text)][-3:] == items


def test_paragraphs_of_one_line_are_not_joined() -> None:
    text = (
        "A heading without a stop\nA paragraph of one line that goes on for a while and ends.\nAnd another one\n"
        * 3
    )
    assert len(list(split_blocks(text))) == 9


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        (
            "Dr Amsel found that the roots of the old lime tree press against the\n"
            "wall. She says it can wait.",
            [
                "Dr Amsel found that the roots of the old lime tree press against the\nwall.",
                "She says it can wait.",
            ],
        ),
        (  # the line has an end of a sentence within, and does not end with one
            "First class from three hours on. A car only if no train runs within an hour of that\n"
            "Tuesday.",
            [
                "First class from three hours on.",
                "A car only if no train runs within an hour of that\nTuesday.",
            ],
        ),
        (  # nothing ends in "at"
            "The surveyor of the county, Mr Quail, puts the cost of the repair at\n1,150.",
            ["The surveyor of the county, Mr Quail, puts the cost of the repair at\n1,150."],
        ),
    ],
)
def test_a_line_that_stops_within_a_sentence_goes_on(text: str, sentences: list[str]) -> None:
    assert _split(text) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "Report of the working group on the harbour wall and the slipway\nThe group met twice.",
        "The keys of the boat house are with the caretaker at all times.\nnobody else has any.",
        "green apples\nred apples",
        "2024-03-01 10:00  Pump 3 was started by hand and ran for\n2024-03-02 09:00  stopped",
        "Minutes of the meeting of the members of the rowing club on the river:\n- the fee",
        "name;place of the first meeting;time;what was brought along\nida;harbour;ten;nothing",
    ],
)
def test_other_lines_stay_apart(text: str) -> None:
    assert len(_split(text)) == 2


def test_a_wrapped_text_of_wide_lines_is_known() -> None:
    words = "the wall along the river was built by the town and is kept by the parish council of it"
    line = f"{words} and {words[:40]}".strip()
    assert 100 < len(line) < 140
    text = "\n".join([line] * 6) + "\nNew sentence here."
    assert len(list(split_blocks(text))) == 1


def test_a_short_line_that_ends_a_sentence_ends_a_paragraph_of_a_wrapped_text() -> None:
    text = WRAPPED.rstrip() + "\n" + "It rained all day in the hills.\n" + "Fog came later.\n"
    assert [s.of(text) for s in split_blocks(text)][-1] == "Fog came later."


def test_line_breaks_of_windows() -> None:
    assert _split("One.\r\nTwo.\r\n\r\nThree.") == ["One.", "Two.", "Three."]


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_a_newline_ends_a_line(odd: str) -> None:
    text = f"first{odd}still first\nsecond"
    assert line_number(text, text.index("still")) == 1
    assert line_number(text, text.index("second")) == 2
    assert [s.of(text) for s in split_blocks(text)] == [f"first{odd}still first", "second"]


def test_lines_are_counted_from_one() -> None:
    assert [line_number("a\nb\n\nc", n) for n in (0, 1, 2, 4, 5)] == [1, 1, 2, 3, 4]


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "x",
        "word ",
        "A b. ",
        "It rained. ",
        ".",
        '"',
        "(",
        "e.g. ",
        "\u0301",
        "1. ",
        "“a. ",
        "é\u00a0",
    ],
)
def test_a_very_long_line_takes_little_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.perf_counter()
    found = list(split_sentences(text))
    assert time.perf_counter() - started < 5
    _lawful(text, found)


@pytest.mark.slow
def test_very_many_lines_take_little_time() -> None:
    started = time.perf_counter()
    assert len(list(split_sentences("a b\n" * 50_000))) == 50_000
    assert time.perf_counter() - started < 5


def test_a_day_with_a_full_stop_is_not_the_end_of_a_sentence() -> None:
    text = "She was elected on 5. Mai 2020. He came on 12. september. It has 5. Many came."
    assert [span.of(text) for span in split_sentences(text)] == [
        "She was elected on 5. Mai 2020.",
        "He came on 12. september.",
        "It has 5.",
        "Many came.",
    ]


def test_blanks_end_long_sentences_of_thai_and_a_sign_those_of_khmer() -> None:
    thai = (
        "ภารโรงเทถังขยะทุกวันจันทร์และล็อคประตูในตอนเย็น",
        "ค่าเช่าเดือนละห้าพันบาท ชำระภายในวันที่ห้าของทุกเดือน",
    )
    assert _split(" ".join(thai)) == list(thai)
    assert _split("ខ្ញុំទៅផ្សារ។ គាត់នៅផ្ទះ។") == ["ខ្ញុំទៅផ្សារ។", "គាត់នៅផ្ទះ។"]
    assert _split("押金是两千元。可以吗？不可以！") == ["押金是两千元。", "可以吗？", "不可以！"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Inspector is Ms. Ada Berg. He comes.", ["Inspector is Ms. Ada Berg.", "He comes."]),
        ("It costs approx. 20 euros. Pay.", ["It costs approx. 20 euros.", "Pay."]),
        ("Call Tel. 0151 22, vol. 3.", ["Call Tel. 0151 22, vol. 3."]),
        ("Stop at the max. Then go.", ["Stop at the max.", "Then go."]),
    ],
)
def test_an_abbreviation_goes_on_with_its_name_or_number(text: str, sentences: list[str]) -> None:
    assert [span.of(text) for span in split_sentences(text)] == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("**Leak.** It drips. Call.", ["**Leak.**", "It drips.", "Call."]),
        ("_Note._ It drips.", ["_Note._", "It drips."]),
        ("Price 5 EUR*. * plus VAT", ["Price 5 EUR*.", "* plus VAT"]),
        ("It is 2 * 3. * is a star", ["It is 2 * 3.", "* is a star"]),
    ],
)
def test_the_marks_that_end_an_emphasis_belong_to_its_sentence(
    text: str, sentences: list[str]
) -> None:
    assert _split(text) == sentences
