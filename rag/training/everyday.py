"""Makes training examples from the everyday documents and questions in the folder `everyday`.

The folder `everyday` beside this file has JSON lines, one document each: `name`, `text`, and
`questions`, each with `q`, and `line` with `short` if a line of the text answers it. `near` is the
line that a careless reader would quote; a question without `line` has one. Documents and questions
were written for Footnote; names, numbers and places in them are invented. The wheel does not hold
them.

The part reader learns from the documents of the side "train" (`rag.training.examples.side`). Those
of the side "test" are folders of cases, which the judge of answering is fitted to. So are those of
`everyday_folders`: each line there is a folder of one to four documents, with its questions. Those
of `held_out_folders` are for measuring only: nothing is fitted to them, and no single answer was
looked at.

    python -m rag.training.everyday FOLDER     # writes the held-out folders there, as cases
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict

from rag.answer.spans import Part, parts_of
from rag.domain import Passage, RawDocument, Span
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.load import parse_content
from rag.text import facts
from rag.training.examples import Example, side

FOLDER = Path(__file__).parent / "everyday"
FOLDERS = Path(__file__).parent / "everyday_folders"
HELD_OUT = Path(__file__).parent / "held_out_folders"
_NEGATIVES = 2  # parts that do not answer, of each question
_WHOLE = 100_000  # tokens of a chunk: a document is one
_MIN_PART = 8  # characters of a part that may be part of a line


class Asked(TypedDict, total=False):
    """A question; `line`, `short` and `near` are verbatim in the text."""

    q: str
    line: str | None
    short: str
    near: str


class Written(TypedDict):
    """A document with its questions."""

    name: str
    text: str
    questions: list[Asked]


class WrittenFolder(TypedDict):
    """Documents by the names of their files, with questions (`rag.training.near_misses`)."""

    name: str
    documents: dict[str, str]
    questions: list[dict[str, Any]]


def read_documents(wanted: str = "", folder: Path = FOLDER) -> list[tuple[str, Written]]:
    """Return each document of the side `wanted`, or of all, with its own name among all."""
    found = [
        (f"{path.stem}:{number}", json.loads(line))
        for path in sorted(folder.glob("*.jsonl"))
        for number, line in enumerate(path.read_text("utf-8").splitlines())
    ]
    return [(name, written) for name, written in found if wanted in ("", side(name))]


def write_cases(documents: Sequence[tuple[str, Written]], folder: Path) -> None:
    """Write each document with its questions as a case of its own (`rag.training.near_misses`).

    The questions do not name their document ("how much is the fee?"), so it is alone. A sentence
    answers if it has the short answer and is the line, or part of it. A document of another format
    than Markdown, text or CSV is text.
    """
    for name, written in documents:
        case = folder / name.replace(":", "-")
        (case / "docs").mkdir(parents=True, exist_ok=True)
        stem, suffix = os.path.splitext(os.path.basename(written["name"]))
        suffix = suffix if suffix in (".md", ".txt", ".csv") else ".txt"
        (case / "docs" / f"{stem}{suffix}").write_text(written["text"], "utf-8")
        questions = []
        for number, asked in enumerate(written["questions"]):
            line = asked.get("line") or ""
            answers = [asked["short"]] if line else []
            questions.append(
                {"id": f"{name}-{number}", "question": asked["q"], "line": line}
                | {"answers": answers, "answerable": bool(line)}
            )
        text = "".join(json.dumps(question) + "\n" for question in questions)
        (case / "questions.jsonl").write_text(text, "utf-8")


def read_folders(folder: Path = FOLDERS) -> list[WrittenFolder]:
    """Return the folders of all files, in the order of the files' names."""
    texts = (path.read_text("utf-8") for path in sorted(folder.glob("*.jsonl")))
    return [json.loads(line) for text in texts for line in text.splitlines()]


def write_folders(written: Sequence[WrittenFolder], folder: Path) -> None:
    """Write each folder as a case (`rag.training.near_misses`)."""
    for one in written:
        for name, text in one["documents"].items():
            path = folder / one["name"] / "docs" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        lines = "".join(json.dumps(question) + "\n" for question in one["questions"])
        (folder / one["name"] / "questions.jsonl").write_text(lines, "utf-8")


def examples(documents: Sequence[tuple[str, Written]], seed: int) -> list[Example]:
    """The examples of all questions, in no particular order.

    Negative are the near line and the parts that share most words with the question.
    """
    chance = random.Random(seed)
    found = [e for name, written in documents for e in _of_document(name, written, chance)]
    chance.shuffle(found)
    return found


def _of_document(name: str, written: Written, chance: random.Random) -> Iterator[Example]:
    parts = document_parts(written["name"], written["text"])
    own = [flat(text) for _, text in parts]
    for asked in written["questions"]:
        yield from _of_question(name, asked, [part for part, _ in parts], own, chance)


def _of_question(
    name: str, asked: Asked, parts: Sequence[Part], own: Sequence[str], chance: random.Random
) -> Iterator[Example]:
    question, short = asked["q"], flat(asked.get("short") or "")
    line, near = flat(asked.get("line") or ""), flat(asked.get("near") or "")
    right = [at for at, text in enumerate(own) if same_line(line, text)]
    if line and not right:
        return
    if right:
        at = next((at for at in right if short in own[at]), right[0])
        yield _example(name, question, parts[at], asked.get("short") or "", True)
    wrong = [at for at in range(len(parts)) if at not in right]
    if short:
        wrong = [at for at in wrong if short not in own[at]]
    stems = set(facts.content_stems(question))
    order = sorted(
        wrong,
        key=lambda at: (
            not same_line(near, own[at]),
            -len(stems.intersection(facts.content_stems(parts[at].reader_view.text)))
            - 1.5 * chance.random(),
        ),
    )
    for at in order[:_NEGATIVES]:
        yield _example(name, question, parts[at], "", False)


def same_line(line: str, part: str) -> bool:
    """Is a line in a part, or a part in a line? Both are `flat`."""
    return bool(line) and (line in part or (len(part) > _MIN_PART and part in line))


def _example(name: str, question: str, part: Part, short: str, answers: bool) -> Example:
    text = part.reader_view.text
    at = text.lower().rfind(short.lower()) if short else -1
    span = Span(at, at + len(short)) if at >= 0 else None
    labels = {"answers": float(answers), "helps": float(answers)}
    return Example("read", "everyday", name, question, text, labels, span)


def document_parts(name: str, text: str) -> list[tuple[Part, str]]:
    """The parts of a document as the product reads it, each with its own text."""
    found = list[tuple[Part, str]]()
    for raw in parse_content(os.path.splitext(name)[1].lower() or ".txt", text.encode()):
        if not isinstance(raw, RawDocument):
            continue
        document = clean_document(raw, name)
        for chunk in chunk_document(document, _WHOLE, _tokens):
            for part in parts_of("", Passage(1, chunk, 1.0)):
                found.append((part, part.span.of(document.text)))
    return found


def _tokens(texts: Sequence[str]) -> list[int]:
    return [len(text) // 4 + 1 for text in texts]


def flat(text: str) -> str:
    """The text in lower case, with single blanks."""
    return " ".join(text.split()).lower()


def main() -> None:
    """Write the held-out folders as cases."""
    parser = argparse.ArgumentParser(prog="python -m rag.training.everyday")
    parser.add_argument("folder", type=Path, help="where the cases are written")
    write_folders(read_folders(HELD_OUT), parser.parse_args().folder)


if __name__ == "__main__":
    main()
