"""A chunk with the sentences around it is a slice of the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Chunk, Document, Span
from rag.ingest.chunk import chunk_document
from rag.search.passages import widen_chunk
from rag.text.sentences import split_sentences

TEXT = (
    "One mill ground rye. Two mills ground oats.\n\nThree eels swam by the weir. "
    "Four eels slept. Five were smoked in autumn. Six got away."
)


def _document(text: str = TEXT, **more: tuple[object, ...]) -> Document:
    return Document("d", "d.txt", "D", None, text, **more)  # type: ignore[arg-type]


def _chunk(document: Document, words: str) -> Chunk:
    at = document.text.index(words)
    line = 1 + document.text.count("\n", 0, at)
    return Chunk("c", "d", "d.txt", "D", None, "", Span(at, at + len(words)), words, line)


def test_one_sentence_is_put_to_either_side_across_a_paragraph() -> None:
    document = _document()
    wide = widen_chunk(
        _chunk(document, "Three eels swam by the weir. Four eels slept."), document, 1
    )
    assert wide.text.startswith("Two mills ground oats.") and wide.text.endswith(
        "Five were smoked in autumn."
    )
    assert wide.id == "c" and wide.line == 1 and wide.span.of(document.text) == wide.text


def test_it_stops_at_furniture_headings_pages_and_the_ends() -> None:
    at, end = TEXT.index("Three"), TEXT.index("Five")
    middle = "Three eels swam by the weir. Four eels slept. "
    for more in (
        {"mask": (Span(at - 10, at - 2), Span(end, end + 4))},
        {"headings": ((Span(0, at), "A"), (Span(at, end), "B"), (Span(end, len(TEXT)), "C"))},
        {"pages": (Span(0, at), Span(at, end), Span(end, len(TEXT)))},
    ):
        document = _document(**more)
        assert widen_chunk(_chunk(document, middle.strip()), document, 2).text == middle.strip(), (
            more
        )
    document = _document()
    assert widen_chunk(_chunk(document, TEXT), document, 3).text == TEXT
    assert widen_chunk(_chunk(document, "Four eels slept."), document, 0).text == "Four eels slept."


def test_a_sentence_beside_it_is_not_cut_at_the_end_of_a_wrapped_line() -> None:
    text = (
        "The firm Basalt of Grell won the contract against two other bidders. Its foreman,\n"
        "Lutz Ammer, expects to work in two shifts from the second week of April. The council\n"
        "of the works has asked for a heated hut on the bank of the river, which was granted.\n"
        "The bridge was to be closed until August, but the water was too high in spring for\n"
        "the piers, and so the town put it off once more and told the bus line of it.\n"
    )
    document = _document(text)
    first = "The firm Basalt of Grell won the contract against two other bidders."
    wide = widen_chunk(_chunk(document, first), document, 1)
    assert wide.text.endswith(
        "Its foreman,\nLutz Ammer, expects to work in two shifts from the second week of April."
    )


def test_a_sentence_of_a_page_is_not_pulled_in() -> None:
    document = _document(
        "Long " + "very " * 120 + "sentence. Short one. " + "Long " + "very " * 120 + "end."
    )
    assert widen_chunk(_chunk(document, "Short one."), document, 2).text == "Short one."


WORDS = st.lists(
    st.sampled_from(
        ["One.", "Two mills ground oats.", "\n\n", "\n", " ", "Mr. Ab said so!", "x" * 30, "é", "…"]
    ),
    max_size=40,
)


@given(WORDS.map(" ".join), st.integers(0, 3), st.integers(0, 10_000))
def test_it_is_always_a_slice_that_holds_the_chunk_and_begins_and_ends_with_sentences(
    text: str, count: int, seed: int
) -> None:
    document = _document(text)
    starts = {s.start for s in split_sentences(text)}
    ends = {s.end for s in split_sentences(text)}
    for one in chunk_document(document, 32, lambda texts: [len(t.split()) for t in texts]):
        wide = widen_chunk(one, document, count)
        assert wide.text == wide.span.of(text) and one.span.within(wide.span)
        assert wide.line == 1 + text.count("\n", 0, wide.span.start)
        assert wide.span.start in starts | {one.span.start} and wide.span.end in ends | {
            one.span.end
        }
