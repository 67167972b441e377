"""A scripted run from end to end with a scripted bot: its figures by hand, its file, and going on after a kill."""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rag.domain import (
    Answer,
    Chunk,
    Citation,
    Claim,
    Copy,
    Document,
    Evidence,
    Model,
    Passage,
    Reason,
    Receipt,
    Seconds,
    Sentence,
    Span,
    Verdict,
)
from rag.errors import RagError, Usage
from rag.eval.case_changes import case_changes
from rag.eval.cases import Case, Gold
from rag.eval.compare import compare_runs
from rag.eval.markdown_report import markdown_report
from rag.eval.plot_points import latency_points, recall_by_depth, risk_coverage_points
from rag.eval.records import Figure, Summary
from rag.eval.report import figure_rows, print_summary
from rag.eval.run import (
    Bot,
    Setup,
    evaluate_cases,
    fingerprint,
    read_run,
    run_cases,
    run_object,
    summarise,
    write_run,
)
from rag.eval.scoring import answer_words
from rag.events import Answered, Event, Retrieved, Token
from tests.support.examples import examples
from tests.support.json_records import run_record
from tests.support.narrow import close, figure_of, figures_of, numbers, value_of

EMPTY: Figure = {"value": None, "low": None, "high": None, "n": 0}
SETUP = Setup(config={"model": "reader"}, weights={"reader": "ab12"}, version="0")
TEXTS = {
    "bees": "Bees make honey. Bees see [2] colours.",
    "wasps": "Wasps eat bees.",
    "ants": "Ants dig.",
}
DOCUMENTS = {
    name: Document(name, f"dir/{name}.txt", name, None, text) for name, text in TEXTS.items()
}


def passage(number: int, name: str, copies: tuple[Copy, ...] = ()) -> Passage:
    text = TEXTS[name]
    chunk = Chunk(f"{name}-0", name, f"dir/{name}.txt", name, None, "", Span(0, len(text)), text, 1)
    return Passage(number, chunk, 1 / number, copies=copies)


FOUND = (
    passage(1, "ants"),
    passage(2, "bees"),
    passage(3, "wasps", copies=(Copy("copy.txt", "copy", Span(0, 1)),)),
)


def evidence(number: int, name: str, start: int, end: int, text: str | None = None) -> Evidence:
    span = Span(start, end)
    return Evidence(
        number, name, f"dir/{name}.txt", span, span.of(TEXTS[name]) if text is None else text, 1
    )


def claim(
    text: str,
    markers: Sequence[int],
    verdict: Verdict,
    quotes: Sequence[Evidence] = (),
    start: int = 0,
) -> Claim:
    """A claim whose markers stand behind it, as in "Bees fly. [2]"."""
    at, citations = start + len(text), list[Citation]()
    for number in markers:
        citations.append(Citation(number, Span(at, at + len(f" [{number}]"))))
        at = citations[-1].span.end
    return Claim(
        Sentence(text, Span(start, at), tuple(citations)), tuple(quotes), verdict, 0.5, ("why",)
    )


QUICK = Seconds(1.0, 2.0, 0.1, 4.0)


def answer(
    question: str,
    text: str = "",
    claims: Sequence[Claim] = (),
    short: str | None = None,
    reason: Reason | None = None,
    seconds: Seconds = QUICK,
) -> Answer:
    return Answer(
        question,
        text,
        short,
        tuple(claims),
        FOUND,
        reason is not None,
        reason,
        Receipt(),
        Model("m", ""),
        seconds,
    )


CASES = (
    Case(
        "good",
        "What do bees make?",
        ("honey", "wax"),
        (Gold("bees.txt", "Bees  make honey."),),
        True,
        "fact",
    ),
    Case(
        "bad",
        "What eats bees?",
        ("wasps",),
        (Gold("copy.txt", "Wasps eat ants."), Gold("birds.txt")),
        True,
        "fact",
    ),
    Case("shy", "What do ants do?", ("dig",), (Gold("ants.txt"),), True),
    Case("right", "What do birds do?", (), (), False),
    Case("wrong", "What do fish do?", (), (), False),
    Case("open", "Tell me of bees.", (), (), True),
)
ANSWERS = {
    "What do bees make?": answer(
        "", "Bees make honey. [2] As asked.",
        [claim("Bees make honey.", [2], Verdict.SUPPORTED, [evidence(2, "bees", 0, 16)]), claim("As asked.", [], Verdict.NEEDS_NONE, start=21)],
        short="honey",
    ),
    "What eats bees?": answer(
        "", "The ants eat wasps. [1] [7]",
        [claim("The ants eat wasps.", [1, 7], Verdict.DANGLING, [evidence(1, "ants", 0, 4, "Bees")])],
        seconds=Seconds(2.0, 3.0, 0.1, 8.0),
    ),
    "What do ants do?": answer(
        "", "Ants dig. [1]", [claim("Ants dig.", [1], Verdict.UNSUPPORTED, [evidence(1, "ants", 0, 4)])], reason=Reason.UNSUPPORTED,
    ),
    "What do birds do?": answer("", reason=Reason.NOT_ANSWERED),
    "What do fish do?": answer("", "Fish swim.", [claim("Fish swim.", [], Verdict.UNCITED)]),
    "Tell me of bees.": answer("", "Bees see [2] colours.", [claim("Bees see [2] colours.", [], Verdict.PARTLY)]),
}  # fmt: skip


class Script:
    """A bot that says what it is told, counts what it was asked, and can be interrupted at a question.

    With `events` it says these at every question.
    """

    def __init__(self, interrupt: str | None = None, events: Sequence[Event] | None = None) -> None:
        self.asked: list[str] = []
        self.sought: list[int] = []
        self.interrupt, self.events = interrupt, events

    def ask(self, question: str) -> Iterator[Event]:
        if question == self.interrupt:
            raise KeyboardInterrupt
        self.asked.append(question)
        if self.events is not None:
            yield from self.events
            return
        yield Retrieved(FOUND, 3)
        yield Token("word")
        yield Answered(replace(ANSWERS[question], question=question))

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        if question == self.interrupt:
            raise KeyboardInterrupt
        self.sought.append(limit)
        return FOUND[:limit]

    def document(self, name: str) -> Document:
        if name not in DOCUMENTS:
            raise Usage(f"there is no document {name!r}")
        return DOCUMENTS[name]


RECORDS = list(evaluate_cases(Script(), CASES))


def counts(summary: Summary, group: str) -> dict[str, int]:
    return {name: figure["n"] for name, figure in figures_of(summary, group).items()}


def test_a_retrieved_copy_counts_in_the_page_and_in_a_comparison() -> None:
    later = list(evaluate_cases(Script(), CASES))
    bad = next(record for record in later if record["id"] == "bad")
    bad["retrieved"].pop()  # the passage of wasps, whose copy is a gold document
    old, new = run_object(RECORDS, SETUP), run_object(later, SETUP)
    (change,) = compare_runs(old, new)["otherwise"]
    assert change["why"] == ["copy.txt is retrieved lower: passage 3 -> not found"]
    assert dict(recall_by_depth(RECORDS)["documents"])[3.0] == pytest.approx((1 + 0.5 + 1) / 3)
    assert "## Recall by depth" in markdown_report(new, compare_runs(old, new))


def test_every_figure_by_hand() -> None:
    summary = summarise(RECORDS)
    values = {name: figure["value"] for name, figure in figure_rows(summary)}
    third = 0.6309297535714575  # 1 / log2(3)
    assert values == {
        # good: found second of three; bad: one of two gold documents, third; shy: first
        "retrieval.recall@1": pytest.approx((0 + 0 + 1) / 3),
        "retrieval.recall@5": pytest.approx((1 + 0.5 + 1) / 3),
        "retrieval.recall@10": pytest.approx((1 + 0.5 + 1) / 3),
        "retrieval.ndcg@10": pytest.approx((third + 0.5 / (1 + third) + 1) / 3),
        "retrieval.mrr@10": pytest.approx((1 / 2 + 1 / 3 + 1) / 3),
        "retrieval.quote_recall@5": 0.5,  # "Wasps eat ants." is in no passage
        "retrieval.quote_recall@10": 0.5,
        # good: "honey"; bad: "ants eat wasps" holds "wasps"; open has no gold answers
        # shy abstained, although what it wrote and withheld would be right
        "answer.em": pytest.approx(1 / 3),
        "answer.f1": pytest.approx((1 + 2 * (1 / 3) / (1 / 3 + 1)) / 3),
        "answer.contains": pytest.approx(2 / 3),
        "overall.em": pytest.approx((1 + 0 + 0 + 1 + 0) / 5),
        "overall.f1": pytest.approx((1 + 0.5 + 0 + 1 + 0) / 5),
        "citation.valid": 3 / 4,  # 2; 1, not 7; 1 of the abstention
        "citation.quote_exact": 2 / 3,  # "Bees" is not in ants at 0..4
        "citation.precision": 1 / 2,  # cited: bees, ants
        "citation.recall": 1 / 3,  # gold: bees; copy, birds
        "citation.supported": 1 / 4,  # of good's first, bad, wrong, open; abstentions claim nothing
        "abstention.precision": 1 / 2,
        "abstention.recall": 1 / 2,
        "abstention.f1": 1 / 2,
        "abstention.answered_wrongly": 1 / 2,
        "seconds.retrieve.p50": 1.0,
        "seconds.retrieve.p95": pytest.approx(1.75),
        "seconds.first.p50": 2.0,
        "seconds.first.p95": pytest.approx(2.85),
        "seconds.total.p50": 4.0,
        "seconds.total.p95": pytest.approx(7.0),
    }
    assert set(counts(summary, "retrieval").values()) == {3, 2}
    assert counts(summary, "answer") == {"em": 3, "f1": 3, "contains": 3}
    assert counts(summary, "overall") == {"em": 5, "f1": 5}
    assert counts(summary, "citation") == {
        "valid": 3,
        "quote_exact": 3,
        "precision": 2,
        "recall": 2,
        "supported": 4,
    }
    assert counts(summary, "abstention") == {
        "precision": 2,
        "recall": 2,
        "f1": 3,
        "answered_wrongly": 2,
    }
    assert figure_of(summary, "seconds.first.p50")["n"] == 4  # an abstention has no first words
    assert figure_of(summary, "seconds.total.p50")["n"] == 6


def test_documents_near_an_unanswerable_question_count_in_retrieval_but_not_as_citations() -> None:
    text = "Ants dig. [1]"
    claims = [claim("Ants dig.", [1], Verdict.SUPPORTED)]
    bot = Script(events=[Answered(answer("", text, claims))])
    summary = summarise(
        list(evaluate_cases(bot, [Case("near", "Do ants fly?", (), (Gold("ants.txt"),), False)]))
    )
    assert value_of(summary, "retrieval.recall@1") == 1
    assert (
        figure_of(summary, "citation.precision")
        == figure_of(summary, "citation.recall")
        == figure_of(summary, "answer.em")
        == EMPTY
    )
    assert (
        value_of(summary, "citation.supported")
        == value_of(summary, "abstention.answered_wrongly")
        == 1
    )


def test_a_record_holds_the_whole_answer_and_the_gold() -> None:
    record = RECORDS[0]
    assert record["gold"] == {
        "answers": ["honey", "wax"],
        "evidence": [{"source": "bees.txt", "quote": "Bees  make honey."}],
    }
    assert record["answer"] is not None
    assert record["answer"]["claims"][0]["citations"][0]["quote"] == "Bees make honey."
    assert record["answer"]["passages"][1]["text"] == TEXTS["bees"]
    assert [found["source"] for found in record["retrieved"]] == [
        "dir/ants.txt",
        "dir/bees.txt",
        "dir/wasps.txt",
    ]
    assert json.loads(json.dumps(record)) == record


def test_retrieval_only_asks_for_ten_passages_and_for_no_answer() -> None:
    bot = Script()
    summary = summarise(list(evaluate_cases(bot, CASES, retrieval_only=True)))
    assert bot.asked == []
    assert bot.sought == [10] * len(CASES)
    assert summary["retrieval"] == summarise(RECORDS)["retrieval"]
    assert all(
        figure == EMPTY
        for group in ("answer", "overall", "citation", "abstention")
        for figure in figures_of(summary, group).values()
    )
    assert figure_of(summary, "seconds.retrieve.p50")["n"] == len(CASES)
    assert figure_of(summary, "seconds.total.p50") == EMPTY


def test_an_empty_run_has_every_figure_and_no_value() -> None:
    summary = summarise([])
    assert len(list(figure_rows(summary))) == 27
    assert all(figure == EMPTY for _, figure in figure_rows(summary))


def test_markers_are_no_words_but_a_documents_own_brackets_are() -> None:
    assert answer_words(ANSWERS["What eats bees?"]).split() == ["The", "ants", "eat", "wasps."]
    assert answer_words(ANSWERS["Tell me of bees."]) == "Bees see [2] colours."


def test_a_quote_of_a_document_that_is_gone_is_not_exact() -> None:
    text = "Bees make honey. [2]"
    gone = replace(evidence(2, "bees", 0, 16), document="gone")
    answers = answer("", text, [claim("Bees make honey.", [2], Verdict.SUPPORTED, [gone])])
    bot = Script(events=[Answered(answers)])
    summary = summarise(list(evaluate_cases(bot, CASES[:1])))
    assert value_of(summary, "citation.quote_exact") == 0


@pytest.mark.parametrize(
    "events", [[], [Token("half")], [Answered(replace(ANSWERS["What eats bees?"], stopped=True))]]
)
def test_a_question_without_a_whole_answer_is_an_error(events: list[Event]) -> None:
    bot = Script(events=events)
    with pytest.raises(RagError, match="stopped"):
        list(evaluate_cases(bot, CASES))


@pytest.mark.slow
@examples(25)
@given(st.lists(st.sampled_from(RECORDS), max_size=12), st.randoms(use_true_random=False))
def test_the_summary_does_not_depend_on_the_order(records: list[Any], random: Random) -> None:
    summary = summarise(records)
    assert summarise(random.sample(records, len(records))) == summary
    for name, figure in figure_rows(summary):
        if figure["n"]:
            low, value, high = numbers(figure)
            assert 0 <= low <= value <= high
            assert name.startswith("seconds.") or high <= 1
        else:
            assert figure == EMPTY


# -- the file --


def finished(
    tmp_path: Path,
    bot: Bot,
    said: list[str] | None = None,
    cases: Sequence[Case] = CASES,
    setup: Setup = SETUP,
    **kind: Any,
) -> tuple[list[str], Any]:
    """Run to the end; the ids that were asked this time, and the run file's object."""
    say = said.append if said is not None else lambda _: None
    asked = [
        record["id"] for record in run_cases(bot, cases, tmp_path / "run.json", setup, say, **kind)
    ]
    return asked, json.loads((tmp_path / "run.json").read_text())


def test_the_run_file_is_whole_and_the_partial_is_gone(tmp_path: Path) -> None:
    asked, made = finished(tmp_path, Script())
    assert asked == [case.id for case in CASES]
    assert made == {
        "schema": 1, "config": {"model": "reader"}, "weights": {"reader": "ab12"}, "version": "0",
        "cases": RECORDS, "summary": summarise(RECORDS),
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    assert run_object(RECORDS, SETUP) == made


def timeless(value: Any) -> Any:
    """Any part of a run file without its times."""
    if isinstance(value, dict):
        return {key: timeless(inside) for key, inside in value.items() if key != "seconds"}
    return [timeless(inside) for inside in value] if isinstance(value, list) else value


def test_the_same_answers_give_the_same_file_but_for_times_also_when_interrupted(
    tmp_path: Path,
) -> None:
    class Slower(Script):
        def ask(self, question: str) -> Iterator[Event]:
            for event in super().ask(question):
                if isinstance(event, Answered):
                    event = Answered(replace(event.answer, seconds=Seconds(9.0, 9.5, 0.5, 11.0)))
                yield event

    (tmp_path / "other").mkdir()
    finished(tmp_path, Script())
    interrupted(tmp_path / "other")
    finished(tmp_path / "other", Slower())
    one, two = (
        json.loads((place / "run.json").read_bytes()) for place in (tmp_path, tmp_path / "other")
    )
    assert one != two, "the times differ"
    assert json.dumps(timeless(one)).encode() == json.dumps(timeless(two)).encode()


def interrupted(tmp_path: Path, at: str = "What do birds do?", **kind: Any) -> Path:
    with pytest.raises(KeyboardInterrupt):
        finished(tmp_path, Script(interrupt=at), **kind)
    assert not (tmp_path / "run.json").exists()
    return tmp_path / "run.json.partial"


def test_an_interrupted_run_goes_on_to_the_same_file(tmp_path: Path) -> None:
    interrupted(tmp_path)
    bot, said = Script(), list[str]()
    asked, made = finished(tmp_path, bot, said)
    assert asked == ["right", "wrong", "open"]
    assert bot.asked == [case.question for case in CASES[3:]]
    assert made["cases"] == RECORDS
    assert made["summary"] == summarise(RECORDS)
    assert said == ["3 questions were done before: going on from there"]
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_an_interruption_twice_loses_nothing(tmp_path: Path) -> None:
    interrupted(tmp_path, "What do ants do?")
    interrupted(tmp_path, "Tell me of bees.")
    asked, made = finished(tmp_path, Script())
    assert asked == ["open"]
    assert made["cases"] == RECORDS


def test_closing_the_iterator_keeps_what_was_done(tmp_path: Path) -> None:
    records = run_cases(Script(), CASES, tmp_path / "run.json", SETUP, lambda _: None)
    next(records)
    assert (
        json.loads((tmp_path / "run.json.partial").read_bytes().splitlines()[1]) == RECORDS[0]
    )  # before it is closed
    close(records)
    assert finished(tmp_path, Script())[0] == [case.id for case in CASES[1:]]


def test_a_kill_after_the_last_question_asks_nothing_again(tmp_path: Path) -> None:
    partial = interrupted(tmp_path, "Tell me of bees.")
    with partial.open("a") as file:
        file.write(json.dumps(RECORDS[-1]) + "\n")
    asked, made = finished(tmp_path, Script())
    assert asked == []
    assert made["cases"] == RECORDS


@pytest.mark.parametrize(
    "broken",
    [
        b'{"id": "right", "sc',
        b'{"id": "right"}',
        b"\0\0\0\0\n",
        b"[]\n",
        b"{}\n",
        b"\xff\n",
        b"x" * 99_999,
    ],
)
def test_a_half_written_record_is_cut_off_and_its_question_asked_again(
    tmp_path: Path, broken: bytes
) -> None:
    partial = interrupted(tmp_path)
    good = partial.read_bytes()
    partial.write_bytes(good + broken)
    said = list[str]()
    with pytest.raises(KeyboardInterrupt):
        finished(tmp_path, Script(interrupt="What do fish do?"), said)
    assert said[0].endswith("breaks off in record 4: going on from there")
    lines = partial.read_bytes().splitlines()
    assert partial.read_bytes().startswith(good)
    assert [json.loads(line).get("id") for line in lines] == [None, "good", "bad", "shy", "right"]
    assert finished(tmp_path, Script())[1]["cases"] == RECORDS


@pytest.mark.slow
@examples(40)
@given(st.data())
def test_a_kill_at_any_byte_loses_at_most_one_question(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    tmp_path = tmp_path_factory.mktemp("kill")
    partial = interrupted(tmp_path)
    raw = partial.read_bytes()
    cut = data.draw(st.integers(0, len(raw)))
    partial.write_bytes(raw[:cut])
    asked, made = finished(tmp_path, Script())
    assert len(asked) == len(CASES) - max(0, raw[:cut].count(b"\n") - 1)
    assert made["cases"] == RECORDS


@pytest.mark.parametrize(
    "other",
    [
        {"cases": CASES[::-1]},
        {"cases": (replace(CASES[0], answers=("wax",)), *CASES[1:])},
        {"setup": replace(SETUP, config={"model": "other"})},
        {"setup": replace(SETUP, weights={"reader": "cd34"})},
        {"setup": replace(SETUP, version="1")},
        {"retrieval_only": True},
    ],
)
def test_another_run_starts_anew_and_says_so(tmp_path: Path, other: dict[str, Any]) -> None:
    partial = interrupted(tmp_path)
    said = list[str]()
    asked, _ = finished(tmp_path, Script(), said, **other)
    assert len(asked) == len(CASES)
    assert said == [
        f"{partial} is of another run (other questions, settings or versions): starting anew"
    ]


def test_the_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    one, two = replace(SETUP, config={"a": 1, "b": 2}), replace(SETUP, config={"b": 2, "a": 1})
    assert fingerprint(one, CASES) == fingerprint(two, CASES)


def test_a_place_that_cannot_be_written_is_told_before_a_question_is_asked(tmp_path: Path) -> None:
    bot = Script()
    with pytest.raises(Usage, match="cannot be written"):
        list(run_cases(bot, CASES, tmp_path / "missing" / "run.json", SETUP, lambda _: None))
    assert bot.asked == []


def test_a_write_that_fails_leaves_the_old_file_and_no_scrap(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(Usage, match=r"run\.json cannot be written"):
        write_run(tmp_path / "run.json", run_record({}))
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    write_run(tmp_path / "old.json", run_record({"old": 1}))
    with pytest.raises(ValueError):
        write_run(tmp_path / "old.json", run_record({"nan": float("nan")}))
    assert json.loads((tmp_path / "old.json").read_text()) == {"old": 1}


# -- the table --


def test_the_report_shows_every_figure_and_parses_no_markup(tmp_path: Path) -> None:
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    summary: Summary = {**summarise(RECORDS), "[red]odd[/red]": {"[bold]x": EMPTY}}
    print_summary(summary, Console(file=out, width=100))
    lines = {
        line.split()[0]: line.split()[1:] for line in out.getvalue().splitlines() if line.strip()
    }
    for name, figure in figure_rows(summary):
        marks = (figure["value"], figure["low"], figure["high"])
        shown = [f"{mark:.3f}" if figure["n"] else "-" for mark in marks]
        assert lines[name] == [*shown, str(figure["n"])]
    assert "[red]odd[/red].[bold]x" in lines


_ODD: tuple[object, ...] = (None, [], {}, -1, 10**400, "x", True, [1], {"x": 1}, [[1, 2, 3]])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a JSON value, as what holds it and the key there."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


@pytest.mark.slow
def test_a_run_file_of_any_shape_is_read_or_refused(tmp_path: Path) -> None:
    """Each value of a run is replaced by others; what is read can be reported and compared."""
    whole = json.dumps(run_object(RECORDS, SETUP))
    read = 0
    for number in range(0, len(list(_places(json.loads(whole)))), 3):
        value = json.loads(whole)
        holder, key = list(_places(value))[number]
        holder[key] = _ODD[number % len(_ODD)]
        (tmp_path / "run.json").write_text(json.dumps(value))
        try:
            found = read_run(tmp_path / "run.json")
        except Usage:
            continue
        read += 1
        assert dict(figure_rows(found["summary"])) is not None
        recall_by_depth(found["cases"])
        risk_coverage_points(found["cases"])
        latency_points(found["cases"])
        for pairs in (
            zip(RECORDS, found["cases"], strict=False),
            zip(found["cases"], RECORDS, strict=False),
        ):
            case_changes(list(pairs))
    assert read > 9  # most values of an answer are not used


def test_the_name_of_a_figure_cannot_steer_the_terminal() -> None:
    figure: Figure = {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}
    out = io.StringIO()
    print_summary({"\x1b[2J": figure}, Console(file=out))
    assert "\x1b" not in out.getvalue() and "\u241b[2J" in out.getvalue()
