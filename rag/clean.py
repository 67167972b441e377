"""Raw text -> the canonical text that all spans refer to, and the mask of page furniture.

The text is never altered: a scraped page keeps its "Please Wait...", but the mask says that this line is neither chunked
nor quoted, and a screen shows it dimmed. A line is masked only as a whole, only when it is short, and only for one of
these reasons; anything that might be a statement stays.

1. It says nothing but what buttons, menus and notices of web pages say ("Related Articles", "log in or register").
2. It is glued together from names of icon fonts ("access_time2 years ago"), or is a bare age ("2 years ago").
3. It is a picture credit or a byline of an agency.
4. It is in another script than the document, and short: furniture of another language's template.
5. It repeats a line above it word for word.
6. Only furniture stands before it: a site's own motto ("Stay tuned for updates ...").
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter

from rag.domain import Document, Raw, Span

_LONGEST = 160  # characters of a line that may be furniture
_PHRASES = re.compile(
    r"""(?:no\s?script|please\s+wait|loading|(?:to\s+participate\s+in\s+the\s+discussion,?\s*)?(?:please\s+)?
    (?:log|sign)\s?in(?:\s+or\s+(?:register|sign\s?up))?|to\s+participate\s+in\s+the\s+discussion|register|sign\s?up|subscribe(?:\s+now)?|
    related\s+(?:articles?|stories|posts|news|topics)|read\s+(?:more|also|next|full\s+(?:article|story))|see\s+also|more\s+(?:news|stories)|
    back\s+to\s+top(?:\s+button)?|(?:scroll|go)\s+to\s+top|all\s+news|latest\s+news|breaking\s+news|top\s+stories|most\s+(?:read|popular)|
    (?:leave\s+a\s+|post\s+a\s+|add\s+a\s+|no\s+|\d+\s+)?comments?|leave\s+a\s+reply|share(?:\s+(?:this|on)(?:\s+\w+){0,3})?|print(?:\s+this(?:\s+page)?)?|
    (?:star)?\s*add\s+to\s+favou?rites|bookmark|advertisement|sponsored(?:\s+content)?|menu|search|home|skip\s+to\s+(?:main\s+)?content|
    (?:accept|reject)\s+(?:all\s+)?cookies|cookie\s+(?:settings|policy|preferences)|privacy\s+policy|terms\s+(?:of\s+(?:use|service)|and\s+conditions)|
    all\s+rights\s+reserved|follow\s+us(?:\s+on(?:\s+\w+){1,3})?|newsletter|contact\s+us|about\s+us|previous(?:\s+(?:post|article))?|next(?:\s+(?:post|article))?|
    tags?|source|by\s+(?:staff|agencies|our\s+correspondent)(?:\s*,?\s*(?:and\s+)?(?:staff|agencies|reporters?))*|
    click\s+here(?:\s+to\s+\w+(?:\s+\w+){0,3})?|(?:\d+\s+)?min(?:ute)?s?\s+read)\s*[.…:!»›>]*""",
    re.I | re.X,
)
_ICONS = re.compile(
    r"(?:folder_open|access_time|arrow_\w+|chevron_\w+|more_vert|thumb_up|keyboard_\w+|bookmark_border|local_offer)"
)
_AGE = re.compile(
    r"\W*(?:(?:updated|published|posted):?\s*)?(?:\d+|an?)\s+(?:second|minute|hour|day|week|month|year)s?\s+ago\W*",
    re.I,
)
_CREDIT = re.compile(
    r"\s*(?:©|\(c\)\s|copyright\b|(?:photo|image|picture|file photo)\s*(?:by|credit|courtesy)?\s*[:/©])", re.I
)
_ALT = re.compile(r".*\b[\w ]+, (?:1920|1280|1024)(?:, \d{1,2}\.\d{1,2}\.\d{4})?\s*")
_CHANNEL = re.compile(
    r"(?:[\w&.-]+\s+){0,3}(?:Telegram|Facebook|Twitter|WhatsApp|Instagram|YouTube|LinkedIn|RSS)", re.I
)
_MOTTO = re.compile(r"stay tuned (?:for|to)\b|the latest news and|breaking news (?:and|from|on)\b", re.I)


def clean(raw: Raw, source: str) -> Document:
    """The `Document` of `raw`: its id, its title and its mask. `source` is how a person names it."""
    mask = _merged(tuple(furniture(raw.text)) + raw.masked)
    title = raw.title or _headline(raw.text, mask) or _stem(source)
    digest = hashlib.sha256(raw.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Document(
        digest, source, " ".join(title.split())[:300], raw.date, raw.text, mask, raw.pages, tuple(_headings(raw.text))
    )


def furniture(text: str) -> list[Span]:
    """Spans of the lines of `text` that are page furniture."""
    script = _script(text[:20_000])
    seen: set[str] = set()
    spans: list[Span] = []
    opening, at = True, 0
    for line in text.split("\n"):
        bare = line.strip()
        if bare:
            repeated = len(bare) >= 20 and bare in seen and not bare.startswith(("|", "#", "-", "*", "="))
            if len(bare) <= _LONGEST and (repeated or _is_furniture(bare, script, opening)):
                start = at + line.index(bare)
                spans.append(Span(start, start + len(bare)))
            else:
                opening = False
            if len(bare) >= 20 and len(seen) < 50:  # a headline repeats near itself; a refrain later on is text
                seen.add(bare)
        at += len(line) + 1
    return spans


def _is_furniture(line: str, script: str, opening: bool) -> bool:
    if _PHRASES.fullmatch(line) or _AGE.fullmatch(line) or _CREDIT.match(line) or _ALT.fullmatch(line):
        return True
    if _ICONS.search(line) and len(line.split()) <= 8 and " (" not in line and "`" not in line:
        return True
    if opening and (_MOTTO.search(line) or _CHANNEL.fullmatch(line)):
        return True
    own = _script(line)
    return bool(script and own and own != script and len(line.split()) <= 8 and _share(line, script) == 0)


def _script(text: str) -> str:
    """The script most letters of `text` belong to: the first word of their Unicode names ("LATIN"); "" without letters."""
    letters = [c for c in text if c.isalpha()]
    step = max(1, len(letters) // 500)
    counted = Counter(unicodedata.name(c, "?").split()[0] for c in letters[::step])
    return counted.most_common(1)[0][0] if counted else ""


def _share(line: str, script: str) -> float:
    letters = [c for c in line if c.isalpha()]
    return sum(unicodedata.name(c, "?").startswith(script) for c in letters) / max(1, len(letters))


def _merged(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        elif span.start < span.end:
            out.append(span)
    return tuple(out)


def _headline(text: str, mask: tuple[Span, ...]) -> str:
    """The first line that is not furniture, where it reads like a title: short, and no full stop at its end."""
    at = 0
    for line in text.split("\n", 40)[:40]:
        bare = line.strip()
        here = Span(at, at + len(line))
        if bare and not any(here.overlaps(m) for m in mask):
            return bare.lstrip("#= ") if len(bare) <= 150 and not bare.endswith((".", "!", "?", ":", ";", ",")) else ""
        at += len(line) + 1
    return ""


def _stem(source: str) -> str:
    name = source.rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[_-]+", " ", name.split("#")[-1].rsplit(".", 1)[0]).strip() or name


def _headings(text: str) -> list[tuple[Span, str]]:
    """Sections by Markdown's # headings and by underlined ones (Setext, reStructuredText), as heading paths."""
    found: list[tuple[int, int, str]] = []
    underlines: list[str] = []
    for match in _HEADING.finditer(text):
        if match["marks"]:
            found.append((match.start(), len(match["marks"]), match["atx"].strip(" #\r")))
        elif abs(len(match["rule"].rstrip()) - len(match["title"].rstrip())) <= 2:
            if match["rule"][0] not in underlines:
                underlines.append(match["rule"][0])
            found.append((match.start(), 1 + underlines.index(match["rule"][0]), match["title"].strip()))
    sections, path = [], list[tuple[int, str]]()
    for at, (start, level, title) in enumerate(found):
        path = [(depth, name) for depth, name in path if depth < level] + [(level, title)]
        end = found[at + 1][0] if at + 1 < len(found) else len(text)
        sections.append((Span(start, end), " › ".join(name for _, name in path)))
    return sections


_HEADING = re.compile(
    r"^(?P<marks>#{1,6})[ \t]+(?P<atx>[^\n]+)$|^(?P<title>[^\s#>|*`-][^\n]{0,118})\n(?P<rule>(?P<c>[=\-~^\"'`*+#])(?P=c){2,})[ \t\r]*$",
    re.M,
)
