"""The question and claim sets that may train weights, each brought to `Example`s. What is marked "measure only" has no reader here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.training.examples import Example, groups, locate, rows

#: files below the data folder that are read, in the order in which they are read
QUESTIONS = ("squad11", "squad2", "clapnq")
TRAIN_QA = (
    "squadshifts_new_wiki", "qamr", "qadiscourse", "timeqa_human", "tatqa_text", "selqa", "privacyqa"
)  # fmt: skip
CLAIMS = ("wice", "expertqa", "begin", "fever_symmetric", "fm2", "scitail")
TEXTS = ("peps", "cpp_docs")


def input_files(folder: Path) -> list[Path]:
    """Every file that training reads."""
    found = [
        folder / name / f"{part}.jsonl.gz" for name in QUESTIONS for part in ("corpus", "questions")
    ]
    found += [folder / "train_qa" / f"{name}.jsonl.gz" for name in TRAIN_QA]
    found += [folder / "claims" / f"{name}.jsonl.gz" for name in CLAIMS]
    return found + [folder / name / "corpus.jsonl.gz" for name in TEXTS]


def read_questions(folder: Path) -> list[Example]:
    """All question sets. A question that stands in two sets is taken once."""
    out, seen = [], set()
    for example in _questions(folder):
        key = (example.first, example.second)
        if key not in seen:
            seen.add(key)
            out.append(example)
    return out


def _questions(folder: Path) -> Iterator[Example]:
    for name in QUESTIONS:
        yield from _with_corpus(folder, name)
    for name in TRAIN_QA:
        for row in rows(folder / "train_qa" / f"{name}.jsonl.gz"):
            yield from _with_passage(name, row)


def _with_corpus(folder: Path, name: str) -> Iterator[Example]:
    corpus = {row["id"]: row for row in rows(folder / name / "corpus.jsonl.gz")}
    origin = "squad" if name.startswith("squad") else name
    for row in rows(folder / name / "questions.jsonl.gz"):
        place = str(row["evidence"][0]["doc_id"] if row["evidence"] else row.get("near_doc_id"))
        if place not in corpus:
            continue
        passage = corpus[place]["text"]
        document = f"{origin}:{place.split('#')[0]}"
        if not row["answerable"]:
            labels = {"answers": 0.0} if name != "clapnq" else {"answers": 0.0, "helps": 0.0}
            yield Example("read", origin, document, row["question"], passage, labels)
        elif name == "clapnq":
            quotes = [q for e in row["evidence"] for q in e.get("quotes", [])]
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


def _with_passage(name: str, row: dict[str, Any]) -> Iterator[Example]:
    document = f"{name}:{row['document']}"
    question, passage = row["question"], row["passage"]
    if name in (
        "selqa",
        "privacyqa",
    ):  # whole sentences or clauses as answers: they tell what helps
        span = locate(question, passage, row["answers"][:1])
        helps = {"helps": float(row["answerable"])}
        yield Example("read", name, document, question, passage, helps, span, tuple(row["answers"]))
    elif row["answerable"]:
        yield _answered(name, document, question, passage, row["answers"])
    else:
        yield Example("read", name, document, question, passage, {"answers": 0.0})


def read_claims(folder: Path) -> list[Example]:
    """All claim sets, each class of each set weighing the same, held out by groups that share a claim or a passage."""
    out: list[Example] = []
    for name in CLAIMS:
        table = rows(folder / "claims" / f"{name}.jsonl.gz")
        named = groups([(r["claim"], r.get("document") or r["passage"]) for r in table], name)
        found = [_claim(name, document, row) for document, row in zip(named, table, strict=True)]
        share = Counter(e.labels["supported"] for e in found)
        weight = {label: len(found) / (2 * n) for label, n in share.items()}
        out += [replace(e, weight=weight[e.labels["supported"]]) for e in found]
    return out


def _claim(name: str, document: str, row: dict[str, Any]) -> Example:
    said = str(row.get("orig_label") or row["label"])
    supported = float(row["label"] == "supported")
    labels = {"supported": supported}
    if supported:
        labels |= {"partly": 1.0, "against": 0.0}
    elif said in ("partially_supported", "Partial"):
        labels |= {"partly": 1.0}
    elif name in ("fever_symmetric", "fm2"):
        labels |= {"partly": 0.0, "against": 1.0}
    elif said in ("not_supported", "Generic", "Incomplete") or name == "scitail":
        labels |= {"partly": 0.0, "against": 0.0} if name == "scitail" else {"partly": 0.0}
    return Example("support", name, document, row["claim"], row["passage"], labels)


def read_texts(folder: Path) -> list[tuple[str, str]]:
    """(document, text) of the corpora that have no questions."""
    out = []
    for name in TEXTS:
        out += [
            (f"{name}:{row['id']}", row["text"]) for row in rows(folder / name / "corpus.jsonl.gz")
        ]
    return out


def by_document(examples: list[Example]) -> dict[str, list[Example]]:
    """The examples of each document, in their order."""
    out: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        out[example.document].append(example)
    return out
