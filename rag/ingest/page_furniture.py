"""Finds page furniture: the lines of a scraped page that are buttons, menus, credits and notices.

A line is furniture only as a whole, only if it is short, and only for one of these reasons. Any
line that might be a statement stays.

1. It has only the text of a button, menu or notice ("Related Articles", "log in or register").
2. It begins with the name of an icon ("access_time2 years ago") or is an age ("2 years ago").
3. It is a picture credit or a byline of an agency.
4. It follows furniture, is short and in another script than the document: a menu in another
   language.
5. It repeats the line above it word for word: a page may show its headline twice.
6. Only furniture stands before it, at least one line: the motto of a site ("Stay tuned for ...").
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from rag.domain import Span

#: characters of a line that may be furniture
_MAX_FURNITURE_CHARS = 160
#: whole lines: buttons, menus and notices of web pages
_PHRASES = re.compile(
    r"""(?:no\s?script|please\s+wait|loading|
    (?:to\s+participate\s+in\s+the\s+discussion,?\s*)?(?:please\s+)?
    (?:log|sign)\s?in(?:\s+or\s+(?:register|sign\s?up))?|
    to\s+participate\s+in\s+the\s+discussion|register|sign\s?up|subscribe(?:\s+now)?|
    related\s+(?:articles?|stories|posts|news|topics)|read\s+(?:more|also|next|
    full\s+(?:article|story))|see\s+also|more\s+(?:news|stories)|
    back\s+to\s+top(?:\s+button)?|(?:scroll|go)\s+to\s+top|all\s+news|latest\s+news|
    breaking\s+news|top\s+stories|most\s+(?:read|popular)|
    (?:(?:leave|post|add)\s+a\s+comment|(?:no\s+|\d+\s+)?comments|1\s+comment)|
    leave\s+a\s+reply|share(?:\s+(?:this|on)(?:\s+\w+){0,3})?|print(?:\s+this(?:\s+page)?)?|
    (?:star)?\s*add\s+to\s+favou?rites|bookmark|advertisement|sponsored(?:\s+content)?|menu|
    search|home|skip\s+to\s+(?:main\s+)?content|
    (?:accept|reject)\s+(?:all\s+)?cookies|cookie\s+(?:settings|policy|preferences)|
    privacy\s+policy|terms\s+(?:of\s+(?:use|service)|and\s+conditions)|
    all\s+rights\s+reserved|follow\s+us(?:\s+on(?:\s+\w+){1,3})?|newsletter|contact\s+us|
    about\s+us|previous(?:\s+(?:post|article))?|next(?:\s+(?:post|article))?|
    tags?|source|by\s+(?:staff|agencies|our\s+correspondent)(?:(?:\s*,)?\s*(?:and\s+)?(?:staff|
    agencies|reporters?))*|
    click\s+here(?:\s+to\s+\w+(?:\s+\w+){0,3})?|(?:\d+\s+)?min(?:ute)?s?\s+read)
    \s*[.…:!»›>]*""",
    re.I | re.X,
)
#: names of icon fonts, which text extraction leaves in the text
_ICONS = re.compile(
    r"(?:folder_open|access_time|arrow_[a-z_]+|chevron_[a-z_]+|more_vert|thumb_up|"
    r"keyboard_[a-z_]+|bookmark_border|local_offer)"
)
_GLUED = re.compile(rf"(?:^|\s){_ICONS.pattern}(?=[A-Z\d])(?!.*[`=|(){{}}])")
_AGE = re.compile(
    r"\W*(?:(?:updated|published|posted):?\s*)?(?:\d+|an?)\s+"
    r"(?:second|minute|hour|day|week|month|year)s?\s+ago\W*",
    re.I,
)
_CREDIT = re.compile(
    r"(?:©|\([cC]\)|[Cc]opyright)(?:\s*©|\s+\([cC]\))?\s*\d{4}\b|©\s*[^\W\d_a-z]|"
    r"(?:[Pp]hoto|PHOTO|[Ii]mage|[Pp]icture|[Ff]ile [Pp]hoto)"
    r"(?:\s+(?:by|[Cc]redit|[Cc]ourtesy))?(?:\s*[:©]|\s+/\s|/[A-Z]{2})(?!.*[.!?;]$)"
)
_YEARS = re.compile(r"\d{4}(?:\s*[-–,]\s*\d{4})*")
#: a sum, share or duration: a line with one may be a statement
_AMOUNT = re.compile(
    r"(?<![\w.-])\d[\d.,]*\s*"
    r"(?:[€$£¥%]|euros?\b|dollars?\b|pounds?\b|cents?\b|percent\b|days?\b|months?\b|years?\b)"
    r"|[€$£¥]\s*\d",
    re.I,
)
#: the alternative text of a picture, which ends in its width
_ALT = re.compile(
    r"(?:.*\s)?[-–]\s+[^\W\d_][^\d,]{2,60}, (?:1920|1280|1024)(?P<day>, \d{1,2}\.\d{1,2}\.\d{4})?"
)
#: the name of a channel in social media
_CHANNEL = re.compile(
    r"(?:[\w&.-]+\s+){0,3}(?:Telegram|Facebook|Twitter|WhatsApp|Instagram|YouTube|LinkedIn|RSS)",
    re.I,
)
#: a line that underlines a heading
_RULE = re.compile(r"([=\-~^*+#])\1{2,}")
_WORDS = re.compile(r"[^\W\d_]{3}|[\u2e80-\u9fff\uac00-\ud7af]{2}")
_MOTTO = re.compile(
    r"stay tuned (?:for|to)\b|the latest news and|breaking news (?:and|from|on)\b", re.I
)
#: finite verbs that notices and credits lack, but for "all rights are reserved" and its like
_FINITE = re.compile(
    r"\b(?:is|was|were|has|had|holds|says|said|lifts|opens|begins|began|ends|starts|costs|won|"
    r"became)\b"
)
_MIN_STATEMENT_WORDS = 9


def collapse_blanks(text: str) -> str:
    """Return `text` with single blanks for white space and none around it."""
    return " ".join(text.split())


def find_furniture(text: str) -> list[Span]:
    """Return the spans of the lines of `text` that are page furniture."""
    script = _main_script(text[:20_000])
    spans: list[Span] = []
    last_kept = ""  # the last line that is not furniture
    follows = False  # is the line before furniture?
    line_start = 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip()
        if bare:
            underlined = number + 1 < len(lines) and _RULE.fullmatch(lines[number + 1].strip())
            repeated = (
                bare == last_kept
                and len(bare) >= 20
                and line[0] == bare[0]
                and not bare.startswith(tuple("|#-*="))
            )
            furniture = len(bare) <= _MAX_FURNITURE_CHARS and (
                repeated
                or (
                    not underlined
                    and _is_furniture(collapse_blanks(bare), script, not last_kept, follows)
                )
            )
            if furniture:
                start, follows = line_start + line.index(bare), True
                spans.append(Span(start, start + len(bare)))
            else:
                last_kept, follows = bare, False
        line_start += len(line) + 1
    return spans


def _is_furniture(line: str, script: str, opening: bool, follows: bool) -> bool:
    """Is the line page furniture?

    `script` is that of the document. `opening`: no text is before the line. `follows`: the line
    before it is furniture.
    """
    if _PHRASES.fullmatch(line) or _AGE.fullmatch(line) or _is_icons(line):
        return True
    if _CREDIT.match(line):
        return not _AMOUNT.search(_YEARS.sub(" ", line, count=1)) and not _is_statement(line)
    alt = _ALT.fullmatch(line)
    if alt and (alt["day"] or opening):
        return True
    if opening and follows and (_is_motto(line) or _CHANNEL.fullmatch(line)):
        return True
    return follows and _is_foreign(line, script)


def _is_motto(line: str) -> bool:
    """Is it the motto of a site, and neither an amount nor a statement?"""
    return bool(_MOTTO.search(line) and not _AMOUNT.search(line) and not _is_statement(line))


def _is_statement(line: str) -> bool:
    """Does it say something of somebody: nine words or more, one of them a finite verb?"""
    return len(line.split()) >= _MIN_STATEMENT_WORDS and bool(_FINITE.search(line))


def _is_icons(line: str) -> bool:
    """Is it names of icons, alone, run together with words, or before other furniture?"""
    if not _ICONS.search(line) or len(line.split()) > 8:
        return False
    rest = _ICONS.sub("", line).strip()
    return bool(_GLUED.search(line) or not rest or _AGE.fullmatch(rest) or _PHRASES.fullmatch(rest))


def _is_foreign(line: str, script: str) -> bool:
    """Is the line a few words of another script? Single letters do not count: they are formulas."""
    own = _main_script(line)
    return bool(
        script and own and own != script and _WORDS.search(line) and len(line.split()) <= 8
    ) and not _share_of_script(line, script)


def _main_script(text: str) -> str:
    """Return the script of most letters, or "" if there are none.

    A script is the first word of the Unicode name of a letter ("LATIN"). At most some 500 letters
    are looked up.
    """
    letters = [c for c in text[:: max(1, len(text) // 2000)] if c.isalpha()]
    step = max(1, len(letters) // 500)
    counted = Counter(unicodedata.name(c, "?").split()[0] for c in letters[::step])
    return counted.most_common(1)[0][0] if counted else ""


def _share_of_script(line: str, script: str) -> float:
    letters = [c for c in line if c.isalpha()]
    return sum(unicodedata.name(c, "?").startswith(script) for c in letters) / max(1, len(letters))
