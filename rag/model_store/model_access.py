"""The part of the front door that chooses the model that answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.events import Event, Loading, ModelChosen

if TYPE_CHECKING:
    from rag.config import Config


class ModelAccess(ABC):
    """Methods of `Bot` over the models of its home."""

    config: Config

    @abstractmethod
    def switch_model(self, setting: str) -> None:
        """Answer with another model from the next question on."""

    def use_model(self, name: str) -> Iterator[Event]:
        """Try the model `name`, save it as the setting, and answer with it from now on.

        The last event is `ModelChosen`. Raises `WeightsMissing`, `ModelBroken`.
        """
        from rag.model_store.choose import choose

        yield Loading(f"{name}, to try it and to measure how fast it is here")
        chosen = choose(self.config, name, lambda name: None)
        self.switch_model(chosen.setting)
        yield ModelChosen(chosen.setting, chosen.says)
