"""`ask --strict`: exit 0 only if every sentence is supported or on the list of free sentences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rag import domain as d
from rag import protocols
from rag.answer.answer import answer_question
from rag.answer.cite import parse_citations
from rag.answer.reader import SOURCES_DIFFER
from rag.cli.console import Console
from rag.cli.main import cli
from tests.support.fakes import JUDGE, Script, passage
from tests.support.narrow import last_answer

LEASE = passage(
    1,
    "The lease of the mill runs for nine years. The tenant pays the rent each month.",
    source="lease.txt",
)
TRUE = "The lease of the mill runs for nine years [1]."


class Scripted:
    """A bot whose writer writes what it was told to."""

    def __init__(self, *pieces: d.Piece, draft: d.Draft | None = None, stops: bool = False) -> None:
        self._writer, self._stops = Script(*pieces, draft=draft), stops

    def ask(
        self,
        question: str,
        conversation: str | None,
        refresh: bool,
        within: Any,
        stop: Any,
    ) -> Iterator[Any]:
        yield from answer_question(
            question,
            lambda text, limit: (LEASE,),
            self._writer,
            JUDGE,
            limit=5,
            searched=2,
            stop=lambda: self._told(stop),
        )

    def _told(self, stop: Any) -> bool:
        return stop() or (self._stops and bool(self._writer.asked))

    def rates(self) -> protocols.ErrorRates:
        return protocols.ErrorRates((0.3, 0.2, 0.4), (0.1, 0.0, 0.2), 100)


class ScriptedConsole(Console):
    """The console of a command whose bot is `scripted`."""

    def __init__(self, scripted: Scripted) -> None:
        super().__init__()
        self._scripted = scripted

    def bot(self) -> Any:
        return nullcontext(self._scripted)


@pytest.fixture
def ask() -> Any:
    def asked(*pieces: d.Piece, options: tuple[str, ...] = ("--strict",), **more: Any) -> Result:
        return CliRunner().invoke(
            cli,
            ["ask", *options, "How long does the lease of the mill run?"],
            obj=ScriptedConsole(Scripted(*pieces, **more)),
        )

    return asked


FALSE = "The tenant may end the lease at will"


@pytest.mark.parametrize(
    "end", [":", "?", "!", "…", ".", "", ",", ";", " -", ":\n", "：", ":**", ") :", '"', "\u200b:"]
)
@pytest.mark.parametrize(
    "form", ["{}", f"{TRUE} {{}}", f"{{}}\n\n{TRUE}", f"## {{}}\n{TRUE}", f"- {{}}\n- {TRUE}"]
)
def test_a_false_statement_without_a_marker_is_exit_4_however_it_ends(
    ask: Any, form: str, end: str
) -> None:
    assert ask(form.format(FALSE + end)).exit_code == 4


@pytest.mark.parametrize(
    "said", ["Yes.", "No:", "Yes: at will:", "Nein:", "👍", "at will:", "[9]", "[9].", "(at will)"]
)
def test_a_short_word_beside_a_supported_sentence_is_exit_4(ask: Any, said: str) -> None:
    assert ask(f"{TRUE}\n\n{said}").exit_code == 4


@pytest.mark.parametrize(
    "lead", ["Here is what the documents say:\n", "In summary, \n\n", "**Answer:**\n", ""]
)
def test_a_supported_answer_is_exit_0_with_a_lead_from_the_list(ask: Any, lead: str) -> None:
    assert ask(lead + TRUE).exit_code == 0
    told = json.loads(ask(lead + TRUE, options=("--strict", "--json")).stdout)
    assert [c["verdict"] for c in told["claims"]] == ["needs_none"] * bool(lead) + ["supported"]


def test_an_answer_that_only_announces_one_is_an_abstention(ask: Any) -> None:
    done = ask("Here is what the documents say:")
    assert done.exit_code == 3 and "NOT ANSWERED" in done.stdout
    assert ask("Here is what the documents say:", options=()).exit_code == 3


def test_an_abstention_without_a_text_stays_exit_3_and_one_with_unsupported_text_is_exit_4(
    ask: Any,
) -> None:
    refusal = d.Draft(d.Receipt(), abstained=True, reason=d.Reason.NOT_ANSWERED)
    assert ask(draft=refusal).exit_code == 3
    assert ask("NOT ANSWERED").exit_code == 3
    assert ask(FALSE + ":").exit_code == 4 and ask(FALSE + ":", options=()).exit_code == 3


def test_a_stopped_answer_is_never_exit_0(ask: Any) -> None:
    assert ask(TRUE, " " + FALSE + ":", stops=True).exit_code == 130


def test_the_sources_differ_is_a_statement_of_the_reader_alone() -> None:
    fact = "The rent is 1200 euros a month."
    written = f"{fact[:-1]} [1]. {SOURCES_DIFFER}"
    search = lambda question, limit: (passage(1, fact),)  # noqa: E731
    events = answer_question("The rent?", search, Script(written), JUDGE, limit=5, searched=1)
    assert last_answer(events).claims[-1].verdict is d.Verdict.UNCITED


@pytest.mark.parametrize(
    "control", [chr(code) for code in range(32) if code != 9] + ["\x7f", "\x9b"]
)
def test_no_control_character_joins_two_sentences_under_one_marker(control: str) -> None:
    _, sentences = parse_citations([f"The lease is void{control}The lease ends in March [1]."])
    assert [sentence.text for sentence in sentences if not sentence.citations] == [
        "The lease is void"
    ]
