"""The engine: events over a pipe, a stop, a killed child, and no child that outlives its parent."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag import Bot, Config, Engine
from rag.domain import FileState
from rag.errors import Cancelled, EngineStopped, NotSetUp, Usage
from rag.events import Answered, ModelChosen, Reading, Retrieved, Token
from rag.front_door import FrontDoor
from tests.support.narrow import close

ROOT = Path(__file__).resolve().parents[2]
QUESTION = "How many individual sanctions has Russia faced?"


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    machine = Engine(Config(home=str(home)))
    yield machine
    machine.close()


@pytest.fixture
def chatty(home: Path, tiny: Path) -> Iterator[Engine]:
    """An engine whose model would write for a long while."""
    machine = Engine(
        Config(
            home=str(home),
            model=str(tiny),
            context_tokens=4096,
            answer_tokens=3000,
            temperature=1.3,
        )
    )
    yield machine
    machine.close()


def test_it_answers_as_the_bot_does(engine: Engine) -> None:
    assert engine.status().documents == 5
    events = list(engine.ask(QUESTION))
    assert isinstance(events[-1], Answered) and "over 5,000" in events[-1].answer.text
    assert [type(e) for e in events if isinstance(e, Retrieved | Answered)] == [Retrieved, Answered]
    assert engine.questions()[0] == QUESTION
    assert engine.conversations()[0].title == QUESTION


def test_conversations_are_found_opened_renamed_and_removed(engine: Engine) -> None:
    events = list(engine.ask(QUESTION, "talk"))
    assert isinstance(events[-1], Answered)
    turns = engine.conversation("talk")
    assert turns[0].answer is not None
    (claim,), (saved,) = events[-1].answer.claims, turns[0].answer.claims
    assert claim.judgement and saved.judgement and claim.judgement.chance is not None
    chance = round(claim.judgement.chance, 4)  # as it is saved
    assert saved == replace(claim, judgement=replace(claim.judgement, chance=chance))
    cited = [(e.document, e.source) for claim in turns[0].answer.claims for e in claim.evidence]
    assert cited and set(engine.file_states(cited)) == {FileState.SAME}
    engine.rename_conversation("talk", "Lavrov")
    assert engine.conversation_title("talk") == "Lavrov"
    assert [c.id for c in engine.conversations(words="5,000 lavrov")] == ["talk"]
    assert engine.remove_conversation("talk") == 1
    assert engine.conversations() == ()
    with pytest.raises(Usage, match="no conversation"):
        engine.conversation("talk")


def test_it_knows_how_often_its_check_errs(engine: Engine) -> None:
    rates = engine.rates()
    with Bot.open(Config()) as bot:
        assert rates == bot.rates()
    assert rates.claims > 0 and all(
        0 <= low <= value <= high <= 1 for value, low, high in (rates.misses, rates.false_alarms)
    )


def test_documents_can_be_looked_at_while_it_writes(chatty: Engine) -> None:
    work = chatty.ask(QUESTION)
    assert any(isinstance(next(work), Reading) for _ in range(60))
    assert chatty.document("000_bac51fb96c89603d.txt").title.startswith("Lavrov")
    close(work)
    assert chatty.status().documents == 5


def test_stop_ends_the_work_on_a_question(chatty: Engine) -> None:
    stopped_at = 0.0
    for event in chatty.ask(QUESTION):
        if isinstance(event, Reading) and not stopped_at:
            chatty.stop()
            stopped_at = time.monotonic()
    assert isinstance(event, Answered) and event.answer.stopped
    assert time.monotonic() - stopped_at < 4
    assert isinstance(list(_short(chatty)), list)


def _short(engine: Engine) -> Iterator[object]:
    for event in engine.ask("And 2014?"):
        yield event
        if isinstance(event, Reading | Token):
            engine.stop()


@pytest.mark.slow
def test_another_model_answers_without_a_restart_of_the_program(tmp_path: Path) -> None:
    machine = Engine(Config(home=str(tmp_path), model="gone.gguf"))
    try:
        assert machine.status().model == "gone.gguf"
        assert list(machine.use_model("reader"))[-1] == ModelChosen("reader", "")
        assert machine.status().model == "reader"
        assert [entry.name for entry in machine.models() if entry.in_use] == ["reader"]
        with pytest.raises(Usage, match="reader is in use"):
            machine.remove_model("reader")
    finally:
        machine.close()


def test_a_following_child_takes_another_model_over_and_lives_on(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('model = "gone.gguf"\n')
    machine = Engine(Config.read(home=str(tmp_path)))
    try:
        assert machine.status().model == "gone.gguf"
        child = machine._child
        assert list(machine.use_model("reader"))[-1] == ModelChosen("reader", "")
        assert machine.status().model == "reader"
        assert [entry.name for entry in machine.models() if entry.in_use] == ["reader"]
        assert child is not None and machine._child is child and child.process.is_alive()
    finally:
        machine.close()


def test_stop_without_work_does_nothing(engine: Engine) -> None:
    engine.stop()
    assert engine.status().documents == 5


def test_errors_cross_the_pipe_with_their_cure(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(Usage) as error:
        engine.document("nothing.txt")
    assert "footnote list" in error.value.cure
    empty = Engine(Config(home=str(tmp_path / "empty")))
    try:
        with pytest.raises(NotSetUp):
            list(empty.ask("Why?"))
        assert empty.status().documents == 0
    finally:
        empty.close()


def test_a_killed_child_is_an_error_and_the_next_question_works(chatty: Engine) -> None:
    with pytest.raises(EngineStopped, match="signal 9"):
        for event in chatty.ask(QUESTION):
            if isinstance(event, Reading):
                child = chatty._child
                assert child is not None and child.process.pid
                os.kill(child.process.pid, signal.SIGKILL)
    events = chatty.ask(QUESTION)
    assert any(isinstance(e, Reading) for e in events)
    close(events)


def test_a_child_that_does_not_stop_is_killed(chatty: Engine) -> None:
    with pytest.raises(EngineStopped):
        for event in chatty.ask(QUESTION):
            if isinstance(event, Reading):
                child = chatty._child
                assert child is not None and child.process.pid
                os.kill(child.process.pid, signal.SIGSTOP)  # deaf
                chatty.stop()


def test_a_kill_after_a_stop_is_no_failure(chatty: Engine) -> None:
    with pytest.raises(Cancelled, match="as you asked") as error:
        for event in chatty.ask(QUESTION):
            if isinstance(event, Reading):
                child = chatty._child
                assert child is not None and child.process.pid
                os.kill(child.process.pid, signal.SIGSTOP)
                chatty.stop()
    assert "signal" not in str(error.value)


def test_a_stop_that_comes_late_does_not_kill_the_next_question(chatty: Engine) -> None:
    for event in chatty.ask(QUESTION):
        if isinstance(event, Reading):
            break
    child, number = chatty._child, chatty._number
    assert child is not None
    work = chatty.ask("And 2014?")
    next(work)
    chatty._kill_if_running(child, number)
    assert child.process.is_alive() and next(work) is not None
    close(work)


def test_close_unblocks_whoever_waits(chatty: Engine) -> None:
    chatty.status()
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in chatty.ask(QUESTION):
                pass
        except EngineStopped as error:
            failed.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.5)
    chatty.close()
    thread.join(10)
    assert not thread.is_alive() and failed
    chatty.close()


def test_no_engine_outlives_its_parent(home: Path) -> None:
    code = (
        "import os, time\nfrom rag import Engine, Config\nif __name__ == '__main__':\n"
        f"    e = Engine(Config(home={str(home)!r})); e.status()\n"
        "    print(e._child.process.pid, flush=True); os._exit(1)\n"
    )
    path = home / "parent.py"
    path.write_text(code)
    run = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60)
    pid = int(run.stdout)
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if (
            Path(f"/proc/{pid}/stat").exists()
            and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
        ):
            return
        time.sleep(0.1)
    raise AssertionError("the engine is still there")


def test_what_the_child_prints_goes_to_a_log(home: Path) -> None:
    engine = Engine(Config(home=str(home)))
    try:
        engine.status()
        assert (home / "engine.log").exists()
    finally:
        engine.close()


#: a program for mypy: both front doors, each assigned to the protocol
ASSIGNMENTS = """
from rag import Bot, Config, Engine
from rag.front_door import FrontDoor
bot: FrontDoor = Bot(Config())
engine: FrontDoor = Engine(Config())
"""


@pytest.mark.slow
def test_both_front_doors_satisfy_the_protocol_by_mypy(tmp_path: Path) -> None:
    path = tmp_path / "assignments.py"
    path.write_text(ASSIGNMENTS)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(path)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("door", [Bot, Engine])
def test_both_front_doors_take_the_arguments_of_the_protocol(door: type) -> None:
    methods = [name for name in vars(FrontDoor) if not name.startswith("_")]
    assert len(methods) == 27
    for name in methods:
        asked = list(inspect.signature(getattr(FrontDoor, name)).parameters.values())
        given = list(inspect.signature(getattr(door, name)).parameters.values())
        assert given[: len(asked)] == asked, name
        assert all(more.default is not more.empty for more in given[len(asked) :]), name
