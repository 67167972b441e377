"""Make `rag/models/jurors.json`: how far a chat model's yes or no can be trusted.

    python -m rag.training.juror MODEL.gguf WORK rag/models/jurors.json --cases FOLDER...

A case is a folder with `docs/` and `questions.jsonl` (`rag.training.near_misses`); each is a
library of its own below WORK. The entry of the model, by the SHA-256 of its file, is added to the
file or replaced; the program asks the model in a chat only if the fit says that this helps.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rag.disk import atomic_files
from rag.eval.fit_juror import Heard, fit_juror, hear
from rag.inference.llama_chat import ChatModel
from rag.process import harden_process
from rag.training.near_misses import is_right, open_case

_CONTEXT = 2048  # tokens


def heard_in_case(case: Path, home: Path, chat: ChatModel) -> Iterator[tuple[Heard, bool]]:
    """Yield each sentence in doubt of the questions of a case, and whether it is right."""
    with open_case(case, home) as (bot, reader, questions):
        for row in questions:
            passages = bot.search(row["question"], bot.config.passages)
            key = f"{case.name}/{row['id']}"
            for one in hear(key, row["question"], passages, reader, chat):
                yield one, is_right(row, one.sentence)


def main() -> None:
    """Ask the model, fit, and write its entry."""
    harden_process()
    parser = argparse.ArgumentParser(prog="python -m rag.training.juror", description=__doc__)
    parser.add_argument("model", type=Path, help="the file of the chat model")
    parser.add_argument("work", type=Path, help="where the libraries are made")
    parser.add_argument("out", type=Path, help="the file of fits")
    parser.add_argument("--cases", type=Path, nargs="+", required=True, help="folders of cases")
    options = parser.parse_args()
    chat, heard, right = ChatModel(str(options.model), _CONTEXT), list[Heard](), list[bool]()
    for folder in options.cases:
        for case in sorted(path.parent for path in folder.glob("*/questions.jsonl")):
            for one, answers in heard_in_case(case, options.work / folder.name / case.name, chat):
                heard.append(one)
                right.append(answers)
            print(f"{case.name}: {len(heard)} sentences, {sum(right)} right", flush=True)
    chat.close()
    fit = fit_juror(heard, right)
    fits = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {}
    fits[atomic_files.sha256(options.model)] = asdict(fit)
    options.out.write_text(json.dumps(fits, indent=1) + "\n", "utf-8")
    print(fit.says)


if __name__ == "__main__":
    main()
