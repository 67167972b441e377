"""Tables of words: those that mark a condition, a limit or a cause, and synonyms in one form."""

from __future__ import annotations

from collections.abc import Sequence

from rag.text import facts
from rag.text.word_tables import BASE_FORMS

#: content words that state nothing of their own
NEUTRAL = frozenset(
    facts.stem(word)
    for word in (
        "answer question note notes passage text document source according based following"
        " tell tells told speak speaks spoke spoken believes thinks claims adds argues"
        " called named located known given provided stated states mentioned mentions described"
        " describes refers referred said says listed includes included including consists"
        " contains comprised comprises regarding specific one within inside among amongst during"
        " upon"
    ).split()
)
#: words that change what a sentence says, by what they do; each kind is on both sides or on neither
_KINDS = {
    "condition": "if unless provided whether",
    "exception": "except unless besides excluding",
    "possibility": "may might could perhaps possible possibly probably potentially likely maybe"
    " allegedly purportedly reportedly",
    "intention": "should planned plans plan expected proposed intends wants would"
    " calls called calling urges urged urging demands demanded hopes hoped seeks",
    "more": "over more above exceeding exceeds least minimum",
    "less": "under less fewer below most maximum",
    "before": "before until till",
    "after": "after since",
    "cause": "because due cause causes caused therefore thus hence leads led result resulted",
    "aim": "purpose aim aims aimed",
}
#: kinds that may be left out: the sentence then says less than its source, and nothing else
MAY_BE_LEFT_OUT = frozenset(("cause", "aim", "before", "after", "more", "less"))
_KIND_OF = {word: kind for kind, words in _KINDS.items() for word in words.split()}
#: words that are of their kind only before one of these: "called for peace", not "called Ashby"
_ONLY_BEFORE: dict[str, tuple[str, ...]] = {
    "calls": ("for", "on", "upon"),
    "called": ("for", "on", "upon"),
    "calling": ("for", "on", "upon"),
    "provided": ("that",),
}
#: words of numbers, which are compared by value
_NUMBER_WORDS = frozenset(
    facts.stem(word)
    for word in (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
        " hundred thousand million billion dozen half"
    ).split()
)
#: words with one meaning, of which a model takes another one than its source; not opposites, not
#: degrees, no word of `_KINDS`, no word with another meaning besides
_SAME = {
    facts.stem(word): words.split()[0]
    for words in (
        "start begin commence launch",
        "end finish conclude",
        "build construct erect",
        "buy purchase",
        "use utilize utilise",
        "receive get obtain",
        "need require",
        "live reside dwell",
        "locate situate",
        "help assist",
        "establish founded",
        "across throughout",
        "show display",
        "create make",
        "happen occur",
        "large big",
        "child kid children kids",
        "film movie",
        "various several multiple",
        "main principal",
        "important significant",
        "often frequently",
        "rarely seldom",
        "sometimes occasionally",
        "usually typically",
        "quickly rapidly",
        "country nation",
        "region area",
        "because due",
        "over exceed exceeding exceeds exceeded",
        "famous renowned",
        "approximately roughly",
        "almost nearly",
        "yearly annual annually",
        "car automobile",
    )
    for word in words.split()
}


def kinds_of(tokens: Sequence[str]) -> set[str]:
    """The kinds of the words that change what a sentence says."""
    return {
        _KIND_OF[token]
        for token, after in zip(tokens, (*tokens[1:], ""), strict=True)
        if token in _KIND_OF and after in _ONLY_BEFORE.get(token, (after,))
    }


def one_form(token: str) -> str:
    """The infinitive of an irregular past form, and one word for all of a meaning."""
    token = BASE_FORMS.get(token, token)
    return _SAME.get(facts.stem(token), token)


def is_number(stem: str) -> bool:
    """True for the stem of a number, in digits or as a word."""
    return stem[0].isdigit() or stem in _NUMBER_WORDS
