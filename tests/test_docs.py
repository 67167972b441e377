"""The documentation agrees with the program: generated pages, the package map, links, the size of the README."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from rag.cli.main import PLACES
from tests.support import reference

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("examples/**/*.md")])


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["cli", "configuration"])
def test_generated_pages_are_what_the_generator_gives(name: str) -> None:
    made = reference.cli_page() if name == "cli" else reference.configuration_page()
    assert read(DOCS / f"{name}.md") == made, "run: make docs"


def test_every_setting_has_a_meaning() -> None:
    assert all(reference.field_comments().values()), reference.field_comments()


def packages() -> set[str]:
    """Every folder below rag/ and tui/ that holds a tracked file, and those two; of seeds and tests none."""
    listed = subprocess.run(
        ["git", "ls-files", "--", "rag", "tui"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {str(Path(name).parent) for name in listed.stdout.splitlines()}


def test_the_package_map_names_every_package_and_no_other() -> None:
    section = read(DOCS / "architecture.md").split("## Package map")[1].split("\n## ")[0]
    named = re.findall(r"^\| `([\w/]+)` \|", section, re.M)
    assert sorted(named) == sorted(packages())


def test_every_module_that_the_architecture_names_is_there() -> None:
    text = (
        read(DOCS / "architecture.md")
        + read(ROOT / "SECURITY.md")
        + read(DOCS / "how-answers-are-checked.md")
    )
    steps = set(re.findall(r'\["?((?:ingest|text|answer|search|inference)/[\w/]+)', text))
    steps |= {
        step for both in re.findall(r"\b(answer/\w+) and (answer/\w+):", text) for step in both
    }
    assert len(steps) >= 12
    lacking = [step for step in steps if not (ROOT / "rag" / f"{step}.py").exists()]
    lacking += [
        path for path in re.findall(r"`(rag/[\w/]+\.py)`", text) if not (ROOT / path).exists()
    ]
    assert not lacking


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", read(path), re.M)
            assert anchor in {
                re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings
            }, target


def test_every_page_of_the_documentation_is_linked_from_the_readme_or_a_page_of_it() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", read(page))
        if not target.startswith("https://")
    }
    assert {p for p in DOCS.iterdir() if p.resolve() not in linked} == set()


def test_the_readme_is_short() -> None:
    readme = read(ROOT / "README.md")
    assert readme.count("\n") <= 120 and len(readme.split()) <= 900


def test_every_make_target_of_the_documentation_is_in_the_makefile_with_a_help_line() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", read(ROOT / "Makefile"), re.M))
    for page in PAGES:
        code = "\n".join(re.findall(r"`make [^`]+`|^    make .*$", read(page), re.M))
        assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets, page.name


def test_every_command_of_the_readme_is_one() -> None:
    code = "\n".join(
        re.findall(r"`footnote [^`]+`|^    footnote .*$", read(ROOT / "README.md"), re.M)
    )
    named = set(re.findall(r"\bfootnote ([a-z]+)\b", code))
    assert named and named <= set(PLACES)


def test_the_glossary_has_one_line_a_word_in_order() -> None:
    words = re.findall(r"^\| \*\*([^*]+)\*\* \|", read(DOCS / "glossary.md"), re.M)
    assert len(words) > 40 and len(set(words)) == len(words)
    assert words == sorted(words, key=str.casefold)


def test_the_picture_is_of_the_screen_and_downloads_nothing() -> None:
    picture = read(DOCS / "screen.svg")
    shown = re.sub(r"<[^>]+>", "", picture).replace("&#160;", " ")
    assert (
        "NOT ANSWERED" in shown and "the sentence is supported" in shown and "SOURCE 1 of" in shown
    )
    assert "@font-face" not in picture and "url(http" not in picture.replace('"', "")


def test_the_walk_is_a_recording_that_a_player_plays() -> None:
    head, *rows = (json.loads(line) for line in read(DOCS / "walk.cast").splitlines())
    assert head["version"] == 2 and head["width"] == 100 and head["height"] == 30
    times = [time for time, kind, _ in rows if kind == "o"]
    assert len(times) == len(rows) > 20 and times == sorted(times) and 10 < times[-1] < 90
    written = "".join(text for _, _, text in rows)
    assert "\x1b[?1049h" in written and "\x1b[?1049l" in written, "it opens, and it ends"
    shown = re.sub(r"\x1b\[[0-9;?<>]*[A-Za-z]", "", written)
    assert "looked only in" in shown and "\x1b]11;?" not in written
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|opt)/\w", written)
