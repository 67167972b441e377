"""The built-in reader: exact quotations, the best first, or an abstention with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.answer import answer_question
from rag.answer.check import check_sentence
from rag.answer.cite import parse_citations
from rag.answer.judge import JudgeFit
from rag.answer.known_languages import unknown_language
from rag.answer.list_sentences import listed_noun
from rag.answer.mentions import missing_names
from rag.answer.reader import SOURCES_DIFFER, Reader
from rag.answer.readings import ReaderFit, Reading, answers_differ, choose_readings
from rag.answer.spans import answer_kind, pick_span, same_answer, sentence_around
from rag.domain import (
    Draft,
    Model,
    Passage,
    Piece,
    Progress,
    Quote,
    Reason,
    Remark,
    Span,
    Turn,
    Verdict,
)
from rag.events import Answered
from rag.protocols import AnswerSpan, PassageReading
from rag.text import facts
from rag.text.sentences import split_sentences
from tests.support.examples import examples
from tests.support.fakes import JUDGE, WordPairs, passage, quote
from tests.support.readers import reads
from tests.support.structured import passage_of

FIT = JudgeFit({"alone": 1.0}, constant=0.0, least=0.2, part=0.15)
FILE = (
    "# Bridges\n\nThe bridge over the Tarn was built by Paul Lasne. "
    "It is 2,460 metres long and has seven pillars. It opened on 16 December 2004.\n"
)
BRIDGE = passage(1, FILE[11:].rstrip(), offset=11, line=3, title="Bridges")
MUSEUM = passage(
    2,
    "Tickets for the museum cost eight euros. The museum closes on Mondays. Children enter free.",
    offset=10,
)
COPY = passage(3, "The bridge over the Tarn opened on 16 December 2004.")
PASSAGES = (BRIDGE, MUSEUM, COPY)


def _reader(pairs: WordPairs | None = None, least: float = FIT.least) -> Reader:
    fit = replace(FIT, least=least)
    return Reader(reads(pairs or WordPairs(), WordPairs()), Model("reader", ""), fit)


def _write(
    question: str, passages: Sequence[Passage] = PASSAGES, least: float = FIT.least
) -> tuple[Draft, list[Piece]]:
    yielded = [
        p
        for p in _reader(least=least).write(question, passages, [Turn("before", "after")])
        if not isinstance(p, Progress)
    ]
    draft, *pieces = yielded
    assert isinstance(draft, Draft)
    return draft, [p for p in pieces if isinstance(p, str | Quote | Remark)]


def _quotes(pieces: Sequence[Piece]) -> list[Quote]:
    return [p for p in pieces if isinstance(p, Quote)]


@pytest.mark.parametrize(
    ("question", "number", "best"),
    [
        (
            "Who built the bridge over the Tarn?",
            1,
            "The bridge over the Tarn was built by Paul Lasne.",
        ),
        ("How many pillars has the bridge?", 1, "It is 2,460 metres long and has seven pillars."),
        (
            "When did the bridge over the Tarn open?",
            3,
            "The bridge over the Tarn opened on 16 December 2004.",
        ),
        ("When does the museum close?", 2, "The museum closes on Mondays."),
        ("What do tickets for the museum cost?", 2, "Tickets for the museum cost eight euros."),
    ],
)
def test_the_best_sentence_comes_first_with_its_footnote(
    question: str, number: int, best: str
) -> None:
    draft, pieces = _write(question)
    assert not draft.abstained and draft.receipt.passages > 0
    first = _quotes(pieces)[0]
    assert (first.text, first.number) == (best, number)


def test_a_quotation_is_the_files_own_words_at_its_place() -> None:
    _, pieces = _write("How many pillars has the bridge?")
    first = _quotes(pieces)[0]
    assert first.span.of(FILE) == first.text


@pytest.mark.parametrize(
    ("question", "short"),
    [
        ("Who built the bridge over the Tarn?", "Paul Lasne"),
        ("When did the bridge over the Tarn open?", "16 December 2004"),
        ("When does the museum close?", "on Mondays"),
        ("What do tickets for the museum cost?", "eight euros"),
    ],
)
def test_the_short_answer_stands_in_the_first_quotation(question: str, short: str) -> None:
    draft, pieces = _write(question)
    assert draft.short == short and short in _quotes(pieces)[0].text


def test_what_it_writes_is_supported() -> None:
    _, pieces = _write("Who built the bridge over the Tarn?")
    for sentence in parse_citations(pieces)[1]:
        assert check_sentence(sentence, PASSAGES, JUDGE).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Is Obama the owner of the museum?", "Obama"),
        ("What did Gustave Eiffel say about the museum?", "Gustave Eiffel"),
        ("Who built the bridge over the Tarn in 1850?", "1850"),
        ("Which bridge over the Tarn opened on 17 December 2004?", "17 December 2004"),
        ("Do tickets for the museum cost 9 euros?", "9"),
    ],
)
def test_it_abstains_on_a_name_or_number_that_no_passage_has(question: str, missing: str) -> None:
    draft, pieces = _write(question)
    assert draft.abstained and draft.reason is Reason.NOT_ANSWERED and not pieces
    assert draft.missing == f"no passage names {missing}"


@pytest.mark.parametrize(
    ("passages", "missing"),
    [
        ((), "no passage has a sentence that may answer; 20 % is the least"),
        ((passage(1, " "),), "no passage has a sentence that may answer; 20 % is the least"),
        (
            (MUSEUM,),
            "the nearest sentence, in passage 2, is 5 % likely to answer (at least 20 %): "
            "it does not say “whales”, “sing”, “underwater”",
        ),
    ],
)
def test_it_abstains_where_no_passage_is_sure_enough(
    passages: tuple[Passage, ...], missing: str
) -> None:
    draft, pieces = _write("Do whales sing underwater?", passages)
    assert (
        draft.abstained
        and draft.reason is Reason.NOT_ANSWERED
        and draft.short is None
        and not pieces
    )
    assert draft.missing == missing


def test_how_sure_is_sure_enough_can_be_set() -> None:
    assert _write("Who built the bridge over the Tarn?", least=0.99)[0].abstained
    assert not _write("Who built the bridge over the Tarn?", least=0.7)[0].abstained


@examples(50)
@given(st.lists(st.text("AB. ", max_size=30), max_size=6))
def test_progress_grows_up_to_the_total_and_comes_before_the_draft(texts: list[str]) -> None:
    yielded = list(_reader().write("a", [passage(n, text) for n, text in enumerate(texts, 1)], []))
    progress = [p for p in yielded if isinstance(p, Progress)]
    assert yielded[: len(texts)] == progress and isinstance(yielded[len(texts)], Draft)
    assert [p.done for p in progress] == sorted(p.done for p in progress)
    assert {p.total for p in progress} <= {len("".join(texts)) // 4}
    assert not texts or progress[-1].done == progress[-1].total


def test_closing_it_early_stops_the_reading() -> None:
    pairs = WordPairs()
    work = _reader(pairs).write("When does the museum close?", PASSAGES, [])
    assert pairs.asked == []
    next(work)
    work.close()  # type: ignore[attr-defined]
    assert pairs.asked == [BRIDGE.chunk.text]
    list(_reader(pairs).write("When does the museum close?", PASSAGES, []))
    assert pairs.asked[1:] == [p.chunk.text for p in PASSAGES]


def _reading(
    number: int, sentence: str, short: str, title: str = "", chance: float = 0.9, logit: float = 0.0
) -> Reading:
    held = passage(number, sentence, title=title)
    return Reading(held, short, quote(held, short).span, sentence, held.chunk.span, logit, chance)


@pytest.mark.parametrize("text", ["The museum closes on Mondays.", "No."])
def test_the_same_sentence_is_quoted_once(text: str) -> None:
    copies = [_reading(n, text, text[:2]) for n in range(1, 4)]
    assert choose_readings("When does the museum close?", copies, FIT.least) == (copies[:1], False)


def test_at_most_three_quotations_with_blanks_between() -> None:
    passages = [
        passage(n, f"The museum keeps a {w}.")
        for n, w in enumerate("clock whale mirror piano saddle".split(), 1)
    ]
    draft, pieces = _write("What does the museum keep?", passages)
    assert [type(p) for p in pieces] == [Quote, str, Quote, str, Quote] and not draft.differ
    assert [q.number for q in _quotes(pieces)] == [1, 2, 3] and set(pieces[1::2]) == {" "}


OPENED = passage(1, "The bridge over the Tarn opened on 16 December 2004.")
WHEN = "When did the bridge over the Tarn open?"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Cars crossed the Tarn first on 16 December 2004.", True),
        ("Cars crossed the Tarn first in December 2004.", True),
        ("Cars crossed the Tarn first on 3 May 1999.", False),
        ("Cars crossed nothing before 16 December 2004.", False),
    ],
)
def test_a_second_source_is_quoted_where_it_says_the_same_and_is_not_sure_alone(
    text: str, quoted: bool
) -> None:
    draft, pieces = _write(WHEN, [OPENED, passage(2, text)])
    assert [q.text for q in _quotes(pieces)] == [OPENED.chunk.text, text][: 1 + quoted]
    assert not draft.differ and draft.short == "16 December 2004"


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        (
            WHEN,
            "The bridge over the Tarn opened on 16 December 2004.",
            "The bridge over the Tarn opened on 17 December 2004.",
        ),
        (
            WHEN,
            "The bridge over the Tarn opened in 2004.",
            "They opened the bridge over the Tarn in 2005.",
        ),
        (
            "How many pillars has the Tarn bridge?",
            "The Tarn bridge has seven pillars.",
            "The Tarn bridge has 8 pillars.",
        ),
        (
            "Who built the Tarn bridge?",
            "Paul Lasne built the Tarn bridge.",
            "The Tarn bridge was built by Anna Kern.",
        ),
    ],
)
def test_two_documents_that_answer_differently_are_both_quoted(
    question: str, one: str, other: str
) -> None:
    agrees = one.replace("The ", "A ", 1)
    draft, pieces = _write(question, [passage(1, one), passage(2, agrees), passage(3, other)])
    assert draft.differ and not draft.abstained
    assert parse_citations(pieces)[0].startswith(f"{one} [1] {SOURCES_DIFFER} {other} [3]")


def test_an_answer_whose_sources_differ_is_supported_and_says_so() -> None:
    passages = (OPENED, passage(2, "The bridge over the Tarn opened on 17 December 2004."))
    *_, last = answer_question(
        WHEN, lambda question, limit: passages, _reader(), JUDGE, limit=5, searched=2
    )
    assert isinstance(last, Answered) and last.answer.differ and not last.answer.abstained
    verdicts = [(c.sentence.text, c.verdict) for c in last.answer.claims]
    assert verdicts == [
        (passages[0].chunk.text, Verdict.SUPPORTED),
        (SOURCES_DIFFER, Verdict.NEEDS_NONE),
        (passages[1].chunk.text, Verdict.SUPPORTED),
    ]


def test_a_document_does_not_differ_with_itself() -> None:
    later = passage(2, "The bridge over the Tarn opened on 17 December 2004.", offset=90)
    same = replace(later, chunk=replace(later.chunk, document=OPENED.chunk.document))
    assert _write(WHEN, [OPENED, later])[0].differ
    draft, pieces = _write(WHEN, [OPENED, same])
    assert not draft.differ and SOURCES_DIFFER not in parse_citations(pieces)[0]


BUILT = _reading(1, "The bridge over the Tarn was built by Lasne.", "Lasne")
LONG = _reading(1, "The bridge over the Tarn is 2,460 metres long.", "2,460 metres")


@pytest.mark.parametrize(
    ("question", "one", "other", "expected"),
    [
        (
            "How long is the bridge over the Tarn?",
            LONG,
            _reading(2, "The Tarn bridge measures 900 metres.", "900"),
            True,
        ),
        (
            "How long is the bridge over the Tarn?",
            LONG,
            _reading(2, "It measures 900 metres.", "900", "Tarn bridge"),
            True,
        ),
        (
            "How long is the bridge over the Tarn?",
            LONG,
            _reading(2, "The tower measures 900 metres.", "900"),
            False,
        ),
        (
            "How long is the bridge over the Tarn?",
            LONG,
            _reading(2, "The Tarn bridge measures 2460 m.", "2460"),
            False,
        ),
        (
            "How long is the bridge over the Tarn?",
            LONG,
            _reading(2, "The bridge over the Tarn is long.", "long"),
            False,
        ),
        (
            "How long is the bridge over the Tarn?",
            LONG,
            _reading(2, "The Tarn bridge is of 2004.", "2004"),
            False,
        ),
        (
            "Who built the bridge over the Tarn?",
            BUILT,
            _reading(2, "Kern built the bridge over the Tarn.", "Kern"),
            True,
        ),
        (
            "Who built the Tarn bridge?",
            BUILT,
            _reading(2, "Paul Lasne built the Tarn bridge.", "Paul Lasne"),
            False,
        ),
        (
            "What is said of the Tarn bridge?",
            BUILT,
            _reading(2, "Kern built the Tarn bridge.", "Kern"),
            False,
        ),
        (
            "How much did the toll cost?",
            _reading(1, "In 2021 the toll cost 40 euros.", "40 euros"),
            _reading(2, "In 2022 the toll cost 55 euros.", "55 euros"),
            False,
        ),
        (
            "How much did the toll cost?",
            _reading(1, "In 2021 the toll cost 40 euros.", "40 euros"),
            _reading(2, "In 2021 the toll cost 55 euros.", "55 euros"),
            True,
        ),
        (
            "How heavy is the dog?",
            _reading(1, "Our dog Hasso is heavy with 30 kg.", "30 kg"),
            _reading(2, "Our dog Waldi is heavy with 9 kg.", "9 kg"),
            False,
        ),
        (
            "How much is the rent?",
            _reading(1, "The rent of flat A is 850 euros.", "850 euros"),
            _reading(2, "The rent of flat B is 790 euros.", "790 euros"),
            False,
        ),
        (
            "What about the boat?",
            _reading(1, "The boat is 9 metres.", "9 metres"),
            _reading(2, "The boat is 400 euros.", "400 euros"),
            False,
        ),
    ],
)
def test_readings_differ_in_answers_of_one_kind_about_what_was_asked(
    question: str, one: Reading, other: Reading, expected: bool
) -> None:
    assert answers_differ(question, one, other) is answers_differ(question, other, one) is expected


SHORT = st.lists(
    st.sampled_from(
        "16 17 December 2004 2005 in Paul Lasne seven 7 12 12% 5,000 million the of é ?".split()
    ),
    max_size=6,
).map(" ".join)


@examples(300)
@given(SHORT, SHORT)
def test_saying_the_same_goes_both_ways_and_holds_of_oneself(one: str, other: str) -> None:
    assert same_answer(one, other) is same_answer(other, one)
    assert same_answer(one, one) is bool(facts.content_stems(one))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("16 December 2004", "on December 16", True),
        ("16 December 2004", "2004", True),
        ("16 December 2004", "17 December 2004", False),
        ("in 2004", "2005", False),
        ("5,000 sanctions", "over five thousand", True),
        ("12", "12 %", True),
        ("12 %", "12", True),
        ("seven pillars", "eight pillars", False),
        ("Lasne", "Paul Lasne", True),
        ("Paul Lasne", "Paul Kern", False),
        ("the", "the", False),
    ],
)
def test_what_says_the_same(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other) is same


TEXTS = st.lists(
    st.sampled_from(
        "Bees fly. Dr. Who 1. 2.5 U.S. “Why? No!” he said\n \n\n - ants, e.g. é".split(" ")
    ),
    min_size=1,
)


@examples(200)
@given(TEXTS.map(" ".join).filter(str.strip), st.integers(0), st.integers(0))
def test_around_a_span_are_the_whole_sentences_it_stands_in(
    text: str, one: int, other: int
) -> None:
    words = list(re.finditer(r"\S+", text))
    first, last = sorted((one % len(words), other % len(words)))
    span = Span(words[first].start(), words[last].end())
    found, whole = sentence_around(text, span), list(split_sentences(text))
    assert span.within(found)
    assert found.start in {s.start for s in whole} and found.end in {s.end for s in whole}
    assert all(s.overlaps(span) for s in whole if s.overlaps(found))


def test_markers_in_a_document_stay_words() -> None:
    _, pieces = _write("What does the museum keep?", [passage(1, "The museum keeps a clock [7].")])
    text, sentences = parse_citations(pieces)
    assert text == "The museum keeps a clock [7]. [1]"
    assert [c.number for s in sentences for c in s.citations] == [1]


QUESTIONS = st.lists(
    st.sampled_from(
        (
            "who when how many what bridge Tarn museum Mondays 2004 Obama Paul seven close ? é "
            "\ud800 Children"
        ).split()
    ),
    max_size=8,
).map(" ".join)


@examples(150)
@given(QUESTIONS)
def test_any_question_gets_exact_quotations_or_a_reason_and_the_same_twice(question: str) -> None:
    draft, pieces = _write(question)
    assert (draft, pieces) == _write(question)
    assert draft.abstained is bool(draft.missing) is (not pieces)
    for found in _quotes(pieces):
        held = next(p for p in PASSAGES if p.number == found.number).chunk
        start = held.span.start
        assert held.text[found.span.start - start : found.span.end - start] == found.text


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("How many bolts?", "number"),
        ("What is the total number of bolts?", "number"),
        ("When was it built?", "date"),
        ("In which year?", "date"),
        ("Who built it?", "name"),
        ("Where is it?", "name"),
        ("Which city?", "name"),
        ("Why is it green?", ""),
        ("", ""),
    ],
)
def test_what_is_asked_for(question: str, asked: str) -> None:
    assert answer_kind(question) == asked


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("Who is Paul Lasne?", []),
        ("Is the bridge of the U.S. army?", []),
        ("Bananas?", []),
        ("Who is Pablo Lasne?", ["Pablo Lasne"]),
        ("Does it have 2460 metres?", []),
        ("Does it have 2461 metres?", ["2461"]),
        ("What are the two best bridges?", []),
        ("What is the toll for someone of forty?", []),
        ("Is there a bridge? Give its length.", []),
        ("Is there a bridge? Give the length of Burgby.", ["Burgby"]),
    ],
)
def test_names_and_numbers_that_are_nowhere(question: str, absent: list[str]) -> None:
    assert missing_names(question, PASSAGES) == absent


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("Who watches over Maths in the Gym?", []),
        ("Who watches over Physics in the Gym?", ["Physics"]),
        ("Who watches over Mathematics on Friday?", []),
        ("Who is Far Gym?", ["Far Gym"]),
    ],
)
def test_shortened_names_and_days_are_not_missed(question: str, absent: list[str]) -> None:
    held = passage(1, "Farrant watches over Mathematics in the Gym.")
    assert missing_names(question, [held]) == absent


def test_a_surer_reading_is_likelier_to_answer_and_no_logit_is_too_large() -> None:
    fit = ReaderFit(weight=0.5, constant=-1.0, least=0.2)
    assert fit.chance(2.0) == pytest.approx(0.5) and fit.chance(1.9) < fit.chance(2.1)
    assert 0 < fit.chance(-1e9) < fit.chance(1e9) < 1


def test_of_two_spots_the_one_of_the_asked_kind_in_a_sentence_about_the_question_is_picked() -> (
    None
):
    text = "The mill was built in 1823 by Ann Reed. Paul Lasne came in 1901."

    def spot(short: str, score: float) -> AnswerSpan:
        at = text.index(short)
        return AnswerSpan(Span(at, at + len(short)), score)

    def picked(question: str, *spots: AnswerSpan) -> str:
        span = pick_span(question, text, PassageReading(0.0, spots, 0.0))
        return span.of(text) if span else ""

    assert picked("When was the mill built?", spot("1823", -1.5), spot("Ann Reed", -1.0)) == "1823"
    assert (
        picked("Who built the mill?", spot("Paul Lasne", -1.0), spot("Ann Reed", -1.5))
        == "Ann Reed"
    )
    assert (
        picked("Who built the mill?", spot("Paul Lasne", 9.0), spot("Ann Reed", -1.5))
        == "Paul Lasne"
    ), "the model is sure"
    assert picked("Who built the mill?") == ""


DUTCH = passage(
    1,
    "De brug over de Tarn werd door Paul Lasne gebouwd en is sinds het jaar 2004 voor iedereen open.",
)


def test_a_question_in_another_language_is_not_read() -> None:
    pairs = WordPairs()
    yielded = list(_reader(pairs).write("Wie heeft de brug over de Tarn gebouwd?", PASSAGES, ()))
    (draft,) = yielded
    assert isinstance(draft, Draft)
    assert (draft.reason, draft.languages) == (Reason.OTHER_LANGUAGE, ("nl",))
    assert draft.missing == "a model that reads Dutch, the language of the question"
    assert not pairs.asked


def test_german_french_and_spanish_are_read() -> None:
    assert not unknown_language("Wer hat die Brücke über den Tarn gebaut?", question=True)
    assert not unknown_language("Le pont sur le Tarn est ouvert à tous depuis l'année 2004.")
    assert not unknown_language("El puente sobre el Tarn está abierto para todos desde 2004.")
    assert unknown_language("Most nad Tarnem jest otwarty dla wszystkich od roku 2004.") == "pl"


def test_passages_in_another_language_are_not_quoted() -> None:
    draft, pieces = _write("Who built the bridge over the Tarn?", [DUTCH])
    assert (draft.reason, draft.languages) == (Reason.OTHER_LANGUAGE, ("nl",))
    assert "Dutch" in draft.missing and "passage 1" in draft.missing
    assert not pieces


def test_english_passages_beside_others_are_quoted() -> None:
    passages = [DUTCH, replace(BRIDGE, number=2)]
    draft, pieces = _write("Who built the bridge over the Tarn?", passages)
    assert not draft.abstained and not draft.languages
    assert {quoted.number for quoted in _quotes(pieces)} == {2}


def test_a_weak_answer_beside_a_nearer_passage_in_another_language_names_the_language() -> None:
    passages = [DUTCH, replace(MUSEUM, number=2)]
    draft, _ = _write("Who built the bridge over the Tarn?", passages, least=0.99)
    assert (draft.reason, draft.languages) == (Reason.OTHER_LANGUAGE, ("nl",))
    assert "at least 99 %" in draft.missing and "Dutch" in draft.missing


def test_a_further_passage_in_another_language_is_named_and_not_the_reason() -> None:
    passages = [MUSEUM, replace(DUTCH, number=3)]
    draft, _ = _write("Who built the bridge over the Tarn?", passages, least=0.99)
    assert (draft.reason, draft.languages) == (Reason.NOT_ANSWERED, ())
    assert "passage 3" in draft.missing


def test_a_foreign_sentence_of_an_english_passage_is_not_quoted() -> None:
    text = (
        "The plaque on the bridge has an inscription in the language of the builders, which most of "
        "the visitors cannot read at all.\n\nPaul Lasne heeft haar met veel mensen uit het dorp in drie jaar gebouwd.\n"
    )
    _, pieces = _write("What has Paul Lasne with the bridge?", [passage(1, text)])
    assert all("dorp" not in quoted.text for quoted in _quotes(pieces))


def test_a_row_of_a_document_in_another_language_answers() -> None:
    table = passage_of(
        "De kamers worden sinds het jaar 2019 aan gasten verhuurd, en men betaalt vooraf.\n\n"
        "Kamer | Huur\n--- | ---\nKelder | 120 euro\nZolder | 310 euro\n"
    )
    draft, pieces = _write("What is the Huur of the Kamer Zolder?", [table])
    assert draft.short == "310 euro" and _quotes(pieces)
    draft, pieces = _write("Since when do guests rent the Kamer?", [table])
    assert draft.reason is Reason.OTHER_LANGUAGE and not pieces


def test_a_list_in_sentences_goes_on_where_the_text_does() -> None:
    text = (
        "The judges of the contest are Alma Reis and Boris Vane. The contest begins at noon. "
        "Since May, Celia Ott has been one of the judges too. Enid Shaw sells tickets."
    )
    draft, pieces = _write("Who are the judges of the contest?", [passage(1, text)])
    quoted = [q.text for q in _quotes(pieces)]
    assert quoted == [
        "The judges of the contest are Alma Reis and Boris Vane.",
        "Since May, Celia Ott has been one of the judges too.",
    ]
    assert draft.short is not None and "Celia Ott" in draft.short and not draft.differ
    _, pieces = _write("Who opened the contest of judges?", [passage(1, text)])
    assert len(_quotes(pieces)) <= 1


@pytest.mark.parametrize(
    ("question", "noun"),
    [
        ("Who are the judges?", "judges"),
        ("In which towns does the choir sing?", "towns"),
        ("List all members of the choir", "members"),
        ("Which old towns are near?", "towns"),
        ("Who is the judge?", ""),
        ("What was the address?", ""),
        ("Which document mentions the pond?", ""),
        ("What does this mean?", ""),
    ],
)
def test_the_noun_that_is_to_be_listed(question: str, noun: str) -> None:
    assert listed_noun(question) == facts.stem(noun)


def test_a_sentence_that_is_not_surely_of_the_list_is_pointed_at() -> None:
    text = (
        "The towns of the tour with a stage are Velden and Orsk.\n\n"
        "Later came a stage in Ghent.\n\n"
        "Tickets cost 9 euros."
    )
    question = "In which towns of the tour does the band have a stage?"
    reader = Reader(reads(WordPairs()), Model("reader", ""), replace(FIT, part=FIT.least))
    pieces = [p for p in reader.write(question, [passage(1, text)], []) if not isinstance(p, Draft)]
    quoted = [piece.text for piece in pieces if isinstance(piece, Quote)]
    assert quoted == [text.splitlines()[0]]
    (remark,) = [piece for piece in pieces if isinstance(piece, Remark)]
    assert remark.text == "The list may go on in 1.txt, line 3."


def test_passages_are_read_whole_by_one_model_and_their_sentences_by_the_other() -> None:
    pairs, parts = WordPairs(), WordPairs()
    list(
        Reader(reads(pairs, parts), Model("reader", ""), FIT).read_each(
            "How long is the bridge?", [BRIDGE]
        )
    )
    assert pairs.asked == [BRIDGE.chunk.text]
    assert len(parts.asked) == 3 and all(text.startswith("Bridges\n") for text in parts.asked)
    before = "The bridge over the Tarn was built by Paul Lasne."
    assert f"Bridges\n{before}\nIt is 2,460 metres long and has seven pillars." in parts.asked


def test_the_parts_of_a_late_passage_are_read_only_if_it_is_likely() -> None:
    class Sure(WordPairs):
        def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]:
            return [PassageReading(3.0 if "sure" in text else 0.0, (), 0.0) for text in passages]

    texts = ["It is sure.", "A fence.", "A barn.", "A far mill.", "A sure mill."]
    held = [passage(number, text) for number, text in enumerate(texts, 1)]
    parts = WordPairs()
    list(
        Reader(reads(Sure(), parts), Model("reader", ""), FIT).read_each("Where is the inn?", held)
    )
    assert [text for text in texts if text in " ".join(parts.asked)] == [*texts[:3], texts[4]]


def test_a_sentence_of_nothing_but_words_of_the_question_is_read_if_the_whole_points_to_it() -> (
    None
):
    held = passage(1, "Frost damage is not covered. The policy runs for a year.")
    parts = WordPairs()
    (readings,) = Reader(reads(WordPairs(), parts), Model("reader", ""), FIT).read_each(
        "Is frost damage covered?", [held]
    )
    assert "Frost damage is not covered." in parts.asked
    assert any(reading.sentence == "Frost damage is not covered." for reading in readings)


def test_of_a_record_the_field_that_answers_is_quoted() -> None:
    held = passage_of(
        "# Hut\n\nWarden: Una Berg\nBeds: 24 in two rooms\nSupper: half past six in the hall\n"
    )
    fit = JudgeFit({}, constant=9.0, least=0.5, part=0.2)
    reader = Reader(reads(WordPairs()), Model("reader", ""), fit)
    quoted = [
        piece
        for piece in reader.write("Could you say whether beds are there?", [held], [])
        if isinstance(piece, Quote)
    ]
    assert quoted and all("\n" not in piece.text for piece in quoted)
    for piece in quoted:
        assert held.chunk.text[piece.span.start : piece.span.end] == piece.text
