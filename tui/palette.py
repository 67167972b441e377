"""The command palette: finds commands of the table by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.command import Command
from tui.commands import COMMANDS, key_label


class CommandPalette(Provider):
    """Offers the commands that are marked for the palette."""

    async def discover(self) -> Hits:
        """Yield all commands, for an empty query."""
        for command in _listed():
            yield DiscoveryHit(_title(command), self._run(command), command.label, command.help)

    async def search(self, query: str) -> Hits:
        """Yield the commands whose label or help matches `query`."""
        matcher = self.matcher(query)
        for command in _listed():
            score = max(matcher.match(command.label), matcher.match(command.help))
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(command.label),
                    self._run(command),
                    command.label,
                    command.help,
                )

    def _run(self, command: Command) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await self.app.run_action(command.action)

        return run


def _listed() -> list[Command]:
    """Return the commands; the first one is run by Enter, and so it is not the one that quits."""
    listed = [command for command in COMMANDS if command.in_palette]
    return sorted(listed, key=lambda command: command.id == "quit")


def _title(command: Command) -> str:
    """Return the label with its key."""
    return f"{command.label}  {key_label(command)}" if command.keys else command.label
