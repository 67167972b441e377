"""Completes a follow-up question, so that it can be understood without the conversation.

No model is used, and the rules are for English. Three kinds of questions refer to earlier turns:

* A fragment ("and in Africa?") replaces the part of its kind in the last question.
* A bare question word ("When?") is asked about the rest of the last question.
* A pronoun, "there" or "then" that the question itself does not explain is replaced by the name
  that fits (`rag.answer.resolve_pronouns`). If none fits, the topic of the last question is
  appended in brackets.

A wrong completion is worse than none: the reader refuses a question that names something no passage
has. A question that can be understood by itself therefore stays as it is, character for character,
and so does one whose meaning cannot be determined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer.mentions import (
    AUXILIARIES,
    DEFINITE_NOUN,
    LEAD_IN_WORDS,
    MAX_NAME_WORDS,
    PLACE_PREPOSITIONS,
    PREPOSITIONS,
    QUESTION_WORDS,
    TIME_NOUNS,
    Mention,
    find_mentions,
    mention_kind,
    name_only,
)
from rag.answer.resolve_pronouns import append_topic, resolve_references, without_end_mark
from rag.domain import Turn
from rag.text import facts

#: characters; a longer question is not completed, and a longer completion is not used
MAX_REWRITE_CHARS = 300
_MAX_TURNS = 3  # earlier turns in which the person of a "he" or "she" is searched
_MAX_FRAGMENT_WORDS = 3  # words of a fragment with neither a preposition nor a kind
_MAX_KNOWN_FRAGMENT_WORDS = MAX_NAME_WORDS + 1  # words of a fragment with one of them
_WHAT_ABOUT = r"(?:(?:what|how) about|what of)\b"
_BARE_QUESTION_WORD = re.compile(
    rf"{LEAD_IN_WORDS}*((?:{PREPOSITIONS} )?{QUESTION_WORDS}"
    rf"(?: (?:else|not|exactly|so|ones?|{TIME_NOUNS}|place|country|city|{PREPOSITIONS}))*)[\s?!.]*",
    re.I,
)
_FRAGMENT = re.compile(
    rf"({LEAD_IN_WORDS}*(?:{_WHAT_ABOUT})? *)(?:({PREPOSITIONS}) )?([^?!,;:]+?)[\s?!.]*", re.I
)
#: a noun with "a" or "an", up to the preposition or verb behind it
_INDEFINITE_NOUN = re.compile(
    rf"\b(an? (?:[a-z][\w-]* ){{0,2}}?[a-z][\w-]*)"
    rf"(?=\W*$| (?:{PREPOSITIONS}|{AUXILIARIES}|costs?|takes?|weighs?|lasts?)\b)"
)
#: a bare plural ("adults"), and one behind a preposition ("for children", "for children under 6")
_PLURAL = re.compile(r"(?:[a-z][\w-]{1,40}[^s\W]s|children|people|(?:wo)?men)", re.I)
_PLURAL_BEHIND = re.compile(rf"\b{PREPOSITIONS} ((?:{_PLURAL.pattern}))\b")
#: a number or letter that belongs to the name before it
_LABEL = re.compile(r"\s(?:\d{1,4}|[A-Z])\b(?!\s+[a-z]+s\b)")
#: words of a whole question or request, which is no fragment
_VERBAL = re.compile(
    rf"\b(?:{AUXILIARIES}|{QUESTION_WORDS}|be|been|tell|give|show|list|explain|name|describe"
    r"|i|you|we|me|us|not)\b",
    re.I,
)


def complete_question(question: str, history: Sequence[Turn]) -> str:
    """The question completed from the last turns of `history`, oldest first.

    Returns `question` itself if it needs nothing or no rule applies.
    """
    text = _on_one_line(question)
    turns = [
        Turn(_on_one_line(turn.question), "", _on_one_line(turn.short))
        for turn in history[-_MAX_TURNS:]
    ]
    if (
        not turns
        or not text
        or len(text) > MAX_REWRITE_CHARS
        or not 0 < len(turns[-1].question) <= MAX_REWRITE_CHARS
    ):
        return question
    turns = [turn for turn in turns if len(turn.question) <= MAX_REWRITE_CHARS]
    completed = (
        _repeat_with_question_word(text, turns[-1])
        or _substitute_fragment(text, turns)
        or resolve_references(text, turns)
    )
    usable = (
        completed
        and completed != text
        and len(completed) <= MAX_REWRITE_CHARS
        and completed.isprintable()
    )
    return completed if usable else question


def _on_one_line(text: str) -> str:
    """`text` on one line, cut at twice the allowed length: enough to see that it is too long."""
    return " ".join(text[: 2 * MAX_REWRITE_CHARS].split())


# -- a bare question word --------------------------------------------------------------------------


def _repeat_with_question_word(text: str, last: Turn) -> str:
    """ "When?" -> "When" and the rest of the last question; "" if `text` is no bare word."""
    bare = _BARE_QUESTION_WORD.fullmatch(text)
    if not bare:
        return ""
    word, previous = bare[1], without_end_mark(last.question)
    negated = word.lower().endswith(" not")
    if re.match(rf"{AUXILIARIES}\b", previous, re.I) and not negated:
        return _repeat_count(word, previous) or f"{word} {previous[0].lower()}{previous[1:]}?"
    asked = re.match(rf"(?:{PREPOSITIONS} )?({QUESTION_WORDS})\b ?", previous, re.I)
    if not asked or negated:
        return f"{word}: {previous}?"
    asked_word = asked[1].lower()
    noun, rest = _split_after_question_word(previous[asked.end() :])
    same_word = word.lower().split()[0] == asked_word.split()[0]
    if not rest or _asks_for_subject(asked_word, noun, rest):
        return _ask_about_subject(word, asked_word, noun, rest, last.short, same_word)
    asks_for_noun = re.match(r"(?:which|what|how many|how much)(?: ones?| else)?$", word, re.I)
    if noun and (asks_for_noun or same_word):
        return f"{re.sub(r' ones?$', '', word)} {noun} {rest}?"
    if same_word or asked_word in ("when", "where", "why", "how"):
        return f"{word} {rest}?"
    return f"{word} {rest} {name_only(last.short) or noun}".rstrip() + "?"


def _repeat_count(word: str, previous: str) -> str:
    """ "How many?" after "Did he have any children" -> "How many children did he have?" """
    counted = re.search(r" any (\w+)", previous)
    if not counted or not re.fullmatch(r"(?:how many|how much|which)(?: ones?)?", word, re.I):
        return ""
    rest = previous[: counted.start()] + previous[counted.end() :]
    return f"{re.sub(r' ones?$', '', word)} {counted[1]} {rest[0].lower()}{rest[1:]}?"


def _split_after_question_word(text: str) -> tuple[str, str]:
    """The noun that belongs to a question word, and the rest from the auxiliary on.

    `text` is what follows the question word. The rest is "" if there is no auxiliary near enough.
    """
    auxiliary = re.search(rf"\b{AUXILIARIES}\b", text, re.I)
    if not auxiliary or len(text[: auxiliary.start()].split()) > MAX_NAME_WORDS:
        return text, ""
    return text[: auxiliary.start()].strip(), text[auxiliary.start() :]


def _asks_for_subject(asked_word: str, noun: str, rest: str) -> bool:
    """True for "Who is suing the tenant": the answer belongs behind the auxiliary."""
    after_auxiliary = rest.split()[1:2]
    return bool(
        (noun or asked_word in ("who", "what", "which"))
        and after_auxiliary
        and after_auxiliary[0].islower()
        and re.search(r"(?:ing|ed|en|n't|been|be)$", after_auxiliary[0])
    )


def _ask_about_subject(
    word: str, asked_word: str, noun: str, rest: str, short: str, same_word: bool
) -> str:
    """The last question, which asked for its subject, asked again with `word`.

    `short` is the short answer, which becomes the subject.
    """
    if same_word:
        return f"{word} {noun} {rest}".rstrip() + "?"
    subject = name_only(short) or ("someone" if asked_word.startswith("who") else "something")
    if rest:
        auxiliary, _, predicate = rest.partition(" ")
        return f"{word} {auxiliary} {subject} {predicate}".rstrip() + "?"
    return f"{word} was it that {subject} {noun}?"


# -- a fragment ------------------------------------------------------------------------------------


def _substitute_fragment(text: str, turns: Sequence[Turn]) -> str:
    """ "And in Africa?" -> the last question with the fragment in place of a part of its kind.

    Returns "" if `text` is no fragment.
    """
    match = _FRAGMENT.fullmatch(text)
    if not match or _VERBAL.search(
        re.sub(rf"^{LEAD_IN_WORDS}*{_WHAT_ABOUT}", "", text, flags=re.I)
    ):
        return ""
    lead_in, preposition, words = match[1].strip(), (match[2] or "").lower(), match[3].strip()
    kind = mention_kind(words)
    known = bool(preposition or kind)
    if not facts.content_stems(words) or (not lead_in and not (text.endswith("?") and known)):
        return ""
    if len(words.split()) > (_MAX_KNOWN_FRAGMENT_WORDS if known else _MAX_FRAGMENT_WORDS):
        return ""
    last, resolved = turns[-1].question, resolve_references(words, turns)
    if resolved and resolved != words:
        return _replace_owner(resolved, last)
    slot = _find_slot(last, preposition, kind, words)
    if slot is None:
        return _append_fragment(last, preposition, words)
    start, end = slot.start, slot.start + len(slot.text)
    if preposition and slot.before:
        before = re.search(rf"\b{slot.before}\s+(?:the\s+)?$", last[:start], re.I)
        start = before.start() if before else start - len(slot.before) - 1
    elif re.match("the ", words, re.I) and last[:start].lower().endswith(" the "):
        start -= len("the ")
    if label := _LABEL.match(last, end):  # "Falcon 5" replaces "Falcon 3", not "Falcon"
        end = label.end()
    fragment = f"{preposition} {words}" if preposition else words
    return last[:start] + fragment + last[end:]


def _find_slot(last: str, preposition: str, kind: str, words: str) -> Mention | None:
    """The part of the last question that a fragment replaces.

    It has the same kind and the same preposition, or another preposition of place if the
    fragment's is one. Of several the last is taken.
    """
    if not kind:
        return _find_noun_slot(last, preposition, words)
    slots = [mention for mention in find_mentions(last) if mention.kind == kind]
    if kind == "date":
        return slots[-1] if slots else None
    place = re.compile(PLACE_PREPOSITIONS)
    if preposition:
        same = [slot for slot in slots if slot.before == preposition]
        both_places = [
            slot for slot in slots if place.fullmatch(slot.before) and place.fullmatch(preposition)
        ]
        return next(reversed(same or both_places), None)
    no_places = [slot for slot in slots if not place.fullmatch(slot.before)]
    return next(reversed(no_places or slots), None)


def _find_noun_slot(last: str, preposition: str, words: str) -> Mention | None:
    """The noun of the last question that a fragment without a name or date replaces.

    With a preposition it is the last noun behind that preposition; else the only one behind "a", if
    the fragment has an "a" too or no article ("a service" or "colouring" replaces "a haircut"); a
    plural replaces a plural behind a preposition ("for children"); else it is the only noun behind
    "the".
    """
    if preposition:
        word = rf"(?!{PREPOSITIONS}\b|{AUXILIARIES}\b)[\w-]+ ?"
        matches = list(re.finditer(rf"\b{preposition} ((?:{word}){{1,3}})(?=$|[?.,])", last, re.I))
        if not matches:
            return None
        return Mention(matches[-1][1].strip(), matches[-1].start(1), preposition, "noun")
    if _PLURAL.fullmatch(words):
        plurals = list(_PLURAL_BEHIND.finditer(last))
        if len(plurals) == 1:
            return Mention(plurals[0][1], plurals[0].start(1), "", "noun")
    elif not re.match(r"(?:the|my|our|his|her|its|their|this|that) ", words, re.I):
        indefinite = list(_INDEFINITE_NOUN.finditer(last))
        if len(indefinite) == 1:
            return Mention(indefinite[0][1], indefinite[0].start(), "", "noun")
    matches = list(DEFINITE_NOUN.finditer(last))
    if len(matches) != 1:
        return None
    noun = matches[0][1].split()[0]  # the noun alone: the words after it may be a verb
    return Mention(f"the {noun}", matches[0].start(), "", "noun")


def _append_fragment(last: str, preposition: str, words: str) -> str:
    if not preposition:
        return append_topic(last, [words])
    mark = "?" if last.endswith("?") else ""
    return f"{without_end_mark(last)} {preposition} {words}{mark}"


def _replace_owner(possessive: str, last: str) -> str:
    """`last` with "Eliot's wife" (`possessive`) in the place of "Eliot"."""
    owner = re.split(r"['’]s\b", possessive)[0]
    at = last.find(owner)
    if at < 0:
        return append_topic(last, [possessive])
    return last[:at] + possessive + last[at + len(owner) :]
