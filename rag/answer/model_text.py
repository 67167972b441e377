"""Cleans a chat model's text: cuts it into sentences, removes markers and template tokens."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from rag.domain import Passage, Quote, Span
from rag.text.sentences import split_sentences

_MARKER = re.compile(r"[ \t]*\[\d[\d ,;]{0,20}\]")
_PASSAGE_NAME = re.compile(
    r"\(?\b(?:according to |from |see |in )?(?:the )?(?:passage|note|source)s? \d{1,3}\b\)?[:,]?",
    re.I,
)
_TEMPLATE_TOKEN = re.compile(r"<\|[^<>|\n]{1,40}\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>")
_LABEL = re.compile(r"^[-*•>#\d.)\s]{0,20}(?:answer|assistant|response|a)\s{0,9}:\s*", re.I)
_BULLET = re.compile(r"^(?:[-*•>#]+\s+)+")
_CODE = re.compile(r"(?<!`)`([^`\n]{1,100})`(?!`)")
_ECHO = re.compile(r"^(?:question|notes|user|system)\s*:", re.I)
_QUOTED = re.compile(r"[\"“]([^\"“”\n]{1,400})[\"”]")
_QUOTATION_MARK = re.compile(r"[\"“”]")
#: outside of quotations; behind a number it stands for inches
_LONE_MARK = re.compile(r"[“”]|(?<!\d)\"")
#: a lead that says where the answer comes from and nothing else
_LEAD = re.compile(
    r"^(?:according to|based on|from) the (?:given |provided )?"
    r"(?:notes?|text|passages?|information)(?: provided| given)?,\s*",
    re.I,
)
_MAX_SENTENCE_CHARS = 600


def sentences_of(pieces: Iterable[str]) -> Iterator[str]:
    """Yield each sentence of a model's text once it is complete, on one line and uncleaned."""
    text = ""
    for piece in pieces:
        text += piece
        if not (piece.strip() or "\n" in piece):
            continue
        while (ends := _ends(text)) or len(text) > _MAX_SENTENCE_CHARS:
            start = 0
            for end in ends or [_MAX_SENTENCE_CHARS]:
                if sentence := " ".join(text[start:end].split()):
                    yield sentence
                start = end
            text = text[start:]
    for span in split_sentences(text):
        if rest := " ".join(span.of(text).split()):
            yield rest


def _ends(text: str) -> list[int]:
    """Where the sentences of the first line of `text` end behind which something has begun."""
    text = text[:_MAX_SENTENCE_CHARS]
    lead = len(text) - len(text.lstrip())
    line = text.find("\n", lead)
    spans = list(split_sentences(text if line < 0 else text[:line]))
    ends = [span.start for span in spans[1:]]
    return [*ends, line + 1] if line >= 0 else ends


def clean_sentence(text: str, question: str) -> str:
    """The sentence without markers, names of passages, template tokens and labels.

    "" if nothing is left, or if it repeats the question or a line of the prompt.
    """
    text = " ".join(_TEMPLATE_TOKEN.sub(" ", text).split())
    text = _MARKER.sub("", text)
    text = _LABEL.sub("", " ".join(text.split()))
    if _ECHO.match(text):
        return ""
    text = _BULLET.sub("", text).replace("**", "")
    text = _CODE.sub(r"\1", text)
    lead = _LEAD.match(text)
    if lead:
        text = text[lead.end() : lead.end() + 1].upper() + text[lead.end() + 1 :]
    text = " ".join(_PASSAGE_NAME.sub("", text).split()).strip()
    if not any(character.isalnum() for character in text):
        return ""
    return "" if _folded(text) == _folded(question) else text


def _folded(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()


def unquote_what_is_not_verbatim(text: str, passages: Sequence[Passage]) -> str:
    """The text without marks that stand alone or around words that no passage has verbatim."""
    if not _QUOTATION_MARK.search(text):
        return text
    whole = [" ".join(passage.chunk.text.split()) for passage in passages]
    parts, at = list[str](), 0
    for match in _QUOTED.finditer(text):
        bare = " ".join(match[1].split()).rstrip(".,;:!?")
        kept = bare and any(bare in other for other in whole)
        parts += (_LONE_MARK.sub("", text[at : match.start()]), match[0] if kept else match[1])
        at = match.end()
    return " ".join("".join((*parts, _LONE_MARK.sub("", text[at:]))).split())


def find_verbatim(text: str, passages: Sequence[Passage]) -> Quote | None:
    """The place of a text in the first passage that has it word for word, white space folded."""
    words = text.strip().strip("\"“”'").rstrip(".").split()
    if not words:
        return None
    left = r"(?<!\w)" if words[0][0].isalnum() else ""
    right = r"(?!\w)" if words[-1][-1].isalnum() else ""
    pattern = re.compile(left + r"\s+".join(map(re.escape, words)) + right)
    for passage in passages:
        chunk = passage.chunk
        if match := pattern.search(chunk.text):
            start = chunk.span.start
            return Quote(match[0], passage.number, Span(start + match.start(), start + match.end()))
    return None
