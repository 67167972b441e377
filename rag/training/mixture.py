"""An epoch: what people wrote and what was made from it, drawn by shares. Another seed draws another epoch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.text import facts
from rag.training import datasets, synthetic
from rag.training.examples import Example, side

#: of each set, the part that one epoch holds; what is not named is taken whole
SHARE = {
    "qamr": 0.15,
    "qadiscourse": 0.15,
    "privacyqa": 0.2,
    "selqa": 0.4,
    "begin": 0.8,
    "timeqa_human": 0.6,
}
_NEAR_MISS = {
    "squad": 0.4,
    "squadshifts_new_wiki": 0.6,
    "timeqa_human": 0.3,
    "qamr": 0.15,
    "qadiscourse": 0.1,
    "tatqa_text": 0.3,
}
_STATEMENT = {"squad": 0.5, "squadshifts_new_wiki": 0.6, "qamr": 0.25}
#: of each set of claims, the part whose passage is put among passages of others
_AMONG = {"fever_symmetric": 0.5, "fm2": 0.5, "scitail": 0.3, "begin": 0.2, "expertqa": 0.2}
_TOGETHER = {
    "qamr": 0.6,
    "qadiscourse": 0.6,
}  # sentences of one article that are put together to a paragraph
_BESIDE = (1, 4)  # how many passages are put beside one
_FAR = 0.06  # of the answered questions, also asked of another document
_QUERY = 0.3  # of the supported claims, also as a query
_POOL = 2000  # passages among which those of other documents are found
_TEXTS = 1000  # windows of the corpora without questions, an epoch
_PASSAGES = 0.4  # of the passages of the question sets, the part that sentences are made from
_CLAIM = 1400  # characters of a claim's passage
_WINDOW = (260, 1000)  # characters of a passage


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that was read, each side of the fence."""

    questions: dict[str, list[Example]]
    claims: dict[str, list[Example]]
    texts: list[tuple[str, str]]


def read(folder: Path) -> Sources:
    """All sets below `folder`, sorted by side."""
    questions, claims = datasets.read_questions(folder), datasets.read_claims(folder)
    sides = ("train", "tune", "test")
    return Sources(
        {s: [e for e in questions if side(e.document) == s] for s in sides},
        {s: [e for e in claims if side(e.document) == s] for s in sides},
        [(d, t) for d, t in datasets.read_texts(folder) if side(d) == "train"],
    )


def epoch(sources: Sources, seed: int) -> list[Example]:
    """The examples of one epoch, all from training documents, in no order."""
    chance = random.Random(seed)
    out: list[Example] = []
    questions = sources.questions["train"]
    passages = {
        d: sorted({e.second for e in es}) for d, es in datasets.by_document(questions).items()
    }
    pools = passage_pool(questions, chance), passage_pool(sources.claims["train"], chance)
    for example in questions:
        others = [p for p in passages[example.document] if p != example.second]
        if chance.random() < _TOGETHER.get(example.origin, 0.0):
            example, others = _together(example, others, chance), _joined(others, chance)
        if chance.random() < SHARE.get(example.origin, 1.0):
            out.append(example)
        if example.labels.get("answers") and example.job == "read":
            if chance.random() < _NEAR_MISS.get(example.origin, 0.0):
                out += synthetic.near_misses(example, others, chance)
            if chance.random() < _STATEMENT.get(example.origin, 0.0):
                out += synthetic.from_question(example, chance)
            if chance.random() < _FAR:
                out += filter(None, [synthetic.far_passage(example, pools[0], chance)])
    claims = [e for e in sources.claims["train"] if chance.random() < SHARE.get(e.origin, 1.0)]
    claims = [
        _beside(e, pools[1], chance) if chance.random() < _AMONG.get(e.origin, 0.0) else e
        for e in claims
    ]
    asked = [e for e in claims if e.labels["supported"] and chance.random() < _QUERY]
    out += claims + [synthetic.claim_as_query(e) for e in asked]
    out += filter(
        None, [synthetic.far_passage(synthetic.claim_as_query(e), pools[1], chance) for e in asked]
    )
    out += _sentences(passages, sources.texts, chance)
    return [_cut(e, chance) for e in out]


def _together(example: Example, others: Sequence[str], chance: random.Random) -> Example:
    """A question about one sentence, asked of a paragraph: `others` are sentences of the same article."""
    return synthetic.among_passages(
        example, chance.sample(others, min(chance.randint(*_BESIDE), len(others))), chance
    )


def _joined(passages: Sequence[str], chance: random.Random) -> list[str]:
    """The same sentences as paragraphs: what near misses are asked of is no shorter than what answers."""
    left, out = chance.sample(passages, len(passages)), []
    while left:
        many = 1 + chance.randint(*_BESIDE)
        out.append(" ".join(p.strip() for p in left[:many]))
        left = left[many:]
    return out


def _beside(
    claim: Example, pool: Sequence[tuple[str, str, frozenset[str]]], chance: random.Random
) -> Example:
    """A claim whose passage stands among short ones of other documents."""
    others = [
        p
        for d, p, _ in chance.sample(list(pool), min(24, len(pool)))
        if d != claim.document and len(p) < 500
    ]
    return synthetic.among_passages(claim, others[: chance.randint(*_BESIDE)], chance)


def passage_pool(
    examples: Sequence[Example], chance: random.Random
) -> list[tuple[str, str, frozenset[str]]]:
    """Passages of all documents, with their words."""
    every = sorted({(e.document, e.second) for e in examples})
    some = chance.sample(every, min(_POOL, len(every)))
    return [
        (document, passage, frozenset(facts.content_stems(passage))) for document, passage in some
    ]


def _sentences(
    passages: dict[str, list[str]], texts: Sequence[tuple[str, str]], chance: random.Random
) -> Iterator[Example]:
    for document, found in passages.items():
        if document.startswith(("qamr", "qadiscourse", "privacyqa")):
            continue
        for passage in found:
            if chance.random() >= _PASSAGES:
                continue
            others = [p for p in found if p != passage]
            yield from synthetic.from_passage(document, passage, others, chance)
    for document, text in chance.sample(list(texts), min(_TEXTS, len(texts))):
        at = chance.randrange(max(1, len(text) - 4000))
        piece = text[at : at + 4000]
        piece = piece[piece.find("\n\n") + 2 :]
        elsewhere = text[:at][-3000:]
        yield from synthetic.from_passage(
            document, piece[:1200], [elsewhere] if elsewhere else [], chance
        )


def _cut(example: Example, chance: random.Random) -> Example:
    """The passage as a chunk would show it: a window of random length around the answer. Of a claim's passage no evidence may be lost."""
    if example.origin in datasets.CLAIMS or (
        example.origin == "made:far" and "answers" not in example.labels
    ):
        return synthetic.trimmed(example, _CLAIM, chance)
    low, high = _WINDOW
    most = chance.randrange(low, high)
    if example.span is None and "answers" not in example.labels:
        most = max(most, 900)
    return synthetic.windowed(example, chance, most)
