"""The address of a chat model that a server runs: a URL in the place of a model's name.

``http://host:port/v1`` is the base of an OpenAI-compatible interface; ``#NAME`` at its end names
one of the server's models.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from rag.errors import Usage

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DEFAULT_PATH = "/v1"
_MAX_CHARS = 1000
_HINT = "give a URL such as http://localhost:8080/v1 or https://host/v1#model-name"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """`url` has no slash at its end; `model` is "" if none is named."""

    url: str
    model: str = ""

    @property
    def host(self) -> str:
        """Name and port of the host, as in the URL."""
        return urlsplit(self.url).netloc

    @property
    def setting(self) -> str:
        """The value of the setting `model`."""
        return f"{self.url}#{self.model}" if self.model else self.url

    @property
    def is_this_computer(self) -> bool:
        """True for the loopback addresses."""
        name = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost" or name.endswith(".localhost")

    @property
    def says(self) -> str:
        """What leaves this process, and how, in words."""
        where = ", on this computer" if self.is_this_computer else ""
        encrypted = "" if self.is_this_computer or self.url.startswith("https:") else UNENCRYPTED
        return f"questions and excerpts of documents are sent to {self.host}{where}{encrypted}"


UNENCRYPTED = ", not encrypted"


def parse_server(model: str) -> ServerAddress | None:
    """The address that the setting `model` gives; None if it is no URL.

    Raises `Usage` for a URL that cannot be used. Its message does not repeat a password.
    """
    if not _URL.match(model):
        return None
    try:
        parts = urlsplit(model)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        raise Usage("the URL of the model cannot be read", _HINT) from None
    if parts.username is not None or parts.password is not None:
        raise Usage(
            "a URL with a user name or a password is not taken: settings keep no secrets",
            "give the URL without them, and the key in the variable FOOTNOTE_API_KEY",
        )
    if not usable or len(model) > _MAX_CHARS or not model.isprintable() or " " in model:
        raise Usage("the URL of the model is not one of a server", _HINT)
    if parts.query:
        raise Usage("the URL of the model has a query, which may be a secret", _HINT)
    path = parts.path.rstrip("/") or _DEFAULT_PATH
    return ServerAddress(f"{parts.scheme}://{parts.netloc}{path}", parts.fragment)
