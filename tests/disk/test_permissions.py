"""Only the owner can read a library, its history and its other files, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answer.calibration import Calibration, save_calibration
from rag.bot import Bot
from rag.config import Config
from rag.disk import permissions
from rag.events import Repaired
from rag.inference.weights import save_model_setting
from rag.upkeep.doctor import _rights
from tests.faults.small import Small, text

pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights as POSIX has them")


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "d0.txt").write_text(text("d0", 0, 1))
    return tmp_path / "docs"


def _used(home: Path, docs: Path) -> None:
    """Everything that writes: add, ask, calibrate, choose a model, rebuild."""
    with Small(home) as bot:
        list(bot.add([str(docs)]))
        list(bot.ask("Where is zqdavax?"))
        for path in (home / "libraries").rglob(
            "*"
        ):  # also what is there only while the library is open
            assert not path.stat().st_mode & 0o077, path
        list(bot.rebuild())
    save_calibration(bot.config.folder, Calibration(0.5, 1, 1, "x", {}))
    save_model_setting(str(home), "reader")


def _modes(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): stat.filemode(path.stat().st_mode)
        for path in (home, *home.rglob("*"))
    }


@pytest.mark.slow
def test_new_files_are_for_their_owner_alone(tmp_path: Path, docs: Path) -> None:
    home = tmp_path / "above" / "home"
    _used(home, docs)
    found = _modes(home)
    assert {
        "libraries/default/library.db",
        "libraries/default/history.db",
        "config.toml",
    } <= found.keys()
    assert any(name.endswith("chroma.sqlite3") for name in found) and any(
        name.endswith(".npy") for name in found
    )
    assert all(
        mode == ("drwx------" if mode[0] == "d" else "-rw-------") for mode in found.values()
    ), found
    assert stat.S_IMODE((tmp_path / "above").stat().st_mode) == 0o700


@pytest.mark.slow
def test_a_home_that_was_there_keeps_its_rights(tmp_path: Path, docs: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o775)
    (home / "notes.txt").write_text("the user's own")
    _used(home, docs)
    assert stat.S_IMODE(home.stat().st_mode) == 0o775
    assert stat.S_IMODE((home / "notes.txt").stat().st_mode) == 0o666
    assert all(
        mode.endswith("------")
        for name, mode in _modes(home).items()
        if name not in (".", "notes.txt")
    )


@pytest.mark.slow
@pytest.mark.parametrize("how", ["add", "repair"])
def test_open_files_of_an_older_version_are_reported_and_closed_by_the_next_writer(
    tmp_path: Path, docs: Path, how: str
) -> None:
    home = tmp_path / "home"
    _used(home, docs)
    for path in (home / "libraries", *(home / "libraries").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    config = Config(home=str(home))
    (found,) = _rights(config)
    assert not found.good and "others can read" in found.says and "--repair" in found.cure
    with Small(home) as bot:
        events = list(bot.add([str(docs)]) if how == "add" else bot.repair())
    assert how == "add" or any(
        isinstance(event, Repaired) and event.what == "rights" and event.done for event in events
    )
    (found,) = _rights(config)
    assert found.good
    assert all(
        mode.endswith("------")
        for name, mode in _modes(home).items()
        if name.startswith("libraries")
    )


@pytest.mark.slow
def test_links_are_not_followed_and_unchangeable_permissions_are_reported(
    tmp_path: Path, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    _used(home, docs)
    library = home / "libraries" / "default"
    (library / "link").symlink_to(docs / "d0.txt")
    (library / "open").write_text("")
    library.chmod(0o755)
    before = (docs / "d0.txt").stat().st_mode

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    with Small(home) as bot:
        (mended,) = [e for e in bot.repair() if isinstance(e, Repaired) and e.what == "rights"]
    assert not mended.done and "--home" in mended.cure
    monkeypatch.undo()
    assert permissions.tighten(library) == [] and (docs / "d0.txt").stat().st_mode == before


@pytest.mark.slow
def test_the_umask_of_the_process_is_not_touched(tmp_path: Path, docs: Path) -> None:
    os.umask(0o022)
    with Bot.open(Config(home=str(tmp_path / "home"))):
        pass
    _used(tmp_path / "home", docs)
    assert os.umask(0o022) == 0o022
