"""Drafts a question file from the documents of a library: facts, and near misses without an answer.

No model is used: questions are made by rule (`question_rules`), so they are few and plain. A near
miss is such a question with its name exchanged for one that the library uses in the same position,
or with its number exchanged. The document does not mention the new name or number, and a search
finds nothing like it. The user who reviews the draft sets "review" of each line to "accept" or
"reject", or edits the line. Each line has the hash of its document's text and its span, so that a
later run can report that the document has changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rag.domain import Document, Listing, Passage, Span
from rag.errors import Usage
from rag.eval.question_rules import RuleQuestion, cloze_from, proper_names, question_from
from rag.eval.records import DraftLine, PlaceLine, QuestionLine
from rag.text import facts
from rag.text.sentences import split_sentences

#: Documents read for one draft. They are drawn from a larger library by the seed.
MAX_DOCUMENTS = 500
_KINDS = (
    "university college school institute academy|assembly council parliament senate congress "
    "committee commission|court|"
    "party movement union league alliance federation association society organisation "
    "organization|church cathedral abbey|"
    "war battle siege revolution rebellion uprising|treaty act charter convention agreement "
    "constitution|"
    "river lake sea ocean bay strait|company corporation bank group|ministry department "
    "office agency|museum library theatre|"
    "empire dynasty kingdom republic|bridge tower palace castle stadium airport|award prize "
    "cup championship"
)
_KIND = {word: kinds.split()[0] for kinds in _KINDS.split("|") for word in kinds.split()}
#: Words before a name that show what it is.
_PREPOSITIONS = tuple("in at from near by against with".split())
#: Share of near misses in a draft.
NEAR_MISSES = 1 / 3
#: Passages that are searched for the answer to a near miss.
_MAX_PASSAGES = 10
#: Other names tried for one question.
_MAX_NAMES_TRIED = 8


class Bot(Protocol):
    """The methods of `rag.bot.Bot` that a draft calls."""

    def documents(self) -> tuple[Listing, ...]: ...

    def document(self, name: str, /) -> Document: ...

    def search(self, question: str, limit: int, /) -> tuple[Passage, ...]: ...


@dataclass(frozen=True, slots=True)
class Fact:
    """A question by rule and the sentence that it was made from."""

    document: Document
    span: Span
    asked: RuleQuestion


@dataclass(slots=True)
class _Material:
    """The facts and names of the documents. `names` are grouped by their kind."""

    facts: list[Fact] = field(default_factory=list)
    clozes: list[Fact] = field(default_factory=list)
    names: dict[str, set[str]] = field(default_factory=dict)


def draft_questions(bot: Bot, count: int, seed: int = 0) -> list[QuestionLine]:
    """Return up to `count` lines of a question file with near misses, ordered by document.

    Raises `Usage` if no sentence gives a question.
    """
    chance = random.Random(seed)  # noqa: S311 - a draw that can be repeated, not a secret
    material = _read_documents(bot, chance)
    spread = _spread(material.facts, chance)
    max_misses = round(count * NEAR_MISSES)
    missing = list(_near_misses(bot, spread, material.names, max_misses, chance))
    wanted = count - len(missing)
    chosen = spread[:wanted]
    chosen += _spread(material.clozes, chance)[: wanted - len(chosen)]
    if not chosen:
        raise Usage(
            "no sentence of the library gives a question by rule",
            "add documents of English prose, or write the questions yourself",
        )
    lines = [_line(fact) for fact in chosen] + missing
    lines.sort(
        key=lambda line: (
            _place(line)["source"],
            _place(line)["start"],
            line["answerable"] is False,
            line["question"],
        )
    )
    return [{"id": f"d{number:03}", **line} for number, line in enumerate(lines, 1)]


def _place(line: DraftLine) -> PlaceLine:
    return line["evidence"][0] if line["evidence"] else line["near"]


def _read_documents(bot: Bot, chance: random.Random) -> _Material:
    """Return the facts, cloze questions and names of the documents, or of a sample of them."""
    ids = sorted({item.id for item in bot.documents() if item.state == "ready" and item.id})
    if len(ids) > MAX_DOCUMENTS:
        ids = sorted(chance.sample(ids, MAX_DOCUMENTS))
    material = _Material()
    for document_id in ids:
        document = bot.document(document_id)
        common = set(re.findall(r"(?<![\w.])[a-z]{3,}\b", document.text))
        for span in split_sentences(document.text):
            if any(masked.overlaps(span) for masked in document.mask):
                continue
            sentence = " ".join(span.of(document.text).split())
            asked = question_from(sentence, common)
            blank = None if asked else cloze_from(sentence)
            if asked and asked.answer in sentence:
                material.facts.append(Fact(document, span, asked))
            elif blank:
                material.clozes.append(Fact(document, span, blank))
            _remember(sentence, material.names)
    return material


def _remember(sentence: str, found: dict[str, set[str]]) -> None:
    for name in proper_names(sentence):
        kind = _kind(sentence, name)
        if kind and len(name) > 2 and re.fullmatch(r"[\w .-]+", name):
            found.setdefault(kind, set()).add(name)


def _kind(text: str, name: str) -> str:
    """Return the kind of a name; names of one kind can be exchanged. "" if it is unknown.

    The kind is a word in the name (university, river), else the word before it and its length.
    """
    kinds = [_KIND[word] for word in name.lower().split() if word in _KIND]
    if kinds:
        return f"{kinds[-1]} {' of ' in name}"
    before = re.search(rf"\b([a-z]+) {re.escape(name)}(?![\w'’]|, [A-Z])", text)
    if before and before[1] in _PREPOSITIONS:
        return f"{before[1]} {len(name.split())} {name.isupper()}"
    return ""


def _spread(found: Sequence[Fact], chance: random.Random) -> list[Fact]:
    """Return the facts, one of each document in turn, shuffled, without duplicate questions."""
    by: dict[str, list[Fact]] = {}
    seen: set[str] = set()
    for fact in found:
        if fact.asked.question not in seen:
            seen.add(fact.asked.question)
            by.setdefault(fact.document.id, []).append(fact)
    for each in by.values():
        chance.shuffle(each)
    order = list(by.values())
    chance.shuffle(order)
    return [
        each[turn]
        for turn in range(max(map(len, order), default=0))
        for each in order
        if turn < len(each)
    ]


def _line(fact: Fact) -> DraftLine:
    return {
        "question": fact.asked.question,
        "answers": [fact.asked.answer],
        "evidence": [_at(fact)],
        "answerable": True,
        "type": fact.asked.kind,
        "review": "draft",
    }


def _at(fact: Fact) -> PlaceLine:
    """Return the place of a fact: source, quote, hash of the document's text, and span."""
    quote = fact.span.of(fact.document.text)
    return {
        "source": fact.document.source,
        "quote": quote,
        "document": fact.document.id,
        "start": fact.span.start,
        "end": fact.span.end,
    }


def _near_misses(
    bot: Bot, facts_: Sequence[Fact], others: dict[str, set[str]], many: int, chance: random.Random
) -> Iterator[DraftLine]:
    """Yield questions that look like those of the facts but that no passage found answers.

    There is one for each fact, then a second for each, until there are enough.
    """
    made = 0
    waiting = [(fact, _swaps(fact, others, chance)) for fact in facts_]
    while waiting and made < many:
        left = []
        for fact, swaps in waiting:
            found = next(
                (
                    (old, new)
                    for old, new in swaps
                    if _lacks(bot, fact.asked.question.replace(old, new, 1), new)
                ),
                None,
            )
            if found and made < many:
                made += 1
                left.append((fact, swaps))
                yield {
                    "question": fact.asked.question.replace(*found, 1),
                    "answers": [],
                    "evidence": [],
                    "answerable": False,
                    "type": "near_miss",
                    "review": "draft",
                    "near": {**_at(fact), "swapped": list(found)},
                }
        waiting = left


def _swaps(
    fact: Fact, others: dict[str, set[str]], chance: random.Random
) -> Iterator[tuple[str, str]]:
    """Yield what to exchange in the question and for what: names, then numbers.

    The document does not contain the new name or number.
    """
    question, text = fact.asked.question, facts.fold_text(fact.document.text)
    tries = 0
    for old in proper_names(question):
        fit = [
            name
            for name in sorted(others.get(_kind(question, old), ()))
            if facts.fold_text(name) not in text
        ]
        for new in chance.sample(fit, min(_MAX_NAMES_TRIED, len(fit))):
            if tries < _MAX_NAMES_TRIED and not set(facts.content_stems(new)) & set(
                facts.content_stems(question.replace(old, ""))
            ):
                tries += 1
                yield old, new
    for match in re.finditer(r"(?<![\w.,-])\d{2,4}(?![\w.,-]*\w)", question):
        near = [str(int(match[0]) + step) for step in (-7, 3, 11, -19)]
        yield from ((match[0], n) for n in near if int(n) > 1 and n not in text)


def _lacks(bot: Bot, question: str, swapped: str) -> bool:
    """Tell whether no passage found has the new name and half of the question's other words."""
    new = set(facts.content_stems(swapped))
    asked = set(facts.content_stems(question)) - new
    for passage in bot.search(question, _MAX_PASSAGES):
        have = set(
            facts.content_stems(
                f"{passage.chunk.title} {passage.chunk.heading} {passage.chunk.text}"
            )
        )
        if new <= have and 2 * len(asked & have) >= len(asked):
            return False
    return bool(asked)
