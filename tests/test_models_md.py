"""models.md tells people what rag/inference/weights.py tells the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.inference.weights import CATALOGUE, Weights

PAGE = (Path(__file__).resolve().parent.parent / "models.md").read_text(encoding="utf-8")


def _row(name: str) -> str:
    """The line of the table that is about `name`."""
    rows = [
        line for line in PAGE.splitlines() if re.match(rf"\|\s*`?{re.escape(name)}`?\s*\|", line)
    ]
    assert len(rows) == 1, f"models.md has {len(rows)} rows for {name}"
    return rows[0]


@pytest.mark.parametrize("weights", CATALOGUE, ids=lambda w: w.name)
def test_every_file_of_the_catalogue_is_told(weights: Weights) -> None:
    cells = [cell.strip(" `") for cell in _row(weights.name).strip("|").split("|")]
    sizes = {
        int(re.sub(r"[,_ \u202f\u00a0]", "", c))
        for c in cells
        if re.fullmatch(r"[\d,_ \u202f\u00a0]+", c)
    }
    assert weights.sha256 in cells
    assert weights.size in sizes
    assert weights.licence in cells
    assert weights.role in cells
    assert any(weights.origin in c for c in cells)


def test_models_md_tells_of_no_other_file() -> None:
    assert set(re.findall(r"\b[0-9a-f]{64}\b", PAGE)) == {w.sha256 for w in CATALOGUE}
    assert all(len(w.sha256) == 64 and w.size > 0 for w in CATALOGUE)
    assert len({w.name for w in CATALOGUE}) == len(CATALOGUE)
