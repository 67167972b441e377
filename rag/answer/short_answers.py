"""Kinds of short answers: which kind a question asks for, and whether two answers say the same."""

from __future__ import annotations

import re

from rag.text import facts, quantities

_YEAR = re.compile(
    r"(?:(?:in|since|about|around|by|until|from|after|before|c\.|early|late|the|year|of) ?)*"
    r"(?:1\d|20)\d\d",
    re.I,
)
_MAX_NAME_WORDS = 5  # words of a short answer that is a name
_ASKS_FOR_NUMBER = re.compile(
    r"\bhow many\b|\bwhat (?:is |was )?(?:the )?(?:total |exact )?"
    r"(?:percent|percentage|number|value|amount)\b"
)
_ASKS_FOR_DATE = re.compile(
    r"\bwhen\b|\bwhat (?:year|date|day|month)\b|\b(?:in|on) which (?:year|date|day|month)\b"
)
_ASKS_FOR_NAME = re.compile(
    r"\bwho(?:se|m)?\b|\bwhere\b|\bwhich (?:country|city|person|company|state)\b"
)


def answer_kind(question: str) -> str:
    """The kind of answer that is asked for: "number", "date", "name", or "" if it is not clear."""
    folded = facts.fold_text(question)
    if _ASKS_FOR_NUMBER.search(folded):
        return "number"
    if _ASKS_FOR_DATE.search(folded):
        return "date"
    return "name" if _ASKS_FOR_NAME.search(folded) else ""


def kind_of_short_answer(short: str) -> str:
    """ "date", "number" or "name"; "" for any other short answer."""
    dates, rest = facts.find_dates(short)
    if dates or _YEAR.fullmatch(short.strip()):
        return "date"
    if quantities.find_numbers(rest):
        return "number"
    is_name = facts.find_names("x " + short) and len(short.split()) <= _MAX_NAME_WORDS
    return "name" if is_name else ""


def same_answer(one: str, other: str) -> bool:
    """True if two short answers say the same.

    They do if they have the same date or number, or if all words of the shorter are in the longer.
    """
    dates, rest = facts.find_dates(one)
    other_dates, other_rest = facts.find_dates(other)
    if dates and other_dates:
        return any(a.agrees(b) for a in dates for b in other_dates)
    numbers, other_numbers = quantities.find_numbers(rest), quantities.find_numbers(other_rest)
    if numbers and other_numbers:
        return any(a.agrees(b) or b.agrees(a) for a in numbers for b in other_numbers)
    stems, other_stems = set(facts.content_stems(one)), set(facts.content_stems(other))
    return bool(stems and other_stems) and (stems <= other_stems or other_stems <= stems)
