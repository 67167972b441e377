"""Places of citations in words: in a workbook they are a sheet and a row."""

from __future__ import annotations

from rag import serialize
from rag.answer.evidence import evidence_at
from rag.cli.source_places import evidence_place, passage_place
from rag.domain import Cell, Chunk, Claim, Passage, Sentence, Span, Unit, UnitKind, Verdict
from tui.render.answer_text import lines_of
from tui.render.export import sentence

TEXT = "Tea | 2\nGin | 9\n"


def _passage(rows: tuple[int, int]) -> Passage:
    units = tuple(
        Unit(UnitKind.ROW, span, "", (Cell("Item", Span(span.start, span.start + 3)),), row)
        for span, row in zip((Span(0, 7), Span(8, 15)), rows, strict=True)
    )
    chunk = Chunk("c", "d", "a.xlsx", "A", None, "Prices", Span(0, 16), TEXT, 5, None, units)
    return Passage(1, chunk, 1.0)


def test_a_citation_in_a_workbook_names_sheet_and_row() -> None:
    passage = _passage((12, 14))
    evidence = evidence_at(passage, Span(8, 15))
    assert (evidence.sheet, evidence.row) == ("Prices", 14)
    assert evidence_place(evidence) == "a.xlsx, sheet Prices, row 14"
    assert passage_place(passage) == "a.xlsx, sheet Prices, row 12"
    assert lines_of(passage) == "sheet Prices, rows 12–14"
    claim = Claim(Sentence("Gin | 9", Span(0, 7)), (evidence,), Verdict.SUPPORTED, 1.0)
    assert "sheet Prices, row 14" in sentence(claim)
    found = serialize.evidence(evidence)
    assert (found["sheet"], found["row"], found["line"]) == ("Prices", 14, 6)


def test_a_citation_elsewhere_names_the_line() -> None:
    passage = _passage((0, 0))
    evidence = evidence_at(passage, Span(8, 15))
    assert evidence.row is None and "row" not in serialize.evidence(evidence)
    assert evidence_place(evidence) == "a.xlsx:6"
    assert lines_of(passage) == "lines 5–6"
