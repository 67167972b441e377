"""What all tests share: no network, a home of their own, one library of the seeds, one tiny chat model."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path

import pytest
from hypothesis import settings

from rag.process import harden_process
from tests.support import examples
from tests.support.chat_server import ChatServer
from tests.support.file_server import FileServer

ROOT = Path(__file__).resolve().parent.parent
SEEDS = ROOT / "seeds"
_SLOW_LIBRARIES = ("torch", "sentence_transformers", "transformers")


#: hosts that the running test may connect to: those of its own server, of most tests none
_reachable: set[object] = set()


def _no_network(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and address[0] not in _reachable:
            raise RuntimeError(f"a test opened a connection to {address}")
    elif event == "socket.getaddrinfo" and arguments[0] not in {None, "", *_reachable}:
        raise RuntimeError(f"a test looked up the address of {arguments[0]!r}")


settings.load_profile(examples.ALL)
sys.addaudithook(_no_network)
harden_process()
#: a chat model with real weights, for the tests that need one
CHAT_MODEL = os.environ.get("FOOTNOTE_CHAT_MODEL", "")
os.environ["HF_TOKEN_PATH"] = os.devnull  # no token of the person who runs the tests
# no setting of that person, and no size of a terminal that the runner sets: a test says its own
for name in [n for n in os.environ if n.startswith("FOOTNOTE_") or n in ("COLUMNS", "LINES")]:
    del os.environ[name]


class _NoTorch(MetaPathFinder):
    """Refuse to import torch: what needs it is slow."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in _SLOW_LIBRARIES:
            raise RuntimeError(
                f"a test that is not marked slow imports {name}: mark it, or leave {name} out"
            )


def pytest_configure(config: pytest.Config) -> None:
    """With `-m "not slow"` (make quick), refuse torch and try properties with few examples."""
    if _quick(config):
        sys.meta_path.insert(0, _NoTorch())
        settings.load_profile(examples.QUICK)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a quick run that imported torch in spite of `_NoTorch`."""
    if _quick(session.config) and not sys.modules.keys().isdisjoint(_SLOW_LIBRARIES):
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def _quick(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == "not slow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "not slow"`, do not even import a module that is slow as a whole: its imports are."""
    if _quick(config) and collection_path.suffix == ".py":
        text = collection_path.read_text(encoding="utf-8")
        return True if "\npytestmark = pytest.mark.slow\n" in text else None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs the seeds in a library: they are embedded with torch."""
    for item in items:
        if "added_seeds" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def added_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose default library holds the seeds, embedded for real. Only to be copied."""
    from rag import Bot, Config

    home = tmp_path_factory.mktemp("added-seeds")
    with Bot.open(Config(home=str(home))) as bot:
        for _ in bot.add([str(SEEDS)]):
            pass
    return home


@pytest.fixture(scope="session")
def seeded(added_seeds: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `added_seeds` for all tests: they may ask, which is kept, and change no document."""
    return Path(shutil.copytree(added_seeds, tmp_path_factory.mktemp("seeded") / "home"))


@pytest.fixture
def home(added_seeds: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of `added_seeds` that a test may do anything to."""
    copy = tmp_path / "home"
    shutil.copytree(added_seeds, copy)
    yield copy


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    """A server of files on this computer. Only a test that asks for it may open a connection."""
    _reachable.update(("127.0.0.1", "localhost"))
    with FileServer() as server:
        yield server
    _reachable.clear()


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """An OpenAI-compatible server on this computer, which can misbehave."""
    _reachable.update(("127.0.0.1", "localhost"))
    with ChatServer() as server:
        yield server
    _reachable.clear()


@pytest.fixture(scope="session")
def embedder(seeded: Path) -> Iterator[object]:
    """The real embedder in llama.cpp."""
    from rag.inference.minilm import open_question_embedder

    machine = open_question_embedder(str(seeded))
    yield machine
    machine.close()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chat model of a few hundred thousand random weights, with a real tokenizer and a chat template."""
    from tests.support.tiny_chat_model import write

    return write(tmp_path_factory.mktemp("models") / "tiny-chat.gguf")


@pytest.fixture(scope="session")
def real_chat_model() -> str:
    """The path of a chat model with real weights: the variable FOOTNOTE_CHAT_MODEL."""
    if not CHAT_MODEL:
        pytest.skip("FOOTNOTE_CHAT_MODEL is not set to the path of a chat model (.gguf)")
    return CHAT_MODEL
