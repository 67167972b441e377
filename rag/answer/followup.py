"""A follow-up question -> the question as it would be asked by itself, by what the question before it and its answer named.

No model, and English only. Three kinds lean on what was said before: a fragment ("and in Africa?") takes the place of what is of its
kind in the last question; a bare question word ("When?") asks the rest of it anew; a pronoun, "there" or "then" that nothing
in the question itself explains becomes the name that fits. Where none fits, what the last question was about is put behind it, in brackets.

A wrong completion is worse than none: the reader refuses what names something that no passage has. So a question that
can be understood by itself stays as it is, character for character, and so does one whose meaning cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.answer import pronouns as lean
from rag.answer.mentions import (  # fmt: skip
    AUXILIARIES,
    GROUP_NOUNS,
    LEAD_IN_WORDS,
    MAX_NAME_WORDS,
    OTHER_PREPOSITIONS,
    PLACE_PREPOSITIONS,
    PREPOSITIONS,
    QUESTION_WORDS,
    TIME_NOUNS,
    YEAR,
    Mention,
    find_mentions,
    is_small,
    leading_name,
    mention_kind,
    name_only,
    noun_phrases,
)
from rag.domain import Turn
from rag.text import facts
from rag.text.fact_index import WordIndex

MAX_REWRITE_CHARS = (
    300  #: characters of a question that is completed, or that a completion may have
)
_MAX_TURNS = 3  # so far back goes the search for whom a "he" or "she" means
_ABOUT = r"(?:(?:what|how) about|what of)\b"
_BARE = re.compile(
    rf"{LEAD_IN_WORDS}*((?:{PREPOSITIONS} )?{QUESTION_WORDS}(?: (?:else|not|exactly|so|ones?|{TIME_NOUNS}|place|country|city|{PREPOSITIONS}))*)[\s?!.]*",
    re.I,
)
_FRAGMENT = re.compile(
    rf"({LEAD_IN_WORDS}*(?:{_ABOUT})? *)(?:({PREPOSITIONS}) )?([^?!,;:]+?)[\s?!.]*", re.I
)
_VERBAL = re.compile(
    rf"\b(?:{AUXILIARIES}|{QUESTION_WORDS}|be|been|tell|give|show|list|explain|name|describe|i|you|we|me|us|not)\b",
    re.I,
)
_NOUN = re.compile(r"\bthe ((?:[a-z][\w-]+ ){0,2}?[a-z][\w-]+)(?=$|[?.,)]| (?:of|in|on|at|to|for|by|with|from|and|that|which|\w+ed|"
                   rf"{AUXILIARIES}|[a-z]+)\b)")  # fmt: skip
_WOMAN = re.compile(
    r"(?i)\b(?:wife|mother|daughter|sister|queen|girlfriend|aunt|grandmother|actress|princess|widow|niece|woman)\b"
)
_MAN = re.compile(
    r"(?i)\b(?:husband|father|son|brother|king|boyfriend|uncle|grandfather|prince|widower|nephew|man)\b"
)


def complete_question(question: str, history: Sequence[Turn]) -> str:
    """The question as it would be asked by itself; unchanged where it stands by itself, or nobody can tell."""
    turns = [
        Turn(_first_line(turn.question), "", _first_line(turn.short))
        for turn in history[-_MAX_TURNS:]
    ]
    asked = _first_line(question)
    if (
        not turns
        or not asked
        or len(asked) > MAX_REWRITE_CHARS
        or not 0 < len(turns[-1].question) <= MAX_REWRITE_CHARS
    ):
        return question
    turns = [turn for turn in turns if len(turn.question) <= MAX_REWRITE_CHARS]
    made = (
        _repeat_with_question_word(asked, turns[-1])
        or _substitute_fragment(asked, turns)
        or _resolve_references(asked, turns)
    )
    return (
        made
        if made and made != asked and len(made) <= MAX_REWRITE_CHARS and made.isprintable()
        else question
    )


def accept_rewrite(written: str, question: str, history: Sequence[Turn]) -> str:
    """What a model wrote for a completed question, on one line; "" where it is empty, too long, or names what nobody did."""
    text = _first_line(written).strip('"“”*` ')
    text = re.sub(r"(?i)^(?:question|rewritten question)\s*:\s*", "", text)
    said = " ".join(
        [question, *(f"{t.question} {t.answer} {t.short}" for t in history[-_MAX_TURNS:])]
    )
    known = {facts.stem(w) for w in facts.word_tokens(facts.fold_text(said))}
    stems = WordIndex(known)
    mine = facts.content_stems(text)
    names = [
        w
        for name in [*facts.find_names(f"x {text}"), *re.findall(r"\S*\d\S*", text)]
        for w in facts.content_stems(name)
    ]
    if (
        not text
        or len(text) > MAX_REWRITE_CHARS
        or not text.isprintable()
        or not text.endswith("?")
    ):
        return ""
    if not all(stems.has(w) for w in names) or sum(w in known for w in mine) * 2 < len(mine):
        return ""
    return text


def _first_line(text: str) -> str:
    """The beginning of `text` on one line: no more than tells that it is too long."""
    return " ".join(text[: 2 * MAX_REWRITE_CHARS].split())


def _without_end_mark(text: str) -> str:
    return text.rstrip(" ?!.")


def _with(text: str, words: Sequence[str]) -> str:
    """The question with what it is about behind it."""
    if not words:
        return text
    mark = "?" if text.endswith("?") else ""
    return f"{_without_end_mark(text)} ({', '.join(words)}){mark}"


# -- a bare question word -----------------------------------------------------------------------------------------------


def _repeat_with_question_word(asked: str, last: Turn) -> str:
    """ "When?" -> "When" and the rest of the last question."""
    bare = _BARE.fullmatch(asked)
    if not bare:
        return ""
    word, before = bare[1], _without_end_mark(last.question)
    if re.match(rf"{AUXILIARIES}\b", before, re.I) and not word.lower().endswith(" not"):
        return _repeat_count(word, before) or f"{word} {before[0].lower()}{before[1:]}?"
    asks = re.match(rf"(?:{PREPOSITIONS} )?({QUESTION_WORDS})\b ?", before, re.I)
    if not asks or word.lower().endswith(" not"):
        return f"{word}: {before}?"
    noun, rest = _split_after_question_word(before[asks.end() :])
    same = word.lower().split()[0] == asks[1].lower().split()[0]
    if not rest or _is_subject(asks[1], noun, rest):
        return _of_subject(word, asks[1], noun, rest, last.short, same)
    if noun and (
        re.match(r"(?:which|what|how many|how much)(?: ones?| else)?$", word, re.I) or same
    ):
        return f"{re.sub(r' ones?$', '', word)} {noun} {rest}?"
    object_ = (
        ""
        if same or asks[1].lower() in ("when", "where", "why", "how")
        else name_only(last.short) or noun
    )
    return f"{word} {rest} {object_}".rstrip() + "?"


def _repeat_count(word: str, before: str) -> str:
    """ "How many?" after "Did he have any children" -> "How many children did he have?" """
    found = re.search(r" any (\w+)", before)
    if not found or not re.fullmatch(r"(?:how many|how much|which)(?: ones?)?", word, re.I):
        return ""
    rest = before[: found.start()] + before[found.end() :]
    return f"{re.sub(r' ones?$', '', word)} {found[1]} {rest[0].lower()}{rest[1:]}?"


def _split_after_question_word(text: str) -> tuple[str, str]:
    """What follows a question word: the noun that belongs to it, and the rest from the auxiliary on ("" without one)."""
    found = re.search(rf"\b{AUXILIARIES}\b", text, re.I)
    if not found or len(text[: found.start()].split()) > MAX_NAME_WORDS:
        return text, ""
    return text[: found.start()].strip(), text[found.start() :]


def _is_subject(asks: str, noun: str, rest: str) -> bool:
    """Is what is asked for the subject ("Who is suing the tenant"), so that the answer belongs behind the auxiliary?"""
    first = rest.split()[1:2]
    return bool(
        (noun or asks.lower() in ("who", "what", "which"))
        and first
        and first[0].islower()
        and re.search(r"(?:ing|ed|en|n't|been|be)$", first[0])
    )


def _of_subject(word: str, asks: str, noun: str, rest: str, short: str, same: bool) -> str:
    who = name_only(short) or ("someone" if asks.lower().startswith("who") else "something")
    if same:
        return f"{word} {noun} {rest}".rstrip() + "?"
    if rest:
        auxiliary, _, then = rest.partition(" ")
        return f"{word} {auxiliary} {who} {then}".rstrip() + "?"
    return f"{word} was it that {who} {noun}?"


# -- a fragment ---------------------------------------------------------------------------------------------------------


def _substitute_fragment(asked: str, turns: Sequence[Turn]) -> str:
    """ "And in Africa?" -> the last question with that in the place of what is of its kind."""
    found = _FRAGMENT.fullmatch(asked)
    if not found or _VERBAL.search(re.sub(rf"^{LEAD_IN_WORDS}*{_ABOUT}", "", asked, flags=re.I)):
        return ""
    lead, before, words = found[1].strip(), (found[2] or "").lower(), found[3].strip()
    kind = mention_kind(words)
    if not facts.content_stems(words) or (
        not lead and not (asked.endswith("?") and (kind or before))
    ):
        return ""
    if len(words.split()) > (6 if before or kind else 3) or (
        kind and len(words.split()) > MAX_NAME_WORDS + 1
    ):
        return ""
    last, whose = turns[-1].question, _resolve_references(words, turns)
    if whose and whose != words:
        return _instead_of_owner(whose, last)
    slot = _slot(last, before, kind)
    if slot is None:
        return _appended(last, before, words)
    start = slot.start - len(slot.before) - 1 if before and slot.before else slot.start
    put = f"{before} {words}" if before else words
    if kind == "date" and not before and not slot.before:
        put = words
    return last[:start] + put + last[slot.start + len(slot.text) :]


def _slot(last: str, before: str, kind: str) -> Mention | None:
    """What a fragment takes the place of: the same preposition, or one that tells where as well, before the same kind."""
    if not kind:
        return _noun_slot(last, before)
    slots = [n for n in find_mentions(last) if n.kind == kind]
    if kind == "date":
        return slots[-1] if slots else None
    place = re.compile(PLACE_PREPOSITIONS)
    if before:
        same = [n for n in slots if n.before == before]
        alike = [n for n in slots if place.fullmatch(n.before) and place.fullmatch(before)]
        return next(reversed(same or alike), None)
    bare = [n for n in slots if not place.fullmatch(n.before)]
    return next(reversed(bare or slots), None)


def _noun_slot(last: str, before: str) -> Mention | None:
    if before:
        found = list(
            re.finditer(
                rf"\b{before} ((?:(?!{PREPOSITIONS}\b|{AUXILIARIES}\b)[\w-]+ ?){{1,3}})(?=$|[?.,])",
                last,
                re.I,
            )
        )
        return Mention(found[-1][1].strip(), found[-1].start(1), before, "noun") if found else None
    found = list(_NOUN.finditer(last))
    if len(found) != 1:
        return None
    word = found[0][1].split()[0]  # the noun alone: what follows may be a verb
    return Mention(f"the {word}", found[0].start(), "", "noun")


def _appended(last: str, before: str, words: str) -> str:
    mark = "?" if last.endswith("?") else ""
    return f"{_without_end_mark(last)} {before} {words}{mark}" if before else _with(last, [words])


def _instead_of_owner(whose: str, last: str) -> str:
    """ "Eliot's wife" in the place of Eliot."""
    owner = re.split(r"['’]s\b", whose)[0]
    at = last.find(owner)
    return last[:at] + whose + last[at + len(owner) :] if at >= 0 else _with(last, [whose])


# -- pronouns -----------------------------------------------------------------------------------------------------------


def _resolve_references(asked: str, turns: Sequence[Turn]) -> str:
    """Pronouns, "there" and "then" by what they mean; what means nothing that is known gets the topic put behind it."""
    text, leans = asked, False
    for find, means in _RULES:
        found = find(text)
        if found is None:
            continue
        words = means(turns, found)
        if not words and find is lean.find_person_pronoun:
            return ""  # a person needs a name: nothing else would explain the question
        if words:
            text = text[: found.start()] + _inflected(words, found, text) + text[found.end() :]
        leans = leans or not words or words.startswith("the ")
    return _with(text, _topic(turns, text)) if leans else text


def _inflected(words: str, found: re.Match[str], text: str) -> str:
    """With an apostrophe where the pronoun owns what follows."""
    word, after = found.group().lower(), re.match(r" ([\w-]+)", text[found.end() :])
    owns = word in ("his", "its", "their") or (word == "her" and after and not is_small(after[1]))
    if found.start() == 0:
        words = words[0].upper() + words[1:]
    return words + ("’s" if owns and not words.endswith("s") else "’" if owns else "")


def _resolve_person(turns: Sequence[Turn], found: re.Match[str]) -> str:
    """The person that is meant: one of the last question, or its answer where it asked who."""
    mine, other = (
        (_MAN, _WOMAN) if found.group().lower() in ("he", "him", "his") else (_WOMAN, _MAN)
    )
    for turn in reversed(turns):
        people = [
            n.text
            for n in find_mentions(turn.question)
            if _is_person(n, turn.question) and n.text not in found.string
        ]
        answer = name_only(turn.short) if re.search(r"\bwho(?:m)?\b", turn.question, re.I) else ""
        if answer and (
            not people or (mine.search(turn.question) and not other.search(turn.question))
        ):
            return answer
        role = lean.PERSON_NOUNS.search(turn.question)
        if people or (
            meant := leading_name(turn.short)
            or (role.group().lower() if role and role[1].lower() == "the" else "")
        ):
            return people[0] if people else meant
    return ""


def _is_person(name: Mention, question: str) -> bool:
    """Can it be one? Not what a preposition of place, an article or what it is called shows to be a thing."""
    if (
        name.kind != "name"
        or name.thing
        or re.fullmatch(PLACE_PREPOSITIONS, name.before)
        or (name.text.isupper() and len(name.text) > 3)
    ):
        return False
    return not re.match(
        rf"(?:where|what) (?:is|are|was|were) {re.escape(name.text)}$",
        _without_end_mark(question),
        re.I,
    )


def _resolve_thing(turns: Sequence[Turn], found: re.Match[str]) -> str:
    """The thing that is meant by "it"."""
    last = turns[-1]
    names = [n for n in find_mentions(last.question) if n.kind == "name"]
    if re.match(
        rf"(?:{PREPOSITIONS} )?(?:what|which)\b(?! {TIME_NOUNS})", last.question, re.I
    ) and (answer := name_only(last.short)):
        return answer
    things = [n.text for n in names if n.thing]
    plain = [f"the {n[1].split()[0]}" for n in _NOUN.finditer(last.question)]
    return (things[-1:] or plain[:1] or [n.text for n in names][:1] or [""])[0]


def _resolve_several(turns: Sequence[Turn], found: re.Match[str]) -> str:
    """Those that are meant by "they"."""
    last = turns[-1]
    pair = re.search(
        r"\b([A-Z][\w.-]+(?: [A-Z][\w.-]+)*) (?:and|&) ([A-Z][\w.-]+(?: [A-Z][\w.-]+)*)",
        last.question,
    )
    if pair:
        return pair.group()
    names = [
        n.text
        for n in find_mentions(last.question)
        if n.kind == "name" and not re.fullmatch(PLACE_PREPOSITIONS, n.before)
    ]
    several = [
        n.group()
        for n in _NOUN.finditer(last.question)
        if n[1].endswith("s") or GROUP_NOUNS.search(n[1])
    ]
    asks = re.match(r"(?:who|what|which)\b", last.question, re.I)
    return (several[:1] or names[:1] or [name_only(last.short) if asks else ""])[0]


def _resolve_place(turns: Sequence[Turn], found: re.Match[str]) -> str:
    """ "in Paris": where the last question asked for it or said it."""
    last = turns[-1]
    if re.match(r"where\b|(?:in|at) (?:what|which)\b", last.question, re.I):
        at = re.match(rf"({PLACE_PREPOSITIONS}) ", last.short, re.I)
        name = name_only(last.short)
        return f"{at[1].lower() if at else 'in'} {name}" if name else ""
    places = [
        n
        for n in find_mentions(last.question)
        if n.kind == "name" and re.fullmatch(PLACE_PREPOSITIONS, n.before)
    ]
    return f"{places[-1].before} {places[-1].text}" if places else ""


def _resolve_time(turns: Sequence[Turn], found: re.Match[str]) -> str:
    last = turns[-1]
    for text in (last.short, last.question):
        days = [d.shown for d in facts.find_dates(text)[0]] or YEAR.findall(text)
        if days:
            bare = found.group().lower() == "then" and re.search(
                rf"\b{OTHER_PREPOSITIONS} $", found.string[: found.start()], re.I
            )
            return (
                days[0] if bare else f"in {days[0]}" if YEAR.fullmatch(days[0]) else f"on {days[0]}"
            )
    return ""


def _resolve_none(turns: Sequence[Turn], found: re.Match[str]) -> str:
    return ""


def _topic(turns: Sequence[Turn], text: str) -> list[str]:
    """What the last question was about and `text` does not say: names, or else its nouns; of one that tells neither, the one before."""
    have = set(facts.content_stems(text))
    for turn in reversed(turns):
        names = [n.text for n in find_mentions(turn.question) if n.kind == "name"]
        if not names and name_only(turn.short) and re.match(r"who|what|which", turn.question, re.I):
            names = [name_only(turn.short)]
        if names:
            return [words for words in names if not set(facts.content_stems(words)) <= have][:2]
        if about := noun_phrases(turn.question):
            return [words for words in about if not set(facts.content_stems(words)) & have][:2]
    return []


_Means = Callable[[Sequence[Turn], re.Match[str]], str]
_RULES: tuple[tuple[Callable[[str], re.Match[str] | None], _Means], ...] = (
    (lean.find_person_pronoun, _resolve_person), (lean.find_plural_pronoun, _resolve_several), (lean.find_thing_pronoun, _resolve_thing), (lean.find_there, _resolve_place), (lean.find_then, _resolve_time), (lean.find_demonstrative, _resolve_none),
    (lean.asks_for_more, _resolve_none),
)  # fmt: skip
