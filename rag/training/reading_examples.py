"""Makes examples for the part reader: a question with a reading of it over a table, in words.

Positive is the likeliest reading with the right answer, negative are the likeliest ones with other
answers (`rag.answer.tables.choice`). The questions are those from which the weights of the choice
were made (`rag.training.table_data`, the part `CHOICE`): WikiTableQuestions and generated lists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from rag.answer.tables.choice import in_words, ranked_answers
from rag.answer.tables.model import load_model
from rag.answer.tables.question import TableQuestion
from rag.training import table_data
from rag.training.examples import Example
from rag.training.part_examples import part_example
from rag.training.table_data import Question, is_right, part_of

_LISTS = 120  # generated lists
_MAX_RANKED = 5000  # answers of a question that are looked at: all
_KEPT = 10  # wrong readings of a question that are known
_WRONG = 3  # wrong readings of a question in an epoch
#: an epoch's wrong readings are drawn with these weights by their rank
_FALLING = 0.75
_PROCESSES = 2
#: a right answer of less of the softmax is mostly right by accident ("5" channels for 5 lost games)
_MIN_CHANCE = 0.02


class _Readings(NamedTuple):
    """The readings of a question in words, the wrong ones likeliest first."""

    question: str
    document: str
    right: str
    wrong: tuple[str, ...]


class ReadingExamples:
    """Draws the examples of an epoch from the questions of a file (`table_data.read_questions`)."""

    def __init__(self, file: Path) -> None:
        questions = [
            *part_of(table_data.read_questions(file), table_data.CHOICE),
            *part_of(table_data.generate(_LISTS), table_data.CHOICE),
        ]
        weights = load_model().weights
        # a fork of a process whose libraries have threads may wait for ever
        with get_context("spawn").Pool(_PROCESSES, _share, (weights, questions)) as pool:
            found = pool.imap(_readings_of, range(len(questions)), chunksize=20)
            self._readings = [readings for readings in found if readings]

    def draw(self, seed: int, count: int) -> list[Example]:
        """The examples of `count` questions."""
        chance = random.Random(seed)
        drawn = chance.sample(self._readings, min(count, len(self._readings)))
        return [example for readings in drawn for example in _examples(readings, chance)]


#: of a process of the pool: the weights of the choice, and the questions
_shared: list[tuple[Mapping[str, float], Sequence[Question]]] = []


def _share(weights: Mapping[str, float], questions: Sequence[Question]) -> None:
    _shared[:] = [(weights, questions)]


def _readings_of(number: int) -> _Readings | None:
    """The readings of a question; None if none or each is right."""
    weights, questions = _shared[0]
    question = questions[number]
    asked, table = TableQuestion(question.text), question.table
    ranked = ranked_answers(asked, table, weights, most=_MAX_RANKED)
    right = [one for one in ranked if is_right(one.plan, table, question.answers)]
    if not right or right[0].chance < _MIN_CHANCE:
        return None
    wrong = [one for one in ranked if one not in right][:_KEPT]
    if not wrong:
        return None
    texts = tuple(in_words(one.plan, table) for one in wrong)
    right_text = in_words(right[0].plan, table)
    return _Readings(question.text, f"wtq:{question.document}", right_text, texts)


def _examples(readings: _Readings, chance: random.Random) -> Iterator[Example]:
    own = (readings.question, "")
    yield part_example(*own, readings.right, True, readings.document, "reading")
    left = list(readings.wrong)
    while left and len(readings.wrong) - len(left) < _WRONG:
        shares = [_FALLING**rank for rank in range(len(left))]
        (text,) = chance.choices(left, shares)
        left.remove(text)
        yield part_example(*own, text, False, readings.document, "reading")
