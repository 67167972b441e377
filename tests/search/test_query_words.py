"""The words that a question is looked up by."""

from __future__ import annotations

import pytest

from rag.search.candidates import query_words


@pytest.mark.parametrize("date", ["9 April 2022", "April 9, 2022", "9.4.2022", "2022-04-09"])
def test_a_date_is_looked_up_in_the_writings_of_tables_and_of_letters(date: str) -> None:
    words = query_words(f"How much rain fell on {date}?")
    assert {"2022", "04", "09", "9", "april"} <= set(words)
    assert len(words) == len(set(words))


def test_a_date_without_a_year_is_looked_up_as_it_is_written() -> None:
    assert query_words("Who came on 9 April?") == ["came", "9", "april"]
