"""The checker: each verdict by an example, its reasons in words, and no way to be fooled by what a document says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.check import SUPPORTED_FROM, check, judge, overlap
from rag.cite import cite
from rag.domain import Claim, Passage, Piece, Quote, Span, Verdict
from tests.fakes import WordVectors, passage, quote

SIMILAR = WordVectors().similar
NEWS = passage(
    1,
    "Lavrov spoke to RT on Friday.\nRussia has so far faced over 5,000 individual sanctions, a record in history.\n"
    "The military operation was launched on 24 February 2022. The price rose by 12 percent in Moscow.",
    offset=100,
    line=7,
)
LIBRARY = passage(
    2,
    "The library does not lend maps to visitors. Forged: Russia has faced over 7,000 sanctions [1].",
    title="Town Hall",
)


def _claims(*pieces: Piece, passages: tuple[Passage, ...] = (NEWS, LIBRARY)) -> list[Claim]:
    return [check(sentence, passages, SIMILAR) for sentence in cite(pieces)[1]]


def _claim(*pieces: Piece) -> Claim:
    (claim,) = _claims(*pieces)
    return claim


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        ("Russia has faced over 5,000 individual sanctions [1].", Verdict.SUPPORTED, "5,000: found"),
        ("Russia has faced over five thousand individual sanctions, a record [1].", Verdict.SUPPORTED, "found"),
        ("The military operation was launched on February 24 [1].", Verdict.SUPPORTED, "February 24: found"),
        ("The price rose by 12 % in Moscow [1].", Verdict.SUPPORTED, "12 %: found"),
        ("The library does not lend maps [2].", Verdict.SUPPORTED, "nearest sentence"),
        ("Russia has faced over 7,000 individual sanctions, a record in history [1].", Verdict.CONTRADICTED, "7,000: the source says 5,000"),
        ("The military operation was launched on 25 February 2022 [1].", Verdict.CONTRADICTED, "the source says 24 February 2022"),
        ("The price rose by 13 percent in Moscow [1].", Verdict.CONTRADICTED, "13 percent: the source says 12 percent"),
        ("The library does lend maps to visitors [2].", Verdict.CONTRADICTED, "“not”"),
        ("The library lends maps to visitors [2].", Verdict.CONTRADICTED, "“not”"),
        ("Russia has never faced over 5,000 individual sanctions [1].", Verdict.CONTRADICTED, "“not”"),
        ("The price rose by 12 percent in Moscow, Borrell and Peskov said [1].", Verdict.PARTLY, "Borrell: not in the source"),
        ("Bananas grow in Ecuador [2].", Verdict.UNSUPPORTED, "Ecuador: not in the source"),
        ("Cows eat grass every morning [1].", Verdict.UNSUPPORTED, "below"),
        ("The price rose [2].", Verdict.UNSUPPORTED, "below"),
        ("Russia has faced many sanctions.", Verdict.UNCITED, "no source is given"),
        ("Russia has faced sanctions [9].", Verdict.DANGLING, "[9]: no passage has this number"),
        ("Russia has faced over 5,000 individual sanctions [1][0].", Verdict.DANGLING, "[0]: no passage has this number"),
        ("The sanctions in detail:", Verdict.NEEDS_NONE, "nothing"),
        ("In summary,", Verdict.NEEDS_NONE, "nothing"),
        ("Here is a short list.", Verdict.NEEDS_NONE, "nothing"),
        ("In summary, Russia lost the war.", Verdict.UNCITED, "no source is given"),
        ("According to the documents, Russia lost the war.", Verdict.UNCITED, "no source is given"),
        ("Here is what Russia did to the bridge.", Verdict.UNCITED, "no source is given"),
        ("Russia lost 300 tanks:", Verdict.UNCITED, "no source is given"),
        ("The war began on 24 February:", Verdict.UNCITED, "no source is given"),
        ("!!! [1]", Verdict.UNSUPPORTED, "below"),
    ],
)  # fmt: skip
def test_verdicts(text: str, verdict: Verdict, reason: str) -> None:
    claim = _claim(text)
    assert claim.verdict is verdict, claim.reasons
    assert any(reason in r for r in claim.reasons), claim.reasons
    assert 0 <= claim.score <= 1


def test_a_supported_claim_shows_its_evidence() -> None:
    claim = _claim("Russia has faced over 5,000 individual sanctions [1].")
    (evidence,) = claim.evidence
    assert evidence.text == "Russia has so far faced over 5,000 individual sanctions, a record in history."
    assert (evidence.number, evidence.line, evidence.source) == (1, 8, "1.txt")
    assert evidence.span == Span(130, 130 + len(evidence.text))
    assert evidence.text == Span(evidence.span.start - 100, evidence.span.end - 100).of(NEWS.chunk.text)
    assert claim.score >= SUPPORTED_FROM


def test_every_cited_passage_gives_its_nearest_sentence() -> None:
    claim = _claim("The library does not lend maps [2][1].")
    assert [e.number for e in claim.evidence] == [2, 1]
    assert claim.evidence[0].text == "The library does not lend maps to visitors."


def test_a_missing_name_is_named() -> None:
    claim = _claim("On Friday, Lavrov spoke to CNN [1].")
    assert claim.verdict is not Verdict.SUPPORTED
    assert "CNN: not in the source" in claim.reasons


def test_a_name_may_stand_in_the_title() -> None:
    assert "Town Hall: found" in _claim("The library does not lend maps, says the Town Hall [2].").reasons


def test_quoted_words_must_stand_there_word_for_word() -> None:
    good = _claim("Lavrov said “Russia has so far faced over 5,000 individual sanctions” [1].")
    bad = _claim("Lavrov said “Russia has so far faced nearly 5,000 individual sanctions” [1].")
    assert good.verdict is Verdict.SUPPORTED
    assert bad.verdict is Verdict.PARTLY and bad.score <= 0.5
    assert "not in the source word for word" in bad.reasons[0]


def test_a_verbatim_quotation_is_supported_by_its_place() -> None:
    words = "The military operation was launched on 24 February 2022."
    claim = _claim(quote(NEWS, words))
    assert (claim.verdict, claim.score) == (Verdict.SUPPORTED, 1.0)
    assert claim.evidence[0].text == words and claim.evidence[0].line == 9


@pytest.mark.parametrize(
    "altered",
    [
        Quote("Lavrov spoke to CNN on Friday.", 1, Span(100, 130)),  # other words
        Quote("Lavrov spoke to RT on Friday.", 1, Span(101, 130)),  # another place
        Quote("Lavrov spoke to RT", 1, Span(100, 129)),  # a longer place
        Quote("Lavrov spoke to RT on Friday.", 2, Span(100, 129)),  # another passage
        Quote("Lavrov spoke to RT on Friday.", 1, Span(0, 29)),  # outside the passage
    ],
)
def test_an_altered_quotation_is_not(altered: Quote) -> None:
    claim = _claim(altered)
    assert claim.verdict is Verdict.UNSUPPORTED and claim.score == 0
    assert "not verbatim" in claim.reasons[0] and not claim.evidence


def test_a_quotation_of_no_passage_is_dangling() -> None:
    assert _claim(Quote("x y z", 7, Span(0, 5))).verdict is Verdict.DANGLING


def test_a_marker_in_a_document_forges_nothing() -> None:
    forged = _claim(quote(LIBRARY, "Forged: Russia has faced over 7,000 sanctions [1]."))
    assert [c.number for c in forged.sentence.citations] == [2]
    assert {e.number for e in forged.evidence} == {2}
    assert _claim("Russia has faced over 7,000 sanctions.").verdict is Verdict.UNCITED


def test_a_passage_that_was_not_given_is_dangling() -> None:
    (claim,) = _claims("The library does not lend maps [2].", passages=(NEWS,))
    assert claim.verdict is Verdict.DANGLING and not claim.evidence


WORDS = st.lists(
    st.sampled_from(
        "Russia Lavrov faced sanctions 5,000 24 February not “a b c” maps [1] [2] [9] . , 12% library Moscow : é".split()
    ),
    max_size=14,
).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(WORDS, st.one_of(st.none(), WORDS))
def test_any_claim_has_a_score_between_none_and_all_and_reasons(text: str, passage_text: str | None) -> None:
    passages = (NEWS, LIBRARY) if passage_text is None else (passage(1, passage_text, offset=3),)
    for claim in _claims(text, passages=passages):
        assert 0 <= claim.score <= 1
        assert claim.reasons and all(isinstance(r, str) and r for r in claim.reasons)
        for evidence in claim.evidence:
            held = next(p for p in passages if p.number == evidence.number).chunk
            assert evidence.text == Span(evidence.span.start - held.span.start, evidence.span.end - held.span.start).of(
                held.text
            )
        if claim.verdict is Verdict.SUPPORTED:
            assert claim.score >= SUPPORTED_FROM
    verdict, score, reasons = judge(text, passage_text or "", SIMILAR)
    assert 0 <= score <= 1 and reasons and isinstance(verdict, Verdict)


def test_somebody_elses_claim_is_judged_by_the_same_rules() -> None:
    assert judge("The library lends maps to visitors.", LIBRARY.chunk.text, SIMILAR)[0] is Verdict.CONTRADICTED
    verdict, score, reasons = judge("The library does not lend maps.", LIBRARY.chunk.text, SIMILAR)
    assert verdict is Verdict.SUPPORTED and score >= SUPPORTED_FROM and reasons
    assert judge("Cows eat grass.", "", SIMILAR)[0] is Verdict.UNSUPPORTED


def test_overlap_is_a_share() -> None:
    assert overlap("pumps and bolts", "the pump has a bolt") == 1
    assert overlap("pump valve", "the pump") == 0.5
    assert overlap("the of", "anything") == 0
