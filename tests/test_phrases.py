"""The words for verdicts and reasons: complete, distinct, and the same on both faces."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import pytest

from rag import domain as d
from rag.cli.output import print_answer
from rag.domain import Reason, Verdict
from rag.phrases import (
    ABSTENTION_PHRASES,
    NOT_ANSWERED,
    VERDICT_PHRASES,
    abstention_phrase,
)
from tui.render.answer_text import abstention, tally
from tui.render.glyphs import UNICODE


@pytest.mark.parametrize(
    "kind, phrases", [(Verdict, VERDICT_PHRASES), (Reason, ABSTENTION_PHRASES)]
)
def test_every_value_has_exactly_one_phrase(
    kind: type[StrEnum], phrases: Mapping[StrEnum, str]
) -> None:
    assert set(phrases) == set(kind)
    assert len(set(phrases.values())) == len(phrases)
    assert all(phrases.values())


def test_an_answer_without_a_reason_was_not_answered() -> None:
    assert abstention_phrase(None) == ABSTENTION_PHRASES[Reason.NOT_ANSWERED]


def _answer(reason: Reason | None, claims: tuple[d.Claim, ...] = ()) -> d.Answer:
    return d.Answer(
        "How many?", "", claims=claims, passages=(), abstained=reason is not None, reason=reason,
        short=None, receipt=d.Receipt(), model=d.Model("reader", "0" * 64), seconds=d.Seconds(),
    )  # fmt: skip


@pytest.mark.parametrize("reason", Reason)
def test_both_faces_give_the_same_reason(
    reason: Reason, capsys: pytest.CaptureFixture[str]
) -> None:
    print_answer(_answer(reason))
    printed = capsys.readouterr().out
    shown = abstention(_answer(reason), UNICODE, 80).plain
    for text in (printed, shown):
        assert NOT_ANSWERED in text and ABSTENTION_PHRASES[reason] in text


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.NEEDS_NONE])
def test_both_faces_give_the_same_verdict(
    verdict: Verdict, capsys: pytest.CaptureFixture[str]
) -> None:
    claim = d.Claim(d.Sentence("It has bolts.", d.Span(0, 13), (), None), (), verdict, 0.5)
    print_answer(_answer(None, (claim,)))
    assert VERDICT_PHRASES[verdict] in capsys.readouterr().out
    assert VERDICT_PHRASES[verdict] in tally((claim,) * 2, UNICODE).plain or (
        verdict is Verdict.SUPPORTED
    )
