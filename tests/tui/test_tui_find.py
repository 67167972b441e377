"""The search in what is on the screen: incremental, n and N, a count, Esc goes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Span
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.stage import SIZES, Stage, perform
from tests.tui.test_tui_hostile import HOSTILE, harmless
from tui.screens.ask_find import AskFind
from tui.state.find import MAX_MATCHES, Find, find_words
from tui.widgets.exchange import Exchange
from tui.widgets.find_bar import FindBar
from tui.widgets.text_view import HERE_STYLE, TextView

pytestmark = pytest.mark.slow


def test_words_are_found_in_any_case_and_across_line_ends() -> None:
    found = find_words("Six  BOLTS", ["the six\nbolts", "none", "SIX BOLTS six bolts"])
    assert [(m.text, m.span) for m in found] == [
        (0, Span(4, 13)),
        (2, Span(0, 9)),
        (2, Span(10, 19)),
    ]
    assert find_words(" ", ["x"]) == () == find_words("[a", ["b"])
    assert len(find_words("a", ["a" * 10 * MAX_MATCHES])) == MAX_MATCHES


@given(st.text(max_size=30), st.lists(st.text(max_size=80), max_size=4), st.integers(-9, 9))
def test_a_match_holds_the_words(words: str, texts: list[str], by: int) -> None:
    find = Find()
    find.look(words, texts)
    find.move(by)
    assert find.say() in ("", "not found") or " of " in find.say()
    if find.current is not None:
        held = find.current.span.of(texts[find.current.text])
        assert "".join(held.split()).lower() == "".join(words.split()).lower() or not held.isascii()


def typed(words: str) -> list[str]:
    """The keys of words."""
    return ["space" if char == " " else char for char in words]


def here(view: TextView) -> list[str]:
    shown = view.render()
    return [shown.plain[s.start : s.end] for s in shown.spans if s.style == HERE_STYLE]


def seen(stage: Stage) -> str:
    """The words at the current match, wherever it is."""
    views = [v for turn in stage.ask_screen.talk.turns for v in turn.query(TextView)]
    views += stage.ask_screen.pane.query(TextView)
    return " ".join(word for view in views if view.display for word in here(view))


async def asked_twice(stage: Stage) -> None:
    await stage.ask("Which bolts?")
    await stage.ask("And again the bolts?")
    stage.turn.focus()
    await stage.pilot.pause()


@pytest.mark.parametrize("size", SIZES)
def test_it_finds_while_typing_counts_and_goes_back(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        await asked_twice(stage)
        screen = stage.ask_screen
        before = screen.talk.scroller.scroll_y
        await stage.press("slash", *"bolts")
        total = len(screen.find.matches)
        assert total >= 6 and f"of {total}" in stage.text and seen(stage) == "bolts"
        first = screen.find.at
        await stage.press("enter", "n")
        assert screen.find.at == (first + 1) % total
        await stage.press("N", "N")
        assert screen.find.at == (first - 1) % total
        await stage.press(*["n"] * total)
        assert screen.find.at == (first - 1) % total, "after the last comes the first"
        await stage.press("escape")
        await stage.until(lambda: screen.talk.scroller.scroll_y == before)
        assert screen.focused is stage.turn and not screen.finding and seen(stage) == ""
        assert not screen.query_one(FindBar).display

    perform(act, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_enter_twice_stays_at_the_sentence_of_the_match(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        await asked_twice(stage)
        await stage.press("slash", *"thread", "enter", "enter")
        screen = stage.ask_screen
        assert not screen.finding and seen(stage) == ""
        await stage.until(lambda: isinstance(screen.focused, Exchange))
        assert isinstance(screen.focused, Exchange)
        assert screen.focused.cursor.at == 2, "the third sentence has the words"

    perform(act, size=size)


def test_a_match_far_above_is_scrolled_to_and_the_source_is_searched_too() -> None:
    text = "alpha omega. " + " ".join(f"Filler number {n} of many." for n in range(300))
    long = script.answer("Long?", [(text, *script.GOOD_1[1:])])
    engine = Scripted({"Long": long, "": script.MIXED})

    async def act(stage: Stage) -> None:
        await stage.ask("Long?")
        await stage.ask("Which bolts?")
        stage.turn.focus()
        await stage.pilot.pause()
        await stage.press("slash", *"omega")
        await stage.sees("alpha omega.")
        await stage.press("escape")
        await stage.sees("Which bolts?")
        source = stage.ask_screen.query_one("#source-body")
        before = source.scroll_y
        await stage.press("slash", *typed("Check the cover for"))
        await stage.until(lambda: seen(stage) == "Check the cover for")
        await stage.sees("Check the cover for")
        await stage.press("escape")
        await stage.until(lambda: source.scroll_y == before)

    perform(act, engine, (120, 30))


def test_a_source_in_full_size_is_searched_alone() -> None:
    async def act(stage: Stage) -> None:
        await asked_twice(stage)
        await stage.press("enter")
        await stage.until(lambda: stage.ask_screen.has_class("-open"))
        await stage.press("slash", *"bolts")
        views = stage.ask_screen._views()
        assert [type(view) for view in views] == [TextView] and "1 of" in stage.text
        await stage.press("enter", "enter")
        assert not stage.ask_screen.finding

    perform(act, size=(60, 20))


def test_nothing_found_is_said_and_the_place_stays() -> None:
    async def act(stage: Stage) -> None:
        await asked_twice(stage)
        before = stage.ask_screen.talk.scroller.scroll_y
        await stage.press("slash", *"zzz")
        await stage.sees("not found")
        assert stage.ask_screen.talk.scroller.scroll_y == before
        await stage.press("enter", "n", "N", "enter")
        assert not stage.ask_screen.finding

    perform(act, size=(80, 24))


def test_a_slash_in_the_prompt_is_a_command_and_can_search() -> None:
    async def act(stage: Stage) -> None:
        await asked_twice(stage)
        stage.ask_screen.prompt.focus()
        await stage.press("slash")
        assert stage.ask_screen.prompt.text == "/" and not stage.ask_screen.finding
        await stage.press(*typed("find gasket"), "enter")
        await stage.until(lambda: stage.ask_screen.finding)
        await stage.until(lambda: seen(stage).lower() == "gasket")
        assert stage.ask_screen.focused is stage.ask_screen.query_one(FindBar)
        await stage.press("slash", *"cover")
        assert stage.ask_screen.find.words == "cover", "other words replace the first ones"
        await stage.press("tab")
        stage.ask_screen.prompt.focus()
        await stage.until(lambda: not stage.ask_screen.finding)

    perform(act)


def test_an_abstention_is_searched_too() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("the warranty?", until="abstained")
        stage.turn.focus()
        await stage.press("slash", *typed("not answered"))
        await stage.sees("1 of 1")
        await stage.press("escape")
        assert "NOT ANSWERED" in stage.text

    perform(act, Scripted({"": script.ABSTAINED}))


def test_it_can_be_used_while_an_answer_is_written() -> None:
    async def act(stage: Stage) -> None:
        await stage.ask("slow", until=None)
        await stage.until(lambda: "bolts" in stage.turn.query_one(".text", TextView).text)
        stage.turn.focus()
        stage.ask_screen.action_find("bolts")
        few = len(stage.ask_screen.find.matches)
        await stage.until(lambda: "lower bolts" in stage.turn.query_one(".text", TextView).text)
        await stage.press("n")
        assert len(stage.ask_screen.find.matches) > few
        await stage.press("ctrl+n")
        await stage.until(lambda: not stage.ask_screen.finding)

    perform(act, Scripted(pause=0.05))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_words_and_texts(number: int) -> None:
    hostile = HOSTILE[number]
    answer = replace(script.MIXED, claims=(), text=f"{hostile} bolts")

    async def act(stage: Stage) -> None:
        await stage.ask("Which bolts?", until=None)
        await stage.until(lambda: not stage.ask_screen.questions.busy)
        stage.turn.focus()
        await stage.press("slash")
        stage.ask_screen.query_one(FindBar).words.value = hostile[:200]
        await stage.pilot.pause()
        harmless(stage.lines)
        await stage.press("enter", "n", "N", "escape")
        harmless(stage.lines)

    perform(act, Scripted({"": answer}), SIZES[number % 3])


def test_the_bar_belongs_to_the_ask_screen() -> None:
    async def act(stage: Stage) -> None:
        assert isinstance(stage.ask_screen, AskFind)
        await stage.press("slash")
        assert stage.ask_screen.prompt.text == "/"

    perform(act)
