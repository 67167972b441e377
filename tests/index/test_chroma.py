"""The index can be made again, is opened only if complete, and no file or variable changes it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import Bot, Config
from rag.errors import LibraryBroken, RagError
from rag.index.chroma import VectorIndex, _batches

pytestmark = pytest.mark.slow

DIMENSION = 16


def _rows(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    found = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return {f"{seed}-{n:05}": row for n, row in enumerate(found)}


def _texts(names: Sequence[str]) -> list[tuple[str, str, str, str]]:
    return [(name, "", "", f"passage {name.replace('-', ' of ')}") for name in names]


def _renew(
    vectors: VectorIndex, rows: dict[str, np.ndarray], revision: int, scratch: bool = False
) -> None:
    for _ in vectors.renew(
        set(rows), lambda names: np.stack([rows[n] for n in names]), _texts, revision, scratch
    ):
        pass


def _exact(rows: dict[str, np.ndarray], query: np.ndarray, limit: int) -> list[str]:
    return sorted(rows, key=lambda name: -float(rows[name] @ query))[:limit]


def test_near_agrees_with_exact_search_and_scores_are_cosines(tmp_path: Path) -> None:
    rows = _rows(700)
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, rows, 1)
    for name in list(rows)[:40]:
        found = vectors.near(rows[name], 5)
        assert [n for n, _ in found] == _exact(rows, rows[name], 5)
        assert all(abs(score - float(rows[n] @ rows[name])) < 1e-4 for n, score in found)


def _waiting(folder: Path, number: int) -> int:
    """Rows that only Chroma's log holds, less the one that always stays there."""
    with closing(sqlite3.connect(folder / f"gen-{number}" / "chroma.sqlite3")) as db:
        return int(db.execute("SELECT count(*) FROM embeddings_queue").fetchone()[0]) - 1


@pytest.mark.parametrize("many", [1, 20, 39, 41, 100, 333])
def test_however_many_rows_come_the_files_are_written_a_few_times_and_no_row_waits_in_the_log(
    tmp_path: Path, many: int
) -> None:
    names = [f"{n}" for n in range(many)]
    parts, threshold = _batches(names, 2)
    assert [name for part in parts for name in part] == names and all(
        0 < len(part) <= 2 for part in parts
    )
    since, written = 0, 0
    for part in parts:
        since += len(part)
        if since >= threshold:
            since, written = 0, written + 1
    assert since == 0 and written == min(20, len(parts))
    folder, rows = tmp_path / "v", _rows(many)
    vectors = VectorIndex(folder, DIMENSION, batch=2)
    assert _written(vectors, rows, 1) <= 21 and _waiting(folder, 1) <= 0
    more = (
        {n: v for n, v in rows.items() if not n.endswith("7")}
        | _rows(many + 50, seed=1)
        | _rows(3, seed=2)
    )
    assert (
        _written(vectors, more, 2) <= 21
        and _waiting(folder, 2) <= 0
        and vectors.chunk_ids() == set(more)
    )
    collection: Any = vectors._collection
    held = collection.configuration["hnsw"]
    assert (held["sync_threshold"], held["ef_search"], held["space"]) == (1, 100, "cosine")


def _written(vectors: VectorIndex, rows: dict[str, np.ndarray], revision: int) -> int:
    """How often the files were written, also at the start; checks the progress events."""
    seen, done, held = set[int](), 0, vectors.chunk_ids() if revision > 1 else set()
    for event in vectors.renew(
        set(rows), lambda names: np.stack([rows[n] for n in names]), _texts, revision
    ):
        if event.what == "vectors":
            assert done < event.done <= event.total == len(set(rows) - held)
            done = event.done
            seen |= {
                p.stat().st_mtime_ns for p in vectors._folder.glob(f"gen-{revision}/*/length.bin")
            }
    assert done == len(set(rows) - held)
    return len(seen)


def test_a_journal_that_a_reader_removes_while_the_generation_is_copied_does_no_harm(
    tmp_path: Path,
) -> None:
    vectors, rows = VectorIndex(tmp_path / "v", DIMENSION), _rows(30)
    _renew(vectors, rows, 1)
    (tmp_path / "v" / "gen-1" / "chroma.sqlite3-journal").symlink_to(
        "gone"
    )  # listed, and not there to be copied
    _renew(vectors, rows | _rows(5, seed=1), 2)
    assert len(vectors.chunk_ids()) == 35 and vectors.revision() == 2


def test_a_new_generation_adds_and_drops(tmp_path: Path) -> None:
    rows = _rows(50)
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, rows, 1)
    more = {n: v for n, v in rows.items() if not n.endswith("7")} | _rows(20, seed=1)
    _renew(vectors, more, 2)
    assert {n for n, _ in vectors.near(rows["0-00000"], 500)} == set(more)
    assert vectors.revision() == 2


def test_asking_changes_no_hashed_byte(tmp_path: Path) -> None:
    """A reader that rewrote the index would make it doubtful for the next one."""
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    rows = _rows(23)
    _renew(vectors, rows, 1)
    for _ in range(3):
        vectors.near(rows["0-00001"], 3)
        vectors.close()
        assert vectors.revision() == 1


@pytest.mark.parametrize("wound", ["empty", "halved", "flipped", "deleted", "short", "swapped"])
def test_a_damaged_index_is_never_opened(tmp_path: Path, wound: str) -> None:
    rows = _rows(1200)
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, rows, 1)
    files = [
        p for p in (tmp_path / "v").rglob("*") if p.suffix in (".bin", ".pickle", ".npy", ".txt")
    ]
    assert len(files) >= 10
    for file in files:
        whole = file.read_bytes()
        if not whole:
            continue
        _wound(file, whole, wound)
        assert vectors.revision() is None, file.name
        with pytest.raises(LibraryBroken):
            vectors.near(rows["0-00001"], 3)
        file.write_bytes(whole)
        assert vectors.revision() == 1
    _wound(files[0], files[0].read_bytes(), wound)
    _renew(vectors, rows, 2)
    assert vectors.near(rows["0-00001"], 1)[0][0] == "0-00001"


def _wound(file: Path, whole: bytes, wound: str) -> None:
    if wound == "deleted":
        file.unlink()
    elif wound == "flipped":
        file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    else:
        cut = {"empty": 0, "halved": len(whole) // 2, "short": len(whole) - 1, "swapped": 0}[wound]
        file.write_bytes(whole[:cut] if wound != "swapped" else whole[::-1] + b"x")


def test_what_was_found_whole_is_opened_only_if_nobody_touched_it_since(tmp_path: Path) -> None:
    rows = _rows(60)
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, rows, 1)
    assert vectors.revision() == 1
    file = next((tmp_path / "v").rglob("data_level0.bin"))
    file.write_bytes(file.read_bytes()[:-1] + b"x" * 2)
    with pytest.raises(LibraryBroken):
        vectors.near(rows["0-00001"], 3)


def test_what_was_found_whole_is_not_opened_when_a_newer_one_was_made_since(tmp_path: Path) -> None:
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, _rows(60), 1)
    assert vectors.revision() == 1
    _renew(vectors, _rows(70), 2)
    assert len(vectors.near(_rows(1)["0-00000"], 500)) == 70


def test_the_open_generation_is_current_until_there_is_a_newer_one(tmp_path: Path) -> None:
    rows = _rows(60)
    reader, writer = VectorIndex(tmp_path / "v", DIMENSION), VectorIndex(tmp_path / "v", DIMENSION)
    assert reader.current() is None
    _renew(writer, rows, 1)
    assert reader.current() == 1 and len(reader.near(rows["0-00001"], 500)) == 60
    file = next((tmp_path / "v").rglob("data_level0.bin"))
    whole = file.read_bytes()
    file.write_bytes(b"")  # the reader has it in memory; who opens it next makes it again
    assert reader.current() == 1 and writer.revision() is None
    file.write_bytes(whole)
    _renew(writer, _rows(70), 2)
    assert reader.current() == 2 and len(reader.near(rows["0-00001"], 500)) == 70


def test_a_torso_without_a_manifest_is_passed_over_and_swept_away(tmp_path: Path) -> None:
    rows = _rows(30)
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, rows, 1)
    shutil.copytree(tmp_path / "v" / "gen-1", tmp_path / "v" / "gen-2")
    assert vectors.revision() == 1
    _renew(vectors, rows, 3)
    names = sorted(p.name for p in (tmp_path / "v").iterdir())
    assert names == ["gen-1", "gen-1.json", "gen-3", "gen-3.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"revision": "x", "files": {}}', "../../etc/passwd", "x" * 1_000_000]
)
def test_a_broken_manifest_is_no_manifest(tmp_path: Path, text: str) -> None:
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, _rows(10), 1)
    (tmp_path / "v" / "gen-1.json").write_text(text)
    assert vectors.revision() is None


def test_a_query_that_is_not_finite_or_of_another_length_is_refused(tmp_path: Path) -> None:
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, _rows(10), 1)
    for bad in (np.full(DIMENSION, np.nan), np.full(DIMENSION, np.inf), np.zeros(DIMENSION + 1)):
        with pytest.raises(ValueError, match="finite"):
            vectors.near(bad.astype(np.float32), 3)


def test_deleting_chromas_folder_costs_no_embedding(home: Path) -> None:
    with Bot.open(Config(home=str(home))) as bot:
        before = [p.chunk.id for p in bot.search("unipolar world", 5)]
    shutil.rmtree(home / "libraries" / "default" / "vectors")
    code = f"""import sys
from rag import Bot, Config
with Bot.open(Config(home={str(home)!r})) as bot:
    print([p.chunk.id for p in bot.search("unipolar world", 5)])
assert "torch" not in sys.modules"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(run.stdout.replace("'", '"')) == before


HOSTILE: dict[str, str | bytes] = {
    "host": "CHROMA_API_IMPL=chromadb.api.fastapi.FastAPI\n"
    "CHROMA_SERVER_HOST=127.0.0.1\nCHROMA_SERVER_HTTP_PORT=9\n",
    "module": "CHROMA_PRODUCT_TELEMETRY_IMPL=evilmod.Evil\n",
    "latin": b"CHROMA_X=\xff\xfe\n",
    "port": "CHROMA_SERVER_HTTP_PORT=abc\n",
}
EVIL = (
    "import pathlib\npathlib.Path(__file__).with_name('ran').write_text('ran')\nclass Evil: pass\n"
)


@pytest.mark.parametrize("kind", [*HOSTILE, "fifo", "variables"])
def test_nothing_in_the_current_folder_or_the_environment_steers_it(
    home: Path, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    environ = dict(os.environ)
    if kind == "fifo":
        os.mkfifo(folder / ".env")
    elif kind == "variables":
        environ |= dict(line.split("=") for line in str(HOSTILE["host"]).split())
        environ |= dict(line.split("=") for line in str(HOSTILE["module"]).split())
    else:
        text = HOSTILE[kind]
        (folder / ".env").write_bytes(text if isinstance(text, bytes) else text.encode())
    for module in (
        "evilmod",
        "chromadb",
        "rag",
        "llama_cpp",
        "sqlite3",
        "torch",
        "click",
        "multiprocessing",
        "numpy",
    ):
        (folder / f"{module}.py").write_text(EVIL)
    command = [
        str(Path(sys.executable).with_name("footnote")),
        "--home",
        str(home),
        "ask",
        "How many individual sanctions has Russia faced?",
    ]
    run = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert "over 5,000" in run.stdout
    assert not (folder / "ran").exists()


def test_the_engine_is_deaf_to_the_folder_too(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / ".env").write_text(str(HOSTILE["module"]))
    for module in (
        "evilmod",
        "chromadb",
        "multiprocessing",
        "pickle",
        "socket",
        "signal",
        "threading",
    ):
        (folder / f"{module}.py").write_text(EVIL)
    script = tmp_path / "ask.py"
    script.write_text(
        "from rag import Engine, Config\n"
        "if __name__ == '__main__':\n"
        f"    engine = Engine(Config(home={str(home)!r}))\n"
        "    question = 'How many individual sanctions has Russia faced?'\n"
        "    print(list(engine.ask(question))[-1].answer.text)\n"
        "    engine.close()\n"
    )
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
    run = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "over 5,000" in run.stdout, run.stderr
    assert not (folder / "ran").exists()


def test_an_index_that_cannot_be_made_anew_leaves_the_whole_one_before_it(tmp_path: Path) -> None:
    rows = _rows(20)
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, rows, 1)

    def full(_: Sequence[str]) -> np.ndarray:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        list(vectors.renew(set(rows), full, _texts, 2, scratch=True))
    name = next(iter(rows))
    assert vectors.revision() == 1 and vectors.near(rows[name], 1)[0][0] == name
    _renew(vectors, rows, 2, scratch=True)
    assert vectors.revision() == 2 and vectors.near(rows[name], 1)[0][0] == name


@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.ENOMEM])
def test_an_index_that_cannot_be_read_now_is_neither_missing_nor_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    vectors = VectorIndex(tmp_path / "v", DIMENSION)
    _renew(vectors, _rows(20), 1)
    before = sorted(tmp_path.rglob("*"))

    def fails(_: Path) -> dict[str, str]:
        raise OSError(number, "not now")

    monkeypatch.setattr("rag.index.generations.hash_files", fails)
    for look in (
        vectors.revision,
        vectors.sweep,
        vectors.chunk_ids,
        lambda: _renew(vectors, _rows(20), 2),
    ):
        with pytest.raises(RagError) as error:
            look()
        assert not isinstance(error.value, LibraryBroken)
    assert before == sorted(tmp_path.rglob("*"))
