"""A question about one document: its name is completed in the prompt, and the answer says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.errors import Usage
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import MODELS
from tests.tui.stage import SIZES, Stage, perform
from tui.state.completion import completions

pytestmark = pytest.mark.slow

SOURCES = ("manuals/pump-manual.md", "manuals/torque table.csv", "old/pump-manual.md", "ab.txt")


def test_a_model_is_completed_by_its_name() -> None:
    models = ("reader", "qwen-small")
    assert [c.text for c in completions("/model ", (), models)] == [
        "/model reader",
        "/model qwen-small",
    ]
    assert [c.text for c in completions("/model re", (), models)] == ["/model reader"]
    assert completions("/model reader", (), models) == [], "it is typed already"


def test_tab_completes_the_model_that_is_named() -> None:
    async def act(stage: Stage) -> None:
        stage.ask_screen.prompt.insert("/model ")
        await stage.until(lambda: stage.ask_screen.prompt.models)
        stage.ask_screen.prompt.insert("rea")
        await stage.press("tab")
        assert stage.ask_screen.prompt.text == "/model reader"

    perform(act, Scripted(all_models=MODELS))


def test_only_a_name_that_is_being_typed_is_completed() -> None:
    assert [c.shown for c in completions("Which in @pump", SOURCES)] == [
        "@manuals/pump-manual.md",
        "@old/pump-manual.md",
    ]
    (table,) = completions("Which? @tor", SOURCES)
    assert table.text == 'Which? @"torque table.csv" '
    assert len(completions("@", SOURCES)) == 4
    for text in ("mail joe@pump", "Which? @ab.txt", "Which? @ab.txt ", "/add @pu", "/", "@zzz", ""):
        assert not [c for c in completions(text, SOURCES) if c.shown]
    hostile = ('a"b.txt', "c\x1b[2J.txt", "d\ne.txt", "\ud800.txt")
    assert completions("@", hostile) == []


@pytest.mark.parametrize("size", SIZES)
def test_tab_completes_the_name_and_the_answer_says_where_it_looked(size: tuple[int, int]) -> None:
    within = ("manuals/torque-table.csv",)
    engine = Scripted({"": replace(script.SUPPORTED, within=within)})

    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.prompt.sources)
        await stage.press(*"Which", "space", *"@tor")
        await stage.sees("@torque-table.csv")
        await stage.press("tab")
        assert stage.ask_screen.prompt.text == "Which @torque-table.csv "
        await stage.press("enter")
        await stage.sees("looked only in manuals/torque-table.csv")
        assert engine.asked[0][0] == "Which @torque-table.csv"
        await stage.until(lambda: not stage.ask_screen.questions.busy)
        stage.turn.focus()
        await stage.press("r")
        await stage.until(lambda: "in manuals/torque-table.csv" in engine.calls)

    perform(act, engine, size)


@pytest.mark.parametrize("size", SIZES)
def test_an_unclear_name_is_said_and_the_question_is_kept(size: tuple[int, int]) -> None:
    error = Usage("there is no document called 'pmup'", "the nearest names: pump [/] \x1b[2J.md")

    async def act(stage: Stage) -> None:
        await stage.ask("Which? @pmup", until="no document called 'pmup'")
        await stage.sees("the nearest names: pump [/]")
        await stage.press("shift+tab")
        stage.turn.focus()
        await stage.press("e")
        assert stage.ask_screen.prompt.text == "Which? @pmup"

    perform(act, Scripted({"": error}), size)


def test_an_abstention_in_one_document_does_not_speak_of_the_library() -> None:
    answer = replace(script.ABSTAINED, within=("a.txt",))

    async def act(stage: Stage) -> None:
        await stage.ask("the warranty?", until="abstained")
        assert "no clear answer was found there." in stage.text and "found. " not in stage.text

    perform(act, Scripted({"": answer}))
