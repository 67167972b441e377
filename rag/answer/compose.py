"""Joins the built-in reader's quotations and a chat model's sentences into one answer.

The order of the answer:

1. If the reader's sources differ, its quotations come first, all of them. Else its first quotation
   comes first if the model's first sentence lacks the reader's short answer.
2. The model's sentences follow that the check finds supported.
3. Quotations whose words are not in those sentences yet come last.

So an answer says nothing less than the reader's, and nothing that was not checked. A sentence in
the model's own words must also agree with one place of its source by its words
(`rag.answer.own_words`), and one without the reader's short answer must say something that the
question does not: a small model affirms what it is asked.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from rag.answer.attribute import Attribution, Search
from rag.answer.check import Judge
from rag.answer.evidence import text_at
from rag.answer.model_text import find_verbatim, unquote_what_is_not_verbatim
from rag.answer.own_words import Place, fault_of
from rag.answer.sentence_words import has_values
from rag.answer.spans import parts_of, path_and_text, quote_around
from rag.domain import (
    Citation,
    Claim,
    Draft,
    Passage,
    Piece,
    Quote,
    Sentence,
    Span,
    Verdict,
)
from rag.text import facts, quantities

#: share of the words of a quotation from which it is left out, as the sentences have said it
_SAID = 0.8
#: words of a fragment, for which the sentence around it is quoted
_FEW_WORDS = 5
#: share of the words of a question from which a sentence counts as an answer to it
_RESTATED = 0.8
#: share of the words of a sentence from which it counts as a repetition of one before it
_REPEATED = 0.9

#: reasons for which a sentence that the check lets pass is withheld
ECHO = "it has no word that the question does not have: a model affirms what it is asked"
OTHER_ANSWER = "it answers the question with something else than the reader found"
SCATTERED = "no single sentence of its source says all of it"

#: yields what is shown of a sentence, and returns its claim
Step = Generator[Draft | Piece | Claim | Passage, None, Claim | None]


class Composer:
    """The answer to one question while it is written.

    `pieces` are those of the reader's answer, `draft` its draft. `add` takes the model's sentences
    one by one, `rest` ends the answer.
    """

    def __init__(
        self,
        question: str,
        draft: Draft,
        pieces: Sequence[Piece],
        passages: Sequence[Passage],
        judge: Judge,
        search: Search,
    ) -> None:
        self._question, self._draft, self._pieces = question, draft, list(pieces)
        self._attribution = Attribution(passages, judge, search)
        self._quotes = [piece for piece in pieces if isinstance(piece, Quote)]
        self._quoted: list[Quote] = []  # the quotations that are shown
        self._shown: list[str] = []  # the texts of the model's sentences
        self._anything = False  # anything is shown
        self.answered = False  #: a sentence of the model is shown

    def add(self, text: str) -> Step:
        """Yield what is shown of a sentence of the model's; return its claim, None if it adds none.

        Nothing is yielded unless its verdict is `SUPPORTED`.
        """
        text = unquote_what_is_not_verbatim(text, self._attribution.passages)
        if self._repeats(text):
            return None
        quote = self._verbatim(text)
        known = len(self._attribution.passages)
        claim = _verbatim_claim(quote) if quote else self._attribution.claim(text)
        if claim.verdict is Verdict.SUPPORTED:
            claim = self._doubted(quote.text if quote else text, claim)
        if claim.verdict is not Verdict.SUPPORTED:
            return claim
        if quote:
            yield from self._show_quote(quote)
            return claim
        yield from self._attribution.passages[known:]
        yield from self._before(text)
        markers = "".join(f"[{c.number}]" for c in claim.sentence.citations)
        end = "." if text[-1].isalnum() else ""  # the next sentence must not run into this one
        yield from self._show(f"{text}{end} {markers}")
        self._shown.append(text)
        self.answered = True
        return claim

    def _doubted(self, text: str, claim: Claim) -> Claim:
        """The claim of a supported sentence, made `PARTLY` if there are reasons to doubt it."""
        reasons = self._doubts(text, claim) if claim.sentence.quote is None else ()
        if not reasons:
            return claim
        return replace(claim, verdict=Verdict.PARTLY, reasons=(*reasons, *claim.reasons))

    def _doubts(self, text: str, claim: Claim) -> tuple[str, ...]:
        """Why a sentence in the model's own words is not shown; () if it is."""
        own = set(facts.content_stems(text))
        asked = set(facts.content_stems(self._question))
        if own <= asked and not _has_answer(text, self._draft.short):
            return (ECHO,)
        if answers_otherwise(text, self._question, self._draft.short):
            return (OTHER_ANSWER,)
        numbers = {citation.number for citation in claim.sentence.citations}
        cited = [p for p in self._attribution.passages if p.number in numbers]
        places = [
            Place(*path_and_text(part)) for p in cited for part in parts_of(self._question, p)
        ]
        places += [Place(evidence.context, evidence.text) for evidence in claim.evidence]
        whole = "\n".join(p.chunk.text for p in cited)
        short = self._draft.short or ""
        fault = fault_of(text, self._question, places, whole, short, claim.score)
        return (SCATTERED, fault) if fault else ()

    def rest(self) -> Iterator[Piece]:
        """Yield the reader's pieces that say more than what is shown."""
        if not self._anything:
            yield from self._pieces
            return
        said = facts.content_stems(" ".join(self._shown))
        for quote in self._quotes:
            if not self._is_quoted(quote) and _share(quote.text, said) < _SAID:
                yield from self._show(quote)

    def _repeats(self, text: str) -> bool:
        """True if the sentence says nothing after the model's sentences before it.

        One without the short answer says nothing, either, after the reader's first quotation.
        """
        said = list(self._shown)
        if self._quotes and not _has_answer(text, self._draft.short):
            said.append(self._quotes[0].text)
        return any(_share(text, facts.content_stems(shown)) >= _REPEATED for shown in said)

    def _verbatim(self, text: str) -> Quote | None:
        """The sentence of a passage that is `text`, or has it if it is only a few words.

        The reader's quotations come first. A longer part of a sentence is not taken for it: what
        is left out may change the meaning, and the check decides.
        """
        words = " ".join(text.rstrip(".").split())
        few = len(words.split()) <= _FEW_WORDS
        for quote in self._quotes:
            quoted = " ".join(quote.text.split())
            if words in quoted if few else words == quoted.rstrip("."):
                return quote
        passages = self._attribution.passages
        place = find_verbatim(text, passages)
        if place is None:
            return None
        passage = next(p for p in passages if p.number == place.number)
        around = quote_around(passage.chunk, place.span)
        quote = Quote(text_at(passage, around), place.number, around)
        whole = len(" ".join(quote.text.split()).rstrip(". ")) <= len(words)
        return quote if few or whole else None

    def _show_quote(self, quote: Quote) -> Iterator[Draft | Piece]:
        self.answered = True
        self._shown.append(quote.text)
        if not self._is_quoted(quote):
            yield from self._before(quote.text)  # may show this very quotation
        if not self._is_quoted(quote):
            yield from self._show(quote)

    def _is_quoted(self, quote: Quote) -> bool:
        """Is part of a quotation shown? Spans are compared within a document."""
        document = self._document_of(quote)
        return any(
            shown.span.overlaps(quote.span) and self._document_of(shown) == document
            for shown in self._quoted
        )

    def _document_of(self, quote: Quote) -> str:
        passages = self._attribution.passages
        return next(p.chunk.document for p in passages if p.number == quote.number)

    def _before(self, text: str) -> Iterator[Piece]:
        """Yield what the reader says first, before the first sentence of the model."""
        if self._anything or not self._quotes:
            return
        if self._draft.differ:
            for piece in self._pieces:
                yield piece
                if isinstance(piece, Quote):
                    self._quoted.append(piece)
            self._anything = True
        elif not _has_answer(text, self._draft.short):
            yield from self._show(self._quotes[0])

    def _show(self, piece: Piece) -> Iterator[Piece]:
        if self._anything:
            yield " "
        yield piece
        self._anything = True
        if isinstance(piece, Quote):
            self._quoted.append(piece)


def answers_otherwise(text: str, question: str, short: str | None) -> bool:
    """True if a sentence answers, and not with the short answer.

    It has most words of the question, or is a few words without one of them.
    """
    shared = _share(question, facts.content_stems(text))
    answers = shared >= _RESTATED or (not shared and len(text.split()) <= _FEW_WORDS)
    return bool(short) and answers and not _has_answer(text, short)


def _has_answer(text: str, short: str | None) -> bool:
    """True if a sentence has every part of a short answer ("5 May; 7 May" has two)."""
    parts = [part for part in (short or "").split("; ") if part.strip()]
    stems = facts.content_stems(text)
    return bool(parts) and all(
        f" {part.casefold()} " in f" {text.casefold()} "
        or _share(part, stems) == 1.0
        or _agrees(part, text)
        for part in parts
    )


def _agrees(part: str, text: str) -> bool:
    """True if a short answer that is a number is in the text in another form."""
    dates, rest = facts.find_dates(part)
    return not dates and bool(quantities.find_numbers(rest)) and has_values(part, text)


def _share(text: str, stems: Sequence[str]) -> float:
    """Share of the content words of `text` that are among `stems`."""
    own = set(facts.content_stems(text))
    return len(own.intersection(stems)) / len(own) if own else 0.0


def _verbatim_claim(quote: Quote) -> Claim:
    citation = Citation(quote.number, Span(0, 0))
    sentence = Sentence(quote.text, Span(0, len(quote.text)), (citation,), quote.span)
    return Claim(sentence, (), Verdict.SUPPORTED, 1.0)
