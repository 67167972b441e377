"""The trial of a new model file: it is loaded and used briefly in a separate process.

A file that llama.cpp cannot handle ends that process (an assertion, a segmentation fault, an
endless loop, too much memory) and becomes an error message here. A file that has passed is recorded
by its SHA-256, so each file is tried once for each version of llama.cpp.
"""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import cast

from rag.disk import atomic_files
from rag.errors import ModelBroken, RagError
from rag.inference import gguf_header, isolated_call, weights
from rag.inference.chat_template import conversation

CHAT, EMBEDDER = "chat", "embedder"
_TRIAL_VERSION = 1
#: bytes besides three times the file, which is mapped and may be repacked
_MEMORY_BYTES = 800 * 2**20
#: limits for a small file; a larger one gets a second more for each so many bytes
_CPU_SECONDS, _SECONDS = 4.0, 20.0
_CPU_BYTES_PER_SECOND, _BYTES_PER_SECOND = 50e6, 20e6
_CONTEXT_TOKENS = 512
_SAMPLE_TEXT = (
    "".join(map(chr, range(1, 0x180)))
    + " <s></s><|im_end|> 12345 \n\n\t    東京は日本の首都です。 👩‍🚀 Ünïcödé "
    + "a" * 300
)


def find_tried_chat_model(home: str, name: str) -> tuple[weights.ChatModelFile, str]:
    """The chat model with that name or path, after its trial, and its SHA-256.

    Raises as `weights.find_chat_model` and `require_tried` do.
    """
    model = weights.find_chat_model(home, name)
    return model, require_tried(home, model.path, CHAT)


def require_template(path: Path) -> None:
    """Render the chat template of a model file around one question, in a process with limits.

    Raises `ModelBroken` if the file has no template, or one that cannot be used.
    """
    template = gguf_header.check_header(path).values.get("tokenizer.chat_template")
    text = template.decode("utf-8", "replace") if isinstance(template, bytes) else None
    conversation(str(path), text, {"bos_token": "<s>", "eos_token": "</s>"}, 2)


def require_tried(
    home: str, path: Path, kind: str, call: isolated_call.Call = isolated_call.call
) -> str:
    """The SHA-256 of the file at `path`, which is tried if it has not passed yet.

    `kind` is "chat" or "embedder"; `call` runs the trial in a process of its own. Raises
    `ModelBroken` if the file cannot be used as such.
    """
    weights.check_gguf_magic(path)
    try:
        digest = weights.fingerprint(home, path)
    except OSError as error:
        raise ModelBroken(
            f"{path} cannot be read: {error.strerror or error}", "check the disk, or use another"
        ) from error
    store = weights.models_folder(home) / "tried.json"
    passed = _passed_trials(store)
    trial = f"{kind} {_TRIAL_VERSION} {_llama_version()}"
    if trial in passed.get(digest, ()):
        return digest
    gguf_header.check_header(path)
    _run_trial(path, kind, call)
    passed[digest] = sorted({*passed.get(digest, ()), trial})
    with suppress(OSError):  # it is tried again the next time
        atomic_files.replace_file(store, json.dumps(passed))
    return digest


def _run_trial(path: Path, kind: str, call: isolated_call.Call) -> None:
    size = path.stat().st_size
    try:
        result = call(
            "rag.inference.model_trial:load",
            {"path": str(path), "kind": kind},
            _MEMORY_BYTES + 3 * size,
            _CPU_SECONDS + size / _CPU_BYTES_PER_SECOND,
            _SECONDS + size / _BYTES_PER_SECOND,
        )
    except isolated_call.Ended as ended:
        raise ModelBroken(
            f"{path} cannot be used: a trial of it {ended}",
            "the file is damaged or not for this version of llama.cpp: "
            "fetch it again, or use another",
        ) from ended
    if failure := cast(dict[str, str], result):
        raise ModelBroken(failure["failed"], failure["cure"])


def _passed_trials(store: Path) -> dict[str, list[str]]:
    """The trials that each file has passed, by SHA-256."""
    with suppress(OSError, ValueError, RecursionError):
        content = json.loads(store.read_text(encoding="utf-8"))
        if isinstance(content, dict) and all(isinstance(tried, list) for tried in content.values()):
            return content
    return {}


def _llama_version() -> str:
    try:
        return version("llama-cpp-python")
    except PackageNotFoundError:
        return ""


def load(request: dict[str, str]) -> dict[str, str]:
    """In the child process: load and use the file.

    Returns {} if that succeeds, else the message as "failed" and its "cure".
    """
    try:
        (_try_chat_model if request["kind"] == CHAT else _try_embedder)(request["path"])
    except RagError as error:
        return {"failed": str(error), "cure": error.cure}
    except (MemoryError, OSError):
        raise
    except Exception as error:
        return {"failed": f"{request['path']} cannot be used: {error}", "cure": "use another model"}
    return {}


def _try_chat_model(path: str) -> None:
    from rag.inference.llama_chat import ChatModel

    model = ChatModel(path, _CONTEXT_TOKENS, 2)
    ids = [
        *model.begin(),
        *model.tokens(_SAMPLE_TEXT, special=False),
        *model.tokens(_SAMPLE_TEXT, special=True),
    ]
    model.special()
    model.spell()
    for _ in model.read((ids or [0])[: _CONTEXT_TOKENS // 2]):
        pass
    for temperature in (0.0, 1.0):
        for _ in model.write(8, temperature, 0):
            pass


def _try_embedder(path: str) -> None:
    from rag.inference.llama import TextEncoder

    encoder = TextEncoder(path, 2)
    encoder.count([_SAMPLE_TEXT])
    encoder.embed_texts(["a", _SAMPLE_TEXT, ""])
