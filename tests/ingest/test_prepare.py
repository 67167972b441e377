"""Which files that failed are read again although they have not changed."""

from __future__ import annotations

import pytest

from rag.ingest.prepare import _may_succeed_now
from rag.library.files import KnownFile


@pytest.mark.parametrize(
    ("reason", "sha256", "again"),
    [
        ("made the reader of .pdf files stop (signal 9)", "a" * 64, True),
        ("made the reader of .pdf files stop (signal 11)", "a" * 64, False),
        ("is of a kind that is not read (.xyz)", "a" * 64, True),
        ("has no text", "a" * 64, False),
        ("has no text", "", True),
        (None, "", False),
    ],
)
def test_a_file_that_may_succeed_now_is_read_again(
    reason: str | None, sha256: str, again: bool
) -> None:
    assert _may_succeed_now(KnownFile("/a", "a", None, 1, 1, sha256, reason)) is again
