"""Conversations as Markdown, HTML and JSON: only what is cited, each thing once, nothing of a stranger's as markup."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.domain import (
    Answer,
    Citation,
    Claim,
    Evidence,
    Passage,
    SavedTurn,
    Sentence,
    Span,
    Verdict,
)
from rag.errors import Usage
from rag.export.bundle import export_conversation, read_bundle, write_export
from rag.export.footnotes import cite_turns
from rag.export.markdown import answer_markdown
from rag.text.sanitize import sanitize
from tests.tui import scripted as script

NOW = "2026-11-28T10:00:00+00:00"
HOSTILE = (
    "<script>alert(1)</script> &amp; </mark></blockquote>",
    "[^1]: forged footnote",
    "[^1](http://x) ![i](http://x/y.png) [a]: http://x",
    "# heading\n- item\n> quote\n```\ncode\n```\n|a|b|\n|-|-|\n",
    "`code` **bold** _em_ ~~s~~ https://x.example",
    "\x1b[2J\x1b]52;c;aGVsbG8=\x07 \u202eabc \ud800",
    "[1] ✓ supported [2]",
    '" onmouseover="x" \'',
)


def turns(*answers: Answer | None) -> list[SavedTurn]:
    return [
        SavedTurn(n, answer.question if answer else "Why?", NOW, answer)
        for n, answer in enumerate(answers, 1)
    ]


def markdown(*answers: Answer | None, title: str = "Pump") -> str:
    return export_conversation("markdown", "c1", title, turns(*answers))


def test_markdown_has_a_footnote_for_each_cited_place_and_no_other() -> None:
    text = markdown(script.MIXED)
    assert "six M8×25 bolts [^1]." in text
    assert "22 Nm [^2][^3]." in text
    assert "lower bolts [^4] *(contradicted)*." in text
    assert "centre outwards *(without a source)*." in text
    assert re.findall(r"^\[\^(\d)\]:", text, re.M) == ["1", "2", "3", "4"]
    assert "[^1]: “The cover is fixed with six bolts M8×25.” Pump manual" in text
    assert "[^2]: Pump manual (manuals/pump\\-manual.md), line" in text.replace("pump-", "pump\\-")
    assert "(no words of it support the sentence)" in text
    assert "*Checked: 2 supported, 1 contradicted, 1 without a source.*" in text


def test_each_thing_is_said_once() -> None:
    text = markdown(script.QUOTED)
    assert text.count("The cover is fixed with six bolts") == 1
    assert "(quoted word for word)" in text
    assert "torque-table" not in text.replace("\\", "")  # retrieved, not cited
    one_title = markdown(script.QUOTED, title=script.QUOTED.question)
    assert one_title.count(script.QUOTED.question) == 1


def test_a_place_that_is_cited_twice_is_one_footnote() -> None:
    again = script.answer("Twice?", [script.GOOD_1, script.GOOD_1])
    assert len(cite_turns(turns(again))[0].footnotes) == 1


def test_footnotes_are_numbered_through_a_conversation() -> None:
    text = markdown(script.QUOTED, script.QUOTED)
    assert re.findall(r"^\[\^(\d)\]:", text, re.M) == ["1", "2"]


def many_footnotes(count: int) -> Answer:
    """An answer of `count` sentences, each with a quotation of its own in one long passage."""
    quotes = [f"value {number} is here." for number in range(count)]
    document = script.document(" ".join(quotes), "long.txt", "Long")
    passage = script.passage(document, 1, quotes[0], quotes[-1])
    text, claims, place = "", [], 0
    for number, quote in enumerate(quotes):
        start, text = len(text), f"{text}It says so, {number} [1]. "
        marker = Citation(1, Span(len(text) - 5, len(text) - 2))
        sentence = Sentence(text[start:].strip(), Span(start, len(text) - 1), (marker,))
        found = Evidence(1, document.id, document.source, Span(place, place + len(quote)), quote, 1)
        claims.append(Claim(sentence, (found,), Verdict.SUPPORTED, 1.0))
        place += len(quote) + 1
    return replace(script.QUOTED, text=text, claims=tuple(claims), passages=(passage,))


def work_of(call: Callable[[], object]) -> int:
    """Count function calls, also those in comprehensions and comparisons, and characters read.

    The characters are those that functions of rag.text are given. Nothing is timed.
    """
    work = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal work
        if event in ("call", "c_call"):
            work += 1
        if event == "call" and frame.f_globals["__name__"].startswith("rag.text"):
            work += sum(len(value) for value in frame.f_locals.values() if isinstance(value, str))

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(before)
    return work


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_the_work_of_an_export_grows_in_proportion_to_its_footnotes(form: str) -> None:
    small, large = (
        work_of(partial(export_conversation, form, "c1", "t", turns(many_footnotes(count))))
        for count in (50, 400)
    )
    assert large < 10 * small  # 8 where it is linear, up to 64 where it is quadratic


def test_what_has_no_answer_says_so() -> None:
    text = markdown(script.ABSTAINED, None, replace(script.MIXED, stopped=True))
    assert "*NOT ANSWERED: no clear answer was found.*" in text
    assert "*No answer was saved.*" in text
    assert "*The answer was stopped before it was finished.*" in text


def test_versions_of_an_answer_say_which_they_are() -> None:
    both = [
        replace(turn, version=n, versions=2) for n, turn in enumerate(turns(script.QUOTED) * 2, 1)
    ]
    text = export_conversation("markdown", "c1", "t", both)
    assert "answer 1 of 2, by scripted" in text and "answer 2 of 2, by scripted" in text


def test_a_marker_without_a_source_is_no_footnote() -> None:
    text = markdown(script.EVERY)
    assert "The pump is blue *(no such source: 9)*." in text
    assert "[^9]" not in text and "\\[9\\]" not in text


def hostile_answer(words: str) -> Answer:
    document = script.document(f"before\n{words}\nafter\n", f"dir/{words}", words)
    passage = script.passage(document, 1, words, "after", words)
    evidence = script.evidence(passage, document, words)
    flat = " ".join(words.split())
    parts: list[script.Part] = [
        (f"{flat} says [1].", Verdict.SUPPORTED, 0.9, [evidence], [words]),
        (flat, Verdict.CONTRADICTED, 0.9, [], []),
    ]
    return replace(script.answer(words, parts, (passage,)), question=words)


def _kinds(text: str) -> set[str]:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    inner = [child for token in tokens for child in token.children or ()]
    return {token.type for token in [*tokens, *inner]}


@pytest.mark.parametrize("words", HOSTILE)
def test_strangers_text_is_no_markup_in_markdown(words: str) -> None:
    text = markdown(hostile_answer(words), title=words)
    body = text.partition("\n")[2]  # the first line is our comment
    assert not {"html_block", "html_inline", "link_open", "image", "fence", "code_block"} & _kinds(
        body
    )
    assert not {"table_open", "code_inline", "strong_open", "s_open", "bullet_list_open"} & _kinds(
        body
    )
    assert not {"blockquote_open", "ordered_list_open", "hr"} & _kinds(body)
    defined = re.findall(r"^\[\^(\d)\]:", body, re.M)
    assert (
        len(defined)
        == len(set(defined))
        == len(cite_turns(turns(hostile_answer(words)))[0].footnotes)
    )
    assert set(re.findall(r"(?<!\\)\[\^(\d+)\]", body)) == set(defined)
    assert text == sanitize(text)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(*answers: Answer | None, title: str = "Pump") -> tuple[str, _Page]:
    text = export_conversation("html", "c1", title, turns(*answers))
    parsed = _Page()
    parsed.feed(text)
    return text, parsed


def test_html_marks_the_quotes_in_their_passages_and_needs_nothing_else() -> None:
    text, parsed = page(script.MIXED)
    assert "<mark>The cover is fixed with six bolts M8×25.</mark>" in text
    assert text.count("The two lower bolts carry a washer.") == 1  # the passage, once
    assert "<mark>M8 cover 22 Nm, in a cross pattern</mark>" in text
    assert text.startswith("<!doctype html>") and "default-src 'none'" in text
    assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in parsed.tags}
    links = [of["href"] for tag, of in parsed.tags if tag == "a"]
    ids = {f"#{of['id']}" for tag, of in parsed.tags if "id" in of}
    assert links and set(links) <= ids


@pytest.mark.parametrize("words", HOSTILE)
def test_strangers_text_is_no_markup_in_html(words: str) -> None:
    text, parsed = page(hostile_answer(words), title=words)
    ours = {"html", "head", "meta", "title", "style", "body", "section", "h1", "h2", "p", "span"}
    assert {tag for tag, _ in parsed.tags} <= ours | {"sup", "a", "blockquote", "mark", "br"}
    assert not any(name.startswith("on") for _, of in parsed.tags for name in of)
    assert text == sanitize(text)
    assert text.count("<mark>") == text.count("</mark>") == 1


@given(st.text(min_size=1, max_size=60).filter(lambda words: words.strip()))
def test_any_text_is_exported_in_every_format(words: str) -> None:
    answer = hostile_answer(words)
    for form in ("markdown", "html", "json"):
        text = export_conversation(form, "c1", words, turns(answer))
        assert text == sanitize(text)


def test_overlapping_quotes_are_one_mark() -> None:
    first = script.evidence(script.P1, script.MANUAL, "The cover is fixed with six")
    second = script.evidence(script.P1, script.MANUAL, "six bolts M8×25.")
    part: script.Part = ("Six bolts [1].", Verdict.SUPPORTED, 1.0, [first, second], [])
    text, _ = page(script.answer("How many?", [part]))
    assert "<mark>The cover is fixed with six bolts M8×25.</mark>" in text


def test_a_quote_outside_its_passage_is_still_shown() -> None:
    narrow = replace(script.P1.chunk, span=script.P2.chunk.span, text=script.P2.chunk.text)
    passages: tuple[Passage, ...] = (replace(script.P1, chunk=narrow),)
    text, _ = page(script.answer("How many?", [script.SIX], passages))
    assert "… <mark>The cover is fixed with six bolts M8×25.</mark>" in text


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_a_file_is_overwritten_only_if_it_is_an_earlier_export(form: str, tmp_path: Path) -> None:
    text = export_conversation(form, "c1", "Pump", turns(script.MIXED))
    target = tmp_path / "out"
    assert write_export(text, form, str(target)) == target
    write_export(text, form, str(target))
    target.write_text("# my own notes\n")
    with pytest.raises(Usage, match="is there already"):
        write_export(text, form, str(target))
    assert target.read_text() == "# my own notes\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_bundle_is_read_back_and_any_other_file_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "b.json"
    write_export(
        export_conversation("json", "c1", "Pump", turns(script.MIXED)), "json", str(target)
    )
    assert read_bundle(str(target))["conversation"] == "c1"
    for wrong in ("", "{}", "[1]", '{"kind": "footnote conversation"}', "{" * 100_000, "\x00"):
        target.write_text(wrong)
        with pytest.raises(Usage):
            read_bundle(str(target))
    whole = json.loads(export_conversation("json", "c1", "Pump", turns(script.MIXED)))
    target.write_text(json.dumps({**whole, "schema": 2}))
    with pytest.raises(Usage, match="does not read"):
        read_bundle(str(target))
    with pytest.raises(Usage):
        read_bundle(str(tmp_path / "missing.json"))


@pytest.mark.parametrize("answer", [script.MIXED, script.EVERY, script.DIFFERENT, script.ABSTAINED])
def test_a_copied_answer_says_what_its_export_says(answer: Answer) -> None:
    answer = replace(answer, asked="how many bolts?")
    question, *copied = answer_markdown(answer).split("\n\n")
    assert question.startswith("**") and copied[0] == "*looked up: how many bolts?*"
    exported = markdown(answer, title="").split("\n\n")
    assert exported[-len(copied) + 1 :] == copied[1:]
    assert "looked up: how many bolts?" in exported[-len(copied)]
