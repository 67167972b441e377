"""Measures how far a chat model's yes or no can be trusted, and fits the weight that it is given.

The built-in reader judges the passages of each question. Where the best sentence is in doubt
(`rag.answer.juror`), the chat model is asked about it. A logistic regression makes one probability
of the judge's and the opinion; ten-fold cross-validation by question tells what both are worth
together, and the judge alone, as the area under the ROC curve (AUC).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from rag.answer import juror
from rag.answer.chat_writer import ChatWriter
from rag.answer.juror import JurorFit, YesNoModel, ask, in_doubt, log_odds_of
from rag.answer.reader import Reader
from rag.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Generator

    from rag.answer.judge import Judged
    from rag.bot import Bot
    from rag.domain import Passage, Progress
    from rag.eval.cases import Case
    from rag.eval.records import JurorRecord

#: questions in doubt that a fit needs, and sentences of either kind
MIN_QUESTIONS, MIN_OF_EACH = 30, 10
_FOLDS = 10
_STRENGTH = 1.0  # of the regression's weights (scikit-learn's C)


@dataclass(frozen=True, slots=True)
class Heard:
    """A sentence in doubt with the judge's probability and the model's opinion (log-odds)."""

    question: str  #: its id
    sentence: str
    chance: float
    opinion: float


def hear(
    key: str, question: str, passages: Sequence[Passage], reader: Reader, chat: YesNoModel
) -> list[Heard]:
    """What the model says of the sentences in doubt of one question; [] if there are none.

    Raises what the model raises.
    """
    heard = list[Heard]()

    def opinion(asked: str, judged: Sequence[Judged]) -> Generator[Progress, None, list[Judged]]:
        for one in in_doubt(judged):
            odds = yield from ask(chat, asked, one, lambda: False)
            if odds is not None:
                heard.append(Heard(key, one.reading.sentence, one.chance, odds))
        return list(judged)

    for _ in reader.with_opinion(opinion).write(question, passages, ()):
        pass
    return heard


def has_answer(text: str, answers: Sequence[str]) -> bool:
    """Does the text have one of the answers as whole words?"""
    folded = " ".join(text.split()).lower()
    patterns = (re.escape(" ".join(answer.split()).lower()) for answer in answers if answer.strip())
    return any(re.search(rf"(?<!\w){pattern}(?!\w)", folded) for pattern in patterns)


def fit_juror(heard: Sequence[Heard], right: Sequence[bool]) -> JurorFit:
    """The fit to sentences, of which `right` says whether each answers its question.

    Raises `Usage` if there are too few.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold

    questions = [one.question for one in heard]
    count, wrong = len(set(questions)), len(right) - sum(right)
    if count < MIN_QUESTIONS or min(sum(right), wrong) < MIN_OF_EACH:
        raise Usage(
            f"too few questions are in doubt: {count}, with {sum(right)} right and {wrong} other "
            f"sentences ({MIN_QUESTIONS} and {MIN_OF_EACH} of each are needed)",
            "add questions that the reader finds hard, with and without an answer",
        )
    signals = np.array([(log_odds_of(one.chance), one.opinion) for one in heard])
    truth = np.array(right)
    new = partial(LogisticRegression, C=_STRENGTH)
    scores = np.zeros(len(truth))
    for train, test in GroupKFold(_FOLDS).split(signals, truth, questions):
        scores[test] = new().fit(signals[train], truth[train]).decision_function(signals[test])
    fitted = new().fit(signals, truth)
    return JurorFit(
        constant=round(float(fitted.intercept_[0]), 5),
        judge=round(float(fitted.coef_[0][0]), 5),
        juror=round(float(fitted.coef_[0][1]), 5),
        auc=round(float(roc_auc_score(truth, scores)), 4),
        auc_alone=round(float(roc_auc_score(truth, signals[:, 0])), 4),
        questions=count,
    )


def calibrate_juror(bot: Bot, cases: Sequence[Case], say: Callable[[str], None]) -> JurorRecord:
    """Fit the opinion of the bot's chat model to questions over its library, and keep the fit.

    It is kept in the home, for the file of the model. Questions with an answer and without
    `answers` are left out. Raises `Usage` if a server has the model, or if too few are in doubt.
    """
    writer = bot.machines.writer()
    if not (isinstance(writer, ChatWriter) and isinstance(writer.chat, YesNoModel)):
        raise Usage(
            f"{writer.model.name} cannot be asked how likely its words are",
            "choose a model file: footnote models",
        )
    reader, heard, right = writer.reader, list[Heard](), list[bool]()
    assert isinstance(reader, Reader)
    asked = [case for case in cases if case.answers or not case.answerable]
    for number, case in enumerate(asked, 1):
        passages = bot.search(case.question, bot.config.passages)
        for one in hear(case.id, case.question, passages, reader, writer.chat):
            heard.append(one)
            right.append(case.answerable and has_answer(one.sentence, case.answers))
        say(f"{number} of {len(asked)} questions\r")
    fit = fit_juror(heard, right)
    juror.keep_fit(bot.config.home, writer.model.sha256, fit)
    return {
        "model": writer.model.name,
        "sha256": writer.model.sha256,
        "asked": fit.helps,
        "says": fit.says,
        "fit": asdict(fit),
    }


def reset_juror(bot: Bot) -> bool:
    """Remove the own fit of the bot's chat model from the home. True if there was one."""
    sha256 = bot.machines.writer().model.sha256
    was_fitted = sha256 in juror.own_fits(bot.config.home)
    if was_fitted:
        juror.keep_fit(bot.config.home, sha256, None)
    return was_fitted
