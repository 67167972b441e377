"""The texts of documents that `footnote verify` can compare with: of libraries and of files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Self

from rag.bot import Bot
from rag.config import Config
from rag.domain import RawDocument
from rag.errors import LibraryMissing, RagError, Unreadable, Usage
from rag.export.verify import SourceText, document_id

if TYPE_CHECKING:
    from rag.ingest.load import File

#: Characters of a path that a system opens at most, of any system.
_MAX_PATH_CHARS = 32_767


class SourcesAtHand:
    """Libraries and files to verify against. A context manager that closes the libraries.

    Without names it is the library of the configuration, if there is one. A name with a path
    separator, or of a file or folder that is there, is a path; any other is the name of a library.
    """

    def __init__(self, config: Config, against: Sequence[str]) -> None:
        paths = [name for name in against if _is_path(name)]
        names = [name for name in against if not _is_path(name)]
        if not against:
            names = [config.library] if (config.folder / "library.db").is_file() else []
        self._files = [file for path in paths for file in _files(path)]
        self._files_by_name: dict[str, list[File]] = {}
        for file in self._files:
            self._files_by_name.setdefault(Path(file.path).name, []).append(file)
        self._texts = dict[str, list[SourceText]]()
        self._bots = [Bot.open(replace(config, library=name)) for name in names]
        for bot in self._bots:
            try:
                bot.library  # noqa: B018 - opens it, so that a wrong name is an error
            except LibraryMissing as error:
                self.close()
                raise Usage(str(error), "footnote verify BUNDLE --against FILE") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the libraries and the child processes that read files."""
        for bot in self._bots:
            bot.close()
        if self._texts:
            from rag.ingest.load import end_sandbox

            end_sandbox()

    def find(self, document: str, source: str) -> Iterator[SourceText]:
        """Yield the texts at hand for a document: by its id, then by its source."""
        for bot in self._bots:
            for name in (document, source):
                try:
                    found = bot.document(name)
                except RagError:
                    continue
                yield SourceText(found.text, found.source, found.pages)
        named = self._files_of(source)
        for file in named:
            yield from self._read(file)
        if not named and len(self._files) == 1:  # it may have another name now
            yield from (
                text for text in self._read(self._files[0]) if document_id(text.text) == document
            )

    def _files_of(self, source: str) -> list[File]:
        """Return the files whose paths end like the source, in as many parts as possible.

        For a member of an archive it is the archive.
        """
        if len(source) > _MAX_PATH_CHARS:
            return []
        parts = Path(source).parts
        for end in range(len(parts), 0, -1):
            named = self._files_by_name.get(parts[end - 1], [])
            shared = [_shared_end(parts[:end], Path(file.path).parts) for file in named]
            if shared:
                return [f for f, n in zip(named, shared, strict=True) if n == max(shared)]
        return []

    def _read(self, file: File) -> list[SourceText]:
        """Return the texts of a file, as an ingest would read them."""
        from rag.ingest.load import load_file

        if file.path not in self._texts:
            texts = list[SourceText]()
            try:
                for part in load_file(file):
                    if isinstance(part, RawDocument):
                        texts.append(SourceText(part.text, file.path, part.pages))
            except Unreadable as error:
                raise Usage(f"{file.path} {error}", error.cure) from error
            self._texts[file.path] = texts
        return self._texts[file.path]


def _shared_end(parts: Sequence[str], others: Sequence[str]) -> int:
    """Return how many of the last parts of two paths are the same."""
    pairs = zip(reversed(parts), reversed(others), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_path(name: str) -> bool:
    return os.sep in name or os.path.lexists(name)


def _files(path: str) -> list[File]:
    from rag.ingest.load import walk_files

    try:
        return list(walk_files(path))
    except Unreadable as error:
        raise Usage(f"{path} {error}", error.cure) from error
