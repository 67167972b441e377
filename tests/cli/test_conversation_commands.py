"""footnote history, export and verify, over a library without models."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag import serialize
from rag.cli.main import cli
from rag.config import Config
from rag.domain import FileState
from rag.errors import RagError, Usage
from rag.library.file_state import state_of_cited
from rag.library.files import KnownFile
from rag.library.library import Library
from rag.machines import Machines
from tests.support.slowness import slowness
from tests.tui import scripted as script

NOW = "2026-11-28T10:00:00+00:00"


@pytest.fixture
def talks(tmp_path: Path) -> Iterator[Path]:
    config = Config(home=str(tmp_path))
    machines = Machines(config)
    with closing(Library(config.folder, make=True, identity=machines.identity())) as library:
        for talk, answer in (("aa11", script.MIXED), ("bb22", script.ABSTAINED)):
            number = library.history.ask(talk, NOW, answer.question)
            library.history.answer(number, json.dumps(serialize.answer(answer)))
    yield tmp_path


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--home", str(home), *arguments])


def test_history_lists_and_finds(talks: Path) -> None:
    listed = run(talks, "history")
    assert listed.exit_code == 0, listed.output
    assert listed.output.index("bb22") < listed.output.index("aa11")
    assert "2 supported, 1 contradicted, 1 without a source" in listed.output
    assert "1 not answered" in listed.output
    found = json.loads(run(talks, "history", "THREAD", "lock", "--json").output)
    assert [entry["id"] for entry in found["conversations"]] == ["aa11"]
    assert found["conversations"][0]["verdicts"] == {
        "supported": 2,
        "contradicted": 1,
        "uncited": 1,
    }
    assert run(talks, "history", "--library", "default", "zebra").output == ""


def test_history_show_prints_footnotes_and_what_became_of_files(talks: Path) -> None:
    shown = run(talks, "history", "show", "aa")
    assert shown.exit_code == 0, shown.output
    assert "six M8×25 bolts [1]." in shown.output and "[1] “The cover" in shown.output
    assert "! manuals/pump-manual.md: it is no longer in the library" in shown.output
    whole = json.loads(run(talks, "history", "show", "aa11", "--json").output)
    assert whole["turns"][0]["answer"]["claims"][0]["verdict"] == "supported"
    assert {file["file"] for file in whole["files"]} == {"removed"}


def test_history_rename_and_remove(talks: Path) -> None:
    assert run(talks, "history", "rename", "aa11", "Pump cover").exit_code == 0
    assert "Pump cover" in run(talks, "history").output
    unsure = run(talks, "history", "remove", "aa11")
    assert isinstance(unsure.exception, Usage) and "Pump cover" in run(talks, "history").output
    assert run(talks, "history", "remove", "aa11", "--yes").exit_code == 0
    assert "Pump cover" not in run(talks, "history").output
    assert isinstance(run(talks, "history", "show", "aa11").exception, Usage)


def test_a_name_that_is_not_unicode_is_a_name(talks: Path) -> None:
    name = "\udcff\udcfe"  # as Python gives the bytes FF FE of an argument
    assert run(talks, "history", "rename", "aa11", f"Pump {name}").exit_code == 0
    assert "Pump ??" in run(talks, "history").output
    for command in (["remove", name], ["show", name], ["history", "remove", "-y", name]):
        assert isinstance(run(talks, *command).exception, Usage), command


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_export_prints_or_writes(talks: Path, tmp_path: Path, form: str) -> None:
    printed = run(talks, "export", "aa11", "--format", form)
    assert printed.exit_code == 0 and "M8" in printed.output
    target = tmp_path / "out.txt"
    for _ in range(2):
        assert run(talks, "export", "aa11", "--format", form, "--out", str(target)).exit_code == 0
        assert target.read_text(encoding="utf-8") == printed.stdout
    target.write_text("mine")
    refused = run(talks, "export", "--last", "--format", form, "--out", str(target))
    assert isinstance(refused.exception, RagError) and target.read_text() == "mine"


def test_export_needs_one_conversation(talks: Path) -> None:
    for arguments in ((), ("aa11", "--last"), ("zz",)):
        assert isinstance(run(talks, "export", *arguments).exception, Usage)


@pytest.fixture
def bundle(talks: Path, tmp_path: Path) -> Path:
    target = tmp_path / "bundle.json"
    done = run(talks, "export", "aa11", "--format", "json", "--out", str(target))
    assert done.exit_code == 0, done.output
    return target


@pytest.mark.slow
def test_verify_against_files_and_folders(talks: Path, bundle: Path, tmp_path: Path) -> None:
    alone = run(talks, "verify", str(bundle))
    assert alone.exit_code == 0 and "the source is not at hand" in alone.output
    folder = tmp_path / "manuals"
    folder.mkdir()
    (folder / "pump-manual.md").write_text(script.PUMP, encoding="utf-8")
    held = run(talks, "verify", str(bundle), "--against", str(folder))
    assert held.exit_code == 0, held.output
    assert held.output.count("; in the source") == 2 and "all 3 footnotes hold" in held.output
    changed = script.PUMP.replace("six bolts", "nine bolts")
    (folder / "pump-manual.md").write_text(changed, encoding="utf-8")
    broken = run(talks, "verify", str(bundle), "--against", str(folder / "pump-manual.md"))
    assert broken.exit_code == 1
    assert "FAILS  question 1, sentence 1, [1]" in broken.output
    assert "NOT in the source" in broken.output and "1 of 3 footnotes do not hold" in broken.output
    said = json.loads(run(talks, "verify", str(bundle), "--against", str(folder), "--json").stdout)
    assert said["ok"] is False and [f["ok"] for f in said["findings"]] == [False, True, True]


@pytest.mark.parametrize("source", ["\ud800", "./" * 400_000, "a/" * 400_000, "\0", "x" * 40_000])
def test_verify_takes_any_name_of_a_source(
    talks: Path, bundle: Path, tmp_path: Path, source: str
) -> None:
    value = json.loads(bundle.read_text())
    place = value["turns"][0]["answer"]["claims"][0]["citations"][0]
    place["source"] = place["document"] = source
    bundle.write_text(json.dumps(value))
    started = time.process_time()
    for against in ([], ["--against", str(tmp_path / "libraries")]):
        done = run(talks, "verify", str(bundle), *against)
        assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.exception
    assert time.process_time() - started < 10 * slowness()


def test_a_key_that_is_twice_in_a_large_object_is_found_at_once(
    talks: Path, tmp_path: Path
) -> None:
    text = ", ".join(f'"k{n}": 1' for n in range(60_000))
    (tmp_path / "b.json").write_text("{" + text + ', "z": 1, "z": 2}')
    started = time.process_time()
    done = run(talks, "verify", str(tmp_path / "b.json"))
    assert isinstance(done.exception, Usage) and "'z' is there twice" in str(done.exception)
    assert time.process_time() - started < 5 * slowness()


def test_verify_names_what_it_cannot_compare_with(talks: Path, bundle: Path) -> None:
    for name in ("no-such-library", "./no/such/file"):
        done = run(talks, "verify", str(bundle), "--against", name)
        assert isinstance(done.exception, RagError), done.output


def test_a_forged_quote_ends_with_1(talks: Path, bundle: Path) -> None:
    text = bundle.read_text().replace("The cover is fixed with six bolts M8", "Forged words M8", 1)
    bundle.write_text(text)
    assert run(talks, "verify", str(bundle)).exit_code == 1


def test_the_state_of_a_cited_file(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("text")
    status = path.stat()
    known = KnownFile(str(path), "a.md", "d", status.st_size, status.st_mtime_ns, "0" * 64, None)
    assert state_of_cited("a.md", [known]) is FileState.SAME
    assert state_of_cited("b.md", [known]) is FileState.MOVED
    path.write_text("other text")
    assert state_of_cited("a.md", [known]) is FileState.CHANGED
    path.unlink()
    assert state_of_cited("a.md", [known]) is FileState.GONE
    assert state_of_cited("a.md", []) is FileState.REMOVED
