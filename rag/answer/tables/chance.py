"""Tells how likely a reading of a question over a table is its answer, and what forbids it.

A logistic regression (`rag.training.table_chance`) gives the probability: of the reading's part of
the softmax, of what the part reader says of it in words, and of the words that it leaves unused. A
name, number, limit, negation or average of the question that the reading does not use forbids the
answer, however likely it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Protocol

from rag.answer.field_words import asked_fields, is_other_kind
from rag.answer.mentions import question_names
from rag.answer.tables.choice import Choice, choose_plan
from rag.answer.tables.model import TableModel
from rag.answer.tables.plans import Plan
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.row_sets import BESIDE
from rag.answer.tables.rows import Table
from rag.protocols import AnswerLogits
from rag.text import facts
from rag.text.units_of_measure import find_unit

#: characters of a cell or a name in which a unit is looked for
_MAX_CELL = 100
_LITTLE = 0.001  #: added to probabilities before their logarithm
#: stems of nouns that mean the rows of any table, and those of people
_ROW_NOUNS = frozenset(
    facts.stem(word)
    for word in "row rows entry entries record records item items line lines time times".split()
)
_PEOPLE = frozenset(map(facts.stem, "people person persons members member names name".split()))
#: stems of names of columns that people have
_OF_PEOPLE = frozenset(map(facts.stem, "name surname person age born birthday member".split()))
_NUMBER = re.compile(r"\d[\d.,]*")


class TableAbout(Protocol):
    """A table and the words of what it is about: title, headings, caption, name of the file."""

    @property
    def table(self) -> Table: ...

    @property
    def about(self) -> str: ...


def choose_answer(
    asked: TableQuestion, placed: TableAbout, model: TableModel, logits: AnswerLogits
) -> tuple[float, Choice] | None:
    """Return the likeliest reading with its probability; None if there is none that may answer."""
    choice = choose_plan(asked, placed.table, model.weights, logits, model.trust)
    if choice is None or not may_answer(asked, placed, choice, model.common):
        return None
    return answer_chance(answer_signals(asked, placed, choice, model.common), model.fit), choice


def may_answer(
    asked: TableQuestion, placed: TableAbout, choice: Choice, common: frozenset[str]
) -> bool:
    """Tell whether a reading uses all that the question must not be answered without."""
    terms = has_hard_terms(asked, placed, choice, common)
    if not terms or not keeps_operators(asked, choice.plan, placed.table):
        return False
    return counts_what_is_asked(asked, placed, choice.plan) and _fits(asked, placed, choice.plan)


def counts_what_is_asked(asked: TableQuestion, placed: TableAbout, plan: Plan) -> bool:
    """Tell whether all rows of a table are what "how many …" counts.

    The table, its caption, its file or a column is named so, or the rows themselves are meant.
    """
    if plan.operation != "count" or plan.chosen.chosen != "all" or "many" not in asked.words:
        return True
    after = asked.words.index("many") + 1
    nouns = [facts.stem(word) for word in asked.words[after:] if not facts.is_stop_word(word)][:1]
    headers = {stem for column in placed.table.columns for stem in column.stems}
    known = headers | _ROW_NOUNS | set(facts.content_stems(placed.about))
    if headers & _OF_PEOPLE:
        known |= _PEOPLE
    return all(noun in known for noun in nouns)


def _fits(asked: TableQuestion, placed: TableAbout, plan: Plan) -> bool:
    """Tell whether the cells that are read are of the measure or time that is asked for."""
    if plan.operation != "cell" or not plan.cells:
        return True
    header = placed.table.headers[plan.column]
    cell = placed.table.rows[plan.cells[0]][plan.column][:_MAX_CELL]
    return not is_other_kind(asked.question, f"{cell} {header[:_MAX_CELL]}", cell, in_row=True)


def answer_chance(signals: Sequence[float], fit: Sequence[float]) -> float:
    """Return the probability that a reading answers what was asked, 0..1."""
    logit = sum(weight * value for weight, value in zip(fit, signals, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def answer_signals(
    asked: TableQuestion, placed: TableAbout, choice: Choice, common: frozenset[str]
) -> tuple[float, ...]:
    """Return the inputs of `answer_chance`; the first is constant."""
    return (*_word_signals(asked, placed, choice, common), *_reading_signals(asked, placed, choice))


def _word_signals(
    asked: TableQuestion, placed: TableAbout, choice: Choice, common: frozenset[str]
) -> tuple[float, ...]:
    """How much of the softmax the reading has, and which words of the question it leaves."""
    stems = set(facts.content_stems(placed.about))
    missing = [at for at in choice.unused if asked.stems[at] not in stems]
    unexplained = [at for at in missing if not asked.only_asks(at)]
    rare = _rare_words(asked, placed, common)
    count = max(1, len(asked.content))
    plan = choice.plan
    chance = min(0.999, max(0.001, choice.chance))
    return (
        1.0,
        math.log(chance / (1 - chance)),
        choice.score / 10,
        len(unexplained) / count,
        float(min(3, len(unexplained))),
        len([at for at in choice.unused if asked.stems[at] in stems]) / count,
        float(any(c.whole for c in plan.chosen.conditions)),
        float(plan.operation != "cell"),
        float(not plan.chosen.conditions),
        float(len(rare) == 1),
        float(len(rare) > 1),
    )


def _reading_signals(asked: TableQuestion, placed: TableAbout, choice: Choice) -> tuple[float, ...]:
    """What kind of reading it is, and how far it is ahead of the next one."""
    plan, derived = choice.plan, choice.plan.chosen.derived
    ordered = derived in ("max", "min", "nth max", "nth min")
    column, order = choice.named
    lead = math.log((choice.chance + _LITTLE) / (choice.second + _LITTLE))
    return (
        min(6.0, lead),
        float(ordered),
        float(ordered and not order),
        float(derived in ("first", "last", "nth first", "nth last")),
        float(derived in BESIDE),
        float(plan.operation == "groups"),
        float(plan.operation in ("count", "distinct", "count difference")),
        float(plan.operation in ("sum", "average", "difference", "range")),
        float(plan.chosen.chosen.startswith("or")),
        float("limit" in plan.chosen.chosen),
        float(plan.operation == "cell" and not column),
        float(len(plan.cells) > 1),
        float(len(plan.cells) > 1 and not derived),
        math.log(1 + len(placed.table.rows)) / 4,
        math.log(1 + choice.readings) / 8,
        float(asked.asking in ("how many", "how much")),
        float(asked.operates and not derived and plan.operation == "cell"),
        max(-2.0, min(2.0, choice.read / 4)),
        max(-2.0, min(2.0, (choice.read - choice.second_read) / 4)),
    )


def _rare_words(asked: TableQuestion, placed: TableAbout, common: frozenset[str]) -> list[int]:
    """Places of words that name a thing, as few questions have them, and that the table lacks."""
    words = placed.table.vocabulary.union(facts.content_stems(placed.about))
    for asking, names in asked_fields(asked.question):
        if any(column.stems & names for column in placed.table.columns):
            words |= asking
    return [
        at
        for at in asked.content
        if asked.stems[at] not in words
        and asked.words[at] not in common
        and not asked.only_asks(at)
    ]


def has_hard_terms(
    asked: TableQuestion, placed: TableAbout, choice: Choice, common: frozenset[str]
) -> bool:
    """Tell whether each name, number and date of the question is in the table or its title.

    A number may also be a limit; one that stands in the table must be used by the reading ("4x50").
    If a value is only looked up, rare words must be there too.
    """
    only_looked_up = not choice.plan.chosen.derived and choice.plan.operation != "difference"
    if only_looked_up and _rare_words(asked, placed, common):
        return False
    words = placed.table.vocabulary.union(facts.content_stems(placed.about))
    names = question_names(asked.question)
    if any(stem not in words for name in names for stem in facts.content_stems(name)):
        return False
    limits = {value for limit in asked.limits for value in (limit.low, limit.high)}
    about = set(facts.content_stems(placed.about))
    unused = {asked.stems[at] for at in choice.unused} - about
    return all(
        _is_number_among(word, limits) or (word in words and word not in unused)
        for word in asked.stems
        if word[0].isdigit()
    )


def _is_number_among(word: str, numbers: set[float]) -> bool:
    return word.replace(".", "").isdigit() and float(word) in numbers


def keeps_operators(asked: TableQuestion, plan: Plan, table: Table) -> bool:
    """Tell whether a reading has the negation, the limits, the sum and the average of the question.

    A whole column answers only if a list is asked for, and one row does not give the sum of all.
    """
    chosen = plan.chosen
    one_row = plan.operation == "cell" and not chosen.conditions
    if asked.adds_all and one_row and not table.totals.issuperset(plan.cells):
        return False
    whole_column = plan.operation == "cell" and chosen.chosen == "all" and not chosen.derived
    if whole_column and len(plan.cells) > 1 and not {"list", "all"}.intersection(asked.words):
        return False
    named = {asked.words[at] for at in chosen.places}
    negated = [w for w in asked.negations if w not in named and w not in table.vocabulary]
    left_out = chosen.derived in BESIDE
    if negated and "not" not in chosen.chosen and not left_out:
        return False
    if not _keeps_limits(asked, plan, table):
        return False
    differs = plan.operation in ("difference", "count difference", "range")
    if asked.compares and not differs and facts.stem("difference") not in table.vocabulary:
        return False
    return not asked.averages or plan.operation == "average" or "averag" in table.vocabulary


def _keeps_limits(asked: TableQuestion, plan: Plan, table: Table) -> bool:
    """Tell whether a reading has the limits of the question, in the unit of the column."""
    chosen = plan.chosen
    if chosen.chosen.startswith(("limit", "not limit")):
        own = _dimension(table, chosen.column)
        return not own or not asked.units or own in asked.units.values()
    if chosen.derived or chosen.chosen == "top":
        return True
    named = {asked.words[at] for at in chosen.places}
    figures = {float(w) for w in named if w.replace(".", "").isdigit()}
    return all(limit.sign == "between" and limit.low in figures for limit in asked.limits)


def _dimension(table: Table, column: int) -> str:
    """The dimension of the unit that the cells or the name of a column have; "" if none."""
    if column >= len(table.headers):
        return ""
    cell = next((row[column] for row in table.rows if row[column]), "")[:_MAX_CELL]
    number = _NUMBER.search(cell)
    own = find_unit(cell, number.start(), number.end())[0] if number else ""
    words = re.findall(r"[^\W\d_]{1,20}|[$\u20ac\u00a3\u00a5]", table.headers[column][:_MAX_CELL])
    return own or next(filter(None, (find_unit(f"1 {w}", 0, 1)[0] for w in words)), "")
