"""The Ask screen, from a question to the lit words of its source."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import Static

from rag.domain import Status
from rag.errors import Cancelled, EngineStopped, LibraryMissing
from rag.events import Answered
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.stage import SIZES, Stage, lit, perform
from tui.screens.refusal import PassageRow, RefusalScreen
from tui.widgets.prompt import Prompt
from tui.widgets.source_pane import SourcePane, SourceScroll
from tui.widgets.text_view import TextView

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", SIZES)
def test_an_answer_has_its_marks_and_its_source_is_lit(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts hold the pump cover?")
        flat = re.sub(r"\s+", " ", stage.turn.query_one(".text", TextView).text)
        assert "six M8×25 bolts [1]✓." in flat
        assert "22 Nm [1][3]✓." in flat
        assert "lower bolts [2]✗." in flat
        assert "centre outwards [?]." in flat
        for words in ("✓ 2 supported", "✗ 1 contradicted", "? 1 without a source"):
            assert words in stage.text
        assert stage.ask_screen.has_class("-open") == (size[0] >= 112)
        await stage.press("tab")
        assert stage.app.focused is stage.turn
        await stage.press("down", "down", "enter")
        await stage.until(lambda: stage.ask_screen.has_class("-open"))
        await stage.until(
            lambda: any("▌ Do not use thread lock on any bolt" in row for row in stage.lines)
        )
        assert lit(stage) == ["Do not use thread lock on any bolt of the cover"]
        assert "contradicted 0.93" in stage.text
        assert "lines 9–10" in stage.text

    perform(act, size=size)


def test_the_lit_line_is_the_third_of_the_pane() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        reader = stage.ask_screen.query_one(SourceScroll)
        await stage.until(lambda: reader.scroll_y > 0)
        sheet = stage.ask_screen.query_one("#source-text", TextView)
        row = sheet.row_of(sheet.text.index("The cover is fixed"))
        assert row - reader.scroll_y == 2

    perform(act, size=(120, 30))


def test_the_sentence_cursor_moves_the_pane_and_crosses_answers() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("first")
        await stage.ask("second")
        pane = stage.ask_screen.query_one(SourcePane)
        first, second = stage.ask_screen.talk.turns
        assert lit(stage) == ["The cover is fixed with six bolts M8×25."]
        await stage.press("tab", "down")
        await stage.until(lambda: lit(stage) == ["M8 cover 22 Nm, in a cross pattern"])
        assert pane.cursor.number == 3
        await stage.press("right")
        await stage.until(lambda: pane.cursor.number == 1)
        assert lit(stage) == [], "source 1 gives no words for this sentence"
        await stage.press("2")
        await stage.until(lambda: pane.cursor.number == 2)
        await stage.press("k", "up")
        await stage.until(lambda: stage.app.focused is first)
        assert first.cursor.at == len(first.cursor.claims) - 1 and stage.ask_screen.shown is first
        await stage.sees("This sentence names no source.")
        await stage.press("j")
        await stage.until(lambda: stage.app.focused is second)

    perform(act)


@pytest.mark.parametrize("ascii_", [False, True])
def test_what_a_follow_up_was_taken_to_ask_is_shown_and_is_harmless(ascii_: bool) -> None:
    asked = "Which \x1b[2J [b]bolts[/b] hold the cover?"
    engine = Scripted({"they": replace(script.SUPPORTED, asked=asked), "": script.SUPPORTED})

    async def act(stage: Stage) -> None:
        await stage.ask("Which do they mean?", "v see the check")
        await stage.sees("looked up: Which ␛[2J [b]bolts[/b] hold the cover?")
        await stage.ask("Which bolts?", "v see the check")
        assert stage.text.count("looked up:") <= 1 and not stage.turn.query_one(".looked").display

    perform(act, engine, ascii_=ascii_)


def test_a_click_on_a_citation_shows_its_source() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        sheet = stage.turn.query_one(".text", TextView)
        offset = sheet.text.index("[2]") + 1
        row = sheet.row_of(offset)
        x = offset - sheet.rows()[row].start + TextView.GUTTER
        await stage.pilot.click(sheet, offset=(x, row))
        await stage.until(lambda: stage.ask_screen.pane.cursor.number == 2)
        assert stage.ask_screen.pane.cursor.at == 2

    perform(act)


def test_escape_stops_at_once_and_keeps_the_part() -> None:
    engine = Scripted(pause=0.05)

    async def act(stage: Stage) -> None:
        await stage.ask("slow one", until=None)
        await stage.sees("writing")
        await stage.until(lambda: "[1]" in stage.turn.query_one(".text", TextView).text)
        await stage.press("escape")
        assert engine.calls[-1] == "stop" or "stopping" in stage.text or "stopped" in stage.text
        await stage.sees("■ stopped by you after")
        assert "The cover is held by six M8×25 bolts [1]" in stage.text
        assert "verified" not in stage.text
        assert "centre outwards" not in stage.text
        assert "sentence kept, checked" in stage.text
        await stage.press("tab", "r")
        await stage.until(lambda: len(engine.asked) == 2)
        assert engine.asked[1][0] == "slow one"

    perform(act, engine)


def test_a_stop_is_said_before_the_engine_has_stopped() -> None:
    class Deaf(Scripted):
        def stop(self) -> None:
            self.calls.append("stop")

    engine = Deaf(pause=0.03)

    async def act(stage: Stage) -> None:
        await stage.ask("slow one", until=None)
        await stage.sees("writing")
        await stage.press("escape")
        await stage.until(lambda: "■ stopping" in stage.text, seconds=0.5)
        assert stage.turn.running
        await stage.sees("see the check")

    perform(act, engine)


def test_no_verdict_and_no_good_word_while_sentences_are_pending() -> None:
    engine = Scripted({"": script.SUPPORTED}, pause=0.11)

    async def act(stage: Stage) -> None:
        await stage.ask("slow one", until=None)
        seen = set()
        while stage.turn.running:
            text = stage.text
            seen |= {w for w in ("loading", "reading", "writing", "checking") if w in text}
            answer = stage.turn.query_one(".text", TextView).text
            assert (
                "✓" not in answer and "verified" not in text and "sentences supported" not in text
            )
            await asyncio.sleep(0.01)
        assert seen, (
            "the loop above looked at no state of the turn"
        )  # which ones it catches is a matter of speed
        await stage.sees("✓ all 2 sentences supported")

    perform(act, engine)


def test_an_abstention_is_a_result_with_the_nearest_passages() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("What is the warranty?", until="⊘ abstained · 3 passages")
        assert "⊘ NOT ANSWERED — no clear answer was found." in stage.text
        assert "✗" not in stage.text
        await stage.sees("Missing: no passage names [Wuppertal].")
        assert re.search(r"1  Pump manual +lines 7–8", stage.text)
        assert re.search(r"3  Torque table +lines 3–5", stage.text)
        await stage.press("tab", "down")
        await stage.until(lambda: stage.ask_screen.pane.cursor.number == 2)
        assert "lines 9–10" in stage.text

    perform(act, Scripted({"": script.ABSTAINED}))


@pytest.mark.parametrize("size", SIZES)
def test_v_says_why_a_question_was_refused_and_what_each_passage_lacks(
    size: tuple[int, int],
) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("What is the warranty?", until="v see why")
        await stage.press("tab")
        await stage.until(lambda: "v check" in stage.lines[-1])
        await stage.press("v")
        await stage.until(lambda: isinstance(stage.app.screen, RefusalScreen))
        rows = stage.app.screen.query(PassageRow)
        said = [" ".join(view.text for view in row.query(TextView)) for row in rows]
        assert said[0].startswith("“The cover is fixed") and said[0].endswith(
            "no sentence of it comes near an answer"
        )
        assert "answers: in part (41 %): it does not say “warranty”" in said[1]
        total = str(stage.app.screen.query_one("#check-total", Static).render())
        assert "no clear answer was found" in total and "the nearest sentence" in total
        await stage.press("down", "enter")
        await stage.until(lambda: stage.ask_screen.pane.display)
        assert stage.ask_screen.pane.cursor.number == 2

    perform(act, Scripted({"": script.NEAR}), size)


def test_v_says_what_helps_where_nothing_can_be_shown() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Anything?", until="NOT ANSWERED")
        await stage.press("tab", "v")
        await stage.sees("no passage was found: e changes")

    perform(act, Scripted({"": script.EMPTY}))


@pytest.mark.parametrize("size", SIZES)
def test_enter_opens_the_source_and_then_goes_into_it(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("tab")
        await stage.until(lambda: stage.app.focused is stage.turn)
        if size[0] == 80:
            await stage.press("enter")
            await stage.until(lambda: stage.ask_screen.pane.display)
            await stage.sees("SOURCE 1 of 3")
            assert stage.app.focused is stage.turn
        await stage.press("enter")
        await stage.until(lambda: isinstance(stage.app.focused, SourceScroll))

    perform(act, size=size)


def test_enter_says_that_an_answer_has_no_source() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Anything?", until="NOT ANSWERED")
        await stage.press("tab", "enter")
        await stage.sees("this answer has no source to show")

    perform(act, Scripted({"": script.EMPTY}))


@pytest.mark.parametrize("size", SIZES)
def test_what_is_missing_keeps_its_indent_where_it_wraps(size: tuple[int, int]) -> None:
    missing = "no passage names any of the " + "long and winding " * 8 + "roads"
    refusal = replace(script.ABSTAINED, missing=missing)

    async def act(stage: Stage) -> None:
        await stage.ask("What is the warranty?", until="roads.")
        rows = [line.split("│")[0].rstrip() for line in stage.lines]
        first = next(n for n, row in enumerate(rows) if "Missing: " in row)
        last = next(n for n, row in enumerate(rows) if row.endswith("roads."))
        column = rows[first].index("no passage")
        assert last > first
        assert all(len(row) - len(row.lstrip()) == column for row in rows[first + 1 : last + 1])

    perform(act, Scripted({"": refusal}), size)


def test_a_failure_puts_its_hint_on_a_line_of_its_own() -> None:
    error = EngineStopped("the engine stopped, out of memory", "footnote models use reader")

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?", until="NOT ANSWERED")
        assert any(row.strip() == "Hint: footnote models use reader" for row in stage.lines)
        assert any(row.strip() == "Your question is kept." for row in stage.lines)

    perform(act, Scripted({"": error}))


def test_a_failure_says_cause_and_cure_and_keeps_the_question() -> None:
    engine = Scripted(
        {"": EngineStopped("the engine stopped, out of memory", "footnote models use reader")}
    )

    async def act(stage: Stage) -> None:
        await stage.ask(
            "Compare all intervals", until="NOT ANSWERED — the engine stopped, out of memory"
        )
        await stage.sees("Compare all intervals")
        await stage.sees("footnote models use reader")
        await stage.press("tab", "e")
        await stage.until(lambda: stage.ask_screen.prompt.text == "Compare all intervals")
        engine.answers = {"": script.SUPPORTED}
        await stage.press("enter")
        await stage.sees("all 2 sentences supported")

    perform(act, engine)


def test_an_engine_that_had_to_be_killed_after_escape_is_no_failure() -> None:
    class Killed(Scripted):
        def ask(self, question: str, *more: Any) -> Any:
            for event in super().ask(question, *more):
                if isinstance(event, Answered):
                    raise Cancelled("stopped, as you asked", "ask again")
                yield event

    async def act(stage: Stage) -> None:
        await stage.ask("slow one", until=None)
        await stage.until(lambda: "[1]" in stage.turn.query_one(".text", TextView).text)
        await stage.press("escape")
        await stage.sees("■ stopped by you · its text is kept")
        assert "NOT ANSWERED" not in stage.text and "signal" not in stage.text
        assert "The cover is held by six M8×25 bolts [1]" in stage.text

    perform(act, Killed(pause=0.05))


def test_an_engine_that_ends_without_an_answer_is_a_failure() -> None:
    class Silent(Scripted):
        def ask(self, question: str, *more: Any) -> Any:
            return iter(())

    async def act(stage: Stage) -> None:
        await stage.ask(
            "Hello?", until="NOT ANSWERED — the engine ended the question without an answer"
        )
        assert not stage.ask_screen.questions.busy

    perform(act, Silent())


def test_a_dangling_citation_is_marked_and_explained() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Every kind?")
        sheet = stage.turn.query_one(".text", TextView)
        assert "[9]!" in sheet.text and "[2]~" in sheet.text
        assert "Here is what the manual says:\n" in sheet.text, (
            "a sentence that needs none has no mark"
        )
        flat = re.sub(r"[\s│]+", " ", stage.text)
        assert "the answer cites [9], but only [1]–[3] were given to the model" in flat
        await stage.press("tab", *["down"] * 6)
        await stage.until(lambda: stage.ask_screen.pane.cursor.number == 9)
        await stage.until(lambda: "There is no source 9" in stage.text)

    perform(act, Scripted({"": script.EVERY}))


def test_nothing_supported_is_said_plainly() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("brass?")
        assert "✗ no sentence is supported: do not rely on this" in stage.text

    perform(act, Scripted({"": script.UNSUPPORTED}))


def test_a_question_waits_for_the_engine_and_then_for_the_answer_before() -> None:
    engine = Scripted({"": script.SUPPORTED}, hold=1.0, pause=0.05)

    async def act(stage: Stage) -> None:
        stage.ask_screen.prompt.insert("early")
        await stage.press("enter")
        await stage.sees("◌ waiting for the engine")
        assert engine.asked == []
        await stage.until(lambda: engine.asked)
        stage.ask_screen.prompt.insert("second")
        stage.ask_screen.prompt.action_submit()
        await stage.sees("waiting for the answer before")
        assert len(engine.asked) == 1
        await stage.until(lambda: len(engine.asked) == 2)
        assert engine.asked == [("early", "conversation-1"), ("second", "conversation-1")]
        await stage.until(lambda: not stage.ask_screen.questions.busy)

    perform(act, engine)


def test_a_new_conversation_is_empty_and_has_another_id() -> None:
    engine = Scripted()

    async def act(stage: Stage) -> None:
        await stage.ask("one")
        await stage.press("ctrl+n")
        await stage.until(lambda: not stage.ask_screen.talk.turns)
        await stage.sees("Ask questions of your own files.")
        assert not stage.ask_screen.has_class("-open")
        await stage.ask("two")
        assert [c for _, c in engine.asked] == ["conversation-1", "conversation-2"]

    perform(act, engine)


@pytest.mark.parametrize("size", SIZES)
def test_an_empty_library_says_how_to_fill_it_and_the_prompt_is_alive(
    size: tuple[int, int],
) -> None:
    async def act(stage: Stage) -> None:
        await stage.sees("footnote add FOLDER")
        await stage.press("h", "i")
        assert stage.ask_screen.prompt.text == "hi"
        assert isinstance(stage.app.focused, Prompt)

    missing = LibraryMissing("There is no library yet.", "footnote add FOLDER")
    perform(
        act, Scripted(told=missing if size[0] == 80 else Status("handbook", 0, 0, "reader")), size
    )


def test_the_drawer_opens_and_closes_and_escape_goes_back() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        screen = stage.ask_screen
        assert not screen.pane.display
        await stage.press("ctrl+o")
        await stage.until(lambda: screen.pane.display)
        await stage.sees("SOURCE 1 of 3")
        assert "SENTENCE" not in stage.text and screen.talk.display
        await stage.press("ctrl+o")
        await stage.until(lambda: not screen.pane.display)
        await stage.press("ctrl+o", "escape")
        await stage.until(lambda: not screen.pane.display)

    perform(act, size=(80, 24))


def test_on_a_narrow_screen_the_source_takes_the_whole_of_it() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("ctrl+o")
        await stage.until(lambda: isinstance(stage.app.focused, SourceScroll))
        assert not stage.ask_screen.talk.display
        await stage.press("n")
        await stage.sees("SOURCE 2 of 3")
        await stage.press("escape")
        await stage.until(
            lambda: stage.ask_screen.talk.display and not stage.ask_screen.pane.display
        )

    perform(act, size=(60, 20))


def test_resizing_while_streaming_keeps_the_text() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("slow", until=None)
        for width in (60, 120, 45, 80, 30, 112):
            await stage.pilot.resize_terminal(width, 24)
            await stage.pilot.pause(0.05)
        await stage.until(lambda: not stage.ask_screen.questions.busy)
        assert stage.turn.answer is not None
        assert (
            re.sub(r"[✓✗]| ?\[\?\]", "", stage.turn.query_one(".text", TextView).text)
            == script.MIXED.text
        )

    perform(act, Scripted(pause=0.02))


def test_the_conversation_stays_where_the_reader_scrolled_and_a_badge_tells() -> None:
    async def act(stage: Stage) -> None:
        for question in ("one", "two", "three"):
            await stage.ask(question)
        scroller = stage.ask_screen.talk.scroller
        assert scroller.scroll_y == scroller.max_scroll_y
        stage.engine.pause = 0.03
        await stage.ask("four", until=None)
        await stage.press("pageup")
        await stage.until(lambda: scroller.scroll_y < scroller.max_scroll_y)
        place = scroller.scroll_y
        await stage.until(lambda: not stage.ask_screen.questions.busy)
        assert scroller.scroll_y == place
        await stage.until(lambda: re.search(r"↓ \d+ new lines? \(End\)", stage.text))
        await stage.press("end")
        await stage.until(lambda: scroller.scroll_y == scroller.max_scroll_y)
        await stage.until(lambda: "(End)" not in stage.text)

    perform(act, size=(80, 24))


def test_asking_again_from_an_old_answer_goes_to_the_end() -> None:
    async def act(stage: Stage) -> None:
        for question in ("one", "two", "three"):
            await stage.ask(question)
        scroller = stage.ask_screen.talk.scroller
        await stage.press("tab", *["up"] * 6)
        await stage.until(lambda: scroller.scroll_y < scroller.max_scroll_y)
        await stage.press("r")
        await stage.until(
            lambda: len(stage.ask_screen.talk.turns) == 4 and not stage.ask_screen.questions.busy
        )
        await stage.until(lambda: scroller.scroll_y == scroller.max_scroll_y)

    perform(act, size=(80, 24))


def test_asking_again_from_an_answer_goes_on_in_the_new_one() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        old = stage.turn
        await stage.press("tab", "r")
        await stage.until(lambda: stage.turn is not old and stage.turn.answer is not None)
        await stage.until(lambda: stage.app.focused is stage.turn)
        assert stage.ask_screen.shown is stage.turn
        await stage.press("escape")
        stage.ask_screen.prompt.put("kept")
        await stage.ask_screen.action_again()  # as `/again` does
        assert stage.app.focused is stage.ask_screen.prompt

    perform(act)


def test_twenty_turns_are_kept_on_the_screen() -> None:
    async def act(stage: Stage) -> None:
        for number in range(23):
            await stage.ask(f"question {number}", until=None)
            await stage.until(lambda: not stage.ask_screen.questions.busy)
        await stage.until(lambda: len(stage.ask_screen.talk.turns) == 20)
        assert stage.ask_screen.talk.turns[0].question == "question 3"

    perform(act, Scripted({"": script.SUPPORTED}), size=(60, 20))


def test_the_check_spells_out_every_verdict_and_gives_back_the_sentence() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?")
        await stage.press("tab", "v")
        await stage.sees("CHECK · Which bolts?")
        for words in (
            "1 ✓ supported  0.97",
            "3 ✗ contradicted  0.93",
            "4 ? without a source",
            "22 Nm: found",
        ):
            assert words in stage.text
        await stage.press("down", "down", "enter")
        await stage.until(lambda: stage.app.screen is stage.ask_screen)
        assert stage.turn.cursor.at == 2 and stage.ask_screen.pane.cursor.at == 2

    perform(act)
