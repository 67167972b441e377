"""A model file that is not known yet is loaded a first time in a process of its own, and made to work a little.

What llama.cpp cannot take ends that process (an assertion, a segmentation fault, an endless loop, too much memory) and is a
sentence here. A file that has passed is known by its SHA-256, so that this is paid once for a file and a version.
"""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rag.disk import atomic_files
from rag.errors import ModelBroken, RagError
from rag.inference import gguf_header, isolated_call, weights

CHAT, EMBEDDER = "chat", "embedder"
_VERSION = 1  # of the trial
_MEMORY = 800 * 2**20  # bytes, and three times the file: it is mapped, and may be packed again
_CPU, _SECONDS = 4.0, 20.0  # and some more for a large file
_CPU_RATE, _RATE = 50e6, 20e6  # bytes a second
_CONTEXT = 512  # tokens
_FREE = 'root ::= ( [^\\[\\]] | "[1]" )*\n'
_CITED = 'root ::= "[1]" " [2]" "[34]"\n'  # a vocabulary without these characters would end llama.cpp in mid answer
_TEXT = (
    "".join(map(chr, range(1, 0x180)))
    + " <s></s><|im_end|> 12345 \n\n\t    東京は日本の首都です。 👩‍🚀 Ünïcödé "
    + "a" * 300
)


def find_tried_chat_model(home: str, name: str) -> tuple[weights.ChatModelFile, str]:
    """The chat model of that name or path, which can be used, and its SHA-256. Raises as `weights.chat_model`, `known`."""
    found = weights.find_chat_model(home, name)
    return found, require_tried(home, found.path, CHAT)


def require_tried(home: str, path: Path, kind: str) -> str:
    """The SHA-256 of the file at `path`. Raises `ModelBroken` where it cannot be used as `kind`: "chat" or "embedder"."""
    weights.check_gguf_magic(path)
    try:
        digest = weights.fingerprint(home, path)
    except OSError as error:
        raise ModelBroken(
            f"{path} cannot be read: {error.strerror or error}", "check the disk, or use another"
        ) from error
    notes = weights.models_folder(home) / "tried.json"
    passed = _passed(notes)
    now = f"{kind} {_VERSION} {_engine()}"
    if now in passed.get(digest, ()):
        return digest
    gguf_header.check_header(path)
    size = path.stat().st_size
    try:
        said = isolated_call.call(
            "rag.inference.model_trial:load", {"path": str(path), "kind": kind}, _MEMORY + 3 * size, _CPU + size / _CPU_RATE, _SECONDS + size / _RATE
        )  # fmt: skip
    except isolated_call.Ended as ended:
        raise ModelBroken(
            f"{path} cannot be used: a trial of it {ended}",
            "the file is damaged or not for this version of llama.cpp: fetch it again, or use another",
        ) from ended
    if said:
        raise ModelBroken(said["failed"], said["cure"])
    passed[digest] = sorted({*passed.get(digest, ()), now})
    with suppress(OSError):  # it is tried again the next time
        atomic_files.replace_file(notes, json.dumps(passed))
    return digest


def _passed(notes: Path) -> dict[str, list[str]]:
    """Which files have passed: {SHA-256: [what was tried]}."""
    with suppress(OSError, ValueError, RecursionError):
        found = json.loads(notes.read_text(encoding="utf-8"))
        if isinstance(found, dict) and all(isinstance(tried, list) for tried in found.values()):
            return found
    return {}


def _engine() -> str:
    try:
        return version("llama-cpp-python")
    except PackageNotFoundError:
        return ""


def load(asked: dict[str, Any]) -> dict[str, str]:
    """In the child: load and use the file; {} where that went well, else {"failed", "cure"}."""
    try:
        (_chat if asked["kind"] == CHAT else _embedder)(asked["path"])
    except RagError as error:
        return {"failed": str(error), "cure": error.cure}
    except (MemoryError, OSError):
        raise
    except Exception as error:
        return {"failed": f"{asked['path']} cannot be used: {error}", "cure": "use another model"}
    return {}


def _chat(path: str) -> None:
    from rag.inference.llama import ChatModel

    machine = ChatModel(path, _CONTEXT, 2)
    ids = [
        *machine.begin(),
        *machine.tokens(_TEXT, special=False),
        *machine.tokens(_TEXT, special=True),
    ]
    machine.special()
    machine.spell()
    for _ in machine.read((ids or [0])[: _CONTEXT // 2]):
        pass
    for temperature, grammar in ((0.0, _FREE), (0.0, _CITED), (1.0, "")):
        for _ in machine.write(8, temperature, 0, grammar):
            pass


def _embedder(path: str) -> None:
    from rag.inference.llama import TextEncoder

    machine = TextEncoder(path, 2)
    machine.count([_TEXT])
    machine.embed_texts(["a", _TEXT, ""])
