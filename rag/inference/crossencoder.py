"""The built-in reader: a cross-encoder that reads a question or claim together with a passage.

It gives the span of the answer or the evidence, and labels of the pair. llama.cpp runs the trunk
and gives one vector for each token; the heads are a few small matrices that are applied here. They
are stored in the metadata of the GGUF file, because llama.cpp refuses unknown tensors.

    [CLS] job first [SEP] second [SEP]

`job` is one of two otherwise unused pieces of the vocabulary. A pointer is a softmax over the
tokens of the second text. The labels are computed from the vector of [CLS], the mean of the first
text, and the mean of the second text weighted by the pointers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rag.domain import Span
from rag.inference.llama import TokenEncoder
from rag.protocols import AnswerSpan, PassageReading, Support
from rag.text.sentences import split_sentences

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: the labels of each head, in the order of its outputs; each output is the logit of "yes"
LABELS = {"read": ("answers",), "rank": ("helps",), "support": ("supported", "partly", "against")}
#: number of pointers of each head: start and end of an answer; helpful words; evidence
POINTERS = {"read": 2, "rank": 1, "support": 1}
#: the heads of each job; reading a passage also says whether it helps
HEADS = {"read": ("read", "rank"), "support": ("support",)}
HIDDEN_SIZE = 128  #: units of the inner layer of a head
_UNKNOWN, _CLS, _SEP = 100, 101, 102
_PAD, _MASK = 0, 103
_SPECIAL_IDS = frozenset((_PAD, _CLS, _SEP, _MASK))
MAX_TOKENS = 320  #: tokens of a pair, in training and in use; a longer passage is read in parts
_MAX_ANSWER_TOKENS = 30
_MAX_SPANS = 25  # likeliest spans of a passage; the best span of each sentence is added to them
#: weight of a sentence's log-probability when spans are ranked; that of the span itself weighs 1.
#: Many likely spans in one sentence make each of them likelier.
_SENTENCE_WEIGHT = 0.6
_JOB_IDS = {"read": 1, "support": 3}  # [unused0], [unused2]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The token ids of a text and the range of characters of each."""

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


class Encoding(Protocol):
    """The token ids of one text and the range of characters of each."""

    @property
    def ids(self) -> list[int]: ...
    @property
    def offsets(self) -> list[tuple[int, int]]: ...


class PairTokenizer(Protocol):
    """The method of a tokenizer of the `tokenizers` library that is used here."""

    def encode_batch(
        self, texts: list[str], /, *, add_special_tokens: bool
    ) -> Sequence[Encoding]: ...


class Layout:
    """Makes rows of token ids from pairs of texts, for training and for use.

    `tokenizer` is one of the `tokenizers` library, without truncation and padding.
    """

    first = 2  #: index of the first text's first token

    def __init__(self, tokenizer: PairTokenizer) -> None:
        self._tokenizer = tokenizer

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        """Ids and offsets of each text, without special tokens.

        The characters "[SEP]" in a text become the unknown token, so they do not separate anything.
        """
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [
            Pieces(
                [_UNKNOWN if token in _SPECIAL_IDS else token for token in encoding.ids],
                encoding.offsets,
            )
            for encoding in encodings
        ]

    def row(
        self, job: str, first: Sequence[int], second: Sequence[int], max_tokens: int
    ) -> tuple[list[int], int, int]:
        """(ids of the row, index of the second text, number of its tokens that are kept).

        A long first text is cut to a third of `max_tokens`.
        """
        first = first[: max_tokens // 3]
        start = len(first) + 3
        kept = max(0, min(len(second), max_tokens - start - 1))
        return [_CLS, _JOB_IDS[job], *first, _SEP, *second[:kept], _SEP], start, kept

    def parts(self, first: Pieces, second: Pieces, max_tokens: int) -> list[int]:
        """The start of each part of a long second text, in tokens.

        Parts overlap by a third of their length.
        """
        room = max_tokens - min(len(first.ids), max_tokens // 3) - 4
        if len(second.ids) <= room:
            return [0]
        return [*range(0, len(second.ids) - room, room * 2 // 3), len(second.ids) - room]


class CrossEncoder:
    """The open model. Thread-compatible, not thread-safe.

    The same pair gives the same bits in every run.
    """

    def __init__(self, path: Path, tokenizer: PairTokenizer, threads: int = 0) -> None:
        self._encoder = TokenEncoder(str(path), threads)
        self.layout = Layout(tokenizer)
        self._heads = self._encoder.arrays
        # readings of the last question, because search and reader read the same passages
        self._question, self._readings = "", dict[str, PassageReading]()
        #: numbers fitted to this file's outputs: "read" (`ReaderFit`) and "check" (`CheckFit`)
        self.fits = {
            name.removeprefix("fit."): array.tolist()
            for name, array in self._heads.items()
            if name.startswith("fit.")
        }

    def close(self) -> None:
        self._encoder.close()

    def read(self, question: str, passages: Sequence[str]) -> list[PassageReading]:
        """For each passage: the spans of the answer, whether it answers, and whether it helps.

        For a long passage these are the values of the part that most likely answers.
        """
        if question != self._question:
            self._question, self._readings = question, {}
        unread = [passage for passage in dict.fromkeys(passages) if passage not in self._readings]
        for passage, parts in zip(unread, self._run("read", question, unread), strict=True):
            best = _best(parts)
            answers, helps = (float(logit) for logit in best.labels)
            self._readings[passage] = PassageReading(answers, best.spans(), helps)
        return [self._readings[passage] for passage in passages]

    def support(self, sentence: str, passages: Sequence[str]) -> list[Support]:
        """For each passage: whether it supports the sentence.

        For a long passage this is the value of the part that supports the sentence most.
        """
        supports = []
        for parts in self._run("support", sentence, passages):
            best = _best(parts)
            supported, partly, against = (float(logit) for logit in best.labels)
            supports.append(Support(supported, partly, against, best.evidence()))
        return supports

    def _run(self, job: str, first: str, seconds: Sequence[str]) -> list[list[_Part]]:
        """The results of trunk and heads for each part of each second text."""
        (first_pieces,) = self.layout.pieces([first])
        rows, owners, parts = [], [], []
        for number, pieces in enumerate(self.layout.pieces(seconds)):
            for offset in self.layout.parts(first_pieces, pieces, MAX_TOKENS):
                ids, start, kept = self.layout.row(
                    job, first_pieces.ids, pieces.ids[offset:], MAX_TOKENS
                )
                rows.append(ids)
                owners.append(number)
                parts.append((start, kept, pieces.offsets[offset : offset + kept]))
        results: list[list[_Part]] = [[] for _ in seconds]
        for owner, (start, kept, offsets), hidden in zip(
            owners, parts, self._encoder.vectors(rows), strict=True
        ):
            pointers, labels = self._apply_heads(job, hidden, start, kept)
            results[owner].append(_Part(pointers, labels, seconds[owner], offsets))
        return results

    def _apply_heads(
        self, job: str, hidden: NDArray[np.float32], start: int, kept: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits of the pointers, shape (kept, pointers), and of the labels, shape (labels,).

        `hidden` are the vectors of a row; its second text has `kept` tokens from `start` on.
        """
        import numpy as np

        outputs = [self._apply_head(head, hidden, start, kept) for head in HEADS[job]]
        return (
            np.concatenate([pointers for pointers, _ in outputs], axis=1),
            np.concatenate([labels for _, labels in outputs]),
        )

    def _apply_head(
        self, head: str, hidden: NDArray[np.float32], start: int, kept: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import numpy as np

        arrays = self._heads
        names = list(POINTERS)
        column = sum(POINTERS[name] for name in names[: names.index(head)])
        columns = slice(column, column + POINTERS[head])
        first, second = hidden[self.layout.first : start - 1], hidden[start : start + kept]
        pointers = second @ arrays["pointers.weight"][columns].T + arrays["pointers.bias"][columns]
        zeros = np.zeros_like(hidden[0])
        first_mean = first.mean(axis=0) if len(first) else zeros
        weights = np.exp(pointers - _logsumexp(pointers)).mean(axis=1) if kept else None
        second_mean = weights @ second if weights is not None else zeros
        x = np.concatenate((hidden[0], first_mean, second_mean))
        inner = np.tanh(arrays[f"{head}.inner.weight"] @ x + arrays[f"{head}.inner.bias"])
        return pointers, arrays[f"{head}.outer.weight"] @ inner + arrays[f"{head}.outer.bias"]


def _best(parts: list[_Part]) -> _Part:
    """The part with the highest first label: "answers" or "supported"."""
    return max(parts, key=lambda part: float(part.labels[0]))


@dataclass(frozen=True, slots=True)
class _Part:
    """The results of the heads for a pair, with the second text and the offsets of its tokens.

    `pointers` are logits of shape (tokens, pointers), `labels` logits of shape (labels,).
    """

    pointers: NDArray[np.float32]
    labels: NDArray[np.float32]
    text: str
    offsets: Sequence[tuple[int, int]]

    def evidence(self) -> Span | None:
        """The word to which the only pointer gives most weight; None if there is no word."""
        if not len(self.pointers):
            return None
        token = int(self.pointers[:, 0].argmax())
        return self.characters(token, token)

    def spans(self) -> tuple[AnswerSpan, ...]:
        """The likeliest spans of the answer and the best span of each sentence, best first.

        The first two pointers are the start and the end of the answer.
        """
        import numpy as np

        if not len(self.pointers):
            return ()
        scores = self._span_scores()
        tokens = len(scores)
        sentence_mass = np.zeros(tokens)  # log-probability of the sentence of each token
        candidates = list(np.argsort(-scores, axis=None, kind="stable")[:_MAX_SPANS])
        sentence_starts = [sentence.start for sentence in split_sentences(self.text)]
        owner = np.searchsorted(sentence_starts, [low for low, _ in self.offsets], side="right")
        for sentence in np.unique(owner):
            members = np.flatnonzero(owner == sentence)
            inside = scores[np.ix_(members, members)]
            sentence_mass[members] = _logsumexp(inside.ravel())
            start, end = divmod(int(inside.argmax()), len(members))
            candidates.append(members[start] * tokens + members[end])
        ranked = {
            index: float(scores.flat[index] + _SENTENCE_WEIGHT * sentence_mass[index // tokens])
            for index in map(int, candidates)
        }
        return tuple(
            AnswerSpan(self.characters(*divmod(index, tokens)), score)
            for index, score in sorted(ranked.items(), key=lambda item: -item[1])
            if np.isfinite(score)
        )

    def _span_scores(self) -> NDArray[np.float32]:
        """Log-probability of each span, shape (first token, last token).

        It is -inf for a span that ends before it starts or has too many tokens.
        """
        import numpy as np

        logs = self.pointers[:, :2] - _logsumexp(self.pointers[:, :2])
        scores = logs[:, :1] + logs[None, :, 1]
        ones = np.ones_like(scores, dtype=bool)
        allowed = np.triu(ones) & ~np.triu(ones, _MAX_ANSWER_TOKENS)
        return np.where(allowed, scores, -np.inf)

    def characters(self, start: int, end: int) -> Span:
        """The characters of the tokens `start` to `end`, inclusive, extended to whole words."""
        low, high = self.offsets[start][0], self.offsets[end][1]
        while low > 0 and _is_word_char(self.text[low]) and _is_word_char(self.text[low - 1]):
            low -= 1
        while (
            high < len(self.text)
            and _is_word_char(self.text[high - 1])
            and _is_word_char(self.text[high])
        ):
            high += 1
        return Span(low, high)


def _is_word_char(char: str) -> bool:
    """Whether a character is a letter, a digit, or a combining mark.

    The tokenizer omits the accents of a decomposed "é".
    """
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _logsumexp(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logarithm of the sum of exponentials along the first axis."""
    import numpy as np

    top = x.max(axis=0)
    return top + np.log(np.exp(x - top).sum(axis=0))
