"""Fit the choice among the readings of a question over a table.

    python -m rag.training.table_questions QUESTIONS OUT

QUESTIONS is a file of JSON lines, each with a `question`, its `answers`, and a `table` with
`header`, `rows` and `title`, and the name of its `document` (WikiTableQuestions, CC BY-SA 4.0). The
tables whose CRC-32 modulo 10 is below 3 are kept out; the accuracy on them is printed.

The loss is that of the softmax over all readings of a question, summed over those with the right
answer. Weights are moved by Adam and drawn towards zero; those that are nearly zero are left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.answer.table_choice import PlanFeatures, choose_plan
from rag.answer.table_plans import Plan, make_plans
from rag.answer.table_question import TableQuestion
from rag.answer.table_rows import Table

_MIN_QUESTIONS = 4  # with a feature that is kept
_EPOCHS, _BATCH, _RATE = 10, 100, 0.03
#: what a step draws a weight towards zero by, in the last epochs; weights below it are left out
_SHRINK, _MIN_WEIGHT = 0.0009, 0.03
#: tables in which a common word must be missing, and the share of its questions
_MIN_TABLES, _MIN_MISSING = 3, 0.25

Question = dict[str, Any]


class Example(NamedTuple):
    """The readings of one question: the numbers of their features, and which are right."""

    features: list[NDArray[np.int32]]
    right: NDArray[np.bool_]


def is_kept_out(document: str) -> bool:
    """Tell whether the questions over a table are not trained on."""
    return zlib.crc32(document.encode()) % 10 < 3


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file of JSON lines, compressed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return [json.loads(line) for line in text.splitlines()]


def table_of(question: Question) -> Table:
    """Return the table of a question; rows that are too short are filled."""
    data = question["table"]
    width = len(data["header"])
    rows = [(row + [""] * width)[:width] for row in data["rows"]]
    return Table(data.get("title") or "", data["header"], rows)


def is_right(plan: Plan, table: Table, answers: Iterable[str]) -> bool:
    """Tell whether a reading has the right answer."""
    wanted = {_plain(answer) for answer in answers}
    if plan.operation in ("cell", "groups"):
        return {_plain(table.rows[row][plan.column]) for row in plan.cells} == wanted
    return wanted == {f"{plan.value:.10g}"}


def _plain(text: str) -> str:
    return re.sub(r"[\s,]+", " ", text.lower()).strip(' ."')


def make_examples(questions: Sequence[Question]) -> tuple[list[Example], list[str]]:
    """Return the examples with a right reading, and the names of the features."""
    numbers, uses = dict[str, int](), Counter[int]()
    examples = list[Example]()
    for question in questions:
        table, asked = table_of(question), TableQuestion(question["question"])
        plans = make_plans(asked, table)
        right = np.array([is_right(plan, table, question["answers"]) for plan in plans], bool)
        if not right.any():
            continue
        of = PlanFeatures(asked, table, plans).of
        rows = [
            np.array([numbers.setdefault(name, len(numbers)) for name in of(plan)], np.int32)
            for plan in plans
        ]
        uses.update(set(np.concatenate(rows).tolist()))
        examples.append(Example(rows, right))
    kept = [name for name, number in numbers.items() if uses[number] >= _MIN_QUESTIONS]
    moved = np.full(len(numbers), -1, np.int32)
    moved[[numbers[name] for name in kept]] = np.arange(len(kept), dtype=np.int32)
    return [
        Example([moved[row][moved[row] >= 0] for row in one.features], one.right)
        for one in examples
    ], kept


def fit_weights(examples: list[Example], count: int) -> NDArray[np.float64]:
    """Return the weights of `count` features."""
    draws = np.random.default_rng(0)
    weights, first, second = np.zeros(count), np.zeros(count), np.zeros(count)
    step = 0
    for epoch in range(_EPOCHS):
        draws.shuffle(examples)
        rate = _RATE * (1 - epoch / _EPOCHS) + 0.001
        for start in range(0, len(examples), _BATCH):
            batch = examples[start : start + _BATCH]
            step += 1
            slope = _slope(batch, weights)
            first = 0.9 * first + 0.1 * slope
            second = 0.999 * second + 0.001 * slope * slope
            moved = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-6)
            weights = weights - rate * moved
            if epoch >= _EPOCHS // 2:
                weights = np.sign(weights) * np.maximum(np.abs(weights) - _SHRINK, 0)
    return weights


def _slope(batch: Sequence[Example], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean slope of the loss of a batch."""
    places, amounts = list[NDArray[np.int32]](), list[NDArray[np.float64]]()
    for features, right in batch:
        scores = np.array([weights[row].sum() for row in features])
        likely = np.exp(scores - scores.max())
        wanted = np.where(right, likely, 0.0)
        difference = likely / likely.sum() - wanted / max(wanted.sum(), 1e-300)
        places += features
        amounts.append(np.repeat(difference, [len(row) for row in features]))
    slope = np.bincount(np.concatenate(places), np.concatenate(amounts), len(weights))
    return slope / len(batch)


def common_words(questions: Sequence[Question]) -> Iterator[str]:
    """Yield the words that questions over many tables have and that are not in these tables."""
    asked, missing = Counter[str](), Counter[str]()
    tables = defaultdict[str, set[str]](set)
    for question in questions:
        known, parsed = table_of(question).vocabulary, TableQuestion(question["question"])
        for at in parsed.content:
            word = parsed.words[at]
            asked[word] += 1
            if parsed.stems[at] not in known:
                missing[word] += 1
                tables[word].add(question["document"])
    for word in sorted(tables):
        often = missing[word] >= _MIN_MISSING * asked[word]
        if often and len(tables[word]) >= _MIN_TABLES and not word[0].isdigit():
            yield word


def main() -> None:
    """Fit the weights, print the accuracy on tables kept out, and write the weights and words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    questions = read_questions(options.questions)
    trained = [q for q in questions if not is_kept_out(q["document"])]
    kept_out = [q for q in questions if is_kept_out(q["document"])]
    examples, names = make_examples(trained)
    values = fit_weights(examples, len(names))
    rounded = {
        name: round(100 * float(value))
        for name, value in zip(names, values, strict=True)
        if abs(value) >= _MIN_WEIGHT
    }
    weights = {name: value / 100 for name, value in rounded.items()}
    right = 0
    for question in kept_out:
        table = table_of(question)
        choice = choose_plan(TableQuestion(question["question"]), table, weights)
        right += choice is not None and is_right(choice.plan, table, question["answers"])
    print(f"kept out: {right} of {len(kept_out)} right")
    written = {"weights": rounded, "common": list(common_words(trained))}
    options.out.write_text(json.dumps(written, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
