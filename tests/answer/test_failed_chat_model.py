"""A chat model that fails while it answers: the built-in reader's answer is shown, with what happened and what to do."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag import Bot, Config, serialize
from rag.answer.answer import answer_question
from rag.answer.chat_writer import ChatWriter, FailedChat
from rag.cli.line_output import answer_lines
from rag.cli.output import print_answer
from rag.domain import Answer, Model, Passage, SavedTurn, Verdict
from rag.errors import ModelBroken, ModelEnded, RagError, ServerFailed, TooLong
from rag.eval.cases import Case
from rag.eval.run import evaluate_cases
from rag.events import Answered, Event, Loading, Reading
from rag.export.markdown import conversation_markdown
from rag.export.saved_answer import read_answer
from rag.inference.chat_process import ChatProcess
from rag.inference.llama_chat import ChatModel
from rag.inference.server_chat import ServerChat
from rag.inference.server_connection import Patience
from rag.server_address import ServerAddress
from tests.support.chat_server import ChatServer
from tests.support.fakes import JUDGE, passage
from tests.support.scripted_chat import ScriptedChat, built_in_reader, chat_writer
from tui.render.answer_text import notes
from tui.render.glyphs import UNICODE

MILL = passage(
    1,
    "The mill of Ashby was built in 1871. Its wheel turns twelve hours a day. "
    "The miller is Jane Doe.",
    title="Mill",
)
PASSAGES = (MILL, passage(2, "The pool of Ashby opens at noon.", title="Pool"))
BUILT = "When was the mill of Ashby built?"
READS = "The mill of Ashby was built in 1871. [1]"
OWN = "Ashby's mill was built in 1871."
QUICK = Patience(connect_seconds=2, silent_seconds=0.6, pause_seconds=0.01)
QUESTION = "How many individual sanctions has Russia faced?"


class _Failing(ScriptedChat):
    """Writes its text and fails after it, or in its first prompt if it has none."""

    def __init__(self, error: RagError, *texts: str) -> None:
        super().__init__(*texts)
        self.error = error

    def write(self, *given: object) -> Iterator[str]:
        yield from super().write(*given)  # type: ignore[arg-type]
        raise self.error


def _answer(writer: ChatWriter) -> Answer:
    found = lambda text, limit: PASSAGES  # noqa: E731
    last = list(answer_question(BUILT, found, writer, JUDGE, limit=5, searched=9))[-1]
    assert isinstance(last, Answered)
    return last.answer


def _served(server: ChatServer, way: str, size: int = 4096) -> Answer:
    chat = ServerChat(server.address(way), size, QUICK)
    model = Model(way, "", server="127.0.0.1")
    return _answer(ChatWriter(chat, model, built_in_reader(), JUDGE, 420, 200))


# -- whatever fails, the reader's answer is shown


@pytest.mark.parametrize(
    "error",
    [
        ServerFailed("it broke off", "ask again"),
        ModelBroken("llama.cpp failed", "try again"),
        ModelEnded("its process ended", "ask again"),
        TooLong("the prompt has 900 tokens", "ask a shorter question"),
    ],
)
@pytest.mark.parametrize("written", ["", "Ashby's mill was"])
def test_the_readers_answer_stands_in_for_a_model_that_fails(error: RagError, written: str) -> None:
    answer = _answer(chat_writer(_Failing(error, written)))
    assert answer.text == READS and answer.short == "in 1871" and not answer.abstained
    assert [claim.verdict for claim in answer.claims] == [Verdict.SUPPORTED]
    failed = answer.model_failed
    assert failed and (failed.name, failed.what, failed.cure, failed.wrote) == (
        "chat",
        str(error),
        error.cure,
        False,
    )


def test_sentences_that_were_complete_before_stay_if_they_passed() -> None:
    written = f"{OWN} Dragons guard the cellar of the castle. The miller"
    answer = _answer(chat_writer(_Failing(ServerFailed("it broke off"), written)))
    assert [claim.sentence.text for claim in answer.claims] == [OWN]
    assert answer.model_failed and answer.model_failed.wrote
    assert [claim.sentence.text for claim in answer.withheld] == [
        "Dragons guard the cellar of the castle."
    ]


def test_a_sentence_stays_withheld_if_writing_it_again_fails() -> None:
    class Once(_Failing):
        def write(self, *given: object) -> Iterator[str]:
            return ScriptedChat.write(self, *given) if self._texts else super().write(*given)  # type: ignore[arg-type]

    answer = _answer(chat_writer(Once(ModelEnded("it ended"), "Dragons guard the castle cellar.")))
    assert answer.text == READS and answer.model_failed
    assert [claim.sentence.text for claim in answer.withheld] == [
        "Dragons guard the castle cellar."
    ]


def test_a_model_that_could_not_be_opened_fails_in_the_same_way() -> None:
    chat = FailedChat(ServerFailed("127.0.0.1 cannot be reached", "start the server"))
    answer = _answer(ChatWriter(chat, Model("qwen", ""), built_in_reader(), JUDGE, 420, 200))
    assert answer.text == READS
    assert answer.model_failed and answer.model_failed.cure == "start the server"


def test_other_errors_are_not_taken_for_failures_of_the_model() -> None:
    with pytest.raises(ZeroDivisionError):
        _answer(chat_writer(_Failing(ZeroDivisionError(), "Ashby's mill")))  # type: ignore[arg-type]


# -- ways in which a server fails


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("status-400", "HTTP 400"),
        ("status-500", "HTTP 500"),
        ("status-503", "HTTP 503"),
        ("hangs-up", "cannot be reached"),
        ("silent", "has said nothing for 0.6 seconds"),
        ("stalls", "has said nothing for 0.6 seconds"),
        ("closes", "closed the connection in the middle"),
        ("breaks", "broke off in the middle"),
        ("begins-only", "without a word"),
        ("fails-inside", "out of memory"),
        ("malformed", "malformed JSON"),
        ("not-a-completion", "no part of a chat completion"),
        ("huge-line", "a line of more than"),
        ("page", "answers with text/html"),
        ("elsewhere", "redirects to"),
    ],
)
def test_a_server_that_fails_leaves_the_readers_answer(
    chat_server: ChatServer, way: str, says: str
) -> None:
    chat_server.text = "The mill"
    answer = _served(chat_server, way)
    assert answer.text == READS
    failed = answer.model_failed
    assert failed and says in failed.what and failed.cure and not failed.wrote


@pytest.mark.parametrize("way", ["malformed", "fails-inside"])
def test_the_first_sentence_of_a_server_that_fails_later_stays(
    chat_server: ChatServer, way: str
) -> None:
    chat_server.text = f"{OWN} The miller of"
    answer = _served(chat_server, way)
    assert [claim.sentence.text for claim in answer.claims] == [OWN]
    assert answer.model_failed and answer.model_failed.wrote


def test_a_refused_connection_leaves_the_readers_answer(chat_server: ChatServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = ServerAddress(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", "m")
        chat = ServerChat(address, 4096, QUICK)
        answer = _answer(ChatWriter(chat, Model("m", ""), built_in_reader(), JUDGE, 420, 200))
    assert answer.text == READS
    assert answer.model_failed and "cannot be reached" in answer.model_failed.what


@pytest.mark.parametrize("size", [60, 230])
def test_a_context_that_is_too_small_leaves_the_readers_answer(
    chat_server: ChatServer, size: int
) -> None:
    answer = _served(chat_server, "tale", size)
    assert answer.text == READS and chat_server.bodies() == []
    assert answer.model_failed and "tokens" in answer.model_failed.what


# -- where it is said


@pytest.fixture
def failed() -> Answer:
    error = ServerFailed("host\x1b[31m has said nothing for 60 seconds [7]", "see the log")
    return _answer(chat_writer(_Failing(error, f"{OWN} And")))


def test_it_is_said_in_json_and_kept(failed: Answer) -> None:
    written: Any = serialize.answer(failed)
    assert written["model_failed"]["model"] == "chat" and written["model_failed"]["wrote"]
    assert read_answer(written, BUILT).model_failed == failed.model_failed
    assert "model_failed" not in serialize.answer(_answer(chat_writer(ScriptedChat(OWN))))
    assert read_answer({**written, "model_failed": ["x"]}, BUILT).model_failed is None


def test_it_is_said_in_a_line_by_every_interface(
    failed: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    says = "the chat model chat failed: host␛[31m has said nothing for 60 seconds"
    whose = "what it had written before is checked, the rest is the built-in reader's"
    print_answer(failed, quiet=True)
    printed = capsys.readouterr().out
    exported = conversation_markdown("T", [SavedTurn(1, BUILT, "", failed)])
    screen = notes(failed, UNICODE).plain
    for shown in (printed, "\n".join(answer_lines(failed, False)), screen, exported):
        (line,) = (row for row in shown.split("\n") if "failed:" in row)
        assert says in line and whose in line and "\x1b" not in line and "[7]" not in line
    assert "hint: see the log" in printed and "hint: see the log" in screen


def test_no_figure_is_measured_with_another_writer() -> None:
    class Asked:
        def ask(self, question: str) -> Iterator[Event]:
            yield Answered(_answer(chat_writer(_Failing(ServerFailed("it broke off")))))

        def search(self, question: str, limit: int) -> tuple[Passage, ...]:
            return PASSAGES

    case = Case("1", BUILT, (), (), True, "")
    with pytest.raises(RagError, match="it broke off"):
        list(evaluate_cases(Asked(), [case]))  # type: ignore[arg-type]


# -- the process of a model file


def _ask(bot: Bot, react: Callable[[Event], None]) -> Answer:
    event: Event = Loading("")
    for event in bot.ask(QUESTION, conversation="talk"):
        react(event)
    assert isinstance(event, Answered)
    return event.answer


def _process(bot: Bot) -> ChatProcess:
    writer = bot.machines.writer()
    assert isinstance(writer, ChatWriter) and isinstance(writer.chat, ChatProcess)
    return writer.chat


def test_a_process_that_is_killed_leaves_the_readers_answer(home: Path, tiny: Path) -> None:
    with Bot.open(Config(home=str(home), model=str(tiny))) as bot:
        killed: list[int] = []

        def kill(event: Event) -> None:
            if isinstance(event, Reading) and not killed:
                killed.append(_process(bot).pid)
                os.kill(killed[0], signal.SIGSEGV)

        answer = _ask(bot, kill)
        assert "over 5,000" in answer.text and answer.claims
        assert answer.model_failed and "SIGSEGV" in answer.model_failed.what
        (turn,) = bot.conversation("talk")
        assert turn.answer and turn.answer.model_failed == answer.model_failed
        again = _ask(bot, lambda event: None)  # with a new process
        assert again.model_failed is None and "over 5,000" in again.text
        assert _process(bot).pid != killed[0]


def test_a_process_that_is_silent_is_given_up(tmp_path: Path, tiny: Path) -> None:
    chat = ChatProcess(str(tiny), 256, 1, str(tmp_path), "", silent_seconds=0.3)
    pid = chat.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ModelEnded, match=r"no answer for 0\.3 seconds"):
        chat.tokens("The mill", special=False)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    chat.close()


def test_a_process_reads_and_writes_as_the_model_itself(tmp_path: Path, tiny: Path) -> None:
    near, far = ChatModel(str(tiny), 1024, 1), ChatProcess(str(tiny), 1024, 1, str(tmp_path), "")
    try:
        assert far.size == near.size and far.begin() == near.begin()
        assert far.conversation(2) == near.conversation(2)
        ids = near.tokens("The mill of Ashby was built in 1871. " * 9, special=False)
        assert far.tokens("The mill of Ashby was built in 1871. " * 9, special=False) == ids
        assert list(far.read(ids)) == list(near.read(ids))
        assert list(far.write(30, 0.0, 0)) == list(near.write(30, 0.0, 0))
        assert list(far.read(ids[::-1], lambda: True)) == []
        stops = iter([False, False, True])
        assert len(list(far.write(30, 1.0, 0, lambda: next(stops, True)))) == 2
        with pytest.raises(TooLong):
            list(far.read([0] * 2000))
        list(far.read(ids))
        list(near.read(ids))
        odds = far.log_odds(("Yes", "yes"), ("No",))
        assert odds == pytest.approx(near.log_odds(("Yes", "yes"), ("No",)), abs=1e-6) != 0.0
        part = far.write(30, 0.0, 0)
        next(part)
        part.close()
        assert list(far.read(ids))[-1] == len(ids)
    finally:
        near.close()
        far.close()


@pytest.mark.skipif(not Path("/proc").exists(), reason="the system lists no processes there")
def test_a_process_that_cannot_open_its_model_is_ended(tmp_path: Path, tiny: Path) -> None:
    before = _children()
    with pytest.raises(ModelBroken, match="context"):
        ChatProcess(str(tiny), 2**31 - 1, 1, str(tmp_path), "")
    assert _children() == before


def _children() -> set[str]:
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def test_no_process_outlives_the_bot(home: Path, tiny: Path) -> None:
    with Bot.open(Config(home=str(home), model=str(tiny))) as bot:
        pid = _process(bot).pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
