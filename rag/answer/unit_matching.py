"""Compares a row, record, entry, list or answer with a question, word by word.

A row answers if its values, the names of its columns and what it belongs to (caption, headings,
title) have the question's terms: the row is found by its values, the answer is the value whose
column was asked for. Every name of several words, number, date and code of the question must be
there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from rag.answer.asked_rows import asked_rows, columns_fulfilled, truth_of
from rag.answer.evidence import field_at, text_at
from rag.answer.field_words import is_other_kind
from rag.answer.mail_parts import (
    ASKING_STEMS,
    DATE,
    RECIPIENT,
    SENDER,
    asks_for_plan,
    asks_for_recipient,
)
from rag.answer.question_terms import (
    QuestionTerms,
    Term,
    is_given,
    is_other_number,
    read_question,
    without_questions,
)
from rag.answer.spans import kind_of_short_answer
from rag.answer.tables.rows import words_of
from rag.domain import Passage, Span, Unit, UnitKind
from rag.text import facts, quantities
from rag.text.labels import spelled_header, spelled_out
from rag.text.sentences import split_sentences

#: stems of names of columns whose cell names the row
_KEY_NAMES = frozenset(
    facts.stem(word)
    for word in (
        "name title item product article person member id key subject what who model term"
    ).split()
)
_ASKS_FOR_PERSON = ("who", "whose", "whom")


@dataclass(frozen=True, slots=True)
class Lookup:
    """A place that answers by its structure. Spans are characters of the document."""

    passage: Passage
    unit: Unit
    short: Span  #: the answer
    quote: Span  #: the evidence
    share: float  #: of the question's weight that the place has, 0..1
    score: float  #: to compare places; higher is better, and may exceed 1

    @property
    def is_uncounted(self) -> bool:
        """Is the answer a cell or item without a number?"""
        if self.unit.kind in (UnitKind.LIST, UnitKind.ANSWER):
            return False
        return not quantities.find_numbers(text_at(self.passage, self.short))


class UnitMatcher:
    """Compares one unit with the question."""

    def __init__(
        self,
        asked: QuestionTerms,
        passage: Passage,
        unit: Unit,
        path: str,
        fields: Sequence[tuple[frozenset[str], frozenset[str]]],
        absent: AbstractSet[Term],
    ) -> None:
        """`path` is that of the headings above the unit; the passage lacks the terms `absent`."""
        self._asked, self._passage, self._unit = asked, passage, unit
        chunk = passage.chunk
        # terms in what the unit belongs to
        self._scope = asked.found(
            [
                chunk.title,
                chunk.heading,
                unit.context,
                chunk.source.replace("_", " ").replace("/", " "),
                path,
            ]
        )
        self._fields, self._absent = fields, absent
        self._recipient = asks_for_recipient(asked.question)
        self._planned = asks_for_plan(asked.question)
        self._asking_word = facts.fold_text(asked.question).split(maxsplit=1)[0]
        self._rows = asked_rows(asked.question)  # the noun if the names of rows are asked for

    def _text(self, span: Span) -> str:
        return text_at(self._passage, span)

    def places(self) -> Iterator[Lookup]:
        """Yield the places of the unit that may answer."""
        kind = self._unit.kind
        if kind in (UnitKind.ROW, UnitKind.RECORD):
            yield from self._values()
        elif kind is UnitKind.ENTRY or (kind is UnitKind.ITEM and self._unit.cells):
            yield from self._entry()
        elif kind is UnitKind.LIST:
            yield from self._list()
        elif kind is UnitKind.ANSWER:
            yield from self._answer()

    # -- rows and records

    def _values(self) -> Iterator[Lookup]:
        """Yield the cells of a row or record that the question leaves free and may ask for."""
        unit, asked = self._unit, self._asked
        values = [self._text(cell.span) for cell in unit.cells]
        found = [
            asked.found([asked.with_ordinal(spelled_out(value), cell.header)])
            for value, cell in zip(values, unit.cells, strict=True)
        ]
        heads = [self._head(cell.header) for cell in unit.cells]
        headers = [cell.header for cell in unit.cells]
        chosen_by = columns_fulfilled(asked.question, values, headers) if self._rows else []
        if chosen_by is None:
            return
        for at in chosen_by:
            found[at] |= heads[at][0]
        best_key = self._key(values, found)
        for target in self._targets(best_key, values):
            if found[target] and is_given(values[target], found[target]):
                continue  # the question gives this value, it does not ask for it
            if self._planned and unit.cells[target].header.startswith(DATE):
                continue  # what is planned is on another day than the mail about it
            given = frozenset[Term]().union(
                *(found[i] for i in range(len(values)) if i != target),
                *(heads[i][0] for i in range(len(values)) if i != target and found[i]),
            )
            by_name, exact = heads[target]
            free = [i for i in range(len(values)) if not found[i]]
            reverse = not by_name and (target == best_key or free == [target])
            if not given - self._scope and not (by_name and unit.kind is UnitKind.RECORD):
                continue
            yield from self._place(
                target, given | by_name, exact if by_name or exact else 0.0, values[target], reverse
            )

    def _targets(self, key: int, values: Sequence[str]) -> Sequence[int]:
        """The cells that may be asked for: all, or those that name the row if rows are."""
        cells, noun = self._unit.cells, ("stem", self._rows)
        named = [
            at
            for at, cell in enumerate(cells)
            if noun in self._asked.found([cell.header]) and truth_of(values[at]) is None
        ]
        names_row = key == 0 or (key > 0 and _is_key(cells[key].header))
        if not self._rows or not (named or (noun in self._scope and names_row)):
            return range(len(cells))
        return named or [key]

    def _key(self, values: Sequence[str], found: Sequence[frozenset[Term]]) -> int:
        """The cell that names the row: a name or title that the question does not give."""
        free = [i for i in range(len(values)) if not found[i]]
        for i in free:
            if _is_key(self._unit.cells[i].header):
                return i
        return next(
            (i for i in free if kind_of_short_answer(values[i]) not in ("number", "date")), -1
        )

    def _head(self, header: str) -> tuple[frozenset[Term], float]:
        """The terms that a column's name has, and how surely it is asked for, 0..1."""
        direct = self._asked.found([spelled_header(header)])
        if self._recipient and header.startswith(SENDER):
            return frozenset(), 0.0
        if self._recipient and header.startswith(RECIPIENT):
            by_direction = frozenset(
                t for t in self._asked.terms if t[0] == "stem" and t[1] in ASKING_STEMS
            )
            return direct | by_direction, 1.0
        stems = set(words_of(spelled_header(header))[1])
        by_wording, strength = set[Term](), 0.0
        for asking, names in self._fields:
            if stems & names:
                by_wording |= {t for t in self._asked.terms if t[0] == "stem" and t[1] in asking}
                strength = 0.8
        if facts.fold_text(header).strip() == self._asking_word:
            return direct | by_wording | self._absent, 1.0  # the column Who of "who brings …"
        return direct | by_wording, 1.0 if direct else strength

    def _place(
        self, target: int, own: frozenset[Term], by_name: float, value: str, reverse: bool
    ) -> Iterator[Lookup]:
        asked, cell, terms = self._asked, self._unit.cells[target], own | self._scope
        if not self._has_hard_terms(terms) or self._needs_operation():
            return
        if is_other_kind(asked.question, f"{value} {cell.header[:100]}", value, in_row=True):
            return
        if not by_name and self._asking_word in _ASKS_FOR_PERSON and value.islower():
            return  # "off" is nobody
        kind = kind_of_short_answer(value)
        fits = 0.0
        if asked.kind:
            fits = 1.0 if kind == asked.kind else -1.0
            if asked.kind == "name":  # any words may be a name
                fits = -1.0 if kind in ("number", "date") else 0.5
        if not by_name and not reverse and (fits <= 0 or asked.counts):
            return
        share = asked.share(terms)
        score = (
            share
            + 0.2 * by_name
            + 0.12 * fits
            + 0.1 * asked.share(own)
            + (0.05 if reverse else 0.0)
        )
        yield Lookup(self._passage, self._unit, cell.span, self._evidence(target), share, score)

    def _evidence(self, target: int) -> Span:
        whole = ("stem", self._rows) in self._scope
        return _evidence_for(self._passage, self._unit, target, whole)

    # -- entries

    def _entry(self) -> Iterator[Lookup]:
        """Yield the value of an entry whose name is asked about, or the name if the value is."""
        (cell,) = self._unit.cells[:1]
        asked, value = self._asked, self._text(cell.span)
        in_name = asked.found([spelled_header(cell.header)])
        in_value = asked.found([without_questions(value)])
        around = self._scope
        if in_name and not in_value - in_name - around:
            terms = in_name | around
            by_fields = self._head(cell.header)[0]
            if self._has_hard_terms(terms | by_fields) and is_given(cell.header, in_name):
                share = asked.share(terms | by_fields)
                yield Lookup(
                    self._passage, self._unit, cell.span, self._unit.span, share, share + 0.1
                )
        elif not in_name and (by_fields := self._head(cell.header)[0]):
            terms = by_fields | around
            if self._has_hard_terms(terms):
                share = asked.share(terms)
                yield Lookup(self._passage, self._unit, cell.span, self._unit.span, share, share)
        if in_value and cell.name and not in_name - in_value:
            terms = in_value | around
            wanted = asked.kind or "name"
            kind = kind_of_short_answer(cell.header)
            if (wanted == "date" and kind != "date") or wanted == "number":
                return
            if wanted == "name" and kind in ("date", "number"):
                return
            is_no_term = not asked.kind and not asked.asks_for_term
            if is_no_term or is_other_number(asked.question, cell.header):
                return
            if self._has_hard_terms(terms):
                share = asked.share(terms)
                name = cell.name
                yield Lookup(self._passage, self._unit, name, self._unit.span, share, share)

    # -- lists and answers

    def _list(self) -> Iterator[Lookup]:
        """Yield the whole list if a list or steps are asked for and its context fits."""
        asked = self._asked
        if not (asked.asks_for_list or asked.asks_for_steps):
            return
        in_items = asked.found([self._text(self._unit.span)])
        own = asked.found([self._unit.context]) if self._unit.context else frozenset[Term]()
        terms = own | self._scope
        if in_items - terms or not self._has_hard_terms(terms):
            return
        share = asked.share(terms)
        yield Lookup(
            self._passage, self._unit, self._unit.span, self._unit.span, share, share + 0.1
        )

    def _answer(self) -> Iterator[Lookup]:
        """Yield the first sentence of an answer of an FAQ to a question like this one."""
        asked = self._asked
        title = self._unit.context.rpartition(" > ")[2]
        other = read_question(title)
        if not other.terms or (asked.kind and other.kind != asked.kind):
            return
        terms = asked.found([title])
        back = other.share(other.found([asked.question]))
        share = min(asked.share(terms), back)
        if not self._has_hard_terms(terms):
            return
        text = self._text(self._unit.span)
        first = next(iter(split_sentences(text)), None)
        if first is None:
            return
        start = self._unit.span.start
        quote = Span(start + first.start, start + first.end)
        yield Lookup(self._passage, self._unit, quote, quote, share, share + 0.15)

    def _needs_operation(self) -> bool:
        """Does the question ask for rows to be compared, ordered or added, which is not done here?

        Not if the unit has the word itself ("first name", "total: 12").
        """
        if not self._asked.operations:
            return False
        unit = self._unit
        own = [self._text(unit.span), unit.context, *(cell.header for cell in unit.cells)]
        words = set(facts.word_tokens(facts.fold_text(" ".join(own))))
        return not self._asked.operations <= words

    def _has_hard_terms(self, terms: frozenset[Term]) -> bool:
        """Has the place every number, date, code and whole name of the question?"""
        stems = {t[1] for t in terms if t[0] == "stem"}
        return all(t in terms for t in self._asked.terms if t[0] != "stem") and all(
            name <= stems for name in self._asked.names
        )


def _is_key(header: str) -> bool:
    """Is this the name of a column whose cell names the row?"""
    return not _KEY_NAMES.isdisjoint(facts.content_stems(header))


def _evidence_for(passage: Passage, unit: Unit, target: int, whole: bool) -> Span:
    """The evidence for a cell: the row, or a record's field, or the `whole` record."""
    cell = unit.cells[target]
    if whole or unit.kind is UnitKind.ROW or len(unit.cells) <= 1 or cell.name is None:
        return unit.span
    return field_at(passage, cell)
