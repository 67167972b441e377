"""`reader`: five passages read for a question and the answer checked, against the same rows through torch in float32 on as many threads.

The torch side is the same network (`rag.training.network`) with random weights: what it costs does not depend on them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
QUESTIONS = (
    "How many individual sanctions has Russia faced?",
    "How many individual sanctions has Norway faced?",
)
CLAIM = "The Russian foreign minister said that the country has faced over 5,000 individual sanctions so far."


def passages() -> list[str]:
    """Five passages of about 200 tokens, from the seeds."""
    from rag.domain import RawDocument
    from rag.inference import minilm
    from rag.ingest.chunk import chunk_document
    from rag.ingest.clean import clean_document
    from rag.ingest.load import load_file, walk_files

    files = [file for file in walk_files(str(ROOT / "seeds")) if str(file.path).endswith(".txt")]
    count = minilm.Tokenizer().count
    found = [
        c.text
        for file in files
        for raw in load_file(file)
        if isinstance(raw, RawDocument)
        for c in chunk_document(clean_document(raw, file.source), 200, count)
    ]
    return sorted(found, key=len, reverse=True)[:5]


def machines() -> tuple[Callable[[], float], Callable[[], float]]:
    """(ours, theirs): each does the whole work once and gives its seconds."""
    import torch

    from rag.inference import minilm, weights
    from rag.inference.crossencoder import MAX_TOKENS, CrossEncoder
    from rag.training.batches import Row, collate
    from rag.training.network import Network

    torch.manual_seed(0)
    torch.set_num_threads(os.cpu_count() or 1)
    texts = passages()
    model = CrossEncoder(weights.verified_reader_file(), minilm.Tokenizer().machine)
    network = Network().eval()
    asked = [("read", QUESTIONS[0], text) for text in texts] + [("support", CLAIM, texts[0])]
    rows = []
    for job, first, second in asked:
        one, two = model.layout.pieces([first, second])
        ids, low, kept = model.layout.row(job, one.ids, two.ids, MAX_TOKENS)
        rows.append(
            Row(tuple(ids), (model.layout.first, low - 1), (low, low + kept), job, None, (), 1.0)
        )

    turns = cycle(
        QUESTIONS
    )  # what was read for the last question is remembered: never the same one twice

    def ours() -> float:
        question = next(turns)
        started = time.perf_counter()
        for text in texts:
            model.read(question, [text])
        model.support(CLAIM, texts[:1])
        return time.perf_counter() - started

    def theirs() -> float:
        started = time.perf_counter()
        with torch.no_grad():
            for row in rows:
                network(collate([row], 1))
        return time.perf_counter() - started

    return ours, theirs


def opening() -> float:
    """Seconds to open the model's file, its checksum compared."""
    from rag.inference import minilm, weights
    from rag.inference.crossencoder import CrossEncoder

    machine = minilm.Tokenizer().machine
    started = time.perf_counter()
    CrossEncoder(weights.verified_reader_file(), machine).close()
    return time.perf_counter() - started
