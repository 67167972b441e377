"""Ask a folder of documents.

    python examples/ask_folder.py ~/notes "Who signed the lease?"

The library is the default one of the home (FOOTNOTE_HOME names another home). A second run embeds
only what changed in the folder.
"""

from __future__ import annotations

import sys

from rag import Bot, Config
from rag.events import Answered, Failed


def main(folder: str, question: str) -> int:
    """Add `folder`, ask `question`, print each sentence with its verdict and place.

    The exit code is 3 without an answer.
    """
    with Bot.open(Config.read()) as bot:
        for event in bot.add([folder]):
            if isinstance(event, Failed):
                print(f"not added: {event.source}: {event.reason}", file=sys.stderr)
        for event in bot.ask(question):
            if isinstance(event, Answered):
                answer = event.answer
    if answer.abstained:
        print(f"not answered: {answer.reason}")
        return 3
    for claim in answer.claims:
        print(f"{claim.verdict}: {claim.sentence.text}")
        for evidence in claim.evidence:
            print(f"    {evidence.source}, line {evidence.line}: {evidence.text!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
