"""Synthetic examples: near misses of questions, and true and false sentences about passages.

* A question with another paragraph of its document, with its own paragraph without the answering
  sentence, or with a name, number or word exchanged: not answered. The authors of SQuAD 2.0 wrote
  such questions by hand.
* A question, or a claim as a search query, with a passage of another document that shares words
  with it: the passage does not help.
* A sentence of a passage, reworded: supported. With one fact exchanged: not supported. A sentence
  of another part of the document: not supported.
* A passage among unrelated ones: the labels of the pair stay. Chunks of real documents contain more
  than the answer, but most sets have passages of one or two sentences.
* Question and answer as a statement ("Who wrote X?", "Y": "Y wrote X"): supported. With another
  answer: not supported.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rag.domain import Span
from rag.text import facts
from rag.text.sentences import split_sentences
from rag.training import edits
from rag.training.examples import Example, window

_VERB = (
    r"\w{2,}ed|wrote|took|gave|found|became|made|held|told|won|led|began|ran|said|came|went|saw|"
    r"left|built|sent|lost|met|set|wore|drew|drove|grew|knew|spoke|spent|taught|thought|brought|"
    r"bought|caught|fought|kept|put|read|rose|sang|sold|understood|causes|makes|contains|includes|"
    r"provides|requires|allows|means|shows|gives|uses|controls|owns|produces|describes|defines"
)
_SUBJECT = re.compile(
    rf"^(?:who|what|which(?: \w+){{1,3}}?|what (?:\w+ ){{0,2}}?\w+)\s+({_VERB})\b"
    r"(?! (?:he|she|it|they)\b)(.*)\?$",
    re.I,
)
_COPULA = re.compile(r"^(?:who|what)\s+(is|are|was|were)\s+(.{8,})\?$", re.I)
_TIME = re.compile(
    r"^(?:when|in what year|what year|in which year)\s+(was|were|is|are)\s+(.+)\s"
    r"(\w+ed|born|built|made|held|won|sold|written)\s*\?$",
    re.I,
)
_PLAIN = re.compile(r"^[A-Za-z0-9\"'].{40,360}[.!?]$", re.S)


def near_misses(
    example: Example, neighbours: Sequence[str], chance: random.Random
) -> Iterator[Example]:
    """Questions similar to this one that their passage does not answer.

    `neighbours` are other passages of the document.
    """
    unanswered = {"answers": 0.0}
    roll = chance.random()
    if roll < 0.30 and neighbours:
        stems = set(facts.content_stems(example.first))
        drawn = chance.sample(list(neighbours), min(8, len(neighbours)))
        drawn = [p for p in drawn if not contains_answer(p, example.answers)]
        if drawn:
            closest = max(drawn, key=lambda p: len(stems & set(facts.content_stems(p))))
            yield replace(
                example,
                second=closest,
                labels=unanswered | {"helps": 0.0},
                span=None,
                answers=(),
                origin="made:neighbour",
            )
    elif roll < 0.45:
        left = without_answers(example.second, example.answers)
        if left:
            yield replace(
                example,
                second=left,
                labels=unanswered,
                span=None,
                answers=(),
                origin="made:removed",
            )
    elif roll < 0.90:
        edited = edits.make_wrong(example.first, example.second, chance)
        if (edited and edited[1] != "negation") or (edited and chance.random() < 0.5):
            yield replace(
                example,
                first=edited[0],
                labels=unanswered,
                span=None,
                answers=(),
                origin="made:swapped",
            )


def contains_answer(text: str, answers: Sequence[str]) -> bool:
    """Does the text have one of the answers, whatever its case?"""
    return any(answer.lower() in text.lower() for answer in answers if answer.strip())


def far_passage(
    example: Example, pool: Sequence[tuple[str, str, frozenset[str]]], chance: random.Random
) -> Example | None:
    """The example with a passage of another document that does not help; None if there is none.

    Of forty random passages it is the one that shares most words with the example. `pool` contains
    (document, passage, stems of its words).
    """
    stems = set(facts.content_stems(example.first))
    drawn = [p for p in chance.sample(list(pool), min(40, len(pool))) if p[0] != example.document]
    drawn = [p for p in drawn if not contains_answer(p[1], example.answers)]
    if not drawn:
        return None
    _, passage, _ = max(drawn, key=lambda p: len(stems & p[2]))
    labels = {"helps": 0.0} | ({"answers": 0.0} if "answers" in example.labels else {})
    return replace(
        example,
        job="read",
        second=passage,
        labels=labels,
        span=None,
        answers=(),
        weight=1.0,
        origin="made:far",
    )


def among_passages(example: Example, others: Sequence[str], chance: random.Random) -> Example:
    """The example with its passage at a random position among `others`; its span moves with it."""
    position = chance.randrange(len(others) + 1)
    before = "".join(f"{other.strip()} " for other in others[:position])
    after = "".join(f" {other.strip()}" for other in others[position:])
    span = example.span and Span(example.span.start + len(before), example.span.end + len(before))
    return replace(example, second=before + example.second + after, span=span)


def claim_as_query(claim: Example) -> Example:
    """A supported claim as a search query that is not a question: its passage helps."""
    return replace(claim, job="read", labels={"helps": 1.0}, span=None, weight=1.0)


def without_answers(passage: str, answers: Sequence[str]) -> str:
    """The passage without the sentences that contain an answer; "" if too little is left."""
    sentences = [span.of(passage) for span in split_sentences(passage)]
    kept = [sentence for sentence in sentences if not contains_answer(sentence, answers)]
    left = " ".join(kept)
    # an answer may span two sentences
    removed = len(kept) < len(sentences) and not contains_answer(left, answers)
    return left if len(kept) >= 2 and removed else ""


def statement(question: str, answer: str) -> str | None:
    """Question and answer as one sentence; None if that requires conjugating a verb."""
    question = question.strip()
    match = _SUBJECT.match(question)
    if match:
        return _sentence(f"{answer} {match.group(1)}{match.group(2)}")
    match = _TIME.match(question)
    if match:
        lead = (
            ""
            if re.match(r"(?:in|on|at|around|during|from)\b", answer, re.I)
            else "in "
            if re.fullmatch(r".*\d{4}", answer)
            else ""
        )
        return _sentence(f"{match.group(2)} {match.group(1)} {match.group(3)} {lead}{answer}")
    match = _COPULA.match(question)
    if match:
        return _sentence(f"{match.group(2)} {match.group(1)} {answer}")
    return None


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".?!")
    return text[:1].upper() + text[1:] + "."


def from_question(example: Example, chance: random.Random) -> Iterator[Example]:
    """A true or a false statement made from an answered question."""
    if example.span is None:
        return
    answer = example.span.of(example.second)
    if len(answer.split()) > 12:
        return
    true = statement(example.first, answer)
    if not true:
        return
    spans = [s for s in split_sentences(example.second) if s.start <= example.span.start < s.end]
    evidence = spans[0] if spans else example.span
    base = replace(example, job="support", origin="made:statement", answers=())
    if chance.random() < 0.5:
        yield replace(
            base,
            first=true,
            labels={"supported": 1.0, "partly": 1.0, "against": 0.0},
            span=evidence,
        )
        return
    if chance.random() < 0.6:
        others = [
            o
            for o in _rivals(answer, example.second)
            if o.lower() not in " ".join(example.answers).lower()
        ]
        wrong = statement(example.first, chance.choice(others)) if others else None
    else:
        edited = edits.make_wrong(true, example.second, chance)
        wrong = edited[0] if edited else None
    if wrong:
        yield replace(base, first=wrong, labels={"supported": 0.0, "partly": 0.0}, span=None)


def _rivals(answer: str, passage: str) -> list[str]:
    """Other numbers or names of the passage, of the same kind as the answer."""
    if re.search(r"\d", answer):
        numbers = re.findall(r"\b\d[\d,.]*\d\b|\b\d\b", passage)
        return sorted({number for number in numbers if number not in answer})
    stems = set(facts.content_stems(answer))
    if facts.find_names("x " + answer):
        return sorted(
            {
                n
                for n in edits.names_in(passage)
                if len(n) > 2 and not stems & set(facts.content_stems(n))
            }
        )
    return []


def from_passage(
    document: str, passage: str, elsewhere: Sequence[str], chance: random.Random
) -> Iterator[Example]:
    """Up to three sentences about a passage.

    One is a true sentence, reworded; one has an error; one is from another part of the document.
    `elsewhere` are other passages of the document.
    """
    spans = [s for s in split_sentences(passage) if _PLAIN.match(s.of(passage))]
    if not spans:
        return
    base = Example("support", "made:sentence", document, "", passage)
    true = chance.choice(spans)
    yield replace(
        base,
        first=edits.reword(true.of(passage), chance),
        labels={"supported": 1.0, "partly": 1.0, "against": 0.0},
        span=true,
    )
    span = chance.choice(spans)
    sentence = edits.reword(span.of(passage), chance) if chance.random() < 0.5 else span.of(passage)
    edited = edits.make_wrong(sentence, passage, chance)
    if edited:
        text, kind = edited
        labels = {"supported": 0.0, "partly": 0.0} | ({"against": 1.0} if kind != "word" else {})
        yield replace(base, first=text, labels=labels, span=span, origin=f"made:{kind}")
    if elsewhere and chance.random() < 0.35:
        other = [
            s.of(text)
            for text in chance.sample(list(elsewhere), min(2, len(elsewhere)))
            for s in split_sentences(text)
        ]
        other = [o for o in other if _PLAIN.match(o) and o not in passage]
        if other:
            labels = {"supported": 0.0, "partly": 0.0, "against": 0.0}
            yield replace(base, first=chance.choice(other), labels=labels, origin="made:elsewhere")


def windowed(example: Example, chance: random.Random, max_chars: int) -> Example:
    """The example with its passage cut to a window of whole sentences, as in a chunk."""
    cut = window(example.second, example.span, max_chars, chance)
    text = cut.of(example.second)
    span = example.span and Span(example.span.start - cut.start, example.span.end - cut.start)
    return replace(example, second=text, span=span)


def trimmed(example: Example, max_chars: int, chance: random.Random) -> Example:
    """The example with its passage cut to about `max_chars` characters.

    The sentence that shares most words with the first text is kept.
    """
    stems = set(facts.content_stems(example.first))
    passage = example.second
    spans = list(split_sentences(passage))
    if len(passage) <= max_chars or not spans:
        return example
    best = max(spans, key=lambda span: len(stems & set(facts.content_stems(span.of(passage)))))
    return replace(example, second=window(passage, best, max_chars, chance).of(passage))
