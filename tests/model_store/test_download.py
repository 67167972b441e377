"""A download against a server that breaks off, stalls, lies, redirects and refuses: whole, or said why not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rag.errors import DownloadFailed
from rag.model_store import download as d
from rag.model_store.download import Patience, Remote, download, read_record
from tests.support.file_server import FileServer

QUICK = Patience(stall_seconds=0.5, slow_seconds=0.5, slow_bytes=1000, pause_seconds=0.0)


def fetch(
    server: FileServer, path: str, part: Path, **known: object
) -> list[tuple[int, int | None]]:
    """Download; the progress that was reported."""
    reported: list[tuple[int, int | None]] = []
    remote = Remote(server.url(path), **known)  # type: ignore[arg-type]
    download(remote, part, lambda done, size: reported.append((done, size)), QUICK)
    return reported


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "m.gguf.part"


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    ["file", "breaks-off", "no-ranges", "unsized", "stalls", "redirected", "busy"],
)
@pytest.mark.parametrize("known", [True, False], ids=["size known", "size not known"])
def test_the_file_comes_whole(file_server: FileServer, part: Path, path: str, known: bool) -> None:
    size = len(file_server.content) if known else None
    reported = fetch(file_server, f"{path}.gguf", part, size=size)
    assert part.read_bytes() == file_server.content
    assert reported[-1][0] == len(file_server.content)
    assert [done for done, _ in reported] == sorted(done for done, _ in reported)
    assert part.stat().st_mode & 0o077 == 0


def test_what_broke_off_is_continued_not_fetched_again(file_server: FileServer, part: Path) -> None:
    fetch(file_server, "breaks-off.gguf", part)
    piece = file_server.piece
    assert file_server.ranges() == ["", f"bytes={piece}-", f"bytes={2 * piece}-"]
    assert {headers.get("if-range") for _, _, headers in file_server.requests[1:]} == {'"one"'}


def test_a_later_run_goes_on_and_a_whole_file_is_not_fetched_again(
    file_server: FileServer, part: Path
) -> None:
    size = len(file_server.content)
    fetch(file_server, "file.gguf", part, size=size)
    part.write_bytes(file_server.content[:1000])
    fetch(file_server, "file.gguf", part, size=size)
    assert file_server.ranges() == ["", "bytes=1000-"]
    fetch(file_server, "file.gguf", part, size=size)
    assert len(file_server.requests) == 2 and part.read_bytes() == file_server.content
    fetch(file_server, "file.gguf", part)  # without its size the server is asked, and says 416
    assert len(file_server.requests) == 3 and part.read_bytes() == file_server.content


def test_a_part_of_another_version_is_not_continued(file_server: FileServer, part: Path) -> None:
    fetch(file_server, "file.gguf", part)
    part.write_bytes(file_server.content[:1000])
    file_server.tag, file_server.content = '"two"', b"GGUF" + b"new" * 1000
    fetch(file_server, "file.gguf", part)
    assert part.read_bytes() == file_server.content
    assert read_record(part)["version"] == '"two"'


def test_a_part_that_was_not_asked_for_is_not_taken(file_server: FileServer, part: Path) -> None:
    part.write_bytes(file_server.content[:1000])
    d.write_record(part, {"url": file_server.url("another-range.gguf")})
    fetch(file_server, "another-range.gguf", part)
    assert file_server.ranges() == ["bytes=1000-", ""]
    assert part.read_bytes() == file_server.content


def test_a_part_of_another_url_is_continued_only_if_the_sha256_is_the_same(
    file_server: FileServer, part: Path
) -> None:
    digest = file_server.sha256
    fetch(file_server, "file.gguf", part, sha256=digest)
    part.write_bytes(file_server.content[:1000])
    fetch(file_server, "breaks-off.gguf", part, sha256=digest)
    assert file_server.ranges()[1] == "bytes=1000-"
    part.write_bytes(file_server.content[:1000])
    fetch(file_server, "file.gguf", part)
    assert file_server.ranges()[-1] == "" and part.read_bytes() == file_server.content


def test_a_part_that_is_too_long_is_thrown_away(file_server: FileServer, part: Path) -> None:
    fetch(file_server, "file.gguf", part)
    part.write_bytes(file_server.content + b"x")
    fetch(file_server, "file.gguf", part, size=len(file_server.content))
    assert part.read_bytes() == file_server.content
    part.write_bytes(file_server.content + b"x")
    fetch(file_server, "file.gguf", part)  # 416, by a server that has another size
    assert part.read_bytes() == file_server.content


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "says", "cure"),
    [
        ("refused/404.gguf", "HTTP 404", "address"),
        ("refused/401.gguf", "HTTP 401", "token"),
        ("refused/403.gguf", "HTTP 403", "token"),
        ("refused/503.gguf", "tried 5 times: HTTP 503", "goes on where this one ended"),
        ("round.gguf", "HTTP 302", "address"),
        ("to-ftp.gguf", "redirects to ftp:", "the file itself"),
        ("page.gguf", "something else than a GGUF file", "a page"),
        ("compressed.gguf", "compressed", "another source"),
        ("longer.gguf", "a file of 3,072,008 bytes; 3,072,004 are expected", "another source"),
        ("endless.gguf", "sends more than the 3,072,004 bytes", "another source"),
        ("drips.gguf", "tried 5 times: it sent", "goes on"),
        ("breaks-off-at-once.gguf", "tried 5 times: it broke off after", "goes on"),
    ],
)
def test_what_cannot_be_fetched_is_said(
    file_server: FileServer, part: Path, path: str, says: str, cure: str
) -> None:
    with pytest.raises(DownloadFailed) as caught:
        fetch(file_server, path, part, size=len(file_server.content))
    assert says in str(caught.value) and cure in caught.value.cure
    assert d.size_of(part) <= len(file_server.content)


def test_a_server_that_is_not_there_is_tried_and_said(file_server: FileServer, part: Path) -> None:
    part.write_bytes(b"GGUF")
    d.write_record(part, {"url": "http://127.0.0.1:9/f.gguf"})
    with pytest.raises(DownloadFailed, match="tried 5 times"):
        download(Remote("http://127.0.0.1:9/f.gguf"), part, lambda done, size: None, QUICK)
    assert part.read_bytes() == b"GGUF", "what is here is kept"


def test_a_token_is_not_sent_to_another_host(file_server: FileServer, part: Path) -> None:
    token = {"Authorization": "Bearer hf_secret"}
    fetch(file_server, "redirected.gguf", part, headers=token)
    assert [h.get("authorization") for _, _, h in file_server.requests] == ["Bearer hf_secret"] * 2
    part.unlink()
    file_server.requests.clear()
    fetch(file_server, "elsewhere.gguf", part, headers=token)
    assert [h.get("authorization") for _, _, h in file_server.requests] == [
        "Bearer hf_secret",
        None,
    ]
    assert "hf_secret" not in d.record_path(part).read_text() + repr(Remote("u", headers=token))


def test_a_disk_that_is_too_small_is_said_before_a_byte_is_written(
    file_server: FileServer, part: Path
) -> None:
    with pytest.raises(DownloadFailed, match="are free") as caught:
        fetch(file_server, "vast.gguf", part)
    assert not part.exists() and "--home" in caught.value.cure


def test_a_folder_that_cannot_be_written_to_is_said_at_once(
    file_server: FileServer, tmp_path: Path
) -> None:
    (tmp_path / "m.gguf.part").mkdir()
    with pytest.raises(DownloadFailed, match="cannot be written"):
        fetch(file_server, "file.gguf", tmp_path / "m.gguf.part")


def test_the_bytes_are_those_of_the_server(file_server: FileServer, part: Path) -> None:
    fetch(file_server, "breaks-off.gguf", part)
    assert hashlib.sha256(part.read_bytes()).hexdigest() == file_server.sha256
