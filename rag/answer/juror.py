"""Asks a chat model, by yes or no, whether a sentence that the reader is unsure of is the answer.

The judge (`rag.answer.judge`) gives each sentence a probability. If the best one is in doubt, the
chat model reads the likeliest sentences, each with what stands around it, and is asked whether it
answers. Nothing is written: its opinion is the natural logarithm of how much likelier it goes on
with yes than with no. A logistic regression, fitted for this very model (`rag.eval.fit_juror`),
makes one probability of both. A model whose opinion does not help is not asked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from rag.answer.judge import Judged
from rag.answer.prompt import PromptModel, build_opinion_prompt
from rag.disk import regular_files
from rag.disk.atomic_files import replace_file
from rag.domain import ModelFailure, Progress
from rag.errors import LibraryBroken, ModelBroken, ModelEnded, Unreadable

Stop = Callable[[], bool]

#: the probabilities between which the best sentence is in doubt
DOUBT = 0.10, 0.60
_MAX_ASKED = 2  # sentences of a question
#: by how much the AUC must grow before a model is asked
MIN_GAIN = 0.02
_LEAST = 0.05  # probability of a sentence that is asked about
YES = ("Yes", "yes")
NO = ("No", "no")


@runtime_checkable
class YesNoModel(PromptModel, Protocol):
    """A chat model that tells how likely the next words are.

    `read` is that of `rag.answer.chat_writer.Chat`. `log_odds` compares two sets of words as the
    next one after the prompt that was read last. Both may raise `ModelBroken` or `ModelEnded`.
    """

    def read(self, prompt: Sequence[int], stop: Stop) -> Iterator[int]: ...

    def log_odds(self, words: Sequence[str], others: Sequence[str]) -> float: ...


@dataclass(frozen=True, slots=True)
class JurorFit:
    """The regression for one model: log-odds = constant + judge * judge's + juror * opinion.

    `auc` tells right sentences from others, in doubt, with the opinion; `auc_alone` without it;
    both on questions that the fit did not see. `questions` is their number.
    """

    constant: float
    judge: float
    juror: float
    auc: float
    auc_alone: float
    questions: int

    @property
    def helps(self) -> bool:
        """Is the opinion worth its time?"""
        return self.juror > 0 and self.auc - self.auc_alone >= MIN_GAIN

    @property
    def says(self) -> str:
        """What the opinion is worth, in words."""
        used = "it is asked" if self.helps else "it is not asked"
        return (
            f"tells right sentences from others with an AUC of {self.auc:.2f} beside the judge, "
            f"{self.auc_alone:.2f} without it ({self.questions} questions in doubt): {used}"
        )

    def chance(self, chance: float, opinion: float) -> float:
        """The probability that the sentence answers, 0..1."""
        total = self.constant + self.judge * log_odds_of(chance) + self.juror * opinion
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def log_odds_of(chance: float) -> float:
    """The natural logarithm of the odds of a probability, which is kept off 0 and 1."""
    bounded = max(1e-4, min(1 - 1e-4, chance))
    return math.log(bounded / (1 - bounded))


@lru_cache(maxsize=1)
def shipped_fits() -> dict[str, JurorFit]:
    """The fits that come with the program, by the SHA-256 of the model's file."""
    path = Path(__file__).parent.parent / "models" / "jurors.json"
    return {sha256: JurorFit(**fit) for sha256, fit in json.loads(path.read_text("utf-8")).items()}


def fit_of(home: str, sha256: str) -> JurorFit | None:
    """The fit for a model: that of `footnote calibrate` in `home`, else the shipped one.

    Raises `LibraryBroken` if the file in the home is damaged.
    """
    return own_fits(home).get(sha256) or shipped_fits().get(sha256)


def own_fits(home: str) -> dict[str, JurorFit]:
    """The fits in `home`, by the SHA-256 of the model's file. Raises `LibraryBroken`."""
    path = _own_file(home)
    if not path.is_file():
        return {}
    try:
        text = regular_files.read_text_file(path, regular_files.MAX_SETTINGS_BYTES)
        fits = {str(key): JurorFit(**fit) for key, fit in json.loads(text).items()}
        for fit in fits.values():
            if not all(isinstance(value, int | float) for value in asdict(fit).values()):
                raise ValueError("it holds no numbers")
    except (Unreadable, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise LibraryBroken(f"{path} cannot be read: {error}", f"remove {path}") from error
    return fits


def keep_fit(home: str, sha256: str, fit: JurorFit | None) -> None:
    """Write the fit for a model to `home`, or remove it. Raises `OSError`, `LibraryBroken`."""
    fits = {key: value for key, value in own_fits(home).items() if key != sha256}
    fits |= {sha256: fit} if fit else {}
    text = json.dumps({key: asdict(value) for key, value in fits.items()}, indent=1)
    replace_file(_own_file(home), text + "\n")


def _own_file(home: str) -> Path:
    return Path(home) / "models" / "jurors.json"


def in_doubt(judged: Sequence[Judged]) -> list[Judged]:
    """The sentences that a juror is asked about, of those that `judged` has best first."""
    if not judged or not DOUBT[0] <= judged[0].chance <= DOUBT[1]:
        return []
    likely = [one for one in judged if one.chance >= _LEAST and not one.ruled_out]
    return likely[:_MAX_ASKED]


class Juror:
    """A chat model that is asked for yes or no, with the fit of what its opinion is worth."""

    def __init__(self, chat: YesNoModel, name: str, fit: JurorFit) -> None:
        self._chat, self._name, self._fit = chat, name, fit

    def opinion(
        self, question: str, judged: Sequence[Judged], stop: Stop
    ) -> Generator[Progress | ModelFailure, None, list[Judged]]:
        """Yield progress; return `judged` with the probabilities of both, likeliest first.

        Without an opinion (stopped, or the model failed, which is yielded) they stay as they are.
        """
        heard = list(judged)
        try:
            for one in in_doubt(judged):
                odds = yield from ask(self._chat, question, one, stop)
                if odds is None:
                    return list(judged)
                chance = self._fit.chance(one.chance, odds)
                heard[heard.index(one)] = replace(
                    one, chance=chance, reading=replace(one.reading, chance=chance), opinion=odds
                )
        except (ModelBroken, ModelEnded) as error:
            yield ModelFailure(self._name, str(error), error.cure, False)
            return list(judged)
        return sorted(heard, key=lambda one: -one.chance)


def ask(
    chat: YesNoModel, question: str, judged: Judged, stop: Stop
) -> Generator[Progress, None, float | None]:
    """Yield progress, and return the model's opinion; None if it was stopped or does not fit."""
    ids = build_opinion_prompt(question, judged.reading, chat)
    if len(ids) >= chat.size:
        return None
    for tokens_read in chat.read(ids, stop):
        yield Progress(tokens_read, len(ids))
    return None if stop() else chat.log_odds(YES, NO)
