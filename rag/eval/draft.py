"""A library's own documents -> a draft of a question file: definite facts with their place, and near misses without an answer.

No model writes: questions are made by rule (`asking`), so they are few and plain. A near miss is such a question with its name
exchanged for one that the library uses in the same place, or with its number exchanged, of which the document says nothing and
nothing like it is found by searching. Whoever reviews the draft sets "review" of each line to "accept" or "reject", or edits the
line. Each line holds the hash of its document's text and its span, so that a later run can say that the document has changed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rag.domain import Document, Listing, Passage, Span
from rag.errors import Usage
from rag.eval.question_rules import RuleQuestion, cloze_from, proper_names, question_from
from rag.text import facts
from rag.text.sentences import split_sentences

MOST_DOCUMENTS = 500  # read for one draft; the seed draws them from a larger library
_KINDS = (
    "university college school institute academy|assembly council parliament senate congress committee commission|court|"
    "party movement union league alliance federation association society organisation organization|church cathedral abbey|"
    "war battle siege revolution rebellion uprising|treaty act charter convention agreement constitution|"
    "river lake sea ocean bay strait|company corporation bank group|ministry department office agency|museum library theatre|"
    "empire dynasty kingdom republic|bridge tower palace castle stadium airport|award prize cup championship"
)
_KIND = {word: kinds.split()[0] for kinds in _KINDS.split("|") for word in kinds.split()}
_PLACES = (
    "in",
    "at",
    "from",
    "near",
    "by",
    "against",
    "with",
)  # words before a name that tell what it is
NEAR_MISSES = 1 / 3  # share of the draft
_LOOKED = 10  # passages that are searched for what a near miss asks
_TRIES = 8  # other names for one question


class Bot(Protocol):
    """What a draft asks of the front door."""

    def documents(self) -> tuple[Listing, ...]: ...

    def document(self, name: str, /) -> Document: ...

    def search(self, question: str, limit: int, /) -> tuple[Passage, ...]: ...


@dataclass(frozen=True, slots=True)
class Fact:
    """A question by rule and the sentence it comes from."""

    document: Document
    span: Span
    asked: RuleQuestion


@dataclass(slots=True)
class _Read:
    """What was found in the documents that were read. `names`: by what they can stand in place of."""

    facts: list[Fact] = field(default_factory=list)
    clozes: list[Fact] = field(default_factory=list)
    names: dict[str, set[str]] = field(default_factory=dict)


def draft_questions(bot: Bot, many: int, seed: int = 0) -> list[dict[str, Any]]:
    """Up to `many` lines of a question file, by document, the near misses among them. Raises `Usage` where there is none."""
    chance = random.Random(seed)  # noqa: S311 - a draw that can be repeated, not a secret
    read = _reading(bot, chance)
    spread = _spread(read.facts, chance)
    missing = list(_near_misses(bot, spread, read.names, round(many * NEAR_MISSES), chance))
    wanted = many - len(missing)
    chosen = spread[:wanted]
    chosen += _spread(read.clozes, chance)[: wanted - len(chosen)]
    if not chosen:
        raise Usage("no sentence of the library gives a question by rule", "add documents of English prose, or write the questions yourself")  # fmt: skip
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


def _place(line: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = line["evidence"][0] if line["evidence"] else line["near"]
    return place


def _reading(bot: Bot, chance: random.Random) -> _Read:
    """All facts, forms with a gap and names of (a draw of) the documents."""
    ids = sorted({item.id for item in bot.documents() if item.state == "ready" and item.id})
    if len(ids) > MOST_DOCUMENTS:
        ids = sorted(chance.sample(ids, MOST_DOCUMENTS))
    read = _Read()
    for name in ids:
        document = bot.document(name)
        common = set(re.findall(r"(?<![\w.])[a-z]{3,}\b", document.text))
        for span in split_sentences(document.text):
            if any(masked.overlaps(span) for masked in document.mask):
                continue
            sentence = " ".join(span.of(document.text).split())
            asked = question_from(sentence, common)
            blank = None if asked else cloze_from(sentence)
            if asked and asked.answer in sentence:
                read.facts.append(Fact(document, span, asked))
            elif blank:
                read.clozes.append(Fact(document, span, blank))
            _remember(sentence, read.names)
    return read


def _remember(sentence: str, found: dict[str, set[str]]) -> None:
    for name in proper_names(sentence):
        kind = _kind(sentence, name)
        if kind and len(name) > 2 and re.fullmatch(r"[\w .-]+", name):
            found.setdefault(kind, set()).add(name)


def _kind(text: str, name: str) -> str:
    """What another name must have in common with this one to stand in its place; "" where that is not known.

    A word that says what it is (a university, a river); else, for a plain name, the word before it and how long it is.
    """
    told = [_KIND[word] for word in name.lower().split() if word in _KIND]
    if told:
        return f"{told[-1]} {' of ' in name}"
    before = re.search(rf"\b([a-z]+) {re.escape(name)}(?![\w'’]|, [A-Z])", text)
    if before and before[1] in _PLACES:
        return f"{before[1]} {len(name.split())} {name.isupper()}"
    return ""


def _spread(found: Sequence[Fact], chance: random.Random) -> list[Fact]:
    """One of each document in turn, each document's in a drawn order; no question twice."""
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


def _line(fact: Fact) -> dict[str, Any]:
    return {
        "question": fact.asked.question,
        "answers": [fact.asked.answer],
        "evidence": [_at(fact)],
        "answerable": True,
        "type": fact.asked.kind,
        "review": "draft",
    }


def _at(fact: Fact) -> dict[str, Any]:
    """Where a fact stands: source, words, hash of the document's text and span."""
    quote = fact.span.of(fact.document.text)
    return {
        "source": fact.document.source, "quote": quote, "document": fact.document.id,
        "start": fact.span.start, "end": fact.span.end,
    }  # fmt: skip


def _near_misses(
    bot: Bot, facts_: Sequence[Fact], others: dict[str, set[str]], many: int, chance: random.Random
) -> Iterator[dict[str, Any]]:
    """Questions that look like one of these and have no answer in the library, as far as a search can tell: one of each
    fact, then a second of each, until there are enough."""
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
                    "question": fact.asked.question.replace(*found, 1), "answers": [], "evidence": [], "answerable": False,
                    "type": "near_miss", "review": "draft", "near": _at(fact) | {"swapped": list(found)},
                }  # fmt: skip
        waiting = left


def _swaps(
    fact: Fact, others: dict[str, set[str]], chance: random.Random
) -> Iterator[tuple[str, str]]:
    """What may be exchanged in the question, and for what: names that its document lacks first, then numbers."""
    question, text = fact.asked.question, facts.fold_text(fact.document.text)
    tries = 0
    for old in proper_names(question):
        fit = [
            name
            for name in sorted(others.get(_kind(question, old), ()))
            if facts.fold_text(name) not in text
        ]
        for new in chance.sample(fit, min(_TRIES, len(fit))):
            if tries < _TRIES and not set(facts.content_stems(new)) & set(
                facts.content_stems(question.replace(old, ""))
            ):
                tries += 1
                yield old, new
    for match in re.finditer(r"(?<![\w.,-])\d{2,4}(?![\w.,-]*\w)", question):
        near = [str(int(match[0]) + step) for step in (-7, 3, 11, -19)]
        yield from ((match[0], n) for n in near if int(n) > 1 and n not in text)


def _lacks(bot: Bot, question: str, swapped: str) -> bool:
    """Does no passage that the question finds hold the new name beside half of the question's other words?"""
    new = set(facts.content_stems(swapped))
    asked = set(facts.content_stems(question)) - new
    for passage in bot.search(question, _LOOKED):
        have = set(
            facts.content_stems(
                f"{passage.chunk.title} {passage.chunk.heading} {passage.chunk.text}"
            )
        )
        if new <= have and 2 * len(asked & have) >= len(asked):
            return False
    return bool(asked)
