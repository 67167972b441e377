"""Answers questions in languages that no model reads, by their words alone.

The sentence, row or item that has most of the question's words is quoted, if it has enough of them
and another one has clearly fewer. Words that few parts have count most (inverse frequency). Chinese
and Japanese, which are written without blanks, are compared by pairs of characters; Arabic words
without their article; words of other languages by their beginnings, which endings do not change.

The share of the question's weight that the part has stands for a probability; it is not fitted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from rag.answer.evidence import text_at
from rag.answer.spans import Part, parts_of, path_and_text
from rag.domain import Passage, Span
from rag.text import facts
from rag.text.sentences import split_sentences

#: share of the question's weight that a part must have, and by how much it must be ahead
_MIN_SHARE, _MIN_LEAD = 0.65, 0.15
#: of a word that only the headings of a part have
_IN_PATH = 0.6
#: letters from which words with one beginning are the same, and their share of the shorter word
_MIN_BEGINNING, _MIN_COMMON = 4, 0.75
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff々]+")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_ARABIC_PREFIX = re.compile(r"^(?:و|ف)?(?:ال|لل|بال|كال)(?=\S{2})")
_ARABIC_LETTERS = str.maketrans("أإآىة", "اااية")
#: what asks and what joins, in Chinese and Japanese, longest first
_CJK_ASKING = re.compile(
    "什么时候|什么地方|为什么|怎么样|多长时间|多少钱|是多少|有多少|多少|什么|哪里|哪儿|哪个|哪些|哪位|怎么|如何|何时|几点|是谁|谁|"
    "可以|能不能|是不是|有没有|请问|吗|呢|的|了|是|有|在|"
    "のは|でしょうか|でしたか|ましたか|ですか|ますか|ください|どのくらい|いくら|どこ|どれ|どの|なぜ|いつ|だれ|誰|何時|何日|何人|何"
)
_FUNCTION_WORDS = frozenset(
    (
        # German, French, Spanish, Italian, Dutch, Portuguese
        "wer was wann wo wie wen wem wessen warum wieso welche welcher welches welchen welchem "
        "der die das den dem des ein eine einen einem einer ist sind war waren wird werden wurde "
        "hat haben hatte kann konnen darf muss soll man ich wir sie er es mein meine zu im in am "
        "an auf aus bei mit nach von vom zum zur fur und oder nicht viel viele lange "
        "qui que quoi quand ou comment pourquoi combien quel quelle quels quelles est sont etait "
        "le la les un une des du de a au aux en dans par pour sur avec et il elle on je ce cette "
        "peut doit quien quienes cuando donde como por cual cuales cuanto cuanta cuantos cuantas "
        "el los las es son era fue hay se lo del al con para y o esta este puede debe mi su "
        "chi che cosa quando dove come perche quale quali quanto quanta quanti quante il lo gli i "
        "e sono di da nel nella con per si puo deve wie wat wanneer waar hoe waarom welk hoeveel "
        "het een zijn was heeft kan mag moet van op voor met en quem onde porque qual quais "
        "os as um uma do no na em ao tem pode "
        # Russian, Polish, Arabic
        "кто что когда где как почему сколько какой какая какие какое чей в на и с по для от до "
        "это был была было были есть ли у за из к kto co kiedy gdzie jak dlaczego ile jaki jaka "
        "jakie jest sa byl byla w na i z do od dla czy sie "
        "kostet kosten heisst gibt liegt steht cuesta cuestan coute coutent costa costano kost "
        "ما من هو هي هم كم متى اين كيف لماذا هل في علي الي عن ان مع هذا هذه التي الذي و"
    ).split()
)
#: what asks for a price, and what a price has
_ASKS_PRICE = re.compile(
    r"\b(?:kostet|kosten|cuestan?|coute(?:nt)?|costan?o?|kost|стоит|стоят)\b|多少钱|いくら|بكم"
)
_PRICE = re.compile(
    r"\d.{0,12}?(?:[€$£¥₽元円]|\b(?:euros?|eur|chf|fr|kr|zl|dollars?|cent|руб\w*)\b)|"
    r"[€$£¥]\s?\d|[元円]|دينار|ريال|جنيه|درهم",
    re.I,
)
_AFTER = re.compile(r"^[\s:：,，、]*(?:是|为|為|は|が|هو|هي|:|：|=|->|→)?[\s:：]*")
#: up to a mark, or a comma that is not in a number
_CLAUSE = re.compile(r"(?:[^，；。！？\n,;!?]|[,;!?](?!\s|$))+")
_MAX_SHORT = 80  # characters of a short answer


class Matched(NamedTuple):
    """A part that has most of a question's words. Spans are of the document."""

    passage: Passage
    quote: Span
    short: Span
    share: float  #: of the question's weight, 0..1


def match_words(question: str, passages: Sequence[Passage]) -> Matched | None:
    """Return the part that has most of the question's words; None if none is clearly ahead."""
    words = words_of(question)
    parts = [(passage, part) for passage in passages for part in _parts(passage)]
    if not words or not parts:
        return None
    own = [set(words_of(path_and_text(part)[1])) for _, part in parts]
    above = [set(words_of(path_and_text(part)[0])) for _, part in parts]
    weights = {word: _weight(word, own) for word in words}
    total = sum(weights.values())
    if total <= 0:
        return None
    shares = [
        sum(
            weight * (1.0 if _has(known, word) else _IN_PATH * _has(heads, word))
            for word, weight in weights.items()
        )
        / total
        for known, heads in zip(own, above, strict=True)
    ]
    order = sorted(range(len(parts)), key=lambda number: -shares[number])
    best = order[0]
    text = _text(parts[best])
    rival = next((shares[n] for n in order[1:] if _text(parts[n]) != text), 0.0)
    if shares[best] < _MIN_SHARE or shares[best] - rival < _MIN_LEAD:
        return None
    if _ASKS_PRICE.search(facts.fold_text(question)) and not _PRICE.search(text):
        return None
    if not all(_has_half(own[best] | above[best], run) for run in _runs(question)):
        return None
    passage, part = parts[best]
    short = Span(0, len(text)) if "|" in text else _short(words, text)  # a row has several values
    start = part.span.start
    return Matched(
        passage, part.span, Span(start + short.start, start + short.end), min(1.0, shares[best])
    )


def _weight(word: str, parts: Sequence[set[str]]) -> float:
    """How much a word counts: the more, the fewer parts have it.

    A pair of characters that none has counts no more than one that one has: it may be no word.
    """
    count = sum(_has(known, word) for known in parts)
    least = 1 if _CJK.search(word) else 0
    return math.log((len(parts) + 1) / (max(least, count) + 0.5))


@lru_cache(maxsize=2048)
def words_of(text: str) -> tuple[str, ...]:
    """The words that are compared, each once: without those that only ask or join."""
    found = dict[str, None]()
    for run in _runs(text):
        found |= dict.fromkeys(_pairs(run))
    for word in facts.word_tokens(facts.fold_text(_CJK.sub(" ", text))):
        if _ARABIC.search(word):
            word = word.translate(_ARABIC_LETTERS)
        if word not in _FUNCTION_WORDS and not facts.is_stop_word(word):
            found[_ARABIC_PREFIX.sub("", word)] = None
    return tuple(found)


def _runs(text: str) -> list[str]:
    """The runs of Chinese or Japanese characters, without what asks and joins."""
    return [piece for run in _CJK.findall(text) for piece in _CJK_ASKING.sub(" ", run).split()]


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(max(1, len(run) - 1))]


def _has_half(known: set[str], run: str) -> bool:
    """Has a set half of the pairs of a run? Without them, a thing of the question is missing."""
    pairs = _pairs(run)
    return 2 * sum(pair in known for pair in pairs) >= len(pairs)


def _parts(passage: Passage) -> list[Part]:
    return [part for part in parts_of("", passage) if not _asks(text_at(passage, part.span))]


def _asks(text: str) -> bool:
    return text.rstrip(' *_"”’)').endswith(("?", "？", "؟"))


def _text(found: tuple[Passage, Part]) -> str:
    return text_at(found[0], found[1].span)


def _has(known: set[str], word: str) -> bool:
    """Has a set the word, or one with the same beginning?"""
    if word in known:
        return True
    if len(word) < _MIN_BEGINNING or _CJK.search(word):
        return False
    return any(_is_same(word, other) for other in known if len(other) >= _MIN_BEGINNING)


def _is_same(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    common = next((n for n in range(shorter) if one[n] != other[n]), shorter)
    return common >= _MIN_BEGINNING and common >= _MIN_COMMON * shorter


def _count(words: Sequence[str], text: str) -> int:
    known = set(words_of(text))
    return sum(_has(known, word) for word in words)


def _short(words: Sequence[str], text: str) -> Span:
    """The rest of the clause with most of the words, behind the last of them; or the clause."""
    sentences = list(split_sentences(text)) or [Span(0, len(text))]
    clauses = [
        Span(sentence.start + match.start(), sentence.start + match.end())
        for sentence in sentences
        for match in _CLAUSE.finditer(sentence.of(text))
    ] or sentences
    best = max(clauses, key=lambda clause: _count(words, clause.of(text)))
    folded = best.of(text).casefold()
    if len(folded) == best.end - best.start:  # places are the same in both
        ends = [folded.rfind(word) + len(word) for word in words if word in folded]
        rest = best.of(text)[max(ends, default=0) :]
        skipped = len(rest) - len(_AFTER.sub("", rest))
        answer = Span(best.end - len(rest) + skipped, best.end)
        if ends and len(answer.of(text).strip(" .。")) > 1:
            best = answer
    kept = best.of(text)
    start = best.start + len(kept) - len(kept.lstrip())
    return Span(start, min(start + _MAX_SHORT, best.start + len(kept.rstrip(" .。"))))
