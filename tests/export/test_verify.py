"""A bundle is checked without a model: what was changed in it, or in a source, is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rag.domain import SavedTurn
from rag.export.bundle import export_conversation
from rag.export.verify import FindTexts, InSource, SourceText, verify_bundle
from tests.tui import scripted as script

Change = Callable[[dict[str, Any]], None]


def bundle() -> dict[str, Any]:
    turn = SavedTurn(1, script.MIXED.question, "now", script.MIXED)
    return json.loads(export_conversation("json", "c1", "Pump", [turn]))


def sources(*texts: str) -> FindTexts:
    def find(document: str, source: str) -> Iterator[SourceText]:
        for text in texts:
            yield SourceText(text, "here")

    return find


HERE = sources(script.PUMP, script.TORQUE)


def test_every_footnote_of_an_untouched_bundle_holds() -> None:
    findings = verify_bundle(bundle(), HERE)
    assert [(f.claim, f.n) for f in findings] == [(1, 1), (2, 3), (3, 2)]
    assert all(f.ok and f.in_passage and f.in_source is InSource.HOLDS for f in findings)


def test_without_a_source_at_hand_the_passages_are_checked() -> None:
    findings = verify_bundle(bundle(), sources())
    assert all(f.ok and f.in_source is InSource.NOT_AT_HAND for f in findings)


def _citation(value: dict[str, Any]) -> dict[str, Any]:
    found = value["turns"][0]["answer"]["claims"][0]["citations"][0]
    assert isinstance(found, dict)
    return found


def _other_words(value: dict[str, Any]) -> None:
    _citation(value)["quote"] = "The cover is fixed with nine bolts M8×25."


def _empty(value: dict[str, Any]) -> None:
    _citation(value)["quote"] = ""


def _other_place(value: dict[str, Any]) -> None:
    _citation(value)["start"] += 1


def _other_passage(value: dict[str, Any]) -> None:
    _citation(value)["n"] = 3


def _no_passages(value: dict[str, Any]) -> None:
    value["turns"][0]["answer"]["passages"] = []


def _forged_passage(value: dict[str, Any]) -> None:
    _other_words(value)
    passage = value["turns"][0]["answer"]["passages"][0]
    passage["text"] = passage["text"].replace("six", "nine")
    citation = _citation(value)
    citation["end"] = citation["start"] + len(citation["quote"])


@pytest.mark.parametrize(
    ("change", "in_passage", "in_source"),
    [
        (_other_words, False, InSource.MISSING),
        (_empty, False, InSource.MISSING),
        (_other_place, False, InSource.MISSING),
        (_other_passage, False, InSource.HOLDS),
        (_no_passages, False, InSource.HOLDS),
        (_forged_passage, True, InSource.MISSING),
    ],
)
def test_what_was_changed_in_a_bundle_is_found(
    change: Change, in_passage: bool, in_source: InSource
) -> None:
    value = bundle()
    change(value)
    finding = verify_bundle(value, HERE)[0]
    assert (finding.in_passage, finding.in_source, finding.ok) == (in_passage, in_source, False)


def test_a_source_that_has_changed_since_is_searched_for_the_words() -> None:
    moved = verify_bundle(bundle(), sources("A new line.\n" + script.PUMP, script.TORQUE))
    assert [f.in_source for f in moved] == [InSource.ELSEWHERE, InSource.HOLDS, InSource.ELSEWHERE]
    assert all(f.ok for f in moved)
    gone = verify_bundle(bundle(), sources("Nothing of it is left."))
    assert all(f.in_source is InSource.MISSING and not f.ok for f in gone)


@pytest.mark.parametrize("turns", [None, 7, [], [None], [{}], [{"answer": []}], [{"answer": {}}]])
def test_a_bundle_of_any_shape_is_checked(turns: object) -> None:
    assert verify_bundle({**bundle(), "turns": turns}, HERE) == []  # type: ignore[dict-item]
