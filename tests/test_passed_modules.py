"""How many modules a question passes through: as many as somebody reads who follows it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.support.passed_modules import called_modules

#: modules of the first question of a process, and of one in an open program
MOST_AT_FIRST, MOST_LATER = 93, 79
#: what repairs, checks or corrects, and has no part in an ordinary question
UNUSED = {
    "rag.library.fulltext_check",
    "rag.library.integrity",
    "rag.library.replace_history",
    "rag.library.spelling",
}


def test_a_question_passes_through_few_modules(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.passed_modules", str(home)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    first, later = (set(re.findall(r"rag\.\S+", part)) for part in done.stdout.split("question 2:"))
    assert {"rag.bot", "rag.search.retrieve", "rag.answer.reader", "rag.library.opening"} <= first
    assert later < first and len(later) > 20
    assert len(first) <= MOST_AT_FIRST, done.stdout
    assert len(later) <= MOST_LATER, done.stdout
    assert not first & UNUSED
    assert not later & {"rag.library.table_check", "rag.library.opening", "rag.library.names"}


def test_a_module_counts_if_a_function_of_it_is_called() -> None:
    def run() -> None:
        from rag.library import spelling  # noqa: F401, an import alone does not count
        from rag.text.facts import stem

        stem("sanctions")

    assert called_modules(run) == ["rag.text.facts"]
