"""Settings: a file < the environment < the command line; an unknown one is refused by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from rag.config import RENAMED, Config, SettingsFile
from rag.errors import Usage
from rag.library.library import Library


@pytest.fixture
def around() -> Iterator[dict[str, str]]:
    """The environment, given back as it was."""
    before = dict(os.environ)
    yield os.environ  # type: ignore[misc]
    os.environ.clear()
    os.environ.update(before)


def _settings(home: Path, text: str) -> Path:
    (home / "config.toml").write_text(text, encoding="utf-8")
    return home / "config.toml"


def test_the_file_the_environment_and_what_was_typed(
    tmp_path: Path, around: dict[str, str]
) -> None:
    _settings(tmp_path, 'passages = 7\nchunk_tokens = 90\nmodel = "a"\ntemperature = 1\n')
    around.update({"FOOTNOTE_CHUNK_TOKENS": "120", "FOOTNOTE_MODEL": "b"})
    config = Config.read(home=str(tmp_path), model="c", seed=None)
    assert (config.passages, config.chunk_tokens, config.model) == (7, 120, "c")
    assert config.temperature == 1.0 and isinstance(config.temperature, float)
    assert config.seed == Config(home=str(tmp_path)).seed


def test_the_home_may_come_from_the_environment(tmp_path: Path, around: dict[str, str]) -> None:
    _settings(tmp_path, "passages = 9\n")
    around["FOOTNOTE_HOME"] = str(tmp_path)
    assert Config.read().passages == 9
    assert Config.read(home=str(tmp_path / "other")).passages == Config(home="x").passages


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    assert Config.read(home=str(tmp_path)) == Config(home=str(tmp_path))


def test_the_home_is_absolute_and_the_library_lies_in_it(tmp_path: Path) -> None:
    assert Config(home="~/x").home == str(Path.home() / "x")
    assert Config(home=str(tmp_path), library="work").folder == tmp_path / "libraries" / "work"
    assert Path(Config().home).is_absolute()


def test_an_unknown_key_is_refused_by_name_and_place(
    tmp_path: Path, around: dict[str, str]
) -> None:
    path = _settings(tmp_path, "pasages = 7\n")
    with pytest.raises(Usage, match="'pasages'") as error:
        Config.read(home=str(tmp_path))
    assert str(path) in str(error.value)
    assert all(f.name in error.value.cure for f in fields(Config))
    path.unlink()
    with pytest.raises(Usage, match=r"the command: .*'colour'"):
        Config.read(home=str(tmp_path), colour="red")
    around["FOOTNOTE_PASAGES"] = "7"
    with pytest.raises(Usage, match=r"the environment: .*'pasages'"):
        Config.read(home=str(tmp_path))


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_setting_of_an_earlier_name_is_refused_with_the_present_one(
    tmp_path: Path, old: str, new: str
) -> None:
    _settings(tmp_path, f"{old} = 100\n")
    with pytest.raises(Usage, match=f"the setting {old} has another name now: {new}") as error:
        Config.read(home=str(tmp_path))
    assert error.value.cure == f"write {new} instead of {old}"
    assert new in {field.name for field in fields(Config)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('passages = "many"', "passages = 'many' is not of type int"),
        ("passages = [1]", "passages"),
        ("temperature = []", "temperature"),
        ("passages = 0", "passages = 0 is too small"),
        ("chunk_tokens = 1", "chunk_tokens = 1 is too small"),
        ("threads = -1", "threads"),
        ("passages = 3.7", "passages"),
        ("passages = true", "passages"),
        ("model = 5", "model"),
        ("library = ['a']", "library"),
        ('library = "a/b"', "'a/b'"),
        ("passages = ", "config.toml cannot be read"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(tmp_path: Path, text: str, says: str) -> None:
    _settings(tmp_path, text + "\n")
    with pytest.raises(Usage) as error:
        Config.read(home=str(tmp_path))
    assert says in str(error.value)


def test_numbers_in_the_environment_are_words(tmp_path: Path, around: dict[str, str]) -> None:
    around["FOOTNOTE_PASSAGES"] = "8"
    assert Config.read(home=str(tmp_path)).passages == 8
    around["FOOTNOTE_PASSAGES"] = "eight"
    with pytest.raises(Usage, match="the environment: passages = 'eight'"):
        Config.read(home=str(tmp_path))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"model = '\xff'\n")
    with pytest.raises(Usage, match="cannot be read") as error:
        Config.read(home=str(tmp_path))
    assert "config.toml" in error.value.cure


@pytest.mark.parametrize("under", ["", "deeper", "deeper/still"])
def test_a_home_that_is_a_file_is_said_to_be_one(tmp_path: Path, under: str) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(Usage, match=r"file is a file, not a folder") as error:
        Config.read(home=str(tmp_path / "file" / under))
    assert "--home" in error.value.cure


@pytest.mark.parametrize("name", ["", "a/b", "../x", "..", ".", ".hidden", "a\\b", "a\0b", "/etc"])
def test_a_library_is_a_name_and_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(Usage, match="name of a library") as error:
        Config(home=str(tmp_path), library=name)
    assert error.value.cure


@pytest.mark.parametrize(
    "name", ["x" * 256, "x" * 300, "日" * 86, "x" * 100_000, " ", "\udcff", "x" * 90 + "\0"]
)
def test_a_library_has_a_name_that_a_folder_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(Usage, match="cannot be the name of a library: it") as error:
        Config(home=str(tmp_path), library=name)
    assert error.value.cure and len(str(error.value)) < 200
    with pytest.raises(Usage, match="NUL"):
        Config(home=f"{tmp_path}\0")


def test_the_longest_name_of_a_library_can_be_used(tmp_path: Path) -> None:
    for name in ("x" * 255, "日" * 85):
        Library(Config(home=str(tmp_path), library=name).folder, make=True, identity="test").close()


@pytest.mark.parametrize("name", ["default", "work-2024", "my notes", "日本"])
def test_honest_names_of_libraries(tmp_path: Path, name: str) -> None:
    assert Config(home=str(tmp_path), library=name).folder.parent == tmp_path / "libraries"


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        Config(home=str(tmp_path)).passages = 3  # type: ignore[misc]


@pytest.mark.parametrize("model", ["", " ", "\t"])
def test_an_empty_model_is_no_model(tmp_path: Path, model: str) -> None:
    with pytest.raises(Usage, match="the setting model is empty"):
        Config(home=str(tmp_path), model=model)


def test_an_open_program_takes_over_what_changes_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('model = "one"\npassages = 4\n')
    config = Config.read(home=str(tmp_path), passages="7")
    settings = SettingsFile(str(tmp_path))
    assert settings.follow(config) is config
    file.write_text('model = "two"\npassages = 5\nlibrary = "other"\nrerank = 3\n')
    now = settings.follow(config)
    assert (now.model, now.rerank) == ("two", 3)
    assert (now.passages, now.library) == (7, "default"), "overridden, and fixed"
    file.write_text('model = "three" passages')
    assert settings.follow(now) is now, "a file that is being edited changes nothing"
    file.unlink()
    assert settings.follow(now).model == "reader"
