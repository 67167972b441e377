"""The small model of our own: a text and a passage, read together -> where the answer or the evidence lies, and what holds of the pair.

A cross-encoder: llama.cpp runs the trunk and gives one vector a token, the heads are a few small matrices applied here. They
travel in the GGUF as arrays of its metadata, since llama.cpp refuses tensors that it does not know.

    [CLS] job first [SEP] second [SEP]

`job` is one of two otherwise unused pieces of the vocabulary. A pointer is a softmax over the tokens of the second text. What
is said of the pair comes from [CLS], the mean of the first text and the mean of the second as its pointers weigh it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.domain import AnswerSpan, PassageReading, Span, Support
from rag.inference.llama import TokenEncoder
from rag.text.sentences import split_sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: what each head says of a pair, in the order of its outputs; each is the logit of "yes"
LABELS = {"read": ("answers",), "rank": ("helps",), "support": ("supported", "partly", "against")}
#: pointers of each head: start and end of an answer, what helps, the evidence
POINTERS = {"read": 2, "rank": 1, "support": 1}
#: the heads that a pass of each job goes through: whether a passage helps is said in the pass that reads it
HEADS = {"read": ("read", "rank"), "support": ("support",)}
HIDDEN_SIZE = 128  #: of a head's inner layer
_UNKNOWN, _CLS, _SEP = 100, 101, 102
_SPECIAL = frozenset((0, _CLS, _SEP, 103))  # [PAD] and [MASK] besides
MAX_TOKENS = 320  #: tokens of a pair, in training and in use; a longer passage is read in parts
_LONGEST = 30  # tokens of an answer
_SPOTS = (
    25  # spans of a passage that are given, the likeliest, and the best of each sentence besides
)
_SENTENCE = 0.6  # what a sentence's log-probability weighs beside the span's: many near spans in one sentence make it likelier
_MARKER = {"read": 1, "support": 3}  # [unused0], [unused2]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Ids of a text and the characters that each stands for."""

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


class Layout:
    """Texts to rows of ids, one way for training and for use. `machine` is the tokenizer of `tokenizers`, cutting and padding nothing."""

    first = 2  #: place of the first text's first token

    def __init__(self, machine: Any) -> None:
        self._machine = machine

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Each text's ids and offsets, no special tokens: a "[SEP]" that is written out parts nothing."""
        found = self._machine.encode_batch(list(texts), add_special_tokens=False)
        return [
            Pieces([_UNKNOWN if piece in _SPECIAL else piece for piece in e.ids], e.offsets)
            for e in found
        ]

    def row(
        self, job: str, first: Sequence[int], second: Sequence[int], most: int
    ) -> tuple[list[int], int, int]:
        """(ids, place of the second text, how many of its tokens are kept). A long first text is cut to a third of `most`."""
        first = first[: most // 3]
        low = len(first) + 3
        kept = max(0, min(len(second), most - low - 1))
        return [_CLS, _MARKER[job], *first, _SEP, *second[:kept], _SEP], low, kept

    def parts(self, first: Pieces, second: Pieces, most: int) -> list[int]:
        """Where to begin each part of a long second text, in tokens: parts overlap by a third of their length."""
        room = most - min(len(first.ids), most // 3) - 4
        if len(second.ids) <= room:
            return [0]
        return [*range(0, len(second.ids) - room, room * 2 // 3), len(second.ids) - room]


class CrossEncoder:
    """The model held open. Thread-compatible, not thread-safe. The same pair gives the same bits from run to run."""

    def __init__(self, path: Path, tokenizer: Any, threads: int = 0) -> None:
        self._encoder = TokenEncoder(str(path), threads)
        self.layout = Layout(tokenizer)
        self._heads = self._encoder.arrays
        self._asked, self._found = (
            "",
            dict[str, PassageReading](),
        )  # readings of the last question: search and reader read the same passages
        #: numbers that were fitted to this file's outputs: "read" (see `read.Fit`) and "check" (see `check.Fit`)
        self.fits = {
            k.removeprefix("fit."): v.tolist()
            for k, v in self._heads.items()
            if k.startswith("fit.")
        }

    def close(self) -> None:
        self._encoder.close()

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]:
        """For each passage where the answer stands, how surely it answers, and how much it helps; of a long one the best part."""
        if question != self._asked:
            self._asked, self._found = question, {}
        fresh = [p for p in dict.fromkeys(passages) if p not in self._found]
        for passage, parts in zip(fresh, self._pairs("read", question, fresh), strict=True):
            best = max(parts, key=lambda p: float(p.said[0]))
            self._found[passage] = PassageReading(
                float(best.said[0]), best.spots(), float(best.said[1])
            )
        return [self._found[p] for p in passages]

    def support(self, sentence: str, passages: Sequence[str]) -> list[Support]:
        """For each passage whether it supports the sentence; of a long one the part that supports it most."""
        out = []
        for parts in self._pairs("support", sentence, passages):
            best = max(parts, key=lambda p: float(p.said[0]))
            supported, partly, against = (float(x) for x in best.said)
            out.append(Support(supported, partly, against, best.where()))
        return out

    def _pairs(self, job: str, first: str, seconds: Sequence[str]) -> list[list[_Part]]:
        """For each second text its parts, each through trunk and head."""
        (asked,) = self.layout.pieces([first])
        rows, owners, parts = [], [], []
        for number, pieces in enumerate(self.layout.pieces(seconds)):
            for at in self.layout.parts(asked, pieces, MAX_TOKENS):
                ids, low, kept = self.layout.row(job, asked.ids, pieces.ids[at:], MAX_TOKENS)
                rows.append(ids)
                owners.append(number)
                parts.append((low, kept, seconds[number], pieces.offsets[at : at + kept]))
        out: list[list[_Part]] = [[] for _ in seconds]
        for owner, (low, kept, text, offsets), hidden in zip(
            owners, parts, self._encoder.vectors(rows), strict=True
        ):
            out[owner].append(_Part(*self._apply(job, hidden, low, kept), text, offsets))
        return out

    def _apply(self, job: str, hidden: NDArray[np.float32], low: int, kept: int) -> tuple[Any, Any]:
        """Pointer logits (kept, pointers of the job's heads) and the logits of their labels (labels,)."""
        import numpy as np

        found = [self._head(head, hidden, low, kept) for head in HEADS[job]]
        return np.concatenate([p for p, _ in found], axis=1), np.concatenate(
            [said for _, said in found]
        )

    def _head(self, head: str, hidden: NDArray[np.float32], low: int, kept: int) -> tuple[Any, Any]:
        import numpy as np

        heads = self._heads
        at = sum(n for other, n in list(POINTERS.items())[: list(POINTERS).index(head)])
        mine = slice(at, at + POINTERS[head])
        second = hidden[low : low + kept]
        pointed = second @ heads["pointers.weight"][mine].T + heads["pointers.bias"][mine]
        mean = (
            hidden[self.layout.first : low - 1].mean(axis=0)
            if low - 1 > self.layout.first
            else np.zeros_like(hidden[0])
        )
        looked = (
            np.exp(pointed - _logsumexp(pointed)).mean(axis=1) @ second
            if kept
            else np.zeros_like(hidden[0])
        )
        x = np.concatenate((hidden[0], mean, looked))
        inner = np.tanh(heads[f"{head}.inner.weight"] @ x + heads[f"{head}.inner.bias"])
        return pointed, heads[f"{head}.outer.weight"] @ inner + heads[f"{head}.outer.bias"]


@dataclass(frozen=True, slots=True)
class _Part:
    """A pair after its heads: pointer logits (tokens, pointers), label logits, and the text behind the tokens."""

    pointed: Any
    said: Any
    text: str
    offsets: Sequence[tuple[int, int]]

    def where(self) -> Span | None:
        """The word that the only pointer weighs most; None where there is no word."""
        at = int(self.pointed[:, 0].argmax()) if len(self.pointed) else -1
        return self.characters(at, at) if at >= 0 else None

    def spots(self) -> tuple[AnswerSpan, ...]:
        """Where the first two pointers, start and end, see the answer: the likeliest spans and the best of each sentence."""
        import numpy as np

        if not len(self.pointed):
            return ()
        logs = self.pointed[:, :2] - _logsumexp(self.pointed[:, :2])
        spans = logs[:, :1] + logs[None, :, 1]
        there = np.triu(np.ones_like(spans, dtype=bool)) & ~np.triu(
            np.ones_like(spans, dtype=bool), _LONGEST
        )
        spans = np.where(there, spans, -np.inf)
        begins = [s.start for s in split_sentences(self.text)]
        owner = np.searchsorted(begins, [low for low, _ in self.offsets], side="right")
        mass = np.zeros(len(spans))
        wanted = list(np.argsort(-spans, axis=None, kind="stable")[:_SPOTS])
        for sentence in np.unique(owner):
            mine = np.flatnonzero(owner == sentence)
            inside = spans[np.ix_(mine, mine)]
            mass[mine] = _logsumexp(inside.ravel())
            start, end = divmod(int(inside.argmax()), len(mine))
            wanted.append(mine[start] * len(spans) + mine[end])
        scores = {
            at: float(spans.flat[at] + _SENTENCE * mass[at // len(spans)])
            for at in map(int, wanted)
        }
        return tuple(
            AnswerSpan(self.characters(*divmod(at, len(spans))), score)
            for at, score in sorted(scores.items(), key=lambda item: -item[1])
            if np.isfinite(score)
        )

    def characters(self, start: int, end: int) -> Span:
        """The characters of a range of tokens, inclusive, grown to whole words."""
        low, high = self.offsets[start][0], self.offsets[end][1]
        while low > 0 and _of_word(self.text[low]) and _of_word(self.text[low - 1]):
            low -= 1
        while high < len(self.text) and _of_word(self.text[high - 1]) and _of_word(self.text[high]):
            high += 1
        return Span(low, high)


def _of_word(char: str) -> bool:
    """A letter, a digit, or a mark on one: the tokenizer leaves out the accents of a decomposed "é"."""
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _logsumexp(x: Any) -> Any:
    import numpy as np

    top = x.max(axis=0)
    return top + np.log(np.exp(x - top).sum(axis=0))
