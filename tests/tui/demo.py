"""The chat with the scripted engine: python -m tests.tui.demo [KIND].

KIND is slow, empty, none, hostile, or long: a saved conversation of 200 turns is opened.
"""

from __future__ import annotations

import sys

from rag.domain import Answer, Conversation, SavedTurn, Status, Verdict
from rag.errors import EngineStopped, LibraryMissing, RagError
from tests.tui import scripted as script
from tui.app import FootnoteApp


def main(kind: str = "") -> int:
    answers: dict[str, Answer | RagError] = {
        "warranty": script.ABSTAINED,
        "brass": script.UNSUPPORTED,
        "every": script.EVERY,
        "good": script.SUPPORTED,
        "differ": script.DIFFERENT,
        "break": EngineStopped(
            "the engine stopped (out of memory, needed 3.9 GB of 3.1 GB)",
            "footnote models use reader",
        ),
        "": script.MIXED,
    }
    engine = script.Scripted(
        {"zzz": script.MIXED, **answers}, pause=0.3 if kind == "slow" else 0.02
    )
    if kind == "empty":
        engine.told = LibraryMissing("There is no library yet.", "footnote add FOLDER")
    if kind == "none":
        engine.told = Status("handbook", 0, 0, "reader")
    if kind == "writing":
        text = " ".join(f"Word {number} of the answer [1]." for number in range(600))
        engine.answers = {"": script.answer("q", [(text, Verdict.SUPPORTED, 1.0, [script.E1], [])])}
        engine.pause = 0.05
    if kind == "long":
        turns = tuple(
            SavedTurn(
                n, f"Question number {n}?", f"2026-01-01T10:{n % 60:02}:00+00:00", script.EVERY
            )
            for n in range(1, 201)
        )
        engine.saved = [(Conversation("long", "Long", turns[-1].asked, len(turns)), turns)]
    if kind == "hostile":
        boom = "x \x1b[2Jboom \x1b]52;c;aGk=\x07 y"
        document = script.document(f"before\n{boom}\nafter\n", boom, boom)
        passage = script.passage(document, 1, boom, "after")
        words = [script.evidence(passage, document, boom)]
        claim = (f"{boom} [1].", Verdict.SUPPORTED, 0.9, words, [boom])
        engine.answers, engine.texts = (
            {"": script.answer("q", [claim], (passage,))},
            (document,),
        )
    app = FootnoteApp(engine, reopen=kind == "long")
    app.run()
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
