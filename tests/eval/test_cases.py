"""QUESTIONS.jsonl and CLAIMS.jsonl: what is read, and what a person is told about a line that is wrong."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import Usage
from rag.eval.cases import Case, Gold, read_cases, sample_cases
from rag.eval.checker import Labelled, read_claims

WHOLE = {
    "id": "q1",
    "question": "Who?",
    "answers": ["Ann"],
    "evidence": [{"source": "a.txt", "quote": "Ann did"}],
    "answerable": True,
    "type": "fact",
}


def written(tmp_path: Path, *lines: object, name: str = "questions.jsonl") -> Path:
    path = tmp_path / name
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines),
        encoding="utf-8",
    )
    return path


def test_a_line_is_a_case(tmp_path: Path) -> None:
    assert read_cases(written(tmp_path, WHOLE)) == (
        Case("q1", "Who?", ("Ann",), (Gold("a.txt", "Ann did"),), True, "fact"),
    )


def test_what_may_be_left_out_may_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, {"id": "q1", "question": "Who?", "answerable": False})
    assert read_cases(path) == (Case("q1", "Who?", (), (), False, ""),)
    path = written(tmp_path, {"id": "q1", "question": "Who?", "answers": ["Ann"]})
    assert read_cases(path) == (Case("q1", "Who?", ("Ann",), (), True, ""),)
    path = written(tmp_path, {"id": "q1", "question": "Who?"})
    assert read_cases(path) == (Case("q1", "Who?", (), (), False, ""),)


def test_evidence_may_name_a_corpus_id_and_leave_out_its_quote(tmp_path: Path) -> None:
    evidence = [
        {"doc_id": "d1"},
        {"doc_id": "d1", "quote": None},
        {"doc_id": "ignored", "source": "b.txt", "quote": "words"},
    ]
    (case,) = read_cases(written(tmp_path, WHOLE | {"evidence": evidence}))
    assert case.evidence == (Gold("d1"), Gold("d1"), Gold("b.txt", "words"))
    assert case.sources == ("d1", "b.txt")
    assert case.quotes == ("words",)


def test_gzip_a_mark_at_the_start_and_blank_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(WHOLE).encode() + b"\r\n\n"))
    assert [case.id for case in read_cases(path)] == ["q1"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{nonsense", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "must be an object, not [1]"),
        (WHOLE | {"id": 7}, '"id" must be text that is not empty, not 7'),
        (WHOLE | {"id": "q0"}, "the id 'q0' was used before"),
        (WHOLE | {"question": " "}, '"question" must be text'),
        (
            {k: v for k, v in WHOLE.items() if k != "question"},
            '"question" must be text that is not empty, not nothing',
        ),
        (WHOLE | {"answers": "Ann"}, '"answers" must be a list'),
        (WHOLE | {"answers": [""]}, 'each of "answers" must be text'),
        (WHOLE | {"evidence": ["a.txt"]}, 'each of "evidence" must be an object'),
        (
            WHOLE | {"evidence": [{"quote": "x"}]},
            'the "source" or "doc_id" of evidence must be text',
        ),
        (
            WHOLE | {"evidence": [{"source": "a.txt", "quote": " "}]},
            'the "quote" of evidence must be text',
        ),
        (WHOLE | {"answerable": "yes"}, '"answerable" must be true or false, not "yes"'),
        (WHOLE | {"type": 3}, '"type" must be text'),
        (WHOLE | {"question": "\ud83d?"}, "half a character"),
    ],
)
def test_a_wrong_line_is_named_with_its_number_and_its_cure(
    tmp_path: Path, line: object, what: str
) -> None:
    path = written(tmp_path, WHOLE | {"id": "q0"}, "", line)
    with pytest.raises(Usage) as raised:
        read_cases(path)
    assert str(raised.value).startswith(f"{path}, line 3: ")
    assert what in str(raised.value)
    assert '"answerable": true' in raised.value.cure


def test_a_long_wrong_value_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(Usage) as raised:
        read_cases(written(tmp_path, WHOLE | {"answerable": "x" * 10_000}))
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("q.jsonl", b"", "holds no questions"),
        ("q.jsonl", b'{"id": "\xff"}', "is not UTF-8"),
        ("q.jsonl.gz", b"not gzip at all", "cannot be read"),
        ("q.jsonl.gz", gzip.compress(json.dumps(WHOLE).encode() * 50)[:-12], "cannot be read"),
        ("missing/q.jsonl", None, "cannot be read: No such file"),
        ("q.jsonl", "folder", "cannot be read: Is a directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | str | None, what: str
) -> None:
    path = tmp_path / name
    if isinstance(content, str):
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(Usage, match=what) as raised:
        read_cases(path)
    assert str(path) in str(raised.value)
    assert raised.value.cure


ALL = tuple(Case(str(n), "?") for n in range(50))


@given(st.integers(1, 60), st.integers())
def test_a_sample_is_as_large_as_asked_in_file_order_and_repeatable(limit: int, seed: int) -> None:
    drawn = sample_cases(ALL, limit, seed)
    places = [ALL.index(case) for case in drawn]
    assert len(drawn) == min(limit, len(ALL))
    assert places == sorted(set(places))
    assert drawn == sample_cases(ALL, limit, seed)


def test_another_seed_draws_others_and_no_limit_draws_all() -> None:
    assert sample_cases(ALL, 10, 0) != sample_cases(ALL, 10, 1)
    assert sample_cases(ALL, 10, 0) != ALL[:10]
    assert sample_cases(ALL, None) == ALL
    with pytest.raises(Usage):
        sample_cases(ALL, 0)


def test_claims_are_read_and_a_wrong_label_is_named(tmp_path: Path) -> None:
    line = {"claim": "Bees fly.", "passage": "Bees can fly.", "label": "supported", "id": "ignored"}
    path = written(tmp_path, line, line | {"label": "unsupported"})
    assert read_claims(path) == (
        Labelled("Bees fly.", "Bees can fly.", True),
        Labelled("Bees fly.", "Bees can fly.", False),
    )
    path = written(tmp_path, line, line | {"label": "partly"})
    with pytest.raises(Usage, match='line 2: "label" must be'):
        read_claims(path)
    with pytest.raises(Usage, match="holds no claims"):
        read_claims(written(tmp_path))
