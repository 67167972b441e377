"""The command in odd surroundings: closed, full and broken streams, small limits, odd encodings, a folder that is gone.

Whatever they are: no traceback, an exit code of the interface, and what was printed is as whole as it can be.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

CODES = (0, 1, 2, 3, 5)
LIGHT = {
    "help": "--help", "list": "list", "show": "show 000_bac51fb96c89603d.txt", "models": "models list", "use": "models use reader",
    "stdin": "ask -", "nobody": "show nobody", "wrong": "frobnicate",
}  # fmt: skip
HEAVY = {
    "ask": "ask How many individual sanctions has Russia faced?", "search": "search sanctions", "check": "check {claims}",
    "doctor": "doctor", "add": "add {claims}", "eval": "eval {questions} --retrieval-only", "explain": "explain Why? --document nobody",
}  # fmt: skip
#: a line of shell each; $C is the command
AROUND = {
    "no stdin": "$C <&-",
    "no stdout": "$C >&-",
    "no stderr": "$C 2>&-",
    "no streams": "$C <&- >&- 2>&-",
    "full stdout": "$C >/dev/full",
    "full stderr": "$C 2>/dev/full",
    "head": "set -o pipefail; $C | head -c 5",
    "nobody reads": "set -o pipefail; $C | true",
    "nobody reads errors": "set -o pipefail; $C 2>&1 >/dev/null | true",
    "ascii": "PYTHONIOENCODING=ascii $C",
    "latin": "PYTHONIOENCODING=latin-1 $C",
    "C": "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $C",
    "an argument that is not UTF-8": "$C $'\\xff\\xfe'",
    "16 files": "ulimit -n 16; $C",
    "64 files": "ulimit -n 64; $C",
    "a small stack": "ulimit -s 512; $C",
    "files of 1 kB": "ulimit -f 1; $C",
    "gone folder": "mkdir gone; cd gone; rmdir ../gone; $C",
    "no HOME": "unset HOME; $C",
    "HOME is a file": "HOME=/etc/passwd $C",
    "no TERM": "unset TERM; $C",
    "no columns": "COLUMNS=0 LINES=-1 $C",
    "odd columns": "COLUMNS=abc $C",
    "no TMPDIR": "TMPDIR=/nowhere $C",
    "odd PYTHONPATH": "PYTHONPATH=$PYTHONPATH:/nowhere::/etc/passwd $C",
}


def shell(
    line: str, command: str, home: Path, folder: Path, **more: str
) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "rag", "--home", str(home), *shlex.split(command)]
    around = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    code = line.replace("$C", shlex.join(words))
    return subprocess.run(
        ["bash", "-c", code], capture_output=True, cwd=folder, env=around, timeout=120
    )


def _files(folder: Path) -> dict[str, str]:
    claims, questions = folder / "claims.jsonl", folder / "questions.jsonl"
    claims.write_text('{"id": 1, "claim": "Six bolts hold.", "passage": "Six bolts hold."}\n')
    questions.write_text(
        '{"id": "1", "question": "Why?", "answers": [], "evidence": [], "answerable": false}\n'
    )
    return {"claims": str(claims), "questions": str(questions)}


def _well(done: subprocess.CompletedProcess[bytes], about: str) -> None:
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    for bad in ("Traceback", "Exception ignored", "unexpected error", "panicked", "Fatal Python"):
        assert bad not in said, f"{about}\n{said}"
    assert done.returncode in CODES, f"{about}: {done.returncode}\n{said}"


@pytest.mark.slow
@pytest.mark.parametrize("around", AROUND)
def test_no_surroundings_bring_a_traceback(seeded: Path, tmp_path: Path, around: str) -> None:
    for name, command in LIGHT.items():
        done = shell(AROUND[around], command, seeded, tmp_path)
        _well(done, f"{name}, {around}")
        if around in ("head", "nobody reads", "nobody reads errors") and name in (
            "help",
            "list",
            "show",
            "models",
            "use",
        ):
            assert done.returncode == 0
        if around in ("full stdout", "no stdout") and name in ("help", "list", "show", "models"):
            assert done.returncode == 1 and b"standard output cannot be written" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
@pytest.mark.parametrize("around", ["no streams", "nobody reads", "C", "gone folder"])
def test_no_command_brings_a_traceback(home: Path, tmp_path: Path, name: str, around: str) -> None:
    command = HEAVY[name].format(**_files(tmp_path))
    _well(shell(AROUND[around], command, home, tmp_path), f"{name}, {around}")


@pytest.mark.parametrize("width", ["0", "1", "-5", "x", "99999999999999999999"])
def test_a_screen_of_no_width_loses_nothing(seeded: Path, tmp_path: Path, width: str) -> None:
    done = shell("$C", "list", seeded, tmp_path, COLUMNS=width)
    assert done.returncode == 0 and done.stdout.count("✓ ready".encode()) == 5


def test_what_an_encoding_lacks_is_an_escape_and_never_another_mark(
    seeded: Path, tmp_path: Path
) -> None:
    done = shell("$C", "list", seeded, tmp_path, PYTHONIOENCODING="ascii")
    assert b"\\u2713 ready" in done.stdout and b"?" not in done.stdout


def test_a_closed_output_is_not_given_to_a_file(home: Path, tmp_path: Path) -> None:
    library = home / "libraries" / "default" / "library.db"
    assert shell("$C <&- >&- 2>&-", "list", home, tmp_path).returncode == 1
    assert library.read_bytes()[:15] == b"SQLite format 3"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"id": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"id": NaN, "claim": "a", "passage": "a"}', "NaN is not a JSON number"),
        (b'{"id": -Infinity, "claim": "a", "passage": "a"}', "-Infinity is not"),
        (b'{"id": 1e999, "claim": "a", "passage": "a"}', "too large"),
        (b'{"id": {"x": [1, {"y": 2e308}]}, "claim": "a", "passage": "a"}', "too large"),
        (b'{"id": 1, "id": 2, "claim": "a", "passage": "a"}', "the key 'id' is there twice"),
        (b'{"id": ' + b"9" * 5000 + b', "claim": "a", "passage": "a"}', "is not JSON"),
        (b'{"id": 1}', 'no "id", "claim" and "passage"'),
        (b"\n\r\n \n[]\n", "line 4"),
    ],
)
def test_claims_that_are_not_json(tmp_path: Path, content: bytes, says: str) -> None:
    words = [sys.executable, "-m", "rag", "--home", str(tmp_path), "check", "-"]
    around = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        words, input=content, capture_output=True, cwd=tmp_path, env=around, timeout=60
    )
    assert done.returncode == 2 and says in done.stderr.decode() and not done.stdout
    _well(done, says)


@pytest.mark.slow
def test_claims_are_parted_at_line_feeds_alone(tmp_path: Path) -> None:
    odd = "one\u2028two\u2029three\u0085four"
    lines = [
        json.dumps({"id": n, "claim": odd, "passage": odd}, ensure_ascii=False) for n in (1, 2)
    ]
    words = [sys.executable, "-m", "rag", "--home", str(tmp_path), "check", "-"]
    done = subprocess.run(
        words, input="\ufeff" + "\r\n".join(lines), capture_output=True, cwd=tmp_path, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["id"] for line in done.stdout.split("\n") if line] == [1, 2]


def test_standard_input_without_end_is_bounded(tmp_path: Path) -> None:
    done = shell("$C </dev/zero", "ask -", tmp_path, tmp_path)
    assert done.returncode == 2 and b"standard input is over" in done.stderr


def test_relative_paths_in_a_folder_that_is_gone(home: Path, tmp_path: Path) -> None:
    done = shell(AROUND["gone folder"], "add notes.txt", home, tmp_path)
    assert done.returncode == 1 and b"the current folder has been removed" in done.stderr


@pytest.mark.slow
def test_a_home_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    done = shell("$C --home $'/tmp/\\xff\\xfe'", "list", tmp_path, tmp_path)
    assert done.returncode == 2 and b"not UTF-8" in done.stderr


UNFORESEEN = "import sys; from rag.cli import main as cli; from rag.inference import weights; weights.list_chat_models = lambda _: 1 / 0; sys.argv[0:] = ['footnote', '--home', '.', 'models', 'list']; cli.main()"


@pytest.mark.parametrize("debug", ["", "1"])
def test_what_nobody_foresaw_is_one_line_and_more_when_asked(tmp_path: Path, debug: str) -> None:
    around = {**os.environ, "PYTHONPATH": str(ROOT), "FOOTNOTE_DEBUG": debug}
    done = subprocess.run(
        [sys.executable, "-c", UNFORESEEN], capture_output=True, text=True, cwd=tmp_path, env=around
    )
    assert (
        done.returncode == 1
        and "unexpected error: ZeroDivisionError" in done.stderr
        and "FOOTNOTE_DEBUG=1" in done.stderr
    )
    assert ("Traceback" in done.stderr) == bool(debug)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_quietly(seeded: Path, tmp_path: Path, which: signal.Signals) -> None:
    words = [sys.executable, "-m", "rag", "--home", str(seeded), "ask", "-"]
    around = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=around,
        preexec_fn=lambda: signal.signal(which, signal.SIG_DFL),  # who runs us may ignore it
    )
    time.sleep(1)
    running.send_signal(which)
    assert running.communicate(timeout=20)[1] == b"" and running.returncode == -which


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("threads", "100000"), ("threads", "-1"), ("threads", "513"), ("threads", "many"), ("context", "0"), ("context", "99999999999"),
        ("passages", "1e9"), ("candidates", "9" * 30), ("answer_tokens", "0"), ("temperature", "nan"), ("temperature", "inf"), ("temperature", "-1"),
        ("seed", "9" * 5000), ("chunk_tokens", "1000000000"), ("rerank", "-1"), ("neighbour_sentences", "1000000"),
    ],
)  # fmt: skip
def test_numbers_without_measure_are_refused_by_name(
    tmp_path: Path, setting: str, value: str
) -> None:
    done = shell("$C", "ask Why?", tmp_path, tmp_path, **{f"FOOTNOTE_{setting.upper()}": value})
    assert done.returncode == 2 and setting.encode() in done.stderr
    _well(done, setting)


@pytest.mark.slow
def test_reading_web_pages_binds_no_socket() -> None:
    code = (
        "import sys\nsys.addaudithook(lambda e, a: e in ('socket.bind', 'socket.connect') and print(e, a[1]))\n"
        "import io, json, os\nfrom rag.ingest.formats import sandbox_worker as child\n"
        "page = b'<html><body><article><h1>Bees</h1><p>' + b'Bees make honey in the hive. ' * 30 + b'</p></article></body></html>'\n"
        "asked = json.dumps({'kind': '.html', 'seconds': 30, 'size': len(page)}).encode() + b'\\n' + page\n"
        "read, write = os.pipe()\nos.write(write, asked); os.close(write); os.dup2(read, 0)\n"
        "print = lambda *t: os.write(2, repr(t).encode())\nchild.main()\nassert 'urllib3' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, timeout=60)
    assert (
        done.returncode == 0 and b"Bees make honey" in done.stdout and b"socket" not in done.stderr
    ), done.stderr
