"""Reads the question and claim sets that may be used in training, as `Example`s.

This module does not read sets whose licence or purpose is "measure only".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rag.training.examples import Example, SetRow, groups, locate, rows

#: the sets below the data folder, in the order in which they are read
QUESTIONS = ("squad11", "squad2", "clapnq")
TRAIN_QA = (
    "squadshifts_new_wiki",
    "qamr",
    "qadiscourse",
    "timeqa_human",
    "tatqa_text",
    "selqa",
    "privacyqa",
)
CLAIMS = ("wice", "expertqa", "begin", "fever_symmetric", "fm2", "scitail")
TEXTS = ("peps", "cpp_docs")
#: sets whose answers are whole sentences or clauses: they say only whether a passage helps
_LONG_ANSWERS = ("selqa", "privacyqa")


def input_files(folder: Path) -> list[Path]:
    """Every file that training reads."""
    files = [
        folder / name / f"{part}.jsonl.gz" for name in QUESTIONS for part in ("corpus", "questions")
    ]
    files += [folder / "train_qa" / f"{name}.jsonl.gz" for name in TRAIN_QA]
    files += [folder / "claims" / f"{name}.jsonl.gz" for name in CLAIMS]
    return files + [folder / name / "corpus.jsonl.gz" for name in TEXTS]


def read_questions(folder: Path) -> list[Example]:
    """The examples of all question sets, without repeated pairs of question and passage."""
    unique: dict[tuple[str, str], Example] = {}
    for example in _questions(folder):
        unique.setdefault((example.first, example.second), example)
    return list(unique.values())


def _questions(folder: Path) -> Iterator[Example]:
    for name in QUESTIONS:
        yield from _with_corpus(folder, name)
    for name in TRAIN_QA:
        for row in rows(folder / "train_qa" / f"{name}.jsonl.gz"):
            yield from _with_passage(name, row)


def _with_corpus(folder: Path, name: str) -> Iterator[Example]:
    """The examples of a set whose passages are in a corpus file of their own."""
    corpus = {row["id"]: row for row in rows(folder / name / "corpus.jsonl.gz")}
    origin = "squad" if name.startswith("squad") else name
    for row in rows(folder / name / "questions.jsonl.gz"):
        passage_id = str(
            row["evidence"][0]["doc_id"] if row["evidence"] else row.get("near_doc_id")
        )
        if passage_id not in corpus:
            continue
        passage = corpus[passage_id]["text"]
        document = f"{origin}:{passage_id.split('#')[0]}"
        if not row["answerable"]:
            labels = {"answers": 0.0} if name != "clapnq" else {"answers": 0.0, "helps": 0.0}
            yield Example("read", origin, document, row["question"], passage, labels)
        elif name == "clapnq":
            quotes = [quote for part in row["evidence"] for quote in part.get("quotes", [])]
            span = locate(row["question"], passage, quotes[:1])
            yield Example(
                "read",
                origin,
                document,
                row["question"],
                passage,
                {"helps": 1.0},
                span,
                tuple(quotes),
            )
        else:
            yield _answered(origin, document, row["question"], passage, row["answers"])


def _answered(
    origin: str, document: str, question: str, passage: str, answers: list[str]
) -> Example:
    labels = {"answers": 1.0, "helps": 1.0}
    return Example(
        "read",
        origin,
        document,
        question,
        passage,
        labels,
        locate(question, passage, answers),
        tuple(answers),
    )


def _with_passage(name: str, row: SetRow) -> Iterator[Example]:
    """The example of a row that contains its passage."""
    document = f"{name}:{row['document']}"
    question, passage = row["question"], row["passage"]
    if name in _LONG_ANSWERS:
        span = locate(question, passage, row["answers"][:1])
        helps = {"helps": float(row["answerable"])}
        yield Example("read", name, document, question, passage, helps, span, tuple(row["answers"]))
    elif row["answerable"]:
        yield _answered(name, document, question, passage, row["answers"])
    else:
        yield Example("read", name, document, question, passage, {"answers": 0.0})


def read_claims(folder: Path) -> list[Example]:
    """The examples of all claim sets.

    Both classes of a set have the same total weight. The document of an example is a group of
    claims that share a claim or a passage, so that such claims are on the same side.
    """
    examples: list[Example] = []
    for name in CLAIMS:
        table = rows(folder / "claims" / f"{name}.jsonl.gz")
        pairs = [(row["claim"], row.get("document") or row["passage"]) for row in table]
        claims = [
            _claim(name, document, row)
            for document, row in zip(groups(pairs, name), table, strict=True)
        ]
        counts = Counter(claim.labels["supported"] for claim in claims)
        weights = {label: len(claims) / (2 * count) for label, count in counts.items()}
        examples += [replace(claim, weight=weights[claim.labels["supported"]]) for claim in claims]
    return examples


def _claim(name: str, document: str, row: SetRow) -> Example:
    original = str(row.get("orig_label") or row["label"])
    supported = float(row["label"] == "supported")
    labels = {"supported": supported}
    if supported:
        labels |= {"partly": 1.0, "against": 0.0}
    elif original in ("partially_supported", "Partial"):
        labels |= {"partly": 1.0}
    elif name in ("fever_symmetric", "fm2"):
        labels |= {"partly": 0.0, "against": 1.0}
    elif name == "scitail":
        labels |= {"partly": 0.0, "against": 0.0}
    elif original in ("not_supported", "Generic", "Incomplete"):
        labels |= {"partly": 0.0}
    return Example("support", name, document, row["claim"], row["passage"], labels)


def read_texts(folder: Path) -> list[tuple[str, str]]:
    """(document, text) of the corpora without questions."""
    return [
        (f"{name}:{row['id']}", row["text"])
        for name in TEXTS
        for row in rows(folder / name / "corpus.jsonl.gz")
    ]


def by_document(examples: list[Example]) -> dict[str, list[Example]]:
    """The examples of each document, in their order."""
    documents: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        documents[example.document].append(example)
    return documents
