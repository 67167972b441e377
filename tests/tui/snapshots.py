"""Snapshots of the screen in every state: python -m tests.tui.snapshots [NAME…] writes them anew.

A file of `FOLDER` holds the plain text of one state: at three sizes, and in the ASCII set. With
--svg FOLDER, pictures are written there, to be looked at; the tests make them too and keep none.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self
from unittest.mock import patch

from rich.cells import cell_len
from rich.color import Color as RichColor
from textual.color import Color

from tests.support.picture import without_downloads
from tests.tui.stage import SIZES, Stage, perform
from tests.tui.states import STATES, State
from tui.render.themes import LIGHT, MIN_CONTRAST, contrast

FOLDER = Path(__file__).with_name("snapshots")
NOW = datetime(2026, 11, 12, 14, 4, tzinfo=UTC)
#: lines and blocks, also those of the ASCII set: no text
_DRAWN = re.compile(r"[\s\u2500-\u259f|-]*")


@dataclass(frozen=True)
class Look:
    """A size and a set of characters. Looks that are `stored` are compared with a file."""

    name: str
    size: tuple[int, int]
    ascii: bool = False
    no_color: bool = False
    light: bool = False  #: whether the light theme is looked at too
    stored: bool = True


LOOKS = (
    *(Look(f"{width}x{height}", (width, height), light=width == 80) for width, height in SIZES),
    Look("80x24 ascii", (80, 24), ascii=True),
    Look("80x24 no colour", (80, 24), no_color=True, stored=False),
)


@dataclass
class Picture:
    """What is on the screen: its text in the dark theme and the light one, and the dark as SVG."""

    lines: list[str]
    light: list[str] = field(default_factory=list)
    svg: str = ""
    #: texts of too little contrast, with their colours
    weak: list[str] = field(default_factory=list)
    #: colours of texts and backgrounds that are no grey
    colours: set[str] = field(default_factory=set)


class _Frozen(datetime):
    """A clock that stands."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(NOW.timestamp(), tz or UTC)

    def astimezone(self, tz: tzinfo | None = None) -> Self:
        return super().astimezone(tz or UTC)


@contextmanager
def frozen(no_color: bool) -> Iterator[None]:
    """Let all clocks of the screen stand, and set or unset NO_COLOR."""
    around = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    around |= {"NO_COLOR": "1"} if no_color else {}
    with (
        patch.dict(os.environ, around, clear=True),
        patch("tui.widgets.exchange.datetime", _Frozen),
        patch("tui.widgets.saved_exchange.datetime", _Frozen),
        patch("tui.screens.history.datetime", _Frozen),
        patch("tui.state.progress.monotonic", lambda: 1000.0),
    ):
        yield


def take(state: State, look: Look) -> Picture:
    """Bring the app into a state, and return what it shows."""
    made = list[Picture]()

    async def act(stage: Stage) -> None:
        stage.app.animation_level = "none"
        await state.act(stage)
        await settle(stage, state)
        picture = Picture(stage.lines, svg=stage.app.export_screenshot(title="footnote"))
        judge_colours(stage, picture)
        if look.light:
            stage.app.theme = LIGHT
            await settle(stage, state)
            picture.light = stage.lines
            judge_colours(stage, picture)
        made.append(picture)

    with frozen(look.no_color):
        perform(act, state.engine(), look.size, look.ascii)
    return made[0]


async def settle(stage: Stage, state: State) -> None:
    """Wait until all of the state is there and nothing moves."""

    def is_quiet() -> bool:
        return state.goes_on or all(worker.is_finished for worker in stage.app.workers)

    same, before, end = 0, "", time.monotonic() + 4
    while time.monotonic() < end and not (
        is_quiet() and all(words in stage.text for words in said(state, stage))
    ):
        await asyncio.sleep(0.02)
    for _ in range(50):
        stage.app.screen.refresh()  # also what shows through from below a dialog
        await stage.pilot.pause()
        await asyncio.sleep(0.01)
        same = same + 1 if before == stage.text and is_quiet() else 0
        if same == 3:
            return
        before = stage.text


def said(state: State, stage: Stage) -> list[str]:
    """Return the words of a state in the characters of the screen."""
    return [stage.app.glyphs.say(words) for words in state.says]


def judge_colours(stage: Stage, picture: Picture) -> None:
    """Note the texts of too little contrast, and all colours that are no grey."""
    screen = stage.app.screen
    above = [child.region for child in screen.children] if screen.is_modal else [screen.region]
    for y, strip in enumerate(screen._compositor.render_strips()):
        x = 0
        for text, style, _ in strip:
            x, start = x + cell_len(text), x
            if style is None or style.color is None or style.bgcolor is None:
                continue
            if not any(region.contains(start, y) for region in above):
                continue  # it is dimmed, below a dialog
            fore, back = _color(style.color), _color(style.bgcolor)
            picture.colours |= {c.hex for c in (fore, back) if len({c.r, c.g, c.b}) > 1}
            if style.reverse:
                fore, back = back, fore
            if not _DRAWN.fullmatch(text) and contrast(fore, back) < MIN_CONTRAST:
                ratio = f"{contrast(fore, back):.1f}"
                picture.weak.append(f"{text.strip()!r}: {fore.hex} on {back.hex}, {ratio}")


def _color(color: RichColor) -> Color:
    return Color(*color.get_truecolor())


def stored(state: State) -> dict[str, list[str]]:
    """Return the stored lines of a state by the name of the look; {} without a file."""
    path = FOLDER / f"{state.name}.txt"
    found = dict[str, list[str]]()
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if line.startswith("=== "):
            lines = found[line.strip("= ")] = []
        else:
            lines.append(line)
    return found


def write(state: State, svgs: Path | None) -> None:
    """Write the file of a state anew, and its pictures if a folder is given."""
    parts = []
    for look in LOOKS:
        picture = take(state, look)
        if look.stored:
            parts += [f"=== {look.name} ===", *(line.rstrip() for line in picture.lines)]
        if svgs:
            name = f"{state.name}-{look.name.replace(' ', '-')}.svg"
            (svgs / name).write_text(without_downloads(picture.svg), encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{state.name}.txt").write_text("\n".join(parts) + "\n", encoding="utf-8")


def main() -> int:
    """Write the files of the named states, or of all."""
    parser = argparse.ArgumentParser(prog="python -m tests.tui.snapshots")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--svg", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    if options.svg:
        options.svg.mkdir(parents=True, exist_ok=True)
    for state in STATES:
        if not options.names or state.name in options.names:
            write(state, options.svg)
            print(state.name, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
