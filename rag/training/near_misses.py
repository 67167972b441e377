"""Makes near misses as the search finds them, and writes what the judge sees of each sentence.

    python -m rag.training.near_misses DATA WORK OUT.jsonl [--questions 200] [--everyday 60]
                                       [--cases FOLDER ...]

Of each set one library is made. Each question is searched in it by the product itself. Of a
question with an answer there are three variants: as it is; without every passage that has an
answer; and with the sentence of the answer removed from its passage. Each line of OUT is one
sentence: its signals (`rag.answer.judge`) and whether it answers. Questions on documents that the
models were trained on are left out.

A folder of cases has a folder for each case: `docs` with its documents, and `questions.jsonl` with
`id`, `question`, `answerable`, `answers`, and `must_not`, which stands in sentences that do not
answer, or `line`, which is the one that does. The everyday documents that the part reader did not
learn from (`rag.training.everyday`) are made such folders, and the folders written for the fit are
read with them; `--everyday 0` leaves both out.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rag import Bot, Config
from rag.answer.judge import Judged, judge_each
from rag.answer.lookup import likely_places
from rag.answer.mentions import missing_names
from rag.answer.reader import Reader
from rag.answer.scope import passages_in_scope, without_sources
from rag.domain import Passage, Span
from rag.eval.fit_juror import has_answer
from rag.text.sentences import split_sentences
from rag.training import everyday
from rag.training.examples import SetRow, rows, side

#: sets with a corpus of their own; those that have a passage in each row
_WITH_CORPUS = ("squad2", "clapnq")
_WITH_PASSAGES = (
    "questions/squad2_train_part",
    "questions/nq_oracle",
    "questions/nomiracl_en_nonrelevant",
    "train_qa/squadshifts_new_wiki",
)
#: the prefix of the documents of each set in training
_PREFIXES = {"squad2": "squad:"}
_SEARCHED, _READ = 7, 5
_MIN_CUT_CHARS = 60  # characters of a passage without its sentence

Line = dict[str, object]  #: what the judge sees of a sentence, and whether it answers


class Asked(NamedTuple):
    """A question with its answers, and the document that has them."""

    id: str
    question: str
    answers: tuple[str, ...]
    source: str
    group: str  #: the document by which sets are divided


class Corpus(NamedTuple):
    """The documents of a set, as lines of a corpus file, and its questions."""

    name: str
    documents: list[dict[str, str]]
    questions: list[Asked]


def corpora(data: Path) -> Iterator[Corpus]:
    """Yield each set."""
    for name in _WITH_CORPUS:
        table = rows(data / name / "questions.jsonl.gz")
        documents = [
            {"id": row["id"], "title": str(row.get("title", "")), "text": row["text"]}
            for row in rows(data / name / "corpus.jsonl.gz")
        ]
        yield Corpus(name, documents, [_with_corpus(name, row) for row in table])
    for path in _WITH_PASSAGES:
        yield _with_passages(path.rpartition("/")[2], rows(data / f"{path}.jsonl.gz"))


def _with_corpus(name: str, row: SetRow) -> Asked:
    gold = row["evidence"][0] if row["evidence"] else {}
    source = str(gold.get("doc_id") or row.get("near_doc_id"))
    answers = gold.get("quotes") or row["answers"]
    group = f"{_PREFIXES.get(name, f'{name}:')}{source.split('#')[0]}"
    return Asked(row["id"], row["question"], tuple(answers), source, group)


def _with_passages(name: str, table: Sequence[SetRow]) -> Corpus:
    documents: dict[str, dict[str, str]] = {}
    questions = []
    for row in table:
        title = row["document"].split("#")[0].replace("_", " ")
        document = documents.setdefault(
            row["passage"],
            {"id": f"{name}{len(documents)}", "title": title, "text": row["passage"]},
        )
        group = f"{name}:{row['document']}"
        questions.append(
            Asked(row["id"], row["question"], tuple(row["answers"]), document["id"], group)
        )
    return Corpus(name, list(documents.values()), questions)


def sample(corpus: Corpus, most: int, chance: random.Random) -> list[Asked]:
    """At most `most` questions on documents that no model was trained on."""
    asked = [question for question in corpus.questions if side(question.group) != "train"]
    return chance.sample(asked, min(most, len(asked)))


def without_answer(passage: Passage, answers: Sequence[str]) -> Passage | None:
    """The passage without the sentences that have an answer; None if too little is left."""
    chunk = passage.chunk
    sentences = [span.of(chunk.text) for span in split_sentences(chunk.text)]
    kept = [sentence for sentence in sentences if not has_answer(sentence, answers)]
    text = " ".join(kept)
    if len(kept) == len(sentences) or len(text) < _MIN_CUT_CHARS or has_answer(text, answers):
        return None
    end = chunk.span.start + len(text)
    return replace(
        passage, chunk=replace(chunk, text=text, span=Span(chunk.span.start, end), units=())
    )


def variants(asked: Asked, found: Sequence[Passage]) -> Iterator[tuple[str, list[Passage]]]:
    """Yield each variant with the passages that are read."""
    yield ("as" if asked.answers else "natural"), list(found[:_READ])
    if not asked.answers:
        return
    gold = [
        p
        for p in found
        if p.chunk.source == asked.source or has_answer(p.chunk.text, asked.answers)
    ]
    rest = [p for p in found if p not in gold]
    yield "out", rest[:_READ]
    own = next((p for p in gold if p.chunk.source == asked.source), None)
    if own and (cut := without_answer(own, asked.answers)):
        yield "cut", sorted([cut, *rest[: _READ - 1]], key=lambda p: p.number)


def lines(corpus: Corpus, asked: Asked, bot: Bot, reader: Reader) -> Iterator[Line]:
    """Yield a line for each sentence that is judged."""
    found = bot.search(asked.question, _SEARCHED)
    for variant, given in variants(asked, found):
        for one in _judged(asked.question, given, reader):
            right = variant == "as" and has_answer(one.reading.sentence, asked.answers)
            yield _line(corpus.name, asked.group, asked.id, variant, one, right)


@contextmanager
def open_case(case: Path, home: Path) -> Iterator[tuple[Bot, Reader, list[dict[str, Any]]]]:
    """A bot over the documents of a case, its reader, and the questions that one sentence answers.

    Follow-up questions are left out, and lists and what must be worked out.
    """
    text = (case / "questions.jsonl").read_text("utf-8")
    asked = [{"answers": [], "answerable": True} | json.loads(line) for line in text.splitlines()]
    with Bot.open(Config(home=str(home))) as bot:
        for _ in bot.add([str(case / "docs")]):
            pass
        reader = bot.machines.writer()
        assert isinstance(reader, Reader)
        kept = [
            row
            for row in asked
            if not (row.get("follow") or row.get("abstain_ok"))
            and (row["answers"] or not row["answerable"])
        ]
        yield bot, reader, kept


def case_lines(case: Path, home: Path) -> Iterator[Line]:
    """Yield a line for each sentence that is judged of the questions of a case."""
    with open_case(case, home) as (bot, reader, questions):
        for row in questions:
            question = row["question"]
            found = bot.search(question, _READ)
            if missing_names(question, found):
                continue  # no passage is read
            if likely_places(question, found, bot.machines.part_logits):
                continue
            variant = "as" if row["answerable"] else "natural"
            for one in _judged(question, found, reader):
                right = is_right(row, one.reading.sentence)
                yield _line("everyday", case.name, row["id"], variant, one, right)


def is_right(row: Mapping[str, Any], sentence: str) -> bool:
    """Does a sentence answer the question of a case?"""
    line = everyday.flat(row.get("line") or "")
    return (
        row["answerable"]
        and has_answer(sentence, row["answers"])
        and not has_answer(sentence, row.get("must_not") or ())
        and (not line or everyday.same_line(line, everyday.flat(sentence)))
    )


def _judged(question: str, given: Sequence[Passage], reader: Reader) -> list[Judged]:
    passages = [replace(p, number=number) for number, p in enumerate(given, 1)]
    question = without_sources(question, passages)
    scoped = passages_in_scope(question, passages)
    readings = [r for found in reader.read_each(question, scoped) for r in found]
    return judge_each(question, readings, reader.fit)


def _line(name: str, group: str, key: str, variant: str, one: Judged, right: bool) -> Line:
    return {
        "set": name,
        "group": group,
        "id": key,
        "variant": variant,
        "passage": one.reading.passage.number,
        "answers": right,
        "ruled_out": one.ruled_out,
        "signals": dict(one.signals),
    }


def main() -> None:
    """Make the libraries and write the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("work", type=Path, help="where the libraries are made")
    parser.add_argument("out", type=Path)
    parser.add_argument("--questions", type=int, default=200, help="of each set")
    parser.add_argument("--everyday", type=int, default=60, help="everyday documents")
    parser.add_argument("--cases", type=Path, nargs="*", default=(), help="folders of cases")
    options = parser.parse_args()
    chance = random.Random(0)
    documents = everyday.read_documents("test")
    documents = chance.sample(documents, min(options.everyday, len(documents)))
    written = options.work / "everyday" / "cases"
    shutil.rmtree(options.work / "everyday", ignore_errors=True)  # an earlier run had others
    shutil.rmtree(options.work / "homes" / "cases", ignore_errors=True)
    everyday.write_cases(documents, written)
    if options.everyday:
        everyday.write_folders(everyday.read_folders(), written)
    with options.out.open("w", encoding="utf-8") as out:
        for folder in (written, *options.cases):
            for case in sorted(path.parent for path in folder.glob("*/questions.jsonl")):
                for line in case_lines(case, options.work / "homes" / folder.name / case.name):
                    out.write(json.dumps(line) + "\n")
        for corpus in corpora(options.data) if options.questions else ():
            home = options.work / corpus.name
            home.mkdir(parents=True, exist_ok=True)
            file = home / "corpus.jsonl"
            file.write_text("".join(json.dumps(d) + "\n" for d in corpus.documents), "utf-8")
            with Bot.open(Config(home=str(home), rerank=_SEARCHED)) as bot:
                for _ in bot.add([str(file)]):
                    pass
                reader = bot.machines.writer()
                assert isinstance(reader, Reader)
                for asked in sample(corpus, options.questions, chance):
                    for line in lines(corpus, asked, bot, reader):
                        out.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
