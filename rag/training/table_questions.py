"""Fit the choice among the readings of a question over a table, and when a table answers.

    python -m rag.training.table_questions QUESTIONS OUT

QUESTIONS is read by `rag.training.table_data`; generated questions over lists are added to each
part. The parts are of documents apart: the weights of the choice, the probability that the chosen
reading answers, its threshold, and the tables kept out of all fitting, on which the figures that
are printed were counted.

The loss of the choice is that of the softmax over all readings of a question, summed over those
with the right answer. Weights are moved by Adam and drawn towards zero; those that are nearly zero
are left out.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag.answer.tables.features import PlanFeatures
from rag.answer.tables.plans import make_plans
from rag.answer.tables.question import TableQuestion
from rag.inference.weights import verified_part_reader_file
from rag.training import table_data
from rag.training.table_chance import (
    Case,
    Cases,
    Choosing,
    fit_chance,
    fit_threshold,
    outcome,
)
from rag.training.table_data import Question, is_generated, is_right, part_of

_MIN_QUESTIONS = 4  # with a feature that is kept
_PROCESSES = 4
_MAX_READINGS = 250  # of a question that are compared while fitting, besides those that are right
_EPOCHS, _BATCH, _RATE = 10, 100, 0.03
#: what a step draws a weight towards zero by, in the last epochs; weights below it are left out
_SHRINK, _MIN_WEIGHT = 0.0025, 0.06
#: tables in which a common word must be missing, and the share of its questions
_MIN_TABLES, _MIN_MISSING = 3, 0.25
_CONFIDENCE = 1.96  #: of the intervals that are printed, in standard deviations


class Example(NamedTuple):
    """The readings of one question: numbers of their features, how many each has, who is right."""

    features: NDArray[np.int32]
    counts: NDArray[np.int64]
    right: NDArray[np.bool_]


class _Read(NamedTuple):
    """The readings of one question: the names of their features, each once, and who has which."""

    names: list[str]
    features: NDArray[np.int32]  #: places in `names`
    counts: NDArray[np.int64]
    right: NDArray[np.bool_]


def _read(question: Question) -> _Read | None:
    """The readings of a question with a right one: all that are right and some of the others."""
    table, asked = question.table, TableQuestion(question.text)
    plans = make_plans(asked, table)
    right = [is_right(plan, table, question.answers) for plan in plans]
    if not any(right):
        return None
    of = PlanFeatures(asked, table, plans).of
    kept = list(range(len(plans)))
    if len(plans) > _MAX_READINGS:
        draws = random.Random(question.text)
        some = set(draws.sample(kept, _MAX_READINGS))
        kept = [at for at in kept if right[at] or at in some]
    known, features, counts = dict[str, int](), list[int](), list[int]()
    for at in kept:
        names = of(plans[at])
        features += [known.setdefault(name, len(known)) for name in names]
        counts.append(len(names))
    return _Read(
        list(known),
        np.array(features, np.int32),
        np.array(counts),
        np.array([right[at] for at in kept]),
    )


def make_examples(questions: Sequence[Question]) -> tuple[list[Example], list[str]]:
    """Return the examples with a right reading, and the names of the features."""
    numbers, uses = dict[str, int](), Counter[int]()
    examples = list[Example]()
    with Pool(_PROCESSES) as pool:
        for read in pool.imap(_read, questions, chunksize=20):
            if read is None:
                continue
            own = np.array([numbers.setdefault(n, len(numbers)) for n in read.names], np.int32)
            uses.update(own.tolist())
            examples.append(Example(own[read.features], read.counts, read.right))
    kept = [name for name, number in numbers.items() if uses[number] >= _MIN_QUESTIONS]
    moved = np.full(len(numbers), -1, np.int32)
    moved[[numbers[name] for name in kept]] = np.arange(len(kept), dtype=np.int32)
    return [_with_numbers(example, moved) for example in examples], kept


def _with_numbers(example: Example, moved: NDArray[np.int32]) -> Example:
    """An example with other numbers of its features; those of -1 are left out."""
    features = moved[example.features]
    owner = np.repeat(np.arange(len(example.counts)), example.counts)
    counts = np.bincount(owner[features >= 0], minlength=len(example.counts))
    return Example(features[features >= 0], counts, example.right)


def fit_weights(examples: list[Example], count: int) -> NDArray[np.float64]:
    """Return the weights of `count` features."""
    draws = random.Random(0)
    weights, first, second = np.zeros(count), np.zeros(count), np.zeros(count)
    step = 0
    for epoch in range(_EPOCHS):
        draws.shuffle(examples)
        rate = _RATE * (1 - epoch / _EPOCHS) + 0.001
        for start in range(0, len(examples), _BATCH):
            step += 1
            slope = _slope(examples[start : start + _BATCH], weights)
            first = 0.9 * first + 0.1 * slope
            second = 0.999 * second + 0.001 * slope * slope
            moved = first / (1 - 0.9**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-6)
            weights = weights - rate * moved
            if epoch >= _EPOCHS // 2:
                weights = np.sign(weights) * np.maximum(np.abs(weights) - _SHRINK, 0)
    return weights


def _slope(batch: Sequence[Example], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean slope of the loss of a batch."""
    amounts = list[NDArray[np.float64]]()
    for features, counts, right in batch:
        owner = np.repeat(np.arange(len(counts)), counts)
        scores = np.bincount(owner, weights[features], len(counts))
        likely = np.exp(scores - scores.max())
        wanted = np.where(right, likely, 0.0)
        difference = likely / likely.sum() - wanted / max(wanted.sum(), 1e-300)
        amounts.append(np.repeat(difference, counts))
    places = np.concatenate([example.features for example in batch])
    return np.bincount(places, np.concatenate(amounts), len(weights)) / len(batch)


def common_words(questions: Sequence[Question]) -> Iterator[str]:
    """Yield the words that questions over many tables have and that are not in these tables."""
    asked, missing = Counter[str](), Counter[str]()
    tables = defaultdict[str, set[str]](set)
    for question in questions:
        known, parsed = question.table.vocabulary, TableQuestion(question.text)
        for at in parsed.content:
            word = parsed.words[at]
            asked[word] += 1
            if parsed.stems[at] not in known:
                missing[word] += 1
                tables[word].add(question.document)
    for word in sorted(tables):
        often = missing[word] >= _MIN_MISSING * asked[word]
        if often and len(tables[word]) >= _MIN_TABLES and not word[0].isdigit():
            yield word


def interval(count: int, total: int) -> str:
    """Return a share with its interval of 95 % by Wilson: "0.41 (0.37 to 0.45)"."""
    share, z = count / max(1, total), _CONFIDENCE
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    middle, scale = share + z * z / (2 * total), 1 + z * z / total
    low, high = (middle - spread) / scale, (middle + spread) / scale
    return f"{share:.2f} ({low:.2f} to {high:.2f})"


def report(name: str, cases: Sequence[Case], fit: Sequence[float], least: float) -> None:
    """Print the figures of questions kept out."""
    own = [case for case in cases if case.kind == "own"]
    found = outcome(cases, fit, least)
    count = found.questions
    print(f"{name}: n {count}, tables kept out of all fitting, 95 % intervals")
    print(f"  the reading that is chosen is right: {interval(sum(c.right for c in own), len(own))}")
    print(f"  from {least} on, with a near table: right {interval(found.right, count)},", end="")
    print(f" wrong {interval(found.wrong, count)}")
    if found.removed:
        answered = interval(found.removed_answered, found.removed)
        print(f"  answered although the named rows are gone: {answered}, n {found.removed}")


def fit_choice(trained: Sequence[Question]) -> tuple[dict[str, int], list[str]]:
    """Return the weights of the features in hundredths, and the common words."""
    examples, names = make_examples(trained)
    print(f"choice: {len(trained)} questions, {len(examples)} with a right reading", flush=True)
    rounded = {
        name: round(100 * float(value))
        for name, value in zip(names, fit_weights(examples, len(names)), strict=True)
        if abs(value) >= _MIN_WEIGHT
    }
    common = list(common_words(trained))
    print(f"{len(rounded)} weights, {len(common)} common words", flush=True)
    return rounded, common


def fit_answers(
    questions: Sequence[Question], choosing: Choosing
) -> tuple[Choosing, tuple[float, ...], float]:
    """Return the choice with its trust in the part reader, the probability's fit, the threshold."""
    choosing = choosing._replace(trust=Cases(questions, choosing).fit_trust())
    cases = Cases(questions, choosing).all()
    fit = fit_chance(cases)
    of_cells = [c for c in cases if c.in_cell and not is_generated(questions[c.question])]
    least = fit_threshold(of_cells, fit)
    for tried in (0.3, 0.4, 0.5, 0.6, 0.7):
        print(f"{tried}: {outcome(cases, fit, tried)}")
    print(f"trust {choosing.trust}, fit {fit}, threshold {least}", flush=True)
    return choosing, fit, least


def main() -> None:
    """Fit all parts, write them, and print the figures on the tables kept out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, default=100_000, help="questions of the choice")
    parser.add_argument("--cases", type=int, default=800, help="questions of each other part")
    parser.add_argument("--lists", type=int, default=300, help="generated lists")
    parser.add_argument("--choice", type=Path, help="a file to take the weights of the choice from")
    options = parser.parse_args()
    draws, read = random.Random(0), table_data.read_questions(options.questions)
    generated = table_data.generate(options.lists)

    def part(documents: range, most: int, own: bool = True) -> list[Question]:
        chosen = part_of(read, documents)
        draws.shuffle(chosen)
        return chosen[:most] + (part_of(generated, documents) if own else [])

    trained = part(table_data.CHOICE, options.most)
    if options.choice:
        numbers = json.loads(options.choice.read_text())
        rounded, common = numbers["weights"], numbers["common"]
    else:
        rounded, common = fit_choice(trained)
    weights = {name: value / 100 for name, value in rounded.items()}
    choosing = Choosing(weights, frozenset(common), verified_part_reader_file(), 0.0)
    choosing, fit, least = fit_answers(part(table_data.CHANCE, options.cases), choosing)
    written = {"weights": rounded, "trust": choosing.trust, "fit": fit, "least": least}
    text = json.dumps(written | {"common": common}, ensure_ascii=False, separators=(",", ":"))
    options.out.write_text(text)
    found = Cases(part(table_data.KEPT_OUT, options.cases, own=False), choosing).all()
    report("questions read", found, fit, least)
    report("of these, the answer is a cell", [c for c in found if c.in_cell], fit, least)
    lists = Cases(part_of(generated, table_data.KEPT_OUT), choosing).all()
    report("generated lists", lists, fit, least)


if __name__ == "__main__":
    main()
