"""Files and folders -> a sign whenever something in them changed, by `watchfiles` (inotify and its like).

A single file is watched through its folder: editors write a new file and rename it over the old one, and a watch on the file
itself would stay with the old one. Hidden files and what a walk passes over give no sign.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from rag.ingest.load import is_skipped_name

_QUIET_MS = 1000  # milliseconds without a change, after which a burst of them is over
_POLL_MS = 500  # milliseconds after which Ctrl-C is heard at the latest


def watch_changes(paths: Sequence[str]) -> Iterator[frozenset[str]]:
    """An empty set once the watch stands: what changed before it gives no sign. Then, each time that something changed and a
    second of quiet followed, the paths. Ends by `KeyboardInterrupt`."""
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

    there = sorted(folder for folder in folders if os.path.isdir(folder))
    stands = False
    for found in watch(
        *there,
        watch_filter=wanted,
        debounce=10 * _QUIET_MS,
        step=_QUIET_MS,
        rust_timeout=_POLL_MS,
        yield_on_timeout=True,
    ):
        if found or not stands:
            stands = True
            yield frozenset(path for _, path in found)
