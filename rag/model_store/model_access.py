"""The part of the front door that lists, chooses and removes the models that answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rag.config import READER
from rag.domain import ModelListing
from rag.errors import Usage
from rag.events import Event, Loading, ModelChosen

if TYPE_CHECKING:
    from rag.config import Config


class ModelAccess(ABC):
    """Methods of `Bot` over the models of its home. Fetching is not among them."""

    config: Config

    @abstractmethod
    def follow_settings(self) -> str:
        """Take over settings that changed meanwhile."""

    @abstractmethod
    def switch_model(self, setting: str) -> None:
        """Answer with another model from the next question on."""

    def models(self) -> tuple[ModelListing, ...]:
        """The built-in reader, the chat models of the home, and those that can be fetched."""
        from rag.model_store.listing import list_models

        self.follow_settings()
        return list_models(self.config)

    def use_model(self, name: str) -> Iterator[Event]:
        """Try the model `name`, save it as the setting, and answer with it from now on.

        The last event is `ModelChosen`. Raises `WeightsMissing`, `ModelBroken`.
        """
        from rag.model_store.choose import choose

        yield Loading(f"{name}, to try it and to measure how fast it is here")
        chosen = choose(self.config, name, lambda name: None)
        self.switch_model(chosen.setting)
        yield ModelChosen(chosen.setting, chosen.says)

    def remove_model(self, name: str) -> int:
        """Remove a chat model, or what was fetched of it; return the bytes that this freed.

        Raises `Usage` for the model in use.
        """
        from rag.model_store import installed

        full = installed.full_name(self.config.home, name)
        if full == self.config.model:
            raise Usage(f"{full} is in use", f"choose another model first, such as {READER}")
        return installed.remove(self.config.home, full)
