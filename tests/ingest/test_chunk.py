"""Chunks: exact slices of whole sentences, none too long, none over the mask, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.domain import Chunk, Document, RawDocument, Span
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.formats.tables import read_csv
from rag.text.sentences import split_sentences
from rag.text.units import view_of
from tests.support.examples import examples

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
PARTS = st.sampled_from(
    "a|B| |\n|\n\n|.|?|word word word |Mr. Smith went to sea. |It was cold there and nobody came. |\n# Head\n|\n## Part\n|\nComments\n"
    "|\nRead more\n|1. |é|長い文です。|\r\n|\u2028|xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx|\nTitle\n=====\n".split(
        "|"
    )
)


def by_word(texts: Sequence[str]) -> list[int]:
    return [len(t.split()) for t in texts]


def by_character(texts: Sequence[str]) -> list[int]:
    """More tokens than a word, as a tokenizer has for a script it does not know."""
    return [sum(not c.isspace() for c in t) for t in texts]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = "".join(draw(st.lists(PARTS, max_size=50)))
    places = st.integers(0, len(text))
    masked = [Span(*sorted((draw(places), draw(places)))) for _ in range(draw(st.integers(0, 2)))]
    return clean_document(RawDocument(text, masked=tuple(masked)), "a.md")


def _lawful(document: Document, chunks: list[Chunk], size: int, count: object = by_word) -> None:
    last = 0
    seen = [False] * len(document.text)
    for part in chunks:
        assert part.text == part.span.of(document.text) and part.text.strip()
        assert part.span.start >= last
        last = part.span.end
        assert count([part.text])[0] <= size  # type: ignore[operator]
        assert not any(part.span.overlaps(m) for m in document.mask)
        assert part.line == document.text[: part.span.start].count("\n") + 1
        assert (part.document, part.source, part.title, part.date) == (
            document.id,
            document.source,
            document.title,
            document.date,
        )
        seen[part.span.start : part.span.end] = [True] * (part.span.end - part.span.start)
    for m in document.mask:
        seen[m.start : m.end] = [True] * (m.end - m.start)
    assert all(there or char.isspace() for there, char in zip(seen, document.text, strict=True)), (
        "something is left out"
    )
    assert len({part.id for part in chunks}) == len(chunks)


@examples(300)
@given(
    documents(),
    st.sampled_from([(8, by_word), (60, by_word), (32, by_character), (90, by_character)]),
)
@example(clean_document(RawDocument("長" * 100), "a"), (32, by_character))
def test_chunks_are_lawful(document: Document, how: tuple[int, object]) -> None:
    size, count = how
    chunks = list(chunk_document(document, size, count))  # type: ignore[arg-type]
    _lawful(document, chunks, size, count)
    assert chunks == list(chunk_document(document, size, count))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", sorted(SEEDS.glob("*.txt")), ids=lambda p: p.name[:3])
@pytest.mark.parametrize("size", [40, 120, 200])
def test_the_seeds(path: Path, size: int) -> None:
    document = clean_document(RawDocument(path.read_bytes().decode()), path.name)
    chunks = list(chunk_document(document, size, by_word))
    _lawful(document, chunks, size)
    starts = {s.start for s in split_sentences(document.text)}
    whole = [c for c in chunks if c.span.start in starts]
    assert size == 40 or len(whole) == len(chunks), "a chunk begins in the middle of a sentence"


def test_a_chunk_fills_up_with_whole_sentences() -> None:
    text = " ".join(f"Sentence number {n} has exactly eight words here." for n in range(10))
    chunks = list(chunk_document(clean_document(RawDocument(text), "a"), 30, by_word))
    assert [len(c.text.split()) for c in chunks] == [24, 24, 24, 8]
    assert all(c.text.endswith("here.") for c in chunks)


def test_a_heading_begins_a_chunk_and_names_it() -> None:
    body = " ".join(["It has four bolts that hold it in place."] * 4)
    text = f"{body}\n\n# Pump\n{body}\n## Valve\n{body}\n"
    chunks = list(chunk_document(clean_document(RawDocument(text), "a.md"), 200, by_word))
    assert [c.heading for c in chunks] == ["", "Pump", "Pump › Valve"]
    assert [c.text.split("\n")[0] for c in chunks[1:]] == ["# Pump", "## Valve"]
    assert [c.line for c in chunks] == [1, 3, 5]


def test_a_masked_line_ends_a_chunk() -> None:
    body = " ".join(["It has four bolts that hold it in place."] * 4)
    text = f"{body}\nRead more\n{body}\n"
    chunks = list(chunk_document(clean_document(RawDocument(text), "a.txt"), 200, by_word))
    assert [c.text for c in chunks] == [body, body]


def test_a_few_words_do_not_stand_alone() -> None:
    body = " ".join(["It has four bolts that hold it in place."] * 4)
    chunks = list(
        chunk_document(
            clean_document(RawDocument(f"# Pump\nShort.\n# Valve\n{body}\n"), "a.md"), 200, by_word
        )
    )
    assert len(chunks) == 1 and chunks[0].heading == "Pump"


def test_a_headline_goes_with_what_follows() -> None:
    first, second = (
        " ".join([f"The {name} has four bolts that hold it."] * 5) for name in ("pump", "valve")
    )
    chunks = list(
        chunk_document(
            clean_document(RawDocument(f"{first}\n\nAbout the valve\n\n{second}\n"), "a.txt"),
            50,
            by_word,
        )
    )
    assert [c.text.split("\n")[0] for c in chunks] == [first, "About the valve"]


def test_a_headline_that_does_not_fit_stays_behind() -> None:
    short, long = "The pump has four bolts. " * 4, "The valve " + "very " * 46 + "green."
    document = clean_document(
        RawDocument(f"{short}\n\nAbout the valve and what it is for\n\n{long}\n"), "a.txt"
    )
    _lawful(document, list(chunk_document(document, 50, by_word)), 50)


def test_a_sentence_without_an_end_is_cut_where_words_end() -> None:
    text = " ".join(f"word{n}" for n in range(500))
    chunks = list(chunk_document(clean_document(RawDocument(text), "a"), 60, by_word))
    assert " ".join(c.text for c in chunks) == text
    assert all(20 <= len(c.text.split()) <= 60 for c in chunks)


def test_a_wall_of_letters_is_cut_all_the_same() -> None:
    document = clean_document(RawDocument("x" * 20_000), "a")
    chunks = list(chunk_document(document, 100, by_character))
    _lawful(document, chunks, 100, by_character)
    assert "".join(c.text for c in chunks) == document.text


def test_pages() -> None:
    body = " ".join(["It has four bolts that hold it in place."] * 4)
    text = f"{body}\f\n{body}\n"
    document = clean_document(
        RawDocument(text, pages=(Span(0, len(body)), Span(len(body) + 1, len(text)))), "a.pdf"
    )
    assert [c.page for c in chunk_document(document, 40, by_word)] == [1, 2]
    assert (
        next(iter(chunk_document(clean_document(RawDocument(body), "a"), 40, by_word))).page is None
    )


def test_ids_tell_texts_and_places_apart() -> None:
    one, two = (
        list(chunk_document(clean_document(RawDocument(t), "a"), 8, by_word))
        for t in ("It rained here. " * 5, "It rained here. " * 5 + "!")
    )
    assert len({c.id for c in [*one, *two]}) == len(one) + len(two)
    assert all(len(c.id) == 32 for c in one)


def test_nothing_to_chunk() -> None:
    for text in ("", " \n\n", "Read more\n"):
        assert list(chunk_document(clean_document(RawDocument(text), "a"), 50, by_word)) == []


@pytest.mark.slow
def test_thousands_of_headings_take_little_time() -> None:
    document = clean_document(
        RawDocument("# Head\nIt has four bolts that hold it.\n" * 20_000), "a.md"
    )
    assert len(list(chunk_document(document, 200, by_word))) > 100


def _csv(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Document:
    lines = [",".join(cells) for cells in (names, *rows)]
    (raw,) = read_csv("\n".join(lines).encode())
    return clean_document(raw, "a.csv")


def test_a_row_under_names_that_fill_a_passage_has_one_of_its_own() -> None:
    names = [f"How content are you with part {n} of what we do for you" for n in range(9)]
    document = _csv(names, [[f"v{n}{row}" for n in range(9)] for row in range(4)])
    chunks = list(chunk_document(document, 40, by_word))
    of_rows = [chunk for chunk in chunks if any(unit.cells for unit in chunk.units)]
    for row, chunk in enumerate(of_rows[-4:]):
        assert len([unit for unit in chunk.units if unit.cells]) == 1
        assert f"{names[0]}: v0{row}; {names[1]}: v1{row}" in view_of(chunk).text
        assert f"{names[8]}: v8{row}" in view_of(chunk).text


def test_long_names_make_no_more_chunks_of_a_large_table() -> None:
    short, long = "ab", " ".join("ab" * 30)
    rows = [[f"{n}", f"{n + 1}"] for n in range(1500)]
    of_short, of_long = (
        len(list(chunk_document(_csv([name, f"{name} c"], rows), 100, by_word)))
        for name in (short, long)
    )
    assert of_long < 6 * of_short
