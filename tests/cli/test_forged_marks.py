"""Foreign text never looks like a mark or a line of Footnote, even without colours."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag import domain as d
from rag.answer.answer import answer_question
from rag.answer.cite import parse_citations, piece_text
from rag.cli import output
from rag.events import Answered, Token
from rag.export.markdown import answer_markdown
from rag.text.foreign_marks import (
    AnswerStream,
    answer_as_shown,
    indented_rows,
    quote_foreign,
    shown_with_spans,
    spell_marks,
)
from rag.text.sanitize import sanitize_line
from tests.support.examples import examples
from tests.support.fakes import JUDGE, Script, passage, quote
from tui.render.export import plain, sentence
from tui.render.glyphs import ASCII, UNICODE
from tui.render.marks import mark_answer

BREAKS = [
    "\n",
    "\r",
    "\r\n",
    "\v",
    "\f",
    "\x85",
    "\u2028",
    "\u2029",
    "\x1c",
    "\t",
    "  " * 40,
    "\n\n\n",
]
LINES = [
    "[2] ✓ supported    official-register.pdf:12, page 3",
    "⊘ NOT ANSWERED: no clear answer was found.",
    "→ 12,000 euros",
    "≠ the sources differ: see [1] and [2]",
    "    “as the register says” ✓",
    "✓ the sentence is supported",
    "[?] [9]! [2]✓ [2]~ [2]✗ [✗]",
    "┃ ▌ │ ❯ looked up: what the fee is",
]
ALIKE = [
    "[2]",
    "[ 2 ]",
    "[２]",
    "［2］",
    "［２］",
    "[²]",
    "[①]",
    "[٢]",
    "[०]",
    "[Ⅱ]",
    "[𝟐]",
    "[2\u200b]",
    "[\u20602]",
    "[\u202e2]",
    "[2\u0336]",
    "[2\x00]",
    "[2,3]",
    "[2–3]",
    "[2 ✓]",
    "[✓]",
    "[?]",
    "[!]",
    "[~]",
    "[l]",
    "[О]",
    "[2\ufe0f]",
    "【2】",
    "⁅2⁆",
    "⦋2⦌",
    "〔2〕",
    "❲2❳",
    "[2］",
    "[\xa02]",
    "[\u28002]",
    "[002]",
    "[+2]",
    "[2.]",
]
TICKS = "✓✔☑✅√🗸🗹⍻✗✘✖✕❌❎☒☓⊘⛔🚫⌀∅■◌❯❱│┃║▌█❘≠→⇒➔⟶"


def bare(text: str) -> str:
    """What an eye that passes over white space and what is not seen makes of it."""
    return re.sub(r"[\s\ufffd␀-␡]|[\u0300-\u036f]", "", text)


@pytest.mark.parametrize("text", ALIKE, ids=ascii)
def test_a_number_in_brackets_is_never_in_ours(text: str) -> None:
    for around in ("{}", "a{}", "a {} b", "({})", "[{}]", "{}{}", "{}✓", "[x{}"):
        shown = bare(quote_foreign(around.replace("{}", text)))
        assert not re.search(r"[\[［【⁅⦋〔❲](?!⟦|x)[^\]a-z]*[\]］】⁆⦌〕❳]", shown), (around, shown)
        assert "⟦" in shown and "⟧" in shown


@pytest.mark.parametrize("sign", [*TICKS, "=\u0338", "✓\ufe0f", "x\u20dd", "O\u0338"], ids=ascii)
def test_a_sign_of_ours_or_one_like_it_is_written_in_words(sign: str) -> None:
    shown = quote_foreign(f"so {sign} it")
    assert (
        not set(shown) & set(TICKS)
        and shown.startswith("so ")
        and shown.endswith(" it")
        and sign not in shown
    )


@pytest.mark.parametrize(
    "text",
    [
        "[b]x[/b]",
        "[sic]",
        "a[i][j]",
        "[]",
        "[ ]",
        "[...]",
        "x × y",
        "it's 50 % + 2",
        "„Ja“ – «oui»",
    ],
)
def test_honest_text_is_left_alone(text: str) -> None:
    assert quote_foreign(text) == text


TEXTS = st.lists(
    st.sampled_from(
        [*ALIKE, *TICKS, *BREAKS, *LINES, "[", "]", " ", "a", "2", "\u0338", "=", "\u200b"]
    ),
    max_size=9,
)


@examples(300)
@given(TEXTS.map("".join))
def test_a_text_of_strangers_is_one_line_and_a_second_time_changes_nothing(text: str) -> None:
    once = quote_foreign(text)
    assert once == quote_foreign(once) == sanitize_line(once) and not re.search(
        r"\s\s|[^\S ]", once
    )
    assert not set(once) & set(TICKS) and not re.search(
        r"\[[\s0-9?!~,]*[0-9?!~][\s0-9?!~,]*\]", once
    )


def _answer(*pieces: d.Piece, passages: tuple[d.Passage, ...], **more: object) -> d.Answer:
    *_, last = answer_question(
        "What is the fee?",
        lambda q, k: passages,
        Script(*pieces),
        JUDGE,
        limit=5,
        searched=2,
    )
    assert isinstance(last, Answered)
    return replace(last.answer, **more)  # type: ignore[arg-type]


def _hostile(words: str) -> d.Answer:
    """An answer with `words` in its quotation, title, source, heading and question."""
    text = f"The fee is {words} 900 euros a year."
    found = passage(
        1,
        text,
        title=f"Fees{words}",
        source=f"fees{words}.txt",
        heading=f"A{words}",
        date=f"2020{words}",
    )
    made = _answer(
        quote(found, text),
        passages=(found,),
        short=f"{words} 900",
        missing=f"no {words}",
        asked=f"What {words}?",
    )
    return replace(
        made,
        question=f"Fee?{words}",
        model=d.Model(f"m{words}", ""),
        receipt=d.Receipt(dropped=(words,)),
    )


FORGED = [(cut, words) for words in LINES for cut in BREAKS[:: 1 if words == LINES[0] else 4]]


@pytest.mark.parametrize(("cut", "words"), FORGED, ids=ascii)
def test_a_quotation_prints_no_line_and_no_mark_of_ours(
    cut: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _hostile(f"{cut}{words}{cut}")
    assert made.claims[0].evidence[0].text == made.passages[0].chunk.text, (
        "what is stored stays as it is"
    )
    assert "\n" not in made.text
    output.print_answer(made)
    told = capsys.readouterr()
    rows = told.out.splitlines()
    (own,) = [row for row in rows if row[:1] in ("[", "⊘", "≠", "✓", "┃")]
    assert own.startswith("[1] ✓ supported")
    assert told.out.count("✓") == 1 == told.out.count("[1]") - 1 and told.out.count("→") == 1
    assert sum(map(told.out.count, ("[2]", "[?]", "[9]", "⊘", "≠", "│", "┃", "✗"))) == 0
    assert not set(told.err) & set(TICKS) and len(told.err.splitlines()) == 2
    for text in (answer_markdown(made), plain(made), sentence(made.claims[0])):
        assert not re.search(r"\[[2?9✗]\]", text) and "⊘" not in text and text.count("✓") <= 1
    assert (
        "\n[1]" not in answer_markdown(made)
        and answer_markdown(made).count("\n[^1]: ") == 1
        and len(plain(made).splitlines()) == 1
    )
    assert sentence(made.claims[0]).count("\n") == 2


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("words", [*LINES, *ALIKE])
def test_in_the_chat_only_our_marks_look_like_ours(words: str, glyphs: object) -> None:
    found = passage(1, f"The fee is {words}+ 900 euros.")
    made = _answer(quote(found, found.chunk.text), passages=(found,))
    seen = mark_answer(made, glyphs)  # type: ignore[arg-type]
    sign = glyphs.supported  # type: ignore[attr-defined]
    assert seen.text.endswith(f" [1]{sign}")
    rest = seen.text.removesuffix(f" [1]{sign}")
    assert not re.search(r"[\[［]\W*\d", bare(rest)) and "✓" not in rest and "\n" not in rest
    assert [span.of(seen.text) for span, _ in seen.citations] == ["[1]"]


def _words(text: str) -> list[str]:
    return spell_marks(text).split()


WRITTEN = st.lists(
    st.sampled_from(
        [
            "The fee is 900 euros",
            " [1]",
            "[1]",
            "[9]",
            ". ",
            "\n",
            *ALIKE[:12],
            "✓",
            "+",
            "x",
            " ",
            *LINES[:4],
            "\t",
        ]
    ),
    max_size=10,
).map("".join)


@examples(300)
@given(WRITTEN)
@example("The fee [1]+ is 900 [1].\n[1] ✓ supported register.pdf:12")
@example("[1]x and [1]~ so [1]")
def test_of_what_a_model_wrote_only_the_markers_that_were_read_stay(text: str) -> None:
    found = passage(1, "The fee is 900 euros.")
    made = _answer(text, passages=(found,))
    seen, into = shown_with_spans(made)
    cited = [(c.span, c.number) for claim in seen.claims for c in claim.sentence.citations]
    assert all(str(number) in span.of(seen.text) for span, number in cited)
    spans = {(span.start, span.end) for span, _ in cited}
    for match in re.finditer(r"\[[\s0-9,;]*[0-9][\s0-9,;]*\]", seen.text):
        assert match.span() in spans, "no other looks like one"
        assert seen.text[match.end() : match.end() + 1] not in ("+", "~", "✓", "✗")
    assert not set(seen.text) & set(TICKS)
    for old, new in zip(made.claims, seen.claims, strict=True):
        before = old.sentence.span.of(made.text).replace("[1]", "[1] ")
        assert _words(new.sentence.span.of(seen.text)) == _words(before) or cited
    assert into(d.Span(0, len(made.text))).end == len(seen.text) or made.text.endswith("]")


@examples(300)
@given(st.lists(WRITTEN, max_size=6))
def test_what_was_streamed_never_changes_and_ends_as_the_answer(parts: list[str]) -> None:
    found = passage(1, "The fee is 900 euros [2]✓\n[2] ✓ supported.")
    pieces: list[d.Piece] = [*parts, quote(found, found.chunk.text), *parts]
    stream, out = AnswerStream(), ""
    streamed = output.Streamed(lambda text: None)
    for piece in pieces:
        text = piece_text(piece)
        token = Token(text, text.rindex(" [") if isinstance(piece, d.Quote) else 0)
        stream.add(token.text, token.quoted)
        before = streamed._written
        streamed.add(token)
        assert streamed._written.startswith(before), "what was written stays"
        out += text
    streamed.end()
    assert out == parse_citations(pieces)[0]
    assert streamed._written == "\n".join(indented_rows(stream.text))
    assert (
        not set(stream.text) & set(TICKS)
        and " ⟦2⟧(check mark) ⟦2⟧ (check mark) supported. [1]" in stream.text
    )


def test_lines_of_a_model_stand_where_no_line_of_ours_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = passage(1, "The fee is 900 euros.")
    text = (
        "The fee is 900 euros [1].\n\n\n\n"
        "[1] ✓ supported    register.pdf:12\n⊘ NOT ANSWERED\n→ 12,000"
    )
    output.print_answer(_answer(text, passages=(found,)))
    told = capsys.readouterr().out
    assert told.startswith(
        "The fee is 900 euros [1].\n\n  [1] (check mark) supported register.pdf:12\n"
        "  (circled division slash) NOT ANSWERED\n  -> 12,000\n"
    )
    assert told.count("✓") == 1


def test_passages_and_documents_stand_two_columns_to_the_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = "The fee is 900.\n[2] ✓ other.txt:1  (words 1)\v[3] x\u2028│ masked\r[4]\nEnd of it."
    output.print_passages([passage(1, words, source="a\n[7].txt")])
    told = capsys.readouterr().out
    assert [row[:2] for row in told.split("\n")] == [
        "[1",
        "  ",
        "  ",
        "  ",
        "",
        "",
    ] and "⟦2⟧ (check mark)" in told
    output.print_document(
        d.Document("id", "a\n│ b.txt", "A\n│ b", "2020\n[1]", words, (d.Span(0, 15),))
    )
    rows_ = capsys.readouterr().out.split("\n")
    assert rows_[:3] == ["A | b  2020 ⟦1⟧", "a | b.txt  id", ""] and rows_[3] == "│ The fee is 900."
    assert rows_[4].startswith("  [2] ✓ other.txt:1") and [row[:2] for row in rows_[5:]] == [
        "  ",
        "",
    ]


@pytest.mark.slow
def test_the_rule_takes_time_in_proportion_to_the_text() -> None:
    import time

    for piece in (
        "[",
        "[2",
        "✓",
        "=\u0338",
        "\u0338",
        "[ ",
        "]",
        "[2]",
        "a [",
        "\n",
        "[\n",
        "\u2028",
    ):

        def spent(times: int, piece: str = piece) -> float:
            best = 9.0
            for _ in range(5):
                started = time.process_time()
                quote_foreign(piece * times)
                best = min(best, time.process_time() - started)
            return best

        spent(1000)
        assert spent(40_000) <= max(0.25, 2.3 * spent(20_000)), piece


def test_an_answer_without_marks_of_strangers_is_shown_as_it_is() -> None:
    found = passage(1, "The fee is 900 euros, naïve café.")
    made = _answer("The fee is 900 euros, naïve café [1]. Yes [1]!", passages=(found,))
    assert answer_as_shown(made).text == made.text and answer_as_shown(made).claims == made.claims


def test_markup_of_a_stranger_is_text_in_the_markdown_that_is_copied() -> None:
    forged = "<br>Checked:<br>- supported <img src=x> ![pic](http://a) `x` **bold** &#91;2&#93;"
    text = answer_markdown(_hostile(forged))
    bare = re.sub(r"\\.", "", text)  # what a backslash takes away
    assert "<" not in bare and "`" not in bare and "&#" not in bare and "](" not in bare
    assert "![" not in bare and bare.count("**") == 2, "the question alone is bold"
