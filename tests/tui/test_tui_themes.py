"""Colours: every theme can be read, is remembered, and fits the background of the terminal."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from textual.color import Color

from tests.tui.scripted import Scripted
from tests.tui.stage import Stage, lit, perform
from tui.app import FootnoteApp
from tui.background import is_light
from tui.render.themes import DARK, LIGHT, MIN_CONTRAST, TEXTS, choose_theme, contrast, readable
from tui.state.preferences import NAME, remember_theme, remembered_theme

pytestmark = pytest.mark.slow

APP = FootnoteApp(Scripted())
THEMES = {name: theme for name in APP.available_themes if (theme := APP.get_theme(name))}
COLOURED = sorted(name for name, theme in THEMES.items() if not theme.ansi)


@pytest.mark.parametrize("name", COLOURED)
def test_every_text_of_every_theme_has_enough_contrast(name: str) -> None:
    system = {**THEMES[name].to_color_system().generate(), **THEMES[name].variables}
    for text, grounds in TEXTS.items():
        for ground in grounds:
            ratio = contrast(Color.parse(system[text]), Color.parse(system[ground]))
            assert ratio >= MIN_CONTRAST, f"{text} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("name", COLOURED)
def test_muted_text_has_enough_contrast_on_the_screen(name: str) -> None:
    system = {**THEMES[name].to_color_system().generate(), **THEMES[name].variables}
    shown, full = Color.parse(system["text-muted"]), Color.parse(system["foreground"])
    for ground in ("background", "surface"):
        back = Color.parse(system[ground])
        assert contrast(shown, back) >= MIN_CONTRAST
        assert contrast(shown, back) <= contrast(full, back), "it is fainter than other text"


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(Color.parse("#000"), Color.parse("#fff")) == pytest.approx(21)
    assert contrast(Color.parse("#777"), Color.parse("#fff")) == pytest.approx(4.48, abs=0.01)
    original = APP.available_themes[DARK]
    assert readable(original).variables["text-success"], "a theme that is readable stays so"


@pytest.mark.parametrize("name", ["ansi-dark", "ansi-light"])
def test_evidence_is_not_in_the_colour_of_its_background(name: str) -> None:
    async def act(stage: Stage) -> None:
        stage.app.theme = name
        await stage.ask("Which bolts?")
        await stage.until(lambda: lit(stage))
        view = stage.ask_screen.pane.query_one("#source-text")
        styles = [
            segment.style
            for y in range(view.size.height)
            for segment in view.render_line(y)
            if segment.style and segment.style.underline
        ]
        assert styles
        assert all(style.color != style.bgcolor for style in styles)

    perform(act)


def test_a_theme_is_remembered(tmp_path: Path) -> None:
    class AtHome(FootnoteApp):
        def __init__(self, engine: Scripted, glyphs: object = None) -> None:
            super().__init__(engine, home=tmp_path, is_light=True)

    async def act(stage: Stage) -> None:
        assert stage.app.theme == LIGHT
        stage.app.theme = "nord"
        await stage.until(lambda: remembered_theme(tmp_path) == "nord")

    perform(act, kind=AtHome)
    assert AtHome(Scripted()).theme == "nord"


def test_what_is_remembered_may_be_missing_or_damaged(tmp_path: Path) -> None:
    assert remembered_theme(tmp_path / "none") == ""
    for damaged in ("", "[1]", '{"theme": 1}', "\x00"):
        (tmp_path / NAME).write_text(damaged)
        assert remembered_theme(tmp_path) == ""
    (tmp_path / "file").write_text("")
    remember_theme(tmp_path / "file", "nord")
    assert choose_theme(["nord", DARK], "gone", is_light=False) == DARK


@pytest.mark.parametrize(
    ("answer", "light"),
    [
        (b"\x1b]11;rgb:ffff/ffff/f0f0\x1b\\\x1b[?62;c", True),
        (b"\x1b]11;rgb:1e/1e/1e\x07\x1b[?1;2c", False),
        (b"\x1b[?1;2c", True),
        (b"", True),
    ],
    ids=["light", "dark", "no answer to the colour", "no answer at all"],
)
def test_the_terminal_is_asked_for_its_background(answer: bytes, light: bool) -> None:
    master, slave = os.openpty()

    def terminal() -> None:
        os.read(master, 100)
        os.write(master, answer)

    thread = threading.Thread(target=terminal, daemon=True)
    thread.start()
    began = time.monotonic()
    assert is_light(slave, {"COLORFGBG": "0;15"}) is light
    assert time.monotonic() - began < 3.0
    thread.join(5)
    os.close(master)
    os.close(slave)


def test_without_a_terminal_the_variable_tells(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+") as file:
        assert not is_light(file.fileno(), {})
        assert is_light(file.fileno(), {"COLORFGBG": "0;default;15"})
