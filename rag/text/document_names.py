"""Names of documents that a question gives as `@name`, compared with the sources of a library.

An `@` counts only at the begin of a word: "joe@example.org" names no document. A name with blanks
stands in quotation marks: `@"price list.pdf"`. A source is named by itself, by its end from a slash
on, or by its last part without its ending; upper and lower case are the same. A name that ends in a
slash is a folder.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.disk.paths import plain_name
from rag.domain import Span

#: characters of a name
MAX_NAME_CHARS = 300
#: sources that an unclear name is compared with, letter by letter
_MAX_COMPARED = 20_000
_NEAR = 0.72  #: least likeness of a name that is called near, 0..1
_REFERENCE = re.compile(
    rf"(?<![^\s(\[{{\"'“‘«,;])@(?:\"(?P<straight>[^\"\n]{{1,{MAX_NAME_CHARS}}})\""
    rf"|“(?P<curly>[^“”\n]{{1,{MAX_NAME_CHARS}}})”"
    rf"|(?P<bare>[^\s@\"“”«»()\[\]{{}}<>|,;?!]{{1,{MAX_NAME_CHARS}}}))"
)
#: a name that is being typed at the end of a text
_TYPED = re.compile(
    rf"(?<![^\s(\[{{\"'“‘«,;])@(?:\"(?P<quoted>[^\"\n]{{0,{MAX_NAME_CHARS}}})"
    rf"|(?P<bare>[^\s@\"“”«»()\[\]{{}}<>|,;?!]{{0,{MAX_NAME_CHARS}}}))\Z"
)
_END = ".:'’…*_"  #: characters behind a name that are not part of it
_ENDING = re.compile(r"\.[A-Za-z]\w{0,5}\Z")
_PLAIN = re.compile(r"[^\s@\"“”«»()\[\]{}<>|,;?!]+\Z")
#: words that lead to a name, and go with it if it is left out
_LEADING = re.compile(r"(?:^|(?<=\s))(?:only |and |or )?(?:in|from|according to|using)\s+\Z", re.I)
_FILLERS = frozenset("in from of see according to using only and or".split())
_MAX_FILLER_CHARS = 40


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A name after an `@`; `span` has the `@` in it."""

    name: str
    span: Span
    is_quoted: bool = False

    @property
    def is_path(self) -> bool:
        """Whether it can only be meant as a file: it is quoted, or has a slash or an ending."""
        return self.is_quoted or "/" in self.name or bool(_ENDING.search(self.name))


def named_documents(question: str) -> list[NamedDocument]:
    """Return the names that a question gives, in their order."""
    found = list[NamedDocument]()
    for match in _REFERENCE.finditer(question):
        quoted = match["straight"] or match["curly"]
        name = (quoted or match["bare"].rstrip(_END)).strip()
        if any(char.isalnum() for char in name):
            end = match.end() if quoted else match.start() + 1 + len(name)
            found.append(NamedDocument(name, Span(match.start(), end), bool(quoted)))
    return found


def typed_name(text: str) -> tuple[int, str] | None:
    """Return offset and begin of the name that is being typed at the end of a text."""
    start = max(0, len(text) - MAX_NAME_CHARS - 2)
    match = _TYPED.search(text, start)
    return (match.start(), match["quoted"] or match["bare"] or "") if match else None


def sources_named(name: str, sources: Iterable[str]) -> list[str]:
    """Return the sources that a name means: none, one, or several that it fits equally well."""
    wanted = _folded(name).removeprefix("./").rstrip("/")
    if not wanted:
        return []
    by_end, by_stem = list[str](), list[str]()
    for source in sources:
        folded = _folded(source)
        if folded == wanted:
            return [source]
        if folded.endswith(f"/{wanted.lstrip('/')}"):
            by_end.append(source)
        elif _ENDING.sub("", folded.rsplit("/", 1)[-1]) == wanted:
            by_stem.append(source)
    return by_end or by_stem


def sources_below(folder: str, sources: Iterable[str]) -> list[str]:
    """Return the sources in a folder that is named by its path, or by the end of it."""
    wanted = f"/{_folded(folder).strip('/')}/"
    return [source for source in sources if wanted in f"/{_folded(source)}"]


def near_names(name: str, sources: Sequence[str], limit: int) -> list[str]:
    """Return the sources whose names are most like `name` or hold it, the nearest first."""
    wanted = _ENDING.sub("", _last_part(name))
    holding = [source for source in sources if wanted and wanted in _last_part(source)]
    return list(dict.fromkeys([*alike_names(name, sources, limit), *holding]))[:limit]


def alike_names(name: str, sources: Sequence[str], limit: int) -> list[str]:
    """Return the sources whose names differ from `name` by few letters, the nearest first."""
    wanted = _last_part(name)
    by_name = dict[str, list[str]]()
    for source in sources[:_MAX_COMPARED]:
        last = _last_part(source)
        for written in {last, _ENDING.sub("", last)}:
            by_name.setdefault(written, []).append(source)
    alike = difflib.get_close_matches(wanted, by_name, limit, _NEAR) if wanted else []
    return list(dict.fromkeys(source for one in alike for source in by_name[one]))[:limit]


def complete_name(begin: str, sources: Iterable[str]) -> list[str]:
    """Return the sources whose name begins with `begin`, then those that have it elsewhere."""
    wanted = _folded(begin)
    first, then = list[str](), list[str]()
    for source in sources:
        folded = _folded(source)
        if folded.startswith(wanted) or folded.rsplit("/", 1)[-1].startswith(wanted):
            first.append(source)
        elif wanted in folded:
            then.append(source)
    return first + then


def written_name(source: str, sources: Sequence[str]) -> str:
    """Return `@` and the shortest name that means this source alone."""
    last = source.rsplit("/", 1)[-1]
    name = last if sources_named(last, sources) == [source] else source
    return f"@{name}" if _PLAIN.match(name) and name[-1] not in _END else f'@"{name}"'


def without_names(question: str, names: Sequence[NamedDocument]) -> str:
    """Return the question as it is looked up.

    Names at either end are left out, and one that "in" or "from" leads to; another one stays
    without `@`.
    """
    ends = [0, *(named.span.end for named in names)]
    starts = [*(named.span.start for named in names), len(question)]
    parts = [question[end:start] for end, start in zip(ends, starts, strict=True)]
    first, last = 0, len(parts) - 1
    while first < last and _is_filler(parts[first]):
        first += 1
    while last > first and _is_filler(parts[last]):
        last -= 1
    text = parts[first].lstrip(" \t\n,;:") if first else parts[0]
    for named, part in zip(names[first:last], parts[first + 1 : last + 1], strict=True):
        kept = _without_leading_words(text)
        text = (kept.rstrip() if kept != text else text + named.name.rsplit("/", 1)[-1]) + part
    if last < len(parts) - 1:
        mark = "?" if "?" in parts[-1] else ""
        text = _without_leading_words(text).rstrip(" \t\n,;:") + mark
    return text.strip()


def _is_filler(part: str) -> bool:
    """Whether a part of a question beside a name says nothing by itself."""
    if len(part) > _MAX_FILLER_CHARS:
        return False
    return set(re.findall(r"\w+", part.lower())) <= _FILLERS


def _without_leading_words(text: str) -> str:
    """Return `text` without the words at its end that lead to a name."""
    tail = text[-_MAX_FILLER_CHARS:]
    match = _LEADING.search(tail)
    return text[: len(text) - len(tail) + match.start()] if match else text


@lru_cache(2**15)
def _folded(name: str) -> str:
    return plain_name(name).casefold()


def _last_part(name: str) -> str:
    return _folded(name.rstrip("/").rsplit("/", 1)[-1])
