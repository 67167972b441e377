"""Choosing the model that answers: it is tried, measured, and written to the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag.config import READER, Config
from rag.inference import model_fit, model_trial, weights
from rag.model_store import installed


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The setting `model`, and of a chat model what was found when it was tried."""

    setting: str
    path: Path | None = None
    sha256: str = ""
    fit: model_fit.Fit | None = None
    speed: model_fit.Speed | None = None


def choose_model(config: Config, name: str, say: Callable[[str, str], None]) -> ChosenModel:
    """Let a model answer from now on: "reader", or the name or path of a .gguf file.

    The begin of a name is enough if no other begins so. `say` is given a line about what is done
    and its end, a carriage return or a newline. Raises `RagError` for a file that cannot answer.
    """
    setting = installed.full_name(config.home, name)
    if setting == READER:
        weights.save_model_setting(config.home, READER)
        return ChosenModel(READER)
    installed.require_installed(config.home, setting)
    model = weights.find_chat_model(config.home, setting)
    model_trial.require_template(model.path)
    fit = model_fit.require_fit(model.path, config.context_tokens)
    say(f"trying {model.name} ...", "\r")
    _, digest = model_trial.find_tried_chat_model(config.home, setting)
    speed = model_fit.measure_speed(model.path, config.threads)
    is_in_home = model.path.parent == weights.models_folder(config.home)
    setting = model.name if is_in_home else str(model.path)
    say(f"{model.name} has a chat template, {fit.says}; it {speed.says}", "\n")
    weights.save_model_setting(config.home, setting)
    return ChosenModel(setting, model.path, digest, fit, speed)
