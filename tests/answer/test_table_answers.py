"""Questions over a table of a library, end to end with the shipped models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from rag import serialize
from rag.answer.tables.chance import counts_what_is_asked
from rag.answer.tables.plans import Plan
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.row_sets import RowSet
from rag.answer.tables.rows import Table
from rag.bot import Bot
from rag.config import Config
from rag.domain import Answer, Verdict
from rag.events import Answered

pytestmark = pytest.mark.slow
ROWS = (
    "Item,Price,Stock,Colour\nlamp,12,3,red\nrug,45.5,5,blue\nmirror,80,0,red\nchair,20,7,green\n"
)


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    folder: Path = tmp_path_factory.mktemp("tables")
    (folder / "docs").mkdir()
    (folder / "docs" / "prices.csv").write_text(ROWS)
    with Bot.open(Config(home=str(folder / "home"))) as opened:
        list(opened.add([str(folder / "docs")]))
        yield opened


def _ask(bot: Bot, question: str) -> Answer:
    *_, last = bot.ask(question, save=False)
    assert isinstance(last, Answered)
    return last.answer


@pytest.mark.parametrize(
    ("question", "short", "row"),
    [
        ("Which item is the most expensive?", "mirror", "mirror | 80 | 0 | red"),
        ("Which is the cheapest item?", "lamp", "lamp | 12 | 3 | red"),
        ("Which item is listed after the rug?", "mirror", "mirror | 80 | 0 | red"),
        ("Who has more stock, the lamp or the chair?", "chair", "lamp | 12 | 3 | red"),
    ],
)
def test_a_cell_quotes_its_row(bot: Bot, question: str, short: str, row: str) -> None:
    answer = _ask(bot, question)
    assert answer.short == short
    assert row in [claim.sentence.text for claim in answer.claims]
    text = bot.document("prices.csv").text
    for claim in answer.claims:
        assert claim.verdict is Verdict.SUPPORTED
        assert claim.sentence.quote and claim.sentence.quote.of(text) == claim.sentence.text


@pytest.mark.parametrize(
    ("question", "short", "rows"),
    [
        ("How many items are red?", "2", 2),
        ("How many items are there?", "4", 4),
        ("What is the average price?", "39.38", 4),
    ],
)
def test_a_computed_answer_says_so(bot: Bot, question: str, short: str, rows: int) -> None:
    answer = _ask(bot, question)
    (claim,) = answer.claims
    assert (answer.short, claim.verdict) == (short, Verdict.COMPUTED)
    assert claim.sentence.text.startswith(("Counted in", "Computed from"))
    assert len(claim.evidence) == rows
    written = serialize.answer(answer)["claims"][0]
    assert written["verdict"] == "computed"
    assert written["computed"]["rows"] == rows


@pytest.mark.parametrize(
    "question",
    ["How many sofas are there?", "What is the price of the sofa?", "Which items are not blue?"],
)
def test_what_the_table_does_not_say_is_not_answered_wrongly(bot: Bot, question: str) -> None:
    answer = _ask(bot, question)
    assert answer.abstained or "rug" not in (answer.short or "")


PRICES = (("Product", "Unit price", "Weight"), ("spade", "18.50", "2100"), ("trowel", "6.25", "300"),
          ("barrow", "74", "15000"), ("gloves", "4.75", "150"))  # fmt: skip


def _file(kind: str) -> str:
    head, *rows = PRICES
    if kind == "csv":
        return "".join(",".join(row) + "\n" for row in PRICES)
    if kind == "md":
        lines = [" | ".join(row) for row in (head, ["---"] * len(head), *rows)]
        return "# Garden tools\n\n" + "".join(f"| {line} |\n" for line in lines)
    cells = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in PRICES
    )
    return f"<html><body><h1>Garden tools</h1><table>{cells}</table></body></html>"


@pytest.fixture(scope="module", params=["csv", "md", "html"])
def price_list(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bot]:
    folder: Path = tmp_path_factory.mktemp("prices")
    (folder / "docs").mkdir()
    (folder / "docs" / f"tools.{request.param}").write_text(_file(request.param))
    with Bot.open(Config(home=str(folder / "home"))) as opened:
        list(opened.add([str(folder / "docs")]))
        yield opened


@pytest.mark.parametrize(
    ("question", "shorts"),
    [
        ("Which products cost more than 10?", {"spade", "barrow"}),
        ("Which products are cheaper than 5?", {"gloves"}),
        ("Which products weigh more than 1000?", {"spade", "barrow"}),
        ("How much more does the barrow cost than the spade?", {"55.50"}),
        ("How much cheaper is the trowel than the spade?", {"12.25"}),
        ("How much heavier is the spade than the trowel?", {"1,800"}),
        ("How many products cost less than 20?", {"3"}),
        ("How much do the spade and the trowel cost together?", {"24.75"}),
    ],
)
def test_limits_and_differences_over_a_price_list(
    price_list: Bot, question: str, shorts: set[str]
) -> None:
    answer = _ask(price_list, question)
    assert set((answer.short or "").split("; ")) == shorts
    assert {claim.verdict for claim in answer.claims} <= {Verdict.SUPPORTED, Verdict.COMPUTED}
    for claim in answer.claims:
        if claim.verdict is Verdict.COMPUTED:
            assert " of “tools." in claim.sentence.text


@pytest.mark.parametrize(
    ("noun", "counted"), [("items", True), ("rows", True), ("prices", True), ("members", False)]
)
def test_rows_are_counted_only_for_what_the_table_is_named_by(noun: str, counted: bool) -> None:
    table = Table("", ["Item", "Price"], [["lamp", "12"], ["rug", "45"]])
    plan = Plan("count", RowSet((0, 1), "all"), -1, 2.0)
    asked = TableQuestion(f"How many {noun} are there?")
    placed = _About(table, "prices.csv Item Price")
    assert counts_what_is_asked(asked, placed, plan) is counted


class _About(NamedTuple):
    table: Table
    about: str
