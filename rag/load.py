"""Path -> raw text, title, date, pages. One small function a format; the rest is finding files without being led astray.

Only regular files are opened, without following links and without blocking, and never past `LARGEST` bytes. For .txt and
.md the text is the decoded file, unchanged but for a byte order mark, so that spans point into the user's own file.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rag.domain import Raw, Span
from rag.errors import Unreadable, Usage
from rag.facts import dates

LARGEST = 256 * 2**20  #: bytes; a larger file is refused
_BOMS: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
)
_BOMS += ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_NO_FILE = ("is not a regular file (a folder, a pipe, a socket or a device)", "save its contents to a file")
_SKIPPED = {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was found: `path` absolute, `source` as a person names it. `size` in bytes, `mtime` in ns."""

    path: str
    source: str
    size: int
    mtime: int


def walk(root: str) -> Iterator[File]:
    """The regular files under `root` (a file or a folder), sorted; sources begin with the root's own name.

    Symbolic links are not followed. Hidden files and folders and build outputs are passed over. Raises `Unreadable`
    where the root itself cannot be read; a folder in it that cannot be listed is given as a file, to be reported as one.
    """
    top = os.path.abspath(root)
    try:
        mode = os.lstat(top).st_mode
    except OSError as error:
        raise Unreadable(f"{root}: {error.strerror}", "give the path of a file or folder that is there") from error
    base = os.path.dirname(top)
    if not stat.S_ISDIR(mode):
        yield _file(top, base)
        return
    refused: list[OSError] = []
    for folder, folders, names in os.walk(top, followlinks=False, onerror=refused.append):
        folders[:] = sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if not name.startswith(".") and os.path.lexists(path):
                yield _file(path, base)
    for failure in refused:
        if failure.filename == top:
            raise Unreadable(f"{root}: {failure.strerror}", "make the folder readable, or add its files one by one")
        yield File(failure.filename, os.path.relpath(failure.filename, base), 0, 0)  # fails by name when it is read


def _file(path: str, base: str) -> File:
    known = os.lstat(path)
    return File(path, os.path.relpath(path, base), known.st_size, known.st_mtime_ns)


def read_bytes(path: str) -> bytes:
    """All bytes of a regular file. Raises `Unreadable` for links, pipes, devices, files over `LARGEST`, and I/O errors."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if os.path.islink(path):
            raise Unreadable("is a symbolic link", "add the file it points to") from error
        if os.path.exists(path) and stat.S_ISSOCK(os.lstat(path).st_mode):
            raise Unreadable(*_NO_FILE) from error
        raise Unreadable(error.strerror or "cannot be opened", "make it readable") from error
    known = os.fstat(descriptor)
    if not stat.S_ISREG(known.st_mode):
        os.close(descriptor)
        raise Unreadable(*_NO_FILE)
    with os.fdopen(descriptor, "rb") as file:
        if known.st_size > LARGEST:
            raise Unreadable(f"is {known.st_size / 2**20:.0f} MB, over {LARGEST / 2**20:.0f} MB", "split it")
        try:
            return file.read(LARGEST + 1)
        except OSError as error:
            raise Unreadable(error.strerror or "cannot be read", "check the disk") from error


def decode(content: bytes) -> str:
    """Bytes -> text: a byte order mark, else UTF-8, else what `charset-normalizer` takes it for.

    UTF-8 with a few broken bytes stays UTF-8, each of them shown as U+FFFD. Raises `Unreadable` for binary content.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding).removeprefix("\ufeff")
            except UnicodeDecodeError as error:
                raise Unreadable(f"says {encoding} and is not: {error.reason}", "save it again as UTF-8") from error
    if b"\0" in content:
        return _without_mark(content)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="replace")
    if len(re.findall(r"[^\x00-\x7f]", text)) >= 2 * text.count("\ufffd"):
        return text
    return content.decode(_encoding(content), errors="replace")


def _encoding(content: bytes) -> str:
    """The encoding of text that is not UTF-8. Where Windows-1252 may be it, that is taken before its rarer relatives."""
    from charset_normalizer import from_bytes

    first = next(m.start() for m in re.finditer(rb"[\x80-\xff]", content))
    sample = content[max(0, first - 1000) : first + 1_000_000]
    high = len(re.findall(rb"[\x80-\xff]", sample))
    if high < 6 and 3 * high <= len(sample):  # too little to tell
        return "cp1252"
    found = from_bytes(sample, cp_exclusion=_WIDE)
    best = found.best()
    if best is None:
        raise Unreadable("is in no encoding that can be told", "save it again as UTF-8")
    likely = {name for match in found for name in (match.encoding, *match.could_be_from_charset)}
    return "cp1252" if "cp1252" in likely and best.encoding not in _OTHERS else best.encoding


_WIDE = ["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be"]
_OTHERS = {"cp1251", "cp1253", "cp1254", "koi8_r", "cp932", "euc_jp", "cp949", "gb18030", "big5"}


def _without_mark(content: bytes) -> str:
    """UTF-16 that lost its byte order mark has its zeros all in odd, or all in even places; anything else is binary."""
    head = content[:4096]
    odd, even = head[1::2].count(0), head[0::2].count(0)
    for zeros, other, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > len(head) // 4 and other == 0 and len(content) % 2 == 0:
            try:
                return content.decode(encoding)
            except UnicodeDecodeError:
                break
    raise Unreadable("is binary (it contains zero bytes)", "convert it to text")


def load(file: File) -> Iterator[Raw]:
    """The documents of one file: one, or as many as a corpus file holds. Raises `Unreadable` with reason and cure."""
    name = file.path.lower().removesuffix(".gz")
    reader = _READERS.get(os.path.splitext(name)[1])
    if reader is None:
        raise Unreadable("is of a kind that is not read yet", "save it as " + ", ".join(sorted(_READERS)))
    content = read_bytes(file.path)
    if file.path.lower().endswith(".gz"):
        content = _unzipped(content)
    yield from reader(content)


def _unzipped(content: bytes) -> bytes:
    import io

    try:
        with gzip.open(io.BytesIO(content)) as unzipped:
            text = unzipped.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(f"is not a whole gzip file: {error}", "make or fetch it again") from error
    if len(text) > LARGEST:
        raise Unreadable(f"unpacks to more than {LARGEST / 2**20:.0f} MB", "split it")
    return text


def _text(content: bytes) -> Iterator[Raw]:
    text = decode(content)
    if not text.strip():
        raise Unreadable("has no text", "remove it, or check that it was saved whole")
    yield Raw(text, date=_said_date(text))


def _markdown(content: bytes) -> Iterator[Raw]:
    for raw in _text(content):
        front = re.match(r"---[ \t]*\r?\n(?=[\w-]+:)(.*?)\r?\n---[ \t]*\r?(?:\n|$)", raw.text, re.S)
        said = dict(re.findall(r"(?m)^(title|date):\s*[\"']?(.+?)[\"']?\s*$", front.group(1))) if front else {}
        heading = re.search(r"(?m)^#\s+(.+?)\s*#*\r?$", re.sub(r"(?ms)^```.*?^```", "", raw.text))
        title = said.get("title") or (heading.group(1) if heading else "")
        day = dates(said.get("date", ""))[0]
        date = next((d.iso for d in day if d.iso), raw.date)
        yield Raw(raw.text, title.strip(), date, masked=(Span(0, front.end()),) if front else ())


def _html(content: bytes) -> Iterator[Raw]:
    """The text a browser would show, a line a block; what `trafilatura` does not take for the article is masked."""
    if b"\0" in content:
        content = decode(content).encode("utf-8", "replace")
    with warnings.catch_warnings():  # the parsers' advice to programmers is nothing for a screen
        warnings.simplefilter("ignore")
        yield _page(content)


def _page(content: bytes) -> Raw:
    import trafilatura
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(content, "lxml")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    lines = (" ".join(line.split()) for line in "".join(_shown(soup)).split("\n"))
    text = "\n".join(line for line in lines if line) + "\n"
    if not text.strip():
        raise Unreadable("shows no text", "if the page is drawn by a script, save it from a browser")
    try:
        article = trafilatura.bare_extraction(content, with_metadata=True, include_comments=False)
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError):  # it cannot tell: nothing is masked
        article = None
    if article is None:
        return Raw(text, title)
    kept = " ".join((article.text or "").split())
    return Raw(text, article.title or title, article.date, masked=_outside(text, kept))


def _shown(soup: Any) -> Iterator[str]:
    """The strings of a page that a browser shows, line breaks where blocks begin and end. Not recursive: pages nest deep."""
    todo = [(soup, False)]
    while todo:
        node, as_it_is = todo.pop()
        if type(node).__name__ in ("str", "NavigableString", "CData"):
            yield node if as_it_is else re.sub(r"\s+", " ", node)
        elif getattr(node, "contents", None) is not None and node.name not in _HIDDEN:
            if node.name in _BLOCKS:
                yield "\n"
                todo.append(("\n", True))
            as_it_is = as_it_is or node.name in ("pre", "textarea")
            todo += [(child, as_it_is) for child in node.contents[::-1]]


_HIDDEN = {"script", "style", "noscript", "template", "svg", "head", "iframe"}
_BLOCKS = frozenset(
    (
        "p div section article header footer nav aside main h1 h2 h3 h4 h5 h6 li ul ol dl dt dd table tr td th "
        "blockquote pre figure figcaption form fieldset hr br address option button label"
    ).split()
)


def _outside(text: str, kept: str) -> tuple[Span, ...]:
    """Spans of the lines of `text` that are not in `kept`; nothing where `kept` would be little, or under a third of it all."""
    spans, at, last, lost = [], 0, 0, 0
    for line in text.split("\n"):
        bare = " ".join(line.split())
        found = kept.find(bare, last)
        found = kept.find(bare) if found < 0 else found  # lines come in order, nearly always
        if found < 0:
            spans.append(Span(at, at + len(line)))
            lost += len(bare)
        last = max(found, last)
        at += len(line) + 1
    return tuple(spans) if len(kept) >= 200 and lost <= 2 * len(kept) else ()


def _corpus(content: bytes) -> Iterator[Raw]:
    """All documents of a corpus file, or none of them: a bad line is found before the first is given out."""
    found: dict[str, Raw] = {}
    for number, line in enumerate(decode(content).split("\n"), 1):
        if not line.strip():
            continue
        if number == 1 and '"question"' in line and '"text"' not in line:
            return  # questions for an eval lie beside the documents they are about; they are not documents
        name, text, title, date = _record(line, number)
        if name in found:
            raise Unreadable(f"line {number}: the id {name!r} stands twice", "give every document an id of its own")
        found[name] = Raw(text, title, date, name=name)
    if not any(raw.text.strip() for raw in found.values()):
        raise Unreadable("holds no document with text", 'a corpus has one {"id", "text"} a line')
    yield from (raw for raw in found.values() if raw.text.strip())


def _record(line: str, number: int) -> tuple[str, str, str, str | None]:
    cure = 'a corpus has one JSON object {"id", "text", "title"?, "date"?} a line'
    try:
        record: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise Unreadable(f"line {number} is not JSON: {error.msg} at character {error.colno}", cure) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"line {number} is not JSON that can be read: {error}", cure) from error
    if (
        not isinstance(record, dict)
        or not record.get("id")
        or not all(isinstance(record.get(k), str) for k in ("id", "text"))
    ):
        raise Unreadable(f'line {number} has no "id" and "text"', cure)
    try:
        "".join((record["id"], record["text"], str(record.get("title") or ""))).encode()
    except UnicodeEncodeError as error:
        raise Unreadable(f"line {number}: half a surrogate pair in its id, title or text", "mend it") from error
    date = next((d.iso for d in dates(str(record.get("date") or ""))[0] if d.iso), None)
    return record["id"], record["text"], str(record.get("title") or ""), date


def _said_date(text: str) -> str | None:
    """The day a text gives itself: in a short line of its first 15 that is not a sentence (a dateline, a header)."""
    for line in text.split("\n", 15)[:15]:
        if len(line) <= 120 and not line.rstrip().endswith((".", "!", "?", "”", '"')):
            for date in dates(line)[0]:
                if date.iso:
                    return date.iso
    return None


_READERS: dict[str, Callable[[bytes], Iterator[Raw]]] = {
    ".txt": _text,
    ".text": _text,
    ".md": _markdown,
    ".markdown": _markdown,
    ".html": _html,
    ".htm": _html,
    ".jsonl": _corpus,
}


def questions(path: str) -> str:
    """The text of a .jsonl or .jsonl.gz that is not a corpus (an eval's questions, a check's claims)."""
    try:
        content = read_bytes(os.path.abspath(path))
        return decode(_unzipped(content) if path.endswith(".gz") else content)
    except Unreadable as error:
        raise Usage(f"{path}: {error}", error.cure) from error
