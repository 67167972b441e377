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

from rag.text import facts

_BASES = """
founded founds found|established establishes establish|published publishes publish|opened opens open|closed closes close|
began begins begin|started starts start|ended ends end|died dies die|moved moves move|became becomes become|won wins win|
lost loses lose|joined joins join|left leaves leave|signed signs sign|adopted adopts adopt|introduced introduces introduce|
released releases release|launched launches launch|acquired acquires acquire|bought buys buy|sold sells sell|built builds build|
received receives receive|visited visits visit|met meets meet|married marries marry|declared declares declare|
invaded invades invade|captured captures capture|attacked attacks attack|defeated defeats defeat|discovered discovers discover|
invented invents invent|wrote writes write|proposed proposes propose|announced announces announce|approved approves approve|
passed passes pass|ratified ratifies ratify|abolished abolishes abolish|created creates create|formed forms form|
replaced replaces replace|merged merges merge|arrived arrives arrive|returned returns return|resigned resigns resign|
contained contains contain|included includes include|comprised comprises comprise|covered covers cover|employed employs employ|
housed houses house|held holds hold|produced produces produce|operated operates operate|served serves serve|
required requires require|supported supports support|used uses use|owned owns own|offered offers offer|seated seats seat|
had has have|gained gains gain|faced faces face|imposed imposes impose|spent spends spend|killed kills kill|sent sends send
"""
_PAST: dict[str, str] = {}
_PRESENT: dict[str, str] = {}
for _row in _BASES.replace("\n", "").split("|"):
    _past, _third, _base = _row.split()
    _PAST[_past], _PRESENT[_third] = _base, _base
_PARTICIPLES = {
    "written": "wrote",
    "drawn": "drew",
    "sung": "sang",
    "begun": "began",
    "given": "gave",
    "taken": "took",
}
_ED = r"(?:\w{3,}ed|written|drawn|sung|begun|given|taken|built|made|held|won|sold|led|found|born|sent|lost|shot|set up|known)"
_DOERS = (
    "said|told|wrote|argued|claimed|announced|stated|warned|noted|explained|insisted|stressed|underscored|invented|discovered|"
    "designed|painted|composed|founded|directed|coined|proposed|defeated|succeeded|married|proved|developed|introduced|led|"
    "assassinated|conquered|wrote|described|criticized|criticised|accused|urged|called for"
)
_PEOPLE = (
    r"president|director|founder|author|minister|chief|secretary|king|queen|emperor|leader|chairman|chairwoman|chair|head|mayor|"
    r"governor|spokesman|spokeswoman|spokesperson|editor|inventor|captain|commander|prime minister|son|daughter|wife|husband|"
    r"brother|sister|father|mother|chancellor|bishop|pope|general|ambassador|envoy|manager|coach|composer|architect|premier"
)
_THINGS = (
    r"capital|city|town|river|lake|mountain|state|country|province|region|county|island|ocean|sea|continent|language|currency|"
    r"company|organization|organisation|agency|university|museum|airport|newspaper|book|novel|album|religion|party|building|planet"
)
_N = (
    r"(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?: (?:hundred|thousand|million|billion|trillion))?|"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty)(?: (?:hundred|thousand|million|billion))?"
)
_COUNTS = frozenset(
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty about around over nearly almost some approximately roughly more fewer less".split()
)
_ABOUT = r"(?:(?:about|around|over|nearly|almost|some|approximately|roughly|at least|more than|fewer than|less than|up to) )"
_NUMBER = rf"(?P<answer>{_ABOUT}?(?:{_N}))"
_THINGS_COUNTED = (
    r"(?P<things>(?:[a-z][a-z-]+ ){0,3}(?:[a-z][a-z-]+[^s\W]s|people|men|women|children))"
)
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_DATE = (
    rf"(?P<answer>(?:{_MONTH} \d{{1,2}},? (?:1\d|20)\d\d|\d{{1,2}} {_MONTH} (?:1\d|20)\d\d|{_MONTH},? (?:1\d|20)\d\d|"
    r"(?:early |late |mid-)?(?:1\d|20)\d\d|the (?:1\d|20)\d0s))"
)
_SUBJECT = r"(?P<subject>(?:[Tt]he |[Aa]n? )?[A-Z0-9][^,;:()\"“”]{1,70}?)"
_REST = r"(?P<rest>(?: [^;:()\"“”]{3,120})?)"
_LEANS = re.compile(
    r"\b(?:it|its|he|she|his|her|him|hers|they|them|their|theirs|this|that one|these|those|we|us|our|you|your|i|my|me|here|there|"
    r"former|latter|same|such|above|below|following|then|also|another|other|others|itself|himself|herself|themselves|ago|"
    r"today|yesterday|tomorrow|now|currently|previous|previously|later|respectively|however|therefore)\b",
    re.I,
)
_CLAUSE = re.compile(r"\b(?:is|are|was|were|be|been|has|have|had|will|would|can|could|may|might|must|should|do|does|did|that|which|who|whom|whose|when|while|where|because|although|but|if|as)\b")  # fmt: skip
_VERBS = re.compile(
    rf"\b(?:[a-z]{{2,}}ed|{'|'.join(_PAST)}|{'|'.join(_PRESENT)}|{'|'.join(_PARTICIPLES)}|fought|grew|rose|fell|took|gave|came|went|saw|"
    r"ran|said|told|chose|flew|broke|drove|spoke|wore|threw|found|saw|put|set|cut|let|paid|kept|felt|brought|thought|taught|caught|stood)\b"
)
_JOINED = re.compile(
    rf"\b(?:and|but|or|then|to)(?: \w+ly)?(?: \w+)?? {_VERBS.pattern}|,? (?:and|but) (?:was|were|is|are|had|has)\b"
)
_FINITE = re.compile(r"\b(?:is|are|was|were|has|have|had|will|would|can|could)\b")
_LEADS = re.compile(
    r"(?:In|On|At|By|For|After|Before|During|With|From|Since|As|When|While|Although|Though|To|Until|Under|Over|About|Nearly|Almost|Around|Some|More|Most|Only|Both|Many|Several|Not|And|But|If|Unlike|Like|Despite|Following|According|Because|Between|Within|Among|Through|No)\b"
)
_TAIL = re.compile(
    r",(?= (?:which|making|with|while|whereas|where|including|and|but|although|though|followed|giving|leading|resulting|becoming|after|"
    r"before|when|who|such|so|because|however|having|being)\b)"
)
_MIN_WORDS, _MAX_WORDS = 6, 40
#: Characters of a sentence that a question is made from.
_MAX_SENTENCE_CHARS = 500


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
    if len(sentence) > _MAX_SENTENCE_CHARS:
        return None
    first, _, rest = sentence.partition(" ")
    if (
        first.lower() in common
        and first not in ("The", "A", "An", "There", "In", "On")
        and not first[:1].isdigit()
    ):
        sentence = f"{first} {rest}" if first.lower() in _COUNTS else ""
    bare = re.sub(r" ?\([^()]*\)", "", sentence)
    head = _TAIL.split(bare)[0]
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
        len(sentence) > _MAX_SENTENCE_CHARS
        or not stands_alone(sentence)
        or len(sentence.split()) > 30
    ):
        return None
    days, rest = facts.find_dates(sentence)
    shown = [(day.shown, "date") for day in days] + [
        (number.shown, "number") for number in facts.find_numbers(rest)
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
        _MIN_WORDS <= len(words) <= _MAX_WORDS
        and bool(re.fullmatch(r"(?:[A-Z]|\d).*[^.]\.", sentence))
        and not re.search(r"[\[\](){}<>|*_#=;:\"“”«»„]|https?|\.\.| [,.]|\b\w+\(", sentence)
        and not _LEANS.search(re.sub(r"^There (?=are|were)", "", sentence))
    )


def proper_names(text: str) -> list[str]:
    """Return the proper names after the first word, whose capital means nothing."""
    return facts.find_names("x " + text.split(maxsplit=1)[1]) if len(text.split()) > 1 else []


def _good(question: str, answer: str) -> bool:
    """Tell whether the question has a name, a moderate length, no answer in it, and no loose end."""
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
        or _CLAUSE.search(subject)
        or _VERBS.search(subject)
        or _LEADS.match(subject)
    ):
        return None
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first in ("The", "A", "An") else subject


def _rest(match: re.Match[str]) -> str:
    return (match.groupdict().get("rest") or "") + (match.groupdict().get("more") or "")


def _simple(rest: str) -> bool:
    """Tell whether the rest has no second verb and no date, so that it asks one thing."""
    return not (
        _JOINED.search(rest)
        or _FINITE.search(rest)
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
    did, base = ("did", _PAST[verb]) if verb in _PAST else ("does", _PRESENT[verb])
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
    return (
        f"when did {subject} {_PAST[match['verb']]}{_rest(match)}" if subject and simple else None
    )


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
        f"what {'was' if match['verb'] == 'had' else 'is'} the {match['what']} of {subject}{_rest(match)}"
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
        f"who {_PARTICIPLES.get(done, done)} {subject}{_rest(match)}"
        if subject and _is_name(match["answer"])
        else None
    )


def _is_the(match: re.Match[str]) -> str | None:
    word = "who" if re.search(rf"\b(?:{_PEOPLE})\b", match["what"]) else "what"
    return f"{word} {match['verb']} the {match['what']}" if _is_name(match["answer"]) else None


_NO_NAMES = frozenset(
    "In On At By For After Before During With From Since As When While If But And".split()
)


def _is_name(text: str) -> bool:
    """Tell whether the text is one proper name and nothing else."""
    bare = re.sub(r"^[Tt]he ", "", text)
    return facts.find_names("x " + bare) == [bare] and not _CLAUSE.search(bare)


_WHO = r"(?P<answer>(?:The )?[A-Z][\w.’'-]+(?: (?:de |van |von |al |of )?[A-Z][\w.’'-]+){0,3})"
_PLACE = r"(?P<answer>[A-Z][\w.’'-]+(?:,? [A-Z][\w.’'-]+){0,3})"
_MORE = r"(?P<more>(?: (?:by|to|at|as|from|with|under|near) [^,;:()\"“”]{3,80})?)"
_ANY_PAST, _ANY_PRESENT = "|".join(_PAST), "|".join(_PRESENT)

_RULES: tuple[tuple[re.Pattern[str], str, Callable[[re.Match[str]], str | None]], ...] = (
    (re.compile(rf"(?i:{_NUMBER}) {_THINGS_COUNTED} (?P<verb>were|are|had|died|lived|live|attended|took part|participated){_REST}\."), "number", _counted),
    (re.compile(rf"There (?P<verb>are|were) {_NUMBER} {_THINGS_COUNTED}(?P<rest> (?:in|on|at|within|across|from|with|near) [^,]{{3,100}})\."), "number", _there),
    (re.compile(rf"(?P<answer>{_ABOUT}?(?:\d[\d.]*|[A-Z]?[a-z]+)(?:%| percent| per cent)) of (?P<of>[^,]{{4,60}}?) (?P<verb>are|were|have|had|live|lived|speak|support|supported|voted){_REST}\."), "number", _share),
    (re.compile(rf"{_SUBJECT} (?P<verb>has|had) an? (?:estimated |total |average )?(?P<what>population|area|length|height|capacity|depth|width|diameter|budget|membership|circulation|staff|enrollment|endowment|elevation|volume|revenue|turnover) of (?P<answer>{_ABOUT}?[$€£]?(?:{_N})(?: ?(?:%|percent|per cent|[a-z]+))?)(?P<rest>(?: (?:in|on|at|during|as of) [^,]{{3,60}})?)\."), "number", _measured),
    (re.compile(rf"{_SUBJECT} (?P<verb>{_ANY_PRESENT}|{_ANY_PAST}) {_NUMBER} {_THINGS_COUNTED}(?P<rest>(?: (?:in|on|at|during|across|from|since|between) [^,]{{3,80}})?)\."), "number", _has),
    (re.compile(rf"The (?P<what>[a-z][a-z -]{{2,40}}) of (?P<of>[^,]{{3,60}}?) (?P<verb>is|was) (?P<answer>{_ABOUT}?(?:{_N})(?: ?(?:%|percent|per cent|[a-z]+))?)(?P<rest>(?: (?:in|on|at|during|as of) [^,]{{3,60}})?)\."), "number", _amount),
    (re.compile(rf"{_SUBJECT} (?P<verb>was|were) (?P<done>(?:first |officially |originally )?{_ED}){_REST} (?:in|on) {_DATE}{_MORE}\."), "date", _when_was),
    (re.compile(rf"(?:In|On) {_DATE},? {_SUBJECT} (?P<verb>was|were) (?P<done>(?:first |officially |originally )?{_ED}){_REST}\."), "date", _when_was),
    (re.compile(rf"{_SUBJECT} (?P<verb>{_ANY_PAST}){_REST} (?:in|on) {_DATE}{_MORE}\."), "date", _when_did),
    (re.compile(rf"(?:In|On) {_DATE},? {_SUBJECT} (?P<verb>{_ANY_PAST}){_REST}\."), "date", _when_did),
    (re.compile(rf"{_SUBJECT} (?:was|were) (?P<done>\w{{3,}}ed|written|built|led|sung|drawn) by {_WHO}(?P<rest>(?: (?:in|on|at|for) [^,]{{3,60}})?)\."), "name", _who_by),
    (re.compile(rf"{_SUBJECT} (?P<verb>is|are|was|were) (?P<done>located|headquartered|based|born|held|situated|buried|signed|fought|built) (?:in|at) {_PLACE}\."), "name", _where),
    (re.compile(rf"{_WHO} (?P<verb>{_DOERS}){_REST}\."), "name", _who),
    (re.compile(rf"{_WHO} (?P<verb>is|was) the (?P<what>(?:[\w-]+ ){{0,3}}(?:{_PEOPLE}|{_THINGS}) (?:of|in|for|to) [^,]{{3,80}})\."), "name", _is_the),
)  # fmt: skip
