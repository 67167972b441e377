"""Words: what a frequent word is worth, and that nothing is lost where there are few passages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest

from rag.chunk import chunk
from rag.clean import clean
from rag.domain import Raw
from rag.files import Known
from rag.library import Library

MANY = 300  # passages; a list of five is chosen among a hundred


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """`common` is in all, `half` in every second, `third` in every third, `rare` in every twentieth passage, `odd` in two."""
    with closing(Library(tmp_path_factory.mktemp("words") / "lib", make=True, identity="test")) as made:
        items = []
        for n in range(MANY):
            words = ["common"] * (1 + n % 3) + ["half"] * (n % 2 == 0) + ["third"] * (n % 3 == 0)
            words += ["rare"] * (n % 20 == 7) + ["odd"] * (n in (77, 78)) + [f"name{n}"] * (5 + n % 7)
            document = clean(Raw(" ".join(words) + "."), f"{n}.txt")
            chunks = list(chunk(document, 40, lambda texts: [len(t.split()) for t in texts]))
            assert len(chunks) == 1
            known = Known(f"/{n}", f"{n}.txt", document.id, 1, 1, "", None)
            items.append((known, document, chunks, np.ones((1, 4), np.float32), [b"%d" % n]))
        made.put(items)
        yield made


def _whole(library: Library, query: str) -> list[tuple[str, float]]:
    """The ranking by SQLite alone, of every passage that holds any of the words."""
    rows = library._db.execute(
        "SELECT c.id, -bm25(words, 1.0, 1.0, 1.0) FROM words JOIN chunks c ON c.number = words.rowid WHERE words MATCH ? "
        "ORDER BY bm25(words, 1.0, 1.0, 1.0), c.number",
        (query,),
    )
    return list(rows)


QUERIES = [
    '"rare"',
    '"odd" OR "common"',
    '"rare" OR "common" OR "half"',
    '"third" OR "half" OR "common" OR "odd"',
    '"common"',
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_list_that_could_hold_all_is_the_whole_ranking(library: Library, query: str) -> None:
    assert library.words(query, MANY) == _whole(library, query)


@pytest.mark.parametrize("query", QUERIES)
def test_a_short_list_has_the_true_scores_in_their_order_and_is_full(library: Library, query: str) -> None:
    found, whole = library.words(query, 5), dict(_whole(library, query))
    assert len(found) == min(5, len(whole))
    assert [score for _, score in found] == pytest.approx([whole[name] for name, _ in found])
    assert found == sorted(found, key=lambda pair: -pair[1])
    assert found[0][1] == pytest.approx(max(whole.values()))


def test_frequent_words_rank_what_rarer_ones_chose(library: Library) -> None:
    chosen = [name for name, _ in library.words('"rare" OR "third" OR "common"', 5)]
    held = {name for name, _ in library.words('"rare"', MANY)}
    assert set(chosen) <= held and chosen != [name for name, _ in library.words('"rare"', 5)]


def test_a_word_that_is_nowhere_chooses_nothing(library: Library) -> None:
    assert library.words('"nowhere" OR "common"', 5) == library.words('"common"', 5)
    assert library.words('"nowhere" OR "neither"', 5) == []


def test_merged_words_say_the_same(library: Library) -> None:
    before = [library.words(query, MANY) for query in QUERIES]
    library.merge_words()
    assert [library.words(query, MANY) for query in QUERIES] == before
    assert library.care.wrong() == []
    assert library._db.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone() == (1,)
