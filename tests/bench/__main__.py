"""Speeds as ratios, measured alone: ``make bench`` or ``make bench ARGS="--corpus corpus.jsonl --documents 200"``.

ask     a cold ``footnote ask`` over the seeds  /  a Python that imports chromadb, opens the same collection, queries it once
help    ``footnote --help``                     /  a Python that imports click and does nothing
ingest  chunks a second of ``add``              /  of bare SentenceTransformer.encode over the same chunks, same settings
embed   chunks a second with our settings       /  with the library's defaults (float32, batches in the order they come)
reader  five passages read, an answer checked   /  the same rows through torch in float32 on as many threads
again   a second ``add``, nothing changed       /  the first (1 % is asked for); one file changed: seconds beyond opening (2 s)
memory  peak of an ingest of 10,000 documents   /  of 1,000 (1.3 is asked for)
large   looking up among 100,000 passages       /  Chroma's bare query of the same collection, p95 (2.0 is asked for)
        opening that library, up to the nearest /  opening the bare collection and querying it once (1.5 is asked for)
table   adding a CSV of 100,000 rows, and asking it: seconds, processor seconds, peak memory (120 s, 1 s and 1000 MB are asked for)

`again`, `memory`, `large` and `table` take minutes and run only where they are named (``--only``); `large` makes its library in about ten.
Pairs are run in turn and the median ratio is printed with its range. Nothing here is a test: a machine that is busy with
something else gives ratios that mean nothing.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rag.process import harden_process
from tests.bench import again, large, memory, reader, table
from tests.bench.ratios import BARE_CHROMA, ROOT, newest, pairs, seconds, small_corpus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rag.index.chroma import VectorIndex
    from rag.library.library import Library

FOOTNOTE = str(Path(sys.executable).with_name("footnote"))
_WINDOW = 1024  # texts given to bare encode at once, as many as an ingest embeds together
QUESTION = "How many individual sanctions has Russia faced?"


def processes(home: Path, count: int) -> None:
    """`ask` and `help`."""
    subprocess.run([FOOTNOTE, "--home", str(home), "-q", "add", str(ROOT / "seeds")], check=True)
    ask = [FOOTNOTE, "--home", str(home), "-q", "ask", QUESTION]
    pairs(
        "ask",
        lambda: seconds(ask),
        lambda: seconds([sys.executable, "-c", BARE_CHROMA, str(newest(home))]),
        count,
    )
    pairs(
        "help",
        lambda: seconds([FOOTNOTE, "--help"]),
        lambda: seconds([sys.executable, "-c", "import click"]),
        count,
    )


def ingest(home: Path, corpus: Sequence[str], documents: int) -> None:
    """`ingest` and `embed`, over the same chunks."""
    from rag import Bot, Config
    from rag.inference import minilm, sentence_models
    from rag.inference.embedders import chunk_sizes
    from rag.ingest.ingest import Ingest
    from rag.machines import Machines

    class Noting(sentence_models.PassageEmbedder):
        """The embedder, which also notes the texts it was given, batch by batch."""

        windows: list[list[str]] = []  # noqa: RUF012

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            self.windows.append(list(texts))
            return super().embed(texts)

    class NotingMachines(Machines):
        """The models; passages go to an embedder that is open already and notes its texts."""

        def ingest(self, library: Library, vectors: VectorIndex) -> Ingest:
            count = self.embedding().count
            chunk_tokens, context_tokens, note = chunk_sizes(
                self.embedding(), self.config.chunk_tokens
            )
            return Ingest(
                library, vectors, lambda: machine, count, chunk_tokens, context_tokens, note=note
            )

    minilm.make_question_embedder(str(home))
    machine = Noting()
    machine.embed(["warm up"] * 64)
    Noting.windows.clear()
    config = Config(home=str(home), library="bench")
    with Bot(config, NotingMachines(config)) as bot:
        bot.access.open(create=True)
        work = bot.access.ingest()
        started = time.perf_counter()
        with bot.access.writing():
            for _ in work.add(list(corpus)):
                pass
        added = time.perf_counter() - started
    chunks = [text for batch in Noting.windows for text in batch]
    started = time.perf_counter()
    for at in range(0, len(chunks), _WINDOW):
        sentence_models.PassageEmbedder.embed(machine, chunks[at : at + _WINDOW])
    bare = time.perf_counter() - started
    print(f"ingest   {bare / added:.2f}  of bare encode's throughput ({len(chunks)} chunks; {len(chunks) / added:.1f} a second, "
          f"bare {len(chunks) / bare:.1f})", flush=True)  # fmt: skip
    settings(machine, chunks, documents)


def settings(machine, chunks: Sequence[str], most: int) -> None:  # type: ignore[no-untyped-def]
    """Our settings against the library's defaults, on a sample in the order in which the chunks came."""
    from rag.inference import sentence_models, weights

    at = random.Random(0).randrange(max(1, len(chunks) - most))
    sample = list(chunks[at : at + most])
    default = sentence_models.open_sentence_transformer(weights.embedder_folder())
    default.encode(sample[:32], show_progress_bar=False)
    started = time.perf_counter()
    for start in range(0, len(sample), 32):
        default.encode(sample[start : start + 32], batch_size=32, show_progress_bar=False)
    theirs = time.perf_counter() - started
    started = time.perf_counter()
    machine.embed(sample)
    ours = time.perf_counter() - started
    print(f"embed    {theirs / ours:.2f}  times the defaults ({len(sample)} chunks; {len(sample) / ours:.1f} a second, defaults "
          f"{len(sample) / theirs:.1f})", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--corpus",
        action="append",
        help="folder, file or corpus.jsonl to ingest (else: made from the seeds)",
    )
    parser.add_argument(
        "--documents",
        type=int,
        help="most chunks for `embed` (1024), files for `again` (all), documents for `memory` (10000)",
    )
    parser.add_argument("--chunks", type=int, default=100_000, help="passages of `large`")
    parser.add_argument("--rows", type=int, default=100_000, help="rows of `table`")
    parser.add_argument("--questions", type=int, default=400, help="questions of `large`")
    parser.add_argument("--real", action="store_true", help="`memory` with the real embedder")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument(
        "--only", choices=["processes", "ingest", "reader", "again", "memory", "large", "table"]
    )
    said = parser.parse_args()
    harden_process()
    with tempfile.TemporaryDirectory() as scratch:
        print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.2f}", flush=True)
        _run(said, Path(scratch))


def _run(said: argparse.Namespace, scratch: Path) -> None:
    home = scratch / "home"
    home.mkdir()
    if said.only in (None, "processes"):
        processes(home, said.pairs)
    if said.only in (None, "reader"):
        pairs("reader", *reader.machines(), said.pairs)
        print(
            f"         its file opens in {min(reader.opening() for _ in range(5)):.3f} s",
            flush=True,
        )
    if said.only in (None, "ingest"):
        ingest(home, said.corpus or small_corpus(scratch / "corpus", 60), said.documents or 1024)
    if said.only == "again":
        again.again(scratch, said.corpus or (), said.documents or sys.maxsize)
    if said.only == "memory":
        memory.memory(scratch, said.documents or 10_000, said.real)
    if said.only == "table":
        table.table(home, said.rows)
    if said.only == "large":
        large.make(home / "libraries" / "default", said.chunks)
        large.looking_up(home, said.questions)
        large.opening(home, said.pairs)


if __name__ == "__main__":
    main()
