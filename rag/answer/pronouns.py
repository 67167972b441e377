"""What in a question leans on something said before: a pronoun, "there", "then" or "other" that nothing in the question explains.

Each function gives the first such place, or None. When in doubt it is None: "it" may be no thing at all ("how long does it take to"),
"there" no place ("is there"), "that" a mere joint ("said that"), and whoever is named before a "he" may be meant by it.
"""

from __future__ import annotations

import re

from rag.answer.mentions import (
    AUXILIARIES,
    GROUP_NOUNS,
    LEAD_IN_WORDS,
    PLACE_PREPOSITIONS,
    PREPOSITIONS,
    QUESTION_WORDS,
    TIME_NOUNS,
    find_mentions,
)
from rag.text import facts

PERSON_NOUNS = re.compile(
    r"(?i)\b(the|an?|which|what|every|each|any|this|that)(?: \w+)? (?:\w+(?:er|or|ist|ian|man|woman|ess|ant|eer|yst)|president|king|boy|girl|"
    r"pope|judge|chief|captain|prince|person|student|patient|child|son|wife|husband|spouse|head|pilot|nurse|cook|guest|employee)\b"
)
_EMPTY_IT = re.compile(
    r"it (?:that|(?:\w+ ){0,3}?(?:takes?|took|costs?|means?|true|possible|legal|necessary|important|safe|hard|easy|difficult|allowed|"
    r"better|common|normal|likely|clear|known|said|called|permitted|worth|illegal|right|wrong|good|bad|usual|enough)"
    r"(?: \w+){0,3}? (?:to|that|when|if|for)|(?:\w+ )?(?:rain|snow)\w*)\b", re.I,
)  # fmt: skip


def find_person_pronoun(text: str) -> re.Match[str] | None:
    return _unexplained(r"\b(?:he|she|him|his|her|hers)\b", text, PERSON_NOUNS)


def find_thing_pronoun(text: str) -> re.Match[str] | None:
    found = _unexplained(r"\bits?\b", text, re.compile(r"(?i)\b(?:the|an?) \w"))
    empty = found and (
        _EMPTY_IT.match(text, found.start())
        or re.search(r"\btime (?:is|was) $", text[: found.start()])
    )
    return None if empty else found


def find_plural_pronoun(text: str) -> re.Match[str] | None:
    return _unexplained(
        r"\b(?:they|them|their)\b",
        text,
        re.compile(rf"\b(?:\w{{2,}}[^s\W]s|the \w+)\b|{GROUP_NOUNS.pattern}", re.I),
    )


def _unexplained(pronoun: str, text: str, meant: re.Pattern[str]) -> re.Match[str] | None:
    """The first such pronoun, where nothing before it (or behind a comma) can be what it means. `meant` are such things."""
    found = re.search(pronoun, text, re.I)
    if not found:
        return None
    head, tail = text[: found.start()], text[found.end() :]
    known = [
        n
        for n in find_mentions(head)
        if n.kind == "name" and not re.fullmatch(PLACE_PREPOSITIONS, n.before)
    ]
    if known or ("," in tail and facts.find_names("x " + tail.split(",", 1)[1])):
        return None
    if re.fullmatch(
        rf"{LEAD_IN_WORDS}*(?:(?:{PREPOSITIONS} )?{QUESTION_WORDS}\b[^,]*? )?{AUXILIARIES}(?:n['’]t)? ",
        head,
        re.I,
    ):
        return found  # the subject of the question: what was asked before it cannot be meant
    bound = found.group().lower() not in ("it", "its") and re.match(
        rf"who (?!{AUXILIARIES}\b)", head, re.I
    )
    return None if bound or meant.search(head) else found


def find_there(text: str) -> re.Match[str] | None:
    pattern = rf"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )(?<!\bbeen )(?<!\bhas )(?<!\bwill )\bthere\b(?! (?:{AUXILIARIES}|be|been|any)\b)"
    return re.search(pattern, text, re.I)


def find_then(text: str) -> re.Match[str] | None:
    return re.search(
        rf"\b(?:(?:in|at|during|on) )?(?:that|the same) {TIME_NOUNS}\b|(?<!, )\bthen(?=\W*$)",
        text,
        re.I,
    )


def find_demonstrative(text: str) -> re.Match[str] | None:
    """A "this", or a "that" which joins no sentences, where no day or person is meant."""
    found = re.search(
        r"\b(?:this|these|those)\b(?! (?:year|week|month|morning|evening|days?|who|that|which)\b)",
        text,
        re.I,
    )
    joined = r"\bthat(?=\W*$)|(?<=\b(?:of|by|in|on|at) )that\b|\b(?:after|before|about|with|from|like|for|during) that\b"
    fronted = rf"^{LEAD_IN_WORDS}*(?:(?:{QUESTION_WORDS}) )?{AUXILIARIES} that\b"
    return found or re.search(joined, text, re.I) or re.search(fronted, text, re.I)


def asks_for_more(text: str) -> re.Match[str] | None:
    """ "Any other songs?": more of what was asked, where the question says next to nothing itself."""
    found = re.search(r"\b(?:else|others?|another|more)\b", text, re.I)
    said = [
        w
        for w in facts.content_stems(text)
        if not re.fullmatch(r"els|oth|another|mor|anyth|someth|any|happen|ther|\d+", w)
    ]
    return (
        found
        if found and len(said) <= 1 and not any(n.kind == "name" for n in find_mentions(text))
        else None
    )
