"""Makes a question from a sentence that answers it, by rule, if the question is grammatical.

The rules move words and do not guess verb forms: verbs that change ("founded" -> "did ... found")
are in a table. A sentence that depends on another one ("It was founded in 1990") gives no question,
and a question without a proper name is dropped: a question must be clear by itself. English only.
The idea of rules over declarative sentences is from Heilman and Smith (2010, Good Question!), who
rank many candidates. Here uncertain candidates are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from rag.eval.question_patterns import (
    ABOUT,
    CLAUSE,
    COUNTS,
    DATE,
    DOERS,
    ED,
    FINITE,
    JOINED,
    LEADS,
    LEANS,
    MAX_SENTENCE_CHARS,
    MAX_WORDS,
    MIN_WORDS,
    NUMBER,
    PARTICIPLES,
    PAST,
    PEOPLE,
    PRESENT,
    REST,
    SUBJECT,
    TAIL,
    THINGS,
    THINGS_COUNTED,
    VERBS,
    N,
)
from rag.text import facts, quantities


@dataclass(frozen=True, slots=True)
class RuleQuestion:
    """A question by rule.

    `answer` is a literal part of the sentence. `kind` is "number", "date", "name" or "cloze".
    """

    question: str
    answer: str
    kind: str


def question_from(sentence: str, common: Collection[str] = ()) -> RuleQuestion | None:
    """Return the question of the first rule that fits the sentence or its main clause, or None.

    The sentence is on one line. `common` are words that the document writes in lower case: the
    first word of a sentence is then no name.
    """
    if len(sentence) > MAX_SENTENCE_CHARS:
        return None
    first, _, rest = sentence.partition(" ")
    if (
        first.lower() in common
        and first not in ("The", "A", "An", "There", "In", "On")
        and not first[:1].isdigit()
    ):
        sentence = f"{first} {rest}" if first.lower() in COUNTS else ""
    bare = re.sub(r" ?\([^()]*\)", "", sentence)
    head = TAIL.split(bare)[0]
    return _asked(bare) or (_asked(f"{head}.") if head != bare and bare.endswith(".") else None)


def _asked(sentence: str) -> RuleQuestion | None:
    if not stands_alone(sentence):
        return None
    for pattern, kind, made in _RULES:
        match = pattern.fullmatch(sentence)
        question = made(match) if match else None
        if match and question:
            question = question[:1].upper() + " ".join(question[1:].split()).rstrip(" .,") + "?"
            if _good(question, match["answer"]):
                return RuleQuestion(question, match["answer"], kind)
    return None


def cloze_from(sentence: str) -> RuleQuestion | None:
    """Return the sentence with a gap for its number or date; None if it has none or several."""
    if (
        len(sentence) > MAX_SENTENCE_CHARS
        or not stands_alone(sentence)
        or len(sentence.split()) > 30
    ):
        return None
    days, rest = facts.find_dates(sentence)
    shown = [(day.shown, "date") for day in days] + [
        (number.shown, "number") for number in quantities.find_numbers(rest)
    ]
    answers = [
        text
        for text, _ in shown
        if sentence.count(text) == 1 and re.search(rf"(?<!\S){re.escape(text)}(?=[ ,.])", sentence)
    ]
    answers = [
        text
        for text in answers
        if re.search(r"\d", text) and not re.search(r"\d(?:st|nd|rd|th)$", text)
    ]
    if len(shown) != 1 or not answers or not proper_names(sentence):
        return None
    return RuleQuestion(f"Complete: {sentence.replace(answers[0], '____')}", answers[0], "cloze")


def stands_alone(sentence: str) -> bool:
    """Tell whether this is a whole sentence that depends on no other.

    It has a moderate length and no brackets or quotations.
    """
    words = sentence.split()
    return (
        MIN_WORDS <= len(words) <= MAX_WORDS
        and bool(re.fullmatch(r"(?:[A-Z]|\d).*[^.]\.", sentence))
        and not re.search(r"[\[\](){}<>|*_#=;:\"“”«»„]|https?|\.\.| [,.]|\b\w+\(", sentence)
        and not LEANS.search(re.sub(r"^There (?=are|were)", "", sentence))
    )


def proper_names(text: str) -> list[str]:
    """Return the proper names after the first word, whose capital means nothing."""
    return facts.find_names("x " + text.split(maxsplit=1)[1]) if len(text.split()) > 1 else []


def _good(question: str, answer: str) -> bool:
    """Tell whether the question has a name, a moderate length, and no loose end.

    It must not contain its answer.
    """
    words = question.split()
    return (
        5 <= len(words) <= 28
        and bool(proper_names(question))
        and answer.lower() not in question.lower()
        and not re.search(
            r"\b(?:in|on|of|by|to|at|for|with|and|or|the|a|an|from)\?$|,\?$", question
        )
    )


def _subject(match: re.Match[str]) -> str | None:
    """Return the subject as inside a sentence, or None if it has a clause or is long."""
    subject = match["subject"].strip()
    if (
        len(subject.split()) > 9
        or CLAUSE.search(subject)
        or VERBS.search(subject)
        or LEADS.match(subject)
    ):
        return None
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first in ("The", "A", "An") else subject


def _rest(match: re.Match[str]) -> str:
    return (match.groupdict().get("rest") or "") + (match.groupdict().get("more") or "")


def _simple(rest: str) -> bool:
    """Tell whether the rest has no second verb and no date, so that it asks one thing."""
    return not (
        JOINED.search(rest)
        or FINITE.search(rest)
        or " that " in rest
        or re.search(r"\b(?:1\d|20)\d\d\b", rest)
    )


def _counted(match: re.Match[str]) -> str | None:
    """ "Over 900 people were killed in X." -> "How many people were killed in X?" """
    return f"how many {match['things']} {match['verb']}{_rest(match)}"


def _there(match: re.Match[str]) -> str | None:
    return f"how many {match['things']} {match['verb']} there{_rest(match)}"


def _has(match: re.Match[str]) -> str | None:
    """ "X employs 50 people in Y." -> "How many people does X employ in Y?" """
    subject, verb = _subject(match), match["verb"]
    if not subject:
        return None
    did, base = ("did", PAST[verb]) if verb in PAST else ("does", PRESENT[verb])
    return f"how many {match['things']} {did} {subject} {base}{_rest(match)}"


def _amount(match: re.Match[str]) -> str | None:
    """ "The length of X is 5 km." -> "What is the length of X?" """
    return f"what {match['verb']} the {match['what']} of {match['of']}{_rest(match)}"


def _when_was(match: re.Match[str]) -> str | None:
    subject = _subject(match)
    simple = _simple(_rest(match))
    return (
        f"when {match['verb']} {subject} {match['done']}{_rest(match)}"
        if subject and simple
        else None
    )


def _when_did(match: re.Match[str]) -> str | None:
    subject = _subject(match)
    simple = _simple(_rest(match))
    return f"when did {subject} {PAST[match['verb']]}{_rest(match)}" if subject and simple else None


def _where(match: re.Match[str]) -> str | None:
    subject = _subject(match)
    return (
        f"where {match['verb']} {subject} {match['done']}"
        if subject and _is_name(match["answer"])
        else None
    )


def _measured(match: re.Match[str]) -> str | None:
    """ "X has a population of 5,000." -> "What is the population of X?" """
    subject = _subject(match)
    return (
        f"what {'was' if match['verb'] == 'had' else 'is'} the {match['what']} of "
        f"{subject}{_rest(match)}"
        if subject
        else None
    )


def _share(match: re.Match[str]) -> str | None:
    return f"what percentage of {match['of']} {match['verb']}{_rest(match)}"


def _who(match: re.Match[str]) -> str | None:
    return (
        f"who {match['verb']}{_rest(match)}"
        if _is_name(match["answer"]) and match["answer"] not in _NO_NAMES
        else None
    )


def _who_by(match: re.Match[str]) -> str | None:
    """ "X was designed by Y." -> "Who designed X?" """
    subject, done = _subject(match), match["done"]
    return (
        f"who {PARTICIPLES.get(done, done)} {subject}{_rest(match)}"
        if subject and _is_name(match["answer"])
        else None
    )


def _is_the(match: re.Match[str]) -> str | None:
    word = "who" if re.search(rf"\b(?:{PEOPLE})\b", match["what"]) else "what"
    return f"{word} {match['verb']} the {match['what']}" if _is_name(match["answer"]) else None


_NO_NAMES = frozenset(
    "In On At By For After Before During With From Since As When While If But And".split()
)


def _is_name(text: str) -> bool:
    """Tell whether the text is one proper name and nothing else."""
    bare = re.sub(r"^[Tt]he ", "", text)
    return facts.find_names("x " + bare) == [bare] and not CLAUSE.search(bare)


_WHO = r"(?P<answer>(?:The )?[A-Z][\w.’'-]+(?: (?:de |van |von |al |of )?[A-Z][\w.’'-]+){0,3})"
_PLACE = r"(?P<answer>[A-Z][\w.’'-]+(?:,? [A-Z][\w.’'-]+){0,3})"
_MORE = r"(?P<more>(?: (?:by|to|at|as|from|with|under|near) [^,;:()\"“”]{3,80})?)"
_ANY_PAST, _ANY_PRESENT = "|".join(PAST), "|".join(PRESENT)

_RULES: tuple[tuple[re.Pattern[str], str, Callable[[re.Match[str]], str | None]], ...] = (
    (
        re.compile(
            rf"(?i:{NUMBER}) {THINGS_COUNTED} (?P<verb>were|are|had|died|lived|live|attended|"
            rf"took part|participated){REST}\."
        ),
        "number",
        _counted,
    ),
    (
        re.compile(
            rf"There (?P<verb>are|were) {NUMBER} {THINGS_COUNTED}(?P<rest> (?:in|on|at|within|"
            rf"across|from|with|near) [^,]{{3,100}})\."
        ),
        "number",
        _there,
    ),
    (
        re.compile(
            rf"(?P<answer>{ABOUT}?(?:\d[\d.]*|[A-Z]?[a-z]+)(?:%| percent| per cent)) of "
            rf"(?P<of>[^,]{{4,60}}?) (?P<verb>are|were|have|had|live|lived|speak|support|"
            rf"supported|voted){REST}\."
        ),
        "number",
        _share,
    ),
    (
        re.compile(
            rf"{SUBJECT} (?P<verb>has|had) an? (?:estimated |total |average "
            rf")?(?P<what>population|area|length|height|capacity|depth|width|diameter|budget|"
            rf"membership|circulation|staff|enrollment|endowment|elevation|volume|revenue|"
            rf"turnover) of (?P<answer>{ABOUT}?[$€£]?(?:{N})(?: ?(?:%|percent|per cent|"
            rf"[a-z]+))?)(?P<rest>(?: (?:in|on|at|during|as of) [^,]{{3,60}})?)\."
        ),
        "number",
        _measured,
    ),
    (
        re.compile(
            rf"{SUBJECT} (?P<verb>{_ANY_PRESENT}|{_ANY_PAST}) {NUMBER} "
            rf"{THINGS_COUNTED}(?P<rest>(?: (?:in|on|at|during|across|from|since|between) "
            rf"[^,]{{3,80}})?)\."
        ),
        "number",
        _has,
    ),
    (
        re.compile(
            rf"The (?P<what>[a-z][a-z -]{{2,40}}) of (?P<of>[^,]{{3,60}}?) (?P<verb>is|was) "
            rf"(?P<answer>{ABOUT}?(?:{N})(?: ?(?:%|percent|per cent|[a-z]+))?)(?P<rest>(?: "
            rf"(?:in|on|at|during|as of) [^,]{{3,60}})?)\."
        ),
        "number",
        _amount,
    ),
    (
        re.compile(
            rf"{SUBJECT} (?P<verb>was|were) (?P<done>(?:first |officially |originally "
            rf")?{ED}){REST} (?:in|on) {DATE}{_MORE}\."
        ),
        "date",
        _when_was,
    ),
    (
        re.compile(
            rf"(?:In|On) {DATE},? {SUBJECT} (?P<verb>was|were) (?P<done>(?:first |officially |"
            rf"originally )?{ED}){REST}\."
        ),
        "date",
        _when_was,
    ),
    (
        re.compile(rf"{SUBJECT} (?P<verb>{_ANY_PAST}){REST} (?:in|on) {DATE}{_MORE}\."),
        "date",
        _when_did,
    ),
    (
        re.compile(rf"(?:In|On) {DATE},? {SUBJECT} (?P<verb>{_ANY_PAST}){REST}\."),
        "date",
        _when_did,
    ),
    (
        re.compile(
            rf"{SUBJECT} (?:was|were) (?P<done>\w{{3,}}ed|written|built|led|sung|drawn) by "
            rf"{_WHO}(?P<rest>(?: (?:in|on|at|for) [^,]{{3,60}})?)\."
        ),
        "name",
        _who_by,
    ),
    (
        re.compile(
            rf"{SUBJECT} (?P<verb>is|are|was|were) (?P<done>located|headquartered|based|born|"
            rf"held|situated|buried|signed|fought|built) (?:in|at) {_PLACE}\."
        ),
        "name",
        _where,
    ),
    (
        re.compile(rf"{_WHO} (?P<verb>{DOERS}){REST}\."),
        "name",
        _who,
    ),
    (
        re.compile(
            rf"{_WHO} (?P<verb>is|was) the (?P<what>(?:[\w-]+ ){{0,3}}(?:{PEOPLE}|{THINGS}) "
            rf"(?:of|in|for|to) [^,]{{3,80}})\."
        ),
        "name",
        _is_the,
    ),
)
