"""The exact half of the check: numbers, dates, names, quotations and negations, compared by rules.

`compare_exactly` compares a sentence with the sentence of its source that is closest to it and
with the whole source. Values are normalised first (`rag.text.facts`), so that "five thousand" is
5,000. The result says which values the source confirms, which are missing and which it contradicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property

from rag.text import facts, quantities
from rag.text.fact_index import DateIndex, NumberIndex, WordIndex
from rag.text.foreign_marks import quote_foreign

#: share of the sentence's words in the closest one from which a difference is a contradiction
ALIGNED_OVERLAP = 0.6
#: the same share from which the two count as one sentence: a number must be in that very sentence
_SAME_SENTENCE_OVERLAP = 0.75
#: words; a longer text is not aligned word by word with the closest sentence
_MAX_ALIGNED_WORDS = 250
#: words besides a name; sentences with fewer are never taken for the same sentence
_MIN_SHARED_WORDS = 3
_MAX_QUOTATION_CHARS = 60  # characters of a quotation that a reason repeats


@dataclass(frozen=True, slots=True)
class ExactFindings:
    """Findings in words, by kind; the lists are filled while the rules run.

    `unknown_names` are names that the source lacks while no sentence of it is like this one. The
    source may mean the same person in other words.
    """

    confirmed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    unknown_names: list[str] = field(default_factory=list)


def compare_exactly(text: str, closest: str, whole: str, overlap: float) -> ExactFindings:
    """The findings for the sentence `text`.

    `closest` is the source's most similar sentence, `whole` is all text of the source, and
    `overlap` is the share of the content words of `text` that `closest` has, 0..1.
    """
    findings = ExactFindings()
    if not facts.content_stems(text):
        findings.missing.append("the sentence holds no word that can be compared with a source")
    _compare_dates_and_numbers(findings, text, closest, whole, overlap)
    _compare_names(findings, text, closest, whole, overlap)
    _compare_quotations(findings, text, whole)
    if (
        overlap >= ALIGNED_OVERLAP
        and facts.count_negations(text) % 2 != facts.count_negations(closest) % 2
        and _similar_length(text, closest)
    ):
        findings.contradicted.append("one of the two says “not”, the other does not")
    return findings


def _compare_dates_and_numbers(
    findings: ExactFindings, text: str, closest: str, whole: str, overlap: float
) -> None:
    """Record each date and number of `text` as confirmed, missing or contradicted.

    If `closest` is the same sentence but lacks a value, the values that only `closest` has are
    taken to stand in its place. The value is then not confirmed, even if the passage has it
    elsewhere: "built in 1823, sold in 1901" does not support "built in 1901".
    """
    same_sentence = overlap >= _SAME_SENTENCE_OVERLAP
    dates, rest = facts.find_dates(text)
    source_dates, source_rest = facts.find_dates(whole)
    closest_dates, closest_rest = facts.find_dates(closest)
    in_source, in_closest, in_text = (
        DateIndex(source_dates),
        DateIndex(closest_dates),
        DateIndex(dates),
    )
    replacements = [d.shown for d in closest_dates if same_sentence and not in_text.agree(d)]
    shown = [d.shown for d in closest_dates]
    for date in dates:
        others = [] if in_closest.agree(date) else replacements
        confirmed = in_source.agree(date) and not others
        _record_value(findings, date.shown, confirmed, overlap, others or shown)
    numbers, closest_numbers = quantities.find_numbers(rest), quantities.find_numbers(closest_rest)
    source_numbers = NumberIndex(
        quantities.find_numbers(source_rest)
        + [_year_as_number(d.year) for d in source_dates if d.year]
    )
    near, own = NumberIndex(closest_numbers), NumberIndex(numbers)
    replacements = [
        n.shown
        for n in closest_numbers
        if same_sentence and not (own.bear_out(n) or own.rest_on(n))
    ]
    shown = [n.shown for n in closest_numbers]
    for number in numbers:
        others = [] if near.bear_out(number) else replacements
        confirmed = source_numbers.bear_out(number) and not others
        _record_value(findings, number.shown, confirmed, overlap, others or shown)


def _year_as_number(year: int) -> quantities.Number:
    return quantities.Number(frozenset((float(year),)), False, str(year))


def _record_value(
    findings: ExactFindings, value: str, confirmed: bool, overlap: float, in_closest: Sequence[str]
) -> None:
    """Add a number or date to the findings. `in_closest` are values of its kind in `closest`."""
    if confirmed:
        findings.confirmed.append(f"{value}: found")
    elif in_closest and overlap >= ALIGNED_OVERLAP:
        findings.contradicted.append(f"{value}: the source says {', '.join(in_closest[:3])}")
    else:
        findings.missing.append(f"{value}: not in the source")


def _compare_names(
    findings: ExactFindings, text: str, closest: str, whole: str, overlap: float
) -> None:
    """Record each name of `text` as confirmed, missing or unknown."""
    source_stems = WordIndex({facts.stem(w) for w in facts.word_tokens(facts.fold_text(whole))})
    alignment = _NameAlignment(text, closest)
    for name in facts.find_names(text):
        other = alignment.replaced_by(name)
        if other:
            findings.missing.append(f"{name}: the source says {other} there")
        elif any(
            not facts.is_stop_word(word) and not source_stems.has(facts.stem(word))
            for word in facts.word_tokens(facts.fold_text(name))
        ):
            aligned = overlap >= ALIGNED_OVERLAP
            absent = findings.missing if aligned else findings.unknown_names
            absent.append(f"{name}: not in the source")
        else:
            findings.confirmed.append(f"{name}: found")


def _compare_quotations(findings: ExactFindings, text: str, whole: str) -> None:
    """Record each literal quotation of `text` as confirmed or missing."""
    source = facts.flatten_text(whole)
    for quotation in facts.find_quotations(text):
        shown = f"“{quote_foreign(quotation[:_MAX_QUOTATION_CHARS])}”"
        if facts.flatten_text(quotation) in source:
            findings.confirmed.append(f"{shown}: found")
        else:
            findings.missing.append(f"{shown}: not in the source word for word")


class _NameAlignment:
    """A sentence aligned with the closest one of its source, to see which name replaced which."""

    def __init__(self, text: str, closest: str) -> None:
        self._words, self._closest_words = facts.word_tokens(text), facts.word_tokens(closest)
        self._stems, self._closest_stems = (
            [facts.stem(facts.fold_text(word)) for word in words]
            for words in (self._words, self._closest_words)
        )
        self._counts = Counter(stem for stem in self._stems if not facts.is_stop_word(stem))
        self._in_closest = set(self._closest_stems)
        self._shared = sum(n for stem, n in self._counts.items() if stem in self._in_closest)

    def replaced_by(self, name: str) -> str:
        """The name that the closest sentence has in the place of `name`; "" if there is none.

        Both must stand between the same words, and the two must be one sentence but for the name.
        It does not help that the passage has the name elsewhere. A pronoun or a description in its
        place may mean the same person and is left to the model, and so are initials ("UN" for
        "United Nations").
        """
        stems = {facts.stem(facts.fold_text(word)) for word in facts.word_tokens(name)}
        if stems & self._in_closest:
            return ""
        # no stem of the name is shared, so the shared words are all among the other ones
        other_words = self._counts.total() - sum(self._counts[stem] for stem in stems)
        if other_words < _MIN_SHARED_WORDS or self._shared < _SAME_SENTENCE_OVERLAP * other_words:
            return ""
        for start, end, closest_start, closest_end in self._replacements:
            if not stems & set(self._stems[start:end]):
                continue
            here = _content_words(self._words[start:end])
            there = _content_words(self._closest_words[closest_start:closest_end])
            capitalised = all(word[0].isupper() for word in there + here)
            if there and capitalised and not _are_initials(here, there):
                return " ".join(self._closest_words[closest_start:closest_end])
        return ""

    @cached_property
    def _replacements(self) -> list[tuple[int, int, int, int]]:
        """Ranges of words (start, end, closest start, closest end) in each other's place.

        Empty for long texts: aligning costs at least the product of the two lengths.
        """
        if max(len(self._stems), len(self._closest_stems)) > _MAX_ALIGNED_WORDS:
            return []
        matcher = SequenceMatcher(None, self._stems, self._closest_stems, autojunk=False)
        return [
            (start, end, closest_start, closest_end)
            for kind, start, end, closest_start, closest_end in matcher.get_opcodes()
            if kind == "replace"
        ]


def _content_words(words: Sequence[str]) -> list[str]:
    return [word for word in words if not facts.is_stop_word(facts.fold_text(word))]


def _are_initials(one: Sequence[str], other: Sequence[str]) -> bool:
    """True if the shorter of the two is one word that begins with the initials of the longer."""
    short, long = sorted((one, other), key=len)
    return len(short) == 1 < len(long) and short[0].upper().startswith(
        "".join(word[0] for word in long).upper()[:2]
    )


def _similar_length(text: str, closest: str) -> bool:
    """True if neither text has a second half in which the "not" could stand."""
    words, closest_words = len(facts.content_stems(text)), len(facts.content_stems(closest))
    return closest_words <= 1.6 * words + 2 and words <= 1.4 * closest_words + 1
