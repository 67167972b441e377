"""Foreign text inside Markdown."""

from __future__ import annotations

import re

from rag.text.foreign_marks import quote_foreign

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&$^-])")


#: what makes markup out of running text: HTML, entities, code, emphasis, images, targets of links,
#: and the first character of a heading, a list or a rule. Brackets alone make none, nor does an
#: underscore within a word (my_file.txt).
_INLINE = re.compile(
    r"(?P<blanks>^[ \t]*)(?P<first>[-+#=])(?=[\s#=-]|$)|"
    r"(?P<mark>[\\`*<>&]|(?<![^\W_])_|_(?![^\W_])|!(?=\[)|(?<=\])[(:]|~(?=~))",
    re.M,
)


def escape_inline(text: str) -> str:
    """Return running text that Markdown shows as it stands; markers such as [1] are kept."""
    return _INLINE.sub(lambda m: f"{m['blanks'] or ''}\\{m['first'] or m['mark']}", text)


def escape_markdown(text: object) -> str:
    """Return foreign text on one line of Markdown, without markup."""
    return escape_markup(quote_foreign(str(text)))


def escape_markup(text: str) -> str:
    """Return the text with every character escaped that Markdown or HTML may read as markup."""
    return _SPECIAL.sub(r"\\\1", text)
