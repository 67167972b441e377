"""Fits how likely the chosen reading of a question over a table answers, and the threshold.

A question is asked of its table, of another table that shares words with it (not if it was
generated: made-up lists are alike), and of its table without the rows that the reading names. Only
the first can be right. The probability is a logistic regression of `answer_signals`. The threshold
is the least at which few of the questions with two tables are answered wrongly.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import Pool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression

from rag.answer.question_terms import read_question
from rag.answer.tables.chance import answer_chance, answer_signals, may_answer
from rag.answer.tables.choice import (
    LITTLE,
    Choice,
    choose_plan,
    in_words,
    ranked_answers,
)
from rag.answer.tables.question import TableQuestion
from rag.answer.tables.rows import Table
from rag.inference.crossencoder import CrossEncoder
from rag.inference.minilm import Tokenizer
from rag.protocols import AnswerLogits
from rag.text import facts
from rag.training.table_data import Question, is_generated, is_right

_MOST_WRONG = 0.08  #: share of the questions that the tables may answer wrongly
_PROCESSES = 2
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


class Choosing(NamedTuple):
    """What a choice is made with: the weights, the part reader and how much it is trusted."""

    weights: Mapping[str, float]
    common: frozenset[str]
    part_reader: Path
    trust: float


class Cases:
    """Makes the cases of questions. `_read` is set in each process of the pool."""

    _read: AnswerLogits

    def __init__(self, questions: Sequence[Question], choosing: Choosing) -> None:
        self._questions, self._choosing = questions, choosing
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

    def open_reader(self) -> None:
        """Open the part reader in this process."""
        self._read = open_reading(self._choosing.part_reader)

    def answers_of(self, number: int) -> list[tuple[float, float, bool]]:
        """The likeliest answers of a question: logarithm of the share, logit, is it right?"""
        question = self._questions[number]
        asked, table = TableQuestion(question.text), question.table
        ranked = ranked_answers(asked, table, self._choosing.weights)
        logits = self._read(asked.question, [in_words(one.plan, table) for one in ranked])
        return [
            (math.log(one.chance + LITTLE), logit, is_right(one.plan, table, question.answers))
            for one, logit in zip(ranked, logits, strict=True)
        ]

    def fit_trust(self) -> float:
        """Return the weight of the logit beside the logarithm of the share.

        It makes the right answers likeliest, by a softmax over the answers of each question.
        """
        with Pool(_PROCESSES, _share, (self,)) as pool:
            found = list(pool.imap(_answers_of, range(len(self._questions)), chunksize=20))
        useful = [answers for answers in found if 0 < sum(a[2] for a in answers) < len(answers)]
        arrays = [np.array(answers, dtype=float) for answers in useful]

        def loss(of: NDArray[np.float64]) -> float:
            return -sum(_log_share(a[:, :2] @ of, a[:, 2] > 0) for a in arrays)

        by_share, by_logit = minimize(loss, np.array([1.0, 0.3]), method="Nelder-Mead").x
        return round(float(by_logit / by_share), 3)

    def of(self, number: int) -> Iterator[Case]:
        """Yield the cases of one question."""
        question = self._questions[number]
        asked = TableQuestion(question.text)
        choice = self._chosen(asked, question.table)
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
                other = self._chosen(asked, table)
                signals = self._signals(asked, table, other)
                yield Case(number, kind, signals, False, question.in_cell)

    def _chosen(self, asked: TableQuestion, table: Table) -> Choice | None:
        weights, trust = self._choosing.weights, self._choosing.trust
        return choose_plan(asked, table, weights, self._read, trust)

    def _signals(
        self, asked: TableQuestion, table: Table, choice: Choice | None
    ) -> tuple[float, ...] | None:
        about = _About(table, table.title)
        if choice is None or not may_answer(asked, about, choice, self._choosing.common):
            return None
        return answer_signals(asked, about, choice, self._choosing.common)

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


def _log_share(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """The logarithm of the share that the right ones have of the softmax."""
    return float(logsumexp(scores[right]) - logsumexp(scores))


def open_reading(part_reader: Path) -> AnswerLogits:
    """Return what reads readings in words, on one thread."""
    model = CrossEncoder(part_reader, Tokenizer().machine, threads=1)
    return lambda question, texts: [one.answers for one in model.read(question, texts)]


_shared: list[Cases] = []  # of a process of the pool


def _share(cases: Cases) -> None:
    cases.open_reader()
    _shared[:] = [cases]


def _answers_of(number: int) -> list[tuple[float, float, bool]]:
    return _shared[0].answers_of(number)


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
