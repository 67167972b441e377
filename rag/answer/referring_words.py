"""Finds the words of a question that refer to something said before.

Such a word is a pronoun, "there", "then" or "other" that nothing in the question explains. Each
function returns the first one, or None, and None if in doubt: "it" may refer to nothing ("how long
does it take to"), "there" need not be a place ("is there"), "that" may only join sentences ("said
that"), and a "he" may refer to a person named before it in the question.
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

#: words for a person with the article or question word before them
PERSON_NOUNS = re.compile(
    r"(?i)\b(the|an?|which|what|every|each|any|this|that)(?: \w+)? "
    r"(?:\w+(?:er|or|ist|ian|man|woman|ess|ant|eer|yst)|president|king|boy|girl|"
    r"pope|judge|chief|captain|prince|person|student|patient|child|son|wife|husband|spouse|head"
    r"|pilot|nurse|cook|guest|employee)\b"
)
#: an "it" that refers to nothing
_EMPTY_IT = re.compile(
    r"it (?:that|(?:\w+ ){0,3}?(?:takes?|took|costs?|means?|true|possible|legal|necessary"
    r"|important|safe|hard|easy|difficult|allowed|better|common|normal|likely|clear|known|said"
    r"|called|permitted|worth|illegal|right|wrong|good|bad|usual|enough)"
    r"(?: \w+){0,3}? (?:to|that|when|if|for)|(?:\w+ )?(?:rain|snow)\w*)\b",
    re.I,
)
_THING_NOUNS = re.compile(r"(?i)\b(?:the|an?) \w")
_PLURAL_NOUNS = re.compile(rf"\b(?:\w{{2,}}[^s\W]s|the \w+)\b|{GROUP_NOUNS.pattern}", re.I)
_THERE = re.compile(
    r"(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )(?<!\bbe )(?<!\bbeen )(?<!\bhas )(?<!\bwill )"
    rf"\bthere\b(?! (?:{AUXILIARIES}|be|been|any)\b)",
    re.I,
)
_THEN = re.compile(
    rf"\b(?:(?:in|at|during|on) )?(?:that|the same) {TIME_NOUNS}\b|(?<!, )\bthen(?=\W*$)", re.I
)
_THIS = re.compile(
    r"\b(?:this|these|those)\b(?! (?:year|week|month|morning|evening|days?|who|that|which)\b)", re.I
)
#: a "that" at the end or behind a preposition
_THAT = re.compile(
    r"\bthat(?=\W*$)|(?<=\b(?:of|by|in|on|at) )that\b"
    r"|\b(?:after|before|about|with|from|like|for|during) that\b",
    re.I,
)
#: a "that" which is the subject of the question
_THAT_AS_SUBJECT = re.compile(
    rf"^{LEAD_IN_WORDS}*(?:(?:{QUESTION_WORDS}) )?{AUXILIARIES} that\b", re.I
)
_MORE = re.compile(r"\b(?:else|others?|another|more)\b", re.I)
#: stems of words that say nothing about what more is asked for
_EMPTY_STEMS = re.compile(r"els|oth|another|mor|anyth|someth|any|happen|ther|\d+")


def find_person_pronoun(text: str) -> re.Match[str] | None:
    """An unexplained "he" or "she", in any case."""
    return _unexplained(r"\b(?:he|she|him|his|her|hers)\b", text, PERSON_NOUNS)


def find_thing_pronoun(text: str) -> re.Match[str] | None:
    """An unexplained "it" or "its" that refers to something."""
    match = _unexplained(r"\bits?\b", text, _THING_NOUNS)
    if match is None or _EMPTY_IT.match(text, match.start()):
        return None
    return None if re.search(r"\btime (?:is|was) $", text[: match.start()]) else match


def find_plural_pronoun(text: str) -> re.Match[str] | None:
    """An unexplained "they", "them" or "their"."""
    return _unexplained(r"\b(?:they|them|their)\b", text, _PLURAL_NOUNS)


def _unexplained(pronoun: str, text: str, nouns: re.Pattern[str]) -> re.Match[str] | None:
    """The first match of `pronoun`, if nothing in the question can be what it refers to.

    `nouns` are words before the pronoun that it may refer to, and so may a name before it or
    behind the next comma.
    """
    match = re.search(pronoun, text, re.I)
    if not match:
        return None
    head, tail = text[: match.start()], text[match.end() :]
    names_before = any(
        mention.kind == "name" and not re.fullmatch(PLACE_PREPOSITIONS, mention.before)
        for mention in find_mentions(head)
    )
    if names_before or ("," in tail and facts.find_names("x " + tail.split(",", 1)[1])):
        return None
    subject = (
        rf"{LEAD_IN_WORDS}*(?:(?:{PREPOSITIONS} )?{QUESTION_WORDS}\b[^,]*? )?"
        rf"{AUXILIARIES}(?:n['’]t)? "
    )
    if re.fullmatch(subject, head, re.I):
        return match  # the subject of the question: it cannot refer to a word before it
    refers_to_who = match.group().lower() not in ("it", "its") and re.match(
        rf"who (?!{AUXILIARIES}\b)", head, re.I
    )
    return None if refers_to_who or nouns.search(head) else match


def find_there(text: str) -> re.Match[str] | None:
    """A "there" that is a place."""
    return _THERE.search(text)


def find_then(text: str) -> re.Match[str] | None:
    """A "then" at the end, or "that year" and the like."""
    return _THEN.search(text)


def find_demonstrative(text: str) -> re.Match[str] | None:
    """A "this" without a day or person behind it, or a "that" which joins no sentences."""
    return _THIS.search(text) or _THAT.search(text) or _THAT_AS_SUBJECT.search(text)


def asks_for_more(text: str) -> re.Match[str] | None:
    """ "Other" in a question such as "Any other songs?", which has at most one word of its own."""
    match = _MORE.search(text)
    own_stems = [stem for stem in facts.content_stems(text) if not _EMPTY_STEMS.fullmatch(stem)]
    if len(own_stems) > 1 or any(mention.kind == "name" for mention in find_mentions(text)):
        return None
    return match
