"""Makes examples for the part reader: a question with one sentence, row or item of a text.

Its headings stand before it. The part that answers is positive; negative are parts of the same
document that share words with the question, the row without the cell that answers, and parts beside
which people wrote questions that they do not answer. The sets are those of
`rag.training.datasets`, three more of questions, and the rows of WikiTableQuestions; to them come
the questions of `rag.training.everyday`.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.answer.spans import sentence_before
from rag.domain import Span
from rag.text import facts
from rag.text.sentences import split_sentences
from rag.training import datasets
from rag.training.examples import Example, SetRow, locate, rows, side
from rag.training.synthetic import contains_answer

#: how many questions are drawn of each set that `datasets` reads
_QUESTIONS = {
    "squad": 2500,
    "squadshifts_new_wiki": 1800,
    "timeqa_human": 500,
    "tatqa_text": 300,
    "clapnq": 400,
    "selqa": 1200,
    "qamr": 800,
    "privacyqa": 4000,
}
#: the same of the other sets of questions with a passage each
_MORE_QUESTIONS = {
    "nq_oracle": 2000,
    "squad2_train_part": 1800,
    "nomiracl_en_nonrelevant": 900,
}
_TABLE_QUESTIONS = 1500
_TABLES = "wikitablequestions_train"
#: sets whose documents are named as a reader would name them
_TITLED = ("squad", "squadshifts_new_wiki")
_WITH_TITLE = 0.75  # share of the sentences that are read after the title of their document
_OTHER_PASSAGES = 3  # of the same document, from which negative sentences are taken
_NEGATIVES = 2
_MIN_CHARS = 15  # of a negative sentence
_MAX_ROW_CHARS = 600
_WITHOUT_CELL = 0.6  # share of the rows that are also shown without the cell that answers
#: words of questions that one row does not answer
_COMPARES = frozenset(
    "most least highest lowest largest smallest longest shortest earliest latest first last next "
    "previous after before between above below top more less than how many total average only "
    "other same difference each every both all times".split()
)


def input_files(folder: Path) -> list[Path]:
    """Every file that these examples are made from, besides those of `datasets`."""
    more = [folder / "questions" / f"{name}.jsonl.gz" for name in _MORE_QUESTIONS]
    return [*more, tables_file(folder)]


def tables_file(folder: Path) -> Path:
    """The file of the questions over tables."""
    return folder / "tables" / f"{_TABLES}.jsonl.gz"


def part_example(
    question: str,
    path: str,
    text: str,
    answers: bool,
    document: str,
    origin: str,
    place: Span | None = None,
) -> Example:
    """A question with a part after its path; the short answer is at `place` of `text`, if known."""
    head = f"{path}\n" if path else ""
    labels = {"answers": float(answers), "helps": float(answers)}
    span = Span(len(head) + place.start, len(head) + place.end) if place else None
    return Example("read", origin, document, question, head + text, labels, span)


class PartExamples:
    """Draws the examples of an epoch from the sets below `folder`; training documents only."""

    def __init__(self, folder: Path) -> None:
        self._by_set = defaultdict[str, list[Example]](list)
        self._passages = defaultdict[str, set[str]](set)
        for example in datasets.read_questions(folder):
            if side(example.document) == "train":
                self._by_set[example.origin].append(example)
                self._passages[example.document].add(example.second)
        self._more = {
            name: _training_rows(name, rows(folder / "questions" / f"{name}.jsonl.gz"))
            for name in _MORE_QUESTIONS
        }
        self._tables = rows(tables_file(folder))

    def draw(self, seed: int, share: float = 1.0) -> list[Example]:
        """The examples of an epoch, in no particular order; `share` of the usual number."""
        chance = random.Random(seed)
        found: list[Example] = []
        for name, count in _QUESTIONS.items():
            known = self._by_set[name]
            for example in chance.sample(known, min(int(share * count), len(known))):
                found += self._of_set(name, example, chance)
        for name, count in _MORE_QUESTIONS.items():
            known_rows = self._more[name]
            for row in chance.sample(known_rows, min(int(share * count), len(known_rows))):
                found += _of_row(name, row, known_rows, chance)
        found += self._of_tables(int(share * _TABLE_QUESTIONS), chance)
        chance.shuffle(found)
        return found

    def _of_set(self, name: str, example: Example, chance: random.Random) -> Iterator[Example]:
        document = example.document
        if name == "privacyqa":  # each passage is one clause
            answers = bool(example.labels["helps"])
            path = "Privacy policy" if chance.random() < 0.5 else ""
            yield part_example(example.first, path, example.second, answers, document, name)
            return
        answered = example.labels.get("answers") or example.labels.get("helps")
        if not answered and example.labels.get("answers") != 0.0:
            return
        title = document.partition(":")[2].split("#")[0] if name in _TITLED else ""
        others = sorted(self._passages[document] - {example.second})
        others = chance.sample(others, min(_OTHER_PASSAGES, len(others)))
        yield from _of_passage(example, title, others, chance)

    def _of_tables(self, most: int, chance: random.Random) -> Iterator[Example]:
        drawn, count = chance.sample(self._tables, len(self._tables)), 0
        for row in drawn:
            if count == most:
                return
            made = list(_of_table(row, chance))
            count += bool(made)
            yield from made


def _training_rows(name: str, table: Sequence[SetRow]) -> list[SetRow]:
    return [row for row in table if side(f"{name}:{row['document']}") == "train"]


def _of_row(
    name: str, row: SetRow, table: Sequence[SetRow], chance: random.Random
) -> Iterator[Example]:
    """The examples of a row with a passage; negatives are also taken from its document."""
    title, passage, question = row["document"].split("#")[0], row["passage"], row["question"]
    if name == "nq_oracle":
        passage = passage.removeprefix(row["document"]).lstrip(". ")
        if chance.random() < 0.6:  # they are typed without capital and question mark
            question = question[:1].upper() + question[1:] + "?"
    answered = row["answerable"]
    example = Example(
        "read",
        name,
        f"{name}:{row['document']}",
        question,
        passage,
        {"answers": float(answered)},
        answers=tuple(row["answers"]) if answered else (),
    )
    yield from _of_passage(example, title, (), chance)


def _of_passage(
    example: Example, title: str, others: Sequence[str], chance: random.Random
) -> Iterator[Example]:
    """The sentence of a passage that answers, and those that share most words and do not."""
    question, passage, answers = example.first, example.second, example.answers
    path = title.replace("_", " ").strip() if chance.random() < _WITH_TITLE else ""
    if answers:
        found = _answering(question, passage, answers)
        if not found:
            return
        text, before, place = found
        head = "\n".join(filter(None, (path, before)))
        yield part_example(question, head, text, True, example.document, example.origin, place)
    sentences = {
        span.of(text).strip(): sentence_before(text[: span.start])
        for text in (passage, *others)
        for span in split_sentences(text)
    }
    wrong = [
        s for s in sorted(sentences) if len(s) > _MIN_CHARS and not contains_answer(s, answers)
    ]
    for sentence in _most_alike(question, wrong, chance)[: _NEGATIVES if answers else 1]:
        head = "\n".join(filter(None, (path, sentences[sentence])))
        yield part_example(question, head, sentence, False, example.document, example.origin)


def _answering(question: str, passage: str, answers: Sequence[str]) -> tuple[str, str, Span] | None:
    """The sentence that has the answer, the one before it, and the place of the answer in it."""
    place = locate(question, passage, answers)
    for span in split_sentences(passage):
        if place and place.within(span):
            own = Span(place.start - span.start, place.end - span.start)
            return span.of(passage), sentence_before(passage[: span.start]), own
    return None


def _most_alike(question: str, texts: Sequence[str], chance: random.Random) -> list[str]:
    """The texts, those that share most words with the question first."""
    stems = set(facts.content_stems(question))
    return sorted(
        texts, key=lambda t: -len(stems.intersection(facts.content_stems(t))) - chance.random()
    )


def _of_table(row: SetRow, chance: random.Random) -> Iterator[Example]:
    """The row of a table with the one cell that answers, other rows, and the row without it."""
    question, document = row["question"], f"wtq:{row['document']}"
    words = set(re.findall(r"\w+", question.lower()))
    if not row.get("answer_in_cell") or len(row["answers"]) != 1 or words & _COMPARES:
        return
    if side(document) != "train":
        return
    table, wanted = row["table"], row["answers"][0].strip().lower()
    places = [
        (number, column)
        for number, cells in enumerate(table["rows"])
        for column, cell in enumerate(cells)
        if cell.strip().lower() == wanted
    ]
    if len({number for number, _ in places}) != 1:
        return
    number, column = places[0]
    texts = [_as_text(table["header"], cells) for cells in table["rows"]]
    text = texts[number]
    stems = set(facts.content_stems(question))
    if len(text) > _MAX_ROW_CHARS or not stems.intersection(facts.content_stems(text)):
        return
    path = table.get("title") or "" if chance.random() < _WITH_TITLE else ""
    value = table["rows"][number][column]
    at = len(_as_text(table["header"], [*table["rows"][number][:column], value])) - len(value)
    cell = Span(at, at + len(value))
    yield part_example(question, path, text, True, document, "wtq", cell)
    others = [t for place, t in enumerate(texts) if place != number]
    for other in _most_alike(question, others, chance)[:_NEGATIVES]:
        yield part_example(question, path, other[:_MAX_ROW_CHARS], False, document, "wtq")
    if chance.random() < _WITHOUT_CELL:
        rest = [cell if place != column else "" for place, cell in enumerate(table["rows"][number])]
        without = _as_text(table["header"], rest)
        yield part_example(question, path, without, False, document, "wtq without the cell")


def _as_text(header: Sequence[str], cells: Sequence[str]) -> str:
    """A row as it is read: "name: value; name: value"."""
    pairs = zip(header, cells, strict=False)
    return "; ".join(f"{name}: {value}" for name, value in pairs if value.strip())
