"""`again`: what an `add` costs where nothing, or one file of many, has changed since the last one.

Each `add` is a process of its own, as the command is; its seconds are counted from where Python has started. Nothing changed: as
a share of the first `add`. One file changed: seconds beyond those of a process that opens that library and looks something
up, and how many of them go into opening the embedder (torch), which is the same whatever has changed.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from tests.bench.ratios import ROOT, small_corpus

_SMALL = 300  # documents, where no corpus is given
_TIMES = 3
_CHILD = """
import sys, time
started = time.perf_counter()
from rag import Bot, Config
what, home, files = sys.argv[1:]
if what == "embedder":
    from rag.inference.sentence_models import PassageEmbedder
    PassageEmbedder().embed(["A passage."])
else:
    with Bot.open(Config(home=home)) as bot:
        if what == "open":
            bot.search("What has changed?")
        else:
            for _ in bot.add([files]):
                pass
print(time.perf_counter() - started)
"""


def again(folder: Path, corpora: Sequence[str], most: int) -> None:
    """Add a folder of files, add it again, change one of them, add it again."""
    home, files = folder / "home", folder / "files"
    for corpus in corpora:
        written(files, corpus, most)
    if not corpora:
        small_corpus(files, min(_SMALL, most))
    every = sorted(files.glob("*.txt"))

    def spent(what: str) -> float:
        command = [sys.executable, "-c", _CHILD, what, str(home), str(files)]
        done = subprocess.run(
            command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            text=True,
        )
        return float(done.stdout.split()[-1])

    first = spent("add")
    same = min(spent("add") for _ in range(_TIMES))
    print(f"again    {100 * same / first:.2f} % of the first add, where nothing has changed ({len(every)} files; {same:.2f} s / "
          f"{first:.1f} s)", flush=True)  # fmt: skip
    opened, embedder = (min(spent(what) for _ in range(_TIMES)) for what in ("open", "embedder"))
    changed = []
    for number in range(_TIMES):
        with every[number * len(every) // _TIMES].open("a", encoding="utf-8") as file:
            file.write(f"\nThe note of day {number} says that this was changed.\n")
        changed.append(spent("add"))
    print(f"         {min(changed) - opened:.2f} s for one changed file beyond opening the library ({min(changed):.2f} s - {opened:.2f} s); "
          f"opening the embedder alone takes {embedder:.2f} s", flush=True)  # fmt: skip


def written(folder: Path, corpus: str, most: int) -> None:
    """The texts of a corpus file, a file each, at most so many."""
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(corpus).name.split(".")[0]
    with (
        gzip.open(corpus, "rt", encoding="utf-8")
        if corpus.endswith(".gz")
        else open(corpus, encoding="utf-8") as lines
    ):
        for number, line in enumerate(islice(lines, most)):
            (folder / f"{name}-{number:06}.txt").write_text(
                json.loads(line)["text"], encoding="utf-8"
            )
