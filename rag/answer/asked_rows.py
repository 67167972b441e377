"""Questions that ask for rows or records themselves: "which boats were built by Tessmer".

The answer is the name of each row that fits, whatever other columns the words of the question
name. A column of yes and no is a condition there: "which volunteers can do first aid" asks for the
rows whose field `first_aid` says yes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import facts

#: "which volunteers can …": the noun, and what begins the condition
_WHICH = re.compile(
    r"^\W*(?:(?:and|so) )?(?:which|what) (?:of (?:the|our|these|my) )?"
    r"(?!(?:is|are|was|were|do|does|did|has|have|had|can|the|an?|kind|sort|type)\b)"
    r"(?:[^\W\d_]{2,20} ){0,2}?([^\W\d_]{2,30}) "
    r"(?:can|could|may|might|must|should|will|would|do|does|did|is|are|was|were|has|have|had|"
    r"needs?|[^\W\d_]{2,20}ed|takes?|costs?|works?|lives?|belongs?|runs?|uses?|speaks?|plays?)\b"
)
_YES = frozenset("true yes y x ja oui si \u2713 \u2714 \u2611".split())
_NO = frozenset("false no n nein non \u2717 \u2718 \u2610".split())


def asked_rows(question: str) -> str:
    """Return the stem of the noun for the rows that a question asks for; "" if it does not."""
    match = _WHICH.match(facts.fold_text(question))
    return facts.stem(match[1]) if match else ""


def columns_fulfilled(
    values: Sequence[str], named: Sequence[bool], denied: bool
) -> list[int] | None:
    """Return the columns of yes and no that a question names, if a row fulfils each of them.

    `values` are the cells of the row, `named` says of each whether the question names its column. A
    question that is `denied` ("which are not cleared") wants no in one column at least. None is
    returned for a row that does not fulfil the question.
    """
    truths = [truth_of(value) if name else None for value, name in zip(values, named, strict=True)]
    columns = [at for at, truth in enumerate(truths) if truth is not None]
    if any(truths[at] is denied for at in columns) or (denied and not columns):
        return None
    return columns


def truth_of(value: str) -> bool | None:
    """Return what a cell of yes and no says; None for any other cell."""
    folded = facts.fold_text(value).strip(" .*_`'\"")
    return True if folded in _YES else False if folded in _NO else None
