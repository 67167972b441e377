"""RTF: text, tables, lists, notes as word processors write them; hostile files end in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.domain import RawDocument, RefusedPart, UnitKind
from rag.errors import Unreadable
from tests.ingest.test_formats_plain import one, read, refusal
from tests.support.structure import entries, items, lists, of_kind, rows

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Arial;}{\f1\fcharset204 Arial;}"
    r"{\f2\fcharset128 MS Mincho;}}{\colortbl;\red0\green0\blue0;}"
    r"{\stylesheet{\ql Normal;}{\s1\ql heading 1;}{\s2 heading 2;}{\s3\qc Title;}{\*\cs10 Char;}"
    r"{\s5 caption;}}{\info{\title Pump report}{\author Mira}}"
)


def rtf(body: str) -> bytes:
    return (HEAD + body + "}").encode("latin-1")


def test_paragraphs_headings_and_characters(tmp_path: Path) -> None:
    body = (
        r"\pard\s3 The pump\par \pard\plain It was {\b mended} in {\i May}\'85 caf\'e9 \u8364? 5"
        "\n"
        r"\par \pard\s1 Bolts\par\pard\plain Tighten\tab them.\line Twice.\par"
        r"\pard\plain\b Where to buy\par\b0 In \{any\} shop.\par{\v hidden}{\deleted gone}"
    )
    raw, hidden = read(tmp_path, "a.rtf", rtf(body))
    assert isinstance(raw, RawDocument) and isinstance(hidden, RefusedPart)
    assert raw.text == (
        "The pump\nIt was mended in May… café € 5\nBolts\nTighten\tthem.\nTwice.\nWhere to buy\n"
        "In {any} shop.\n"
    )
    assert raw.title == "Pump report" and hidden.name == "/hidden texts"
    assert [(level, title) for _, level, title in raw.headings or ()] == [
        (1, "The pump"),
        (2, "Bolts"),
        (3, "Where to buy"),
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"{\f1 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (r"{\f2 \'93\'fa\'96\'7b}", "日本"),
        (r"{\f2 \'83A\'83B}", "アィ"),
        (r"\uc1\u1055?\u1088\'3f\u1080?", "При"),
        (r"\uc0\u1055\u1088", "Пр"),
        (r"{\uc2\u8364\'80\'80 x}", "€ x"),
        (r"\u-10179?\u-8704?", "😀"),
        (r"\u-10179? alone", "\ufffd alone"),
        (r"a\~b\_c\-d\emdash e\ldblquote f\rdblquote", "a\xa0b\u2011cd—e“f”"),
        (r"{\field{\*\fldinst HYPERLINK http://x.y}{\fldrslt a link}}", "a link"),
        (r"x{\*\unknown secret}y", "xy"),
        (r"x{\pict\bin7 }}}}}}}89}y", "xy"),
    ],
)
def test_characters(tmp_path: Path, body: str, text: str) -> None:
    raw = read(tmp_path, "a.rtf", rtf(body))[0]
    assert isinstance(raw, RawDocument) and raw.text == text + "\n"


def row(*cells: str, define: str = "", edges: tuple[int, ...] = ()) -> str:
    edges = edges or tuple(2000 * n for n in range(1, len(cells) + 1))
    definition = define or "".join(rf"\cellx{edge}" for edge in edges)
    return (
        rf"\trowd{definition}\pard\intbl " + "".join(rf"{cell}\cell " for cell in cells) + r"\row "
    )


def test_tables(tmp_path: Path) -> None:
    body = (
        r"\pard Tolls of the bridge:\par "
        + row("Vehicle", "Toll", edges=(2000, 6010))
        + row("", "2023", "2024", edges=(2000, 4000, 6000))
        + row("Car", "$4", "$5", define=r"\clvmgf\cellx2000\cellx4000\cellx6000")
        + row("", "$6", "$7", define=r"\clvmrg\cellx2000\cellx4000\cellx6000")
        + row("All in dollars", "", "", define=r"\clmgf\cellx2000\clmrg\cellx4000\clmrg\cellx6000")
        + r"\pard After it.\par "
        + row("Bird", "Seen")
        + row(r"Heron\par grey", "7")
    )
    found = one(tmp_path, "a.rtf", rtf(body))
    assert rows(found) == [
        ("Tolls of the bridge", {"Vehicle": "Car", "Toll / 2023": "$4", "Toll / 2024": "$5"}),
        ("Tolls of the bridge", {"Vehicle": "Car", "Toll / 2023": "$6", "Toll / 2024": "$7"}),
        ("Tolls of the bridge", {"Vehicle": "All in dollars"}),
        ("", {"Bird": "Heron grey", "Seen": "7"}),
    ]


def test_header_rows_and_forms(tmp_path: Path) -> None:
    body = (
        row("7", "8", define=r"\trhdr\cellx100\cellx2000")
        + row("a", "b", edges=(100, 2000))
        + r"\pard\par "
        + row("Name:", "Ada Lin")
        + row("Born:", "4 May 1990")
    )
    found = one(tmp_path, "a.rtf", rtf(body))
    assert rows(found) == [("", {"7": "a", "8": "b"})]
    (record,) = of_kind(found, UnitKind.RECORD)
    assert [cell.header for cell in record.cells] == ["Name", "Born"]


def test_lists(tmp_path: Path) -> None:
    body = (
        r"\pard Bring to the camp:\par "
        r"{\listtext 1.\tab}\pard\ls1\ilvl0 Tools:\par {\listtext\'b7\tab}\pard\ls1\ilvl1 a saw\par "
        r"{\pntext 2.\tab}\pard Food.\par \pard Nothing else is needed up there.\par"
    )
    found = one(tmp_path, "a.rtf", rtf(body))
    assert lists(found) == [("Bring to the camp", "Tools:\na saw\nFood.")]
    assert items(found)[1] == ("Bring to the camp / Tools", "a saw")


def test_notes_comments_boxes_and_margins(tmp_path: Path) -> None:
    body = (
        r"{\header\pard Guide KL-204\par}{\footer\pard Page {\field{\fldrslt 3}}\par}"
        r"\pard The tower is 61 metres high{\super\chftn}{\footnote\pard\plain Without the mast.}"
        r"{\*\atnid MH}{\*\atnauthor Mira Holt}{\*\annotation\pard How old?}."
        r"{\shp{\*\shpinst{\sp{\sn a}{\sv 1}}{\shptxt\pard A caf\'e9\par}}}\par Near the river.\par"
    )
    (raw,) = read(tmp_path, "a.rtf", rtf(body))
    assert isinstance(raw, RawDocument)
    assert raw.text == (
        "The tower is 61 metres high.\nA café\nNear the river.\nFootnotes\nWithout the mast.\n"
        "Comments\nMira Holt: How old?\nHeaders and footers\nGuide KL-204\nPage 3\n"
    )
    assert [span.of(raw.text) for span in raw.masked] == ["Page 3"]
    assert entries(raw) == [
        ("The tower is 61 metres high", "", "Without the mast."),
        ("comment on: The tower is 61 metres high", "Mira Holt", "Mira Holt: How old?"),
    ]


def test_pictures_and_objects_are_said_once_a_kind(tmp_path: Path) -> None:
    picture = r"{\*\shppict{\pict\pngblip 89504e47}}{\nonshppict{\pict\wmetafile8 0100}}"
    body = 2 * picture + r"{\object\objemb{\*\objdata 0105}{\result{\pict 01}}}Words."
    raw, *parts = read(tmp_path, "a.rtf", rtf(body))
    assert isinstance(raw, RawDocument) and raw.text == "Words.\n"
    assert [(part.name, str(getattr(part, "reason", ""))[:9]) for part in parts] == [
        ("/pictures", "2 picture"),
        ("/embedded objects", "1 embedde"),
    ]


def test_what_is_no_rtf_is_refused(tmp_path: Path) -> None:
    assert "plain text" in refusal(tmp_path, "a.rtf", b"These are words.")
    assert "office file" in refusal(tmp_path, "b.rtf", b"PK\x03\x04...")
    assert "no text" in refusal(tmp_path, "c.rtf", rtf(""))
    assert "not RTF" in refusal(tmp_path, "d.rtf", b"\0\1\2\3")


HOSTILE = {
    "deep": "{" * 1_000_000 + "x",
    "closed": "}" * 1_000_000 + "x",
    "groups": "{}" * 300_000 + "x",
    "words": r"\b" * 300_000 + " x",
    "backslashes": "\\\\" * 300_000 + "\\",
    "notes": "words " * 100_000 + r"{\footnote n}" * 20_000,
    "edges": r"\trowd" + "".join(rf"\cellx{n * 97}" for n in range(50_000)) + r"\intbl x\cell\row",
    "rows": (r"\trowd" + "".join(rf"\cellx{n * 97}" for n in range(150)) + r"\intbl x\cell\row")
    * 500,
    "cells": r"\trowd\intbl " + r"x\cell" * 200_000 + r"\row\pard y",
    "wide": r"\trowd\cellx1\cellx2147483647\intbl x\cell y\cell\row " * 10_000,
    "bin": r"{\pict\bin9999999999 x}y",
    "minus": r"\bin-5 x\u-99999999?\uc-3\ls-1\ilvl-9 y\par z",
    "styles": r"{\stylesheet" + r"{\s1 a;}" * 100_000 + "}x",
    "fonts": r"{\fonttbl" + "".join(rf"{{\f{n}\fcharset128 x;}}" for n in range(50_000)) + "}x",
    "digits": r"\u" + "1" * 100_000 + " x",
    "paragraphs": r"\par" * 200_000 + " x",
    "items": r"{\listtext 1.}\ls1 x\par " * 40_000,
    "code pages": r"\ansicpg99999999 \'e9\ansicpg65001 \'e9x",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_as_a_document_or_a_line(tmp_path: Path, name: str) -> None:
    try:
        raw = read(tmp_path, "a.rtf", rtf(HOSTILE[name]))[0]
    except Unreadable as error:
        assert error.cure and "Error" not in str(error)
        return
    assert isinstance(raw, RawDocument)
    of_kind(raw, UnitKind.ROW)
