"""A bundle is checked without a model: what was changed in it, or in a source, is found."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rag.domain import SavedTurn, Span
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


def _quoted_bundle() -> dict[str, Any]:
    turn = SavedTurn(1, script.QUOTED.question, "now", script.QUOTED)
    value = json.loads(export_conversation("json", "c1", "Pump", [turn]))
    claim = value["turns"][0]["answer"]["claims"][0]
    claim["quoted"] = [claim["citations"][0][name] for name in ("start", "end")]
    assert all(finding.ok for finding in verify_bundle(value, HERE))
    return value


def _no_quotes(answer: dict[str, Any]) -> None:
    answer["claims"][0]["citations"] = []


def _no_markers(answer: dict[str, Any]) -> None:
    answer["claims"][0] |= {"citations": [], "markers": [], "cited": [], "quoted": None}
    answer["answer"] = answer["claims"][0]["text"]


def _a_sentence_more(answer: dict[str, Any]) -> None:
    answer["answer"] += " The pump is made of brass. [1]"


def _a_longer_sentence(answer: dict[str, Any]) -> None:
    _a_sentence_more(answer)
    answer["claims"][0]["end"] = len(answer["answer"])


def _other_answer(answer: dict[str, Any]) -> None:
    answer["answer"] = answer["answer"].replace("six", "ten")


def _other_quotation(answer: dict[str, Any]) -> None:
    _other_answer(answer)
    answer["claims"][0]["text"] = answer["claims"][0]["text"].replace("six", "ten")


def _other_line(answer: dict[str, Any]) -> None:
    answer["claims"][0]["citations"][0]["line"] += 1


@pytest.mark.parametrize(
    "forge",
    [
        _no_quotes,
        _no_markers,
        _a_sentence_more,
        _a_longer_sentence,
        _other_answer,
        _other_quotation,
        _other_line,
    ],
)
def test_what_a_forged_answer_claims_beside_its_quotes_is_found(
    forge: Callable[[dict[str, Any]], None],
) -> None:
    value = _quoted_bundle()
    forge(value["turns"][0]["answer"])
    assert [finding.problem for finding in verify_bundle(value, HERE) if not finding.ok] != []


def test_the_page_of_a_quote_is_that_of_the_source() -> None:
    value = _quoted_bundle()
    half = len(script.PUMP) // 2
    pages = Span(0, half), Span(half, len(script.PUMP))

    def find(document: str, source: str) -> Iterator[SourceText]:
        yield SourceText(script.PUMP, source, pages)

    place = value["turns"][0]["answer"]["claims"][0]["citations"][0]
    passage = value["turns"][0]["answer"]["passages"][0]
    for page in (1, 2):
        place["page"] = page
        begins_on = 1 + (passage["start"] >= half)
        assert verify_bundle(value, find)[0].ok == (page == begins_on)


def test_the_name_under_which_a_quote_was_found_is_told() -> None:
    value = _quoted_bundle()
    value["turns"][0]["answer"]["claims"][0]["citations"][0]["source"] = "official-register.pdf"
    finding = verify_bundle(value, HERE)[0]
    assert (finding.source, finding.found_in) == ("official-register.pdf", "here")


def test_a_number_too_large_for_a_computer_is_none() -> None:
    value = bundle()
    answer = value["turns"][0]["answer"]
    answer["chance"] = answer["claims"][0]["score"] = answer["passages"][0]["score"] = 10**400
    answer["claims"][1]["citations"][0]["line"] = 10**4000
    assert [finding.line for finding in verify_bundle(value, sources())][1] == 0


@pytest.mark.slow
def test_a_bundle_takes_time_in_proportion_to_its_size() -> None:
    """Thousands of sentences over one text of markers, and thousands of quotes and passages."""

    def seconds(count: int) -> float:
        answer: Any = {
            "answer": "[1] " * count,
            "claims": [
                {
                    "markers": [1],
                    "start": 0,
                    "end": 4 * count,
                    "citations": [{"n": n, "start": 0, "end": 1, "quote": "x"}],
                }
                for n in range(count)
            ],
            "passages": [{"n": n, "start": 0, "end": 1, "text": "x"} for n in range(count)],
        }
        started = time.process_time()
        verify_bundle({"turns": [{"answer": answer}]}, sources())
        return time.process_time() - started

    gc.disable()  # its pauses are of what other tests left behind
    try:
        ratios = [seconds(12_000) / seconds(3_000) for _ in range(3)]
    finally:
        gc.enable()
    assert min(ratios) < 8, ratios  # 4 where it is linear, 16 where it is quadratic
