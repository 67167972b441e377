"""The objects that scripts rely on: their fields, by name, as the interface promises them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rag import domain as d
from rag import events as e
from rag import serialize
from tests.support.fakes import passage, quote

PASSAGE = d.Passage(
    1,
    passage(
        1,
        "It has four bolts \x1b[31m.",
        offset=5,
        line=3,
        title="Pump",
        heading="Bolts",
        date="2022-03-18",
    ).chunk,
    0.123456789,
    d.Ranks(1, 3, 1, None),
    (d.Copy("copy.txt", "d2", d.Span(4, 9)),),
)
EVIDENCE = d.Evidence(1, "document1", "1.txt", d.Span(5, 22), "It has four bolts", 3, None)
SENTENCE = d.Sentence("It has four bolts.", d.Span(0, 22), (d.Citation(1, d.Span(18, 21)),))
CLAIM = d.Claim(SENTENCE, (EVIDENCE,), d.Verdict.SUPPORTED, 0.987654, ("four: found",))
ANSWER = d.Answer(
    "How many?",
    "It has four bolts [1].",
    "four",
    (CLAIM,),
    (PASSAGE,),
    False,
    None,
    d.Receipt(4096, 10, 20, 30, 512, ("passage 2: 99 tokens",)),
    d.Model("reader", "ab"),
    d.Seconds(0.1, 0.2, 0.3, 0.6),
)


def test_an_answer() -> None:
    found = serialize.answer(ANSWER)
    assert list(found) == [
        "schema",
        "question",
        "asked",
        "answer",
        "short",
        "abstained",
        "reason",
        "missing",
        "stopped",
        "differ",
        "chance",
        "claims",
        "passages",
        "receipt",
        "model",
        "seconds",
    ]
    assert found["schema"] == 1
    assert (found["question"], found["answer"], found["short"]) == (
        "How many?",
        "It has four bolts [1].",
        "four",
    )
    assert (found["abstained"], found["reason"], found["missing"], found["stopped"]) == (
        False,
        None,
        "",
        False,
    )
    assert found["receipt"] == {
        "context": 4096,
        "system": 10,
        "history": 20,
        "passages": 30,
        "answer": 512,
        "dropped": ["passage 2: 99 tokens"],
    }
    assert found["model"] == {"name": "reader", "sha256": "ab", "calibrated": "", "server": ""}
    sure = replace(ANSWER, chance=0.12345678, model=d.Model("reader", "ab", "0.43 on 80 questions"))
    assert (serialize.answer(sure)["chance"], found["chance"]) == (0.123457, None)
    assert serialize.answer(sure)["model"]["calibrated"] == "0.43 on 80 questions"
    assert found["seconds"] == {"retrieve": 0.1, "first": 0.2, "check": 0.3, "total": 0.6}


def test_what_was_looked_up_and_what_a_later_question_remembers() -> None:
    assert serialize.answer(ANSWER)["asked"] is None
    sent = serialize.answer(replace(ANSWER, asked="How many bolts has it?"))
    assert sent["asked"] == "How many bolts has it?"
    saved = json.loads(json.dumps(sent))
    assert serialize.turn("How many?", saved) == d.Turn(
        "How many bolts has it?", ANSWER.text, "four"
    )
    assert serialize.turn("How many?", {"answer": "Four [1]."}) == d.Turn(
        "How many?", "Four [1].", ""
    ), "of an earlier version"


def test_a_claim_and_its_citations() -> None:
    assert serialize.answer(ANSWER)["claims"] == [
        {
            "text": "It has four bolts.",
            "start": 0,
            "end": 22,
            "verdict": "supported",
            "score": 0.9877,
            "reasons": ["four: found"],
            "markers": [1],
            "cited": [[1, 18, 21]],
            "quoted": None,
            "citations": [
                {
                    "n": 1,
                    "file": "unknown",
                    "source": "1.txt",
                    "document": "document1",
                    "start": 5,
                    "end": 22,
                    "quote": "It has four bolts",
                    "line": 3,
                    "page": None,
                    "context": "",
                },
            ],
        },
    ]


def test_a_passage() -> None:
    assert serialize.answer(ANSWER)["passages"] == [
        {
            "n": 1,
            "source": "1.txt",
            "document": "document1",
            "title": "Pump",
            "date": "2022-03-18",
            "heading": "Bolts",
            "start": 5,
            "end": 29,
            "line": 3,
            "page": None,
            "text": "It has four bolts \x1b[31m.",
            "score": 0.123457,
            "ranks": {"words": 1, "vectors": 3, "fused": 1, "reranked": None},
            "copies": [{"source": "copy.txt", "document": "d2", "start": 4, "end": 9}],
            "file": "unknown",
        },
    ]


def test_the_languages_that_are_not_read() -> None:
    refused = d.Answer(
        "Warum?", "", None, (), (), True, d.Reason.OTHER_LANGUAGE, d.Receipt(),
        d.Model("reader", ""), d.Seconds(), languages=("de",),
    )  # fmt: skip
    assert serialize.answer(refused).get("languages") == ["de"]
    assert "languages" not in serialize.answer(replace(refused, languages=()))


@pytest.mark.parametrize(
    "reason",
    [
        "empty_library",
        "nothing_found",
        "not_answered",
        "unsupported",
        "too_long",
        "other_language",
        "only_quotes",
    ],
)
def test_the_reasons_of_an_abstention(reason: str) -> None:
    refused = d.Answer(
        "Why?",
        "",
        None,
        (),
        (),
        True,
        d.Reason(reason),
        d.Receipt(),
        d.Model("reader", ""),
        d.Seconds(),
        "no passage names X",
        True,
    )
    found = serialize.answer(refused)
    assert (found["abstained"], found["reason"], found["missing"], found["stopped"]) == (
        True,
        reason,
        "no passage names X",
        True,
    )
    assert (found["claims"], found["passages"], found["short"]) == ([], [], None)
    assert set(d.Reason) == {
        "empty_library",
        "nothing_found",
        "not_answered",
        "unsupported",
        "too_long",
        "other_language",
        "only_quotes",
    }


def test_the_verdicts() -> None:
    promised = {
        "supported",
        "partly",
        "unsupported",
        "contradicted",
        "uncited",
        "dangling",
        "needs_none",
        "computed",
        "listed",
    }
    assert {v.value for v in d.Verdict} == promised
    for verdict in d.Verdict:
        assert serialize.claim(d.Claim(SENTENCE, (), verdict, 0.0))["verdict"] == verdict.value


def test_a_document() -> None:
    found = serialize.document(
        d.Document(
            "id",
            "a.txt",
            "Title",
            None,
            "Read more\nText",
            (d.Span(0, 9),),
            (d.Span(0, 14),),
            path="/place/a.txt",
        )
    )
    assert {k: found[k] for k in ("id", "source", "title", "date", "text", "masked", "pages")} == {
        "id": "id",
        "source": "a.txt",
        "title": "Title",
        "date": None,
        "text": "Read more\nText",
        "masked": [[0, 9]],
        "pages": [[0, 14]],
    }


def test_a_listing() -> None:
    assert serialize.listing(
        d.Listing("id", "a.txt", "Title", "2022-03-18", 3, 999, "failed", "is binary")
    ) == {
        "id": "id",
        "source": "a.txt",
        "title": "Title",
        "date": "2022-03-18",
        "chunks": 3,
        "by_words": 0,
        "bytes": 999,
        "state": "failed",
        "reason": "is binary",
        "cure": None,
        "path": "",
        "file": "unknown",
        "copies": 0,
    }


def test_a_report() -> None:
    report = e.Report(
        ("a",),
        2,
        ("b",),
        (("c", "d"),),
        ("e",),
        (e.Failed("f", "is binary", "convert it"),),
        1.23456,
        True,
    )
    found = serialize.report(report)
    assert {
        k: found[k] for k in ("added", "unchanged", "changed", "moved", "removed", "failed")
    } == {
        "added": ["a"],
        "unchanged": 2,
        "changed": ["b"],
        "moved": [{"from": "c", "to": "d"}],
        "removed": ["e"],
        "failed": [{"source": "f", "reason": "is binary", "cure": "convert it"}],
    }


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (e.Loading("the embedder"), {"event": "loading", "what": "the embedder"}),
        (e.Notice("smaller"), {"event": "noted", "says": "smaller"}),
        (e.Reading(3, 9), {"event": "reading", "done": 3, "total": 9}),
        (e.Token("word"), {"event": "token", "text": "word"}),
        (
            e.Added("a.txt", 3, 1, 2),
            {"event": "added", "source": "a.txt", "chunks": 3, "done": 1, "total": 2},
        ),
        (
            e.Failed("a.pdf", "is binary", "convert it"),
            {"event": "failed", "source": "a.pdf", "reason": "is binary", "cure": "convert it"},
        ),
        (
            e.Retrieved((PASSAGE,), 7),
            {
                "event": "retrieved",
                "asked": None,
                "searched": 7,
                "passages": [serialize.passage(PASSAGE)],
            },
        ),
        (
            e.Checked(CLAIM, 1, 2),
            {"event": "checked", "number": 1, "total": 2, "claim": serialize.claim(CLAIM)},
        ),
        (e.Answered(ANSWER), {"event": "answered", "answer": serialize.answer(ANSWER)}),
    ],
)
def test_the_stream_of_events(event: e.Event, expected: dict[str, Any]) -> None:
    assert serialize.event(event) == expected


def test_all_of_it_is_json_and_comes_back_as_it_was() -> None:
    found = serialize.answer(ANSWER)
    line = json.dumps(found)
    assert json.loads(line) == found
    assert "\x1b" not in line and "\n" not in line
    assert (
        json.loads(
            json.dumps(serialize.event(e.Report(failed=(e.Failed("a\n\ud800", "r", "c"),))))
        )["failed"][0]["source"]
        == "a\n\ud800"
    )


def test_a_quotation_is_its_slice_of_the_document() -> None:
    document = "Header\nThe pump has four bolts. It is green.\n"
    found = quote(passage(1, document[7:-1], offset=7, line=2), "It is green.")
    sent = serialize.evidence(d.Evidence(1, "x", "x.txt", found.span, found.text, 2))
    assert document[sent["start"] : sent["end"]] == sent["quote"]
