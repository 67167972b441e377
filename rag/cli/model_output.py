"""Printing for people about chat models: the catalogue, the progress of a download, checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypedDict

from rag.cli.output import make_cells, make_console, make_table
from rag.model_store.catalogue import (
    EVIDENCE_PHRASES,
    FETCHED,
    STATED,
    UNCONFIRMED,
    CatalogueModel,
    suits,
)
from rag.model_store.installed import Check
from rag.phrases import HINT
from rag.text.foreign_marks import quote_foreign

_SIGNS = {FETCHED: "✓", STATED: "·", UNCONFIRMED: "?"}


class ModelRow(TypedDict):
    """A line of ``models list``. `path` and `bytes` are None if they are not known."""

    name: str
    path: str | None
    bytes: int | None
    in_use: bool


def print_models(models: Iterable[ModelRow]) -> None:
    """Print the table of models. A sign marks the one in use."""
    table = make_table("", "model", "size", "file")
    for model in models:
        size = f"{model['bytes'] / 2**20:,.0f} MB" if model["bytes"] else ""
        table.add_row(
            "❯" if model["in_use"] else "",
            *make_cells(model["name"], size, model["path"] or "built in"),
        )
    make_console().print(table)


def print_catalogue(
    models: Sequence[CatalogueModel],
    default: CatalogueModel,
    installed: Collection[str],
    memory: int,
) -> None:
    """Print what can be fetched by name, from small to large."""
    from rich.table import Table
    from rich.text import Text

    out = make_console()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("name", no_wrap=True)
    table.add_column("params", no_wrap=True)
    table.add_column("quant.", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("memory", justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("licence", no_wrap=True)
    table.add_column("")
    for model in models:
        notes = []
        if model.default:
            notes.append("here" if model == default else "default")
        if model.name in installed:
            notes.append("installed")
        cells = (
            model.name,
            model.parameters,
            model.quantisation,
            f"{model.bytes / 1e9:.1f} GB",
            f"{model.memory_gb} GB",
            _SIGNS[model.evidence],
            model.licence,
            ", ".join(notes),
        )
        style = "" if not memory or suits(model, memory) else "dim"
        table.add_row(*(Text(cell) for cell in cells), style=style)
    out.print(table)
    for evidence, says in EVIDENCE_PHRASES.items():
        out.print(f"{_SIGNS[evidence]} {says}", style="dim")
    out.print(
        "default: for computers of that memory, chosen by size; here: for this computer",
        style="dim",
    )


def download_line(name: str, done: int, size: int | None, rate: float) -> str:
    """How much of a model is here, how fast it comes, and how long the rest takes."""
    whole = f" of {size / 1e6:,.0f}" if size else ""
    line = f"{name}: {done / 1e6:,.0f}{whole} MB"
    if rate > 0:
        line += f" · {rate / 1e6:.1f} MB a second"
        if size and size > done:
            left = int((size - done) / rate)
            line += f" · {left // 60}:{left % 60:02} left"
    return line


def print_checks(checks: Sequence[Check]) -> None:
    """Print what was found about each model, with a hint for what is not good."""
    out = make_console()
    if not checks:
        out.print("there is no chat model in the home")
    for found in checks:
        sign, style = ("✓", "") if found.good else ("✗", "red")
        out.print(f"{sign} {quote_foreign(found.name)}: {quote_foreign(found.says)}", style=style)
        for label, digest in (("SHA-256 ", found.sha256), ("expected", found.expected)):
            if digest and (label == "SHA-256 " or digest != found.sha256):
                out.print(f"    {label} {digest}", style="dim")
        if found.cure:
            out.print(f"    {HINT} {quote_foreign(found.cure)}")
