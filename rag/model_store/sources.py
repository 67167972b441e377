"""What `models pull` is asked for: a name of the catalogue, a URL, or a file on the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from rag.errors import Usage
from rag.inference.weights import EMBEDDER_FILE
from rag.model_store.catalogue import CatalogueModel, find_model

_HUB = "hf:"
_SUFFIX = ".gguf"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_ONE_OF_SEVERAL = re.compile(r"-\d{5}-of-\d{5}$")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Source:
    """A model file somewhere else. `size` is None and `sha256` "" if they are not known.

    Either `url` is given, or `repository`, `revision` and `file` are those of the hub.
    """

    name: str
    url: str = ""
    repository: str = ""
    revision: str = "main"
    file: str = ""
    size: int | None = None
    sha256: str = ""
    model: CatalogueModel | None = None

    @property
    def says(self) -> str:
        """Where it comes from, in words."""
        return self.url or f"{self.repository}/{self.file}, revision {self.revision}"


def parse_source(wanted: str, sha256: str = "") -> Source:
    """The source that `wanted` names. `sha256` is what the file must have, "" if it is not known.

    Raises `Usage`, `WeightsMissing`.
    """
    digest = sha256.strip().lower()
    if digest and not _SHA256.fullmatch(digest):
        raise Usage(f"{sha256!r} is not a SHA-256", "give its 64 hexadecimal digits")
    if wanted.startswith(_HUB):
        return _hub_source(wanted, digest)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", wanted):
        return _url_source(wanted, digest)
    return _catalogue_source(wanted, digest)


def _catalogue_source(wanted: str, digest: str) -> Source:
    model = find_model(wanted)
    if digest and model.sha256 and digest != model.sha256:
        raise Usage(
            f"the catalogue has the SHA-256 {model.sha256} for {model.name}, not {digest}",
            "leave out --sha256, or give the file by its URL",
        )
    return Source(
        model.name,
        repository=model.repository,
        revision=model.revision,
        file=model.file,
        size=model.bytes,
        sha256=digest or model.sha256,
        model=model,
    )


def _hub_source(wanted: str, digest: str) -> Source:
    parts = wanted.removeprefix(_HUB).strip("/").split("/")
    if len(parts) < 3 or not all(re.fullmatch(r"[\w.+-]+", part) for part in parts):
        raise Usage(
            f"{wanted!r} does not name a file on the hub", "write hf:owner/repository/file.gguf"
        )
    if ".." in parts or "." in parts:
        raise Usage(f"{wanted!r} has a folder of dots", "write hf:owner/repository/file.gguf")
    name = _name_of(parts[-1], wanted)
    return Source(name, repository="/".join(parts[:2]), file="/".join(parts[2:]), sha256=digest)


def _url_source(wanted: str, digest: str) -> Source:
    try:
        address = urlsplit(wanted)
        usable = address.scheme in ("http", "https") and bool(address.hostname)
        usable = usable and address.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        usable = False
    if not usable or not wanted.isascii() or any(c.isspace() for c in wanted):
        raise Usage(f"{wanted!r} is not a URL that can be fetched", "give an http or https URL")
    if address.username or address.password:
        raise Usage(
            "a URL with a user name or a password is not fetched: it would be kept beside the file",
            "give a URL without them",
        )
    return Source(_name_of(unquote(address.path).rsplit("/", 1)[-1], wanted), wanted, sha256=digest)


def _name_of(file: str, wanted: str) -> str:
    """The name that a model from this file gets. Raises `Usage`."""
    if not file.lower().endswith(_SUFFIX):
        raise Usage(f"{wanted!r} does not end in .gguf", "give the address of one .gguf file")
    stem = file[: -len(_SUFFIX)]
    if _ONE_OF_SEVERAL.search(stem):
        raise Usage(
            f"{file} is one part of several", "choose a file that holds the whole model in one part"
        )
    if not _NAME.fullmatch(stem) or stem.startswith(EMBEDDER_FILE.name):
        raise Usage(
            f"{file!r} is no name for a model here",
            "fetch it with another program, and give its path to: footnote models use",
        )
    return stem
