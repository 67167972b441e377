"""What the styles and numbering of a Word document make of a paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rag.ingest.formats.xml_parts import attribute, child, parse_part, tag_of

#: styles that a style may be based on, one upon the other
_MAX_BASES = 12
_NUMBERED = re.compile(r"decimal|roman|letter|ordinal|chinese|japanese|thai", re.I)


@dataclass(frozen=True, slots=True)
class Look:
    """What a paragraph is by its style and properties."""

    level: int = 0  #: of a heading: 1 for Title, 2 for Heading 1
    list_key: str = ""  #: of an item: the number of its list
    depth: int = 0
    numbered: bool = False  #: an item with a number or letter, not a bullet
    caption: bool = False
    contents: bool = False  #: a line of a table of contents
    indented: bool = False


class Styles:
    """The styles and lists of one document."""

    def __init__(self, part: Any) -> None:
        """`part` is the main part of the document, as python-docx has it."""
        self._styles = dict[str, Any]()
        self._numbered = set[str]()  #: "list/depth" of lists with numbers
        self._looks = dict[str, Look]()
        for rel in part.rels.values():
            kind = rel.reltype.rpartition("/")[2]
            if kind in ("styles", "numbering") and not rel.is_external:
                root = parse_part(rel.target_part.blob)
                self._read_styles(root) if kind == "styles" else self._read_numbering(root)

    def _read_styles(self, root: Any) -> None:
        for style in root:
            if tag_of(style) == "style" and attribute(style, "type") in ("", "paragraph"):
                self._styles[attribute(style, "styleId")] = style
                if attribute(style, "default") in ("1", "true"):
                    self._styles.setdefault("", style)

    def _read_numbering(self, root: Any) -> None:
        abstract = dict[str, set[str]]()
        for node in root:
            if tag_of(node) == "abstractNum":
                abstract[attribute(node, "abstractNumId")] = {
                    attribute(level, "ilvl")
                    for level in node
                    if tag_of(level) == "lvl" and _NUMBERED.search(_value(level, "numFmt"))
                }
            elif tag_of(node) == "num":
                number = attribute(node, "numId")
                levels = abstract.get(_value(node, "abstractNumId"), set())
                self._numbered |= {f"{number}/{level}" for level in levels}

    def look(self, paragraph: Any) -> Look:
        """Return what a paragraph is."""
        properties = child(paragraph, "pPr")
        style = _value(properties, "pStyle") if properties is not None else ""
        look = self._looks.get(style)
        if look is None:
            look = self._looks[style] = self._style_look(style)
        return self._with(look, properties) if properties is not None else look

    def _style_look(self, style: str) -> Look:
        """Return what a style makes of a paragraph, with the styles that it is based on."""
        chain = list[Any]()
        while style in self._styles and len(chain) < _MAX_BASES:
            chain.append(self._styles[style])
            style = _value(chain[-1], "basedOn")
        look = Look()
        for node in reversed(chain):
            name = _value(node, "name").lower()
            heading = re.fullmatch(r"heading (\d)", name)
            level = 1 + int(heading[1]) if heading else int(name == "title")
            look = Look(
                level or look.level,
                look.list_key,
                look.depth,
                look.numbered,
                look.caption or name == "caption",
                look.contents or bool(re.fullmatch(r"toc \d|table of figures", name)),
                look.indented or name.startswith("list continue"),
            )
            properties = child(node, "pPr")
            if properties is not None:
                look = self._with(look, properties)
        return look

    def _with(self, look: Look, properties: Any) -> Look:
        """Return the look with the properties of a paragraph or of a style."""
        level, key, depth = look.level, look.list_key, look.depth
        outline = _value(properties, "outlineLvl")
        if outline.isascii() and outline.isdigit():
            level = int(outline) + 2 if int(outline) < 9 else 0
        numbering = child(properties, "numPr")
        if numbering is not None:
            key = _value(numbering, "numId") or key
            found = _value(numbering, "ilvl")
            depth = int(found) if found.isascii() and found.isdigit() else depth
            key = "" if key == "0" else key
        indent = child(properties, "ind")
        left = "" if indent is None else attribute(indent, "left") or attribute(indent, "start")
        indented = look.indented if not left else left.isdigit() and int(left) > 0
        numbered = f"{key}/{depth}" in self._numbered
        return Look(level, key, depth, numbered, look.caption, look.contents, indented)


def is_on(value: Any) -> bool:
    """Is a property that is on or off (an element, or the value of an attribute) on?"""
    if value is None:
        return False
    word = value if isinstance(value, str) else attribute(value, "val")
    return word.lower() not in ("0", "false", "off", "none")


def _value(node: Any, name: str) -> str:
    """Return the value of the child of this name, or ""."""
    found = child(node, name)
    return "" if found is None else attribute(found, "val")
