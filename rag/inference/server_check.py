"""Whether the server of a chat model can be used, and how fast it is. No document is sent to it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from rag.errors import ServerFailed
from rag.inference.server_chat import USER_MARK, ServerChat, list_models
from rag.inference.server_connection import Patience, ServerConnection
from rag.server_address import ServerAddress

_QUESTION = "Write the numbers from one to twenty as words."
_CONTEXT_TOKENS, _WRITTEN_TOKENS = 512, 32


@dataclass(frozen=True, slots=True)
class ServerTrial:
    """A server that has written. `pieces` is how many parts of an answer it sends a second."""

    address: ServerAddress
    first_seconds: float
    pieces: float

    @property
    def says(self) -> str:
        return (
            f"{self.address.model} at {self.address.host} answers: its first word after "
            f"{self.first_seconds:.1f} s, then {self.pieces:,.0f} parts a second"
        )


def check_server(address: ServerAddress, silent_seconds: float) -> str:
    """What the server lists, and that text is sent to it, in words. Raises `ServerFailed`."""
    names = list_models(ServerConnection(address, Patience(silent_seconds=silent_seconds)))
    if address.model and address.model not in names:
        raise ServerFailed(
            f"{address.host} has no model {address.model!r}",
            f"it has {', '.join(names[:20]) or 'none'}; name one: {address.url}#NAME",
        )
    name = ServerChat.open(address, _CONTEXT_TOKENS).address.model
    return f"{name} at {address.host}; {address.says}"


def try_server(address: ServerAddress, silent_seconds: float) -> ServerTrial:
    """Let the model write a few words. Raises `ServerFailed`."""
    chat = ServerChat.open(address, _CONTEXT_TOKENS, Patience(silent_seconds=silent_seconds))
    asks = chat.tokens(USER_MARK, special=True)
    list(chat.read([*asks, *chat.tokens(_QUESTION, special=False)]))
    started_at, times = time.perf_counter(), list[float]()
    text = ""
    for piece in chat.write(_WRITTEN_TOKENS, 0.0, 0):
        times.append(time.perf_counter())
        text += piece
    if not text.strip():
        raise ServerFailed(
            f"{chat.address.model} at {address.host} writes nothing",
            "if it thinks before it answers, switch that off; or name another model",
        )
    spent = times[-1] - times[0]
    return ServerTrial(
        chat.address,
        times[0] - started_at,
        (len(times) - 1) / spent if spent > 0 else 0.0,
    )
