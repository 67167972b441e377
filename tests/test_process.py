"""Hardening: programs of this project harden themselves, a program that imports it stays as it is."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag.process import safe_children
from tests.conftest import ROOT

#: variables of a host program, and some that would steer Chroma
HOST = {
    "OTEL_SERVICE_NAME": "host",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "CHROMA_API_IMPL": "chromadb.api.fastapi.FastAPI",
    "CHROMA_SERVER_HOST": "127.0.0.1",
    "CHROMA_SERVER_HTTP_PORT": "9",
    "CHROMA_SERVER_NOFILE": "77",
    "CHROMA_PRODUCT_TELEMETRY_IMPL": "evil.Evil",
    "CHROMA_SYSDB_IMPL": "evil.Evil",
    "CHROMA_OTEL_GRANULARITY": "all",
    "TOKENIZERS_PARALLELISM": "true",
}
#: variables that `harden_process` sets
SET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "PYTHONSAFEPATH": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "passive",
}
#: what a process is: its variables, limits, signal handlers, import path, current folder
STATE = """
import os, resource, signal, sys, threading
def state():
    limits = [resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")]
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    hooks = [sys.excepthook, sys.unraisablehook, threading.excepthook]
    return dict(os.environ), limits, handlers, hooks, list(sys.path), os.getcwd(), os.nice(0), signal.getitimer(0)
before = state()
"""
CONNECTED = (
    "import sys\n"
    "def look(event, arguments):\n"
    "    if event in ('socket.connect', 'socket.getaddrinfo'): print(event, arguments[:2])\n"
    "sys.addaudithook(look)\n"
)


def _run(code: str, folder: Path, **more: str) -> str:
    """What a new interpreter prints for `code`, in an environment that is not hardened."""
    environ = {name: value for name, value in os.environ.items() if name not in SET}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT), **more},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_bot_and_an_engine_leave_the_process_of_their_user_as_it_is(tmp_path: Path) -> None:
    code = f"""{STATE}
from rag import Bot, Config, Engine
bot = Bot(Config(home={str(tmp_path)!r}))
engine = Engine(Config(home={str(tmp_path)!r}))
assert bot.status().documents == engine.status().documents == 0
engine.close()
bot.close()
for one, other in zip(before, state(), strict=True):
    assert one == other, (one, other)
"""
    _run(code, tmp_path, **HOST)


def test_so_do_questions_and_no_variable_steers_them(seeded: Path, tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("print('RAN')")
    code = f"""{CONNECTED}{STATE}
from rag import Bot, Config
with Bot(Config(home={str(seeded)!r})) as bot:
    events = list(bot.ask("How many individual sanctions has Russia faced?", save=False))
print("over 5,000" in events[-1].answer.text)
for one, other in zip(before, state(), strict=True):
    assert one == other, (one, other)
"""
    assert _run(code, tmp_path, **HOST) == "True\n"


@pytest.mark.slow
def test_torch_embeds_without_a_look_at_the_network(tmp_path: Path) -> None:
    code = f"""{CONNECTED}
from rag.inference.sentence_models import PassageEmbedder
print(PassageEmbedder().embed(["Bees make honey."]).shape)
"""
    assert _run(code, tmp_path) == "(1, 384)\n"


def test_the_command_hardens_its_process(tmp_path: Path) -> None:
    code = (
        "import atexit, os, sys; sys.argv = ['footnote', '--version']\n"
        "atexit.register(lambda: print(sorted(os.environ)))\n"
        f"atexit.register(lambda: print({{name: os.environ.get(name) for name in {list(SET)}}} == {SET}))\n"
        "from rag.cli.main import main; main()"
    )
    _, hardened, names = _run(code, tmp_path, **HOST).splitlines()
    assert hardened == "True"
    assert not any(name.startswith(("CHROMA_", "OTEL_")) for name in ast.literal_eval(names))


@pytest.mark.slow
def test_a_child_is_hardened_though_its_parent_is_not(tmp_path: Path) -> None:
    code = (
        "from rag.inference import isolated_call\n"
        f"for name in {[*SET, 'OTEL_SERVICE_NAME']}:\n"
        "    print(isolated_call.call('os:getenv', name, 2**30, 10.0, 30.0))"
    )
    assert _run(code, tmp_path, **HOST).splitlines() == [*SET.values(), "None"]


@pytest.mark.parametrize("before", [None, "", "1"])
def test_children_are_safe_and_the_variable_is_as_before(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    with safe_children():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ.get("PYTHONSAFEPATH") == before


def test_a_process_is_protected_from_its_folder_and_its_variables(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("print('RAN')")
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.path.insert(0, '')\n"
        "from rag.process import harden_process; harden_process()\n"
        "import os; print(sorted(n for n in os.environ if n.startswith(('CHROMA_', 'OTEL_'))), os.environ['HF_HUB_OFFLINE'])\n"
        "try:\n    import evil\nexcept ImportError: print('no evil')"
    )
    around = {
        **os.environ,
        "CHROMA_SERVER_HOST": "evil.test",
        "chroma_api_impl": "evil",
        "OTEL_X": "1",
    }
    around.pop("PYTHONSAFEPATH", None)
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=around,
        check=True,
    )
    assert run.stdout.splitlines() == ["[] 1", "no evil"]
