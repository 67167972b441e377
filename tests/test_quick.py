"""`make quick`: what it leaves out, and that something of every package stays in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

PACKAGES = (
    "answer", "cli", "disk", "eval", "index", "inference", "ingest", "library", "search", "text",
    "training", "tui", "upkeep",
)  # fmt: skip


def _pytest(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, timeout=120)


@pytest.mark.parametrize("library", ["torch", "sentence_transformers", "transformers"])
def test_a_quick_test_that_imports_torch_fails(tmp_path: Path, library: str) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(f"def test_it() -> None:\n    import {library}\n")
    done = _pytest("-m", "not slow", "-p", "tests.conftest", str(test))
    assert done.returncode == 1 and f"not marked slow imports {library}" in done.stdout


def test_every_package_has_quick_tests() -> None:
    done = _pytest("-m", "not slow", "--collect-only", "tests")
    assert done.returncode == 0, done.stdout
    quick = [line for line in done.stdout.splitlines() if "::" in line]
    counts = {name: sum(q.startswith(f"tests/{name}/") for q in quick) for name in PACKAGES}
    assert all(count >= 4 for count in counts.values()), counts
