"""A repair names what is damaged, makes it again, and overwrites nothing without saying so."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import LibraryBroken, LibraryBusy, ModelBroken, RagError, WeightsMissing
from rag.events import Added, Event, Notice, Repaired
from rag.upkeep.repair_embedder import repair_embedder
from tests.faults.small import Small, text

pytestmark = pytest.mark.slow


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("d0", "d1", "d2"):
        (folder / f"{name}.txt").write_text(text(name, 0, 1))
    return folder


@pytest.fixture
def home(tmp_path: Path, docs: Path) -> Path:
    with Small(tmp_path / "home") as bot:
        for _ in bot.add([str(docs)]):
            pass
    return tmp_path / "home"


def _folder(home: Path) -> Path:
    return home / "libraries" / "default"


def _sql(home: Path, *statements: str) -> None:
    with closing(sqlite3.connect(_folder(home) / "library.db", isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def _repaired(home: Path) -> list[Repaired]:
    with Small(home) as bot:
        return [event for event in bot.repair() if isinstance(event, Repaired)]


def _well(home: Path, documents: int = 3) -> None:
    """Nothing is wrong, the index holds what the library holds, and every document is found."""
    with Small(home) as bot:
        library, vectors = bot.library, bot.access.vectors
        assert library.integrity.wrong() == []
        assert (
            vectors.revision() == library.revision
            and vectors.chunk_ids() == library.documents.chunk_ids()
        )
        listed = bot.documents()
        assert len(listed) == documents
        for item in listed:
            word = next(w for w in bot.document(item.source).text.split() if w.startswith("zq"))
            assert item.source in [p.chunk.source for p in bot.search(f"Where is {word}?", 3)]


def test_a_library_that_was_emptied_document_by_document_is_well(home: Path) -> None:
    with Small(home) as bot:
        for _ in bot.remove("docs"):
            pass
    assert _repaired(home) == []
    _well(home, 0)


TEXT = "UPDATE documents SET text = replace(text, 'report', 'rapport') WHERE text LIKE '%zqdbvax%'"
VECTOR = "UPDATE chunks SET vector = zeroblob(length(vector)) WHERE number = 2"


def test_a_library_that_is_well_is_left_alone(home: Path) -> None:
    before = (_folder(home) / "library.db").read_bytes()
    assert _repaired(home) == []
    assert (_folder(home) / "library.db").read_bytes() == before


def test_a_damaged_text_is_read_again_from_its_unchanged_file(home: Path, docs: Path) -> None:
    _sql(home, TEXT)
    with Small(home) as bot, pytest.raises(LibraryBroken, match=r"docs/d1\.txt") as error:
        bot.document("d1.txt")
    assert "doctor --repair" in error.value.cure
    (mended,) = _repaired(home)
    assert mended.what == "docs/d1.txt" and mended.done and "unchanged" in mended.says
    _well(home)
    with Small(home) as bot:
        assert bot.document("d1.txt").text == (docs / "d1.txt").read_text()
        assert bot.roots() == (str(docs),)  # no root of its own for a file that was read again


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_damaged_text_whose_file_is_not_that_file_any_more_is_named_and_stays(
    home: Path, docs: Path, what: str
) -> None:
    _sql(home, TEXT)
    file = docs / "d1.txt"
    if what == "gone":
        file.unlink()
    else:
        file.write_text("Something else about zqdbvax.\n")
    (left,) = _repaired(home)
    assert left.what == "docs/d1.txt" and not left.done and "footnote remove" in left.cure
    with closing(sqlite3.connect(_folder(home) / "library.db")) as db:
        assert db.execute("SELECT text FROM documents WHERE text LIKE '%rapport%'").fetchone()
    with Small(home) as bot:  # the cure that is named helps
        for _ in bot.remove("docs/d1.txt"):
            pass
    _well(home, 2)


def test_adding_a_changed_file_replaces_its_damaged_text(home: Path, docs: Path) -> None:
    _sql(home, TEXT)
    (docs / "d1.txt").write_text(text("d1", 1, 1))
    with Small(home) as bot:
        for _ in bot.sync():
            pass
    _well(home)


@pytest.mark.parametrize(
    "damage",
    [
        VECTOR,
        "UPDATE chunks SET start = start + 1 WHERE number = 2",
        "UPDATE chunks SET document = 'nobody' WHERE number = 2",
        "UPDATE chunks SET id = 'nobody' WHERE number = 2",
    ],
)
def test_damaged_passages_are_cut_again_from_the_stored_text(
    home: Path, docs: Path, damage: str
) -> None:
    for file in docs.iterdir():
        file.unlink()  # the files are not needed for it
    _sql(home, damage)
    mended = _repaired(home)
    assert mended and all(m.done for m in mended) and any("stored text" in m.says for m in mended)
    _well(home)


@pytest.mark.parametrize(
    "table",
    ["documents SET id = 'nobody' WHERE id", "files SET document = 'nobody' WHERE document"],
)
def test_a_file_and_its_document_that_lost_each_other_come_together(home: Path, table: str) -> None:
    _sql(home, f"UPDATE {table} = (SELECT document FROM files LIMIT 1)")
    assert all(m.done for m in _repaired(home))
    _well(home)


def test_a_damaged_vector_is_neither_indexed_nor_used_again(home: Path, docs: Path) -> None:
    _sql(home, VECTOR)
    with Small(home) as bot:
        with pytest.raises(LibraryBroken, match=r"docs/d\d\.txt"):
            list(bot.rebuild())
        library = bot.library
        (key, good) = library.database.execute(
            "SELECT key, vector FROM chunks WHERE number = 1"
        ).fetchone()
        (hurt,) = library.database.execute("SELECT key FROM chunks WHERE number = 2").fetchone()
        assert library.documents.reuse([key, hurt]) == {key: good}


def _no_manifest(home: Path) -> None:
    for manifest in _folder(home).glob("vectors/gen-*.json"):
        manifest.unlink()


def _flipped(home: Path) -> None:
    file = next(_folder(home).rglob("data_level0.bin"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _behind(home: Path) -> None:
    _sql(home, "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision'")


def _no_store(home: Path) -> None:
    next(_folder(home).rglob("chroma.sqlite3")).write_bytes(b"")


def _other_ids(home: Path) -> None:
    with closing(
        sqlite3.connect(next(_folder(home).rglob("chroma.sqlite3")), isolation_level=None)
    ) as db:
        db.execute("UPDATE embeddings SET embedding_id = 'x' || embedding_id WHERE id = 1")


@pytest.mark.parametrize("harm", [_no_manifest, _flipped, _behind, _no_store, _other_ids])
def test_an_index_that_is_not_well_is_made_again(home: Path, harm: Callable[[Path], None]) -> None:
    harm(home)
    (mended,) = _repaired(home)
    assert mended.what == "index" and mended.done
    _well(home)


def test_torsos_are_swept_and_the_whole_index_stays(home: Path) -> None:
    vectors = _folder(home) / "vectors"
    (vectors / "gen-77").mkdir()
    (vectors / "gen-77" / "chroma.sqlite3").write_bytes(b"half")
    (vectors / ".gen-77.json.1.tmp").write_text("{")
    (mended,) = _repaired(home)
    assert mended.what == "torsos" and "gen-77" in mended.says
    assert not [p.name for p in vectors.iterdir() if "77" in p.name]
    _well(home)


@pytest.mark.parametrize(
    "harm",
    [
        "INSERT INTO words(words) VALUES ('delete-all')",
        "INSERT INTO words(rowid, title, heading, text) "
        "VALUES (999, '', '', 'a passage of nothing')",
        "INSERT INTO words(rowid, title, heading, text) VALUES (1, '', '', 'twice')",
        "UPDATE words_docsize SET sz = x'010101' WHERE id = 2",
        "UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 100",
        "DELETE FROM words_data WHERE id > 100",
    ],
)
def test_a_table_of_words_that_disagrees_is_made_again(home: Path, harm: str) -> None:
    _sql(home, harm)
    with Small(home) as bot:
        assert bot.library.integrity.wrong()
    mended = _repaired(home)
    assert mended and all(m.done for m in mended)
    _well(home)


def test_sqlites_own_indices_are_made_again(home: Path) -> None:
    """An index lacks an entry: a row was changed while the index was not in the schema."""
    path = _folder(home) / "library.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        row = db.execute("SELECT * FROM sqlite_master WHERE name = 'files_document'").fetchone()
        db.executescript(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'files_document'"
        )
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE files SET document = 'x' || document")
        db.execute("UPDATE files SET document = substr(document, 2) WHERE source <> 'docs/d0.txt'")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() != ("ok",)
    mended = _repaired(home)
    assert mended[0].what == "library" and all(m.done for m in mended)
    _well(home)


def test_pages_that_cannot_be_read_are_named_with_the_cure_and_nothing_is_touched(
    home: Path, docs: Path
) -> None:
    path = _folder(home) / "library.db"
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as db:
        (root,) = db.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'documents'"
        ).fetchone()
    content[4096 * (root - 1) : 4096 * root] = bytes(4096)
    path.write_bytes(content)
    (left,) = _repaired(home)
    assert not left.done and str(path) in left.says and f"footnote add {docs}" in left.cure
    assert path.read_bytes() == content


@pytest.mark.parametrize("size", [0, 5000])
def test_an_emptied_or_cut_library_is_not_taken_for_a_new_one(home: Path, size: int) -> None:
    path = _folder(home) / "library.db"
    path.write_bytes(path.read_bytes()[:size])
    with Small(home) as bot:
        with pytest.raises(RagError) as error:
            bot.search("anything")
        assert str(path) in str(error.value) and error.value.cure
    if size:
        with Small(home) as bot, pytest.raises(LibraryBroken):
            list(bot.add([str(home)]))
    (left,) = _repaired(home)
    assert left.what == "library" and not left.done and "footnote add" in left.cure
    assert path.stat().st_size == size
    if not size:  # nothing is in it that a new one could replace
        with Small(home) as bot:
            assert Notice in [type(event) for event in bot.add([str(home.parent / "docs")])]
        _well(home)


def test_a_library_that_is_gone_is_said_to_be(home: Path) -> None:
    (_folder(home) / "library.db").unlink()
    (left,) = _repaired(home)
    assert "is gone" in left.says and "footnote add" in left.cure and not left.done


def test_a_saved_answer_that_was_changed_is_not_shown_and_is_removed_by_name(home: Path) -> None:
    question = "Where is zqdbvax?"
    with Small(home) as bot:
        list(bot.ask(question))
    with closing(sqlite3.connect(_folder(home) / "history.db", isolation_level=None)) as db:
        db.execute("UPDATE turns SET answer = replace(answer, 'zqdbvax', 'zqdbvay')")
    with Small(home) as bot:
        library, conversation = bot.library, bot.conversations()[0].id
        with pytest.raises(LibraryBroken, match="saved answer"):
            list(bot.ask("And then?", conversation))
        assert any(question in said for said in library.integrity.wrong())
    (mended,) = _repaired(home)
    assert mended.what == "history" and question in mended.says
    with Small(home) as bot:
        assert bot.library.history.turns(conversation)[0] == (question, None)
        assert question in bot.questions()


@pytest.mark.parametrize("wound", ["gone", "emptied", "cut", "foreign"])
def test_a_history_that_is_none_is_said_and_begins_anew_when_repaired(
    home: Path, wound: str
) -> None:
    with Small(home) as bot:
        list(bot.ask("Where is zqdbvax?"))
    path = _folder(home) / "history.db"
    content = path.read_bytes()
    if wound == "gone":
        path.unlink()
    elif wound == "foreign":
        path.write_bytes((_folder(home) / "library.db").read_bytes())
    else:
        path.write_bytes(content[:5000] if wound == "cut" else b"")
    with Small(home) as bot:
        with pytest.raises(RagError) as error:
            list(bot.ask("And where is zqdavax?"))
        assert str(path) in str(error.value) and "--repair" in error.value.cure
        assert bot.search("Where is zqdbvax?") and any(
            "history.db" in said for said in bot.library.integrity.wrong()
        )
    (mended,) = _repaired(home)
    assert mended.what == "history" and mended.done
    assert ("history-damaged-1.db" in mended.says) is (wound != "gone")
    with Small(home) as bot:
        list(bot.ask("Where is zqdbvax?"))
        assert bot.questions() == ("Where is zqdbvax?",)
    _well(home)


def test_indices_of_the_history_are_made_again(home: Path) -> None:
    with Small(home) as bot:
        list(bot.ask("Where is zqdbvax?"))
    path = _folder(home) / "history.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        row = db.execute("SELECT * FROM sqlite_master WHERE name = 'turns_conversation'").fetchone()
        db.executescript(
            "PRAGMA writable_schema = ON; "
            "DELETE FROM sqlite_master WHERE name = 'turns_conversation'"
        )
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE turns SET conversation = 'x' || conversation")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)
    (mended,) = _repaired(home)
    assert mended.what == "history" and "indices" in mended.says
    _well(home)
    with Small(home) as bot:
        assert bot.questions() == ("Where is zqdbvax?",)


def test_who_asks_while_somebody_writes_goes_on_to_the_new_index_when_it_is_there(
    home: Path, docs: Path
) -> None:
    (docs / "new.txt").write_text(text("new", 0, 1))
    with Small(home) as reader, Small(home) as writer:
        reader.search("anything")
        for event in writer.add([str(docs)]):
            if isinstance(event, Added):
                reader.search(
                    "anything"
                )  # the document is in, its index is not, and the writer is at work
                assert reader.access.vectors.chunk_ids() != reader.library.documents.chunk_ids()
        reader.search("anything")
        assert reader.access.vectors.chunk_ids() == reader.library.documents.chunk_ids()


def test_a_repair_is_a_writer(home: Path) -> None:
    with Small(home) as one, Small(home) as two:
        one.status()
        with one.access.writing(), pytest.raises(LibraryBusy, match="process"):
            list(two.repair())


def _embedder(check: Callable[[], None], remake: Callable[[], None]) -> list[Event]:
    return list(repair_embedder(check, remake))


def test_an_embedders_file_that_fails_its_checksum_is_made_again() -> None:
    good = [False]

    def check() -> None:
        if not good[0]:
            raise ModelBroken("the file is damaged")

    (mended,) = _embedder(check, lambda: good.__setitem__(0, True))
    assert isinstance(mended, Repaired) and mended.done and "damaged" in mended.says
    assert _embedder(check, lambda: None) == []
    good[0] = False
    (left,) = _embedder(check, lambda: None)
    assert isinstance(left, Repaired) and not left.done and left.cure


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error"), None]
)
def test_an_embedders_file_that_only_cannot_be_read_is_not_replaced(error: OSError | None) -> None:
    def check() -> None:
        if error is None:
            raise WeightsMissing("it cannot be read") from OSError(24, "Too many open files")
        raise error

    def remake() -> None:
        raise AssertionError("it may be whole")

    (left,) = _embedder(check, remake)
    assert isinstance(left, Repaired) and not left.done and left.cure
