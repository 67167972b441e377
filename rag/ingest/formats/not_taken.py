"""Counts what a file holds and is not taken in, to say it in one line a kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum

from rag.domain import RefusedPart
from rag.ingest.formats.page_ranges import page_ranges

#: alternative text that says nothing: written by a program, or the name of a file
_NO_DESCRIPTION = re.compile(
    r"automatically generated|^[\w -]+\.\w{3,4}$|^\S*$|^Picture \d+$", re.I
)


class NotTaken(Enum):
    """A kind of content: its name for one and for several, why it is left out, what to do."""

    PICTURES = (
        ("picture", "pictures"),
        "text in pictures is not recognised (no OCR)",
        "describe it in the text or in its alternative text",
    )
    CHARTS = (("chart", "charts"), "its figures are not read", "add its figures as a table")
    DIAGRAMS = (("diagram", "diagrams"), "its words are not read", "write down what it says")
    OBJECTS = (
        ("embedded object", "embedded objects"),
        "a file in a file is not opened",
        "save it as a file of its own, then add that",
    )
    SOUNDS = (
        ("sound or film", "sounds or films"),
        "there is no text in it",
        "write down what is said in it",
    )
    COMMENTS = (
        ("comment on a cell", "comments on cells"),
        "a workbook's comments are not read",
        "write them into cells",
    )
    HIDDEN = (
        ("hidden text", "hidden texts"),
        "a reader of the file does not see it",
        "show it in its own program and save it, if it belongs to the file",
    )


class Tally:
    """Counts of what was not taken in."""

    def __init__(self) -> None:
        self._counts = Counter[NotTaken]()

    def add(self, kind: NotTaken, count: int = 1) -> None:
        """Count something that was not taken in."""
        self._counts[kind] += count

    def parts(self) -> Iterator[RefusedPart]:
        """Yield one part for each kind. Its name has no number, so that it stays the same."""
        for kind in NotTaken:
            count = self._counts[kind]
            if count:
                (one, several), why, cure = kind.value
                words = f"1 {one}" if count == 1 else f"{count:,} {several}"
                yield RefusedPart(f"/{several}", f"{words} not taken in: {why}", cure)


def says_something(description: str) -> bool:
    """Does the alternative text of a picture say more than a program wrote, or a file's name?"""
    return len(description) < 2000 and not _NO_DESCRIPTION.search(description)


def blank_slides_said(numbers: Sequence[int]) -> Iterator[RefusedPart]:
    """Yield one line about the slides without text, if there are any; `numbers` begin at 1."""
    if numbers:
        yield RefusedPart(
            f"/{page_ranges('slide', numbers)}",
            "without text (a picture?)",
            "describe the picture in the notes",
        )
