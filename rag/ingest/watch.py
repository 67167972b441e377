"""Reports changes in files and folders, by `watchfiles` (inotify and similar).

A single file is watched through its folder: editors write a new file and rename it over the old
one, and a watch on the file itself would keep watching the old one. Hidden files and folders that
`walk_files` skips are not reported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from rag.ingest.load import is_skipped_name

#: milliseconds without a change, after which a burst of changes is over
_QUIET_MS = 1000
#: milliseconds after which Ctrl-C is noticed at the latest
_POLL_MS = 500


def watch_changes(paths: Sequence[str]) -> Iterator[frozenset[str]]:
    """Yield an empty set when the watch has started, then the changed paths after each burst.

    A burst ends after a second without changes. Changes before the empty set are not reported.
    Ends by `KeyboardInterrupt`.
    """
    from watchfiles import watch

    roots = [os.path.abspath(p) for p in paths]
    folders = {root if os.path.isdir(root) else os.path.dirname(root) for root in roots}

    def wanted(_: object, path: str) -> bool:
        root = next(
            (r for r in roots if path == r or path.startswith(r.rstrip(os.sep) + os.sep)), None
        )
        return root is not None and not any(
            map(is_skipped_name, os.path.relpath(path, root).split(os.sep))
        )

    existing = sorted(folder for folder in folders if os.path.isdir(folder))
    started = False
    for changes in watch(
        *existing,
        watch_filter=wanted,
        debounce=10 * _QUIET_MS,
        step=_QUIET_MS,
        rust_timeout=_POLL_MS,
        yield_on_timeout=True,
    ):
        if changes or not started:
            started = True
            yield frozenset(path for _, path in changes)
