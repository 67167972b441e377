"""The part of the front door over settings that change meanwhile, and over the check by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from rag import limits
from rag.config import Config, SettingsFile
from rag.domain import Verdict
from rag.protocols import ErrorRates

if TYPE_CHECKING:
    from rag.machines import Machines


class SettingsAccess(ABC):
    """Methods of `Bot` over its settings and the models of the check."""

    config: Config
    machines: Machines
    settings: SettingsFile | None  #: the file whose changes are taken over; None for none

    @abstractmethod
    def use_settings(self, config: Config) -> None:
        """Work by other settings from now on."""

    def follow_settings(self) -> str:
        """Take over changed settings; return in words which model answers now if that changed."""
        config = self.settings.follow(self.config) if self.settings else self.config
        if config == self.config:
            return ""
        before = self.config.model
        self.use_settings(config)
        return "" if before == config.model else f"{config.model} answers now, no longer {before}"

    def check(self, claim: str, passage: str) -> tuple[Verdict, float, tuple[str, ...]]:
        """Check a sentence against a text: verdict, score (0..1) and reasons."""
        from rag.answer.check import check_claim

        claim, passage = limits.check_claim(claim), limits.check_passage(passage)
        return check_claim(claim, passage, self.machines.judge())

    def rates(self) -> ErrorRates:
        """Error rates of the check, measured on claims that it was not fitted on."""
        from rag.inference.weights import checker_error_rates

        return checker_error_rates()
