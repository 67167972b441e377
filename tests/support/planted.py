"""Answers with one false sentence each, written by a scripted model over given texts.

    python -m tests.support.planted CORPUS.jsonl.gz [--many 200] [--kinds number word ...]

A line of the corpus has a `text`. Printed are the share of false sentences that are shown as plain
facts, and the share of true ones that are not shown.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rag.answer.answer import answer_question
from rag.answer.check import Judge
from rag.domain import Draft, Passage, Receipt, Verdict
from rag.events import Answered
from rag.text.sentences import split_sentences
from rag.training import edits
from tests.support.fakes import Script, passage, quote
from tests.support.scripted_chat import ScriptedChat, chat_writer

#: kinds of errors
KINDS = ("number", "date", "name", "negation")
_SENTENCES = 4  # of a text: one is quoted, two stay true, one is made false


@dataclass
class Planted:
    """What became of the sentences."""

    false: list[bool] = field(default_factory=list)  #: shown as a plain fact
    true: list[bool] = field(default_factory=list)  #: shown
    missed: list[str] = field(default_factory=list)  #: the false sentences that are shown
    lost: list[str] = field(default_factory=list)  #: the true ones that are not

    @property
    def shown_false(self) -> float:
        return sum(self.false) / max(1, len(self.false))

    @property
    def lost_true(self) -> float:
        return 1 - sum(self.true) / max(1, len(self.true))


def plant(
    texts: Sequence[str],
    judge: Judge,
    many: int,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
) -> Planted:
    """The outcome of `many` answers over `texts`, with up to two other texts as passages."""
    chance, found = random.Random(seed), Planted()
    usable = [text for text in texts if len(_sentences(text)) >= _SENTENCES]
    while len(found.false) < many:
        text = chance.choice(usable)
        start = chance.randrange(len(_sentences(text)) - _SENTENCES + 1)
        quoted, *written = _sentences(text)[start : start + _SENTENCES]
        chance.shuffle(written)
        made = edits.make_wrong(written[0], text, chance, kinds)
        if made is None or made[0] in text:
            continue
        wrong = made[0]
        true = [written[1], edits.reword(written[2], chance)]
        others = [other for other in chance.sample(usable, min(3, len(usable))) if other != text]
        _answer(text, others[:2], quoted, wrong, true, judge, found, chance)
    return found


def _sentences(text: str) -> list[str]:
    sentences = [span.of(text) for span in split_sentences(text)]
    return [s for s in sentences if 40 < len(s) < 300 and "\n" not in s and s.endswith(".")]


def _answer(
    text: str,
    others: Sequence[str],
    quoted: str,
    wrong: str,
    true: Sequence[str],
    judge: Judge,
    found: Planted,
    chance: random.Random,
) -> None:
    passages = tuple(passage(n, t) for n, t in enumerate([text, *others], 1))
    reader = Script(
        quote(passages[0], quoted), draft=Draft(Receipt(), short=quoted[:20], chance=0.9)
    )
    said = [wrong, *true]
    chance.shuffle(said)
    shown = _shown(quoted, passages, said, reader, judge)
    found.false.append(any(_same(wrong, s) for s in shown))
    found.missed += [wrong] * found.false[-1]
    for sentence in true:
        found.true.append(any(_same(sentence, s) for s in shown))
        found.lost += [sentence] * (not found.true[-1])


def _same(one: str, other: str) -> bool:
    """True if one of two sentences has the other, without marks: a part is quoted as a whole."""
    one, other = (" ".join(re.findall(r"\w+", text.casefold())) for text in (one, other))
    return one in other or other in one


def _shown(
    quoted: str, passages: tuple[Passage, ...], said: Sequence[str], reader: Script, judge: Judge
) -> list[str]:
    """The sentences that an answer shows as plain facts. The question has words of the quotation."""
    question = f"What about this: {quoted.rstrip('.')}?"
    writer = chat_writer(ScriptedChat(" ".join(said)), reader, judge)
    events = answer_question(
        question, lambda text, limit: passages, writer, judge, limit=5, searched=9
    )
    *_, last = events
    assert isinstance(last, Answered)
    claims = last.answer.claims
    return [c.sentence.text for c in claims if c.verdict is Verdict.SUPPORTED]


def _texts(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def main() -> None:
    from rag.config import Config
    from rag.machines import Machines

    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=tuple(edits.WRONG))
    options = parser.parse_args()
    machines = Machines(Config.read())
    found = plant(list(_texts(options.corpus)), machines.judge(), options.many, options.kinds)
    machines.close()
    for name, sentences in (("shown false", found.missed), ("lost", found.lost)):
        for sentence in sentences:
            print(f"{name}: {sentence}")
    print(f"false shown {found.shown_false:.3f} (n {len(found.false)})")
    print(f"true lost {found.lost_true:.3f} (n {len(found.true)})")


if __name__ == "__main__":
    main()
