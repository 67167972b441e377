"""The library: its list with states, removing, reading again, adding, and a document that is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets import Input

from rag.domain import Cell, FileState, OpenedDocument, Span, Status, Unit, UnitKind
from rag.errors import LibraryMissing
from rag.text.sanitize import sanitize
from tests.tui import scripted as script
from tests.tui.scripted import Scripted
from tests.tui.scripted_pages import UNREADABLE
from tests.tui.stage import SIZES, Stage, perform
from tests.tui.test_tui_hostile import HOSTILE, harmless
from tui.render.glyphs import ASCII, UNICODE
from tui.render.listing_rows import size_words
from tui.render.reading import Grid, lay_out, make_blocks
from tui.screens.confirm import ConfirmDialog
from tui.screens.document import DocumentScreen
from tui.screens.library import LibraryScreen

pytestmark = pytest.mark.slow

TEXT = (
    "Prices of 2026\nHome | Shop | Imprint\n\nname | price\n---|---\nHammer | 12.50\nSaw | 19.90\n\n"
    "## Delivery\nWe deliver within three days, also to the islands of the north.\n"
)


def _cell(header: str, words: str) -> Cell:
    start = TEXT.index(words)
    return Cell(header, Span(start, start + len(words)))


def _row(words: str, *cells: Cell) -> Unit:
    start = TEXT.index(words)
    return Unit(UnitKind.ROW, Span(start, start + len(words)), cells=cells)


def prices() -> OpenedDocument:
    document = replace(
        script.document(TEXT, "manuals/prices.md", "Prices", ["Home | Shop | Imprint"]),
        pages=(Span(0, 20), Span(TEXT.index("## Delivery"), len(TEXT))),
        headings=((Span(TEXT.index("## Delivery"), len(TEXT)), "Delivery"),),
        units=(
            _row("Hammer | 12.50", _cell("name", "Hammer"), _cell("price", "12.50")),
            _row("Saw | 19.90", _cell("name", "Saw"), _cell("price", "19.90")),
        ),
    )
    others = ("manuals/prices.md", "old/prices.md")
    return OpenedDocument(document, (Span(0, 10),), others, (("news.txt", 2),))


def engine(**more: object) -> Scripted:
    opened = prices()
    made = Scripted(
        texts=(script.MANUAL, script.TABLE, opened.document),
        failed=(UNREADABLE,),
        states={script.TABLE.source: FileState.CHANGED},
        opened={opened.document.source: opened},
    )
    for name, value in more.items():
        setattr(made, name, value)
    return made


async def open_library(stage: Stage) -> LibraryScreen:
    await stage.until(lambda: stage.ask_screen.questions.up)
    await stage.press("f2")
    await stage.until(lambda: isinstance(stage.app.screen, LibraryScreen))
    screen = stage.app.screen
    assert isinstance(screen, LibraryScreen)
    await stage.until(lambda: screen.listings)
    return screen


async def go_to(stage: Stage, screen: LibraryScreen, source: str) -> None:
    await stage.press("home")
    for _ in screen.shown:
        if screen.entry and screen.entry.source == source:
            return
        await stage.press("down")
    raise AssertionError(f"{source} is not in the list")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("ascii_", [False, True])
def test_documents_are_listed_with_their_states_in_words(
    size: tuple[int, int], ascii_: bool
) -> None:
    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await stage.sees("1 failed")
        await stage.sees("manuals/prices.md")
        await go_to(stage, screen, UNREADABLE.source)
        await stage.sees("it could not be read: is of a kind that is not read")
        await stage.sees("what helps: save it as .csv")
        await go_to(stage, screen, script.TABLE.source)
        await stage.sees("its file has changed since it was read")
        if size[0] >= 80:
            sign = "+" if ascii_ else "✓"
            assert any(f"{sign} ready" in row and "2026-11-12" in row for row in stage.lines)
            assert any("~ changed" in row for row in stage.lines)
        await stage.press("f2")
        await stage.until(lambda: stage.app.screen is stage.ask_screen)

    perform(act, engine(), size, ascii_)


def test_a_document_is_removed_after_a_question_and_the_list_follows() -> None:
    scripted = engine()

    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await go_to(stage, screen, script.MANUAL.source)
        await stage.press("delete")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        await stage.sees("pump-manual.md")
        await stage.press("enter")
        await stage.until(lambda: stage.app.screen is screen)
        assert not [call for call in scripted.calls if call.startswith("remove")]
        await stage.press("delete")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        await stage.press("y")
        await stage.sees("1 document removed")
        await stage.until(lambda: script.MANUAL.source not in {e.source for e in screen.shown})
        assert f"remove {script.MANUAL.source}" in scripted.calls

    perform(act, scripted)


def test_the_folder_of_a_document_is_removed_after_a_question_that_counts() -> None:
    scripted = engine(root_paths=("/manuals",))

    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await go_to(stage, screen, script.MANUAL.source)
        await stage.until(lambda: screen.roots)
        await stage.press("D")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        count = sum(entry.path.startswith("/manuals/") for entry in screen.listings)
        await stage.sees(f"{count} document")
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is screen)
        assert not [call for call in scripted.calls if call.startswith("remove")]
        await stage.press("D")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        await stage.press("y")
        await stage.until(lambda: f"remove {screen.roots[0].path}" in scripted.calls)

    perform(act, scripted)


def test_a_failed_file_is_read_again_and_all_are_updated() -> None:
    scripted = engine()

    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await go_to(stage, screen, UNREADABLE.source)
        await stage.press("r")
        await stage.until(
            lambda: UNREADABLE.source not in {entry.source for entry in screen.listings}
        )
        assert f"read again {UNREADABLE.source}" in scripted.calls
        await stage.until(lambda: not screen.busy)
        scripted.pause = 20.0
        await stage.press("u")
        await stage.sees("updating the library")
        await stage.press("u")
        await stage.sees("wait until the running work has ended")
        await stage.press("x")
        await stage.until(lambda: "stop" in scripted.calls)

    perform(act, scripted)


def test_a_path_is_completed_and_added_from_the_library(tmp_path: Path) -> None:
    (tmp_path / "manuals of pumps").mkdir()
    scripted = engine(pause=2.0)

    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await stage.press("a")
        await stage.until(lambda: screen.query_one(Input).has_focus)
        await stage.press(*f"{tmp_path}/man")
        await stage.sees("manuals of pumps/")
        await stage.press("tab")
        assert screen.query_one(Input).value == f"{tmp_path}/manuals of pumps/"
        await stage.press("enter")
        await stage.sees("adding manuals of pumps")
        await stage.until(lambda: scripted.added == [f"{tmp_path}/manuals of pumps"])
        await stage.until(lambda: not screen.busy, 30.0)
        await stage.press("a", *"no such path", "enter")
        await stage.sees("there is no file or folder no such path")
        await stage.press("escape")
        assert stage.app.screen is screen and not screen.typing

    perform(act, scripted)


def test_the_list_is_filtered_sorted_and_clicked() -> None:
    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await stage.press("slash", *"torque")
        await stage.until(lambda: [e.source for e in screen.shown] == [script.TABLE.source])
        await stage.press("enter", "s")
        assert screen.sorted_by == "state"
        await stage.press("escape")
        await stage.until(lambda: len(screen.shown) == 4)
        assert screen.shown[0] == UNREADABLE, "what needs a look comes first"
        at = next(n for n, row in enumerate(stage.lines) if "prices.md" in row)
        await stage.pilot.click(offset=(20, at))
        await stage.until(lambda: screen.entry and screen.entry.source == "manuals/prices.md")
        await stage.pilot.click(offset=(20, at))
        await stage.until(lambda: isinstance(stage.app.screen, DocumentScreen))

    perform(act, engine())


@pytest.mark.parametrize("told", [LibraryMissing("no library", "add"), Status("x", 0, 0, "m")])
def test_an_empty_library_says_how_to_begin(told: LibraryMissing | Status) -> None:
    async def act(stage: Stage) -> None:
        await stage.until(lambda: stage.ask_screen.questions.up)
        await stage.press("f2")
        await stage.sees("no library" if isinstance(told, LibraryMissing) else "no documents yet")

    perform(act, Scripted(told=told, texts=()), (80, 24))


@pytest.mark.parametrize("size", SIZES)
def test_a_document_is_read_as_footnote_sees_it(size: tuple[int, int]) -> None:
    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        await go_to(stage, screen, "manuals/prices.md")
        await stage.press("enter")
        await stage.sees("──────  ─────")
        lines = [row.strip() for row in stage.lines]
        assert "name    price" in lines and "Hammer  12.50" in lines and "Saw     19.90" in lines
        assert "┆ Home | Shop | Imprint" in lines and "Hammer | 12.50" not in lines
        await stage.press("end")
        await stage.sees("——— page 2 ———")
        await stage.press("home")
        await stage.sees("21 characters of menus")
        await stage.sees("the same text as old/prices.md")
        await stage.press("slash", *"THE")
        await stage.sees("1 of 2 places")
        await stage.press("enter", "n", "N")
        await stage.press("slash", *"zebra")
        await stage.sees("these words are not in the document")
        await stage.press("escape")
        await stage.sees("21 characters of menus")
        await stage.press("escape")
        await stage.until(lambda: stage.app.screen is screen)

    perform(act, engine(), size)


def test_a_search_goes_through_a_long_document() -> None:
    text = "".join(f"Line {n} of the long book.\n" for n in range(5000))
    text = text.replace("Line 4321 of", "Line 4321 with the Needle of")
    document = script.document(text, "book.txt", "Book")

    async def act(stage: Stage) -> None:
        await open_library(stage)
        await stage.press("enter")
        await stage.sees("Line 3 of")
        await stage.press("slash", *"needle")
        await stage.sees("Line 4321 with the Needle")
        await stage.press("enter", "pageup", "end")
        await stage.sees("Line 4999 of")
        first = next(line for line in stage.text.splitlines() if "of the long book" in line)
        await stage.pilot.resize_terminal(60, 20)
        await stage.until(lambda: "Line 4999 of" not in stage.text)
        await stage.sees(first.strip())

    perform(act, Scripted(texts=(document,)))


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_strangers_text_in_the_library_is_text(number: int) -> None:
    hostile = HOSTILE[number]
    document = script.document(f"a\n{hostile}\nb\n", f"dir/{hostile}", hostile)
    bad = replace(UNREADABLE, source=f"bad/{hostile}", reason=hostile, cure=hostile)
    scripted = Scripted(
        texts=(document,),
        failed=(bad,),
        opened={
            document.source: OpenedDocument(
                document, (), (document.source, hostile), ((hostile, 1),)
            )
        },
    )

    async def act(stage: Stage) -> None:
        screen = await open_library(stage)
        for _ in range(2):
            await stage.still("LIBRARY", 1.0)
            harmless(stage.lines)
            await stage.press("down")
        await stage.press("home", "delete")
        await stage.until(lambda: isinstance(stage.app.screen, ConfirmDialog))
        harmless(stage.lines)
        await stage.press("y")
        await stage.until(lambda: len(screen.listings) == 1)
        harmless(stage.lines)
        await go_to(stage, screen, document.source)
        await stage.press("enter")
        await stage.until(
            lambda: isinstance(stage.app.screen, DocumentScreen) and stage.app.screen.layout_.lines
        )
        await stage.still("", 1.0)
        harmless(stage.lines)

    perform(act, scripted, ((120, 40), (60, 20))[number % 2], bool(number % 3 == 0))


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="ab [/]|-\n\u4e00\x1b", max_size=80), st.integers(3, 40), st.data())
def test_a_layout_loses_no_character_and_fits(text: str, width: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    mask = tuple(Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if a < b)
    document = replace(script.document(text, "s"), mask=mask)
    opened = OpenedDocument(document, (), ("s",), ())
    for glyphs in (UNICODE, ASCII):
        layout = lay_out(make_blocks(opened, glyphs), width, glyphs)
        shown = "".join(p.text for p in layout.paragraphs)
        assert "".join(shown.split()) == "".join(sanitize(text).split())
        for number in range(len(layout.lines)):
            content = layout.content(number, (), None)
            line = layout.lines[number]
            assert content.cell_length <= width or line.span.end - line.span.start == 1
        for hit in layout.find("a"):
            found = layout.lines[hit.line]
            assert found.paragraph == hit.paragraph and found.span.start <= hit.span.start
            assert hit.span.start < found.span.end


def test_a_table_that_is_too_wide_is_shown_row_by_row() -> None:
    grid = Grid(("name", "price"), (("Hammer", "12.50"), ("Saw", "")))
    wide = lay_out([grid], 40, UNICODE)
    assert [p.text for p in wide.paragraphs] == [
        "name    price", "──────  ─────", "Hammer  12.50", "Saw",
    ]  # fmt: skip
    narrow = lay_out([grid], 12, UNICODE)
    assert [p.text for p in narrow.paragraphs] == ["name: Hammer; price: 12.50", "name: Saw"]
    assert all(cell_len(line.span.of(narrow.paragraphs[line.paragraph].text)) <= 10
               for line in narrow.lines)  # fmt: skip


def test_sizes_are_short() -> None:
    found = [size_words(n) for n in (0, 999, 84_000, 2_500_000, 3_100_000_000)]
    assert found == ["0 B", "999 B", "84 KB", "2.5 MB", "3.1 GB"]
