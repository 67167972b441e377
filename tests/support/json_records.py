"""JSON objects of an evaluation that have only the fields that a test is about, as their types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from rag.eval.records import CaseRecord, PlaceLine, Run


def case_record(fields: Mapping[str, object]) -> CaseRecord:
    """A case of a run."""
    return cast(CaseRecord, fields)


def run_record(fields: Mapping[str, object]) -> Run:
    """The object of a run file."""
    return cast(Run, fields)


def place_line(fields: Mapping[str, object]) -> PlaceLine:
    """A place of a drafted question."""
    return cast(PlaceLine, fields)
