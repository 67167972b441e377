"""Finds what mail programs and offices add to each mail: signatures, disclaimers, device notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.domain import Span
from rag.ingest.structure.replies import MailLine

#: lines of a signature; what follows "-- " for longer is text
_MAX_SIGNATURE_LINES = 20
#: lines below a greeting ("Kind regards,"), and characters of one
_MAX_BLOCK_LINES, _MAX_BLOCK_CHARS = 8, 80
#: words of a line that says something, rather than naming somebody
_MIN_SAYING_WORDS = 4
_MAX_PARAGRAPH_CHARS = 4000
_GREETING = re.compile(
    r"(?:(?:with |my |our )?(?:(?:kind|best|warm|many|very|all)(?:est)? )*"
    r"(?:regards|wishes|thanks|greetings)|(?:all the )?best|cheers|"
    r"thank you|thanks(?: a lot| again)?|"
    r"(?:yours )?(?:truly|sincerely|faithfully)(?: yours)?|take care|"
    r"mit (?:freundlichen|besten|lieben|herzlichen|vielen) grüßen|"
    r"(?:viele|liebe|beste|herzliche|freundliche|schöne) grüße|lg|vg|mfg|"
    r"(?:bien )?cordialement|salutations|"
    r"(?:un )?saludos?(?: cordiales)?|(?:cordiali|distinti) saluti|"
    r"(?:met )?vriendelijke groet(?:en)?|"
    r"(?:med )?vänliga? hälsning(?:ar)?|(?:med )?(?:venlig|vennlig) hilsen)"
    r"(?: from \w+)?\s?[,.!]?",
    re.I,
)
_DEVICE = re.compile(
    r"(?:sent from (?:my |outlook|yahoo|mail for|proton)|get outlook for |von meinem \w+ gesendet|"
    r"envoyé de mon |enviado desde mi |inviato da |verzonden vanaf |sent via |"
    r"please consider the environment before|virus-free\b|"
    r"to unsubscribe from this (?:group|list)|you received this message because you are subscribed)"
    r".{0,300}",
    re.I | re.S,
)
#: a paragraph with two of these is a disclaimer
_LEGAL = re.compile(
    r"intended (?:recipient|addressee|solely|only|for the)|addressee|confidential|privileged|"
    r"notify the sender|(?:notify|inform|contact|advise) us|received (?:it|this) in error|"
    r"in error|unauthori[sz]ed|(?:strictly )?prohibited|disclos(?:e|ure|ing)|dissemination|"
    r"delete (?:it|this|the)|accepts? no (?:liability|responsibility)|liability|viruses|"
    r"not necessarily (?:represent|those)|"
    r"vertraulich|nicht der (?:richtige|beabsichtigte|vorgesehene)|irrtümlich|unbefugt|vernichten|"
    r"confidentiel|destinataire|par erreur|confidencial|destinatario|por error|riservat[ae]|"
    r"vertrouwelijk|geadresseerde",
    re.I,
)
_ABOUT_MAIL = re.compile(
    r"\b(?:e-?mails?|messages?|communications?|transmissions?|attachments?|disclaimer|nachricht|"
    r"courriel|mensaje|correo|messaggio|bericht)\b",
    re.I,
)


def additions(lines: Sequence[MailLine], goes_on: bool = False) -> list[Span]:
    """Return the places, in order, of what is added to the words of one author.

    `goes_on`: other words of the same mail stand before; else a signature alone is its text.
    """
    begin = _delimiter(lines, goes_on)
    added = set(range(begin, len(lines)))
    for first, last in _paragraphs(lines, begin):
        text = " ".join(line.text for line in lines[first:last])[:_MAX_PARAGRAPH_CHARS]
        if _DEVICE.fullmatch(text) or _is_disclaimer(text):
            added.update(range(first, last))
    added.update(_greeting_block(lines, begin, added, goes_on))
    return list(_spans(lines, added))


def _delimiter(lines: Sequence[MailLine], goes_on: bool) -> int:
    """Return the number of the line "-- " above a signature, or that of lines."""
    for number in range(max(0, len(lines) - _MAX_SIGNATURE_LINES), len(lines)):
        begins = goes_on or any(line.text for line in lines[:number])
        if lines[number].raw.rstrip() == "--" and begins:
            return number
    return len(lines)


def _paragraphs(lines: Sequence[MailLine], end: int) -> Iterator[tuple[int, int]]:
    """Yield the numbers of the first line of each paragraph and of the line after it."""
    first = None
    for number in range(end + 1):
        if number < end and lines[number].raw.strip():
            first = number if first is None else first
        elif first is not None:
            yield first, number
            first = None


def _is_disclaimer(text: str) -> bool:
    phrases = {match[0].lower() for match in _LEGAL.finditer(text)}
    return len(phrases) >= 2 and bool(_ABOUT_MAIL.search(text))


def _greeting_block(lines: Sequence[MailLine], end: int, added: set[int], goes_on: bool) -> range:
    """Return the lines from "Kind regards," to the last of the names and addresses below it.

    None if something is said below, other than a postscript.
    """
    left = _MAX_BLOCK_LINES
    first = last = end
    for number in range(end - 1, -1, -1):
        text = lines[number].text
        if not text or number in added:
            continue
        if _GREETING.fullmatch(text):
            first = number
            break
        if text.lower().startswith(("ps:", "ps ", "p.s.")):
            last = number
        elif left and len(text) <= _MAX_BLOCK_CHARS and not _says(text):
            left -= 1
        else:
            break
    begins = goes_on or any(line.text for line in lines[:first])
    return range(first, last) if first < end and begins else range(0)


def _says(text: str) -> bool:
    return len(text.split()) >= _MIN_SAYING_WORDS and text.endswith((".", "!", "?"))


def _spans(lines: Sequence[MailLine], numbers: set[int]) -> Iterator[Span]:
    """Yield a span for each run of lines of `numbers` without a blank line in it."""
    first = None
    for number in range(len(lines) + 1):
        if number in numbers and lines[number].raw.strip():
            first = number if first is None else first
        elif first is not None:
            yield Span(lines[first].begin, lines[number - 1].end)
            first = None
