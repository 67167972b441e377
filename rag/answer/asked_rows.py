"""Finds what a question for rows or records asks: "which boats were built by Tessmer".

The answer is the name of each row that fits, whatever other columns the words of the question
name. A column of yes and no is a condition there: "which volunteers can do first aid" asks for the
rows whose field `first_aid` says yes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rag.text import facts
from rag.text.labels import spelled_header

#: "which volunteers can …": the noun, and what begins the condition
_WHICH = re.compile(
    r"^\W*(?:(?:and|so) )?(?:which|what) (?:of (?:the|our|these|my) )?"
    r"(?!(?:is|are|was|were|do|does|did|has|have|had|can|the|an?|kind|sort|type)\b)"
    r"(?:(?!(?:of|in|on|at|to|from|with|by|for|who|that|which)\b)[^\W\d_]{2,20} ){0,2}?"
    r"([^\W\d_]{2,30}) (?:(?:in|at|from|on|of) (?:the )?[^\W\d_]{2,20} )?"
    r"(?:can|could|may|might|must|should|will|would|do|does|did|is|are|was|were|has|have|had|"
    r"needs?|[^\W\d_]{2,20}ed|takes?|costs?|works?|lives?|belongs?|runs?|uses?|speaks?|plays?)\b"
)
_YES = frozenset("true yes y x ja oui si \u2713 \u2714 \u2611".split())
_NO = frozenset("false no n nein non \u2717 \u2718 \u2610".split())
_DENIALS = frozenset("not no never cannot".split())
#: words between a denial and what it denies
_BETWEEN = frozenset("been be being yet a an any the have had got currently".split())
#: words with which yes and no of several columns, or of what is still to be done, are not told
_UNCLEAR = re.compile(
    r"\b(?:or|but|except|besides|must|should|shall|will|needs?|needed|yet to|to be|(?:have|has) to|"
    r"(?:can|may|could|might) be)\b"
)


@lru_cache(maxsize=64)
def asked_rows(question: str) -> str:
    """Return the stem of the noun for the rows that a question asks for; "" if it does not."""
    match = _WHICH.match(facts.fold_text(question))
    return facts.stem(match[1]) if match else ""


def count_denials(question: str) -> int:
    """Return how often a question says not, no or never; -1 if it negates with another word.

    "Failed" and "without" may be the name of a column.
    """
    words = facts.word_tokens(facts.fold_text(question))
    denials = sum(w in _DENIALS or w.endswith("n't") for w in words)
    return denials if denials == facts.count_negations(question) else -1


def columns_fulfilled(
    question: str, values: Sequence[str], headers: Sequence[str]
) -> list[int] | None:
    """Return the columns of yes and no that a question names, if a row fulfils each of them.

    `values` and `headers` are those of a row; the column that is named like the rows is left out. A
    column is named if all words of its header are in the question. A question that denies ("which
    are not cleared") may name one such column, right behind the denial. None is returned for a row
    that does not fulfil the question, and if that cannot be told.
    """
    stems, noun = set(facts.content_stems(question)), asked_rows(question)
    columns = list[int]()
    for at, (value, header) in enumerate(zip(values, headers, strict=True)):
        own = set(facts.content_stems(spelled_header(header)))
        if own and own <= stems and noun not in own and truth_of(value) is not None:
            columns.append(at)
    denied = count_denials(question) > 0
    if columns and _UNCLEAR.search(facts.fold_text(question)):
        return None
    if denied and (len(columns) != 1 or not _denies(question, headers[columns[0]])):
        return None
    return None if any(truth_of(values[at]) is denied for at in columns) else columns


def _denies(question: str, header: str) -> bool:
    """Does the denial of a question stand right before the name of a column?"""
    words = facts.word_tokens(facts.fold_text(question))
    at = next((n for n, w in enumerate(words) if w in _DENIALS or w.endswith("n't")), len(words))
    after = next((word for word in words[at + 1 :] if word not in _BETWEEN), "")
    return facts.stem(after) in facts.content_stems(spelled_header(header))


def truth_of(value: str) -> bool | None:
    """Return what a cell of yes and no says; None for any other cell."""
    folded = facts.fold_text(value).strip(" .*_`'\"")
    return True if folded in _YES else False if folded in _NO else None
