"""The list of all models, and what the catalogue says that they are worth."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rag.bot import Bot
from rag.config import Config
from rag.errors import Usage
from rag.events import Loading, ModelChosen
from rag.inference.model_fit import Speed
from rag.model_store import choose
from rag.model_store.catalogue import chat_models, reader_measured
from rag.model_store.listing import list_models

PAGE = (Path(__file__).resolve().parents[2] / "models.md").read_text(encoding="utf-8")


def _home(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir(parents=True)
    (folder / "mine.gguf").write_bytes(b"GGUF" + b"0" * 1000)
    (folder / "qwen2.5-coder-1.5b.gguf.part").write_bytes(b"0" * 77)
    return tmp_path


def test_the_reader_is_first_then_what_is_here_then_what_can_be_fetched(tmp_path: Path) -> None:
    found = list_models(Config(home=str(_home(tmp_path)), model="mine"))
    assert [entry.name for entry in found[:2]] == ["reader", "mine"]
    assert [entry.name for entry in found if entry.in_use] == ["mine"]
    assert [entry.name for entry in found if entry.installed] == ["reader", "mine"]
    assert len(found) == 2 + len(chat_models())
    begun = {entry.name: entry.fetched for entry in found if entry.fetched}
    assert begun == {"qwen2.5-coder-1.5b": 77}
    assert all(entry.needs > entry.size for entry in found)
    assert sum(entry.default for entry in found) == 1


def test_a_model_of_another_folder_is_listed_while_it_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.gguf"
    path.write_bytes(b"GGUF1234")
    found = list_models(Config(home=str(_home(tmp_path / "home")), model=str(path)))
    assert [entry.name for entry in found if entry.in_use] == [str(path)]


def test_every_measured_figure_stands_in_models_md() -> None:
    said = [reader_measured(), *(model.measured for model in chat_models() if model.measured)]
    assert len(said) >= 3
    for words in said:
        figures = re.findall(r"\d\.\d+|\d+ of \d+", words)
        assert figures and all(figure in PAGE for figure in figures), words


def test_choosing_the_reader_says_so_and_the_model_in_use_is_not_removed(tmp_path: Path) -> None:
    config = Config(home=str(_home(tmp_path)), model="mine")
    with Bot.open(config) as bot:
        with pytest.raises(Usage, match="mine is in use"):
            bot.remove_model("mine")
        events = list(bot.use_model("reader"))
        assert isinstance(events[0], Loading) and events[-1] == ModelChosen("reader", "")
        assert bot.config.model == bot.status().model == "reader"
        assert bot.remove_model("mine") == 1004
    assert Config.read(home=str(tmp_path)).model == "reader"


def test_another_process_sees_the_choice_in_its_list(tmp_path: Path) -> None:
    config = Config.read(home=str(_home(tmp_path)))
    with Bot.open(config, follows=True) as one, Bot.open(config, follows=True) as other:
        assert [entry.name for entry in other.models() if entry.in_use] == ["reader"]
        (tmp_path / "config.toml").write_text('model = "mine"\n')
        assert [entry.name for entry in other.models() if entry.in_use] == ["mine"]
        assert list(one.use_model("reader"))[-1] == ModelChosen("reader", "")
        assert [entry.name for entry in other.models() if entry.in_use] == ["reader"]


def test_a_measured_speed_is_shown_for_the_file_that_was_measured(tmp_path: Path) -> None:
    home = _home(tmp_path)
    choose._record_speed(str(home), "mine", 1004, Speed(120.4, 11.6))
    config = Config(home=str(home))
    found = {entry.name: entry.speed for entry in list_models(config)}
    assert found["mine"] == "reads 120 and writes 12 tokens a second here"
    (home / "models" / "mine.gguf").write_bytes(b"GGUF")
    assert {entry.name: entry.speed for entry in list_models(config)}["mine"] == ""
    (home / "models" / "speeds.json").write_text('{"mine": [1], "x": 3}')
    assert choose.speeds(str(home)) == {}
