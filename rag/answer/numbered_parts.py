"""Finds the rule, section or step of a number: "what does rule 38.11 say" asks for nothing else.

The part that begins with the very number answers; 38.11 is not 38.110. If several texts have a
part of that number, none is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest

from rag.answer.evidence import text_at
from rag.answer.spans import Part, parts_of, path_and_text
from rag.answer.word_matching import Matched
from rag.domain import Passage, Span
from rag.text import facts

_LABEL = (
    r"(?:rule|section|clause|article|paragraph|para|point|item|step|regulation|chapter|part|number|"
    r"no|\u00a7)"
)
_NUMBER = r"(?P<number>\d{1,4}(?:\.\d{1,4})*)"
_VERBS = (
    r"(?:say|state|require|demand|mean|cover|contain|regulate|forbid|allow|permit|provide|prescribe|"
    r"stipulate|deal with|tell us|tell)"
)
#: the whole of a folded question; a number without dots needs a word such as "rule"
_ASKED = re.compile(
    rf"\W*(?:(?:and |so )?what (?:does|do|did) (?:the )?(?P<label>{_LABEL}\.? ?)?{_NUMBER} {_VERBS}"
    rf"|what (?:is|stands|is said|is written) (?:in|under) (?:the )?(?P<label2>{_LABEL}\.? ?)?"
    rf"{_NUMBER.replace('number', 'number2')}"
    rf"|what is (?P<label3>{_LABEL}\.? ?){_NUMBER.replace('number', 'number3')}(?: about)?)\W*"
)
_SHARE = 0.95  #: stands for a probability, as with what is looked up


def numbered_part(question: str, passages: Sequence[Passage]) -> Matched | None:
    """Return the part with the number that the question asks for, and for nothing else."""
    asked = _ASKED.fullmatch(facts.fold_text(question))
    if asked is None:
        return None
    number = asked["number"] or asked["number2"] or asked["number3"]
    label = asked["label"] or asked["label2"] or asked["label3"] or ""
    if "." not in number and not label:
        return None
    begins = _beginning(number, label.strip(" ."))
    found = dict[str, Matched]()
    for passage in passages:
        if one := _part_of(passage, begins):
            found.setdefault(text_at(passage, one.quote), one)
    return next(iter(found.values())) if len(found) == 1 else None


def _beginning(number: str, label: str) -> re.Pattern[str]:
    """How a part of that number begins. A number without dots needs its label or a mark behind it.

    "Step 3" is no rule 3, and "3 eggs" is no number of a part.
    """
    own = rf"{re.escape(label) if label else _LABEL}\.?\s*"
    end = rf"{re.escape(number)}(?!\d|\.\d)"
    bare = rf"{end}[.):]?\s+" if "." in number else rf"{end}[.):]\s+"
    return re.compile(rf"(?i)[\W_]*(?:{own}{end}[.):]?\s+|{bare})")


def _part_of(passage: Passage, begins: re.Pattern[str]) -> Matched | None:
    """The only part of a passage that `begins` with the number, or the first below its heading."""
    found, below = list[Matched](), list[Matched]()
    parts = parts_of("", passage)
    headings = {_heading_of(part) for part in parts}
    for part, after in zip_longest(parts, parts[1:]):
        text = text_at(passage, part.span)
        start = begins.match(text + " ")
        if text.strip("#*_ ") in headings:
            continue
        if start and len(text) > start.end():
            short = Span(part.span.start + start.end(), part.span.end)
            found.append(Matched(passage, part.span, short, _SHARE))
        elif start and after:  # "27.2." alone was taken for a sentence
            quote = Span(part.span.start, after.span.end)
            found.append(Matched(passage, quote, after.span, _SHARE))
        elif begins.match(f"{_heading_of(part)} "):
            below.append(Matched(passage, part.span, part.span, _SHARE))
    if found:
        return found[0] if len(found) == 1 else None
    return below[0] if below else None


def _heading_of(part: Part) -> str:
    """The last heading above a part, "" without one."""
    return path_and_text(part)[0].strip().rpartition("\u203a")[2].strip()
