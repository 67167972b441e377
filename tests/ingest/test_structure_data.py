"""Units of files of data and settings: JSON, YAML, TOML, INI, .conf, logs, front matter."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import RawDocument, Unit, UnitKind
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.load import File, load_file
from rag.ingest.structure.code import code_units
from rag.ingest.structure.find import find_units
from rag.ingest.structure.front_matter import find_front_matter
from rag.ingest.structure.json_records import json_records
from rag.ingest.structure.log_lines import log_units
from rag.ingest.structure.settings import conf_units, ini_units, yaml_units
from rag.text.units import unit_order
from tests.support.bombs import BOMBS
from tests.support.examples import examples


def shown(text: str, units: Sequence[Unit]) -> list[tuple[str, dict[str, str]]]:
    """Context and cells of each record and row."""
    return [
        (unit.context, {cell.header: cell.span.of(text) for cell in unit.cells})
        for unit in units
        if unit.cells
    ]


def by_word(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


# -- JSON --

SHOPS = {
    "shops": [
        {"name": "Kirk", "city": "Oslo", "open": True, "tags": ["a", "b"], "till": {"model": "T9"}},
        {"name": "Dale", "city": "Bergen", "open": False},
    ],
    "currency": "NOK",
    "limits": {"maxItems": 12},
}


@pytest.mark.parametrize("indent", [None, 2])
def test_objects_of_json_are_records_under_their_path(indent: int | None) -> None:
    text = json.dumps(SHOPS, indent=indent)
    units = json_records(text)
    found = shown(text, units)
    assert ("shops › Kirk › till", {"model": "T9"}) in found
    assert ("shops", {"name": "Dale", "city": "Bergen", "open": "false"}) in found
    assert ("limits", {"maxItems (max items)": "12"}) in found
    assert ("", {"currency": "NOK"}) in found
    (kirk,) = [cells for _, cells in found if cells.get("name") == "Kirk"]
    assert kirk["city"] == "Oslo" and kirk["tags"].replace("\n", "").split() == ['"a",', '"b"']
    names = {cell.name.of(text) for unit in units for cell in unit.cells if cell.name}
    assert '"city"' in names, "where the key stands"


def test_an_object_without_a_name_has_its_number() -> None:
    text = '{"rooms": [{"size": 3}, {"size": 4, "door": {"wide": 1}}]}'
    assert shown(text, json_records(text)) == [
        ("rooms › 1", {"size": "3"}),
        ("rooms › 2", {"size": "4"}),
        ("rooms › 2 › door", {"wide": "1"}),
    ]


def test_lines_of_objects_comments_and_escapes() -> None:
    text = '{"na\\u00efve": "a \\"b\\"", // said\n "n": -1.5e3}\n{"x": null} {"y": "never closed'
    assert shown(text, json_records(text)) == [
        ("", {"naïve": 'a \\"b\\"', "n": "-1.5e3"}),
        ("", {"x": "null"}),
        ("", {"y": "never closed"}),
    ]


def test_a_long_object_is_divided_between_fields() -> None:
    text = json.dumps({"name": "Kirk", **{f"field{n}": "word " * 20 for n in range(30)}})
    units = json_records(text)
    assert len(units) > 3 and all(unit.span.end - unit.span.start < 700 for unit in units)
    assert sum(len(unit.cells) for unit in units) == 31


@pytest.mark.slow
def test_objects_of_one_long_line_stay_whole_in_their_passages(tmp_path: Path) -> None:
    rows = [{"id": n, "owner": f"Person {n}", "text": "x" * 300} for n in range(3300)]
    content = json.dumps(rows).encode()
    assert len(content) > 2**20 and b"\n" not in content
    (tmp_path / "a.json").write_bytes(content)
    (raw,) = load_file(File(str(tmp_path / "a.json"), "a.json", len(content), 0))
    assert isinstance(raw, RawDocument)
    document = clean_document(raw, "a.json")
    whole = [
        unit
        for chunk in chunk_document(document, 60, by_word)
        for unit in chunk.units
        if unit.span.within(chunk.span)
    ]
    assert len(whole) == len(document.units) == len(rows)


# -- settings --


def test_yaml() -> None:
    text = """# where it listens
listen:
  host: 127.0.0.1   # this machine
  port: 7070
servers:
- name: alpha
  port: 80
  tls:
    cert: "x.pem"
- name: beta
note: |
  two
  lines
"""
    assert shown(text, yaml_units(text)) == [
        ("listen (where it listens)", {"host (this machine)": "127.0.0.1", "port": "7070"}),
        ("servers", {"name": "alpha", "port": "80"}),
        ("servers › alpha › tls", {"cert": "x.pem"}),
        ("servers", {"name": "beta"}),
        ("", {"note": "two\n  lines"}),
    ]


def test_a_list_under_a_key_of_yaml() -> None:
    text = "team:\n  colours:\n    - red\n    - dark blue\n  size: 4\n"
    units = yaml_units(text)
    lists = [unit for unit in units if unit.kind is UnitKind.LIST]
    assert [(u.context, u.span.of(text)) for u in lists] == [
        ("team › colours", "- red\n    - dark blue")
    ]
    items = [unit.span.of(text) for unit in units if unit.kind is UnitKind.ITEM]
    assert items == ["- red", "- dark blue"]
    assert ("team", {"size": "4"}) in shown(text, units)


def test_toml_ini_and_properties() -> None:
    text = """title = "Plan"
# whose it is
[owner]
name = "Tom"  # the boss
hosts = [
  "alpha",
  "omega",
]
[servers.alpha]
ip = '10.0.0.1'
[[parts]]
sku = 12
[[parts]]
sku = 13
; an old one
[client]
desc: some words
  and more
db.url=jdbc:x
export TOKEN=abc
"""
    assert shown(text, ini_units(text)) == [
        ("", {"title": "Plan"}),
        (
            "owner (whose it is)",
            {"name (the boss)": "Tom", "hosts": '[\n  "alpha",\n  "omega",\n]'},
        ),
        ("servers › alpha", {"ip": "10.0.0.1"}),
        ("parts", {"sku": "12"}),
        ("parts", {"sku": "13"}),
        (
            "client (an old one)",
            {"desc": "some words\n  and more", "db.url": "jdbc:x", "TOKEN": "abc"},
        ),
    ]


def test_blocks_and_directives() -> None:
    text = """user www;
http {
    # the site
    server {
        listen 8080;
        location /a { root /x; }
        location /b {
            root /var/b;
        }
    }
}
<VirtualHost *:80>
  ServerName a.example
</VirtualHost>
Port 22
"""
    found = shown(text, conf_units(text))
    assert ("http › server (the site)", {"listen": "8080"}) in found
    assert ("http › server (the site) › location /a", {"root": "/x"}) in found
    assert ("http › server (the site) › location /b", {"root": "/var/b"}) in found
    assert ("VirtualHost *:80", {"ServerName (server name)": "a.example"}) in found
    assert found[0] == ("", {"user": "www"}) and found[-1] == ("", {"Port": "22"})


# -- logs --


def test_lines_of_logs_are_rows() -> None:
    text = """2024-05-01 10:32:11,123 ERROR [main] com.foo.Bar - Disk full on /dev/sda1
    at a line of a trace
2024-05-01T10:32:12Z INFO db: connected
[2024-05-01 10:32:13] WARN: low memory
Oct 11 22:14:15 box sshd[123]: Failed password
10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" 200 2326
"""
    cells = [cells for _, cells in shown(text, log_units(text))]
    assert cells == [
        {
            "time": "2024-05-01 10:32:11,123",
            "level": "ERROR",
            "thread": "main",
            "component": "com.foo.Bar",
            "message": "Disk full on /dev/sda1",
        },
        {
            "time": "2024-05-01T10:32:12Z",
            "level": "INFO",
            "component": "db",
            "message": "connected",
        },
        {"time": "2024-05-01 10:32:13", "level": "WARN", "message": "low memory"},
        {
            "time": "Oct 11 22:14:15",
            "host": "box",
            "component": "sshd",
            "message": "Failed password",
        },
        {
            "address": "10.0.0.1",
            "time": "10/Oct/2000:13:55:36 -0700",
            "request": "GET /x HTTP/1.0",
            "status": "200",
            "size": "2326",
        },
    ]


def test_lines_with_a_word_in_capitals_or_with_pairs_are_a_log_too() -> None:
    text = (
        '2025-03-03 08:05 IN   job=301 bike="Marlin" problem="will not start"\n'
        "2025-03-03 09:40 NOTE job=301 battery dead\n"
        "2025-03-03 10:10 OUT  job=301 paid=68.00\n"
    )
    assert [cells["time"][-5:] for _, cells in shown(text, log_units(text))] == [
        "08:05",
        "09:40",
        "10:10",
    ]


def test_a_diary_is_no_log() -> None:
    text = "2024-05-01 We went to the lake.\n2024-05-02 It rained.\n2024-05-03 Home again.\n" * 5
    assert log_units(text) == ()
    assert {unit.kind for unit in find_units(text)} == set(), "a day and no sign behind it"


@pytest.mark.slow
def test_a_log_of_100_000_lines() -> None:
    text = "2024-05-01 10:32:11 ERROR [main] com.foo.Bar - Disk full\n" * 100_000
    units = log_units(text)
    assert len(units) == 100_000 and units[-1].span.end == len(text) - 1


# -- front matter --


def test_front_matter_of_yaml() -> None:
    text = """---
title: "Bees"  # of ours
author: Lena Brandt
tags: [garden, soil]
keywords:
  - wax
  - dark honey
summary: >
  two lines
  of it
---

# Bees
"""
    front = find_front_matter(text)
    assert front is not None and text[front.end :] == "\n# Bees\n"
    assert shown(text, front.record) == [
        (
            "",
            {
                "title": "Bees",
                "author": "Lena Brandt",
                "tags": "garden, soil",
                "keywords": "- wax\n  - dark honey",
                "summary": "two lines\n  of it",
            },
        )
    ]


def test_front_matter_of_toml_and_what_is_none() -> None:
    text = '+++\ntitle = "X"\ntags = ["a", "b"]\n[extra]\nowner = "Bo"\n+++\nText'
    front = find_front_matter(text)
    assert front is not None
    assert shown(text, front.record) == [
        ("", {"title": "X", "tags": '"a", "b"', "extra / owner": "Bo"})
    ]
    for other in ("---\nA line.\n---\n", "---\ntitle: never closed\n", "x\n---\na: b\n---\n", ""):
        assert find_front_matter(other) is None


def test_front_matter_is_one_piece_of_its_passage() -> None:
    text = "---\nauthor: Lena Brandt\nstatus: draft\n---\n\n# Bees\n\nThey make honey.\n"
    document = clean_document(RawDocument(text), "a.md")
    assert [path for _, path in document.headings] == ["Bees"] and document.mask == ()
    record = document.units[0]
    assert record.span.of(text) == "author: Lena Brandt\nstatus: draft"
    chunks = list(chunk_document(document, 60, by_word))
    assert any(record.span.within(chunk.span) for chunk in chunks)


# -- the law of units --

FINDERS: dict[str, Callable[[str], Sequence[Unit]]] = {
    "json": json_records,
    "yaml": yaml_units,
    "ini": ini_units,
    "conf": conf_units,
    "code": code_units,
    "log": log_units,
    "prose": lambda text: find_units(text, terms=True),
}
PARTS = st.sampled_from(
    [
        *"{}[]\":,=#-|+<>/*`\\'",
        *(
            "a",
            "Ab c",
            "1",
            " ",
            "  ",
            "\t",
            "\n",
            "\n\n",
            "\r\n",
            "a: b",
            "é",
            "- ",
            "- a\n",
            "---\n",
        ),
        *(
            "|===\n",
            "a:: b\n",
            "```\n",
            "def f(x):\n",
            '"""',
            "== ==\n",
            "+-+\n",
            "A = 1\n",
            ":a: b\n",
        ),
        *("2024-05-01 10:00:00 INFO x: y\n", "# x\n", "return 1\n", "Q: a\nA: b\n"),
    ]
)


@pytest.mark.parametrize("name", FINDERS)
@examples(150)
@given(parts=st.lists(PARTS, max_size=40))
def test_units_lie_in_the_text_and_cells_in_their_unit(name: str, parts: list[str]) -> None:
    text = "".join(parts)
    units = FINDERS[name](text)
    assert list(units) == sorted(units, key=unit_order)
    for unit in units:
        assert 0 <= unit.span.start < unit.span.end <= len(text)
        assert "\n" not in unit.context
        for cell in unit.cells:
            assert cell.span.start < cell.span.end
            assert cell.span.within(unit.span), (unit.span.of(text), cell.span.of(text))
            assert cell.name is None or cell.name.within(unit.span)
            assert "\n" not in cell.header


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    "objects.json nested.json quotes.json keys.yaml steps.yaml dashes.yaml fields.ini braces.conf "
    "defs.py calls.c lines.log fences.md front.md tables.adoc".split(),
)
def test_bombs_are_read_within_the_limits(tmp_path: Path, name: str) -> None:
    content = BOMBS[name]()
    (tmp_path / name).write_bytes(content)
    (raw,) = load_file(File(str(tmp_path / name), name, len(content), 0))
    assert isinstance(raw, RawDocument) and len(raw.text) == len(content)
