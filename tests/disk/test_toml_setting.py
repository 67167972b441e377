"""One setting is changed in config.toml, and everything else in it stays as it was."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import Config
from rag.disk.toml_setting import quoted, set_setting
from rag.errors import RagError, Usage
from rag.inference.weights import save_model_setting
from tests.support.examples import examples

NAMES = [
    "a\x7fb",
    "tab\tname",
    'quote"d',
    "back\\slash",
    "new\nline",
    "\x01\x1f",
    "é ✓",
    "a'b",
    "'''",
    '"""',
    "#",
    "\u2028x",
    "[a]",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.toml").write_text("passages = 7\n")
    save_model_setting(str(tmp_path), name)
    save_model_setting(str(tmp_path), name)
    config = Config.read(home=str(tmp_path))
    assert config.model == name and config.passages == 7


@examples(200)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_can_be_quoted(text: str) -> None:
    assert tomllib.loads(f"model = {quoted(text)}") == {"model": text}


BEFORE = [
    ("", 'model = "new"\n'),
    ("passages = 7", 'model = "new"\npassages = 7'),
    ('"model" = "old"\npassages = 7\n', 'model = "new"\npassages = 7\n'),
    (
        "# mine\n  'model'='old'  # why # so\nseed = 1\n",
        '# mine\nmodel = "new"  # why # so\nseed = 1\n',
    ),
    ('seed = 1\nmodel = "a#b" # c\n', 'seed = 1\nmodel = "new" # c\n'),
    ('"mod\\u0065l" = "old"\n', 'model = "new"\n'),
    (
        "seed = 1\r\nmodel = 'old'\r\npassages = 3\r\n",
        'seed = 1\r\nmodel = "new"\r\npassages = 3\r\n',
    ),
    ("seed = 1\r\n", 'model = "new"\r\nseed = 1\r\n'),
    ('model = """\nmodel = 3\n"""\nseed = 1', 'model = "new"\nseed = 1'),
    ('library = """\nmodel = "x"\n"""\n', 'model = "new"\nlibrary = """\nmodel = "x"\n"""\n'),
    (
        "library = '''\nmodel = 'x'\n'''\nmodel = 'y'",
        "library = '''\nmodel = 'x'\n'''\nmodel = \"new\"",
    ),
    (
        '# model = "z"\nmodel = "y"\n# model = "x"\n',
        '# model = "z"\nmodel = "new"\n# model = "x"\n',
    ),
    ("model_ = 1\nmodel = 'a\u2028b'\n", 'model_ = 1\nmodel = "new"\n'),
    ('[extra]\nmodel = "inner"\n', 'model = "new"\n[extra]\nmodel = "inner"\n'),
    ('seed = 1\n[extra]\nmodel = "inner"', 'model = "new"\nseed = 1\n[extra]\nmodel = "inner"'),
    ("\ufeffseed = 1\n", 'model = "new"\nseed = 1\n'),
]


@pytest.mark.parametrize(("old", "new"), BEFORE)
def test_the_rest_of_the_file_is_kept(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(old.encode())
    set_setting(path, "model", "new")
    assert path.read_bytes() == new.encode()
    assert os.listdir(tmp_path) == ["config.toml"]


def _broken(path: Path) -> None:
    path.write_text("model = \n")


def _latin(path: Path) -> None:
    path.write_bytes(b"model = '\xff'\n")


def _read_only(path: Path) -> None:
    path.write_text("model = 'old'\n")
    path.chmod(0o400)


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _seen(path: Path) -> object:
    return (
        os.lstat(path).st_mode,
        os.lstat(path).st_ino,
        path.read_bytes() if path.is_file() else None,
    )


@pytest.mark.parametrize("make", [_broken, _latin, _read_only, _dangling, os.mkfifo, Path.mkdir])
def test_a_file_that_cannot_be_changed_is_left_as_it_was(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "config.toml"
    make(path)
    before = _seen(path)
    with pytest.raises(RagError) as error:
        set_setting(path, "model", "new")
    assert error.value.cure and "config.toml" in str(error.value)
    assert _seen(path) == before
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.toml"
    path.write_text("model = 'old'\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RagError, match="No space left") as error:
        set_setting(path, "model", "new")
    assert not isinstance(error.value, Usage) and path.read_text() == "model = 'old'\n"
    assert os.listdir(tmp_path) == ["config.toml"]


def test_a_link_to_a_file_stays_a_link_and_a_mode_stays(tmp_path: Path) -> None:
    real, path = tmp_path / "dots.toml", tmp_path / "home" / "config.toml"
    real.write_text("seed = 3\n")
    real.chmod(0o640)
    path.parent.mkdir()
    path.symlink_to(real)
    set_setting(path, "model", "new")
    assert (
        path.is_symlink()
        and real.read_text() == 'model = "new"\nseed = 3\n'
        and real.stat().st_mode & 0o777 == 0o640
    )


def test_a_path_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="not UTF-8"):
        set_setting(tmp_path / "config.toml", "model", "/models/\udcff.gguf")
    assert not os.listdir(tmp_path)
