"""Install a built wheel into an empty environment and use it: ``python -m tests.support.try_wheel dist SCRATCH``.

Packages come from the registry that pip is set up for. Each command and the end of its output are printed.
Exits 1 at the first command that fails or does not print what it must.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "How many individual sanctions has Russia faced?"


def run(command: list[str], *, expect: str = "", cwd: Path) -> str:
    """Run `command`, print it and the end of its output, and give its stdout."""
    began = time.monotonic()
    print(
        "$",
        " ".join(os.path.relpath(c, cwd) if os.path.isabs(c) else c for c in command),
        flush=True,
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "FOOTNOTE_"))}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=clean, stdin=subprocess.DEVNULL
    )
    lines = (done.stdout + done.stderr).strip().splitlines()
    print("\n".join(f"  {line[:160]}" for line in lines[-8:]))
    print(f"  exit {done.returncode}, {time.monotonic() - began:.0f} s", flush=True)
    if done.returncode or expect not in done.stdout:
        raise SystemExit(f"failed: {' '.join(command)}")
    return done.stdout


def main(dist: str, scratch: str) -> None:
    """Make an environment in `scratch`, install the wheel of `dist`, add seeds/ and ask."""
    (wheel,) = Path(dist).resolve().glob("*.whl")
    folder = Path(scratch).resolve()
    venv.create(folder / "env", with_pip=True)
    binaries = folder / "env" / "bin"
    pip, footnote = (
        [str(binaries / "python"), "-m", "pip", "install", "-q"],
        [str(binaries / "footnote")],
    )
    home = ["--home", str(folder / "home")]
    run([*pip, "torch==2.13.0"], cwd=folder)
    run([*pip, str(wheel)], cwd=folder)
    for tool in ("pytest", "mypy", "ruff"):
        if (binaries / tool).exists():
            raise SystemExit(f"the wheel brought {tool}")
    run([*footnote, "--version"], cwd=folder)
    run([*footnote, *home, "add", str(ROOT / "seeds")], cwd=folder)
    answer = run(
        [*footnote, *home, "ask", QUESTION], expect="over 5,000 individual sanctions", cwd=folder
    )
    print(answer)
    demo = json.loads(run([*footnote, *home, "demo", "--json"], cwd=folder))
    if len(demo["answers"]) != 3 or any(a["abstained"] for a in demo["answers"]):
        raise SystemExit("the demonstration did not answer its three questions")
    print(f"{wheel.name}: works")


if __name__ == "__main__":
    main(*sys.argv[1:])
