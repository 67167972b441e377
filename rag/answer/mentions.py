"""Finds names, titles and dates in a question or short answer, and those that no passage has.

English only. Names are recognised by their capitals: in a question that is typed without them, only
dates and nouns behind an article are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rag.domain import Passage
from rag.text import facts, quantities
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex
from rag.text.labels import DAYS, spelled_out
from rag.text.ranges import is_in_range, without_range
from rag.text.sentences import split_sentences

MAX_NAME_WORDS = 5  # words; a longer answer is not taken for a name
_MAX_NOUN_PHRASE_WORDS = 3
_MIN_BEGINNING = 4  #: letters of a word that may stand for a longer one

PLACE_PREPOSITIONS = r"(?:in|at|to|from|near|inside|outside|within|across|around|into)"
OTHER_PREPOSITIONS = (
    r"(?:by|for|with|on|of|about|during|since|until|before|after|between|under|over|against"
    r"|through|than|among|without)"
)
PREPOSITIONS = rf"(?:{PLACE_PREPOSITIONS}|{OTHER_PREPOSITIONS})"
AUXILIARIES = (
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)"
)
LEAD_IN_WORDS = r"(?:(?:and|but|or|so|also|ok|okay|well)\b[, ]*)"
QUESTION_WORDS = (
    r"(?:how (?:many|much|long|often|far|old|large|big|tall|high)|who(?:m|se)?|what|which|when"
    r"|where|why|how)"
)
TIME_NOUNS = r"(?:year|month|day|date|time|season|era|period|decade|century)"
GROUP_NOUNS = re.compile(
    r"\b(?:band|team|company|government|police|family|group|people|couple|party|duo|men|women"
    r"|children)\b",
    re.I,
)
YEAR_OR_DECADE = re.compile(r"\b(?:1\d|20)\d\d(?:s|[-–]\d{2,4})?\b")
#: a noun of one to three words behind "the"
DEFINITE_NOUN = re.compile(
    r"\bthe ((?:[a-z][\w-]+ ){0,2}?[a-z][\w-]+)"
    r"(?=$|[?.,)]| (?:of|in|on|at|to|for|by|with|from|and|that|which|\w+ed|"
    rf"{AUXILIARIES}|[a-z]+)\b)"
)
#: what stands before a number that is a limit, which no text needs to have; and the words that
#: are also said of places and times, with which a noun or unit must follow
_LIMIT = re.compile(
    r"(?i)\b(?:(?P<sure>than|at least|at most|up to|exceed(?:s|ing)?|minimum of|maximum of)|over|"
    r"under|above|below|between)\s+(?:\d[\d.,]*\s+and\s+)?[$\u20ac\u00a3]?$"
)
_MAX_LIMIT = 40  #: characters before a number
_DIGITS = re.compile(r"\d(?:[\d.,]*\d)?")
_NOUN = re.compile(
    r"(?:\s*[%\u20ac$\u00a3]|\s(?!(?:and|or|to|in|on|at|of|the|for|by|with|from)\b)[a-z]{2})"
)
_QUOTED = re.compile(r"[\"“]([^\"“”]{2,60})[\"”]")
#: words that show a name to be that of a thing
_THING = re.compile(
    r"(?i)\b(?:university|college|school|foundation|company|corporation|inc|ltd|party|union"
    r"|council|ministry|bank|river|lake|mount|street|museum|church|act|treaty|war|battle|award"
    r"|prize|cup|league|records|festival|show|book|album|club)\b"
)
#: a thing with its number or letter: "Falcon 5", "flat A", "room 12"
_LABELLED = re.compile(
    r"\b([^\W\d_][\w-]{0,40})\s+(\d{1,4}|[A-Z])\b(?![.,:]\d|\s?%)(?:\s+([^\W\d_]+))?"
)
_UNINFORMATIVE_NOUNS = frozenset(
    "article section aspects interesting year name many happen happened happens kind type sort "
    "place else say says said mean means meant take took taken begin began begin started start "
    "get got make made use used go went come came do done one thing things".split()
)
#: words in capitals that name nothing that a text must have
NO_NAMES = frozenset("ok okay yes no tv faq pdf csv id am pm utc asap".split())
_WORD_OR_MARK = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*|[^\w\s]")
_OPENS_NOUN_PHRASE = re.compile(
    rf"the|an?|his|her|its|their|this|that|these|those|any|some|[(]|{PREPOSITIONS}", re.I
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name, date or noun in a question, with its place in characters."""

    text: str
    start: int
    before: str  #: the preposition right before it, in lower case, or ""
    kind: str  #: "name", "date" or "noun"
    #: True if it is no person: by its article, its quotation marks or a word in it
    thing: bool = False


def mention_kind(words: str) -> str:
    """The kind of `words` as a whole: "date", "name" or ""."""
    if facts.find_dates(words)[0] or YEAR_OR_DECADE.fullmatch(
        re.sub(r"^(?:the|early|late) ", "", words)
    ):
        return "date"
    names = facts.find_names(f"x {words}")
    bare = re.sub(r"(?i)^the ", "", words)
    return "name" if names and sum(map(len, names)) >= len(bare) - 5 and bare[:1].isupper() else ""


def is_small(word: str) -> bool:
    """True for stop words and prepositions."""
    return facts.is_stop_word(facts.fold_text(word)) or bool(re.fullmatch(PREPOSITIONS, word, re.I))


def labels_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the stem of each noun with a number or letter behind it, and the number or letter.

    A number that counts what follows it is none: "less than 5 rooms", "cost 5 euros".
    """
    for match in _LABELLED.finditer(text):
        word, label, after = match.groups()
        counts = word[0].islower() and label.isdigit() and after and not is_small(after)
        if not is_small(word) and not counts and label != "I":
            yield facts.stem(facts.fold_text(word)), label.lower()


def find_mentions(text: str) -> list[Mention]:
    """The names, titles and dates of a question, in order, without overlaps."""
    candidates = [(m.start(1), m[1], "name", True) for m in _QUOTED.finditer(text)]
    candidates += [(m.start(), m.group(), "date", False) for m in YEAR_OR_DECADE.finditer(text)]
    candidates += [(text.find(d.shown), d.shown, "date", False) for d in facts.find_dates(text)[0]]
    for name in [] if text.isupper() else facts.find_names(text):
        name = re.sub(r"['’]s?$", "", name)
        candidates.append((text.find(name), name, "name", bool(_THING.search(name))))
    mentions: list[Mention] = []
    for start, words, kind, thing in sorted(candidates, key=lambda c: (c[0], -len(c[1]))):
        if start < 0 or any(m.start <= start < m.start + len(m.text) for m in mentions):
            continue
        before = re.search(r"(\w+) (the )?[\"“]?$", text[:start])
        is_preposition = before and re.fullmatch(PREPOSITIONS, before[1], re.I)
        preposition = before[1].lower() if before and is_preposition else ""
        mentions.append(
            Mention(words, start, preposition, kind, thing or bool(before and before[2]))
        )
    return mentions


def name_only(short: str) -> str:
    """The name that a short answer consists of, without a preposition; "" for other answers."""
    text = re.sub(rf"(?i)^{PREPOSITIONS} ", "", short).strip(" .,;:!?()")
    is_name = (
        text
        and len(text.split()) <= MAX_NAME_WORDS
        and mention_kind(text.strip('"“”')) == "name"
        and text.isprintable()
    )
    return text if is_name else ""


def leading_name(short: str) -> str:
    """The name of two or three words, of a person, that an answer begins with; "" without one."""
    match = re.match(
        r"[A-Z][\w.’-]+(?: [A-Z][\w.’-]+){1,2}"
        r"(?= (?:was|is|had|has|began|became|made|won|went|took|wrote|said|met|[a-z]+ed)\b)",
        short,
    )
    if not match or _THING.search(match.group()):
        return ""
    first_word = match.group().split()[0]
    return "" if facts.is_stop_word(facts.fold_text(first_word)) else match.group()


def noun_phrases(text: str) -> list[str]:
    """The words of a question that can only be nouns.

    They are the whole rest of "What is ...", or else the runs of up to three words behind an
    article or a preposition.
    """
    definition = re.fullmatch(
        rf"{LEAD_IN_WORDS}*(?:what|who) (?:is|are|was|were) (?:the |an? )?"
        r"((?:[\w'’-]+ ?){1,4}?)[?\s]*",
        text,
        re.I,
    )
    if definition and not any(
        is_small(word) and word not in ("of", "the", "and") for word in definition[1].split()
    ):
        return [definition[1]]
    without_opening = re.sub(
        rf"^{LEAD_IN_WORDS}*(?:what|who) {AUXILIARIES} ", "the ", text, flags=re.I
    )
    phrases: list[list[str]] = []
    in_phrase = False
    for word in _WORD_OR_MARK.findall(without_opening):
        if _OPENS_NOUN_PHRASE.fullmatch(word):
            in_phrase = True
            phrases.append([])
        elif _ends_noun_phrase(word):
            in_phrase = False
        elif in_phrase and len(phrases[-1]) < _MAX_NOUN_PHRASE_WORDS:
            phrases[-1].append(word)
    return [" ".join(words) for words in phrases if words]


def _ends_noun_phrase(word: str) -> bool:
    return (
        is_small(word)
        or facts.fold_text(word) in _UNINFORMATIVE_NOUNS
        or word.endswith("ed")
        or not word[0].isalnum()
    )


def _labels(passages: Sequence[Passage]) -> Iterator[str]:
    """Yield the names of columns, and the first cells of rows, with their days spelled out."""
    for passage in passages:
        labels = {cell.header for unit in passage.chunk.units for cell in unit.cells}
        text, start = passage.chunk.text, passage.chunk.span.start
        firsts = (unit.cells[0].span for unit in passage.chunk.units if unit.cells)
        labels |= {text[span.start - start : span.end - start] for span in firsts}
        yield from map(spelled_out, labels)


def question_names(question: str) -> list[str]:
    """The names of a question, without those that only begin it or a sentence of it.

    The first word of a sentence is not taken for a name: its capital means nothing.
    """
    names = list[str]()
    for sentence in split_sentences(question):
        after = sentence.of(question).split(maxsplit=1)[1:]
        names += facts.find_names(f"x {after[0]}") if after else []
    return names


def missing_names(question: str, passages: Sequence[Passage]) -> list[str]:
    """The dates, numbers and names of the question that no passage or title has.

    Days of the week are not looked for: a text may have the date instead.
    """
    whole = "\n".join(
        f"{p.chunk.title}\n{p.chunk.heading}\n{p.chunk.date or ''}\n{p.chunk.text}"
        for p in passages
    )
    words = facts.word_tokens(facts.fold_text(" ".join((whole, *_labels(passages)))))
    stems = {facts.stem(word) for word in words}
    known_stems = WordIndex(stems)
    known_dates = DateIndex(facts.find_dates(whole)[0])
    known_numbers = NumberIndex(quantities.find_numbers(whole))
    in_range = is_in_range(question, whole)
    dates, rest = facts.find_dates(without_range(question) if in_range else question)
    limits = _limits(rest)
    missing = [date.shown for date in dates if not known_dates.agree(date)]
    missing += [
        number.shown
        for number in quantities.find_numbers(rest)
        if number.shown[:1].isdigit()
        and number.dimension != "clock"  # 23:00 may be a case of "until 22:00"
        and number.shown in rest  # not "forty": that may be a case of a rule, not a value
        and not known_numbers.bear_out(number)
        and _digits_of(number.shown) not in limits
    ]
    missing += [
        name
        for name in question_names(question)
        if name.lower() not in NO_NAMES
        and any(
            not facts.is_stop_word(word)
            and word not in DAYS
            and not known_stems.has(facts.stem(word))
            and not (word == facts.fold_text(name) and _is_shortened(facts.stem(word), stems))
            for word in facts.word_tokens(facts.fold_text(name))
        )
    ]
    return missing


def _digits_of(shown: str) -> str:
    match = _DIGITS.search(shown)
    return match[0] if match else shown


def _limits(text: str) -> frozenset[str]:
    """The numbers of a question that are limits ("more than 800") wherever they stand.

    A year is none, nor is a number with a point and no unit, which may be a section.
    """
    limits, others = set[str](), set[str]()
    for place in _DIGITS.finditer(text):
        limit = _LIMIT.search(text, max(0, place.start() - _MAX_LIMIT), place.start())
        has_noun = _NOUN.match(text, place.end())
        is_other = not has_noun and ("." in place[0] or YEAR_OR_DECADE.fullmatch(place[0]))
        is_limit = limit and not is_other and (limit["sure"] or has_noun)
        (limits if is_limit else others).add(place[0])
    return frozenset(limits - others)


def _is_shortened(stem: str, stems: AbstractSet[str]) -> bool:
    """Is a name of one word the beginning of one of `stems` ("Maths" of "Mathematics")?"""
    return len(stem) >= _MIN_BEGINNING and any(other.startswith(stem) for other in stems)
