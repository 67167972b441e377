"""`memory`: the most memory that an ingest of many short documents takes, beside one of a tenth of them; each in a process of its own.

The embedder is a stand-in that counts words, so that what is measured is everything but the model, whose memory does not depend on
how many documents there are. With `--real` the product's own is measured too, over fewer documents.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.ratios import ROOT, small_corpus

_SHORT = (2, 6)  # sentences of a document
_CHILD = "import sys; from tests.bench.memory import ingest; ingest(sys.argv[1], sys.argv[2], sys.argv[3] == 'real')"


def ingest(home: str, folder: str, real: bool) -> None:
    """The child's work. Prints its own peak in MB."""
    from rag import Bot, Config
    from tests.faults import small

    small.WINDOW = 1024  # the product's own
    with Bot.open(Config(home=home)) if real else small.Small(Path(home)) as bot:
        for _ in bot.add([folder]):
            pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def peak(folder: Path, documents: int, real: bool) -> float:
    """MB of a fresh process that takes in so many documents."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        (corpus,) = small_corpus(Path(scratch) / "corpus", documents, _SHORT)
        command = [sys.executable, "-c", _CHILD, f"{scratch}/home", corpus, "real" if real else ""]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    return float(done.stdout.split()[-1])


def memory(folder: Path, documents: int, real: bool = False) -> None:
    """The two in turn, three times."""
    few = documents // 10
    found = [
        (peak(folder, documents, real), peak(folder, few, real)) for _ in range(1 if real else 3)
    ]
    ratios = sorted(many / less for many, less in found)
    what = "with the real embedder" if real else "with a stand-in for the embedder"
    print(f"memory   {statistics.median(ratios):.2f}  ({ratios[0]:.2f} to {ratios[-1]:.2f}; {documents} documents beside {few}, {what}; "
          f"{found[0][0]:.0f} MB / {found[0][1]:.0f} MB)", flush=True)  # fmt: skip
