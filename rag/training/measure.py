"""What the file is worth, on documents that neither the weights nor the fitted numbers have seen; and the fitting itself.

    python -m rag.training.measure DATA MODEL.gguf HOME [--planted FOLDER]

Everything goes through the code that answers people's questions: llama.cpp, `rag.inference.crossencoder`, `rag.answer.check`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.answer import check, reader
from rag.domain import RawDocument
from rag.eval import checker, metrics
from rag.eval.interval import Figure, bootstrap_interval
from rag.inference import minilm
from rag.inference.crossencoder import CrossEncoder
from rag.ingest.load import load_file, walk_files
from rag.text.sentences import split_sentences
from rag.training import datasets, edits, fit, mixture, synthetic
from rag.training.examples import Example, rows, side

SEEN_NEVER = ("scifact", "factcheck_gpt", "summedits")  #: claim sets that are only ever measured on
_FAR = 0.4  # of the answered questions that fitting also asks of another document
_PLANTED = ("number", "date", "name", "negation")


def judge_of(model: CrossEncoder, home: Path, fitted: Sequence[float]) -> check.Judge:
    """The check's machines. `home` is where the embedder's GGUF is kept."""
    questions = minilm.open_question_embedder(str(home))

    def similar(text: str, others: Sequence[str]) -> list[float]:
        vectors = questions.embed([text, *others])
        return [float(c) for c in vectors[1:] @ vectors[0]]

    return check.Judge(similar, model.support, check.CheckFit.of(fitted))


def weighed(examples: Sequence[Example], judge: check.Judge) -> list[check.Signals]:
    """Each claim weighed against its passage."""
    out = []
    for example in examples:
        parts = [s.of(example.second) for s in split_sentences(example.second)]
        out.append(
            check.gather_signals(example.first, parts, [example.second], example.second, judge)
        )
    return out


def fits(sources: mixture.Sources, model: CrossEncoder, home: Path, least: float) -> dict[str, Any]:
    """All fitted numbers, from the documents kept for tuning."""
    chance = random.Random(0)
    claims = sources.claims["tune"]
    known = weighed(claims, judge_of(model, home, [0.0] * (len(check.SIGNAL_NAMES) + 3)))
    found = fit.check_fit(
        [w.signals for w in known],
        [w.refused for w in known],
        [bool(e.labels["supported"]) for e in claims],
        [e.origin for e in claims],
    )
    asked = list(askable(sources, chance))
    seen = [model.read(e.first, [e.second])[0].answers for e in asked]
    truth = [bool(e.labels["answers"]) for e in asked]
    return found | fit.read_fit(seen, truth, [e.origin for e in asked], least)


def askable(sources: mixture.Sources, chance: random.Random) -> Iterator[Example]:
    """Questions of the tuning documents: as they stand, near misses where a set has none, and asked of other documents."""
    sets_of = ("squad", "timeqa_human", "tatqa_text", "squadshifts_new_wiki")
    asked = [e for e in sources.questions["tune"] if e.origin in sets_of]
    passages = {d: sorted({e.second for e in es}) for d, es in datasets.by_document(asked).items()}
    pool = mixture.passage_pool(asked, chance)
    for example in asked:
        yield example
        if not example.labels["answers"]:
            continue
        others = [p for p in passages[example.document] if p != example.second]
        extra = (
            list(synthetic.near_misses(example, others, chance))
            if example.origin == "squadshifts_new_wiki"
            else []
        )
        elsewhere = synthetic.far_passage(example, pool, chance) if chance.random() < _FAR else None
        for made_up in [*extra, *filter(None, [elsewhere])]:
            yield replace(made_up, origin=example.origin)


def reading(examples: Sequence[Example], model: CrossEncoder) -> dict[str, Figure]:
    """F1 and exact match of the span, the share of first sentences with a gold answer, AUC of answerable or not."""
    f1, em, first = [], [], []
    said: dict[bool, list[float]] = {True: [], False: []}
    for example in examples:
        found = model.read(example.first, [example.second])[0]
        there = bool(example.labels["answers"])
        said[there].append(found.answers)
        span = reader.pick_span(example.first, example.second, found)
        if there and span:
            short = span.of(example.second)
            f1.append(metrics.f1(short, example.answers))
            em.append(metrics.em(short, example.answers))
            first.append(
                metrics.contains(
                    reader.sentence_around(example.second, span).of(example.second), example.answers
                )
            )
    out = {
        "f1": bootstrap_interval(f1),
        "exact": bootstrap_interval(em),
        "first_sentence": bootstrap_interval(first),
    }
    return (
        out
        | {"answerable_auc": bootstrap_interval(said[True], said[False], statistic=checker.roc_auc)}
        if said[False]
        else out
    )


def judged(
    claims: Sequence[tuple[str, str, str, bool]], judge: check.Judge
) -> list[dict[str, Any]]:
    """Verdict and score of each (set, claim, passage, supported)."""
    out = []
    for name, claim, passage, truth in claims:
        verdict, value, _ = check.check_claim(claim, passage, judge)
        out.append({"set": name, "supported": truth, "verdict": str(verdict), "score": value})
    return out


def rates(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Balanced accuracy, AUC and both error rates: the mean over the sets, and each set."""
    names = sorted({r["set"] for r in records})

    def strata(of: Callable[[dict[str, Any]], float]) -> list[list[float]]:
        return [
            [of(r) for r in records if r["set"] == n and r["supported"] is t]
            for n in names
            for t in (True, False)
        ]

    def mean(one: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *parts: (
            sum(one(*parts[at : at + 2]) for at in range(0, len(parts), 2)) / (len(parts) / 2)
        )

    calls = strata(lambda r: float(r["verdict"] == "supported"))
    scores = strata(lambda r: r["score"])
    out: dict[str, Any] = {
        "balanced_accuracy": bootstrap_interval(*calls, statistic=mean(checker.balanced_accuracy)),
        "auc": bootstrap_interval(*scores, statistic=mean(checker.roc_auc)),
        "false_alarms": bootstrap_interval(
            *calls, statistic=mean(lambda yes, no: 1 - yes.mean(axis=1))
        ),
        "misses": bootstrap_interval(*calls, statistic=mean(lambda yes, no: no.mean(axis=1))),
    }
    if len(names) > 1:
        out["sets"] = {n: rates([r for r in records if r["set"] == n]) for n in names}
    return out


def planted(passages: Sequence[str], judge: check.Judge, many: int = 100) -> dict[str, Any]:
    """Errors put into true sentences, `many` of each kind where there are so many places for one: how many are caught.

    And how many of those sentences are doubted as they stand, and when they are said otherwise (`swaps.reword`).
    """
    chance = random.Random(0)
    caught: dict[str, list[float]] = {kind: [] for kind in _PLANTED}
    alarms: dict[str, list[float]] = {"false_alarms": [], "false_alarms_reworded": []}
    pool = [(p, s.of(p)) for p in passages for s in split_sentences(p) if 40 < len(s.of(p)) < 400]
    chance.shuffle(pool)

    def doubted(sentence: str, passage: str) -> float:
        return float(check.check_claim(sentence, passage, judge)[0] != "supported")

    for passage, sentence in pool:
        before = sum(map(len, caught.values()))
        for kind in _PLANTED:
            wrong = (
                edits.WRONG[kind](sentence, passage, chance) if len(caught[kind]) < many else None
            )
            if wrong and wrong != sentence:
                caught[kind].append(doubted(wrong, passage))
        if sum(map(len, caught.values())) > before:
            alarms["false_alarms"].append(doubted(sentence, passage))
            otherwise = edits.reword(sentence, chance)
            if otherwise != sentence:
                alarms["false_alarms_reworded"].append(doubted(otherwise, passage))
    every = [c for found in caught.values() for c in found]
    kinds = {k: bootstrap_interval(v) for k, v in caught.items() if v}
    return {
        "caught": bootstrap_interval(every),
        **{k: bootstrap_interval(v) for k, v in alarms.items()},
        "kinds": kinds,
    }


def passages_of(folder: Path, most: int = 1000) -> list[str]:
    """The texts below `folder` in pieces of whole sentences, about `most` characters each."""
    out = []
    for file in walk_files(str(folder)):
        for raw in (part for part in load_file(file) if isinstance(part, RawDocument)):
            at = 0
            spans = list(split_sentences(raw.text))
            for n, span in enumerate(spans):
                if n + 1 == len(spans) or spans[n + 1].end - spans[at].start > most:
                    out.append(raw.text[spans[at].start : span.end])
                    at = n + 1
    return out


def held_out_claims(sources: mixture.Sources) -> Iterator[tuple[str, str, str, bool]]:
    """(set, claim, passage, supported) of the documents kept for the test."""
    for e in sources.claims["test"]:
        yield e.origin, e.first, e.second, bool(e.labels["supported"])


def unseen_claims(folder: Path, many: int) -> Iterator[tuple[str, str, str, bool]]:
    """The same of the sets that are only ever measured on."""
    for name in SEEN_NEVER:
        table = rows(folder / "claims" / f"{name}.jsonl.gz")
        for row in random.Random(1).sample(table, min(many, len(table))):
            yield name, row["claim"], row["passage"], row["label"] == "supported"


def measure(
    folder: Path, sources: mixture.Sources, model: CrossEncoder, home: Path, seeds: Path | None
) -> dict[str, Any]:
    """All figures."""
    judge = judge_of(model, home, model.fits["check"])
    squad = [e for e in sources.questions["test"] if e.origin == "squad"]
    wiki = [e for e in sources.questions["test"] if e.origin == "squadshifts_new_wiki"]
    clapnq = [
        r["text"]
        for r in rows(folder / "clapnq" / "corpus.jsonl.gz")
        if side(f"clapnq:{r['id']}") != "train"
    ]
    return {
        "squad": reading(squad, model),
        "new_wiki": reading(wiki, model),
        "checker": rates(judged(list(held_out_claims(sources)), judge)),
        "checker_unseen_sets": rates(judged(list(unseen_claims(folder, 600)), judge)),
        "planted": planted(clapnq + (passages_of(seeds) if seeds else []), judge),
    }


def rounded(value: Any) -> Any:
    """Figures to four places, for a file that people read."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return round(float(value), 4) if isinstance(value, float | np.floating) else value


def main() -> None:
    """Print the figures of a model's file."""
    parser = argparse.ArgumentParser(prog="python -m rag.training.measure", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("home", type=Path, help="where the embedder's GGUF is, or is made")
    parser.add_argument(
        "--planted", type=Path, help="a folder of documents to plant errors in, beside clapnq's"
    )
    typed = parser.parse_args()
    started = time.monotonic()
    model = CrossEncoder(typed.model, minilm.Tokenizer().machine)
    print(
        json.dumps(
            rounded(
                measure(typed.data, mixture.read(typed.data), model, typed.home, typed.planted)
            ),
            indent=1,
        )
    )
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
