"""Short answers, sources that differ, and the error rates of the check are shown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from textual import events
from textual.geometry import Region

from rag.domain import FileState, Verdict
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.stage import SIZES, Stage, lit, perform, styled
from tui.render.glyphs import SHORT_ANSWER_STYLE
from tui.widgets.source_pane import SHORT_ANSWER_ON_EVIDENCE, SourcePane, SourceScroll
from tui.widgets.text_view import TextView

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", SIZES)
def test_the_short_answer_is_lit_in_the_answer_and_in_its_source(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("How many bolts?")
        assert styled(stage.turn.query_one(".text", TextView), SHORT_ANSWER_STYLE) == ["six"]
        stage.ask_screen.action_open()
        await stage.until(lambda: lit(stage, SHORT_ANSWER_ON_EVIDENCE) == ["six"])
        assert lit(stage) == ["The cover is fixed with six bolts M8×25."]
        stage.turn.action_move(2)
        await stage.until(lambda: lit(stage) == ["Since 2021 the cover is held by nine bolts."])
        assert lit(stage, SHORT_ANSWER_ON_EVIDENCE) == [], "it belongs to the first sentence"

    perform(act, Scripted({"": script.DIFFERENT}), size)


def test_a_short_answer_of_many_words_stays_lit_over_a_line_break() -> None:
    short = "nine long bolts of brass, steel and bronze [b]M8[/b] and [1]"
    document = script.document(
        f"The cover of the pump in the yard is held by {short} there.\n", "a.txt", "A"
    )
    passage = script.passage(document, 1, "The cover", "there.")
    words = [script.evidence(passage, document, document.text.strip())]
    answer = script.answer(
        "q", [(document.text.strip(), Verdict.SUPPORTED, 1.0, words, [])], (passage,), short=short
    )

    async def act(stage: Stage) -> None:
        await stage.ask("How many bolts?")
        pieces = styled(stage.turn.query_one(".text", TextView), SHORT_ANSWER_STYLE)
        assert len(pieces) > 1 and " ".join(p.strip() for p in pieces) == short
        stage.ask_screen.action_open()
        await stage.until(
            lambda: " ".join(p.strip() for p in lit(stage, SHORT_ANSWER_ON_EVIDENCE)) == short
        )

    perform(act, Scripted({"": answer}, (document,)), (60, 20))


def test_a_short_answer_at_the_end_of_a_long_sentence_is_on_the_screen() -> None:
    text = "The report, " + "which goes on and on about other things, " * 12 + "counts 77 bolts."
    document = script.document(f"One.\n{text}\nThree.\n" + "More.\n" * 30, "a.txt", "A")
    passage = script.passage(document, 1, "The report", "bolts.")
    parts: list[script.Part] = [
        (f"{text} [1]", Verdict.SUPPORTED, 1.0, [script.evidence(passage, document, text)], [])
    ]

    async def act(stage: Stage) -> None:
        await stage.ask("How many bolts?")
        stage.ask_screen.action_open()
        reader = stage.ask_screen.query_one(SourceScroll)
        await stage.until(
            lambda: (
                "counts 77 bolts" in "\n".join(stage.lines[reader.region.y : reader.region.bottom])
            )
        )

    perform(
        act,
        Scripted({"": script.answer("q", parts, (passage,), short="77")}, (document,)),
        (80, 24),
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [False, True])
def test_sources_that_differ_are_said_to_differ(size: tuple[int, int], ascii_: bool) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("How many bolts?", until="see the check")
        await stage.sees(f"{'!=' if ascii_ else '≠'} the sources differ: see [1] and [4]")

    perform(act, Scripted({"": script.DIFFERENT}), size, ascii_)


def test_sources_that_agree_are_not_said_to_differ() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        assert "differ" not in stage.text

    perform(act)


RATES = (
    "lets 30 % (27–33) of unsupported claims pass and doubts 28 % (25–31) of supported ones, "
    "measured on 2,146. "
    "Quotations are compared letter by letter; these rates do not apply to them."
)


def in_front(stage: Stage) -> str:
    """The words of the check or the help, as if on one line."""
    found = stage.app.screen.query("#check, #help")
    region = found.first().region if found else Region()
    rows = stage.lines[region.y : region.bottom]
    words = " ".join(row[region.x : region.right] for row in rows)
    return " ".join(re.sub("[\u2581-\u2588]", " ", words).split())  # without the scroll bar


@pytest.mark.parametrize("size", SIZES)
def test_how_often_the_check_errs_is_on_view_wherever_verdicts_are(size: tuple[int, int]) -> None:
    engine = Scripted()

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        stage.ask_screen.action_open()
        await stage.sees("SOURCE 1 of 3")
        if size[0] == 80:
            assert "errs 30 % / 28 %" in stage.text
        else:
            await stage.sees("check errs: 30 % pass, 28 % doubted (not quotations)")
        stage.ask_screen.action_check()
        await stage.until(lambda: "CHECK" in in_front(stage) and RATES in in_front(stage))
        await stage.press("escape", "f1", "end")
        await stage.until(lambda: "KEYS AND MARKS" in in_front(stage) and RATES in in_front(stage))
        assert engine.calls.count("rates") == 1

    perform(act, engine, size)


def test_sentence_and_source_keep_their_column_where_they_wrap() -> None:
    words = "The cover of the pump is held by six bolts " + "of a long kind " * 12 + "[1]."
    quote = replace(script.E1, text="The cover is fixed with six bolts " * 6)
    long = script.answer("Long?", [(words, Verdict.SUPPORTED, 0.9, [quote], ["six: found"])])

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("SENTENCE 1 OF 1")
        rows = [line.split("│")[1][1:].rstrip() for line in stage.lines if "│" in line]
        for label in ("says    ", "source  "):
            at = next(n for n, row in enumerate(rows) if row.startswith(label))
            below = rows[at + 1]
            assert len(below) - len(below.lstrip()) == len(label) and below.endswith("…")

    perform(act, Scripted({"": long}))


@pytest.mark.parametrize("late", [False, True])
def test_without_the_rates_everything_works_and_they_are_said_to_be_unknown(late: bool) -> None:
    engine = Scripted(late=60.0) if late else Scripted(errs=OSError("no such file"))

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("SENTENCE 1 OF 4")
        assert "check errs" not in stage.text and "rates" in engine.calls
        await stage.press("tab", "v")
        await stage.sees(
            "The error rates of the check are not known here; footnote doctor says why."
        )
        await stage.press("escape", "f1", "end")
        await stage.sees(
            "The error rates of the check are not known here; footnote doctor says why."
        )

    perform(act, engine)


def test_rates_that_come_late_are_shown_when_they_come() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("check errs: 30 % pass, 28 % doubted")

    perform(act, Scripted(late=1.5))


def test_the_source_keeps_its_rows_beside_a_short_conversation() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.sees("SENTENCE 1 OF 4")
        await stage.until(lambda: stage.ask_screen.query_one(SourceScroll).content_size.height >= 5)

    perform(act, size=(120, 24))


@pytest.mark.parametrize("size", SIZES)
def test_a_changed_file_is_said_under_the_answer_and_on_its_source(size: tuple[int, int]) -> None:
    changed = replace(script.P1, file=FileState.CHANGED)
    answer = replace(script.QUOTED, passages=(changed, script.P2, script.P3))

    async def act(stage: Stage) -> None:
        await stage.ask("How many bolts?")
        await stage.sees("! the file has changed since it was read")
        stage.ask_screen.action_open()
        if size[0] >= 120:
            pane = stage.ask_screen.query_one(SourcePane)
            await stage.until(
                lambda: any(
                    "the file has changed since it was read" in row[pane.region.x :]
                    for row in stage.lines
                )
            )
        await stage.ask_screen.action_refresh_sources()
        await stage.until(lambda: "refresh" in stage.engine.calls)

    perform(act, Scripted({"": answer}), size)


def test_a_file_that_is_the_same_is_not_mentioned() -> None:
    same = replace(script.P1, file=FileState.SAME)

    async def act(stage: Stage) -> None:
        await stage.ask("How many bolts?")
        assert "the file" not in stage.text

    perform(act, Scripted({"": replace(script.QUOTED, passages=(same, script.P2, script.P3))}))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (60, 20)])
def test_the_pane_shows_the_evidence_again_after_it_was_closed(size: tuple[int, int]) -> None:
    long = "Line of the workshop. " * 3
    text = "".join(f"{n}. {long}\n" for n in range(12)) + "The cover has six bolts.\n" + long * 40
    document = script.document(text, "a.txt", "A title of the source that is long enough")
    passage = script.passage(document, 1, "0. Line", "six bolts.")
    words = [script.evidence(passage, document, "The cover has six bolts.")]
    part: script.Part = ("It has six bolts [1].", Verdict.SUPPORTED, 1.0, words, [])
    engine = Scripted({"": script.answer("q", [part], (passage,))}, (document,))

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        reader = stage.ask_screen.query_one(SourceScroll)

        def is_shown() -> bool:
            rows = stage.lines[reader.region.y : reader.region.bottom]
            head = stage.lines[reader.region.y - 2 : reader.region.y]
            return "The cover has six bolts." in "\n".join(rows) and "A title of the source" in (
                "\n".join(head)
            )

        await stage.press("tab", "enter")
        await stage.until(is_shown)
        for _ in range(3):
            await stage.press("escape")
            await stage.until(lambda: not stage.ask_screen.pane.display)
            stage.turn.focus()
            await stage.press("enter")
            await stage.until(is_shown)

    perform(act, engine, size)


def test_the_focus_is_never_in_a_part_that_is_hidden() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        screen = stage.ask_screen

        def is_on_screen() -> bool:
            focused = stage.app.focused
            return focused is not None and focused.region.height > 0

        for size in ((120, 40), (60, 20), (20, 5), (80, 24), (60, 20), (39, 24), (120, 40)):
            await stage.pilot.resize_terminal(*size)
            if size[0] >= 40:
                await stage.until(is_on_screen)
            if size == (80, 24):
                await stage.press("tab", "enter")
                await stage.until(lambda: screen.pane.display)

    perform(act)


@pytest.mark.parametrize("size", [(80, 24), (100, 30)])
def test_the_pane_shows_the_evidence_when_the_keys_come_in_a_burst(size: tuple[int, int]) -> None:
    text = "".join(f"{n}. {'Line of the workshop. ' * 4}\n" for n in range(40))
    text = text.replace("20. ", "The cover has six bolts. ")
    document = script.document(text, "a.txt", "A title of the source that is long enough")
    passage = script.passage(document, 1, "0. Line", "39. Line")
    words = [script.evidence(passage, document, "The cover has six bolts.")]
    part: script.Part = ("It has six bolts [1].", Verdict.SUPPORTED, 1.0, words, [])
    engine = Scripted({"": script.answer("q", [part], (passage,))}, (document,))

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        pane, reader = stage.ask_screen.pane, stage.ask_screen.query_one(SourceScroll)

        def is_shown() -> bool:
            rows = "\n".join(stage.lines[pane.region.y : pane.region.bottom])
            return "six bolts" in rows and "A title of the source that" in rows

        for _ in range(4):
            for key in ("tab", "enter"):
                stage.app.post_message(events.Key(key, None))
            await stage.until(lambda: pane.display)
            await stage.still("SOURCE")
            await stage.until(is_shown, 3.0)
            assert reader.scroll_y > 0
            await stage.press("escape", "escape")
            await stage.until(lambda: not pane.display)
            stage.ask_screen.prompt.focus()
            await stage.pilot.pause()

    perform(act, engine, size)
