"""BM25 over all words of a library out of arrays: what the table of words (`words`) ranks, in 0.5 ms among 100,000 passages and not in 43.

FTS5 reads every posting of every word of a query twice, once to count it for its idf. Here a word's postings are a slice of two arrays, and its share of every passage one expression over it. The
formula is that of SQLite (fts5_aux.c: k1 = 1.2, b = 0.75, a word in more than half of the passages counts next to nothing), the
words are cut and stemmed by its tokenizer, so that both rank alike; a test holds them against each other. The table of words stays the
truth: it answers while the arrays are of another revision, and knows in what order words stand.

The arrays lie in a generation of the index (`vectors`), are hashed with it and swapped in whole. They are made from those of the
generation before: rows that are gone are left out, new passages are counted and merged. bm25s keeps scores instead of counts, which
change with every passage that comes; tantivy would be a second store with writers and merges of its own, and rounds lengths.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rag.events import Indexing
from rag.library.fulltext import FullText
from rag.library.stemmer import Stemmer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_K1, _B = 1.2, 0.75  # of FTS5
_LEAST = 1e-6  # the idf of a word that more than half of the passages hold, as FTS5 has it
_WINDOW = 512  # passages counted at once
_NAME = 32  # characters of a chunk's id
_MOST = 65_535  # times that a word of a passage is counted

#: chunk ids -> (id, title, heading, text) of each, in any order
TextSource = Callable[[Sequence[str]], Iterable[tuple[str, str, str, str]]]
_Part = tuple[
    "NDArray[np.uint32]", "NDArray[np.uint32]", "NDArray[np.unsignedinteger]"
]  # words, passages, how often
_Scores = tuple[
    "NDArray[np.uint32]", "NDArray[np.float64]"
]  # passages, and a share of the BM25 of each
_ARRAYS = "names", "lengths", "starts", "rows", "times"
_TERMS = "words.txt"


class Postings:
    """The words of a library at one revision. Not thread-safe."""

    def __init__(
        self,
        names: NDArray[np.bytes_],
        lengths: NDArray[np.uint32],
        terms: Sequence[str],
        starts: NDArray[np.int64],
        rows: NDArray[np.uint32],
        times: NDArray[np.unsignedinteger],
    ) -> None:
        """For n passages and t words with p postings: ids (n,) ascending, words in each passage (n,), the words in ascending
        order, where the postings of each begin (t + 1,), their passages as rows of `names` (p,), how often it stands there (p,).
        """
        self.names, self.lengths, self.terms = names, lengths, terms
        self.starts, self.rows, self.times = starts, rows, times
        mean = float(lengths.mean()) if len(lengths) else 1.0
        self._long = (_K1 * (1 - _B + _B * lengths / max(mean, 1e-9))).astype("float64", copy=False)
        self._total = self._long * 0  # the BM25 of every passage, for one query at a time

    @cached_property
    def _stems(self) -> Stemmer:
        return Stemmer()

    def __call__(
        self, words: Sequence[str], limit: int, table: FullText
    ) -> list[tuple[str, float]]:
        """The ids that hold any of `words`, best first, with BM25 (higher is better).

        `table` is asked about what is more than one word to the tokenizer ("don't"): its words must stand side by side, which is
        not on record here.
        """
        import numpy as np

        total, some = self._total, self.rows[:0]
        total.fill(0)
        for word, stems in zip(words, self._stems.of(words), strict=True):
            if stems:
                rows, scores = (
                    self._scores(stems[0])
                    if len(stems) == 1
                    else self._phrase(table([word], len(total)))
                )
                total[rows] += scores
                some = (
                    rows
                    if len(rows) >= limit and (not len(some) or len(rows) < len(some))
                    else some
                )
        least = (
            -np.partition(-total[some], limit - 1)[limit - 1] if len(some) else 0.0
        )  # nobody worse is in the list
        found = np.flatnonzero(total >= least if least > 0 else total > 0)
        found = found[np.argsort(-total[found], kind="stable")][:limit]
        names = self.names[found].tolist()
        return [
            (name.decode(), score) for name, score in zip(names, total[found].tolist(), strict=True)
        ]

    def hold(self, words: Sequence[str], table: FullText) -> set[str]:
        """Those of `words` that stand in any passage."""
        found = dict(zip(words, self._stems.of(words), strict=True))
        phrases = table.hold([word for word, stems in found.items() if len(stems) > 1])
        return phrases | {
            w for w, stems in found.items() if len(stems) == 1 and self._place(stems[0]) is not None
        }

    def _place(self, stem: str) -> int | None:
        at = bisect_left(self.terms, stem)
        return at if at < len(self.terms) and self.terms[at] == stem else None

    def _scores(self, stem: str) -> _Scores:
        """The passages that hold a stem, and its share of the BM25 of each."""
        at = self._place(stem)
        if at is None:
            return self.rows[:0], self._long[:0]
        part = slice(self.starts[at], self.starts[at + 1])
        rows, times, held = self.rows[part], self.times[part], len(self.times[part])
        weight = max(math.log((len(self.names) - held + 0.5) / (held + 0.5)), _LEAST)
        scores: NDArray[np.float64] = weight * (_K1 + 1) * times / (times + self._long[rows])
        return rows, scores

    def _phrase(self, found: Sequence[tuple[str, float]]) -> _Scores:
        """The same of what the table of words found."""
        import numpy as np

        sought = np.array([name for name, _ in found], dtype=self.names.dtype)
        at = np.minimum(self.names.searchsorted(sought), max(0, len(self.names) - 1))
        here = self.names[at] == sought if len(self.names) else np.zeros(len(found), dtype=bool)
        return at[here].astype(np.uint32), np.array([score for _, score in found])[here]

    def save(self, folder: Path) -> None:
        """Write it as the files of `folder`."""
        import numpy as np

        folder.mkdir(exist_ok=True)
        few = np.min_scalar_type(
            int(self.times.max(initial=0))
        )  # a byte, but for a word said 256 times
        for name in _ARRAYS:
            array = getattr(self, name)
            np.save(
                folder / f"{name}.npy",
                array.astype(few) if name == "times" else array,
                allow_pickle=False,
            )
        (folder / _TERMS).write_text("\n".join(self.terms), encoding="utf-8")


class FastFullText:
    """Words by their postings, with the table of words for what those do not tell."""

    def __init__(self, postings: Postings, table: FullText) -> None:
        self._postings, self._table = postings, table

    def __call__(self, words: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """Ids of the chunks that hold any of `words`, best first, with BM25 (higher is better)."""
        return self._postings(words, limit, self._table)

    def hold(self, words: Sequence[str]) -> set[str]:
        """Those of `words` that stand in any chunk."""
        return self._postings.hold(words, self._table)


def read_postings(folder: Path) -> Postings | None:
    """What `save` wrote; None where it wrote nothing. Raises `OSError` or `ValueError` where it cannot be read."""
    import numpy as np

    if not folder.is_dir():
        return None
    names, lengths, starts, rows, times = (
        np.load(folder / f"{name}.npy", allow_pickle=False) for name in _ARRAYS
    )
    terms = (folder / _TERMS).read_text(encoding="utf-8")
    return Postings(names, lengths, terms.split("\n") if terms else [], starts, rows, times)


def renew_postings(
    last: Postings | None, ids: set[str], texts: TextSource
) -> Generator[Indexing, None, Postings]:
    """The words of exactly the chunks `ids`; what `last` has of them is not counted again."""
    import numpy as np

    names = np.array(sorted(ids), dtype=f"S{_NAME}")
    had = last.names if last else names[:0]
    kept = np.isin(had, names)
    place = names.searchsorted(had)  # of each passage of `last` that is kept
    lengths = np.zeros(len(names), dtype=np.uint32)
    code: dict[str, int] = {}
    parts: list[_Part] = []
    new = set(ids)
    if last:
        code = {term: number for number, term in enumerate(last.terms)}
        lengths[place[kept]] = last.lengths[kept]
        stays = kept[last.rows]
        codes = np.repeat(np.arange(len(last.terms), dtype=np.uint32), np.diff(last.starts))
        parts.append((codes[stays], place[last.rows[stays]].astype(np.uint32), last.times[stays]))
        new -= {name.decode() for name in had[kept].tolist()}
    waiting, done = iter(texts(sorted(new))), 0
    with closing(Stemmer()) as stems:
        while window := list(islice(waiting, _WINDOW)):
            at = names.searchsorted(
                np.array([text[0].encode() for text in window], dtype=names.dtype)
            ).astype(np.uint32)
            found = stems.counted(text[1:] for text in window)
            codes = np.array(
                [code.setdefault(stem, len(code)) for stem, _ in found], dtype=np.uint32
            )
            rows = at[np.array([number for _, number in found], dtype=np.intp)]
            times = np.minimum(list(found.values()), _MOST).astype(np.uint16)
            np.add.at(lengths, rows, times)
            parts.append((codes, rows, times))
            done += len(window)
            yield Indexing(done, len(new), "words")
    return _sorted(names, lengths, list(code), parts)


def _sorted(
    names: NDArray[np.bytes_], lengths: NDArray[np.uint32], terms: list[str], parts: list[_Part]
) -> Postings:
    """Postings in the order of their words, and of the passages in each. Words that nothing holds any more go."""
    import numpy as np

    empty: _Part = (np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.uint16))
    codes, rows, times = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    parts.clear()
    counts = np.bincount(codes, minlength=len(terms))
    held = sorted(np.flatnonzero(counts).tolist(), key=terms.__getitem__)
    rank = np.zeros(len(terms), dtype=np.int64)
    rank[held] = np.arange(len(held))
    place = rank[codes]  # in place: all postings are in memory at once
    del codes
    place *= max(1, len(names))
    place += rows
    order = np.argsort(place)
    del place
    starts = np.concatenate([[0], np.cumsum(counts[held])])
    return Postings(names, lengths, [terms[at] for at in held], starts, rows[order], times[order])
