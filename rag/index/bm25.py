"""BM25 over all words of a library, computed from arrays.

It ranks as the table of words (`fulltext`) does, in 0.5 ms instead of 43 ms among 100,000 passages.
FTS5 reads every posting of every word of a query twice, once to count it for its inverse document
frequency (idf). Here the postings of a word are a slice of two arrays, and one expression computes
its share of the score of every passage.

The formula is that of SQLite (fts5_aux.c: k1 = 1.2, b = 0.75, nearly no weight for a word in more
than half of the passages). SQLite's tokenizer splits and stems the words, so both rank alike; a
test compares them. The table of words remains the truth: it answers while the arrays are of another
revision, and it knows the order of words.

The arrays are files of a generation of the index (`generations`). They are made from those of the
last generation: removed passages are left out, new ones are counted and merged. bm25s stores scores
instead of counts, which every new passage changes; tantivy would be a second store with writers and
merges of its own, and rounds lengths.
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

#: parameters of BM25 as in FTS5
_K1, _B = 1.2, 0.75
#: idf of a word in more than half of the passages, as in FTS5
_MIN_IDF = 1e-6
#: passages that are counted at once
_BATCH_PASSAGES = 512
#: characters of a chunk id
_ID_LENGTH = 32
#: highest count of a word in a passage
_MAX_COUNT = 65_535

#: chunk ids -> (id, title, heading, text) of each, in any order
TextSource = Callable[[Sequence[str]], Iterable[tuple[str, str, str, str]]]
#: postings as three arrays (p,): number of the word, row of the passage, count
_Part = tuple["NDArray[np.uint32]", "NDArray[np.uint32]", "NDArray[np.unsignedinteger]"]
#: rows of passages and a summand of the BM25 of each, both (n,)
_Scores = tuple["NDArray[np.uint32]", "NDArray[np.float64]"]
#: names of the array files
_ARRAYS = "names", "lengths", "starts", "rows", "times"
#: name of the file of words; that of earlier versions, "words.txt", has clauses of scripts without
#: spaces for words, and such postings are made again
TERMS = "terms.txt"


class Postings:
    """The postings of a library at one revision. Not thread-safe."""

    def __init__(
        self,
        names: NDArray[np.bytes_],
        lengths: NDArray[np.uint32],
        terms: Sequence[str],
        starts: NDArray[np.int64],
        rows: NDArray[np.uint32],
        times: NDArray[np.unsignedinteger],
    ) -> None:
        """Take the arrays of n passages and t words with p postings.

        `names`: chunk ids, ascending, (n,). `lengths`: words of each passage, (n,). `terms`: the
        words, ascending. `starts`: start of each word's postings, (t + 1,). `rows`: their passages
        as rows of `names`, (p,). `times`: count of the word in that passage, (p,).
        """
        self.names, self.lengths, self.terms = names, lengths, terms
        self.starts, self.rows, self.times = starts, rows, times
        mean = float(lengths.mean()) if len(lengths) else 1.0
        length_norms = _K1 * (1 - _B + _B * lengths / max(mean, 1e-9))
        self._length_norms = length_norms.astype("float64", copy=False)
        self._scores = self._length_norms * 0  # of every passage, for one query at a time

    @cached_property
    def _stems(self) -> Stemmer:
        return Stemmer()

    def __call__(
        self, words: Sequence[str], limit: int, table: FullText
    ) -> list[tuple[str, float]]:
        """Return (chunk id, BM25) of the chunks with any of `words`, highest score first.

        `table` looks up words that the tokenizer splits ("don't"): their parts must be next to each
        other, and the arrays do not store positions.
        """
        import numpy as np

        scores, some_rows = self._scores, self.rows[:0]
        scores.fill(0)
        for word, stems in zip(words, self._stems.of(words), strict=True):
            if not stems:
                continue
            if len(stems) == 1:
                rows, summands = self._score_stem(stems[0])
            else:
                rows, summands = self._rows_of(table([word], len(scores)))
            scores[rows] += summands
            if len(rows) >= limit and (not len(some_rows) or len(rows) < len(some_rows)):
                some_rows = rows
        # the score of the last of the best `limit` among some passages: a lower one is not returned
        bound = -np.partition(-scores[some_rows], limit - 1)[limit - 1] if len(some_rows) else 0.0
        best = np.flatnonzero(scores >= bound if bound > 0 else scores > 0)
        best = best[np.argsort(-scores[best], kind="stable")][:limit]
        pairs = zip(self.names[best].tolist(), scores[best].tolist(), strict=True)
        return [(chunk_id.decode(), score) for chunk_id, score in pairs]

    def hold(self, words: Sequence[str], table: FullText) -> set[str]:
        """Return those of `words` that are in any passage; `table` as in a query."""
        stems_of = dict(zip(words, self._stems.of(words), strict=True))
        several = [word for word, stems in stems_of.items() if len(stems) > 1]
        phrases = table.hold(several) if several else set()
        return phrases | {
            word
            for word, stems in stems_of.items()
            if len(stems) == 1 and self._find_term(stems[0]) is not None
        }

    def _find_term(self, stem: str) -> int | None:
        """The number of a stem in `terms`."""
        i = bisect_left(self.terms, stem)
        return i if i < len(self.terms) and self.terms[i] == stem else None

    def _score_stem(self, stem: str) -> _Scores:
        """The passages with a stem, and its summand of the BM25 of each."""
        term = self._find_term(stem)
        if term is None:
            return self.rows[:0], self._length_norms[:0]
        postings = slice(self.starts[term], self.starts[term + 1])
        rows, times = self.rows[postings], self.times[postings]
        idf = max(math.log((len(self.names) - len(rows) + 0.5) / (len(rows) + 0.5)), _MIN_IDF)
        summands: NDArray[np.float64] = idf * (_K1 + 1) * times / (times + self._length_norms[rows])
        return rows, summands

    def _rows_of(self, results: Sequence[tuple[str, float]]) -> _Scores:
        """Convert results of the table of words to rows; drop ids that are not in `names`."""
        import numpy as np

        ids = np.array([chunk_id for chunk_id, _ in results], dtype=self.names.dtype)
        rows = np.minimum(self.names.searchsorted(ids), max(0, len(self.names) - 1))
        known = self.names[rows] == ids if len(self.names) else np.zeros(len(ids), dtype=bool)
        return rows[known].astype(np.uint32), np.array([score for _, score in results])[known]

    def save(self, folder: Path) -> None:
        """Write the arrays and words as files of `folder`."""
        import numpy as np

        folder.mkdir(exist_ok=True)
        # one byte a count, unless a passage has a word more than 255 times
        count_type = np.min_scalar_type(int(self.times.max(initial=0)))
        for name in _ARRAYS:
            array = getattr(self, name)
            if name == "times":
                array = array.astype(count_type)
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        (folder / TERMS).write_text("\n".join(self.terms), encoding="utf-8")


class FastFullText:
    """Full-text search by postings; the table of words answers what they do not store."""

    def __init__(self, postings: Postings, table: FullText) -> None:
        self._postings, self._table = postings, table

    def __call__(self, words: Sequence[str], limit: int) -> list[tuple[str, float]]:
        """Return (chunk id, BM25) of the chunks with any of `words`, highest score first."""
        return self._postings(words, limit, self._table)

    def hold(self, words: Sequence[str]) -> set[str]:
        """Return those of `words` that are in any chunk."""
        return self._postings.hold(words, self._table)


def read_postings(folder: Path) -> Postings | None:
    """Read what `save` wrote; None if the folder is missing or of an earlier version.

    Raises `OSError` or `ValueError` if a file cannot be read.
    """
    import numpy as np

    if not folder.is_dir() or (folder / "words.txt").exists():
        return None
    names, lengths, starts, rows, times = (
        np.load(folder / f"{name}.npy", allow_pickle=False) for name in _ARRAYS
    )
    terms = (folder / TERMS).read_text(encoding="utf-8")
    return Postings(names, lengths, terms.split("\n") if terms else [], starts, rows, times)


def renew_postings(
    last: Postings | None, ids: set[str], texts: TextSource
) -> Generator[Indexing, None, Postings]:
    """Make the postings of exactly the chunks `ids`, yielding the progress.

    Chunks that `last` has are not counted again.
    """
    import numpy as np

    names = np.array(sorted(ids), dtype=f"S{_ID_LENGTH}")
    lengths = np.zeros(len(names), dtype=np.uint32)
    numbers: dict[str, int] = {}  # stem -> its number in the parts
    parts: list[_Part] = []
    new_ids = set(ids)
    if last:
        numbers = {term: number for number, term in enumerate(last.terms)}
        kept = np.isin(last.names, names)
        parts.append(_kept_part(last, kept, names, lengths))
        new_ids -= {chunk_id.decode() for chunk_id in last.names[kept].tolist()}
    new_texts, done = iter(texts(sorted(new_ids))), 0
    with closing(Stemmer()) as stemmer:
        while batch := list(islice(new_texts, _BATCH_PASSAGES)):
            parts.append(_count(batch, stemmer, numbers, names, lengths))
            done += len(batch)
            yield Indexing(done, len(new_ids), "words")
    return _merge(names, lengths, list(numbers), parts)


def _kept_part(
    last: Postings,
    kept: NDArray[np.bool_],
    names: NDArray[np.bytes_],
    lengths: NDArray[np.uint32],
) -> _Part:
    """The postings of `last` for its passages that are `kept`; enters their `lengths`."""
    import numpy as np

    new_rows = names.searchsorted(last.names)  # only valid for passages that are kept
    lengths[new_rows[kept]] = last.lengths[kept]
    chosen = kept[last.rows]
    numbers = np.repeat(np.arange(len(last.terms), dtype=np.uint32), np.diff(last.starts))
    rows = new_rows[last.rows[chosen]].astype(np.uint32)
    return numbers[chosen], rows, last.times[chosen]


def _count(
    batch: Sequence[tuple[str, str, str, str]],
    stemmer: Stemmer,
    numbers: dict[str, int],
    names: NDArray[np.bytes_],
    lengths: NDArray[np.uint32],
) -> _Part:
    """The postings of a batch of texts; enters their `lengths` and the `numbers` of new stems."""
    import numpy as np

    ids = np.array([text[0].encode() for text in batch], dtype=names.dtype)
    batch_rows = names.searchsorted(ids).astype(np.uint32)
    counts = stemmer.counted(text[1:] for text in batch)
    terms = np.array(
        [numbers.setdefault(stem, len(numbers)) for stem, _ in counts], dtype=np.uint32
    )
    rows = batch_rows[np.array([text_number for _, text_number in counts], dtype=np.intp)]
    times = np.minimum(list(counts.values()), _MAX_COUNT).astype(np.uint16)
    np.add.at(lengths, rows, times)
    return terms, rows, times


def _merge(
    names: NDArray[np.bytes_], lengths: NDArray[np.uint32], terms: list[str], parts: list[_Part]
) -> Postings:
    """Merge parts into postings, ordered by word and passage. Words without postings are dropped.

    Empties `parts`, because all postings are in memory at once.
    """
    import numpy as np

    empty: _Part = (np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.uint16))
    numbers, rows, times = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    parts.clear()
    counts = np.bincount(numbers, minlength=len(terms))
    used = sorted(np.flatnonzero(counts).tolist(), key=terms.__getitem__)
    ranks = np.zeros(len(terms), dtype=np.int64)
    ranks[used] = np.arange(len(used))
    sort_keys = ranks[numbers]  # changed in place to save memory
    del numbers
    sort_keys *= max(1, len(names))
    sort_keys += rows
    order = np.argsort(sort_keys)
    del sort_keys
    starts = np.concatenate([[0], np.cumsum(counts[used])])
    return Postings(names, lengths, [terms[i] for i in used], starts, rows[order], times[order])
