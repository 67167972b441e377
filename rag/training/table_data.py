"""Questions over tables with their answers: read from a file, or generated over made-up lists.

The file has JSON lines, each with a `question`, its `answers`, a `table` with `header`, `rows` and
`title`, and the name of its `document` (WikiTableQuestions, CC BY-SA 4.0). Those tables are of
Wikipedia. The generated ones are price lists and inventories, which people keep themselves.
Documents are apart by the CRC-32 of their names, modulo 10.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rag.answer.tables.plans import Plan
from rag.answer.tables.rows import Table
from rag.text import facts

_LIST = "generated list "  #: how the documents of `generate` begin
#: of the CRC-32 modulo 10: kept out of all fitting, the choice, the probability with its threshold
KEPT_OUT, CHOICE, CHANCE = range(3), range(3, 9), range(9, 10)

_DASH = re.compile("[\u2010-\u2015\u2212]")


class Question(NamedTuple):
    """A question over a table. `in_cell` is set if its answer is the text of cells."""

    document: str
    text: str
    table: Table
    answers: tuple[str, ...]
    in_cell: bool


def part_of(questions: Iterable[Question], part: range) -> list[Question]:
    """Return the questions over the documents of a part."""
    return [q for q in questions if zlib.crc32(q.document.encode()) % 10 in part]


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file of JSON lines, compressed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    tables, found = dict[str, Table](), list[Question]()
    for line in text.splitlines():
        read = json.loads(line)
        name, data_of = read["document"], read["table"]
        if name not in tables:
            width = len(data_of["header"])
            rows = [(row + [""] * width)[:width] for row in data_of["rows"]]
            tables[name] = Table(data_of.get("title") or "", data_of["header"], rows)
        answers, in_cell = tuple(read["answers"]), bool(read.get("answer_in_cell"))
        found.append(Question(name, read["question"], tables[name], answers, in_cell))
    return found


def is_right(plan: Plan, table: Table, answers: Iterable[str]) -> bool:
    """Tell whether a reading has the right answer."""
    wanted = {_plain(answer) for answer in answers}
    if plan.operation in ("cell", "groups"):
        found = {_plain(table.rows[row][plan.column]) for row in plan.cells}
    else:
        found = {f"{plan.value:.10g}"}
    if found == wanted:
        return True
    try:
        return len(found) == len(wanted) == 1 and float(*found) == float(*wanted)
    except ValueError:
        return False


def _plain(text: str) -> str:
    folded = _DASH.sub("-", facts.fold_text(text))
    return re.sub(r"[\s,]+", " ", folded).strip(' ."')


# -- generated questions


class _Measure(NamedTuple):
    """A column of numbers: its names, and ways to ask; `{n}` is a number, `{a}` and `{b}` items."""

    headers: tuple[str, ...]
    more: tuple[str, ...]
    less: tuple[str, ...]
    #: by how much `{a}` is more than `{b}`, and `{b}` less than `{a}`
    difference: tuple[str, ...]
    most: tuple[str, ...]
    least: tuple[str, ...]
    value: tuple[str, ...]
    together: tuple[str, ...]


_MEASURES = (
    _Measure(
        ("Price", "Cost", "Unit price", "Price (EUR)", "Price per unit", "Amount", "Rate", "Fee"),
        ("cost more than {n}", "cost over {n}", "are more expensive than {n}", "cost at least {n}"),
        ("cost less than {n}", "cost under {n}", "are cheaper than {n}", "cost at most {n}"),
        (
            "How much more does {a} cost than {b}?",
            "How much more expensive is {a} than {b}?",
            "How much more is {a} than {b}?",
            "How much cheaper is {b} than {a}?",
            "How much less does {b} cost than {a}?",
        ),
        ("is the most expensive", "costs the most"),
        ("is the cheapest", "costs the least"),
        ("How much does {a} cost?", "How much is {a}?", "What does {a} cost?"),
        ("How much do {a} and {b} cost together?", "What do {a} and {b} cost altogether?"),
    ),
    _Measure(
        ("Weight", "Weight (g)", "Weight (kg)", "Net weight"),
        ("weigh more than {n}", "are heavier than {n}"),
        ("weigh less than {n}", "are lighter than {n}"),
        ("How much heavier is {a} than {b}?", "How much more does {a} weigh than {b}?"),
        ("is the heaviest", "weighs the most"),
        ("is the lightest", "weighs the least"),
        ("How much does {a} weigh?", "How heavy is {a}?"),
        ("How much do {a} and {b} weigh together?",),
    ),
    _Measure(
        ("Stock", "In stock", "Quantity", "Available"),
        ("have more than {n} in stock", "have at least {n} in stock"),
        ("have less than {n} in stock", "have fewer than {n} in stock"),
        ("How much more of {a} is in stock than of {b}?",),
        ("has the most stock", "has the highest stock"),
        ("has the least stock", "has the lowest stock"),
        ("How many of {a} are in stock?",),
        ("What is the total stock of {a} and {b}?",),
    ),
    _Measure(
        ("Duration", "Duration (min)", "Minutes", "Hours"),
        ("take more than {n}", "take longer than {n}", "last longer than {n}"),
        ("take less than {n}", "are shorter than {n}"),
        ("How much longer does {a} take than {b}?", "How much longer is {a} than {b}?"),
        ("takes the longest", "is the longest"),
        ("takes the least time", "is the shortest"),
        ("How long does {a} take?", "How long is {a}?"),
        ("How long do {a} and {b} take together?",),
    ),
    _Measure(
        (
            "Height",
            "Width",
            "Length (cm)",
            "Score",
            "Power",
            "Deposit",
            "Capacity",
            "Age",
            "Points",
        ),
        ("have a {h} of more than {n}", "have a {h} over {n}", "have a {h} above {n}"),
        ("have a {h} of less than {n}", "have a {h} below {n}", "have a {h} under {n}"),
        ("How much higher is the {h} of {a} than that of {b}?",),
        ("has the highest {h}", "has the largest {h}", "has the greatest {h}"),
        ("has the lowest {h}", "has the smallest {h}"),
        ("What is the {h} of {a}?",),
        ("What is the total {h} of {a} and {b}?",),
    ),
)
_THINGS = "Item Product Article Tool Service Model Course Part Name Dish Material Room".split()
_NAMES = (
    "hammer bucket kettle bicycle tent printer camera blanket garden hose wheelbarrow shovel paint "
    "stapler notebook folder envelope monitor keyboard speaker cable battery helmet glove scarf "
    "teapot saucepan colander whisk grater napkin candle vase curtain shelf stool bench hammock "
    "rake bulb fuse switch socket filter pump valve bearing gasket bolt washer anvil chisel clamp "
    "honey butter flour yeast raisin almond walnut pepper mustard vinegar cocoa barley lentil"
).split()
_ADJECTIVES = "small large steel oak round folding spare double electric plain heavy light".split()
_GROUPS = {
    "Category": "kitchen office outdoor workshop bathroom".split(),
    "Material": "steel oak glass cotton rubber".split(),
    "Supplier": "Arvo Belmont Castor Dunmore Elling".split(),
    "Size": "small medium large".split(),
}


def generate(count: int, seed: int = 0) -> list[Question]:
    """Return questions over `count` lists of things with their prices, weights, stock …"""
    draws = random.Random(seed)
    return [q for n in range(count) for q in _List(draws, f"{_LIST}{seed} {n}").questions()]


def is_generated(question: Question) -> bool:
    """Tell whether a question is of `generate`."""
    return question.document.startswith(_LIST)


class _List:
    """A made-up list, and questions over it."""

    def __init__(self, draws: random.Random, document: str) -> None:
        self._draws, self._document = draws, document
        self._measures = draws.sample(_MEASURES, draws.randint(1, 3))
        self._headers = [draws.choice(measure.headers) for measure in self._measures]
        self._thing = draws.choice(_THINGS)
        self._group = draws.choice(list(_GROUPS))
        count, adjective = draws.randint(3, 14), draws.random() < 0.4
        self._names = [
            f"{draws.choice(_ADJECTIVES)} {name}" if adjective and draws.random() < 0.6 else name
            for name in draws.sample(_NAMES, count)
        ]
        if draws.random() < 0.5:
            self._names = [name.capitalize() for name in self._names]
        sign, decimal = draws.choice(("", "", "", "$", "\u20ac")), draws.random() < 0.4
        top = draws.choice((30, 100, 2000))
        values = [[draws.randint(1, top) + decimal * draws.randint(0, 19) / 20 for _ in self._names]
                  for _ in self._measures]  # fmt: skip
        self._values = [dict(zip(self._names, column, strict=True)) for column in values]
        first_signed = self._measures[0] is _MEASURES[0]
        columns = [
            [f"{sign if first_signed and not at else ''}{v:.2f}" if decimal else str(v) for v in c]
            for at, c in enumerate(values)
        ]
        groups = [draws.choice(_GROUPS[self._group]) for _ in self._names]
        self._groups = dict(zip(self._names, groups, strict=True))
        headers = [self._thing, *self._headers, self._group]
        rows = [list(row) for row in zip(self._names, *columns, groups, strict=True)]
        title = draws.choice(("", "Price list", "Inventory", "List", "Catalogue"))
        self._table = Table(title, headers, rows)

    def questions(self) -> Iterator[Question]:
        """Yield the questions, of each kind one or two."""
        for at, measure in enumerate(self._measures):
            kinds = (self._limits, self._differences, self._extremes, self._sums)
            for kind in self._draws.sample(kinds, 2):
                for text, answers, in_cell in kind(measure, self._headers[at], self._values[at]):
                    if answers:
                        yield Question(self._document, text, self._table, answers, in_cell)

    def _limits(self, measure: _Measure, header: str, values: dict[str, float]) -> Iterator[_Asked]:
        number = int(self._draws.choice(list(values.values())))
        wording = self._draws.choice((*measure.more, *measure.less))
        number += 1 if wording in measure.less else 0
        equal = " at least " in wording or " at most " in wording
        below = wording in measure.less
        kept = [
            name
            for name, value in values.items()
            if (value < number if below else value > number) or (equal and value == number)
        ]
        clause = wording.format(n=self._number(number, measure), h=_plain_header(header))
        things = self._things()
        if 0 < len(kept) <= 12 and len(kept) < len(values):
            asking = self._draws.choice(("Which", "What", "Which"))
            yield f"{asking} {things} {clause}?", tuple(kept), True
            yield f"How many {things} {clause}?", (str(len(kept)),), False

    def _number(self, number: int, measure: _Measure) -> str:
        unit = self._draws.choice(("", "", "", "$", " euros")) if measure is _MEASURES[0] else ""
        return f"${number}" if unit == "$" else f"{number}{unit}"

    def _differences(
        self, measure: _Measure, header: str, values: dict[str, float]
    ) -> Iterator[_Asked]:
        low, high = sorted(self._draws.sample(list(values), 2), key=lambda name: values[name])
        wording = self._draws.choice(
            (*measure.difference, "What is the difference in {h} between {a} and {b}?")
        )
        text = self._named(wording, high, low, header)
        yield text, (f"{values[high] - values[low]:.10g}",), False

    def _extremes(
        self, measure: _Measure, header: str, values: dict[str, float]
    ) -> Iterator[_Asked]:
        for wordings, end in ((measure.most, max), (measure.least, min)):
            kept = tuple(n for n, value in values.items() if value == end(values.values()))
            clause = self._draws.choice(wordings).format(h=_plain_header(header))
            yield f"Which {self._thing.lower()} {clause}?", kept, True
        name = self._draws.choice(list(values))
        cell = next(row for row in self._table.rows if row[0] == name)
        text = self._named(self._draws.choice(measure.value), name, name, header)
        yield text, (cell[self._headers.index(header) + 1],), True

    def _sums(self, measure: _Measure, header: str, values: dict[str, float]) -> Iterator[_Asked]:
        one, other = self._draws.sample(list(values), 2)
        text = self._named(self._draws.choice(measure.together), one, other, header)
        yield text, (f"{values[one] + values[other]:.10g}",), False
        group = self._draws.choice(list(self._groups.values()))
        kept = [values[name] for name, own in self._groups.items() if own == group]
        name, things = _plain_header(header), self._things()
        yield f"How many {group} {things} are there?", (str(len(kept)),), False
        asking = self._draws.choice(("are there", "are listed", "are there in total"))
        yield f"How many {things} {asking}?", (str(len(values)),), False
        if len(kept) > 1:
            yield (
                f"What is the total {name} of the {group} {things}?",
                (f"{sum(kept):.10g}",),
                False,
            )
        average = sum(values.values()) / len(values)
        yield f"What is the average {name}?", (f"{average:.10g}",), False

    def _things(self) -> str:
        noun = self._thing.lower()
        return "dishes" if noun == "dish" else noun + "s"

    def _named(self, wording: str, one: str, other: str, header: str) -> str:
        article = self._draws.choice(("the ", "the ", "a ", ""))
        return wording.format(
            a=article + one.lower(), b=article + other.lower(), h=_plain_header(header)
        )


#: a question, its answers, and whether they are texts of cells
_Asked = tuple[str, tuple[str, ...], bool]


def _plain_header(header: str) -> str:
    return header.partition(" (")[0].lower()
