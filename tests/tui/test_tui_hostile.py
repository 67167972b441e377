"""Foreign text is shown as text: none of it is markup or a command to the terminal."""

from __future__ import annotations

import ast
import unicodedata
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from rag.domain import Answer, Evidence, Span, Verdict
from rag.errors import EngineStopped, RagError
from rag.text.sanitize import sanitize
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.stage import Stage, perform
from tui.render import wrap
from tui.render.excerpt import make_excerpt
from tui.widgets.text_view import TextView

pytestmark = pytest.mark.slow

HOSTILE = (
    "[1] [/] [b]x[/b] [@click=app.quit]go[/] [$accent]",
    "[",
    "<|im_start|>system <script>x</script> Vec<String>",
    "\x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m \x90q\x9c",
    "\x1b]52;c;aGVsbG8=\x07 copy",
    "\u202eabc\u202c \u2066x\u2069 zero\u200bwidth \U000e0041tag",
    "漢字の文書です。" * 40,
    "w" * 7_900,
    "e" + "\u0301" * 60 + " z\u0335",
    "tab\there\r\nand\rthere \ud800 lone",
    "👨‍👩‍👧 🇩🇪 ❤️ x\u200dy",
)


def harmless(lines: list[str]) -> None:
    """No character on the screen that a terminal would obey or an eye would miss."""
    for row in lines:
        for char in row:
            bad = unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn") or (
                unicodedata.category(char) == "Cf" and char != "\u200d"
            )
            assert not bad, f"{char!r} on the screen in {row!r}"


def of(hostile: str) -> Scripted:
    """An engine whose every text is `hostile`."""
    document = script.document(
        f"before\n{hostile}\nbetween {hostile} after\n", f"dir/{hostile}", hostile, ["before"]
    )
    passage = script.passage(document, 1, hostile, "after", hostile)
    words = script.evidence(passage, document, hostile)
    text = hostile.replace("\n", " ")
    answer = script.answer(
        hostile,
        [
            (f"{text} says [1].", Verdict.SUPPORTED, 0.9, [words], [hostile]),
            (text, Verdict.CONTRADICTED, 0.9, [], []),
        ],
        (passage,),
        short=hostile,
    )
    refusal = script.answer(hostile, [], (passage,), abstained=True)
    answers: dict[str, Answer | RagError] = {
        "answer": answer,
        "refuse": refusal,
        "break": EngineStopped(hostile, hostile),
    }
    return Scripted(answers, (document,), earlier=(hostile,))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_is_shown_and_does_nothing(number: int) -> None:
    hostile = HOSTILE[number]
    size = ((120, 40), (60, 20))[number % 2]

    async def act(stage: Stage) -> None:
        for word in ("answer", "refuse", "break"):
            await stage.ask(f"{word} {hostile}", until=None)
            await stage.until(lambda: not stage.ask_screen.questions.busy)
            await stage.pilot.pause()
            harmless(stage.lines)
        first = stage.ask_screen.talk.turns[0]
        first.focus()
        await stage.press("enter")
        await stage.until(lambda: stage.ask_screen.has_class("-open"))
        await stage.pilot.pause()
        harmless(stage.lines)
        shown = stage.ask_screen.pane.query_one("#source-text", TextView).text
        assert sanitize(hostile).replace("\t", " ") in shown, (
            "the document's words are there, one sign a character"
        )
        await stage.press("escape")
        first.focus()
        await stage.press("v")
        await stage.sees("CHECK")
        harmless(stage.lines)
        await stage.press("escape", "e")
        harmless(stage.lines)

    app = perform(act, of(hostile), size)
    assert app.return_code in (None, 0)


def test_the_pane_says_how_many_characters_were_replaced() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("answer")
        await stage.sees("! 20 characters replaced")

    document = script.document("one \x1b[31m two " + "\u200b" * 19 + " three", "a.txt", "A")
    passage = script.passage(document, 1, "one", "three")
    words = script.evidence(passage, document, "two")
    answer = script.answer(
        "q", [("It is so [1].", Verdict.SUPPORTED, 0.9, [words], [])], (passage,)
    )
    perform(act, Scripted({"": answer}, (document,)))


def test_a_paste_never_asks_and_is_made_harmless() -> None:
    from textual import events

    async def act(stage: Stage) -> None:
        stage.app.post_message(events.Paste("one\r\ntwo\x1b[2J\nthree\n"))
        await stage.until(lambda: "three" in stage.ask_screen.prompt.text)
        assert stage.ask_screen.prompt.text == "one\ntwo\u241b[2J\nthree\n"
        await stage.pilot.pause()
        assert stage.engine.asked == []
        harmless(stage.lines)

    perform(act)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.integers(1, 50))
def test_lines_lose_nothing_but_white_space_and_fit(text: str, width: int) -> None:
    text = sanitize(text).replace("\t", " ")
    rows = wrap.wrap_text(text, width)
    assert "".join(row.of(text) for row in rows).split() == "".join(text.split()).split() or (
        "".join("".join(row.of(text) for row in rows).split()) == "".join(text.split())
    )
    assert all(a.end <= b.start for a, b in pairwise(rows))
    for row in rows:
        assert "\n" not in row.of(text)
        assert cell_len(row.of(text)) <= width or row.end - row.start == 1


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab [/]\n\u4e00\x1b", max_size=120),
    st.integers(0, 120),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_an_excerpt_holds_evidence_and_short_answer_at_their_spans(
    text: str, start: int, length: int, at: int
) -> None:
    document = script.document(text + "x", "s")
    start = min(start, len(text))
    span = Span(start, min(len(text) + 1, start + max(1, length)))
    passage = script.passage(document, 1, document.text[:1], document.text[-1:])
    words = Evidence(1, document.id, "s", span, span.of(document.text), 1)
    short = words.text[at : at + 3]
    piece = make_excerpt(passage, (words,), document, short)
    assert [lit.of(piece.text) for lit in piece.lit] == [words.text]
    assert (piece.short.of(piece.text) if piece.short else "") == short
    assert piece.short is None or piece.short.within(piece.lit[0])


def _python() -> list[Path]:
    return sorted((Path(__file__).parents[2] / "tui").glob("**/*.py"))


def test_no_widget_parses_markup() -> None:
    """Each Static, Label or Button has markup=False; no content is made from markup."""
    checked = 0
    for path in _python():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            said = {k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg == "markup"}
            assert said.get("markup") is not True, f"{path.name}:{node.lineno}"
            assert name not in ("from_markup", "Markdown"), f"{path.name}:{node.lineno}"
            if name in ("Static", "Label", "Button", "OptionList", "notify"):
                checked += 1
                assert said.get("markup") is False, f"{path.name}:{node.lineno} {name}"
    assert checked > 10, "the scan must see the widgets"


def test_content_of_the_sheet_is_literal() -> None:
    text = "[b]x[/b] [@click=app.quit]"
    assert Content(text).plain == text
    assert TextView(text).text == text


@pytest.mark.parametrize("ascii_", [False, True])
def test_no_line_of_a_stranger_begins_where_ours_do(ascii_: bool) -> None:
    """Foreign text is indented by two columns and has none of our signs, wherever it wraps."""
    words = " ".join(["✓ + the sentence is supported [2]✓ ⊘ NOT ANSWERED — looked up: a fee"] * 30)
    document = script.document(f"{words}\n", f"{words}.txt", words)
    passage = script.passage(document, 1, words[:1], words[-1:])
    leans = script.evidence(passage, document, words)
    answer = script.answer(
        words, [(f"{words} [1].", Verdict.SUPPORTED, 0.9, [leans], [])], (passage,)
    )
    claim = answer.claims[0]
    cited = tuple(c for c in claim.sentence.citations if c.number == 1)
    answer = replace(
        answer, claims=(replace(claim, sentence=replace(claim.sentence, citations=cited)),)
    )

    async def act(stage: Stage) -> None:
        await stage.ask("q", until="v see the check")
        sign = "+" if ascii_ else "✓"
        rows = [row for row in stage.lines if row.strip()]
        ours = [row for row in rows if row.startswith(f" {sign} the sentence is supported")]
        assert len(ours) == 1
        text = stage.turn.query_one(".text", TextView).text
        assert text.count("✓") == (0 if ascii_ else 1) and "[2]" not in text and "⊘" not in text
        assert text.count("[1]") == 1 and text.count("looked up:") == 30
        assert not [
            row for row in rows if row.startswith((" looked up:", " ⊘", " o NOT", " (check mark)"))
        ]

    perform(act, Scripted({"": answer}, (document,)), (100, 30), ascii_)
