"""Says in short what units a document has."""

from __future__ import annotations

from rag.domain import Document, RawDocument, Unit, UnitKind


def rows(found: Document | RawDocument) -> list[tuple[str, dict[str, str]]]:
    """Context and values by column of each row."""
    return [
        (unit.context, {cell.header: cell.span.of(found.text) for cell in unit.cells})
        for unit in of_kind(found, UnitKind.ROW)
    ]


def items(found: Document | RawDocument) -> list[tuple[str, str]]:
    """Context and text of each item of a list."""
    return [(unit.context, unit.span.of(found.text)) for unit in of_kind(found, UnitKind.ITEM)]


def lists(found: Document | RawDocument) -> list[tuple[str, str]]:
    """Introduction and text of each list."""
    return [(unit.context, unit.span.of(found.text)) for unit in of_kind(found, UnitKind.LIST)]


def entries(found: Document | RawDocument) -> list[tuple[str, str, str]]:
    """Context, name and text of each entry."""
    return [
        (unit.context, "".join(cell.header for cell in unit.cells), unit.span.of(found.text))
        for unit in of_kind(found, UnitKind.ENTRY)
    ]


def of_kind(found: Document | RawDocument, kind: UnitKind) -> list[Unit]:
    """The units of a kind; every span lies in the text, every cell in its unit."""
    if isinstance(found, RawDocument):
        found = found.ruled or found
    for unit in found.units or ():
        assert 0 <= unit.span.start < unit.span.end <= len(found.text)
        assert all(cell.span.within(unit.span) for cell in unit.cells)
        assert all(cell.name is None or cell.name.within(unit.span) for cell in unit.cells)
    return [unit for unit in found.units or () if unit.kind is kind]
