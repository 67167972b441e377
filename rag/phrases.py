"""Words for people: one phrase for every verdict and for every reason of an abstention.

The command line and the chat both print these, so that they never differ. JSON uses the values of
the enums instead.
"""

from __future__ import annotations

from rag.domain import FileState, Reason, Verdict

#: The result of the check for one sentence.
VERDICT_PHRASES: dict[Verdict, str] = {
    Verdict.SUPPORTED: "supported",
    Verdict.PARTLY: "partly supported",
    Verdict.UNSUPPORTED: "unsupported",
    Verdict.CONTRADICTED: "contradicted",
    Verdict.UNCITED: "without a source",
    Verdict.DANGLING: "no such source",
    Verdict.NEEDS_NONE: "needs no source",
}

#: What became of a cited file since the answer.
FILE_STATE_PHRASES: dict[FileState, str] = {
    FileState.SAME: "as it was",
    FileState.CHANGED: "the file has changed since the answer",
    FileState.MOVED: "the file has another name now",
    FileState.GONE: "the file is gone",
}

#: Why there is no answer, as a clause that follows `NOT_ANSWERED`.
ABSTENTION_PHRASES: dict[Reason, str] = {
    Reason.EMPTY_LIBRARY: "the library is empty.",
    Reason.NOTHING_FOUND: "no passage of the library comes near the question.",
    Reason.NOT_ANSWERED: "the library does not say.",
    Reason.UNSUPPORTED: "the passages do not support what was written.",
    Reason.TOO_LONG: "not one passage fits into the model's context.",
}

#: The label of an abstention.
NOT_ANSWERED = "NOT ANSWERED"
#: The command that fills an empty library.
ADD_COMMAND = "footnote add FOLDER"
#: The label of an answer whose sources contradict each other.
SOURCES_DIFFER = "the sources differ"
#: The label of a masked line that would answer the question.
LINE_LEFT_OUT = "a repeated line was left out"
#: The label in front of the advice that follows an error.
HINT = "hint:"


def abstention_phrase(reason: Reason | None) -> str:
    """Return why there is no answer. An answer without a reason counts as `NOT_ANSWERED`."""
    return ABSTENTION_PHRASES[reason or Reason.NOT_ANSWERED]
