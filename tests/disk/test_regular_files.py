"""Every file that a person names is a regular one of bounded size: no pipe is waited for, no device is read for ever."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rag.config import Config
from rag.disk import regular_files
from rag.disk.atomic_files import sha256
from rag.errors import ModelBroken, RagError, Unreadable, Usage
from rag.eval import checker, eval_runs, run
from rag.eval.cases import read_cases
from rag.eval.resume import PartialRun
from rag.inference.external import read_json_object
from rag.inference.weights import check_gguf_magic
from rag.ingest.load import read_bytes, read_jsonl_text
from tests.support.slowness import slowness

pytestmark = [
    pytest.mark.timeout(60),
    pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux"),
]
ROOT = Path(__file__).resolve().parents[2]
LINE = b'{"id": "1", "question": "Who?", "answers": ["A"], "evidence": [], "answerable": true}\n'


def _config(path: str) -> object:
    home = Path(path).parent / "home"
    home.mkdir(exist_ok=True)
    (home / "config.toml").symlink_to(path)
    return Config.read(home=str(home))


READERS: dict[str, tuple[Callable[[str], object], type[RagError]]] = {
    "questions": (read_cases, Usage),
    "claims": (checker.read_claims, Usage),
    "check": (read_jsonl_text, Usage),
    "run": (run.read_run, Usage),
    "config": (_config, Usage),
    "bytes": (read_bytes, Unreadable),
    "partial": (lambda path: PartialRun(Path(path), "x", print), Usage),
    "model": (lambda path: check_gguf_magic(Path(path)), ModelBroken),
    "note": (lambda path: read_json_object(Path(path)), ModelBroken),
}


@pytest.fixture
def specials(tmp_path: Path) -> dict[str, str]:
    """Files that are none, each by its kind."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, to in (
        ("to-zero", "/dev/zero"),
        ("to-pipe", "pipe"),
        ("to-itself", "to-itself"),
        ("to-nothing", "none"),
    ):
        (tmp_path / name).symlink_to(to)
    found = {
        name: str(tmp_path / name)
        for name in ("pipe", "folder", "to-zero", "to-pipe", "to-itself", "to-nothing")
    }
    return {
        **found,
        "zero": "/dev/zero",
        "null": "/dev/null",
        "tty": "/dev/tty",
        "proc": "/proc/self/status",
    }


@pytest.mark.parametrize(
    "kind", ["pipe", "folder", "to-zero", "to-pipe", "to-itself", "zero", "null", "tty", "proc"]
)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_file_is_an_error_at_once(
    specials: dict[str, str], tmp_path: Path, reader: str, kind: str
) -> None:
    read, error = READERS[reader]
    if (reader == "model" and kind in ("proc", "to-itself", "tty")) or (
        reader == "partial" and kind in ("proc", "to-itself")
    ):
        pytest.skip("it ends, or an error of the system says so")
    path = specials[kind]
    if reader == "config" and path.startswith(("/dev", "/proc")):
        (tmp_path / "given").symlink_to(path)
        path = str(tmp_path / "given")
    started = time.monotonic()
    with pytest.raises(error) as said:
        read(path)
    assert time.monotonic() - started < 5 and str(said.value) and said.value.cure


def test_a_corpus_is_hashed_without_waiting(specials: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Bees make honey.")
    first = eval_runs._hash([str(tmp_path)])
    assert first == eval_runs._hash([str(tmp_path)])
    (tmp_path / "a.txt").write_text("Bees make wax.")
    assert first != eval_runs._hash([str(tmp_path)])


def test_a_link_to_a_file_is_followed_where_a_person_gave_it(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_bytes(LINE)
    (tmp_path / "link.jsonl").symlink_to("q.jsonl")
    link = str(tmp_path / "link.jsonl")
    assert (
        read_cases(link) == read_cases(tmp_path / "q.jsonl")
        and read_jsonl_text(link) == LINE.decode()
    )
    with pytest.raises(Unreadable, match="symbolic link"):
        read_bytes(link)


@pytest.mark.parametrize("reader", [read_cases, checker.read_claims, read_jsonl_text])
def test_questions_are_bounded_packed_or_not(tmp_path: Path, reader: Callable[[str], Any]) -> None:
    plain = b" " * (regular_files.MAX_QUESTIONS_BYTES + 1)
    for name, content in (("q.jsonl", plain), ("q.jsonl.gz", gzip.compress(plain, 1))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Usage, match=r"6[47] MB"):
            reader(str(tmp_path / name))


def test_questions_nested_deep_are_named(tmp_path: Path) -> None:
    for values in ({"answers": "x"}, {"answerable": "x"}, {"review": "x"}, {"id": "x"}):
        for depth in (900, 950, 970, 980, 990, 100_000):
            line = {**json.loads(LINE), **values}
            text = json.dumps(line).replace('"x"', "[" * depth + "]" * depth)
            (tmp_path / "q.jsonl").write_text(text)
            with pytest.raises(Usage, match="line 1"):
                read_cases(tmp_path / "q.jsonl")


# -- config.toml --


def _refused(home: Path, text: str | bytes) -> Usage:
    (home / "config.toml").write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(Usage) as error:
        Config.read(home=str(home))
    assert "config.toml" in str(error.value) and error.value.cure and len(str(error.value)) < 2000
    return error.value


@pytest.mark.parametrize(
    "text",
    [
        "a." * 30_000 + "a = 1",
        "[" + "a." * 30_000 + "a]",
        "x = {" + "a . " * 15_000 + "a = 1}",
        '"a".' * 15_000 + "a = 1",
        "model = 'x.y'; " + "a." * 30_000,
        "[[" + "a." * 30_000 + "a]]",
        ("a." * 33 + "a = 1\n") * 900,
        "x = " + "[" * 500 + "]" * 500,
        "x = " + "[" * 30_000,
        "x = " + "{a=" * 15_000,
        "x = " + "9" * 60_000,
        "seed = " + "9" * 5_000,
        "seed = " + "9" * 30,
        "seed = 2147483648",
        "threads = 99999999999",
        "temperature = nan",
        "temperature = inf",
        "temperature = -inf",
        "temperature = 1e400",
        'temperature = "nan"',
        'model = "a\\u0000b"',
        "model = " + "[" * 300 + "]" * 300,
        "model = {a = 1}",
        "x" * 70_000,
        b"model = '\xff'",
        b"\xff\xfem\0o\0d\0e\0l\0",
        b"\0" * 100,
        "model = ",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_settings_that_no_one_means_are_said(tmp_path: Path, text: str | bytes) -> None:
    started = time.process_time()
    _refused(tmp_path, text)
    assert time.process_time() - started < 2 * slowness()


def test_deep_keys_take_no_memory(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("a." * 32_000 + "a = 1")
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from rag.config import Config
from rag.errors import Usage
try:
    Config.read(home={str(tmp_path)!r})
except Usage as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=50
    )
    assert "config.toml cannot be read" in done.stdout, done.stderr[-500:]


def test_honest_settings_of_every_shape(tmp_path: Path) -> None:
    path = "/a.b.c/" + "d." * 40 + "gguf"
    text = f'\ufeff# v1.2.3. of my. settings.\nmodel = "{path}" # {"." * 50}\ntemperature = 0.5\r\nseed = 2147483647\n'
    (tmp_path / "config.toml").write_text(text, newline="")
    found = Config.read(home=str(tmp_path))
    assert (found.model, found.temperature, found.seed) == (path, 0.5, 2147483647)


def test_the_checksum_of_a_pipe_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError):
            sha256(path)


# -- standard input --


class _Endless(io.RawIOBase):
    """Standard input that does not end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = b"a" * len(buffer)
        return len(buffer)


def test_standard_input_is_bounded() -> None:
    endless = io.TextIOWrapper(io.BufferedReader(_Endless()))
    with pytest.raises(Usage, match="too much for a question"):
        regular_files.read_stream(endless, 2**16, "a question")
    for held, says in (
        (io.TextIOWrapper(io.BytesIO(b"\xff")), "not UTF-8"),
        (None, "no standard input"),
    ):
        with pytest.raises(Usage, match=says):
            regular_files.read_stream(held, 2**16, "a question")
    signed = io.TextIOWrapper(io.BytesIO("\ufeffWho signé?".encode()))
    assert regular_files.read_stream(signed, 2**16, "a question") == "Who signé?"
