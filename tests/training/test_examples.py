"""Training examples: sides, spans of answers, windows, synthetic examples, and the sets."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example as case
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Span
from rag.text import facts
from rag.text.sentences import split_sentences
from rag.training import datasets, mixture, synthetic
from rag.training.examples import Example, groups, locate, side, window

SEEDS = st.integers(0, 2**32)
PASSAGES = [
    "The mill at Aldeburg was built in 1733 by Jan Visser. "
    "It ground rye for 40 villages until the flood of 1809. After the flood, "
    "Visser's grandson sold it to the town. The town planted willows along the weir.",
    "Eels were smoked at the weir every autumn. "
    "Marta Lindqvist wrote the first book about them in 1902. "
    "It sold 300 copies in Oslo, and none in Aldeburg.",
    "A second mill, of stone, stands upstream. Nobody knows who built it. "
    "Its wheel has 24 paddles and turns slowly.",
]
QUESTION = Example(
    "read",
    "squad",
    "squad:Mill",
    "Who wrote the first book about eels?",
    PASSAGES[1],
    {"answers": 1.0, "helps": 1.0},
    Span(PASSAGES[1].index("Marta"), PASSAGES[1].index(" wrote")),
    ("Marta Lindqvist", "Lindqvist"),
)
SENTENCES = st.lists(
    st.sampled_from(
        [s.of(p) for p in PASSAGES for s in split_sentences(p)]
        + ["So it is.", "1809.", "The town! The weir?"]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)


def test_a_documents_side_is_the_same_in_every_run_and_about_as_many_are_held_out_as_said() -> None:
    assert [side(f"squad:{name}") for name in "ABCDEFGHIJ"] == PINNED
    many = Counter(side(f"{n}") for n in range(20_000))
    assert many["test"] / 20_000 == pytest.approx(0.14, abs=0.01)
    assert many["tune"] / 20_000 == pytest.approx(0.08, abs=0.01)
    assert many.keys() == {"train", "tune", "test"}


PINNED = "tune train train train train train train test train train".split()
FEW = st.sampled_from("A|a|B.|b|C c|c, C|D|E|F".split("|"))


@given(st.lists(st.tuples(FEW, FEW), max_size=12))
def test_pairs_that_share_a_text_are_in_one_group(pairs: list[tuple[str, str]]) -> None:
    named = groups(pairs, "set")
    flat = [(facts.flatten_text(a), facts.flatten_text(b)) for a, b in pairs]
    linked = [{n} for n in range(len(pairs))]
    for _ in pairs:  # each round joins what is one step apart
        for n, one in enumerate(flat):
            for m, other in enumerate(flat):
                if one[0] == other[0] or one[1] == other[1]:
                    linked[n] |= linked[m]
    for n, here in enumerate(named):
        assert here.startswith("set:")
        assert {m for m, there in enumerate(named) if there == here} == linked[n]


def test_a_groups_name_does_not_hang_on_the_order() -> None:
    pairs = [("a", "p"), ("b", "p"), ("b", "q"), ("c", "r")]
    assert sorted(groups(pairs[::-1], "s")) == sorted(groups(pairs, "s"))


@pytest.mark.parametrize(
    ("question", "passage", "answers", "before", "found"),
    [
        ("Who?", "Ann met Bob.", ["Bob"], "Ann met ", "Bob"),
        ("What art?", "The party saw art.", ["art"], "The party saw ", "art"),
        ("What?", "The party.", ["art"], "The p", "art"),
        (
            "What burnt in 9?",
            "In 9 it rained. It burnt in 9.",
            ["9"],
            "In 9 it rained. It burnt in ",
            "9",
        ),
        ("When did it rain?", "In 9 it rained. It burnt in 9.", ["9"], "In ", "9"),
        (
            "How?",
            "It was very slowly done.",
            ["slowly", "very slowly", "very slowly done"],
            "It was ",
            "very slowly",
        ),
        ("Who?", "It was Ann.", ["  Ann ", "Eve", ""], "It was ", "Ann"),
    ],
)
def test_an_answer_is_located(
    question: str, passage: str, answers: list[str], before: str, found: str
) -> None:
    assert locate(question, passage, answers) == Span(len(before), len(before) + len(found))


def test_an_answer_that_does_not_stand_there_has_no_place() -> None:
    assert locate("Who?", "Ann.", ["Bob", " ", ""]) is None


@given(
    SENTENCES,
    st.lists(st.sampled_from("the|mill|1809|a|ill|town!|Visser's|24 paddles|zebra|.".split("|"))),
    SENTENCES,
)
def test_a_place_is_one_of_the_answers_and_of_whole_words(
    passage: str, answers: list[str], question: str
) -> None:
    span = locate(question, passage, answers)
    there = [a for a in answers if a in passage]
    assert (span is None) == (not there)
    if span is None:
        return
    answer = span.of(passage)
    assert answer in there

    def cuts(start: int) -> bool:
        ends = (start, start + len(answer))
        return any(
            0 < at < len(passage) and passage[at - 1].isalnum() and passage[at].isalnum()
            for at in ends
        )

    assert not cuts(span.start) or all(
        cuts(at) for at in range(len(passage)) if passage.startswith(answer, at)
    )


@given(
    SENTENCES,
    st.integers(20, 400),
    st.one_of(st.none(), st.tuples(st.floats(0, 0.99), st.integers(1, 60))),
    SEEDS,
)
def test_a_window_is_whole_sentences_around_what_is_kept(
    text: str, most: int, place: tuple[float, int] | None, seed: int
) -> None:
    keep = None
    if place:
        start = int(place[0] * len(text))
        words = text[
            start : start + place[1]
        ].strip()  # an answer neither begins nor ends with white space
        keep = Span(at := text.index(words, start), at + len(words)) if words else None
    cut = window(text, keep, most, random.Random(seed))
    spans = list(split_sentences(text))
    inside = [s for s in spans if s.within(cut)]
    needed = [s for s in spans if keep and s.overlaps(keep)]
    assert keep is None or keep.within(cut)
    if len(text) <= most:
        assert cut == Span(0, len(text))
        return
    assert [s for s in spans if s.overlaps(cut)] == inside and inside
    edges = {s.start for s in spans}, {s.end for s in spans}
    assert cut.start in edges[0] and cut.end in edges[1]
    assert cut.end - cut.start <= most or inside == needed or len(inside) == 1


@given(SENTENCES, st.floats(0, 0.99), st.integers(1, 40), st.integers(20, 300), SEEDS)
def test_a_cut_passage_keeps_its_answer(
    text: str, place: float, long: int, most: int, seed: int
) -> None:
    start = int(place * len(text))
    span = Span(start, min(len(text), start + long))
    example = replace(QUESTION, second=text, span=span)
    cut = synthetic.windowed(example, random.Random(seed), most)
    assert cut.span is not None and cut.span.of(cut.second) == span.of(text)
    assert cut.second in text and replace(cut, second=text, span=span) == example
    assert synthetic.windowed(replace(example, span=None), random.Random(seed), most).span is None


@given(
    SENTENCES,
    st.lists(
        st.sampled_from(["Mill", "1809", "by the", "weir. Marta", "sold it", "zebra"]), min_size=1
    ),
)
@case("The mill burnt. It was sold. Ann came. Bob left. So it is.", ["sold. Ann", "mill burnt"])
def test_without_an_answer_every_sentence_that_holds_one_is_gone(
    passage: str, answers: list[str]
) -> None:
    left = synthetic.without_answers(passage, answers)
    have = [s.of(passage) for s in split_sentences(passage)]
    kept = [s for s in have if not any(a.lower() in s.lower() for a in answers)]
    assert left in ("", " ".join(kept))
    assert not any(a.lower() in left.lower() for a in answers)
    if left:
        assert 2 <= len(kept) < len(have)


NEAREST = "The first book that the mill had was about rye, not eels."


def _misses() -> list[Example]:
    neighbours = [
        PASSAGES[0],
        NEAREST,
        PASSAGES[2],
        "Lindqvist wrote books. She wrote the first book about eels.",
    ]
    return [
        e
        for seed in range(400)
        for e in synthetic.near_misses(QUESTION, neighbours, random.Random(seed))
    ]


@given(SEEDS)
def test_beside_a_passage_of_another_document_nothing_helps(seed: int) -> None:
    pool = [(f"doc{n}", p, frozenset(facts.content_stems(p))) for n, p in enumerate(PASSAGES)]
    pool.append(
        (
            "squad:Mill",
            "Eels of the first book.",
            frozenset(facts.content_stems("Eels of the first book.")),
        )
    )
    found = synthetic.far_passage(QUESTION, pool, random.Random(seed))
    assert (
        found is not None and found.labels == {"answers": 0.0, "helps": 0.0} and found.span is None
    )
    assert found.second != PASSAGES[1], "it holds the answer"
    assert found.second != "Eels of the first book.", "it is of the same document"
    assert synthetic.far_passage(QUESTION, pool[1:2], random.Random(seed)) is None


def test_a_claim_is_a_query_too() -> None:
    claim = Example(
        "support",
        "wice",
        "wice:1",
        "Eels were smoked.",
        PASSAGES[1],
        {"supported": 1.0},
        Span(0, 4),
    )
    asked = synthetic.claim_as_query(claim)
    assert (asked.job, asked.labels, asked.span) == ("read", {"helps": 1.0}, None)
    pool = [("wice:2", PASSAGES[0], frozenset(facts.content_stems(PASSAGES[0])))]
    found = synthetic.far_passage(asked, pool, random.Random(0))
    assert found is not None and found.labels == {"helps": 0.0} and found.second == PASSAGES[0]


def test_near_misses_are_not_answered() -> None:
    found = _misses()
    assert {e.origin for e in found} == {"made:neighbour", "made:removed", "made:swapped"}
    for example in found:
        assert example.labels["answers"] == 0.0 and example.span is None and example.answers == ()
        assert (example.document, example.job) == (QUESTION.document, "read")
        if example.origin == "made:swapped":
            assert example.first != QUESTION.first and example.second == QUESTION.second
        else:
            assert example.first == QUESTION.first and "lindqvist" not in example.second.lower()


def test_a_neighbour_is_the_nearest_of_those_that_do_not_answer() -> None:
    assert {e.second for e in _misses() if e.origin == "made:neighbour"} == {NEAREST}


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (
            "Who wrote the first book about eels?",
            "Marta Lindqvist",
            "Marta Lindqvist wrote the first book about eels.",
        ),
        ("Which town bought the mill?", "Aldeburg", "Aldeburg bought the mill."),
        ("What causes the flood?", "heavy rain", "Heavy rain causes the flood."),
        ("When was the mill built?", "1733", "The mill was built in 1733."),
        ("When was the mill built?", "in 1733", "The mill was built in 1733."),
        ("What year was the mill sold?", "1809", "The mill was sold in 1809."),
        ("Who was the owner of the mill?", "Jan Visser", "The owner of the mill was Jan Visser."),
        ("Why was the mill sold?", "floods", None),
        ("Who did Visser meet?", "Ann", None),
        ("How many villages were there?", "40", None),
        ("What?", "x", None),
    ],
)
def test_a_question_and_its_answer_make_a_statement(
    question: str, answer: str, expected: str | None
) -> None:
    assert synthetic.statement(question, answer) == expected


def test_statements_of_a_question_are_true_or_false_as_labelled() -> None:
    true = "Marta Lindqvist wrote the first book about eels."
    found = [
        e for seed in range(200) for e in synthetic.from_question(QUESTION, random.Random(seed))
    ]
    assert {e.labels["supported"] for e in found} == {0.0, 1.0}
    for example in found:
        assert example.job == "support" and example.second == QUESTION.second
        assert (example.first == true) == (example.labels["supported"] == 1.0)
        if example.span:
            assert (
                example.span.of(example.second)
                == "Marta Lindqvist wrote the first book about them in 1902."
            )
    assert list(synthetic.from_question(replace(QUESTION, span=None), random.Random(0))) == []


def test_sentences_about_a_passage_are_true_or_false_as_labelled() -> None:
    runs = [
        list(synthetic.from_passage("d", PASSAGES[0], PASSAGES, random.Random(seed)))
        for seed in range(100)
    ]
    own = [s.of(PASSAGES[0]) for s in split_sentences(PASSAGES[0])]
    for found in runs:
        assert found[0].labels["supported"] == 1.0 and [
            e.labels["supported"] for e in found[1:]
        ] == [0.0] * (len(found) - 1)
        for example in found:
            assert example.job == "support" and example.second == PASSAGES[0]
            if example.origin == "made:elsewhere":
                assert example.first not in PASSAGES[0] and any(
                    example.first in p for p in PASSAGES[1:]
                )
            else:
                assert example.span is not None and example.span.of(PASSAGES[0]) in own
            if example.labels["supported"] == 0.0:
                assert example.first not in own
    assert {e.origin for found in runs for e in found} >= {
        "made:sentence",
        "made:elsewhere",
        "made:number",
        "made:name",
    }


# the sets, with a few rows of each in the shapes in which they lie on a disk


def _put(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def _asked(
    id_: str, question: str, place: str, answers: list[str], **evidence: Any
) -> dict[str, Any]:
    return {
        "id": id_,
        "question": question,
        "answers": answers,
        "answerable": bool(answers),
        "type": "",
        "evidence": [{"doc_id": place} | evidence] if answers else [],
        "near_doc_id": place,
    }


def _row(question: str, passage: str, answers: list[str], document: str) -> dict[str, Any]:
    return {
        "id": question,
        "question": question,
        "passage": passage,
        "answers": answers,
        "answerable": bool(answers),
        "document": document,
    }


WORDS = {
    "wice": ("supported", "partially_supported", "not_supported"),
    "expertqa": ("Complete", "Partial", "Incomplete"),
    "begin": ("Fully attributable", "Not fully attributable", "Generic"),
}
#: what is known of a claim that is not supported, besides that
FALSE: dict[str, list[dict[str, float]]] = {
    "wice": [{"partly": 1.0}, {"partly": 0.0}],
    "expertqa": [{"partly": 1.0}, {"partly": 0.0}],
    "begin": [{}, {"partly": 0.0}],
    "fever_symmetric": [{"partly": 0.0, "against": 1.0}],
    "fm2": [{"partly": 0.0, "against": 1.0}],
    "scitail": [{"partly": 0.0, "against": 0.0}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file that training reads."""
    root = tmp_path_factory.mktemp("sets")
    for name in ("squad11", "squad2", "clapnq"):
        places = [f"Mill#{n}" if name != "clapnq" else f"c{n}" for n in range(len(PASSAGES))]
        _put(
            root / name / "corpus.jsonl.gz",
            *[{"id": i, "text": t} for i, t in zip(places, PASSAGES, strict=True)],
        )
        first = _asked(
            "1",
            "Who built the mill?" if name != "clapnq" else "Who was it?",
            places[0],
            ["Jan Visser"],
            quotes=["Eels", "rye"],
        )
        second = _asked("2", f"Who sold {name}?", places[1], [])
        _put(
            root / name / "questions.jsonl.gz", first, second, _asked("3", "Where?", "lost", ["x"])
        )
    for name in datasets.TRAIN_QA:
        documents = [f"{name}-{n}" for n in range(12)]
        yes = [
            _row(f"When was {name} {d}?", PASSAGES[0], ["1733", "in 1733"], d) for d in documents
        ]
        no = [_row(f"Who was {name} {d}?", PASSAGES[1], [], d) for d in documents]
        _put(root / "train_qa" / f"{name}.jsonl.gz", *yes, *no)
    for name in datasets.CLAIMS:
        told = [
            {
                "id": str(n),
                "claim": f"Claim {n % 30} of {name}.",
                "passage": f"{name} {n // 2}. {PASSAGES[n // 2 % 3]}",
                "label": "unsupported" if n % 3 else "supported",
                "orig_label": WORDS.get(name, (None, None, None))[n % 3],
            }
            for n in range(40)
        ]
        _put(root / "claims" / f"{name}.jsonl.gz", *told)
    for name in datasets.TEXTS:
        _put(
            root / name / "corpus.jsonl.gz",
            *[{"id": f"t{n}", "text": "\n\n".join(PASSAGES * 4)} for n in range(9)],
        )
    return root


def test_every_file_that_is_read_is_named(folder: Path) -> None:
    assert all(path.is_file() for path in datasets.input_files(folder))
    assert set(folder.rglob("*.gz")) == set(datasets.input_files(folder))
    assert not {"scifact", "factcheck_gpt", "summedits", "squadshifts_reddit", "cranfield"} & {
        part
        for path in datasets.input_files(Path())
        for part in (path.parts[0], path.name.split(".")[0])
    }, "measured on only"


def test_questions_are_what_their_set_says_of_them(folder: Path) -> None:
    found = datasets.read_questions(folder)
    told = defaultdict(list)
    for example in found:
        told[example.origin].append(example)
        if example.span and example.origin != "clapnq":
            assert example.span.of(example.second) in example.answers
    assert len({(e.first, e.second) for e in found}) == len(found)
    assert [e.document for e in told["squad"]] == ["squad:Mill"] * 3, (
        "of two sets that overlap each question once"
    )
    assert [e.labels for e in told["squad"]] == [
        {"answers": 1.0, "helps": 1.0},
        {"answers": 0.0},
        {"answers": 0.0},
    ]
    assert [(e.job, e.labels) for e in told["clapnq"]] == [
        ("read", {"helps": 1.0}),
        ("read", {"answers": 0.0, "helps": 0.0}),
    ]
    assert {tuple(e.labels) for e in told["selqa"] + told["privacyqa"]} == {("helps",)}, (
        "they have no short answers"
    )
    assert {e.labels["helps"] for e in told["selqa"]} == {0.0, 1.0}
    assert {e.labels["answers"] for e in told["timeqa_human"]} == {0.0, 1.0}
    assert all((e.span is not None) == bool(e.answers) for e in found if e.origin != "clapnq")


def test_claims_are_what_their_set_says_of_them(folder: Path) -> None:
    told = defaultdict(list)
    for example in datasets.read_claims(folder):
        told[example.origin].append(example)
        assert example.job == "support"
    assert told.keys() == set(datasets.CLAIMS)
    for name, found in told.items():
        sums = {t: sum(e.weight for e in found if e.labels["supported"] == t) for t in (0.0, 1.0)}
        assert sums[0.0] == pytest.approx(sums[1.0]) == pytest.approx(len(found) / 2)
        for e in found:
            for f in found:
                if e.first == f.first or e.second == f.second:
                    assert e.document == f.document
        assert all(
            e.labels == {"supported": 1.0, "partly": 1.0, "against": 0.0}
            for e in found
            if e.labels["supported"]
        )
        false = [e.labels for e in found if not e.labels["supported"]]
        for known in FALSE[name]:
            assert {"supported": 0.0} | known in false
        assert all(
            labels in [{"supported": 0.0} | known for known in FALSE[name]] for labels in false
        )


def test_no_document_is_on_two_sides(folder: Path) -> None:
    sources = mixture.read(folder)
    for of_side in (sources.questions, sources.claims):
        documents = {name: {e.document for e in found} for name, found in of_side.items()}
        assert not documents["train"] & documents["tune"] | documents["train"] & documents["test"]
        assert not documents["tune"] & documents["test"]
        assert all(side(d) == name for name, found in documents.items() for d in found)
    assert {len(found) > 0 for found in sources.questions.values()} == {True}
    assert all(side(document) == "train" for document, _ in sources.texts)


def test_an_epoch_is_of_training_documents_and_follows_from_its_seed(folder: Path) -> None:
    sources = mixture.read(folder)
    one, again, other = (
        mixture.epoch(sources, 1),
        mixture.epoch(sources, 1),
        mixture.epoch(sources, 2),
    )
    assert one == again != other
    assert {side(e.document) for e in one} == {"train"}
    assert {e.job for e in one} == {"read", "support"}
    assert {e.origin for e in one} > {"made:sentence", "made:neighbour"} | set(datasets.CLAIMS)
    for example in one:
        assert example.span is None or 0 <= example.span.start < example.span.end <= len(
            example.second
        )
