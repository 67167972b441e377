"""A saved conversation as the object of ``history show --json``, and what it cites."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rag import serialize
from rag.domain import FileState, SavedTurn


def cited_documents(turns: Iterable[SavedTurn]) -> list[tuple[str, str]]:
    """Id and source of the documents that the answers cite, each once."""
    answers = [turn.answer for turn in turns if turn.answer is not None]
    places = (e for answer in answers for claim in answer.claims for e in claim.evidence)
    return list(dict.fromkeys((place.document, place.source) for place in places))


def turn_objects(turns: Sequence[SavedTurn]) -> list[dict[str, object]]:
    """The objects of questions with their answers."""
    return [
        {
            "question": turn.question,
            "asked": turn.asked,
            "version": turn.version,
            "versions": turn.versions,
            "answer": None if turn.answer is None else serialize.answer(turn.answer),
        }
        for turn in turns
    ]


def saved_conversation(
    title: str, turns: Sequence[SavedTurn], states: Mapping[tuple[str, str], FileState]
) -> dict[str, object]:
    """The object of ``history show --json``. `states` are those of the cited documents."""
    return {
        "title": title,
        "turns": turn_objects(turns),
        "files": [
            {"document": document, "source": source, "file": state.value}
            for (document, source), state in states.items()
        ],
    }
