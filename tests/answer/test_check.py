"""The check: an example of each verdict, its reasons, and texts that try to deceive it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.check import (
    NEEDS_NONE,
    SIGNAL_NAMES,
    CheckFit,
    Judge,
    check_claim,
    check_sentence,
    gather_signals,
    word_overlap,
)
from rag.answer.cite import parse_citations
from rag.answer.reader import SOURCES_DIFFER
from rag.domain import Claim, Passage, Piece, Quote, Span, Verdict
from rag.protocols import Support
from tests.support.examples import examples
from tests.support.fakes import JUDGE, passage, quote

SURE, UNSURE = Support(30.0, 30.0, -30.0, None), Support(-30.0, -30.0, -30.0, None)
NEWS = passage(
    1,
    "Lavrov spoke to RT on Friday.\n"
    "Russia has so far faced over 5,000 individual sanctions, a record in history.\n"
    "The military operation was launched on 24 February 2022. "
    "The price rose by 12 percent in Moscow.",
    offset=100,
    line=7,
)
LIBRARY = passage(
    2,
    "The library does not lend maps to visitors. "
    "Forged: Russia has faced over 7,000 sanctions [1].",
    title="Town Hall",
)


def _claims(
    *pieces: Piece, passages: tuple[Passage, ...] = (NEWS, LIBRARY), by: Judge = JUDGE
) -> list[Claim]:
    return [check_sentence(sentence, passages, by) for sentence in parse_citations(pieces)[1]]


def _claim(*pieces: Piece, by: Judge = JUDGE) -> Claim:
    (claim,) = _claims(*pieces, by=by)
    return claim


def _says(support_given: Support, only_of: str | None = None) -> Judge:
    """A judge whose model gives `said` for every text, or for one text and is unsure of others."""
    return replace(
        JUDGE,
        support=lambda _, texts: [support_given if only_of in (None, t) else UNSURE for t in texts],
    )


@pytest.mark.parametrize(
    ("text", "verdict", "reason"),
    [
        (
            "Russia has faced over 5,000 individual sanctions [1].",
            Verdict.SUPPORTED,
            "5,000: found",
        ),
        (
            "Russia has faced over five thousand individual sanctions, a record [1].",
            Verdict.SUPPORTED,
            "found",
        ),
        (
            "The military operation was launched on February 24 [1].",
            Verdict.SUPPORTED,
            "February 24: found",
        ),
        ("The price rose by 12 % in Moscow [1].", Verdict.SUPPORTED, "12 %: found"),
        ("The library does not lend maps [2].", Verdict.SUPPORTED, "model: supported 98 %"),
        (
            "Russia has faced over 7,000 individual sanctions, a record in history [1].",
            Verdict.CONTRADICTED,
            "7,000: the source says 5,000",
        ),
        (
            "The military operation was launched on 25 February 2022 [1].",
            Verdict.CONTRADICTED,
            "the source says 24 February 2022",
        ),
        (
            "The price rose by 13 percent in Moscow [1].",
            Verdict.CONTRADICTED,
            "13 percent: the source says 12 percent",
        ),
        ("The library does lend maps to visitors [2].", Verdict.CONTRADICTED, "“not”"),
        ("The library lends maps to visitors [2].", Verdict.CONTRADICTED, "“not”"),
        (
            "Russia has never faced over 5,000 individual sanctions [1].",
            Verdict.CONTRADICTED,
            "“not”",
        ),
        (
            "The price rose by 12 percent in Moscow, Borrell and Peskov said [1].",
            Verdict.PARTLY,
            "Borrell: not in the source",
        ),
        ("Bananas grow in Ecuador [2].", Verdict.UNSUPPORTED, "Ecuador: not in the source"),
        ("Cows eat grass every morning [1].", Verdict.UNSUPPORTED, "model: supported 2 %"),
        ("The price rose [2].", Verdict.UNSUPPORTED, "model: supported 2 %"),
        ("Russia has faced many sanctions.", Verdict.UNCITED, "no source is given"),
        ("Russia has faced sanctions [9].", Verdict.DANGLING, "[9]: no passage has this number"),
        (
            "Russia has faced over 5,000 individual sanctions [1][0].",
            Verdict.DANGLING,
            "[0]: no passage has this number",
        ),
        ("The sanctions in detail:", Verdict.UNCITED, "no source is given"),
        ("Russia has lifted all sanctions:", Verdict.UNCITED, "no source is given"),
        ("In summary,", Verdict.NEEDS_NONE, "nothing"),
        ("Here is a short list.", Verdict.NEEDS_NONE, "nothing"),
        (SOURCES_DIFFER, Verdict.UNCITED, "no source is given"),
        ("The sources differ about the war.", Verdict.UNCITED, "no source is given"),
        ("In summary, Russia lost the war.", Verdict.UNCITED, "no source is given"),
        ("According to the documents, Russia lost the war.", Verdict.UNCITED, "no source is given"),
        ("Here is what Russia did to the bridge.", Verdict.UNCITED, "no source is given"),
        ("Russia lost 300 tanks:", Verdict.UNCITED, "no source is given"),
        ("The war began on 24 February:", Verdict.UNCITED, "no source is given"),
        ("!!! [1]", Verdict.UNSUPPORTED, "model: supported 2 %"),
    ],
)
def test_verdicts(text: str, verdict: Verdict, reason: str) -> None:
    claim = _claim(text)
    assert claim.verdict is verdict, claim.reasons
    assert any(reason in r for r in claim.reasons), claim.reasons
    assert 0 <= claim.score <= 1


@pytest.mark.parametrize(
    "text",
    [
        "The tenant may keep dogs:",
        "The tenant may keep dogs",
        "The tenant may keep dogs?",
        "The tenant may keep dogs!",
        "The tenant may keep dogs…",
        "The tenant may keep dogs;",
        "The tenant may keep dogs —",
        "(The tenant may keep dogs)",
        "- The tenant may keep dogs:",
        "## The tenant may keep dogs",
        "**The tenant may keep dogs:**",
        "| dogs | allowed |",
        "Why may the tenant keep dogs?",
        "Keep dogs as you like:",
        "Dogs:",
        "Yes.",
        "No.",
        "Yes",
        "Nein:",
        "Correct:",
        "No:",
        "Так:",
        "契約は無効です：",
        "Der Vertrag ist nichtig:",
        "In summary, dogs are allowed:",
        "Dogs are allowed: in summary",
        "Here is what the documents say: dogs are allowed.",
        "Here is what the documents say about the allowed dogs:",
        "Here is the answer: yes:",
        "The sources differ about dogs:",
        "In summary. Dogs",
        "It is so:",
        "He did:",
        "👍",
        "✓",
        "\u200b",
        "\u200bIn summary,",
        "...",
        "!!!",
        "?",
        "1.",
        "5",
        "§",
        "Here is the answer?",
        "Here is the answer!",
        "In summary::",
    ],
)
def test_what_is_not_on_the_closed_list_needs_a_source_however_it_ends(text: str) -> None:
    (sentence,) = (
        parse_citations([text])[1] if text != "In summary. Dogs" else parse_citations([text])[1][1:]
    )
    assert check_sentence(sentence, (NEWS, LIBRARY), JUDGE).verdict is Verdict.UNCITED, sentence


@examples(200)
@given(
    st.text(max_size=40),
    st.sampled_from(["", ":", "?", "!", "…", ".", ",", "**", " :", "：", "\n"]),
)
def test_every_written_sentence_is_cited_or_uncited_or_on_the_list(text: str, end: str) -> None:
    for claim in _claims(text + end):
        if claim.verdict is Verdict.NEEDS_NONE:
            assert " ".join(claim.sentence.text.casefold().split()).strip("*_.:,…") in NEEDS_NONE
        assert claim.verdict is not Verdict.SUPPORTED or claim.sentence.citations


@pytest.mark.parametrize("phrase", sorted(NEEDS_NONE))
@pytest.mark.parametrize("form", ["{}", "{}:", "{}.", "**{}:**", "{},", "{}…"])
def test_what_is_on_the_list_needs_none_and_with_a_marker_is_checked(
    phrase: str, form: str
) -> None:
    text = form.format(phrase.capitalize())
    assert [c.verdict for c in _claims(text)] == [Verdict.NEEDS_NONE]
    assert [c.verdict for c in _claims(f"{text} [9]")] == [Verdict.DANGLING]


@pytest.mark.parametrize(
    "text", ["[1]", "!!! [1]", "[1] [2]", "… [1]", "It is not. [1]", "He did so [1]."]
)
def test_a_sentence_without_a_word_to_compare_is_not_supported_however_sure_the_model_is(
    text: str,
) -> None:
    (claim,) = _claims(text, by=_says(SURE))
    assert (
        claim.verdict is Verdict.UNSUPPORTED and "no word that can be compared" in claim.reasons[0]
    )


def test_a_supported_claim_shows_its_evidence() -> None:
    claim = _claim("Russia has faced over 5,000 individual sanctions [1].")
    (evidence,) = claim.evidence
    assert (
        evidence.text
        == "Russia has so far faced over 5,000 individual sanctions, a record in history."
    )
    assert (evidence.number, evidence.line, evidence.source) == (1, 8, "1.txt")
    assert evidence.span == Span(130, 130 + len(evidence.text))
    assert evidence.text == Span(evidence.span.start - 100, evidence.span.end - 100).of(
        NEWS.chunk.text
    )
    assert claim.score >= JUDGE.fit.supported_from


def test_every_cited_passage_gives_its_nearest_sentence() -> None:
    claim = _claim("The library does not lend maps [2][1].")
    assert [e.number for e in claim.evidence] == [2, 1]
    assert claim.evidence[0].text == "The library does not lend maps to visitors."


@pytest.mark.parametrize(
    ("words", "evidence"),
    [
        ("Mary kept", "Mary kept the brass key."),
        ("key", "Mary kept the brass key."),
        ("later", "Ann later had the brass key."),
        ("It rained", "Mary kept the brass key."),
        (None, "Mary kept the brass key."),
    ],
)
def test_of_sentences_about_as_near_the_one_that_the_model_points_at_is_the_evidence(
    words: str | None, evidence: str
) -> None:
    shed = passage(1, "Mary kept the brass key. Ann later had the brass key. It rained.", offset=40)
    at = shed.chunk.text.index(words or "")
    pointed = Span(at, at + len(words)) if words else None
    (claim,) = _claims(
        "The brass key was hers [1].", passages=(shed,), by=_says(Support(0, 0, 0, pointed))
    )
    assert [e.text for e in claim.evidence] == [evidence]


def test_a_missing_name_is_named() -> None:
    claim = _claim("On Friday, Lavrov spoke to CNN [1].")
    assert claim.verdict is not Verdict.SUPPORTED
    assert any(reason.startswith("CNN: the source says RT") for reason in claim.reasons)


def test_an_unknown_name_refuses_only_if_the_source_has_such_a_sentence() -> None:
    sure = _says(SURE)
    near = _claim("The library does not lend maps to Borrell [2].", by=sure)
    far = _claim("Under Borrell nobody may take a plan of the town home [2].", by=sure)
    assert near.verdict is not Verdict.SUPPORTED and far.verdict is Verdict.SUPPORTED
    assert all("Borrell: not in the source" in claim.reasons for claim in (near, far))


def test_a_name_may_stand_in_the_title() -> None:
    assert (
        "Town Hall: found"
        in _claim("The library does not lend maps, says the Town Hall [2].").reasons
    )


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


def test_neither_judge_alone_can_accept() -> None:
    missing = _claim("The price rose by 14 percent in Moscow, a record [2].", by=_says(SURE))
    assert (
        missing.verdict is not Verdict.SUPPORTED
        and "14 percent: not in the source" in missing.reasons
    )
    found = "The price rose by 12 percent in Moscow [1]."
    assert _claim(found).verdict is Verdict.SUPPORTED
    unsure = _claim(found, by=_says(UNSURE))
    assert unsure.verdict is Verdict.UNSUPPORTED and "12 percent: found" in unsure.reasons


@given(st.floats(-30, 30), st.floats(-30, 30), st.floats(-30, 30))
def test_whatever_the_model_says_what_is_missing_or_different_is_refused(
    one: float, two: float, three: float
) -> None:
    by = _says(Support(one, two, three, None))
    assert (
        _claim("The price rose by 12 percent, Borrell said [1].", by=by).verdict
        is not Verdict.SUPPORTED
    )
    assert (
        _claim("The price rose by 13 percent in Moscow [1].", by=by).verdict is Verdict.CONTRADICTED
    )


def test_both_judges_give_their_reasons() -> None:
    reasons = _claim(
        "The price rose by 12 percent in Moscow, Borrell said [1].",
        by=_says(Support(0.0, 2.0, -2.0, None)),
    ).reasons
    assert reasons == (
        "Borrell: not in the source",
        "12 percent: found",
        "Moscow: found",
        "model: supported 50 %, at least in part 88 %, contradicted 12 %",
    )


def test_a_swap_that_only_the_model_sees_is_a_contradiction_where_the_words_are_aligned() -> None:
    by = _says(Support(-8.0, -8.0, 8.0, None))
    swapped = _claim("The visitors do not lend maps to the library [2].", by=by)
    assert swapped.verdict is Verdict.CONTRADICTED and swapped.score <= 0.3
    assert (
        _claim("The visitors do not lend maps to the library [2].", by=_says(UNSURE)).verdict
        is Verdict.UNSUPPORTED
    )
    assert _claim("Visitors are bored [2].", by=by).verdict is Verdict.UNSUPPORTED


def test_one_of_several_cited_passages_may_support() -> None:
    text = "The price rose by 12 percent in Moscow [2][1]."
    assert _claim(text, by=_says(SURE, only_of=NEWS.chunk.text)).verdict is Verdict.SUPPORTED
    assert _claim(text, by=_says(SURE, only_of="neither")).verdict is Verdict.UNSUPPORTED


def test_several_cited_passages_may_support_together() -> None:
    text = "The price rose by 12 percent in Moscow, says the Town Hall to visitors [1][2]."
    together = f"{NEWS.chunk.text}\n{LIBRARY.chunk.text}"
    assert _claim(text, by=_says(SURE, only_of=together)).verdict is Verdict.SUPPORTED
    assert _claim(text, by=_says(UNSURE)).verdict is Verdict.UNSUPPORTED


def _never(_: str, others: Sequence[str]) -> list[float]:
    raise AssertionError(f"a machine was asked about {others}")


def _never_support(_: str, passages: Sequence[str]) -> list[Support]:
    raise AssertionError(f"the model was asked about {passages}")


@pytest.mark.parametrize(
    "piece",
    [
        quote(NEWS, "Lavrov spoke to RT on Friday."),
        Quote("Lavrov spoke to CNN on Friday.", 1, Span(100, 130)),
        "Russia has faced sanctions [9].",
        "Russia has faced sanctions.",
        SOURCES_DIFFER,
    ],
)
def test_what_can_be_told_without_a_machine_asks_none(piece: Piece) -> None:
    assert _claim(piece, by=Judge(_never, _never_support, JUDGE.fit)) == _claim(piece)


WORDS = st.lists(
    st.sampled_from(
        (
            "Russia Lavrov faced sanctions 5,000 24 February not “a b c” maps [1] [2] [9] . , 12% "
            "library Moscow : é"
        ).split()
    ),
    max_size=14,
).map(" ".join)


@examples(200)
@given(WORDS, st.one_of(st.none(), WORDS))
def test_any_claim_has_a_score_between_none_and_all_and_reasons(
    text: str, passage_text: str | None
) -> None:
    passages = (NEWS, LIBRARY) if passage_text is None else (passage(1, passage_text, offset=3),)
    for claim in _claims(text, passages=passages):
        assert 0 <= claim.score <= 1
        assert claim.reasons and all(isinstance(r, str) and r for r in claim.reasons)
        for evidence in claim.evidence:
            chunk = next(p for p in passages if p.number == evidence.number).chunk
            assert evidence.text == Span(
                evidence.span.start - chunk.span.start, evidence.span.end - chunk.span.start
            ).of(chunk.text)
        if claim.verdict is Verdict.SUPPORTED:
            assert claim.score >= JUDGE.fit.supported_from
    verdict, score, reasons = check_claim(text, passage_text or "", JUDGE)
    assert 0 <= score <= 1 and reasons and isinstance(verdict, Verdict)


def test_somebody_elses_claim_is_judged_by_the_same_rules() -> None:
    assert (
        check_claim("The library lends maps to visitors.", LIBRARY.chunk.text, JUDGE)[0]
        is Verdict.CONTRADICTED
    )
    verdict, score, reasons = check_claim(
        "The library does not lend maps.", LIBRARY.chunk.text, JUDGE
    )
    assert verdict is Verdict.SUPPORTED and score >= JUDGE.fit.supported_from and reasons
    assert check_claim("Cows eat grass.", "", JUDGE)[0] is Verdict.UNSUPPORTED


LOGITS = st.lists(st.floats(-40, 40), min_size=len(SIGNAL_NAMES), max_size=len(SIGNAL_NAMES))


@given(LOGITS, LOGITS, st.integers(0, len(SIGNAL_NAMES) - 1), st.floats(0, 40))
def test_a_score_never_falls_where_a_signal_of_positive_weight_rises(
    weights: list[float], signals: list[float], at: int, by: float
) -> None:
    weights[at] = abs(weights[at])
    fit = CheckFit.of([*weights, 0.5, 0.7, 0.3])
    before = fit.score(signals)
    signals[at] += by
    assert 0 <= before <= fit.score(signals) <= 1


def test_a_fit_is_read_in_the_order_in_which_it_is_written() -> None:
    fit = CheckFit.of([1, 0, -1, 0, 0, 0, 0, 0.25, 0.7, 0.3])
    assert fit == CheckFit((1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0), 0.25, 0.7, 0.3)
    assert fit.score([2, 9, 2.25, 9, 9, 9, 9]) == 0.5


def test_what_the_regression_sees() -> None:
    text = "Lavrov, Borrell, Peskov and Merkel spoke to RT on Friday."
    support_given = Support(1.0, 2.0, 3.0, None)
    here = ["Lavrov spoke to RT on Friday."]
    signals = dict(
        zip(
            SIGNAL_NAMES,
            gather_signals(text, here, here, here[0], _says(support_given)).signals,
            strict=True,
        )
    )
    assert [signals[name] for name in ("supported", "partly", "against")] == [1.0, 2.0, 3.0]
    assert signals["words"] == word_overlap(text, here[0]) == 4 / 7
    assert (signals["missing"], signals["contradicted"]) == (2, 0), (
        "three are missing, two are counted"
    )
    assert 0 < signals["near"] < 1


def test_overlap_is_a_share() -> None:
    assert word_overlap("pumps and bolts", "the pump has a bolt") == 1
    assert word_overlap("pump valve", "the pump") == 0.5
    assert word_overlap("the of", "anything") == 0


MILL = passage(
    5,
    "The old mill was built in 1823 by Ann Reed. It was sold to Peter Kane in 1901 for 14 pounds.",
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("The old mill was built in 1823 by Ann Reed [5].", Verdict.SUPPORTED),
        ("The old mill was built in 1901 by Ann Reed [5].", Verdict.CONTRADICTED),
        ("The old mill was built by Ann Reed in 1823 and sold in 1901 [5].", Verdict.SUPPORTED),
    ],
)
def test_a_number_must_be_in_the_very_sentence_where_there_is_one_like_it(
    text: str, verdict: Verdict
) -> None:
    (claim,) = _claims(text, passages=(MILL,), by=_says(SURE))
    assert claim.verdict is verdict
    assert verdict is Verdict.SUPPORTED or "1901: the source says 1823" in claim.reasons


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("It was sold to Peter Kane in 1901 for 14 pounds [5].", Verdict.SUPPORTED),
        ("It was sold to Kane in 1901 for 14 pounds [5].", Verdict.SUPPORTED),
        ("It was sold to Ann Reed in 1901 for 14 pounds [5].", Verdict.PARTLY),
        ("The old mill was built in 1823 by Peter Kane [5].", Verdict.PARTLY),
        ("The old mill was built in 1823 by a miller, Ann Reed [5].", Verdict.SUPPORTED),
        (
            "The old mill was sold to Peter Kane in 1901 for 14 pounds [5].",
            Verdict.SUPPORTED,
        ),  # "it" may be the mill
    ],
)
def test_a_name_must_stand_in_its_place_where_there_is_a_sentence_like_it(
    text: str, verdict: Verdict
) -> None:
    (claim,) = _claims(text, passages=(MILL,), by=_says(Support(6.0, 6.0, -6.0, None)))
    assert claim.verdict is verdict, claim.reasons
    assert (verdict is Verdict.SUPPORTED) or any(
        "the source says" in reason for reason in claim.reasons
    )


def test_initials_are_no_other_name() -> None:
    nations = passage(
        6, "The talks were led by United Nations envoys in Geneva on Monday. The UN was pleased."
    )
    support_given = Support(6.0, 6.0, -6.0, None)
    (claim,) = _claims(
        "The talks were led by UN envoys in Geneva on Monday [6].",
        passages=(nations,),
        by=_says(support_given),
    )
    assert claim.verdict is Verdict.SUPPORTED, claim.reasons


def test_a_not_in_one_half_of_a_sentence_contradicts_nothing_in_the_other() -> None:
    two = passage(
        7,
        "The ferry sails daily from Oban to the outer islands. "
        "Dogs are not allowed in the cabins at night.",
    )
    text = (
        "The ferry sails daily from Oban to the outer islands, "
        "and dogs are not allowed in the cabins at night [7]."
    )
    (claim,) = _claims(text, passages=(two,), by=_says(Support(6.0, 6.0, -6.0, None)))
    assert claim.verdict is Verdict.SUPPORTED, claim.reasons
    (claim,) = _claims(
        "Dogs are allowed in the cabins at night [7].", passages=(two,), by=_says(SURE)
    )
    assert claim.verdict is Verdict.CONTRADICTED
