"""An open program follows the settings that another one changes; a run of measurements does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag import Bot, Config
from rag.config import READER
from rag.errors import RagError
from rag.events import Answered, Loading, ModelChosen, Notice
from rag.inference.weights import save_model_setting

pytestmark = pytest.mark.slow

QUESTION = "How many individual sanctions has Russia faced?"


def asked(bot: Bot) -> tuple[list[str], Answered]:
    events = list(bot.ask(QUESTION, save=False))
    assert isinstance(events[-1], Answered)
    return [e.says for e in events if isinstance(e, Notice)], events[-1]


def test_the_next_question_is_answered_by_the_new_settings(home: Path) -> None:
    with Bot.open(Config(home=str(home)), follows=True) as bot:
        assert asked(bot)[0] == []
        (home / "config.toml").write_text("passages = 2\n")
        notices, event = asked(bot)
        assert notices == [] and len(event.answer.passages) == 2
        save_model_setting(str(home), "nobody")
        assert bot.status().model == "nobody"
        with pytest.raises(RagError, match="nobody"):
            asked(bot)
        save_model_setting(str(home), READER)
        notices, event = asked(bot)
        assert notices == ["reader answers now, no longer nobody"]
        assert event.answer.model.name == READER and "5,000" in event.answer.text


def test_a_bot_that_does_not_follow_keeps_its_settings(home: Path) -> None:
    with Bot.open(Config(home=str(home))) as bot:
        (home / "config.toml").write_text('model = "nobody"\npassages = 2\n')
        notices, event = asked(bot)
        assert notices == [] and len(event.answer.passages) == 5


def test_a_model_is_tried_before_it_is_used(home: Path) -> None:
    with Bot.open(Config(home=str(home), model="nobody"), follows=True) as bot:
        loading, done = bot.use_model(READER)
        assert isinstance(loading, Loading) and isinstance(done, ModelChosen)
        assert done.model == READER == bot.config.model
        with pytest.raises(RagError):
            list(bot.use_model("nobody"))
        assert bot.config.model == READER and "5,000" in asked(bot)[1].answer.text
