"""Bounds: what is too long is said at once and by name, and a word of megabytes makes no passage of megabytes."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from rag import Bot, Config, limits
from rag.cli.main import cli
from rag.domain import Document, RawDocument, Span
from rag.errors import Unreadable, Usage
from rag.eval.cases import read_cases
from rag.eval.checker import read_claims
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.formats import sandbox
from rag.ingest.load import File, load_file
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex
from rag.text.facts import Date, find_dates, one_letter_apart
from rag.text.quantities import Number, find_numbers
from tests.library.test_library import House

LONG = "Who signed it? " * 70_000  # about a megabyte


@pytest.mark.parametrize(
    "asked",
    [
        lambda bot: list(bot.ask(LONG)),
        lambda bot: bot.search(LONG),
        lambda bot: bot.explain(LONG, "a.txt"),
        lambda bot: bot.explain("Who?", "a.txt", LONG),
        lambda bot: bot.check(LONG, "It was signed."),
        lambda bot: bot.check("It was signed.", LONG),
    ],
)
def test_too_long_is_said_before_anything_is_opened(tmp_path: Path, asked: Any) -> None:
    with (
        Bot.open(Config(home=str(tmp_path))) as bot,
        pytest.raises(Usage, match=r"has 1,050,000 characters, over \d"),
    ):
        asked(bot)
    assert list(tmp_path.iterdir()) == []


def test_a_question_that_is_just_short_enough_is_one(tmp_path: Path) -> None:
    assert limits.check_question("a" * limits.MAX_QUESTION_CHARS) == "a" * limits.MAX_QUESTION_CHARS
    with pytest.raises(Usage):
        limits.check_question("a" * (limits.MAX_QUESTION_CHARS + 1))


def test_a_question_on_standard_input_is_read_to_the_bound_only(tmp_path: Path) -> None:
    class Endless(io.RawIOBase):
        read_so_far = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            self.read_so_far += len(buffer)
            assert self.read_so_far < 2**20, "it reads on"
            buffer[:] = b"a" * len(buffer)
            return len(buffer)

    ran = CliRunner().invoke(
        cli, ["--home", str(tmp_path), "ask"], input=io.BufferedReader(Endless())
    )
    assert isinstance(ran.exception, Usage) and "too much for a question" in str(ran.exception)


@pytest.mark.parametrize("key", ["claim", "passage"])
def test_a_claim_that_is_too_long_is_named_with_its_line(tmp_path: Path, key: str) -> None:
    good = {"id": 1, "claim": "It was signed.", "passage": "It was signed."}
    lines = "\n".join(json.dumps(record) for record in (good, {**good, key: LONG}))
    path = tmp_path / "claims.jsonl"
    path.write_text(lines, encoding="utf-8")
    ran = CliRunner().invoke(cli, ["--home", str(tmp_path), "check", str(path)])
    assert isinstance(
        ran.exception, Usage
    ) and f"claims.jsonl, line 2: the {key} has 1,050,000" in str(ran.exception)
    assert ran.stdout == ""


def test_questions_and_claims_of_an_eval_are_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        json.dumps({"id": "1", "question": LONG, "answers": [], "answerable": False}),
        encoding="utf-8",
    )
    with pytest.raises(Usage, match="line 1: the question has 1,050,000"):
        read_cases(path)
    path.write_text(
        json.dumps({"claim": LONG, "passage": "a", "label": "supported"}), encoding="utf-8"
    )
    with pytest.raises(Usage, match="line 1: the claim has 1,050,000"):
        read_claims(path)


# -- documents --


def _one_each(texts: Any) -> list[int]:
    """As the built-in tokenizer does with a word of more than 100 characters: it is one token, whatever its length."""
    return [len(text.split()) for text in texts]


@pytest.mark.slow
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "x" * 500_000,
        "a" + " " * 500_000 + "b",
        "a" + "\n" * 500_000 + "b",
        "漢" * 500_000,
        "x " * 250_000,
    ],
)
def test_no_passage_is_longer_than_forty_characters_a_token(text: str, lines: bool) -> None:
    chunks = list(chunk_document(Document("d", "s", "t", None, text, lines=lines), 200, _one_each))
    assert chunks and max(len(c.text) for c in chunks) <= 8_000
    assert "".join("".join(c.text.split()) for c in chunks) == "".join(text.split())


@pytest.mark.slow
def test_a_word_of_a_megabyte_beside_sentences_loses_none_of_them(tmp_path: Path) -> None:
    text = "The zebra lives in Botswana. " + "q" * 1_000_000 + " It was counted five times."
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    house = House(tmp_path)
    assert house.add(tmp_path / "a.txt").added == ("a.txt",)
    held = house.library.documents.chunks(sorted(house.library.documents.chunk_ids())).values()
    assert max(len(c.text) for c in held) <= 40 * 40
    for said in ("The zebra lives in Botswana.", "It was counted five times."):
        assert any(said in c.text for c in held)


def test_headings_of_any_length_and_depth_do_not_multiply() -> None:
    text = "# " + "t" * 50_000 + "\n" + "## x\n" * 5_000
    assert (
        sum(len(path) for _, path in clean_document(RawDocument(text), "a.md").headings)
        < 5_000 * 300
    )
    deep = "".join(f"{' ' * at}def a{at}\n" for at in range(300))
    found = tuple((at, at + 1, f"def a{at}") for at in range(300))
    assert (
        max(
            len(path)
            for _, path in clean_document(
                RawDocument(deep, headings=found, lines=True), "a.py"
            ).headings
        )
        < 300
    )


# -- the rules run in the child --


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst", "a.py", "a.json", "a.csv", "a.html"])
def test_what_the_rules_find_comes_from_the_child(tmp_path: Path, name: str) -> None:
    content = b"Bees\n====\n\nPlease wait\n\nBees make honey, said Anna Berg on Monday.\n"
    (raw,) = load_file(File(str(tmp_path / name), name, 0, 0), content)
    assert isinstance(raw, RawDocument) and raw.ruled is not None
    expected = clean_document(
        RawDocument(
            raw.text, raw.title, raw.date, raw.pages, raw.masked, raw.name, raw.headings, raw.lines
        ),
        name,
    )
    document = clean_document(raw, name)
    if name in ("a.csv", "a.html"):  # whose readers know the units
        expected = replace(expected, units=document.units)
    assert document == expected
    other = replace(raw.ruled, title="Another", masked=(Span(0, 4),))
    told = clean_document(replace(raw, ruled=other), name)
    assert (told.title, told.mask) == ("Another", (Span(0, 4),)), "the rules do not run again"


def sent(frame: Mapping[str, object]) -> Any:
    """The head of a frame as the parent reads it: any JSON."""
    return json.loads(json.dumps(frame))


@pytest.mark.parametrize(
    "wrong",
    [
        {"masked": [[0, 99]]}, {"masked": [[3, 2]]}, {"masked": [[0, 3], [2, 4]]}, {"headings": [[99, 1, "a"]]}, {"pages": "ab"},
        {"headings": [[3, 1, "a"], [1, 1, "b"]]}, {"ruled": None}, {"units": [["a"], [[0, 0, 99, 0, 0]]]}, {"date": ["x"], "lines": 1, "masked": [["a", "b"]]},
    ],
)  # fmt: skip
def test_spans_that_a_child_made_up_are_not_believed(wrong: dict[str, Any]) -> None:
    good = {
        "title": "t",
        "masked": [[0, 2]],
        "headings": [[0, 1, "a"]],
        "date": None,
        "pages": [],
        "name": "",
        "lines": False,
    }
    ruled = {"title": "t", "masked": [[0, 2]], "headings": []}
    head = {**good, "ruled": ruled, "units": []}
    assert sandbox._part(sent(head), b"text") == RawDocument(
        "text", "t", masked=(Span(0, 2),), headings=((0, 1, "a"),)
    )
    with pytest.raises((KeyError, TypeError, ValueError)):
        sandbox._part(sent({**head, **wrong}), b"text")


@pytest.mark.slow
def test_a_rule_that_runs_for_ever_is_an_error() -> None:
    endless = "tests.support.sandbox_workers:endless_rules"
    began = time.monotonic()
    with pytest.raises(Unreadable, match="takes too long to read"):
        list(sandbox.parse_in_sandbox(".txt", b"Bees make honey.", seconds=0.2, worker=endless))
    assert time.monotonic() - began < 30


# -- what is indexed agrees as each with each does --

_DATES = st.builds(
    Date,
    st.sampled_from([None, 1900, 2020]),
    st.integers(1, 3),
    st.sampled_from([None, 1, 2]),
    st.just("x"),
)
_VALUES = st.frozensets(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]), min_size=1, max_size=2)
_NUMBERS = st.one_of(
    st.builds(Number, _VALUES, st.booleans(), st.just("x")),
    st.builds(
        Number, _VALUES, st.just(False), st.just("x"), st.sampled_from(["mass", "euro"]), _VALUES
    ),
)


@given(_DATES, st.lists(_DATES, max_size=4))
def test_dates(one: Date, others: list[Date]) -> None:
    assert DateIndex(others).agree(one) == any(one.agrees(other) for other in others)


@given(_NUMBERS, st.lists(_NUMBERS, max_size=4))
def test_numbers(one: Number, others: list[Number]) -> None:
    assert NumberIndex(others).bear_out(one) == any(one.agrees(other) for other in others)
    assert NumberIndex(others).rest_on(one) == any(other.agrees(one) for other in others)


@given(
    st.text("ab", min_size=5, max_size=8),
    st.sets(st.text("ab", min_size=4, max_size=9), max_size=5),
)
def test_words(word: str, others: set[str]) -> None:
    near = len(word) >= 6 and any(
        one_letter_apart(word, w) for w in others if abs(len(w) - len(word)) <= 1
    )
    assert WordIndex(others).has(word) == (word in others or near)


def test_words_one_letter_off_in_every_way() -> None:
    word = "lavrov"
    for at, letter in product(range(len(word)), "xy"):
        assert WordIndex({word[:at] + letter + word[at + 1 :]}).has(word)
        assert WordIndex({word[:at] + letter + word[at:]}).has(word)
        assert WordIndex({word[:at] + word[at + 1 :]}).has(word)


def test_thousands_of_numbers_are_found_and_missed_as_before() -> None:
    text = " ".join(str(number) for number in range(1000, 6000))
    known = NumberIndex(find_numbers(text))
    assert all(known.bear_out(number) for number in find_numbers("1,000 and 5,999 and 2 500"))
    assert not known.bear_out(find_numbers("6,000")[0])
    assert find_dates("5 May 2020")[0][0].agrees(find_dates("May 2020")[0][0])
