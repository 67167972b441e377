"""Choosing the model that answers: a chat model is tried, measured and saved as the setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.config import READER, Config
from rag.disk import atomic_files
from rag.inference import model_fit, model_trial, weights
from rag.inference.model_fit import Fit, Speed
from rag.model_store import installed


@dataclass(frozen=True, slots=True)
class Chosen:
    """The setting of a model that answers from now on, and what was found about its file."""

    setting: str
    path: Path | None = None
    sha256: str = ""
    fit: Fit | None = None
    speed: Speed | None = None

    @property
    def says(self) -> str:
        """What was found, in words."""
        if self.fit is None or self.speed is None:
            return ""
        return f"has a chat template, {self.fit.says}; it {self.speed.says}"


def choose(config: Config, name: str, say: Callable[[str], None]) -> Chosen:
    """Let the model `name` answer: "reader", or the name, its only beginning, or a path.

    `say` gets the name of a chat model before it is tried. Raises `WeightsMissing`, `ModelBroken`.
    """
    home = config.home
    setting = installed.full_name(home, name)
    chosen = Chosen(setting)
    if setting != READER:
        installed.require_installed(home, setting)
        model = weights.find_chat_model(home, setting)
        model_trial.require_template(model.path)
        fit = model_fit.require_fit(model.path, config.context_tokens)
        say(model.name)
        _, digest = model_trial.find_tried_chat_model(home, setting)
        speed = model_fit.measure_speed(model.path, config.threads)
        is_in_home = model.path.parent == weights.models_folder(home)
        setting = model.name if is_in_home else str(model.path)
        chosen = Chosen(setting, model.path, digest, fit, speed)
        if is_in_home:
            _record_speed(home, model.name, model.path.stat().st_size, speed)
    weights.save_model_setting(home, setting)
    return chosen


def speeds(home: str) -> dict[tuple[str, int], Speed]:
    """Return how fast models were here, by name and size of the file."""
    found = dict[tuple[str, int], Speed]()
    for name, record in _records(home).items():
        with suppress(TypeError, ValueError):
            size, reads, writes = record
            found[name, int(size)] = Speed(float(reads), float(writes))
    return found


def _record_speed(home: str, name: str, size: int, speed: Speed) -> None:
    records = _records(home)
    records[name] = [size, round(speed.reads, 1), round(speed.writes, 1)]
    with suppress(OSError):  # it is shown in a list, and measured again the next time
        atomic_files.replace_file(_store(home), json.dumps(records))


def _store(home: str) -> Path:
    return weights.models_folder(home) / "speeds.json"


def _records(home: str) -> dict[str, list[float]]:
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(_store(home).read_text(encoding="utf-8"))
        if isinstance(content, dict) and all(isinstance(one, list) for one in content.values()):
            return content
    return {}
