"""Raw text -> the canonical text that all spans refer to, and the mask of page furniture.

The text is never altered: a scraped page keeps its "Please Wait...", but the mask says that this line is neither chunked
nor quoted, and a screen shows it dimmed. A line is masked only as a whole, only when it is short, and only for one of
these reasons; anything that might be a statement stays.

1. It says nothing but what buttons, menus and notices of web pages say ("Related Articles", "log in or register").
2. It is glued together from names of icon fonts ("access_time2 years ago"), or is a bare age ("2 years ago").
3. It is a picture credit or a byline of an agency.
4. It follows furniture, is in another script than the document, and short: the template of another language.
5. It repeats the line above it word for word, as a page does that shows its headline twice.
6. Only furniture stands before it, and some does: a site's own motto ("Stay tuned for updates ...").

Source code and tables, whose lines are their sentences, have no furniture.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from rag.domain import Document, RawDocument, Span

_MAX_FURNITURE_CHARS = 160  # characters of a line that may be furniture
_MAX_TITLE_CHARS, _MAX_HEADING_CHARS = 300, 200  # characters of a title and of a heading
_MAX_HEADING_DEPTH = 12  # headings in a path; of a deeper one those nearest to the text
_PHRASES = re.compile(
    r"""(?:no\s?script|please\s+wait|loading|(?:to\s+participate\s+in\s+the\s+discussion,?\s*)?(?:please\s+)?
    (?:log|sign)\s?in(?:\s+or\s+(?:register|sign\s?up))?|to\s+participate\s+in\s+the\s+discussion|register|sign\s?up|subscribe(?:\s+now)?|
    related\s+(?:articles?|stories|posts|news|topics)|read\s+(?:more|also|next|full\s+(?:article|story))|see\s+also|more\s+(?:news|stories)|
    back\s+to\s+top(?:\s+button)?|(?:scroll|go)\s+to\s+top|all\s+news|latest\s+news|breaking\s+news|top\s+stories|most\s+(?:read|popular)|
    (?:(?:leave|post|add)\s+a\s+comment|(?:no\s+|\d+\s+)?comments|1\s+comment)|leave\s+a\s+reply|share(?:\s+(?:this|on)(?:\s+\w+){0,3})?|print(?:\s+this(?:\s+page)?)?|
    (?:star)?\s*add\s+to\s+favou?rites|bookmark|advertisement|sponsored(?:\s+content)?|menu|search|home|skip\s+to\s+(?:main\s+)?content|
    (?:accept|reject)\s+(?:all\s+)?cookies|cookie\s+(?:settings|policy|preferences)|privacy\s+policy|terms\s+(?:of\s+(?:use|service)|and\s+conditions)|
    all\s+rights\s+reserved|follow\s+us(?:\s+on(?:\s+\w+){1,3})?|newsletter|contact\s+us|about\s+us|previous(?:\s+(?:post|article))?|next(?:\s+(?:post|article))?|
    tags?|source|by\s+(?:staff|agencies|our\s+correspondent)(?:(?:\s*,)?\s*(?:and\s+)?(?:staff|agencies|reporters?))*|
    click\s+here(?:\s+to\s+\w+(?:\s+\w+){0,3})?|(?:\d+\s+)?min(?:ute)?s?\s+read)\s*[.…:!»›>]*""",
    re.I | re.X,
)
_ICONS = re.compile(
    r"(?:folder_open|access_time|arrow_[a-z_]+|chevron_[a-z_]+|more_vert|thumb_up|keyboard_[a-z_]+|bookmark_border|local_offer)"
)
_GLUED = re.compile(rf"(?:^|\s){_ICONS.pattern}(?=[A-Z\d])(?!.*[`=|(){{}}])")
_AGE = re.compile(
    r"\W*(?:(?:updated|published|posted):?\s*)?(?:\d+|an?)\s+(?:second|minute|hour|day|week|month|year)s?\s+ago\W*",
    re.I,
)
_CREDIT = re.compile(
    r"(?:©|\([cC]\)|[Cc]opyright)(?:\s*©|\s+\([cC]\))?\s*\d{4}\b|©\s*[^\W\d_a-z]|"
    r"(?:[Pp]hoto|PHOTO|[Ii]mage|[Pp]icture|[Ff]ile [Pp]hoto)(?:\s+(?:by|[Cc]redit|[Cc]ourtesy))?(?:\s*[:©]|\s+/\s|/[A-Z]{2})(?!.*[.!?;]$)"
)
_YEARS = re.compile(r"\d{4}(?:\s*[-–,]\s*\d{4})*")
_AMOUNT = re.compile(
    r"(?<![\w.-])\d[\d.,]*\s*(?:[€$£¥%]|euros?\b|dollars?\b|pounds?\b|cents?\b|percent\b|days?\b|months?\b|years?\b)|[€$£¥]\s*\d",
    re.I,
)
_ALT = re.compile(
    r"(?:.*\s)?[-–]\s+[^\W\d_][^\d,]{2,60}, (?:1920|1280|1024)(?P<day>, \d{1,2}\.\d{1,2}\.\d{4})?"
)
_CHANNEL = re.compile(
    r"(?:[\w&.-]+\s+){0,3}(?:Telegram|Facebook|Twitter|WhatsApp|Instagram|YouTube|LinkedIn|RSS)",
    re.I,
)
_RULE = re.compile(r"([=\-~^*+#])\1{2,}")
_WORDS = re.compile(r"[^\W\d_]{3}|[\u2e80-\u9fff\uac00-\ud7af]{2}")
_MOTTO = re.compile(
    r"stay tuned (?:for|to)\b|the latest news and|breaking news (?:and|from|on)\b", re.I
)


def clean_document(raw: RawDocument, source: str) -> Document:
    """The `Document` of `raw`: its id, its title and its mask. `source` is how a person names it."""
    raw = raw.ruled or apply_rules(raw)
    digest = hashlib.sha256(raw.text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Document(
        digest, source, raw.title or collapse_blanks(_title_from_source(source))[:_MAX_TITLE_CHARS], raw.date, raw.text, raw.masked, raw.pages,
        tuple(_sections(raw.headings or (), len(raw.text))), raw.lines,
    )  # fmt: skip


def apply_rules(raw: RawDocument) -> RawDocument:
    """`raw` with the title ("" for none), the whole mask and the headings that the rules of this module find in its text.

    They look at a stranger's text. For what an ingest reads, that is done in the process that parses (`formats.child`).
    """
    mask = _merge((() if raw.lines else tuple(find_boilerplate(raw.text))) + raw.masked)
    title = raw.title if raw.title.strip() or raw.lines else _headline(raw.text, mask)
    found = _find_headings(raw.text) if raw.headings is None else raw.headings
    headings = tuple(
        (at, level, collapse_blanks(name)[:_MAX_HEADING_CHARS]) for at, level, name in found
    )
    return replace(
        raw, title=collapse_blanks(title)[:_MAX_TITLE_CHARS], masked=mask, headings=headings
    )


def collapse_blanks(text: str) -> str:
    """`text` with single blanks for white space and none around it."""
    return " ".join(text.split())


def find_boilerplate(text: str) -> list[Span]:
    """Spans of the lines of `text` that are page furniture."""
    script = _main_script(text[:20_000])
    spans: list[Span] = []
    kept, follows, at = "", False, 0  # the last line that stayed; is the line before furniture?
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare:
            underlined = number + 1 < len(lines) and _RULE.fullmatch(lines[number + 1].strip())
            repeated = (
                bare == kept
                and len(bare) >= 20
                and line[0] == bare[0]
                and not bare.startswith(tuple("|#-*="))
            )
            short = len(bare) <= _MAX_FURNITURE_CHARS
            if short and (
                repeated
                or (
                    not underlined
                    and _is_furniture(collapse_blanks(bare), script, not kept, follows)
                )
            ):
                start, follows = at + line.index(bare), True
                spans.append(Span(start, start + len(bare)))
            else:
                kept, follows = bare, False
        at += len(line) + 1
    return spans


def _is_furniture(line: str, script: str, opening: bool, follows: bool) -> bool:
    """`opening`: no text stands before the line; `follows`: the line before it is furniture."""
    if _PHRASES.fullmatch(line) or _AGE.fullmatch(line) or _is_icons(line):
        return True
    if _CREDIT.match(line):
        return not _AMOUNT.search(_YEARS.sub(" ", line, count=1))
    alt = _ALT.fullmatch(line)
    if alt and (alt["day"] or opening):
        return True
    if (
        opening
        and follows
        and ((_MOTTO.search(line) and not _AMOUNT.search(line)) or _CHANNEL.fullmatch(line))
    ):
        return True
    return follows and _is_foreign(line, script)


def _is_icons(line: str) -> bool:
    """Names of icons, alone, run together with words, or before what is furniture itself."""
    if not _ICONS.search(line) or len(line.split()) > 8:
        return False
    rest = _ICONS.sub("", line).strip()
    return bool(_GLUED.search(line) or not rest or _AGE.fullmatch(rest) or _PHRASES.fullmatch(rest))


def _is_foreign(line: str, script: str) -> bool:
    """Is the line a few words of another script? Single letters are formulas."""
    own = _main_script(line)
    return bool(
        script and own and own != script and _WORDS.search(line) and len(line.split()) <= 8
    ) and not _share_of_script(line, script)


def _main_script(text: str) -> str:
    """The script most letters of `text` belong to: the first word of their Unicode names ("LATIN"); "" without letters."""
    letters = [c for c in text[:: max(1, len(text) // 2000)] if c.isalpha()]
    step = max(1, len(letters) // 500)
    counted = Counter(unicodedata.name(c, "?").split()[0] for c in letters[::step])
    return counted.most_common(1)[0][0] if counted else ""


def _share_of_script(line: str, script: str) -> float:
    letters = [c for c in line if c.isalpha()]
    return sum(unicodedata.name(c, "?").startswith(script) for c in letters) / max(1, len(letters))


def _merge(spans: tuple[Span, ...]) -> tuple[Span, ...]:
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
            return (
                bare.lstrip("#= ")
                if len(bare) <= 150 and not bare.endswith((".", "!", "?", ":", ";", ","))
                else ""
            )
        at += len(line) + 1
    return ""


def _title_from_source(source: str) -> str:
    name = source.rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[_-]+", " ", name.split("#")[-1].rsplit(".", 1)[0]).strip() or name


def _find_headings(text: str) -> list[tuple[int, int, str]]:
    """Markdown's # headings and underlined ones (Setext, reStructuredText): where, level, title."""
    found: list[tuple[int, int, str]] = []
    underlines: list[str] = []
    fences = [Span(m.start(), m.end()) for m in _FENCE.finditer(text)][::-1]
    for match in _HEADING.finditer(text):
        while fences and fences[-1].end <= match.start():
            fences.pop()
        if fences and fences[-1].start <= match.start():  # a comment in a block of code
            continue
        if match["marks"]:
            found.append((match.start(), len(match["marks"]), match["atx"].strip(" #\r")))
        elif abs(len(match["rule"].rstrip()) - len(match["title"].rstrip())) <= 2:
            if match["rule"][0] not in underlines:
                underlines.append(match["rule"][0])
            found.append(
                (match.start(), 1 + underlines.index(match["rule"][0]), match["title"].strip())
            )
    return found


def _sections(found: Sequence[tuple[int, int, str]], end_of_text: int) -> list[tuple[Span, str]]:
    """The heading path of each heading and the span that it holds for: up to the next one."""
    sections, path = [], list[tuple[int, str]]()
    for at, (start, level, title) in enumerate(found):
        path = ([(depth, name) for depth, name in path if depth < level] + [(level, title)])[
            -_MAX_HEADING_DEPTH:
        ]
        end = found[at + 1][0] if at + 1 < len(found) else end_of_text
        sections.append((Span(start, end), " › ".join(name for _, name in path)))
    return sections


_FENCE = re.compile(r"^```[^`\n]*\n.*?(?:^```[ \t\r]*$|\Z)", re.M | re.S)
_HEADING = re.compile(
    r"^(?P<marks>#{1,6})[ \t]+(?P<atx>[^\n]+)$|^(?P<title>[^\s#>|*`-][^\n]{0,118})\n(?P<rule>(?P<c>[=\-~^\"'`*+#])(?P=c){2,})[ \t\r]*$",
    re.M,
)
