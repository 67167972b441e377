"""Sections that are about another thing than the question are left out."""

from __future__ import annotations

from rag.answer.scope import passages_in_scope, without_sources
from rag.answer.spans import parts_of
from rag.domain import Span
from tests.support.structured import passage_of

PLANS = passage_of(
    "# Plans\n\n## Heron\n\nThe fee is 20 crowns. Ola leads it.\n\n"
    "## Plover\n\nEva leads it.\n\n## Snipe\n\nThe fee is 35 crowns.\n"
)


def test_only_the_section_that_is_named_is_read() -> None:
    (part,) = passages_in_scope("What is the fee of the Plover plan?", [PLANS])
    assert part.chunk.text.strip() == "## Plover\n\nEva leads it."
    assert part.number == PLANS.number
    assert PLANS.chunk.text[part.chunk.span.start : part.chunk.span.end] == part.chunk.text


def test_a_question_that_names_no_section_reads_all() -> None:
    assert passages_in_scope("Who leads it?", [PLANS]) == [PLANS]


def test_a_year_in_the_name_of_a_file_leaves_out_the_other_years() -> None:
    passages = [
        passage_of("Annual report 2021\n\nWe had 7 boats.\n", "2021/report.txt", 1),
        passage_of("Annual report 2022\n\nWe had 9 boats.\n", "2022/report.txt", 2),
    ]
    kept = passages_in_scope("How many boats were there in 2022?", passages)
    assert [passage.number for passage in kept] == [2]


def test_parts_are_read_after_the_path_of_what_they_belong_to() -> None:
    (part,) = [
        part
        for part in parts_of("Who leads Plover?", PLANS)
        if part.span.of(PLANS.chunk.text) == "Eva leads it."
    ]
    assert part.view.text == "Plans › Plover\nEva leads it."
    start = part.view.text.index("Eva")
    assert part.view.span(Span(start, start + 3)) == Span(part.span.start, part.span.start + 3)


def test_a_passage_without_a_name_of_the_question_is_left_out() -> None:
    passages = [
        passage_of("Project Curlew is led by Una.\n", "a.txt", 1),
        passage_of("Project Dunlin ended. Its leader was Olav.\n", "b.txt", 2),
    ]
    kept = passages_in_scope("Who leads project Dunlin?", passages)
    assert [passage.number for passage in kept] == [2]
    assert passages_in_scope("Who leads project Godwit?", passages) == passages


def test_the_name_of_the_only_file_is_no_part_of_what_is_asked() -> None:
    passages = [passage_of("The rent is 90 crowns.\n", "home/lease.txt")]
    assert (
        without_sources("How much is the rent in lease.txt?", passages) == "How much is the rent?"
    )
    assert "other.txt" in without_sources("How much is the rent in other.txt?", passages)
