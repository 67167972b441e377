"""The part of the front door over models: which one answers, and the check by itself."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from rag import limits
from rag.config import Config, SettingsFile
from rag.disk.disk_errors import reports_disk_errors
from rag.domain import Verdict
from rag.events import Event, Loading, Notice
from rag.protocols import ErrorRates

if TYPE_CHECKING:
    from rag.machines import Machines


class UsesSettings(Protocol):
    """What works by settings that can be replaced."""

    def use(self, config: Config) -> None: ...


class ModelAccess(ABC):
    """Methods of `Bot` over its settings and models."""

    config: Config
    machines: Machines
    access: UsesSettings
    settings: SettingsFile | None  #: the file whose changes are taken over; None for none

    def follow_settings(self) -> str:
        """Take over changed settings; return in words which model answers now if that changed."""
        config = self.settings.follow(self.config) if self.settings else self.config
        if config == self.config:
            return ""
        before, self.config = self.config.model, config
        self.machines.use(config)
        self.access.use(config)
        return "" if before == config.model else f"{config.model} answers now, no longer {before}"

    @reports_disk_errors
    def use_model(self, name: str) -> Iterator[Event]:
        """Try a model and let it answer from now on, as `footnote models use`."""
        from rag.model_store.choice import choose_model

        yield Loading(f"{name}, to try it")
        self.machines.close()  # the open model gives its memory back; it is opened again at need
        chosen = choose_model(self.config, name, lambda says, end: None)
        self.follow_settings()
        if self.config.model == chosen.setting:
            yield Notice(f"{chosen.setting} answers from the next question on")
        else:
            yield Notice(
                f"{chosen.setting} is the setting now, but {self.config.model} was chosen when "
                "this program was started: start it without --model"
            )

    def check(self, claim: str, passage: str) -> tuple[Verdict, float, tuple[str, ...]]:
        """Check a sentence against a text: verdict, score (0..1) and reasons."""
        from rag.answer.check import check_claim

        claim, passage = limits.check_claim(claim), limits.check_passage(passage)
        return check_claim(claim, passage, self.machines.judge())

    def rates(self) -> ErrorRates:
        """Error rates of the check, measured on claims that it was not fitted on."""
        from rag.inference.weights import checker_error_rates

        return checker_error_rates()
