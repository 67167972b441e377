"""Charts of office files (DrawingML) as a table: a row for each category, a column for each series.

The figures are those that the file keeps beside the chart, as they were when it was saved.
"""

from __future__ import annotations

from typing import Any

from rag.ingest.formats.flow import Flow, Table
from rag.ingest.formats.xml_parts import attribute, child, outermost

#: categories and series that are read
_MAX_POINTS, _MAX_SERIES = 5000, 60
_CATEGORIES = ("cat", "xVal")
_VALUES = ("val", "yVal")


def add_chart(flow: Flow, root: Any) -> bool:
    """Add the title and figures of a chart, by its root element. False if it keeps none."""
    series = list(outermost(root, ("ser",)))[:_MAX_SERIES]
    names = [_first_text(child(one, "tx")) for one in series]
    categories, columns = dict[int, str](), list[dict[int, str]]()
    for one in series:
        categories = {**_points(one, _CATEGORIES), **categories}
        columns.append(_points(one, _VALUES))
    numbers = sorted({number for column in columns for number in column})
    if not numbers:
        return False
    title = _title(root)
    if title and names != [title]:
        flow.paragraph(title, caption=True)
    head = [_axis_title(root), *(name or f"series {n}" for n, name in enumerate(names, 1))]
    rows = [
        [categories.get(number, str(number + 1)), *(column.get(number, "") for column in columns)]
        for number in numbers
    ]
    flow.table(Table([head, *rows], 1))
    return True


def _points(series: Any, names: tuple[str, ...]) -> dict[int, str]:
    """Return the points of one axis of a series by their numbers; the inner level of several."""
    axis = next((node for name in names if (node := child(series, name)) is not None), None)
    if axis is None:
        return {}
    level = next(outermost(axis, ("lvl",)), axis)
    points = dict[int, str]()
    for point in list(outermost(level, ("pt",)))[:_MAX_POINTS]:
        number = attribute(point, "idx")
        if number.isascii() and number.isdigit():
            points[int(number[:9])] = _value(point, axis)
    return points


def _value(point: Any, axis: Any) -> str:
    """Return a value as people write it: 3 for 3.0, 12 % for 0.12 in a format of percents."""
    node = child(point, "v")
    text = " ".join((node.text or "").split()) if node is not None else ""
    code = attribute(point, "formatCode") or next(
        (node.text or "" for node in outermost(axis, ("formatCode",))), ""
    )
    try:
        number = float(text)
    except ValueError:
        return text
    if code.endswith("%"):
        return f"{100 * number:.10g}%"
    return f"{number:.10g}" if abs(number) < 1e10 else text


def _title(root: Any) -> str:
    chart = child(root, "chart")
    title = None if chart is None else child(chart, "title")
    return "" if title is None else _all_text(title)


def _axis_title(root: Any) -> str:
    """Return the title of the axis of categories; "" without one."""
    axis = next(outermost(root, ("catAx", "dateAx")), None)
    title = None if axis is None else child(axis, "title")
    return "" if title is None else _all_text(title)


def _all_text(node: Any) -> str:
    return " ".join(" ".join(part.text or "" for part in outermost(node, ("t", "v"))).split())


def _first_text(node: Any) -> str:
    found = None if node is None else next(outermost(node, ("v",)), None)
    return "" if found is None else " ".join((found.text or "").split())
