"""The catalogue holds together; models are listed, chosen, checked and removed by the command; nothing else connects."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ModelBroken, Usage, WeightsMissing
from rag.inference import model_fit
from rag.inference.weights import list_chat_models, models_folder
from rag.model_store import catalogue, installed
from rag.model_store.download import write_record
from tests.conftest import ROOT
from tests.support import tiny_chat_model

GB = 2**30


def test_the_catalogue_holds_together() -> None:
    models = catalogue.chat_models()
    assert len(models) >= 10
    assert (
        len({m.name for m in models})
        == len({(m.repository, m.file) for m in models})
        == len(models)
    )
    assert [m.memory_gb for m in models] == sorted(m.memory_gb for m in models)
    assert {models[0].memory_gb, models[-1].memory_gb} == {2, 64}
    for model in models:
        assert model.file.endswith(".gguf") and model.licence and model.parameters, model.name
        assert model.quantisation.lower() in model.file.lower(), model.name
        assert model.evidence in catalogue.EVIDENCE_PHRASES
        unconfirmed = model.evidence == catalogue.UNCONFIRMED
        assert unconfirmed or re.fullmatch("[0-9a-f]{64}", model.sha256), model.name
        assert unconfirmed or re.fullmatch("[0-9a-f]{40}", model.revision), model.name
        assert model_fit.weights_memory(model.bytes) < 0.9 * model.memory_gb * GB, model.name


def test_every_memory_size_has_one_default() -> None:
    sizes = {model.memory_gb for model in catalogue.chat_models()}
    defaults = [model for model in catalogue.chat_models() if model.default]
    assert sorted(model.memory_gb for model in defaults) == sorted(sizes)
    for model in defaults:
        assert catalogue.default_for(model.memory_gb * GB) == model
        assert catalogue.default_for(int(model.memory_gb * GB * 0.95)) == model
    assert catalogue.default_for(0) == catalogue.default_for(GB) == defaults[0]
    assert catalogue.default_for(2**50) == defaults[-1]


def put(home: Path, file: Path, name: str = "tiny-chat") -> Path:
    path = models_folder(str(home)) / f"{name}.gguf"
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, path)
    return path


def footnote(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", OFFLINE, "--home", str(home), *arguments],
        capture_output=True, text=True, timeout=200, cwd=ROOT,
        env={**os.environ, "HF_TOKEN": "hf_secret", "HF_ENDPOINT": "http://127.0.0.1:9"},
    )  # fmt: skip


#: the command `footnote` in a process that ends if a connection is opened or a name looked up
OFFLINE = """
import os, sys
def refuse(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple) or event == "socket.getaddrinfo":
        os.write(2, f"connected: {arguments}".encode())
        os._exit(99)
sys.addaudithook(refuse)
from rag.cli.main import main
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("models", "list", "--available"), 0),
        (("models", "check"), 0),
        (("models", "use", "tiny"), 0),
        (("search", "sanctions"), 0),
        (("ask", "How many individual sanctions has Russia faced?"), 0),
        (("doctor",), None),
        (("models", "pull", "hf:owner/repo/m.gguf"), 99),  # what the others are compared with
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_only_one_command_opens_a_connection(
    home: Path, tiny: Path, arguments: tuple[str, ...], code: int | None
) -> None:
    put(home, tiny)
    done = footnote(home, *arguments)
    assert (done.returncode == 99) == (code == 99), done.stderr
    assert code is None or done.returncode == code, done.stderr


@pytest.mark.slow
def test_use_says_what_a_model_needs_and_how_fast_it_is(tmp_path: Path, tiny: Path) -> None:
    put(tmp_path, tiny)
    done = footnote(tmp_path, "models", "use", "tiny", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["model"] == "tiny-chat" and found["reads_per_second"] > 0
    assert found["context_tokens"] == 4096
    assert (
        found["memory_needed"]
        > models_folder(str(tmp_path)).joinpath("tiny-chat.gguf").stat().st_size
    )
    assert re.search(
        r"has a chat template, needs about 0\.3 GB .*; it reads [\d,]+ and", done.stderr
    )
    assert Config.read(home=str(tmp_path)).model == "tiny-chat", "the setting survives"


@pytest.mark.slow
def test_use_of_what_cannot_answer_says_why_and_changes_nothing(tmp_path: Path, tiny: Path) -> None:
    tiny_chat_model.write(tmp_path / "bare.gguf", template=None)
    put(tmp_path, tiny, "tiny-one")
    put(tmp_path, tiny, "tiny-two")
    for name, says in (
        (str(tmp_path / "bare.gguf"), "no chat template"),
        ("qwen2.5-coder-0.5b", "footnote models pull qwen2.5-coder-0.5b"),
        ("tiny", "there is no model called"),  # two begin so
    ):
        done = footnote(tmp_path, "models", "use", name)
        assert done.returncode and says in done.stderr and "hint:" in done.stderr
    assert Config.read(home=str(tmp_path)).model == "reader"


@pytest.mark.slow
def test_a_model_that_does_not_fit_is_refused(tiny: Path) -> None:
    small = model_fit.require_fit(tiny, 256)
    large = model_fit.require_fit(tiny, 4096)
    # 2 layers, keys and values of 64 numbers, two bytes each
    assert large.needed - small.needed == 2 * 2 * 64 * 2 * (4096 - 256)
    assert model_fit.require_fit(tiny, 2**20).needed == large.needed, "its own context is 4,096"
    memory = large.needed - 1
    with pytest.raises(ModelBroken, match="needs about") as caught:
        model_fit.require_fit(tiny, 4096, memory)
    assert "context_tokens" in caught.value.cure
    model_fit.require_fit(tiny, 256, memory)


@pytest.mark.slow
def test_check_finds_what_changed(tmp_path: Path, tiny: Path) -> None:
    home, path = str(tmp_path), put(tmp_path, tiny)
    (model,) = list_chat_models(home)
    unknown = installed.check(home, model)
    assert unknown.good and "no SHA-256 is known" in unknown.says
    installed.record_pulled(home, model.name, "somewhere", unknown.sha256)
    assert installed.check(home, model).says.startswith("its SHA-256 is right")
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    changed = installed.check(home, model)
    assert not changed.good and "differs" in changed.says and "models rm" in changed.cure
    done = footnote(tmp_path, "models", "check", "tiny")
    assert done.returncode == 1 and unknown.sha256 in done.stdout and changed.sha256 in done.stdout
    path.write_bytes(b"GGUF")
    installed.record_pulled(home, model.name, "somewhere", "")
    assert not installed.check(home, model).good


@pytest.mark.slow
def test_rm_removes_the_file_and_what_was_fetched_of_it(tmp_path: Path, tiny: Path) -> None:
    home, path = str(tmp_path), put(tmp_path, tiny)
    installed.record_pulled(home, "tiny-chat", "somewhere", "0" * 64)
    part = installed.part_path(home, "other")
    part.write_bytes(b"GGUF half")
    write_record(part, {"url": "u"})
    assert installed.remove(home, "other") == 9
    with pytest.raises(WeightsMissing, match="there is no model called"):
        installed.remove(home, "other")
    for name in ("reader", "all-MiniLM-L6-v2"):
        with pytest.raises(Usage, match="part of the program"):
            installed.remove(home, name)
    outside = tmp_path / "outside.gguf"
    shutil.copy(tiny, outside)
    for name in (str(outside.with_suffix("")), "../outside"):
        with pytest.raises(WeightsMissing):
            installed.remove(home, name)
    assert outside.is_file() and path.is_file()
    (tmp_path / "config.toml").write_text('model = "tiny-chat"\n', encoding="utf-8")
    done = footnote(tmp_path, "models", "rm", "tiny", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["removed"] == "tiny-chat"
    assert Config.read(home=home).model == "reader" and "reader answers" in done.stderr
    assert set(os.listdir(models_folder(home))) == {"pulled.json"}
    assert json.loads((models_folder(home) / "pulled.json").read_text()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x" * 5_000, "a\0b", ""])
def test_no_name_of_a_model_to_remove_is_an_unexpected_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(WeightsMissing):
        installed.remove(str(tmp_path), name)


@pytest.mark.slow
def test_the_list_of_what_can_be_fetched(tmp_path: Path) -> None:
    done = footnote(tmp_path, "models", "list", "--available")
    models = catalogue.chat_models()
    for model in models:
        assert re.search(rf"^{re.escape(model.name)} .*{model.memory_gb} GB", done.stdout, re.M)
    assert "unconfirmed" in done.stdout and re.search(r"^llama-3.3-70b .* \? ", done.stdout, re.M)
    listed = json.loads(footnote(tmp_path, "models", "list", "--available", "--json").stdout)
    assert [one["name"] for one in listed["models"]] == [model.name for model in models]
    assert sum(one["default_here"] for one in listed["models"]) == 1
    assert listed["models"][0]["sha256"] == models[0].sha256
