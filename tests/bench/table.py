"""`table`: a CSV of 100,000 rows: seconds, processor seconds and peak memory of adding it, seconds of a question, and whether the row
of each of 50 keys is found first and its cell is quoted. The product's own models."""

from __future__ import annotations

import csv
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.ratios import ROOT, percentile

_CHILD = "import sys; from tests.bench.table import add; add(sys.argv[1], sys.argv[2])"
_HEAD = ("Part", "Description", "Warehouse", "Stock", "Price EUR", "Delivered")
_THINGS = "bolt hinge valve lamp cable bracket filter gasket pump motor sensor switch".split()
_KINDS = "steel brass copper nylon ceramic rubber titanium zinc chrome oak glass".split()
_TOWNS = "Lisbon Oslo Graz Turin Ghent Porto Malmo Brno Lyon Cork Bergen Split".split()
#: a question about a key, and the column of its answer
_QUESTIONS = (
    ("What is the stock of {}?", 3),
    ("In which warehouse is part {}?", 2),
    ("What is the price of {} in EUR?", 4),
    ("When was {} delivered?", 5),
)


def write_table(path: Path, rows: int) -> list[tuple[str, ...]]:
    """A table of parts; returns its rows."""
    draw = random.Random(1)
    found: list[tuple[str, ...]] = [
        (
            f"P-{100_000 + 7 * number}",
            f"{draw.choice(_KINDS)} {draw.choice(_THINGS)} {draw.randint(2, 99)} mm",
            draw.choice(_TOWNS),
            str(draw.randint(0, 5000)),
            f"{draw.uniform(1, 900):.2f}",
            f"20{draw.randint(10, 25)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}",
        )
        for number in range(rows)
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([_HEAD, *found])
    return found


def add(home: str, path: str) -> None:
    """The child's work. Prints seconds, processor seconds, and peak MB of itself and its sandbox."""
    from rag import Bot, Config

    started = time.perf_counter()
    with Bot.open(Config(home=home)) as bot:
        for _ in bot.add([path]):
            pass
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processor = sum(use.ru_utime + use.ru_stime for use in used)
    print(time.perf_counter() - started, processor, *(use.ru_maxrss / 1024 for use in used))


def table(home: Path, rows: int, questions: int = 50) -> None:
    """Add the table in a process of its own, then search and ask in this one."""
    from rag import Bot, Config
    from rag.events import Answered

    path = home / "parts.csv"
    cells = write_table(path, rows)
    command = [sys.executable, "-c", _CHILD, str(home), str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    wall, processor, own, child = map(float, done.stdout.split()[-4:])
    print(f"table    add {wall:.1f} s wall, {processor:.1f} s of processors, {own:.0f} MB, its sandbox {child:.0f} MB "
          f"({rows} rows; asked: 120 s, 1000 MB)", flush=True)  # fmt: skip
    asked = random.Random(3).sample(cells, questions)
    found, right, seconds = 0, 0, list[float]()
    with Bot.open(Config(home=str(home))) as bot:
        bot.search("What is in stock?", 1)  # opens the models and the index
        for number, row in enumerate(asked):
            question, column = _QUESTIONS[number % len(_QUESTIONS)]
            question = question.format(row[0])
            first, *_ = bot.search(question, 3)
            found += row[0] in first.chunk.text
            started = time.perf_counter()
            *_, last = bot.ask(question, save=False)
            seconds.append(time.perf_counter() - started)
            right += isinstance(last, Answered) and row[column] in last.answer.text
    print(f"         question {percentile(seconds, 0.5):.2f} s, p95 {percentile(seconds, 0.95):.2f} s (asked: 1 s); its row first "
          f"{found} of {questions}, its cell in the answer {right} of {questions}", flush=True)  # fmt: skip
