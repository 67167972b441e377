"""Units of prose, notes and markup, blocks of code in them, and source code."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.domain import RawDocument, Span, Unit, UnitKind
from rag.ingest.clean import clean_document
from rag.ingest.formats.plain import read_rst
from rag.ingest.structure.code import code_units
from rag.ingest.structure.find import find_units

#: kind, context, and the cells by their names
Shown = tuple[str, str, dict[str, str]]


def shown(text: str, units: Sequence[Unit]) -> list[Shown]:
    return [
        (unit.kind.value, unit.context, {c.header: c.span.of(text) for c in unit.cells})
        for unit in units
    ]


def found(text: str, terms: bool = False) -> list[Shown]:
    return shown(text, find_units(text, terms=terms))


# -- prose has no units --


@pytest.mark.parametrize(
    "text",
    [
        "He said: come home before dark.\n\nShe answered: no.\n",
        "Note: this is only a remark on the text above.\n",
        "Warning: do not feed the bees.\n",
        "For example: the hive at the lake.\n",
        "Chapter 3: The end\n\nIt ended well.\n",
        "Figure 12: The mill in spring\n",
        "At 10:30 we left, and at 12:15 we came home.\n",
        "See https://a.example/x?a=b and C:\\Windows\\notes for more.\n",
        "[1] Smith, J.: On bees. Journal of Hives, 1999.\n",
        "[RFC 2119] Bradner: Key words\n",
        "O Lord, hear me: I am thine\nand thou, O King: art mine\n",
        "The result is as follows: nothing was found in the woods that day, and\n"
        "we went on to the next: the house of a friend, who told us a story\n"
        "that mattered: it was about bees.\n",
        "Warsaw (Polish: Warszawa [varˈʂava]) is the capital: it is large.\n",
        "My favourite place: the lake in the early morning when nobody is there yet\n"
        "and the mist lies on the water.\n",
        "if x: y\nelse: z\ntry: w\n",
        "x = 5\n",
    ],
)
def test_prose_has_no_units(text: str) -> None:
    assert found(text) == []


# -- fields --


def test_a_block_of_fields_is_a_record_under_the_line_above_it() -> None:
    text = "Club account\nIBAN: XX12 3456\nBIC: ABCDEFGH\n\nName: Ann Lee\nPhone: 555-01\n"
    assert found(text) == [
        ("record", "Club account", {"IBAN": "XX12 3456", "BIC": "ABCDEFGH"}),
        ("record", "", {"Name": "Ann Lee", "Phone": "555-01"}),
    ]


def test_a_value_goes_on_in_indented_lines() -> None:
    text = "Author: Ann Lee,\n        Bo Ray\nStatus: done\n"
    assert found(text) == [("record", "", {"Author": "Ann Lee,\n        Bo Ray", "Status": "done"})]


def test_words_of_speakers_and_dated_lines_are_entries() -> None:
    text = "[02.05.24, 18:03] Ann: The party is on 14 June.\n[02.05.24, 18:05] Bo: No.\n"
    assert found(text) == [
        ("entry", "02.05.24, 18:03", {"Ann": "The party is on 14 June."}),
        ("entry", "02.05.24, 18:05", {"Bo": "No."}),
    ]
    text = "03.04.2021: A fire.\n2021-09-30 - A party.\nApril 17th, 2021: The roof.\n"
    names = [name for _, _, cells in found(text) for name in cells]
    assert names == ["03.04.2021", "2021-09-30", "April 17th, 2021"]


def test_bold_terms_with_their_meanings() -> None:
    text = "**gimbal** – a ring that keeps it level\n\n**flask:** the box\n\nriser: a channel\n"
    assert [cells for _, _, cells in found(text)] == [
        {"gimbal": "a ring that keeps it level"},
        {"flask": "the box"},
        {"riser": "a channel"},
    ]


# -- lists --


def test_a_list_with_its_introduction() -> None:
    text = (
        "We meet in spring. Bring these things, because\nthe shop is closed:\n\n"
        "- gloves\n- tools\n    - a spade\n      of iron\n- Food: bread\n"
    )
    units = find_units(text)
    introduction = "Bring these things, because the shop is closed"
    assert [(u.kind.value, u.context, u.span.of(text)) for u in units] == [
        ("list", introduction, "- gloves\n- tools\n    - a spade\n      of iron\n- Food: bread"),
        ("item", introduction, "- gloves"),
        ("item", introduction, "- tools"),
        ("item", introduction + " / tools", "- a spade\n      of iron"),
        ("item", introduction, "- Food: bread"),
    ]
    assert shown(text, units)[-1][2] == {"Food": "bread"}


def test_bulleted_fields_are_a_record_under_their_introduction() -> None:
    text = "Opening hours:\n\n- **Monday**: 9 to 5\n- **Tuesday**: closed\n"
    assert found(text) == [("record", "Opening hours", {"Monday": "9 to 5", "Tuesday": "closed"})]


# -- tables --


def test_aligned_columns_fields_and_drawings() -> None:
    text = "City      Size\nOslo      10\nBergen    20\n"
    assert found(text) == [
        ("row", "", {"City": "Oslo", "Size": "10"}),
        ("row", "", {"City": "Bergen", "Size": "20"}),
    ]
    assert found("Prices of the spring of  the year\n" + text) == found(text), "a title above it"
    fields = "Title:    The mill\nAuthor:   Ann\nState:    done\n"
    assert found(fields) == [
        ("record", "", {"Title": "The mill", "Author": "Ann", "State": "done"})
    ]
    assert found("|   +-- a   x\n|   +-- b   y\n|   +-- c   z\n") == []


def test_a_list_of_pairs_without_a_header_has_a_row_for_each() -> None:
    text = "Fee, form 12         45 EUR\nChange afterwards    80 EUR\nStorage, day 1       free\n"
    units = find_units(f"Local charges\n\n{text}")
    assert [unit.kind.value for unit in units] == ["row", "row", "row"]
    assert [len(unit.cells) for unit in units] == [2, 2, 2]
    assert units[1].span.of(f"Local charges\n\n{text}") == "Change afterwards    80 EUR"
    assert find_units("A mill stood  here, by\nthe river.     It was\nsold at last. Twice\n") == ()
    assert find_units("one     5 kg\none     7 kg\none     9 kg\n") == (), "not of different things"


def test_numbered_sections_of_a_text_are_no_rows() -> None:
    text = (
        "6.1  The fee is due on the first of the month.\n"
        "6.2  After ten days a late fee of 25 is added.\n"
        "6.3  The board may waive it.\n"
    )
    assert [unit for unit in find_units(text) if unit.kind is UnitKind.ROW] == []


def test_dots_lead_to_a_value() -> None:
    text = "Medium\n\n  malt extract ...... 10 g\n  sugar . . . . . . . 20 g   (before: 40 g)\n"
    units = find_units(text)
    assert [[cell.span.of(text) for cell in unit.cells] for unit in units] == [
        ["malt extract", "10 g"],
        ["sugar", "20 g", "(before: 40 g)"],
    ]
    assert find_units("And so it went on ..... until noon\n") == (), "one line"


def test_tables_of_markup() -> None:
    rows = [("row", "", {"A": "x", "B": "1"}), ("row", "", {"A": "y", "B": "2 and more"})]
    grid = "+----+-------+\n| A  | B     |\n+====+=======+\n| x  | 1     |\n+----+-------+\n"
    assert found(grid) == rows[:1]
    simple = "=====  =====\nA      B\n=====  =====\nx      1\ny      2 and more\n=====  =====\n"
    assert found(simple) == rows
    assert found("| A | B |\n|---+---|\n| x | 1 |\n|---+---|\n| y | 2 and more |\n") == rows
    adoc = '.Things\n[cols="1,1"]\n|===\n|A |B\n\n|x\n|1\n|y |2 and more\n|===\n'
    assert found(adoc) == [(kind, "Things", cells) for kind, _, cells in rows]


def test_fields_and_definitions_of_markup() -> None:
    assert found(":Author: Ann\n:Date: 2024-05-01\n") == [
        ("record", "", {"Author": "Ann", "Date": "2024-05-01"})
    ]
    assert found("CPU:: The brain\nRAM::\n  The memory\n\n- cat :: an animal\n") == [
        ("entry", "", {"CPU": "The brain"}),
        ("entry", "", {"RAM": "The memory"}),
        ("entry", "", {"cat": "an animal"}),
    ]
    text = "Intro.\n\nflask\n    The box that holds the sand.\n"
    assert found(text) == []
    assert found(text, terms=True) == [("entry", "", {"flask": "The box that holds the sand."})]
    (raw,) = read_rst(text.encode())
    assert raw.units == find_units(text, terms=True)


# -- blocks of code --


def test_commands_have_the_sentence_and_the_comment_before_them() -> None:
    text = (
        "The server is small. To restart the service:\n\n```bash\n# stop it\n$ halt bees\n\n"
        "# look at the log\ntail -f log\ntail -n 5 log\n```\n"
    )
    introduction = "To restart the service"
    cells = [(context, cells) for _, context, cells in found(text)]
    assert cells[0][0] == introduction and set(cells[0][1]) == {introduction}
    assert cells[1:] == [
        (introduction, {"stop it": "halt bees"}),
        (introduction, {"look at the log": "tail -f log\ntail -n 5 log"}),
    ]


def test_settings_and_source_in_a_block() -> None:
    text = "The settings:\n\n```yaml\n# where\nlisten:\n  port: 7070\n```\n"
    assert found(text) == [("record", "The settings › listen (where)", {"port": "7070"})]
    text = "Limits:\n\n~~~python\nMAX = 5  # metres\n~~~\n"
    assert found(text) == [("entry", "Limits › metres", {"MAX": "5"})]
    text = 'The file:\n\n```json\n{"a": {"b": 1}}\n```\n'
    assert found(text) == [("record", "The file › a", {"b": "1"})]


def test_indented_code_and_indented_prose() -> None:
    text = "Backups run through cron:\n\n    15 2 * * * /usr/bin/backup --full\n"
    assert found(text) == [
        (
            "entry",
            "Backups run through cron",
            {"Backups run through cron": "15 2 * * * /usr/bin/backup --full"},
        )
    ]
    assert found("Run it::\n\n    make install\n")[0][2] == {"Run it": "make install"}
    assert found("She wrote:\n\n    We came home late.\n    It had rained.\n") == []
    assert found("Write to:\n\n    Name: Ann\n    City: Oslo\n") == [
        ("record", "Write to", {"Name": "Ann", "City": "Oslo"})
    ]
    text = "So:\n\n.. code-block:: python\n\n   LIMIT = 5\n"
    assert found(text) == [("entry", "So", {"LIMIT": "5"})]


def test_a_fence_that_is_never_closed() -> None:
    assert found("Do:\n\n```sh\nrun it\nName: x\n") == [("entry", "Do", {"Do": "run it\nName: x"})]


# -- units of a reader --


def test_lines_of_known_units_are_not_looked_at() -> None:
    text = "Name: Ann\nCity: Oslo\n\nIBAN: 1\nBIC: 2\n"
    known = Unit(UnitKind.ENTRY, Span(0, 20), "known")
    assert [unit.context for unit in find_units(text, (known,))] == ["known", ""]
    section = Unit(UnitKind.SECTION, Span(0, len(text)), "all")
    assert len(find_units(text, (section,))) == 3


def test_headings_of_a_text_with_front_matter() -> None:
    text = "---\ntitle: A\nstate: b\n---\n\nHead\n----\n\nWords.\n"
    document = clean_document(RawDocument(text), "a.md")
    assert [path for _, path in document.headings] == ["Head"]


# -- source code --

PYTHON = '''import os

# How many bees fit in a hive
MAX_BEES = 20_000
timeout: int = 30  # seconds
settings = {
    "port": 8080,  # of the server
}


class Hive(Base):
    """Where bees live."""

    size = 3

    # Counts them.
    def count(self, bees: int) -> int:
        """The number of bees."""
        found = 3
        return len(bees)


URL = os.environ.get("URL", "x")
'''


def test_source_of_python() -> None:
    units = code_units(PYTHON)
    cells = shown(PYTHON, units)
    assert ("entry", "How many bees fit in a hive", {"MAX_BEES": "20_000"}) in cells
    assert ("entry", "seconds", {"timeout": "30"}) in cells
    assert ("entry", "of the server", {"port": "8080"}) in cells
    assert ("entry", "class Hive(Base)", {"size": "3"}) in cells
    assert ("entry", "", {"URL": 'os.environ.get("URL", "x")'}) in cells
    assert ("entry", "", {"Hive (class)": '"""Where bees live."""'}) in cells
    assert (
        "entry",
        "class Hive(Base)",
        {"count (function)": '"""The number of bees."""'},
    ) in cells
    assert ("record", "class Hive(Base)", {"function": "count", "returns": "len(bees)"}) in cells
    assert not any("found" in names for _, _, names in cells), "a variable is no setting"
    whole = next(u for u in units if "count (function)" in {c.header for c in u.cells})
    assert whole.span.of(PYTHON).startswith("# Counts them.\n")
    assert whole.span.of(PYTHON).endswith("return len(bees)")


@pytest.mark.parametrize(
    ("line", "name", "value", "context"),
    [
        ("#define MAX_LEN 250 /* characters */", "MAX_LEN", "250", "characters"),
        ("static const int LIMIT = 4;", "LIMIT", "4", ""),
        ('private static final String NAME = "otter"; // who', "NAME", '"otter"', "who"),
        ("export const PORT: number = 7070;", "PORT", "7070", ""),
        ("pub const LIMIT: usize = 10;", "LIMIT", "10", ""),
        ("const Limit = 10 // most", "Limit", "10", "most"),
        ('HOST="localhost"  # here', "HOST", '"localhost"', "here"),
        ("  retries: 3,", "retries", "3", ""),
        (":depth => 7,", "", "", ""),
    ],
)
def test_settings_of_other_languages(line: str, name: str, value: str, context: str) -> None:
    expected = [("entry", context, {name: value})] if name else []
    assert shown(line, code_units(line)) == expected


@pytest.mark.parametrize(
    "line",
    [
        "return width * height",
        "x = foo(bar)",
        "if (x == 3) {",
        "a <= 4",
        "case 3: y();",
        "foo(timeout=30)",
        "import os",
        "this is prose: not code",
    ],
)
def test_lines_that_set_nothing(line: str) -> None:
    assert code_units(line) == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("// The area.\nint area(int w, int h) {\n  return w * h;\n}\n", ["area (function)"]),
        ("const swim = async (x) => { return 1 }\n", ["swim (function)"]),
        ("func (r *Rect) Area() float64 {\n}\n", ["Area (function)"]),
        ("pub fn go(a: i32) -> i32 { a }\n", ["go (function)"]),
        (
            "public class Foo extends Bar {\n    public void dive(int m) {\n        go();\n    }\n}\n",
            ["Foo (class)", "dive (function)"],
        ),
    ],
)
def test_definitions_of_other_languages(text: str, names: list[str]) -> None:
    units = [unit for unit in code_units(text) if unit.kind is UnitKind.ENTRY]
    assert [unit.cells[0].header for unit in units] == names
    assert units[-1].span.of(text).rstrip("\n").endswith(("}", ")"))


# -- marks of items --


@pytest.mark.parametrize("mark", ["●", "–", "☐", "☒", "✓", "＊", "・", "➢"])
def test_marks_of_items(mark: str) -> None:
    text = f"Bring along:\n{mark} a lamp\n{mark} a rope\n"
    assert [(kind, context) for kind, context, _ in found(text)] == [
        ("list", "Bring along"),
        ("item", "Bring along"),
        ("item", "Bring along"),
    ]


def test_a_line_with_a_colon_right_above_an_item_begins_a_list() -> None:
    text = "To drink:\n- tea\n- milk\nTo eat:\n- bread\n- plums\n"
    assert [context for kind, context, _ in found(text) if kind == "list"] == [
        "To drink",
        "To eat",
    ]


def test_one_item_is_a_list_if_it_is_introduced() -> None:
    assert [kind for kind, *_ in found("Bring along:\n\n- a lamp\n")] == ["list", "item"]
    assert found("It rained.\n\n- a lamp\n") == []


def test_two_headings_in_one_place_have_one_section() -> None:
    raw = RawDocument("Body text.\n", headings=((0, 1, "Part"), (0, 2, "Chapter")))
    units = clean_document(raw, "a.txt").units
    assert [unit.context for unit in units if unit.kind is UnitKind.SECTION] == ["Part › Chapter"]


def test_a_second_header_row_of_a_markdown_table_completes_the_first() -> None:
    text = (
        "| Firm | Basic | | Green | |\n|---|---|---|---|---|\n| | day | night | day | night |\n"
        "| Arvo | 31 | 24 | 34 | 27 |\n| Bent | 29 | 26 | 33 | 28 |\n"
    )
    rows = [unit for unit in find_units(text) if unit.kind is UnitKind.ROW]
    assert [cell.header for cell in rows[0].cells] == [
        "Firm", "Basic / day", "Basic / night", "Green / day", "Green / night"
    ]  # fmt: skip
    assert len(rows) == 2


def test_a_markdown_table_with_a_gap_in_its_header_keeps_its_first_row() -> None:
    text = "| Tool | Price | |\n|---|---|---|\n| saw | 12 | new |\n| axe | 9 | used |\n"
    assert len([unit for unit in find_units(text) if unit.kind is UnitKind.ROW]) == 2


def test_a_cell_one_blank_before_the_next_column_does_not_join_them() -> None:
    text = (
        "Tool            Per day   Deposit\nSaw             28        150\nLadder          9         -\n"
        "Pressure washer 22        100\n"
    )
    rows = [unit for unit in find_units(text) if unit.kind is UnitKind.ROW]
    assert {tuple(cell.header for cell in row.cells) for row in rows} == {
        ("Tool", "Per day", "Deposit")
    }
    assert [row.cells[0].span.of(text) for row in rows] == ["Saw", "Ladder", "Pressure washer"]


# -- questions that stand alone on a line --


@pytest.mark.parametrize("mark", ["**", ""])
def test_a_question_alone_on_a_line_has_its_answer_below(mark: str) -> None:
    text = (
        f"# FAQ\n\n{mark}When do you play?{mark}\nOn Wednesdays. Juniors\non Fridays.\n\n"
        f"{mark}Is there parking?{mark}\nBehind the brewery.\n\n"
        f"{mark}May I drop in?{mark}\nYes.\n"
    )
    found = [(u.context, u.span.of(text)) for u in find_units(text) if u.kind is UnitKind.ANSWER]
    assert [(context.rpartition(" > ")[2], answer) for context, answer in found] == [
        ("When do you play?", "On Wednesdays. Juniors\non Fridays."),
        ("Is there parking?", "Behind the brewery."),
        ("May I drop in?", "Yes."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Hello Tom,\n\nCould you bring the tent?\nBest, Anna\n",
        "What should I pack?\n- a hat\n- a rope\n",
        "It rained all day.\nWhat now?\nWe went home.\n" * 4,
    ],
)
def test_a_question_in_a_letter_a_list_or_a_paragraph_has_none(text: str) -> None:
    assert not [unit for unit in find_units(text) if unit.kind is UnitKind.ANSWER]
