"""Recognises what is not done here: to summarise, translate, write, or judge.

No sentence of a document answers such a request. A quotation would be shown as supported, which
says nothing of the request, so one line says what can be done instead. A chat model is given few
sentences, from which it cannot do these things either.
"""

from __future__ import annotations

import re

from rag.domain import FoundAnswer, Reason

_PLEASE = r"\W*(?:please |can you |could you |would you |will you )*(?:please )?"
#: what is asked, and what the reader does not do
_REQUESTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(_PLEASE + pattern, re.I), said)
    for pattern, said in (
        (
            r"(?:summari[sz]e|give (?:me |us )?an? (?:short |brief )?(?:summary|overview|abstract) "
            r"of|write (?:me )?an? (?:short |brief )?summary|"
            r"what(?: is|['’]s) (?:(?:this|the) (?:document|file|text)|[\w./-]{1,80}\.\w{1,8}) "
            r"about)\b",
            "it writes no summary",
        ),
        (r"translate\b", "it does not translate"),
        (r"(?:paraphrase|rewrite|rephrase|reword|shorten)\b", "it does not rewrite a text"),
        (
            r"(?:write|compose|draft|invent|make up) (?:me |us |him |her |them )?"
            r"(?:an? |the |some )(?!.{0,80}\?\s*$)",
            "it writes no texts",
        ),
        (
            r"(?:what (?:do you think|is your (?:opinion|view|advice))|"
            r"do you (?:like|think|believe|agree|recommend|prefer)|"
            r"(?:which|what|who)(?: [\w-]+){0,4} (?:do|would) you "
            r"(?:like|prefer|recommend|choose|suggest))\b",
            "it has no opinion",
        ),
    )
)
_INSTEAD = "ask for what a document says (who, when, how much), or read it: footnote show DOCUMENT"


def refuse_what_is_not_quoted(question: str) -> FoundAnswer | None:
    """Return the abstention for a request that no quotation fulfils; None for a question."""
    for pattern, said in _REQUESTS:
        if pattern.match(question):
            return FoundAnswer.abstention(f"{said}; {_INSTEAD}", Reason.ONLY_QUOTES)
    return None
