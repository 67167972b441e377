"""Limits on the length of a question, a claim and a passage, checked before any work is done.

A question is compared with passages of a few hundred words, and a claim is one sentence or a few.
A longer text is probably the wrong file. The limits are far above usual lengths: the longest of
2,000 SQuAD questions has 180 characters.
"""

from __future__ import annotations

from rag.errors import Usage

MAX_QUESTION_CHARS = 8_000
MAX_CLAIM_CHARS = 4_000
#: for a passage that a claim is checked against: about 10 pages, read in a few seconds
MAX_PASSAGE_CHARS = 20_000


def check_question(text: str) -> str:
    """The question as valid Unicode. Raises `Usage` if it is too long."""
    return _limited(
        text,
        "the question",
        MAX_QUESTION_CHARS,
        "ask a shorter one, and add long texts as documents",
    )


def check_quote(text: str) -> str:
    """The words that a passage should contain, as valid Unicode. Raises `Usage` if too long."""
    return _limited(text, "the quote", MAX_QUESTION_CHARS, "give a part of it")


def check_claim(text: str, where: str = "") -> str:
    """The claim as valid Unicode.

    `where` is a prefix of the message that names the line of the claim.
    Raises `Usage` if the claim is too long.
    """
    return _limited(text, f"{where}the claim", MAX_CLAIM_CHARS, "check its sentences one by one")


def check_passage(text: str, where: str = "") -> str:
    """The passage of a claim as valid Unicode.

    `where` is a prefix of the message that names the line of the passage.
    Raises `Usage` if the passage is too long.
    """
    return _limited(
        text,
        f"{where}the passage",
        MAX_PASSAGE_CHARS,
        "give the part of it that the claim rests on",
    )


def _limited(text: str, subject: str, max_chars: int, cure: str) -> str:
    """The text with a question mark for every lone surrogate, which no tokenizer accepts."""
    if len(text) > max_chars:
        raise Usage(f"{subject} has {len(text):,} characters, over {max_chars:,}", cure)
    return text.encode("utf-8", "replace").decode()
