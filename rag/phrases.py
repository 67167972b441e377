"""Words for people: one phrase for every verdict and for every reason of an abstention.

The command line and the chat both print these, so that they never differ. JSON uses the values of
the enums instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.domain import (
    Answer,
    Answers,
    Claim,
    FileState,
    Judgement,
    ModelFailure,
    Reason,
    Verdict,
)

#: The result of the check for one sentence.
VERDICT_PHRASES: dict[Verdict, str] = {
    Verdict.SUPPORTED: "supported",
    Verdict.PARTLY: "partly supported",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.UNCITED: "without a source",
    Verdict.DANGLING: "no such source",
    Verdict.NEEDS_NONE: "needs no source",
    Verdict.COMPUTED: "computed",
    Verdict.LISTED: "from the list",
}

#: What became of a cited file since the answer.
FILE_STATE_PHRASES: dict[FileState, str] = {
    FileState.SAME: "as it was",
    FileState.CHANGED: "the file has changed since the answer",
    FileState.MOVED: "the file has another name now",
    FileState.GONE: "the file is gone",
    FileState.REMOVED: "it is no longer in the library",
    FileState.UNKNOWN: "not known",
}

#: Why there is no answer, as a clause that follows `NOT_ANSWERED`.
ABSTENTION_PHRASES: dict[Reason, str] = {
    Reason.EMPTY_LIBRARY: "the library is empty.",
    Reason.NOTHING_FOUND: "no passage of the library comes near the question.",
    Reason.NOT_ANSWERED: "no clear answer was found.",
    Reason.UNSUPPORTED: "the passages do not support what was written.",
    Reason.ONLY_QUOTES: "Footnote answers from what documents say and does nothing else.",
    Reason.TOO_LONG: "not one passage fits into what the model can read at once.",
    Reason.OTHER_LANGUAGE: (
        "the question or the nearest passages are in a language that the built-in reader does not "
        "read."
    ),
}

#: The same where some documents alone were searched.
ABSTENTION_PHRASES_WITHIN: dict[Reason, str] = {
    Reason.NOTHING_FOUND: "no passage there comes near the question.",
    Reason.NOT_ANSWERED: "no clear answer was found there.",
}
#: How many documents are named that alone were searched.
MAX_LOOKED_IN = 5

#: What has become of the file of a source. A file that is the same, or unknown, is not mentioned.
FILE_PHRASES: dict[FileState, str] = {
    FileState.CHANGED: "the file has changed since it was read",
    FileState.GONE: "the file is gone",
}
#: The command that reads such files again.
REFRESH_COMMAND = "footnote ask --refresh"

#: The label and the sign of a sentence that stands in its source and is not surely an answer.
RELATED, RELATED_SIGN = "related", "≈"
#: The label of an abstention.
NOT_ANSWERED = "NOT ANSWERED"
#: The command that fills an empty library.
ADD_COMMAND = "footnote add FOLDER"
#: The label of an answer whose sources contradict each other.
SOURCES_DIFFER = "the sources differ"
#: The label of a masked line that would answer the question.
LINE_LEFT_OUT = "a repeated line was left out"
#: The label of a sentence of a chat model that is not part of the answer.
WITHHELD = "withheld"
#: beside a model of a server, with its host
SENT_TO = "text is sent to {}"
#: The label in front of the advice that follows an error.
HINT = "hint:"


def abstention_phrase(reason: Reason | None, within: Sequence[str] = ()) -> str:
    """Return why there is no answer. An answer without a reason counts as `NOT_ANSWERED`.

    `within` are the sources that alone were searched.
    """
    reason = reason or Reason.NOT_ANSWERED
    if within and reason in ABSTENTION_PHRASES_WITHIN:
        return ABSTENTION_PHRASES_WITHIN[reason]
    return ABSTENTION_PHRASES[reason]


def looked_in(within: Sequence[str]) -> str:
    """Return which documents alone were searched, as foreign text; "" for all."""
    named = ", ".join(within[:MAX_LOOKED_IN])
    more = f" and {len(within) - MAX_LOOKED_IN} more" if len(within) > MAX_LOOKED_IN else ""
    return f"looked only in {named}{more}" if within else ""


def file_notes(answer: Answer) -> list[tuple[str, str]]:
    """Return source and phrase of each cited file that has changed or is gone, each once.

    Of an abstention, which cites nothing, all its passages count.
    """
    cited = {e.number for claim in answer.claims for e in claim.evidence}
    cited |= {c.number for claim in answer.claims for c in claim.sentence.citations}
    notes = dict[tuple[str, str], None]()
    for passage in answer.passages:
        if passage.file in FILE_PHRASES and (answer.abstained or passage.number in cited):
            notes[passage.chunk.source, FILE_PHRASES[passage.file]] = None
    return list(notes)


def judgement_phrase(judgement: Judgement) -> str:
    """Return whether a sentence answers what was asked, how likely, and what it lacks."""
    chance = "" if judgement.chance is None else f" ({100 * judgement.chance:.0f} %)"
    reasons = "; ".join(judgement.reasons)
    return f"answers: {judgement.answers.value}{chance}" + (f": {reasons}" if reasons else "")


def is_related(judgement: Judgement | None) -> bool:
    """Tell whether a sentence is only related: it was judged, and is not surely an answer."""
    return judgement is not None and judgement.answers is not Answers.YES


def withheld_reason(claim: Claim) -> str:
    """Return what is wrong with a withheld sentence: its verdict, and the first reason for it."""
    found = [reason for reason in claim.reasons if not reason.startswith("model: ")]
    return ": ".join([VERDICT_PHRASES[claim.verdict], *found[:1]])


def failure_phrase(failure: ModelFailure) -> str:
    """Return which chat model failed, what happened, and whose the answer is."""
    whose = (
        "what it had written before is checked, the rest is the built-in reader's"
        if failure.wrote
        else "this is the built-in reader's answer"
    )
    return f"the chat model {failure.name} failed: {failure.what}; {whose}"
