"""The examples of an epoch: written ones and synthetic ones, drawn by shares.

Another seed gives another epoch.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.text import facts
from rag.training import datasets, synthetic
from rag.training.examples import Example, side

#: the share of each set in one epoch; a set that is not named is taken whole
SHARE = {
    "qamr": 0.15,
    "qadiscourse": 0.15,
    "privacyqa": 0.2,
    "selqa": 0.4,
    "begin": 0.8,
    "timeqa_human": 0.6,
}
#: share of the answered questions of a set from which near misses are made
_NEAR_MISS = {
    "squad": 0.4,
    "squadshifts_new_wiki": 0.6,
    "timeqa_human": 0.3,
    "qamr": 0.15,
    "qadiscourse": 0.1,
    "tatqa_text": 0.3,
}
#: share of the answered questions of a set from which statements are made
_STATEMENT = {"squad": 0.5, "squadshifts_new_wiki": 0.6, "qamr": 0.25}
#: share of the claims of a set whose passage is put among passages of other documents
_AMONG = {"fever_symmetric": 0.5, "fm2": 0.5, "scitail": 0.3, "begin": 0.2, "expertqa": 0.2}
#: share of the questions whose passage, one sentence, is put among others of its article
_PARAGRAPH = {"qamr": 0.6, "qadiscourse": 0.6}
_ADDED_PASSAGES = (1, 4)  # how many passages are added to one
_FAR = 0.06  # share of the answered questions that are also asked of another document
_QUERY = 0.3  # share of the supported claims that are also used as queries
_POOL_PASSAGES = 2000  # passages from which those of other documents are drawn
_TEXTS = 1000  # windows of the corpora without questions, for an epoch
_PASSAGES = 0.4  # share of the passages of the question sets from which sentences are made
_CLAIM_CHARS = 1400  # of a claim's passage
_WINDOW_CHARS = (260, 1000)  # of a passage

#: (document, passage, stems of its words)
PoolPassage = tuple[str, str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sources:
    """All examples that were read, by side: train, tune or test. `texts` are training documents."""

    questions: dict[str, list[Example]]
    claims: dict[str, list[Example]]
    texts: list[tuple[str, str]]


def read(folder: Path) -> Sources:
    """All sets below `folder`, by side."""
    questions, claims = datasets.read_questions(folder), datasets.read_claims(folder)
    sides = ("train", "tune", "test")
    return Sources(
        {name: [e for e in questions if side(e.document) == name] for name in sides},
        {name: [e for e in claims if side(e.document) == name] for name in sides},
        [(name, text) for name, text in datasets.read_texts(folder) if side(name) == "train"],
    )


def epoch(sources: Sources, seed: int) -> list[Example]:
    """The examples of one epoch, all from training documents, in no particular order."""
    chance = random.Random(seed)
    questions, claims = sources.questions["train"], sources.claims["train"]
    passages = {
        document: sorted({e.second for e in examples})
        for document, examples in datasets.by_document(questions).items()
    }
    question_pool, claim_pool = passage_pool(questions, chance), passage_pool(claims, chance)
    examples: list[Example] = []
    for example in questions:
        examples += _from_question(example, passages[example.document], question_pool, chance)
    examples += _from_claims(claims, claim_pool, chance)
    examples += _sentences(passages, sources.texts, chance)
    return [_cut(example, chance) for example in examples]


def _from_question(
    example: Example,
    document_passages: Sequence[str],
    pool: Sequence[PoolPassage],
    chance: random.Random,
) -> Iterator[Example]:
    """The question itself and the examples that are made from it, each with its probability."""
    others = [passage for passage in document_passages if passage != example.second]
    if chance.random() < _PARAGRAPH.get(example.origin, 0.0):
        example, others = _in_paragraph(example, others, chance), _paragraphs(others, chance)
    if chance.random() < SHARE.get(example.origin, 1.0):
        yield example
    if not (example.labels.get("answers") and example.job == "read"):
        return
    if chance.random() < _NEAR_MISS.get(example.origin, 0.0):
        yield from synthetic.near_misses(example, others, chance)
    if chance.random() < _STATEMENT.get(example.origin, 0.0):
        yield from synthetic.from_question(example, chance)
    if chance.random() < _FAR and (far := synthetic.far_passage(example, pool, chance)):
        yield far


def _from_claims(
    claims: Sequence[Example], pool: Sequence[PoolPassage], chance: random.Random
) -> list[Example]:
    """The claims of an epoch, and the queries that are made from supported ones."""
    drawn = [e for e in claims if chance.random() < SHARE.get(e.origin, 1.0)]
    drawn = [
        _among_others(e, pool, chance) if chance.random() < _AMONG.get(e.origin, 0.0) else e
        for e in drawn
    ]
    supported = [e for e in drawn if e.labels["supported"] and chance.random() < _QUERY]
    queries = [synthetic.claim_as_query(e) for e in supported]
    far = [synthetic.far_passage(query, pool, chance) for query in queries]
    return [*drawn, *queries, *filter(None, far)]


def _in_paragraph(example: Example, others: Sequence[str], chance: random.Random) -> Example:
    """The example with its passage in a paragraph; `others` are sentences of the same article."""
    count = min(chance.randint(*_ADDED_PASSAGES), len(others))
    return synthetic.among_passages(example, chance.sample(others, count), chance)


def _paragraphs(passages: Sequence[str], chance: random.Random) -> list[str]:
    """The sentences joined to paragraphs.

    So the passages of near misses are not shorter than those that answer.
    """
    left, paragraphs = chance.sample(passages, len(passages)), []
    while left:
        size = 1 + chance.randint(*_ADDED_PASSAGES)
        paragraphs.append(" ".join(passage.strip() for passage in left[:size]))
        left = left[size:]
    return paragraphs


def _among_others(claim: Example, pool: Sequence[PoolPassage], chance: random.Random) -> Example:
    """The claim with its passage among short ones of other documents."""
    others = [
        passage
        for document, passage, _ in chance.sample(list(pool), min(24, len(pool)))
        if document != claim.document and len(passage) < 500
    ]
    return synthetic.among_passages(claim, others[: chance.randint(*_ADDED_PASSAGES)], chance)


def passage_pool(examples: Sequence[Example], chance: random.Random) -> list[PoolPassage]:
    """Passages of all documents, with the stems of their words."""
    passages = sorted({(e.document, e.second) for e in examples})
    drawn = chance.sample(passages, min(_POOL_PASSAGES, len(passages)))
    return [
        (document, passage, frozenset(facts.content_stems(passage))) for document, passage in drawn
    ]


def _sentences(
    passages: dict[str, list[str]], texts: Sequence[tuple[str, str]], chance: random.Random
) -> Iterator[Example]:
    """Examples from sentences of the passages of the question sets and of the texts."""
    for document, document_passages in passages.items():
        if document.startswith(("qamr", "qadiscourse", "privacyqa")):
            continue
        for passage in document_passages:
            if chance.random() >= _PASSAGES:
                continue
            others = [other for other in document_passages if other != passage]
            yield from synthetic.from_passage(document, passage, others, chance)
    for document, text in chance.sample(list(texts), min(_TEXTS, len(texts))):
        start = chance.randrange(max(1, len(text) - 4000))
        piece = text[start : start + 4000]
        piece = piece[piece.find("\n\n") + 2 :]
        elsewhere = text[:start][-3000:]
        yield from synthetic.from_passage(
            document, piece[:1200], [elsewhere] if elsewhere else [], chance
        )


def _cut(example: Example, chance: random.Random) -> Example:
    """The example with a passage of the length of a chunk: a random window around the answer.

    The passage of a claim keeps the sentence that is most similar to the claim.
    """
    if example.origin in datasets.CLAIMS or (
        example.origin == "made:far" and "answers" not in example.labels
    ):
        return synthetic.trimmed(example, _CLAIM_CHARS, chance)
    low, high = _WINDOW_CHARS
    length = chance.randrange(low, high)
    if example.span is None and "answers" not in example.labels:
        length = max(length, 900)
    return synthetic.windowed(example, chance, length)
