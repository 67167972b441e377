"""How long a question, a claim and a passage may be, said before any work is done for them.

A question is compared with passages of a few hundred words, and a claim is a sentence or a few: whoever gives more has taken the
wrong file. The bounds are far above what people write (the longest of 2,000 SQuAD questions has 180 characters).
"""

from __future__ import annotations

from rag.errors import Usage

MAX_QUESTION_CHARS = 8_000  #: characters
MAX_CLAIM_CHARS = 10_000  #: characters
MAX_PASSAGE_CHARS = 50_000  #: characters of a passage that a claim is checked against: about 25 pages, read in some seconds


def check_question(text: str) -> str:
    """The question, whole characters only. Raises `Usage` where it is too long."""
    return _bounded(
        text,
        "the question",
        MAX_QUESTION_CHARS,
        "ask a shorter one, and add long texts as documents",
    )


def check_quote(text: str) -> str:
    """The words that a passage should hold, whole characters only. Raises `Usage` where they are too long."""
    return _bounded(text, "the quote", MAX_QUESTION_CHARS, "give a part of it")


def check_claim(text: str, where: str = "") -> str:
    """The claim, whole characters only; `where` names its line. Raises `Usage` where it is too long."""
    return _bounded(text, f"{where}the claim", MAX_CLAIM_CHARS, "check its sentences one by one")


def check_passage(text: str, where: str = "") -> str:
    """The passage of a claim, whole characters only; `where` names its line. Raises `Usage` where it is too long."""
    return _bounded(
        text,
        f"{where}the passage",
        MAX_PASSAGE_CHARS,
        "give the part of it that the claim rests on",
    )


def _bounded(text: str, what: str, most: int, cure: str) -> str:
    """The text with a question mark for every half of a surrogate pair, which no tokenizer takes."""
    if len(text) > most:
        raise Usage(f"{what} has {len(text):,} characters, over {most:,}", cure)
    return text.encode("utf-8", "replace").decode()
