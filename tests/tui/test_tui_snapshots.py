"""Every state of the screen at three sizes, in the ASCII set, without colours, and in light.

`make snapshots` writes the stored texts anew; what has changed is then seen with git diff.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from textual.content import Content
from textual.widgets import Static

from rag.phrases import VERDICT_PHRASES
from tests.tui.snapshots import FOLDER, LOOKS, Look, Picture, judge_colours, stored, take
from tests.tui.stage import Stage, perform
from tests.tui.states import STATES, State
from tui.render.glyphs import ASCII

pytestmark = pytest.mark.slow

#: characters of documents, which stay as they are in the ASCII set, and the brackets that stand
#: for those of a marker in foreign text
FOREIGN = {"×", "⟦", "⟧"}
ALL = [
    pytest.param(state, look, id=f"{state.name}-{look.name}")
    for state in STATES
    for look in LOOKS
    if look.stored or state.verdicts
]


@pytest.mark.parametrize(("state", "look"), ALL)
def test_the_screen_is_as_it_was_and_can_be_read(state: State, look: Look) -> None:
    picture = take(state, look)
    lines = [line.rstrip() for line in picture.lines]
    text = "\n".join(lines)
    for words in (*state.says, *(VERDICT_PHRASES[verdict] for verdict in state.verdicts)):
        assert (ASCII.say(words) if look.ascii else words) in text, f"{words!r} is not in\n{text}"
    assert not picture.weak, "these texts have too little contrast"
    assert without_blanks(words_of(picture.svg)) == without_blanks(text)
    if look.light:
        assert picture.light == picture.lines
    if look.no_color:
        assert not picture.colours
    if look.ascii:
        assert {char for char in text if ord(char) > 126} <= FOREIGN
    assert lines == stored(state)[look.name if look.stored else "80x24"], "run make snapshots"


def words_of(svg: str) -> str:
    """Return the text of a picture, without the title of its window."""
    texts = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return "".join(
        text.text or "" for text in texts if not (text.get("class") or "").endswith("-title")
    )


def without_blanks(text: str) -> str:
    return "".join(text.split())


def test_states_have_names_of_their_own_and_a_file_each() -> None:
    names = [state.name for state in STATES]
    assert len(set(names)) == len(names) >= 20
    assert {path.stem for path in FOLDER.iterdir()} == set(names)


def test_a_text_of_too_little_contrast_is_found() -> None:
    def weak(style: str) -> list[str]:
        async def act(stage: Stage) -> None:
            await stage.sees("ready")  # the card is written until then
            stage.ask_screen.query_one("#card", Static).update(Content.styled("faint", style))
            await stage.sees("faint")
            judge_colours(stage, picture)

        picture = Picture([])
        perform(act)
        return picture.weak

    assert weak("#333 on #222") == ["'faint': #333333 on #222222, 1.3"]
    assert weak("#fff on #222") == []
