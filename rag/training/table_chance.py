"""Fits how likely the chosen reading of a question over a table answers, and the threshold.

A question is asked of its table, of another table that shares words with it (not if it was
generated: made-up lists are alike), and of its table without the rows that the reading names. Only
the first can be right. The probability is a logistic regression of `answer_signals`. The threshold
is the least at which few of the questions with two tables are answered wrongly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import Pool
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from rag.answer.question_terms import read_question
from rag.answer.table_chance import answer_chance, answer_signals, may_answer
from rag.answer.table_choice import Choice, choose_plan
from rag.answer.table_question import TableQuestion
from rag.answer.table_rows import Table
from rag.text import facts
from rag.training.table_data import Question, is_generated, is_right

_MOST_WRONG = 0.08  #: share of the questions that the tables may answer wrongly
_PROCESSES = 4
_MIN_ROWS = 3  #: of a table without the named rows


class Case(NamedTuple):
    """One table asked: the signals of the reading, None if there is none that may answer."""

    question: int
    kind: str  #: "own", "near" or "removed"
    signals: tuple[float, ...] | None
    right: bool
    in_cell: bool


class _About(NamedTuple):
    table: Table
    about: str


class Cases:
    """Makes the cases of questions with fitted weights."""

    def __init__(
        self, questions: Sequence[Question], weights: Mapping[str, float], common: frozenset[str]
    ) -> None:
        self._questions, self._weights, self._common = questions, weights, common
        self._tables = {q.document: q.table for q in questions}
        self._with = defaultdict[str, set[str]](set)
        for document, table in self._tables.items():
            for stem in table.vocabulary.union(facts.content_stems(table.title)):
                self._with[stem].add(document)

    def all(self) -> list[Case]:
        """Return the cases of all questions but those that are answered with yes or no."""
        asked = [
            number
            for number, question in enumerate(self._questions)
            if not read_question(question.text).asks_yes_or_no
        ]
        with Pool(_PROCESSES, _share, (self,)) as pool:
            return [case for cases in pool.imap(_cases_of, asked, chunksize=20) for case in cases]

    def of(self, number: int) -> Iterator[Case]:
        """Yield the cases of one question."""
        question = self._questions[number]
        asked = TableQuestion(question.text)
        choice = choose_plan(asked, question.table, self._weights)
        right = choice is not None and is_right(choice.plan, question.table, question.answers)
        signals = self._signals(asked, question.table, choice)
        yield Case(number, "own", signals, right, question.in_cell)
        others = {"near": self._near(question)}
        if choice and choice.plan.chosen.conditions:
            gone = set(choice.plan.chosen.conditions[0].rows)
            rows = [row for at, row in enumerate(question.table.rows) if at not in gone]
            if len(rows) >= _MIN_ROWS:
                others["removed"] = Table(question.table.title, question.table.headers, rows)
        for kind, table in others.items():
            if table is not None:
                other = choose_plan(asked, table, self._weights)
                signals = self._signals(asked, table, other)
                yield Case(number, kind, signals, False, question.in_cell)

    def _signals(
        self, asked: TableQuestion, table: Table, choice: Choice | None
    ) -> tuple[float, ...] | None:
        about = _About(table, table.title)
        if choice is None or not may_answer(asked, about, choice, self._common):
            return None
        return answer_signals(asked, about, choice, self._common)

    def _near(self, question: Question) -> Table | None:
        """The other table that shares most of the rare words of a question; None for a list."""
        if is_generated(question):
            return None
        shared = defaultdict[str, float](float)
        for stem in set(facts.content_stems(question.text)):
            documents = self._with.get(stem, set())
            for document in documents - {question.document}:
                shared[document] += len(documents) ** -0.5
        nearest = max(shared, key=lambda document: (shared[document], document), default=None)
        return self._tables[nearest] if nearest else None


_shared: list[Cases] = []  # of a process of the pool


def _share(cases: Cases) -> None:
    _shared[:] = [cases]


def _cases_of(number: int) -> list[Case]:
    return list(_shared[0].of(number))


def fit_chance(cases: Sequence[Case]) -> tuple[float, ...]:
    """Return the weights of the signals; the first signal is constant."""
    there = [case for case in cases if case.signals is not None]
    x, y = np.array([case.signals for case in there]), np.array([case.right for case in there])
    fitted = LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000).fit(x, y)
    return tuple(round(float(weight), 4) for weight in fitted.coef_[0])


class Outcome(NamedTuple):
    """What is answered at a threshold: shares of the questions with two tables."""

    questions: int
    right: int
    wrong: int
    removed: int  #: cases whose rows were removed
    removed_answered: int


def outcome(cases: Sequence[Case], fit: Sequence[float], least: float) -> Outcome:
    """Return what is answered if the likelier of both tables answers from `least` on."""
    best = dict[int, tuple[float, bool]]()
    removed = answered = 0
    for case in cases:
        chance = answer_chance(case.signals, fit) if case.signals is not None else 0.0
        if case.kind == "removed":
            removed += 1
            answered += chance >= least
        elif case.question not in best or chance > best[case.question][0]:
            best[case.question] = chance, case.right
    right = sum(correct for chance, correct in best.values() if chance >= least)
    wrong = sum(not correct for chance, correct in best.values() if chance >= least)
    return Outcome(len(best), right, wrong, removed, answered)


def fit_threshold(cases: Sequence[Case], fit: Sequence[float]) -> float:
    """Return the least probability from which few answers are wrong, a multiple of a twentieth."""
    tried = [n / 20 for n in range(2, 20)]
    few = [least for least in tried if _wrong_share(cases, fit, least) <= _MOST_WRONG]
    return few[0] if few else tried[-1]


def _wrong_share(cases: Sequence[Case], fit: Sequence[float], least: float) -> float:
    found = outcome(cases, fit, least)
    return found.wrong / max(1, found.questions)
