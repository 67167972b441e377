"""Fold copies: a chunk that says nothing which a better one does not takes no place of its own.

Such a chunk is folded into the better one, so that it does not corroborate. The texts themselves
decide (`rag.text.copies`), because chunks of two copies need not begin at the same word; a chunk is
compared with all better passages together. Labels made at ingest tell whether the lists have so
many copies that deeper lists are needed, and which further copies exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rag.domain import Chunk, Copy
from rag.library.library import Library
from rag.text.copies import WordText, find_copy


class Folded(NamedTuple):
    """Chunks without copies, best first, and for each chunk id the chunks folded into it."""

    chunks: dict[str, Chunk]
    copies: dict[str, list[Chunk]]

    def originals(self) -> dict[str, Chunk]:
        """Id of each copy -> the chunk that it was folded into, best first."""
        return {
            copy.id: self.chunks[chunk_id]
            for chunk_id, copies in self.copies.items()
            for copy in copies
        }


def fold_copies(
    library: Library,
    chunk_ids: Sequence[str],
    wanted: int,
    deeper_exist: bool,
    enough: Callable[[dict[str, Chunk], str], bool],
) -> Folded | None:
    """The first `wanted` chunks that say something new, best first, with their copies.

    There are fewer if `enough` is true of the chunks so far and the next id. The result is None if
    these ids have too few and deeper lists exist; the labels of the copies tell that before a long
    list of them is compared.
    """
    folded = Folded({}, {})
    texts: list[WordText] = []
    for index, chunk_id in enumerate(chunk_ids):
        if len(folded.chunks) == wanted or enough(folded.chunks, chunk_id):
            return folded
        if (
            deeper_exist
            and index == 2 * wanted
            and len(library.duplicates.labels(chunk_ids)) < wanted
        ):
            return None
        _fold(library, chunk_id, folded, texts)
    return None if deeper_exist and len(folded.chunks) < wanted else folded


def fold_all(library: Library, chunk_ids: Sequence[str]) -> Folded:
    """All chunks that say something new, best first, with their copies."""
    folded = Folded({}, {})
    texts: list[WordText] = []
    for chunk_id in chunk_ids:
        _fold(library, chunk_id, folded, texts)
    return folded


def _fold(library: Library, chunk_id: str, folded: Folded, texts: list[WordText]) -> None:
    """Enter one more chunk in `folded`, and its text in `texts` if it is no copy."""
    chunk = library.documents.chunks([chunk_id]).get(chunk_id)
    if chunk is None:
        return
    text = WordText(chunk.text, f"{chunk.title} {chunk.heading}")
    original = find_copy(text, texts)
    if original is None:
        folded.chunks[chunk_id] = chunk
        texts.append(text)
    else:
        original_id = list(folded.chunks)[original]
        folded.copies.setdefault(original_id, []).append(chunk)


def other_places(
    library: Library, chunk: Chunk, folded: Sequence[Chunk], shown: Sequence[Chunk]
) -> tuple[Copy, ...]:
    """The other places of a chunk's text, without those of the passages in `shown`.

    First the chunks that were folded into it, then the other names of its document, then the copies
    that were found at ingest.
    """
    names = [
        Copy(source, each.document, each.span)
        for each in (*folded, chunk)
        for source in library.files.sources(each.document)
    ]
    copies = dict.fromkeys([*names, *library.duplicates.copies(chunk.id)])
    itself = Copy(chunk.source, chunk.document, chunk.span)
    shown_places = {(other.document, other.span) for other in shown if other.id != chunk.id}
    return tuple(
        copy for copy in copies if copy != itself and (copy.document, copy.span) not in shown_places
    )
