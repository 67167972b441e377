"""The figures of the exported file, and the fitting of its last numbers.

    python -m rag.training.measure DATA MODEL.gguf HOME [--planted FOLDER]

The figures are measured on documents that were used neither for the weights nor for the fitted
numbers. They are measured with the code that answers users' questions: llama.cpp,
`rag.inference.crossencoder` and `rag.answer.check`.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.answer import check, spans
from rag.domain import RawDocument
from rag.eval import checker, metrics
from rag.eval.interval import Array, Statistic, bootstrap_interval
from rag.eval.records import Figure, JudgedClaim, Summary
from rag.inference import minilm
from rag.inference.crossencoder import CrossEncoder
from rag.ingest.load import load_file, walk_files
from rag.process import harden_process
from rag.text.sentences import split_sentences
from rag.training import datasets, edits, fit, mixture, synthetic
from rag.training.examples import Example, rows, side

#: claim sets that are used for figures only
SEEN_NEVER = ("scifact", "factcheck_gpt", "summedits")
_FAR = 0.4  # share of the answered questions that fitting also asks of another document
_PLANTED = ("number", "date", "name", "negation")


class JudgedRow(JudgedClaim):
    """A judged claim with the name of its set."""

    set: str


def judge_of(model: CrossEncoder, home: Path, fitted: Sequence[float]) -> check.Judge:
    """The models of the check.

    `home` is the folder with the embedder's GGUF file; `fitted` are the numbers of `CheckFit`.
    """
    questions = minilm.open_question_embedder(str(home))

    def similar(text: str, others: Sequence[str]) -> list[float]:
        vectors = questions.embed([text, *others])
        return [float(c) for c in vectors[1:] @ vectors[0]]

    return check.Judge(similar, model.support, check.CheckFit.of(fitted))


def weighed(examples: Sequence[Example], judge: check.Judge) -> list[check.Signals]:
    """The signals of each claim against its passage."""
    signals = []
    for example in examples:
        sentences = [s.of(example.second) for s in split_sentences(example.second)]
        signals.append(
            check.gather_signals(example.first, sentences, [example.second], example.second, judge)
        )
    return signals


def fits(
    sources: mixture.Sources, model: CrossEncoder, home: Path, least: float
) -> dict[str, NDArray[np.float32]]:
    """All fitted numbers, from the tuning documents.

    `least` is the probability from which the reader answers.
    """
    chance = random.Random(0)
    claims = sources.claims["tune"]
    weighed_claims = weighed(claims, judge_of(model, home, [0.0] * (len(check.SIGNAL_NAMES) + 3)))
    check_numbers = fit.check_fit(
        [claim.signals for claim in weighed_claims],
        [claim.refused for claim in weighed_claims],
        [bool(e.labels["supported"]) for e in claims],
        [e.origin for e in claims],
    )
    questions = list(askable(sources, chance))
    logits = [model.read(e.first, [e.second])[0].answers for e in questions]
    truth = [bool(e.labels["answers"]) for e in questions]
    return check_numbers | fit.read_fit(logits, truth, [e.origin for e in questions], least)


def askable(sources: mixture.Sources, chance: random.Random) -> Iterator[Example]:
    """Questions of the tuning documents.

    These are the questions themselves, near misses if a set has none, and a part of the questions
    asked of other documents.
    """
    sets_of = ("squad", "timeqa_human", "tatqa_text", "squadshifts_new_wiki")
    questions = [e for e in sources.questions["tune"] if e.origin in sets_of]
    passages = {
        document: sorted({e.second for e in examples})
        for document, examples in datasets.by_document(questions).items()
    }
    pool = mixture.passage_pool(questions, chance)
    for example in questions:
        yield example
        if not example.labels["answers"]:
            continue
        others = [p for p in passages[example.document] if p != example.second]
        unanswered: list[Example] = []
        if example.origin == "squadshifts_new_wiki":
            unanswered += synthetic.near_misses(example, others, chance)
        if chance.random() < _FAR and (far := synthetic.far_passage(example, pool, chance)):
            unanswered.append(far)
        for synthetic_example in unanswered:
            yield replace(synthetic_example, origin=example.origin)


def reading(examples: Sequence[Example], model: CrossEncoder) -> dict[str, Figure]:
    """The figures of reading.

    "f1" and "exact" compare the span with the gold answers. "first_sentence" is the share of first
    sentences that contain a gold answer. "answerable_auc" is the AUC of answerable or not.
    """
    f1, exact, first_sentence = [], [], []
    logits: dict[bool, list[float]] = {True: [], False: []}
    for example in examples:
        result = model.read(example.first, [example.second])[0]
        answered = bool(example.labels["answers"])
        logits[answered].append(result.answers)
        span = spans.pick_span(example.first, example.second, result)
        if answered and span:
            answer = span.of(example.second)
            sentence = spans.sentence_around(example.second, span).of(example.second)
            f1.append(metrics.f1(answer, example.answers))
            exact.append(metrics.em(answer, example.answers))
            first_sentence.append(metrics.contains(sentence, example.answers))
    figures = {
        "f1": bootstrap_interval(f1),
        "exact": bootstrap_interval(exact),
        "first_sentence": bootstrap_interval(first_sentence),
    }
    if logits[False]:
        figures["answerable_auc"] = bootstrap_interval(
            logits[True], logits[False], statistic=checker.roc_auc
        )
    return figures


def judged(claims: Sequence[tuple[str, str, str, bool]], judge: check.Judge) -> list[JudgedRow]:
    """Verdict and score of each claim, given as (set, claim, passage, supported)."""
    records: list[JudgedRow] = []
    for name, claim, passage, supported in claims:
        verdict, score, _ = check.check_claim(claim, passage, judge)
        records.append(
            {"set": name, "supported": supported, "verdict": str(verdict), "score": score}
        )
    return records


def rates(records: Sequence[JudgedRow]) -> Summary:
    """Balanced accuracy, AUC and both error rates: means over the sets, and values of each set."""
    names = sorted({r["set"] for r in records})

    def strata(of: Callable[[JudgedRow], float]) -> list[list[float]]:
        return [
            [of(r) for r in records if r["set"] == n and r["supported"] is t]
            for n in names
            for t in (True, False)
        ]

    def mean(one: Statistic) -> Statistic:
        def of_sets(*parts: Array) -> Array:
            pairs = [parts[at : at + 2] for at in range(0, len(parts), 2)]
            return sum((one(*pair) for pair in pairs), start=np.zeros(())) / len(pairs)

        return of_sets

    calls = strata(lambda r: float(r["verdict"] == "supported"))
    scores = strata(lambda r: r["score"])
    out: dict[str, Figure | Summary] = {
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


def planted(passages: Sequence[str], judge: check.Judge, many: int = 100) -> Summary:
    """The shares of planted errors that the check catches, and its false alarms.

    Up to `many` errors of each kind are put into true sentences of the passages. False alarms are
    measured on these sentences without the error, and after `edits.reword`.
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
            reworded = edits.reword(sentence, chance)
            if reworded != sentence:
                alarms["false_alarms_reworded"].append(doubted(reworded, passage))
    return {
        "caught": bootstrap_interval([value for values in caught.values() for value in values]),
        **{name: bootstrap_interval(values) for name, values in alarms.items()},
        "kinds": {kind: bootstrap_interval(values) for kind, values in caught.items() if values},
    }


def passages_of(folder: Path, max_chars: int = 1000) -> list[str]:
    """The texts below `folder` in passages of whole sentences, of about `max_chars` characters."""
    passages = []
    for file in walk_files(str(folder)):
        for raw in (part for part in load_file(file) if isinstance(part, RawDocument)):
            first = 0
            spans = list(split_sentences(raw.text))
            for number, span in enumerate(spans):
                last = number + 1 == len(spans)
                if last or spans[number + 1].end - spans[first].start > max_chars:
                    passages.append(raw.text[spans[first].start : span.end])
                    first = number + 1
    return passages


def held_out_claims(sources: mixture.Sources) -> Iterator[tuple[str, str, str, bool]]:
    """(set, claim, passage, supported) of the claims of the test documents."""
    for e in sources.claims["test"]:
        yield e.origin, e.first, e.second, bool(e.labels["supported"])


def unseen_claims(folder: Path, many: int) -> Iterator[tuple[str, str, str, bool]]:
    """The same for up to `many` claims of each set that is used for figures only."""
    for name in SEEN_NEVER:
        table = rows(folder / "claims" / f"{name}.jsonl.gz")
        for row in random.Random(1).sample(table, min(many, len(table))):
            yield name, row["claim"], row["passage"], row["label"] == "supported"


def measure(
    folder: Path, sources: mixture.Sources, model: CrossEncoder, home: Path, seeds: Path | None
) -> Summary:
    """All figures of a model, by their names in ``reader.json``.

    `folder` has the sets, `home` the embedder's GGUF file, `seeds` further documents to plant
    errors in.
    """
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


def rounded(value: object) -> object:
    """The figures with four decimal places."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return round(float(value), 4) if isinstance(value, float | np.floating) else value


def main() -> None:
    """Print the figures of a model file."""
    harden_process()
    parser = argparse.ArgumentParser(prog="python -m rag.training.measure", description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("home", type=Path, help="where the embedder's GGUF is, or is made")
    parser.add_argument(
        "--planted",
        type=Path,
        help="a folder of documents to plant errors in, in addition to clapnq's",
    )
    options = parser.parse_args()
    started = time.monotonic()
    model = CrossEncoder(options.model, minilm.Tokenizer().machine)
    sources = mixture.read(options.data)
    results = measure(options.data, sources, model, options.home, options.planted)
    print(json.dumps(rounded(results), indent=1))
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
