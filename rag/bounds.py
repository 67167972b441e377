"""How long a question, a claim and a passage may be, said before any work is done for them.

A question is compared with passages of a few hundred words, and a claim is a sentence or a few: whoever gives more has taken the
wrong file. The bounds are far above what people write (the longest of 2,000 SQuAD questions has 180 characters).
"""

from __future__ import annotations

from rag.errors import Usage

QUESTION = 8_000  #: characters
CLAIM = 10_000  #: characters
PASSAGE = 50_000  #: characters of a passage that a claim is checked against: about 25 pages, read in some seconds


def question(text: str) -> str:
    """The question, whole characters only. Raises `Usage` where it is too long."""
    return _bounded(text, "the question", QUESTION, "ask a shorter one, and add long texts as documents")


def quote(text: str) -> str:
    """The words that a passage should hold, whole characters only. Raises `Usage` where they are too long."""
    return _bounded(text, "the quote", QUESTION, "give a part of it")


def claim(text: str, where: str = "") -> str:
    """The claim, whole characters only; `where` names its line. Raises `Usage` where it is too long."""
    return _bounded(text, f"{where}the claim", CLAIM, "check its sentences one by one")


def passage(text: str, where: str = "") -> str:
    """The passage of a claim, whole characters only; `where` names its line. Raises `Usage` where it is too long."""
    return _bounded(text, f"{where}the passage", PASSAGE, "give the part of it that the claim rests on")


def _bounded(text: str, what: str, most: int, cure: str) -> str:
    """The text with a question mark for every half of a surrogate pair, which no tokenizer takes."""
    if len(text) > most:
        raise Usage(f"{what} has {len(text):,} characters, over {most:,}", cure)
    return text.encode("utf-8", "replace").decode()
