"""Plain words for the figures of an evaluation run, and what each figure means."""

from __future__ import annotations

from rag.text.foreign_marks import quote_foreign

#: Figures in words; others are shown by their names.
WORDS = {
    "retrieval.recall@1": "right document is first",
    "retrieval.recall@5": "right documents, first 5",
    "retrieval.recall@10": "right documents, first 10",
    "retrieval.quote_recall@5": "right words, first 5",
    "retrieval.quote_recall@10": "right words, first 10",
    "answer.em": "short answer exact",
    "answer.f1": "F1 of the short answer",
    "answer.contains": "contains right answer",
    "overall.em": "exact, all questions",
    "overall.f1": "F1, all questions",
    "citation.valid": "citations with a source",
    "citation.quote_exact": "quotations word for word",
    "citation.precision": "cited documents right",
    "citation.recall": "right documents cited",
    "citation.supported": "sentences supported",
    "abstention.precision": "refusals that are right",
    "abstention.recall": "refused when it should",
    "abstention.f1": "F1 of refusing",
    "abstention.answered_wrongly": "answered, should refuse",
    "seconds.total.p50": "seconds, median",
    "seconds.total.p95": "seconds, 95 %",
    "seconds.first.p50": "first words, median",
    "seconds.first.p95": "first words, 95 %",
    "seconds.retrieve.p50": "search seconds, median",
    "seconds.retrieve.p95": "search seconds, 95 %",
}
_FIRST = "of the passages that the search found"
_SHARED = "how many words answer and right answer share, from 0 to 1"
#: What figures mean; the name may be the beginning of several.
_MEANINGS = {
    "retrieval.recall": f"the share of the right documents among the first {_FIRST}",
    "retrieval.quote_recall": f"the share of the right places in the text among the first {_FIRST}",
    "answer.em": "the share of short answers that are exactly a right one",
    "answer.f1": _SHARED,
    "answer.contains": "the share of answers that have a right answer in them",
    "overall.em": "as exact, over all questions: a right refusal counts as right",
    "overall.f1": f"{_SHARED}; a right refusal counts as 1",
    "citation.valid": "the share of footnotes whose source exists",
    "citation.quote_exact": "the share of quotations that stand word for word in their source",
    "citation.precision": "the share of cited documents that are right ones",
    "citation.recall": "the share of the right documents that are cited",
    "citation.supported": "the share of sentences that the check found supported",
    "abstention.precision": "the share of refusals where there is no answer in the documents",
    "abstention.recall": "the share of questions without an answer that were refused",
    "abstention.f1": "both figures of refusing in one; 1.00: refused when it should, and only then",
    "abstention.answered_wrongly": "the share of questions without an answer that got one",
    "seconds.total": "the time of a whole answer",
    "seconds.first": "the time until the first words of an answer",
    "seconds.retrieve": "the time of the search",
}
_SECONDS = {"p50": "half of the questions took less", "p95": "95 of 100 questions took less"}
#: What the columns of a run mean, and when a change counts.
INTERVAL_WORDS = "low … high: how far chance may move it (95 of 100 times); n: how many questions"
CHANGE_WORDS = "better or worse: hardly by chance (less than 5 of 100 times, by Holm's adjustment)"
#: The kinds of settings whose changes are noted.
_SETTINGS = {"config": "setting", "weights": "model file"}


def words_of(figure: str) -> str:
    """Return a figure in words."""
    return WORDS.get(figure, quote_foreign(figure))


def meaning_of(figure: str) -> str:
    """Return what a figure means, in a sentence; "" if that is not known."""
    group, _, part = figure.rpartition(".")
    for name in (figure, figure.partition("@")[0], group):
        if name in _MEANINGS:
            share = _SECONDS.get(part, "")
            meaning = f"{_MEANINGS[name]}: {share}" if share else _MEANINGS[name]
            return f"{words_of(figure)}: {meaning}"
    return ""


def reason_words(reason: str) -> str:
    """Return why a question changed; a figure at its beginning in words. Foreign text is quoted."""
    name, blank, change = reason.partition(" ")
    return quote_foreign(f"{WORDS[name]}{blank}{change}" if name in WORDS else reason)


def note_words(note: str) -> str:
    """Return a note on a comparison; a setting that differs as before and now.

    A setting that one run alone has is said to be not set in the other.
    """
    name, colon, values = note.partition(": ")
    kind, _, key = name.partition(".")
    before, arrow, now = values.partition(" -> ")
    if not (colon and arrow and key and kind in _SETTINGS):
        return quote_foreign(note)
    old, new = ("not set" if value == "None" else value for value in (before, now))
    return quote_foreign(f"{_SETTINGS[kind]} {key}: before {old}, now {new}")
