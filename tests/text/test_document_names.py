"""Names of documents in a question: what is one, what it means, and how it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.document_names import (
    alike_names,
    complete_name,
    named_documents,
    near_names,
    sources_below,
    sources_named,
    typed_name,
    without_names,
    written_name,
)

SOURCES = (
    "manuals/pump-manual.md",
    "manuals/pump.md",
    "old/pump.md",
    "price list.pdf",
    "Straße/Größen.txt",
    "z.txt",
)


@pytest.mark.parametrize(
    ("question", "names", "rest"),
    [
        ("What holds the cover in @pump.md?", ["pump.md"], "What holds the cover?"),
        ("@pump.md what holds it?", ["pump.md"], "what holds it?"),
        ("In @pump.md, what holds it?", ["pump.md"], "what holds it?"),
        ("What does @a/pump.md say of bolts?", ["a/pump.md"], "What does pump.md say of bolts?"),
        ('What does it cost? @"price list.pdf"', ["price list.pdf"], "What does it cost?"),
        ("What does it cost? @“price list.pdf”.", ["price list.pdf"], "What does it cost?"),
        ("@a.md @b.md what holds it?", ["a.md", "b.md"], "what holds it?"),
        ("What is said in @a.md and @b.md?", ["a.md", "b.md"], "What is said?"),
        ("Which of the bolts from @a.md is long?", ["a.md"], "Which of the bolts is long?"),
        ("Does joe@example.org get mail?", [], "Does joe@example.org get mail?"),
        ("5 bolts @ 3 euros", [], "5 bolts @ 3 euros"),
        ("@!? @", [], "@!? @"),
    ],
)
def test_an_at_sign_names_a_document_at_the_begin_of_a_word(
    question: str, names: list[str], rest: str
) -> None:
    found = named_documents(question)
    assert [named.name for named in found] == names
    assert without_names(question, found) == rest
    assert all(question[named.span.start] == "@" for named in found)


def test_a_name_means_a_source_by_its_end_or_without_its_ending() -> None:
    assert sources_named("z", SOURCES) == ["z.txt"] == sources_named("./Z.TXT", SOURCES)
    assert sources_named("manuals/pump.md", SOURCES) == ["manuals/pump.md"]
    assert sources_named("pump", SOURCES) == ["manuals/pump.md", "old/pump.md"]
    assert sources_named("groessen", SOURCES) == [] == sources_named("", SOURCES)
    assert sources_named("GRÖSSEN.TXT", SOURCES) == ["Straße/Größen.txt"]
    assert sources_named("ump.md", SOURCES) == []
    assert sources_below("manuals/", SOURCES) == list(SOURCES[:2])


def test_near_names_are_those_with_few_other_letters_or_that_hold_the_name() -> None:
    assert near_names("pmup-manual.md", SOURCES, 3)[0] == "manuals/pump-manual.md"
    assert near_names("manual", SOURCES, 3) == ["manuals/pump-manual.md"]
    assert alike_names("price_list", SOURCES, 3) == ["price list.pdf"]
    assert near_names("warranty.docx", SOURCES, 3) == []


def test_what_completion_writes_means_that_source_alone() -> None:
    assert written_name("price list.pdf", SOURCES) == '@"price list.pdf"'
    assert written_name("old/pump.md", SOURCES) == "@old/pump.md"
    assert complete_name("pump", SOURCES) == list(SOURCES[:3])
    assert complete_name("list", SOURCES) == ["price list.pdf"]
    for source in SOURCES:
        (named,) = named_documents(f"What is in {written_name(source, SOURCES)} today?")
        assert sources_named(named.name, SOURCES) == [source]


def test_the_name_that_is_being_typed_ends_the_text() -> None:
    assert typed_name("what in @pu") == (8, "pu") and typed_name("@") == (0, "")
    assert typed_name('what in @"price li') == (8, "price li")
    for text in ("joe@ex", "what in @pu ", "what", "a @x, y", ""):
        assert typed_name(text) is None


@given(st.text(max_size=200), st.text(max_size=40))
def test_any_question_is_read_and_loses_nothing_but_names(before: str, after: str) -> None:
    text = f"{before} @some.md {after}"
    found = named_documents(text)
    assert all(text[named.span.start : named.span.end].startswith("@") for named in found)
    assert without_names(text, []) == text.strip()
    typed_name(text)
    for named in found:
        sources_named(named.name, SOURCES)
        near_names(named.name, SOURCES, 3)
