"""Marks are put into an answer without moving anything: every span still names its words."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Answer, Citation, Claim, Sentence, Span, Verdict
from tests.support.examples import examples
from tests.tui import scripted as script
from tui.render.excerpt import find_short_answer
from tui.render.glyphs import SHORT_ANSWER_STYLE, UNICODE
from tui.render.marks import hide_partial_marker, mark_answer

PIECES = st.lists(
    st.tuples(
        st.text(alphabet="ab é漢.\n", min_size=1, max_size=8),
        st.sampled_from([1, 3, 9, 0]),
        st.sampled_from(Verdict),
    ),
    min_size=1,
    max_size=6,
)


def built(pieces: list[tuple[str, int, Verdict]], gap: str) -> Answer:
    text, claims = "", []
    for words, number, verdict in pieces:
        start = len(text) + len(gap) * bool(text)
        text += gap * bool(text) + words
        cited: tuple[Citation, ...] = ()
        if number:
            cited = (Citation(number, Span(len(text), len(text) + 3)),)
            text += f"[{number}]"
        claims.append(Claim(Sentence(words, Span(start, len(text)), cited), (), verdict, 0.5))
    shell = script.SUPPORTED
    return Answer(
        "q",
        text,
        None,
        tuple(claims),
        shell.passages,
        False,
        None,
        shell.receipt,
        shell.model,
        shell.seconds,
    )


@examples(150)
@given(PIECES, st.sampled_from(["", " ", "\n"]))
def test_every_span_names_its_words_after_the_marks_are_in(
    pieces: list[tuple[str, int, Verdict]], gap: str
) -> None:
    answer = built(pieces, gap)
    shown = mark_answer(answer, UNICODE)
    assert [span.of(shown.text) for span, _ in shown.citations] == [
        f"[{n}]" for _, n, _ in pieces if n
    ]
    for span, claim in zip(shown.sentences, answer.claims, strict=True):
        words = span.of(shown.text)
        signs = "".join(
            sign
            for sign in ("✓", "~", "✗", "!", " [?]", " [✓]", " [~]", " [✗]", " [!]")
            if sign in words
        )
        assert words[0] == claim.sentence.span.of(answer.text)[0] or words.startswith(" [")
        if claim.verdict in (Verdict.UNSUPPORTED, Verdict.CONTRADICTED):
            assert "✗" in words, "the mark belongs to its own sentence"
        if claim.verdict is Verdict.NEEDS_NONE and not claim.sentence.citations:
            assert not signs, "a mark of another sentence stands here"
    assert all(a.end <= b.start for a, b in zip(shown.sentences, shown.sentences[1:], strict=False))


def test_a_mark_at_the_border_belongs_to_the_sentence_before() -> None:
    answer = built([("Bees", 1, Verdict.SUPPORTED), ("Wasps", 3, Verdict.CONTRADICTED)], "")
    shown = mark_answer(answer, UNICODE)
    assert [span.of(shown.text) for span in shown.sentences] == ["Bees[1]✓", "Wasps[3]✗"]


@examples(150)
@given(PIECES, st.sampled_from(["", " ", "\n"]), st.integers(0, 8), st.integers(1, 8))
def test_the_short_answer_is_lit_where_it_stands_in_the_first_sentence(
    pieces: list[tuple[str, int, Verdict]], gap: str, start: int, length: int
) -> None:
    answer = built(pieces, gap)
    short = answer.claims[0].sentence.text[start : start + length]
    shown = mark_answer(replace(answer, short=short), UNICODE)
    lit = [span for span, style in shown.styles if style == SHORT_ANSWER_STYLE]
    letters = [
        re.sub(r"[^a-zA-Z]", "", span.of(shown.text)) for span in lit
    ]  # a mark may stand before the full stop
    assert letters == ([re.sub(r"[^a-zA-Z]", "", short)] if short else [])
    assert all(span.within(shown.sentences[0]) for span in lit)
    assert shown.text == mark_answer(answer, UNICODE).text, "lighting changes no word"


def test_a_short_answer_of_another_sentence_is_not_looked_for() -> None:
    answer = replace(script.SUPPORTED, short="22 Nm")
    assert not [
        span for span, style in mark_answer(answer, UNICODE).styles if style == SHORT_ANSWER_STYLE
    ]
    assert not [
        span
        for span, style in mark_answer(replace(answer, claims=()), UNICODE).styles
        if style == SHORT_ANSWER_STYLE
    ]


def test_the_short_answer_is_rather_a_word_of_its_own() -> None:
    text = "In 1995 it had 5 pumps"
    assert find_short_answer("5", text) == Span(15, 16)
    assert find_short_answer("99", text) == Span(4, 6), (
        "a piece of a word, where it is nowhere else"
    )
    assert find_short_answer("[b]5", "a [b]5 b") == Span(2, 6)
    assert find_short_answer("6", text) is None and find_short_answer("", text) is None


def test_a_marker_that_has_only_begun_is_held_back() -> None:
    assert hide_partial_marker("It is so [1") == "It is so "
    assert hide_partial_marker("It is so [1]") == "It is so [1]"
    assert (
        hide_partial_marker("a long [bracket that is no marker")
        == "a long [bracket that is no marker"
    )
