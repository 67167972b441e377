"""What the screen remembers between two runs: the theme, in a small file of the home folder."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

#: The name of the file.
NAME = "screen.json"
#: More bytes are not read: the file is not ours.
_MAX_BYTES = 64 * 1024


def remembered_theme(home: Path) -> str:
    """Return the name of the theme that was chosen last; "" if none is known."""
    with suppress(OSError, ValueError):
        with (home / NAME).open("rb") as file:
            found = json.loads(file.read(_MAX_BYTES))
        if isinstance(found, dict) and isinstance(found.get("theme"), str):
            return str(found["theme"])
    return ""


def remember_theme(home: Path, theme: str) -> None:
    """Keep the name of the theme. A folder that cannot be written is no reason to fail."""
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = home / f"{NAME}.new"
        new.write_text(json.dumps({"theme": theme}) + "\n", encoding="utf-8")
        os.replace(new, home / NAME)
