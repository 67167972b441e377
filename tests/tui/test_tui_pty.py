"""The chat on a real terminal: it opens, and it restores the terminal however it ends."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time

import pexpect
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

DEMO = ["-m", "tests.tui.demo"]
ALTERNATE_OFF = b"\x1b[?1049l"
CURSOR_ON = b"\x1b[?25h"


def opened(kind: str = "", **more: str) -> pexpect.spawn[bytes]:
    around = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}
    around["PYTHONPATH"] = str(ROOT)  # the tests run without the current folder on the path
    child = pexpect.spawn(
        sys.executable, [*DEMO, kind], env=around, dimensions=(24, 80), timeout=15
    )
    child.expect_exact("ready")
    return child


def ended(child: pexpect.spawn[bytes]) -> bytes:
    child.expect(pexpect.EOF)
    child.close()
    rest = bytes(child.before or b"")
    assert ALTERNATE_OFF in rest and CURSOR_ON in rest[rest.index(ALTERNATE_OFF) - 200 :]
    return rest


def test_ask_and_quit() -> None:
    child = opened()
    child.send("Which bolts?\r")
    child.expect_exact("see the check")
    child.send("\x11")
    ended(child)
    assert child.exitstatus == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_clean(number: signal.Signals) -> None:
    child = opened("slow")
    child.send("Which bolts?\r")
    child.expect_exact("writing")
    child.kill(number)
    ended(child)
    assert child.exitstatus == 128 + number


def exit_code(process: subprocess.Popen[bytes], seconds: float = 3.0) -> int:
    """The exit code of a process that must end within `seconds`."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@pytest.mark.parametrize("is_leader", [False, True])
def test_a_terminal_that_goes_ends_the_app(is_leader: bool) -> None:
    """Without a controlling terminal no SIGHUP comes: only the connection tells."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    around = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *DEMO, "slow"]
    if is_leader:
        command = [sys.executable, str(ROOT / "tests/tui/session_leader.py"), *command]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=around, start_new_session=True
    )
    os.close(slave)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(master, 65536)
    os.write(master, b"Which bolts?\r")
    while b"writing" not in seen:
        seen += os.read(master, 65536)
    os.close(master)
    assert exit_code(process) == 128 + signal.SIGHUP


def test_what_is_left_to_write_does_not_change_the_exit_code_of_a_terminal_that_has_gone() -> None:
    code = (
        "import select, sys; from tui import terminal; print('ready', flush=True); "
        "poll = select.poll(); poll.register(0, 0); poll.poll(); "
        "sys.stdout.write('left'); terminal._let_go(); sys.exit(7)"
    )
    master, slave = os.openpty()
    around = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=slave, stdout=slave, stderr=slave, env=around,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    assert b"ready" in os.read(master, 65536)
    os.close(master)
    assert exit_code(process) == 7


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_does_not_read_cannot_keep_the_app(number: signal.Signals) -> None:
    child = opened("slow")
    child.send("Which bolts?\r")
    for step in range(120):  # each size paints the whole screen: more than the pipe holds
        child.setwinsize(50 + step % 2, 190)
        time.sleep(0.03)
    child.kill(number)
    end = time.monotonic() + 3.0
    while child.isalive() and time.monotonic() < end:
        time.sleep(0.05)
    is_alive = child.isalive()
    child.close(force=True)
    assert not is_alive and child.exitstatus == 128 + number


def test_escapes_of_strangers_do_not_reach_the_terminal() -> None:
    child = opened("hostile")
    child.send("Which?\r")
    child.expect_exact("see the check")
    seen = bytes(child.before or b"")
    child.send("\x11")
    seen += ended(child)
    assert b"]52;" not in seen.replace("␛]52;".encode(), b"") and b"\x1b[2Jboom" not in seen
    assert "␛[2Jboom".encode() in seen


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_without_a_fit_terminal_it_says_so(term: str) -> None:
    code = (
        "import sys; from rag.config import Config; from tui.app import run; "
        "sys.exit(run(Config(home='/tmp/none')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "TERM": term},
        check=False,
    )
    assert done.returncode == 2 and "footnote ask QUESTION" in done.stderr and not done.stdout
