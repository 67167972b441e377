"""Time: every rule over a stranger's text takes at most in proportion to its length, whatever the text repeats.

Each rule is given each text at one length and at twice that length. What takes less than `_FLOOR` seconds of the processor at
the longer one passes: even if it grew with the square, a megabyte would be done in seconds. Whatever takes longer may take at most `_RATIO` times
as long as at half the length. The processor's time is measured, not the clock's, and a failure is measured again: tests run on
busy machines.
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from itertools import product
from typing import NamedTuple

import pytest

from rag.answer import (
    check,
    cite,
    corrections,
    field_words,
    followup,
    lookup,
    mail_parts,
    mentions,
    model_text,
    numbered_parts,
    offices,
    prompt,
    referring_words,
    scope,
    spans,
    word_matching,
)
from rag.answer.beyond_quoting import refuse_what_is_not_quoted
from rag.answer.library_question import parse_library_question
from rag.answer.list_sentences import listed_noun
from rag.answer.question_parts import parts_of_question
from rag.answer.tables import gaps, rows
from rag.answer.tables.chance import may_answer
from rag.answer.tables.choice import choose_plan
from rag.answer.tables.question import TableQuestion
from rag.cli.output import print_document
from rag.domain import Chunk, Document, Passage, RawDocument, Span, Turn
from rag.errors import Unreadable
from rag.eval import question_rules
from rag.ingest import clean
from rag.ingest.chunk import chunk_document
from rag.ingest.formats import plain
from rag.ingest.formats.common import decode, stated_date
from rag.ingest.structure.find import find_units
from rag.ingest.structure.front_matter import find_front_matter
from rag.protocols import AnswerSpan, PassageReading, Support
from rag.search import candidates, retrieve
from rag.search.passages import edges_of, widen_chunk
from rag.text import (
    boilerplate,
    copies,
    document_names,
    facts,
    header_rows,
    labels,
    language,
    quantities,
    ranges,
    sanitize,
    unspaced,
)
from rag.text.sentences import split_blocks, split_sentences
from rag.upkeep.find_quote import find_quote
from tests.support.structured import passage_of
from tui.render import excerpt, marks, wrap

pytestmark = pytest.mark.slow

_FLOOR, _RATIO, _TRIES = 0.03, 2.3, 4
_SURE = 1.0  #: seconds from which a ratio is believed

#: what is repeated
_UNITS = (
    *"aA0 .,:;'\"-_*#=|~`/\\()[]{}<>&%$\t\n\r’‘“”«„\u00a0\u2028\u0301漢😀\u200dﷺ",
    "a ", "A ", "1 ", "a.", "A.", "1.", "1,", "1 000 ", "1,000,", "a\n", "a\n\n", "\r\n", "- ", "# ", "#\n", "| ", ": ", "a: ",
    "[1", "[1] ", "[1, ", '"a', "“a", "«a", "„a", "(a", "a(", "a'", "A’s ", '" “ « „ ', "“ ”", '"a b c" ', "“a b c”«d e f» ", "(“", "'\" ",
    "漢。", "漢字。", "a\u0301\u0323", "\u0323\u0301", "\u0f73", "👨\u200d👩", "yes. no! ", "Dr. ", "1. ", "(1) ", "U.S. ", "“Yes.” ",
    "not ", "don't ", "Name, ", "A de ", "A & ", "Name of ", "5 May 2020 ", "5 May ", "May ", "2020-05-05 ", "5.5.2020 ", "five thousand ",
    "five hundred and ", "teen ", "hundred ", "5 million ", "12 % ", "-5 ", "1:2 ", "14:30 ", "5 km ", "€5 ", "7 p.m. ",
    "by staff ", "share this ", "log in or ", "access_time ", "arrow_a", "© 2020 ", "photo: ", "- a, ", "cookies\n", "Home\n", "Home\nNews\n",
    "title: a\n", "---\n", "--- \n", "==\n", "Title\n=====\n", "# a\n", "## a #", "```\n", "# x\n```\n", "def a\n", "static ", ":date: a\n",
    "a: b\n", "a:\n", "- a: b\n", "- - a\n", "a = 1\n", "[a]\n", "a {\n", "}\n", '{"a": 1}, ', '{"a":', '["', '"\\', "<a>\n", "|===\n", "|a |b\n",
    "+--+--+\n", "== ==\n", "a  b\n", "a\tb\n", "a:: b\n", ":a: b\n", "#+a: b\n", "a::\n\n    b\n", "```sh\n", "Q: a\nA: b\n", "**a**: b\n",
    "2024-05-01 10:00:00 INFO a: b\n", "def a(\n", "int a(int b) {\n", "A = 1  # b\n", '    """\n', "/* a\n", "// a\n", "return a\n",
    "a-b_", "a.b ", "file.txt ", "a{", "x = 1; ", "who is ", "in the ", "and in ", "the a ", "what about ", "it is a ", "is there ",
)  # fmt: skip
#: a beginning, what is repeated behind it, an end
_FRAMED = (
    ("by staff", " ", "x"), ("# x", " ", "y"), ("# x", " #", "y"), ("#", " ", "x"), ("---\ntitle: x", " ", "y\n---\n"), ("---\na: b\n", "x\n", ""),
    ("---\ntitle:", "\n", "x\n---\n"), ("Title\n===", " ", "x"), ("```\n", "a\n", ""), ("a", " ", "b"), ("x", "\n", "y"), ("5", " ", "May"), ("5", " ", "pm"), ("5", " ", "km"),
    ("5", " ", "%"), ("1", "0", "x"), ("1", " 000", "x"), ("five", " ", "and a half"), ("A", " ", "A"), ("A de", " de", " x"), ("[1", " ", "]"),
    ("", " ", "[1]"), ("“", "a ", "”"), ('"', "a. ", '"'), ("Dr", ". ", "a"), ("a", "\u0301", "b"), ("", "#", "5"), ("who is", " ", "x"),
    ("photo", " ", "x"), ("and", ", ", "x"), ("", "\t", "def x"), ("copyright", " ", "x"),
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _repeated(unit: str, length: int, head: str = "", tail: str = "") -> str:
    return head + unit * (length // len(unit)) + tail


def _words(length: int) -> list[str]:
    """Different words of seven letters."""
    return [
        "x" + "".join(letters)
        for letters, _ in zip(product(_LETTERS, repeat=6), range(length // 8), strict=False)
    ]


def _random(signs: str, length: int) -> str:
    return "".join(random.Random(1).choices(signs, k=length))


#: what does not repeat
_MIXED: dict[str, Callable[[int], str]] = {
    "different words": lambda n: " ".join(_words(n)),
    "different lines": lambda n: "\n".join(_words(n)),
    "different names": lambda n: ", ".join(_words(n)).title(),
    "different numbers": lambda n: " ".join(map(str, range(10_000, 10_000 + n // 6))),
    "different dates": lambda n: " ".join(f"{1 + d % 28} May {1000 + d}" for d in range(n // 11)),
    "different quotations": lambda n: " ".join(f"“{word} is it”" for word in _words(n // 2)),
    "one word": partial(_random, _LETTERS),
    "signs": partial(_random, "ab .,\n\"“”'«»[]()#=-1"),
    "quotation marks": partial(_random, "ab .\"“”'«»„‘’"),
    "code": partial(_random, "ab_{}()<>=+-*/|`&!. \n1"),
    "headings": lambda n: "".join(f"{'#' * (1 + at % 6)} t{at}\n" for at in range(n // 9)),
    "deep code": lambda n: "".join(f"{' ' * at}def a{at}\n" for at in range(int((2 * n) ** 0.5))),
    "short furniture": lambda n: "by staff          x\nshare this   on   a   b  c\n" * (n // 48),
    "one-line furniture": lambda n: ("by staff" + " " * 145 + "x\n") * (n // 154),
    "bylines": lambda n: ("by staff" + "  staff" * 20 + "x\n") * (n // 150),
    "bylines with commas": lambda n: ("by staff" + " , and  agencies" * 9 + "x\n") * (n // 154),
    "prose": lambda n: (
        "The tenant Anna Berg signed the lease in Berlin on 5 May 2020 for 5,000 euros. "
        * (n // 80)
    ),
}
_TEXTS: dict[str, Callable[[int], str]] = {
    **{ascii(unit): partial(_repeated, unit) for unit in _UNITS},
    **{ascii(f): (lambda n, f=f: _repeated(f[1], n, f[0], f[2])) for f in _FRAMED},  # type: ignore[misc]
    **_MIXED,
}


def _document(text: str, **more: object) -> Document:
    return Document("d", "s.txt", "t", None, text, **more)  # type: ignore[arg-type]


def _passage(text: str) -> Passage:
    return Passage(1, Chunk("c", "d", "s", "t", None, "", Span(0, len(text)), text, 1), 1.0)


def _plain(read: Callable[[bytes], Iterator[RawDocument]]) -> Callable[[str], None]:
    def run(text: str) -> None:
        with suppress(Unreadable):
            list(read(text.encode()))

    return run


def _decode(text: str) -> None:
    with suppress(Unreadable):
        decode(text.encode("latin-1", "replace") + b"\xe9 caf\xe9 \xfc")


def _count(texts: object) -> list[int]:
    return [1 + len(text) // 4 for text in texts]  # type: ignore[attr-defined]


def _none(texts: object) -> list[int]:
    return [0 for _ in texts]  # type: ignore[attr-defined]


def _template(text: str) -> None:
    found = boilerplate.line_hashes(_document(text))
    masked = boilerplate.mask_boilerplate(_document(text), {key for key, _ in found})
    for span in [span for _, lines in found for span in lines]:
        boilerplate.within_mask(span, masked.mask)


def _same(text: str) -> None:
    half = copies.WordText(text[: len(text) * 3 // 4])
    copies.find_copy(copies.WordText(text), [half, copies.WordText(text)])
    copies.same_content(copies.WordText(text, "title"), half)


def _around(text: str) -> None:
    document = clean.clean_document(RawDocument(text), "a.md")
    edges = edges_of(document)
    for piece in chunk_document(document, 200, _count):
        widen_chunk(piece, document, 1, edges)


def _shown(text: str) -> None:
    half = tuple(Span(at, at + 1) for at in range(0, len(text), 16))
    with suppress(UnicodeEncodeError):
        print_document(_document(text, mask=half))


_JUDGE = check.Judge(
    lambda _, others: [0.9] * len(others),
    lambda _, texts: [Support(0.0, 0.0, 0.0, None) for _ in texts],
    check.CheckFit((0.1,) * 8, 0.0, 0.5, 0.3),
)
_HISTORY = [Turn("Who is the President of France?", "Emmanuel Macron [1].", "Emmanuel Macron")]
_SHORT = "The tenant Anna Berg signed the lease in Berlin on 5 May 2020 for 5,000 euros."

_ITEMS = rows.Table(
    "Stock", ("Item", "Price", "Day"), (("lamp", "12", "5 May 2020"), ("x", "5", "6 May 2020"))
)


class _About(NamedTuple):
    table: rows.Table
    about: str


def _ask_table(question: str, table: rows.Table) -> None:
    asked, placed = TableQuestion(question), _About(table, table.title)
    choice = choose_plan(asked, table, {"cells 1:which": 1.0}, lambda _, t: [0.0] * len(t), 1.0)
    if choice:
        may_answer(asked, placed, choice, frozenset())


def _table_of(text: str) -> rows.Table:
    """A table of the lines of a text, with its beginning in the names of the columns."""
    lines = text.split("\n")
    return rows.Table(text, ("Item", text), [(line, text[:50]) for line in lines])


_STRUCTURED = passage_of(
    "# Stock\n\nItem: bench\nPrice: 9\n\n- a hat\n- soup\n\n| a | b |\n|---|---|\n| c | 4 |\n"
)

#: each rule with the length, in characters, that it is given first: less where a character costs more
_RULES: dict[str, tuple[int, Callable[[str], object]]] = {
    "document_names": (
        200_000,
        lambda text: document_names.without_names(text, document_names.named_documents(text)),
    ),
    "document_names.typed_name": (200_000, document_names.typed_name),
    "clean": (30_000, lambda t: clean.clean_document(RawDocument(t), "a.txt")),
    "clean source": (60_000, lambda t: clean.clean_document(RawDocument("x"), t)),
    "said date": (60_000, stated_date),
    "decode": (40_000, _decode),
    "text": (60_000, _plain(plain.read_text)),
    "markdown": (60_000, _plain(plain.read_markdown)),
    "restructured": (60_000, _plain(plain.read_rst)),
    "code": (30_000, _plain(plain.read_code)),
    "json": (30_000, _plain(plain.read_json)),
    "yaml": (30_000, _plain(plain.read_yaml)),
    "ini": (30_000, _plain(plain.read_ini)),
    "conf": (30_000, _plain(plain.read_conf)),
    "log": (30_000, _plain(plain.read_log)),
    "structure": (20_000, lambda t: find_units(t, terms=True)),
    "structure, a list": (20_000, lambda t: find_units("".join(f"{'  ' * (n % 9)}- {line}\n" for n, line in enumerate(t.split("\n"))))),
    "structure, a block": (20_000, lambda t: find_units("Do this:\n\n" + "".join(f"    {line}\n" for line in t.split("\n")))),
    "front matter": (30_000, lambda t: find_front_matter(f"---\na: {t}\n---\n")),
    "blocks": (20_000, lambda t: list(split_blocks(t))),
    "sentences": (15_000, lambda t: list(split_sentences(t))),
    "chunk": (12_000, lambda t: list(chunk_document(_document(t), 200, _count))),
    "chunk without tokens": (12_000, lambda t: list(chunk_document(_document(t), 200, _none))),
    "chunk lines": (20_000, lambda t: list(chunk_document(_document(t, lines=True), 200, _count))),
    "template": (12_000, _template),
    "around": (6_000, _around),
    "dates": (15_000, facts.find_dates),
    "numbers": (10_000, quantities.find_numbers),
    "quotations": (30_000, facts.find_quotations),
    "names": (30_000, facts.find_names),
    "words": (15_000, lambda t: (facts.content_stems(t), facts.count_negations(t), facts.flatten_text(t))),
    "one off": (60_000, lambda t: facts.one_letter_apart(t, t[1:] + "x")),
    "same": (3_000, _same),
    "cite": (8_000, lambda t: cite.parse_citations([t])),
    "safe": (60_000, sanitize.sanitize_line),
    "lean": (300, lambda t: [f(t) for f in (referring_words.find_person_pronoun, referring_words.find_plural_pronoun, referring_words.find_thing_pronoun, referring_words.find_there, referring_words.find_then, referring_words.find_demonstrative, referring_words.asks_for_more)]),
    "named": (300, lambda t: (mentions.find_mentions(t), mentions.mention_kind(t), mentions.name_only(t), mentions.leading_name(t), mentions.noun_phrases(t))),
    "forms": (2_000, lambda t: [f(t) for f in (parse_library_question, parts_of_question, refuse_what_is_not_quoted, listed_noun)]),
    "complete": (300, lambda t: (followup.complete_question(t[:300], _HISTORY), followup.complete_question("And he?", [Turn(t[:300], t, t[:300])]))),
    "kind": (30_000, spans.answer_kind),
    "wanted": (10_000, lambda t: (field_words.is_other_kind(t, t[:50], t), field_words.is_other_kind(t, t, t, True))),
    "set against": (10_000, lambda t: (scope.is_set_against(_SHORT, t), scope.is_set_against(t, _SHORT), scope.is_set_against(t, t))),
    "ranges": (10_000, lambda t: (ranges.find_ranges(t), ranges.asked_range(t), ranges.without_range(t))),
    "offices": (20_000, lambda t: offices.is_other_office(t, t)),
    "changed value": (20_000, lambda t: corrections.value_that_holds(_SHORT, t, 0, Span(0, 1))),
    "number of a rule": (4_000, lambda t: (numbered_parts.numbered_part(t, [_passage(_SHORT)]), numbered_parts.numbered_part("What does rule 3.2 say?", [_passage(t)]))),
    "words of other languages": (3_000, lambda t: (word_matching.match_words(t, [_passage(_SHORT)]), word_matching.match_words("Was ist x?", [_passage(t)]))),
    "calendar": (60_000, labels.spelled_out),
    "who says I": (60_000, lambda t: (mail_parts.says_i(t), mail_parts.speaker_of(_passage(t).chunk, Span(0, 1)))),
    "unnamed, a question": (8_000, lambda t: mentions.missing_names(t, [_passage(_SHORT)])),
    "unnamed, a passage": (8_000, lambda t: mentions.missing_names(_SHORT, [_passage(t)])),
    "unnamed, both": (8_000, lambda t: mentions.missing_names(t, [_passage(t.replace("x", "y").replace("1", "2"))])),
    "pick": (5_000, lambda t: spans.pick_span(_SHORT, t, PassageReading(0.0, (AnswerSpan(Span(0, len(t)), 0.0),), 0.0))),
    "units": (20_000, find_units),
    "header rows": (20_000, lambda t: header_rows.count_header_rows([t.split(), t.split(), [t]])),
    "look up, a question": (2_000, lambda t: lookup.look_up(t, [_STRUCTURED])),
    "look up, a passage": (4_000, lambda t: lookup.look_up(_SHORT, [passage_of(f"a: {t}\n\n- {t}\n- {t}\n")])),
    "gap, a question": (1_000, lambda t: gaps.find_gap(t, [_STRUCTURED])),
    "gap, a passage": (2_000, lambda t: gaps.find_gap("What is the b of c?", [passage_of(f"| a | b, {t[:200]} |\n|---|---|\n| c | |\n| {t.replace('|', ' ')} | 4 |\n")])),
    "table, a question": (300, lambda t: _ask_table(t, _ITEMS)),
    "table, its cells": (5_000, lambda t: _ask_table("Which x or a has more than 5 for the first 3 days, and not the lamp?", _table_of(t))),
    "table, a cell": (30_000, lambda t: (rows.number_of(t), rows.number_of(t, True), rows.date_of(t), rows.words_of(t), rows.typed_column(t, [t, t]))),
    "scope": (4_000, lambda t: scope.passages_in_scope(_SHORT, [passage_of(f"# {t}\n\n{t}\n")])),
    "parts": (4_000, lambda t: spans.parts_of(_SHORT, passage_of(f"- {t}\n- {t}\n"))),
    "alike": (5_000, lambda t: spans.same_answer(t, t + " x")),
    "prompt": (60_000, lambda t: (cite.is_refusal(t), prompt._plain(t))),
    "words without spaces": (60_000, lambda t: (unspaced.spaced(t), unspaced.divide(t), language.language_of(t[:2000]))),
    "what a model writes": (
        4_000,
        lambda t: (
            list(model_text.sentences_of([t])),
            model_text.clean_sentence(t, "q"),
            model_text.unquote_what_is_not_verbatim(t, [_passage(t)]),
            model_text.find_verbatim(t, [_passage(t)]),
        ),
    ),
    "words of a question": (30_000, lambda t: (candidates.query_words(t), retrieve.is_question(t), candidates._FILE_NAME.findall(t))),
    "check, a claim": (6_000, lambda t: check.check_claim(t, _SHORT, _JUDGE)),
    "check, a passage": (4_000, lambda t: check.check_claim(_SHORT, t, _JUDGE)),
    "check, both": (3_000, lambda t: check.check_claim(t, t.replace("x", "y").replace("1", "2").replace("A", "B"), _JUDGE)),
    "places of a quote": (60_000, lambda t: find_quote(t, t[: len(t) // 3] + "?")),
    "questions by rule": (60_000, lambda t: (question_rules.question_from(t), question_rules.cloze_from(t))),
    "questions by rule, short": (240, lambda t: (question_rules.question_from(f"The {t}."), question_rules.cloze_from(f"The {t}."))),
    "wrap": (8_000, lambda t: (wrap.wrap_text(t, 60), wrap.wrap_text(t, 1), wrap.truncate(t, 60))),
    "excerpt": (60_000, lambda t: (excerpt.find_short_answer(t[: len(t) // 3] + "?", t), excerpt.count_replaced(t), marks.hide_partial_marker(t))),
    "show": (2_000, _shown),
}  # fmt: skip


@cache
def _text(name: str, length: int) -> str:
    return _TEXTS[name](length)


def _seconds(rule: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    rule(text)
    return time.process_time() - began


def _grows(rule: Callable[[str], object], name: str, length: int) -> str:
    """ "" where twice the text takes at most `_RATIO` times as long; else what was measured."""
    once, twice = float("inf"), float("inf")
    for _ in range(_TRIES):
        twice = min(twice, _seconds(rule, _text(name, 2 * length)))
        if twice < _FLOOR:
            return ""
        once = min(once, _seconds(rule, _text(name, length)))
        if twice <= _RATIO * once:
            return ""
    if twice < _SURE:  # fractions of a second say little: the same again with longer texts
        return _grows(rule, name, 4 * length)
    return f"{name}: {once:.3f} s of {length:,} characters, {twice:.3f} s of {2 * length:,}"


@pytest.mark.parametrize("rule", _RULES)
def test_twice_the_text_takes_twice_the_time(rule: str) -> None:
    length, run = _RULES[rule]
    gc.disable()  # its pauses are of what other tests left behind
    try:
        slow = [said for name in _TEXTS if (said := _grows(run, name, length))]
    finally:
        gc.enable()
    assert not slow
