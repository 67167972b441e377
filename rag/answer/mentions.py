"""What a question or a short answer names: people and things, dates, titles, and the nouns that can be told without a dictionary.

English only, and by capitals: of a question that is typed without them only dates and nouns behind an article are seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text import facts

MAX_NAME_WORDS = 5  # words of an answer that is taken for a name

PLACE_PREPOSITIONS = r"(?:in|at|to|from|near|inside|outside|within|across|around|into)"
OTHER_PREPOSITIONS = r"(?:by|for|with|on|of|about|during|since|until|before|after|between|under|over|against|through|than|among|without)"
PREPOSITIONS = rf"(?:{PLACE_PREPOSITIONS}|{OTHER_PREPOSITIONS})"
AUXILIARIES = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
)
LEAD_IN_WORDS = r"(?:(?:and|but|or|so|also|ok|okay|well)\b[, ]*)"
QUESTION_WORDS = r"(?:how (?:many|much|long|often|far|old|large|big|tall|high)|who(?:m|se)?|what|which|when|where|why|how)"
TIME_NOUNS = r"(?:year|month|day|date|time|season|era|period|decade|century)"
GROUP_NOUNS = re.compile(
    r"\b(?:band|team|company|government|police|family|group|people|couple|party|duo|men|women|children)\b",
    re.I,
)
YEAR = re.compile(r"\b(?:1\d|20)\d\d(?:s|[-–]\d{2,4})?\b")
_QUOTED = re.compile(r"[\"“]([^\"“”]{2,60})[\"”]")
_THING = re.compile(
    r"(?i)\b(?:university|college|school|foundation|company|corporation|inc|ltd|party|union|council|ministry|bank|river|lake|"
    r"mount|street|museum|church|act|treaty|war|battle|award|prize|cup|league|records|festival|show|book|album|club)\b"
)
_UNINFORMATIVE_NOUNS = frozenset(
    "article section aspects interesting year name many happen happened happens kind type sort place else say says said mean means "
    "meant take took taken begin began start started get got make made use used go went come came do done one thing things".split()
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name or date in a question: where it stands, and the preposition before it."""

    text: str
    start: int
    before: str
    kind: str  #: "name" or "date"
    thing: bool = False  #: no person: by an article, quotation marks or what it is called


def mention_kind(words: str) -> str:
    """ "date", "name", or "" for what is neither through and through."""
    if facts.find_dates(words)[0] or YEAR.fullmatch(re.sub(r"^(?:the|early|late) ", "", words)):
        return "date"
    names = facts.find_names(f"x {words}")
    bare = re.sub(r"(?i)^the ", "", words)
    return "name" if names and sum(map(len, names)) >= len(bare) - 5 and bare[:1].isupper() else ""


def is_small(word: str) -> bool:
    return facts.is_stop_word(facts.fold_text(word)) or bool(re.fullmatch(PREPOSITIONS, word, re.I))


def find_mentions(text: str) -> list[Mention]:
    """Names, titles and dates of a question, in order."""
    found: dict[int, Mention] = {}
    spots = [(m.start(1), m[1], "name", True) for m in _QUOTED.finditer(text)]
    spots += [(m.start(), m.group(), "date", False) for m in YEAR.finditer(text)]
    spots += [(text.find(d.shown), d.shown, "date", False) for d in facts.find_dates(text)[0]]
    for name in [] if text.isupper() else facts.find_names(text):
        name = re.sub(r"['’]s?$", "", name)
        spots.append((text.find(name), name, "name", bool(_THING.search(name))))
    for start, words, kind, thing in sorted(spots, key=lambda s: (s[0], -len(s[1]))):
        if start < 0 or any(n.start <= start < n.start + len(n.text) for n in found.values()):
            continue
        before = re.search(r"(\w+) (the )?[\"“]?$", text[:start])
        word = before[1].lower() if before and re.fullmatch(PREPOSITIONS, before[1], re.I) else ""
        found[start] = Mention(words, start, word, kind, thing or bool(before and before[2]))
    return list(found.values())


def name_only(short: str) -> str:
    """A short answer that is nothing but a name; "" for any other."""
    text = re.sub(rf"(?i)^{PREPOSITIONS} ", "", short).strip(" .,;:!?()")
    if (
        not text
        or len(text.split()) > MAX_NAME_WORDS
        or mention_kind(text.strip('"“”')) != "name"
        or not text.isprintable()
    ):
        return ""
    return text


def leading_name(short: str) -> str:
    """The name of two words or more that an answer begins with."""
    found = re.match(
        r"[A-Z][\w.’-]+(?: [A-Z][\w.’-]+){1,2}(?= (?:was|is|had|has|began|became|made|won|went|took|wrote|said|met|[a-z]+ed)\b)",
        short,
    )
    return (
        found.group()
        if found
        and not _THING.search(found.group())
        and not facts.is_stop_word(facts.fold_text(found.group().split()[0]))
        else ""
    )


def noun_phrases(text: str) -> list[str]:
    """Runs of up to three words behind an article or a preposition, or behind "what is": what can only be nouns."""
    whole = re.fullmatch(
        rf"{LEAD_IN_WORDS}*(?:what|who) (?:is|are|was|were) (?:the |an? )?((?:[\w'’-]+ ?){{1,4}}?)[?\s]*",
        text,
        re.I,
    )
    if whole and not any(
        is_small(word) and word not in ("of", "the", "and") for word in whole[1].split()
    ):
        return [whole[1]]
    found: list[list[str]] = []
    opened = False
    for word in re.findall(
        r"[^\W_]+(?:[-'’.][^\W_]+)*|[^\w\s]",
        re.sub(rf"^{LEAD_IN_WORDS}*(?:what|who) {AUXILIARIES} ", "the ", text, flags=re.I),
    ):
        if _opens(word):
            opened = True
            found.append([])
        elif (
            is_small(word)
            or facts.fold_text(word) in _UNINFORMATIVE_NOUNS
            or word.endswith("ed")
            or not word[0].isalnum()
        ):
            opened = False
        elif opened and len(found[-1]) < 3:
            found[-1].append(word)
    return [" ".join(words) for words in found if words]


def _opens(word: str) -> bool:
    return bool(
        re.fullmatch(
            rf"the|an?|his|her|its|their|this|that|these|those|any|some|[(]|{PREPOSITIONS}",
            word,
            re.I,
        )
    )
