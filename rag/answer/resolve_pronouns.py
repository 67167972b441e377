"""Replaces the pronouns of a follow-up question, and "there" and "then", by what they refer to.

Candidates are the names, dates and nouns of the last questions and their short answers
(`rag.answer.mentions`). `rag.answer.referring_words` finds the words that refer. English only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.answer import referring_words
from rag.answer.mentions import (
    DEFINITE_NOUN,
    GROUP_NOUNS,
    OTHER_PREPOSITIONS,
    PLACE_PREPOSITIONS,
    PREPOSITIONS,
    TIME_NOUNS,
    YEAR_OR_DECADE,
    Mention,
    find_mentions,
    is_small,
    leading_name,
    name_only,
    noun_phrases,
)
from rag.domain import Turn
from rag.text import facts

_ASKS_WHO_HOLDS = re.compile(
    r"(?:and |so )?who(?: (?:is|are|was|were)|['’]s) the [\w -]{1,40}? (?:of|for|in|at)\b", re.I
)
_MAX_TOPICS = 2  # names or nouns that are put behind a question
_WOMAN = re.compile(
    r"(?i)\b(?:wife|mother|daughter|sister|queen|girlfriend|aunt|grandmother|actress|princess"
    r"|widow|niece|woman)\b"
)
_MAN = re.compile(
    r"(?i)\b(?:husband|father|son|brother|king|boyfriend|uncle|grandfather|prince|widower|nephew"
    r"|man)\b"
)


def without_end_mark(text: str) -> str:
    """`text` without the blanks and marks that end it."""
    return text.rstrip(" ?!.")


def append_topic(question: str, topics: Sequence[str]) -> str:
    """`question` with `topics` in brackets behind it, before its question mark."""
    if not topics:
        return question
    mark = "?" if question.endswith("?") else ""
    return f"{without_end_mark(question)} ({', '.join(topics)}){mark}"


def resolve_references(question: str, turns: Sequence[Turn]) -> str:
    """`question` with what its pronouns, "there" and "then" refer to in their place.

    If one of them refers to nothing known, the topic of the last question is appended instead.
    Returns "" if a "he" or "she" cannot be resolved: only a name would explain such a question.
    """
    text, needs_topic = question, False
    for find, resolve in _RULES:
        match = find(text)
        if match is None:
            continue
        referent = resolve(turns, match)
        if not referent and find is referring_words.find_person_pronoun:
            return ""
        if referent:
            text = text[: match.start()] + _inflect(referent, match, text) + text[match.end() :]
        one_noun = referent.startswith("the ") and len(referent.split()) == 2
        needs_topic = needs_topic or not referent or one_noun
    return append_topic(text, _topics(turns, text)) if needs_topic else text


def _inflect(referent: str, match: re.Match[str], text: str) -> str:
    """`referent` as it stands in the place of the pronoun `match` of `text`.

    It gets an apostrophe if the pronoun owns the word after it, a capital if it begins the text.
    """
    pronoun, following = match.group().lower(), re.match(r" ([\w-]+)", text[match.end() :])
    possessive = pronoun in ("his", "its", "their") or (
        pronoun == "her" and following and not is_small(following[1])
    )
    if match.start() == 0:
        referent = referent[0].upper() + referent[1:]
    if not possessive:
        return referent
    return referent + ("’" if referent.endswith("s") else "’s")


def _resolve_person(turns: Sequence[Turn], pronoun: re.Match[str]) -> str:
    """The person that `pronoun` refers to.

    That is a person of the last question, or its answer if it asked "who". If the last turn has
    none, the turns before it are tried.
    """
    masculine = pronoun.group().lower() in ("he", "him", "his")
    same_gender, other_gender = (_MAN, _WOMAN) if masculine else (_WOMAN, _MAN)
    for turn in reversed(turns):
        people = [
            mention.text
            for mention in find_mentions(turn.question)
            if _is_person(mention, turn.question) and mention.text not in pronoun.string
        ]
        asks_who = re.search(r"\bwho(?:m)?\b", turn.question, re.I)
        answer = name_only(turn.short) if asks_who else ""
        if answer and (
            not people
            or (same_gender.search(turn.question) and not other_gender.search(turn.question))
        ):
            return answer
        person = people[0] if people else leading_name(turn.short) or _role(turn.question)
        if person:
            return person
    return ""


def _role(question: str) -> str:
    """The first role that a question names, such as "the president"; "" unless it has "the"."""
    match = referring_words.PERSON_NOUNS.search(question)
    return match.group().lower() if match and match[1].lower() == "the" else ""


def _is_person(mention: Mention, question: str) -> bool:
    """True if the mention may be a person.

    A preposition of place, an article, its own words or capitals show a mention to be a thing, and
    so does a question that asks where or what it is.
    """
    if (
        mention.kind != "name"
        or mention.thing
        or re.fullmatch(PLACE_PREPOSITIONS, mention.before)
        or (mention.text.isupper() and len(mention.text) > 3)
    ):
        return False
    asks_where_or_what = rf"(?:where|what) (?:is|are|was|were) {re.escape(mention.text)}$"
    return not re.match(asks_where_or_what, without_end_mark(question), re.I)


def _resolve_thing(turns: Sequence[Turn], pronoun: re.Match[str]) -> str:
    """The thing that "it" refers to: the answer, else a thing, a noun or a name of the question."""
    last = turns[-1]
    asks_for_thing = rf"(?:{PREPOSITIONS} )?(?:what|which)\b(?! {TIME_NOUNS})"
    if re.match(asks_for_thing, last.question, re.I) and (answer := name_only(last.short)):
        return answer
    names = [mention for mention in find_mentions(last.question) if mention.kind == "name"]
    things = [mention.text for mention in names if mention.thing]
    nouns = [_whole_noun(last.question, match) for match in DEFINITE_NOUN.finditer(last.question)]
    if _ASKS_WHO_HOLDS.match(last.question):
        nouns = nouns[1:]  # "who is the owner of the salon": the owner is a person
    return (things[-1:] or nouns[:1] or [mention.text for mention in names][:1] or [""])[0]


def _whole_noun(question: str, match: re.Match[str]) -> str:
    """A noun behind "the": one word; two at the end behind a preposition ("of the ski club")."""
    first, *more = question[match.start(1) :].rstrip(" ?!.").split()
    before = question[: match.start()].split()
    behind = before and re.fullmatch(PREPOSITIONS, before[-1], re.I)
    nouns = behind and len(more) == 1 and more[0].isalpha() and not is_small(more[0])
    return " ".join(["the", first, *(more if nouns else ())])


def _resolve_several(turns: Sequence[Turn], pronoun: re.Match[str]) -> str:
    """The people or things that "they" refers to: a pair, a plural, a name, or the answer."""
    last = turns[-1]
    pair = re.search(
        r"\b([A-Z][\w.-]+(?: [A-Z][\w.-]+)*) (?:and|&) ([A-Z][\w.-]+(?: [A-Z][\w.-]+)*)",
        last.question,
    )
    if pair:
        return pair.group()
    plurals = [
        match.group()
        for match in DEFINITE_NOUN.finditer(last.question)
        if match[1].endswith("s") or GROUP_NOUNS.search(match[1])
    ]
    names = [
        mention.text
        for mention in find_mentions(last.question)
        if mention.kind == "name" and not re.fullmatch(PLACE_PREPOSITIONS, mention.before)
    ]
    asks_for_name = re.match(r"(?:who|what|which)\b", last.question, re.I)
    return (plurals[:1] or names[:1] or [name_only(last.short) if asks_for_name else ""])[0]


def _resolve_place(turns: Sequence[Turn], there: re.Match[str]) -> str:
    """The place of "there", such as "in Paris": the answer to "where", or one of the question."""
    last = turns[-1]
    if re.match(r"where\b|(?:in|at) (?:what|which)\b", last.question, re.I):
        preposition = re.match(rf"({PLACE_PREPOSITIONS}) ", last.short, re.I)
        name = name_only(last.short)
        return f"{preposition[1].lower() if preposition else 'in'} {name}" if name else ""
    places = [
        mention
        for mention in find_mentions(last.question)
        if mention.kind == "name" and re.fullmatch(PLACE_PREPOSITIONS, mention.before)
    ]
    return f"{places[-1].before} {places[-1].text}" if places else ""


def _resolve_time(turns: Sequence[Turn], then: re.Match[str]) -> str:
    """The date of "then", such as "in 1965": the first of the short answer, or of the question."""
    last = turns[-1]
    for text in (last.short, last.question):
        dates = [date.shown for date in facts.find_dates(text)[0]] or YEAR_OR_DECADE.findall(text)
        if not dates:
            continue
        preceding = then.string[: then.start()]
        if then.group().lower() == "then" and re.search(
            rf"\b{OTHER_PREPOSITIONS} $", preceding, re.I
        ):
            return dates[0]
        return f"in {dates[0]}" if YEAR_OR_DECADE.fullmatch(dates[0]) else f"on {dates[0]}"
    return ""


def _resolve_nothing(turns: Sequence[Turn], match: re.Match[str]) -> str:
    """Always "": these words only need the topic of the last question."""
    return ""


def _topics(turns: Sequence[Turn], text: str) -> list[str]:
    """At most two names, or else nouns, of the last question that `text` does not repeat.

    If that question has neither, the one before it is tried.
    """
    stems = set(facts.content_stems(text))
    for turn in reversed(turns):
        names = [m.text for m in find_mentions(turn.question) if m.kind == "name"]
        answer = name_only(turn.short)
        if not names and answer and re.match(r"who|what|which", turn.question, re.I):
            names = [answer]
        if names:
            new_names = [name for name in names if not set(facts.content_stems(name)) <= stems]
            return new_names[:_MAX_TOPICS]
        if nouns := noun_phrases(turn.question):
            new_nouns = [noun for noun in nouns if not set(facts.content_stems(noun)) & stems]
            return new_nouns[:_MAX_TOPICS]
    return []


_Resolve = Callable[[Sequence[Turn], re.Match[str]], str]
#: what finds a word that refers, and what resolves it; applied in this order
_RULES: tuple[tuple[Callable[[str], re.Match[str] | None], _Resolve], ...] = (
    (referring_words.find_person_pronoun, _resolve_person),
    (referring_words.find_plural_pronoun, _resolve_several),
    (referring_words.find_thing_pronoun, _resolve_thing),
    (referring_words.find_there, _resolve_place),
    (referring_words.find_then, _resolve_time),
    (referring_words.find_demonstrative, _resolve_nothing),
    (referring_words.asks_for_more, _resolve_nothing),
)
