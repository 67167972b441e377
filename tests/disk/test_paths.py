"""Paths that callers give: a list of them, each made absolute."""

from __future__ import annotations

import os

import pytest

from rag.disk.paths import absolute_paths
from rag.errors import Usage


def test_paths_are_made_absolute() -> None:
    assert absolute_paths(["a", "/b/../c"]) == [os.path.abspath("a"), "/c"]


def test_one_string_is_not_a_list_of_paths() -> None:
    with pytest.raises(TypeError, match="a list of paths"):
        absolute_paths("/tmp/docs")


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(Usage, match="empty"):
        absolute_paths(["a", " "])
