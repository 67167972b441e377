"""The fitted numbers of answers from tables (`rag/models/table_question.json`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).parents[2] / "models" / "table_question.json"


@dataclass(frozen=True, slots=True)
class TableModel:
    """The weights of the features of a reading, and the fit of the probability that it answers."""

    weights: Mapping[str, float]
    trust: float  #: weight of the part reader in the choice (`rag.answer.tables.choice`)
    fit: tuple[float, ...]  #: a weight for each of `rag.answer.tables.chance.answer_signals`
    least: float  #: the probability from which a table answers
    common: frozenset[str]  #: words of many questions, which name no thing of a single table


@lru_cache(maxsize=1)
def load_model() -> TableModel:
    """Return the shipped model."""
    numbers = json.loads(_FILE.read_text(encoding="utf-8"))
    weights = {name: value / 100 for name, value in numbers["weights"].items()}
    return TableModel(
        weights,
        numbers["trust"],
        tuple(numbers["fit"]),
        numbers["least"],
        frozenset(numbers["common"]),
    )
