"""Reads parts of office files that are XML, by `lxml`: no entities, no network, bounded depth."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any


def parse_part(content: bytes) -> Any:
    """Return the root element of a part. An element may lie 256 deep, which is lxml's bound."""
    from lxml import etree

    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))


def tag_of(node: Any) -> str:
    """Return the name of an element without its namespace; "" for a comment and the like."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def attribute(node: Any, name: str) -> str:
    """Return the attribute of this name in any namespace, or ""."""
    value = node.get(name)
    if value is not None:
        return str(value)
    return next((v for key, v in node.attrib.items() if key.rpartition("}")[2] == name), "")


def child(node: Any, *path: str) -> Any:
    """Return the first element at the end of a path of child names, or None."""
    for name in path:
        node = next((inner for inner in node if tag_of(inner) == name), None)
        if node is None:
            return None
    return node


def outermost(parent: Any, names: Collection[str], skip: Collection[str] = ()) -> Iterator[Any]:
    """Yield the elements of these names below `parent`, but not those inside another of them.

    What lies in an element of a name in `skip` is left out.
    """
    todo = list(parent)[::-1]
    while todo:
        node = todo.pop()
        name = tag_of(node)
        if name in names:
            yield node
        elif name not in skip:
            todo += list(node)[::-1]
