"""Every table, column and index of a library can be lost.

What is stored elsewhere is made again, and every cure leads on.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.errors import LibraryBroken, RagError
from rag.events import Event, Notice, Repaired
from rag.library import table_check
from tests.faults.small import Small, text

pytestmark = pytest.mark.slow

_TABLES, _INDEXES = table_check._expected()
Harm = Callable[[Path], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three documents and one answered question, and the documents in `docs` beside
    it."""
    place = tmp_path_factory.mktemp("structure")
    (place / "docs").mkdir()
    for name in ("d0", "d1", "d2"):
        (place / "docs" / f"{name}.txt").write_text(text(name, 0, 1))
    with Small(place / "home") as bot:
        list(bot.add([str(place / "docs")]))
        list(bot.ask("Where is zqdbvax?"))
    return place


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "home", tmp_path / "home")
    return tmp_path / "home"


def _folder(home: Path) -> Path:
    return home / "libraries" / "default"


def _sql(*statements: str, file: str = "library.db") -> Harm:
    def harm(folder: Path) -> None:
        with closing(sqlite3.connect(folder / file, isolation_level=None)) as db:
            for statement in statements:
                db.execute(statement)

    return harm


def _wrong(home: Path, asked: bool = True) -> list[str]:
    """What a user would find wrong, each error with its cure."""
    with Small(home) as bot:
        try:
            library = bot.library
            wrong = list(library.integrity.wrong())
            listed = bot.documents()
            for item in listed:
                word = next(w for w in bot.document(item.source).text.split() if w.startswith("zq"))
                if item.source not in [p.chunk.source for p in bot.search(f"Where is {word}?", 3)]:
                    wrong.append(f"{item.source} is not found")
            if len(listed) != 3:
                wrong.append(f"{len(listed)} documents")
            if asked and bot.questions() != ("Where is zqdbvax?",):
                wrong.append("the question that was asked is not there")
            bot.roots()
        except RagError as error:
            assert error.cure, error
            return [f"{error}; {error.cure}"]
        return wrong


def _did(home: Path, command: str, docs: Path) -> list[Event]:
    """What a command of the cures does, in a process of its own as it were."""
    with Small(home) as bot:
        calls = {
            "sync": bot.sync,
            "add": lambda: bot.add([str(docs)]),
            "repair": bot.repair,
            "rebuild": bot.rebuild,
        }
        return list(calls[command]())


def _walk(home: Path, docs: Path, asked: bool = True, most: int = 5) -> list[str]:
    """Follow the cures word by word until nothing is wrong.

    Returns the commands; fails where they lead in a circle.
    """
    steps: list[str] = []
    cure = "footnote doctor --repair"
    while steps == [] or _wrong(home, asked) or cure:
        assert len(steps) < most, (steps, _wrong(home, asked), cure)
        for moved in re.findall(r"mv (\S+) (\S+?),", cure):
            Path(moved[0]).rename(moved[1])
        for removed in re.findall(r"rm (\S+),", cure):
            Path(removed).unlink()
        command = next((c for c in ("sync", "rebuild", "repair", "add") if c in cure), "repair")
        steps.append(command)
        try:
            events = _did(home, command, docs)
        except RagError as error:
            cure = error.cure
            continue
        cure = next((e.cure for e in events if isinstance(e, Repaired) and not e.done), "")
        if not cure and _wrong(home, asked):
            cure = "footnote doctor --repair"
    return steps


@pytest.mark.parametrize("table", _TABLES)
def test_a_dropped_table_is_noticed_and_what_was_in_it_is_made_again(
    home: Path, made: Path, table: str
) -> None:
    _sql(f"DROP TABLE {table}")(_folder(home))
    with Small(home) as bot, pytest.raises(LibraryBroken, match=table) as error:
        bot.search("anything")
    assert "doctor --repair" in error.value.cure
    assert _walk(home, made / "docs") == (["repair", "sync"] if table == "files" else ["repair"])
    with Small(home) as bot:
        assert bot.roots() == (str(made / "docs"),)


@pytest.mark.parametrize("index", _INDEXES)
def test_a_dropped_index_is_named_by_the_doctor_and_made_again(
    home: Path, made: Path, index: str
) -> None:
    _sql(f"DROP INDEX {index}")(_folder(home))
    assert _wrong(home) == [f"library.db: the index {index} is missing"]
    assert _walk(home, made / "docs") == ["repair"]


_COLUMNS = [
    (table, column)
    for table, columns in _TABLES.items()
    for column, _ in columns
    if (table, column)
    not in {
        ("files", "path"),
        ("files", "member"),
        ("files", "source"),
        ("documents", "id"),
        ("chunks", "number"),
    }
    and (table, column)
    not in {("chunks", "id"), ("meta", "key"), ("roots", "path"), ("twins", "number")}
    and (table, column) not in {("bands", "band"), ("bands", "label"), ("templates", "document")}
    and not table.startswith("words")
]  # SQLite drops no column of a primary key


@pytest.mark.parametrize(("table", "column"), _COLUMNS)
def test_a_dropped_column_is_noticed_and_filled_again(
    home: Path, made: Path, table: str, column: str
) -> None:
    indexes = [f"DROP INDEX {name}" for name, (of, _) in _INDEXES.items() if of == table]
    _sql(*indexes, f"ALTER TABLE {table} DROP COLUMN {column}")(_folder(home))
    assert "lacks a column" in _wrong(home)[0]
    assert _walk(home, made / "docs")[0] == "repair"


@pytest.mark.parametrize(
    "statements",
    [
        (
            "DROP TABLE words_data",
            "DROP TABLE words_idx",
            "DROP TABLE words_docsize",
            "DROP TABLE words_config",
        ),
        ("DROP TABLE files", "DROP TABLE roots"),
        ("DROP TABLE meta", "DROP TABLE files"),
        ("DROP TABLE documents", "DROP TABLE chunks"),
        ("DROP TABLE roots", "CREATE VIEW roots AS SELECT 'x' AS path"),
        ("PRAGMA user_version = 0",),
        ("DROP TABLE words", "CREATE TABLE words(title, heading, text)"),
        ("DELETE FROM words_data",),
        ("DELETE FROM words_config",),
        ("ALTER TABLE documents RENAME TO others",),
        ("ALTER TABLE files ADD COLUMN more TEXT",),
        ("DELETE FROM documents",),
        ("DELETE FROM chunks",),
        ("DELETE FROM files",),
        ("UPDATE chunks SET start = 'here'",),
        ("UPDATE chunks SET start = 9223372036854775807, end = -5",),
        ("UPDATE documents SET spans = '[]'",),
    ],
)
def test_several_losses_at_once_are_made_good(
    home: Path, made: Path, statements: tuple[str, ...]
) -> None:
    _sql(*statements)(_folder(home))
    assert _wrong(home)
    _walk(home, made / "docs")


@pytest.mark.parametrize(
    "value", ["'abc'", "'-5'", "'99999999999999999999999'", "x'00ff'", "'1.5'", "'²'", "''", "NULL"]
)
def test_a_revision_that_is_none_is_damage_and_the_index_is_made_again(
    home: Path, made: Path, value: str
) -> None:
    change = f"UPDATE meta SET value = {value} WHERE key = 'revision'"
    _sql("DELETE FROM meta WHERE key = 'revision'" if value == "NULL" else change)(_folder(home))
    assert "revision" in _wrong(home)[0]
    assert _walk(home, made / "docs") == ["repair"]


@pytest.mark.parametrize("value", [None, "''", "x'00'", "CAST(x'ff41' AS TEXT)"])
def test_vectors_of_an_unknown_embedder_are_made_again(
    home: Path, made: Path, value: str | None
) -> None:
    """Nothing says that the stored vectors are of this embedder: they are not used."""
    _sql(
        "UPDATE chunks SET vector = zeroblob(length(vector))",
        f"UPDATE meta SET value = {value} WHERE key = 'identity'"
        if value
        else "DELETE FROM meta WHERE key = 'identity'",
    )(_folder(home))
    assert "embedded with" in _wrong(home)[0]
    assert _walk(home, made / "docs") == ["repair"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO files VALUES (x'00ff', '', 'q', NULL, 1, 1, 's', NULL, NULL)",
        "UPDATE files SET source = x'00ff' WHERE source = 'docs/d1.txt'",
        "UPDATE files SET size = 'many' WHERE source = 'docs/d1.txt'",
        "UPDATE files SET path = CAST(x'ff41' AS TEXT) WHERE source = 'docs/d1.txt'",
        "UPDATE documents SET text = CAST(x'ff41' AS TEXT) WHERE text LIKE '%zqdbvax%'",
        "UPDATE documents SET id = x'00ff' WHERE text LIKE '%zqdbvax%'",
        "INSERT INTO roots VALUES (x'ff41')",
        "INSERT INTO roots VALUES (CAST(x'ff41' AS TEXT))",
    ],
)
def test_rows_that_are_no_records_are_said_and_removed(
    home: Path, made: Path, statement: str
) -> None:
    _sql(statement)(_folder(home))
    assert _wrong(home)
    _walk(home, made / "docs")


def test_a_document_that_no_file_is_known_for_can_be_removed_by_its_id(home: Path) -> None:
    _sql("DELETE FROM files WHERE source = 'docs/d1.txt'")(_folder(home))
    (left,) = [e for e in _did(home, "repair", home) if isinstance(e, Repaired)]
    name = re.findall(r"footnote remove (\w+)", left.cure)[0]
    with Small(home) as bot:
        list(bot.remove(name))
    assert _wrong(home) == ["2 documents"]


def _cut(size: int) -> Harm:
    return lambda folder: (folder / "library.db").write_bytes(
        (folder / "library.db").read_bytes()[:size]
    )


def _a_folder(name: str) -> Harm:
    def harm(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return harm


def _foreign(folder: Path) -> None:
    (folder / "library.db").unlink()
    _sql("CREATE TABLE places(name)")(folder)


def _dangling(folder: Path) -> None:
    (folder / "library.db").unlink()
    (folder / "library.db").symlink_to("nothing")


_LOST: dict[str, Harm] = {
    "empty": _cut(0),
    **{f"cut to {size}": _cut(size) for size in (3, 50, 100, 512, 4096, 8192)},
    "a text": lambda folder: (folder / "library.db").write_text("hello\n" * 1000),
    "a folder": _a_folder("library.db"),
    "of another program": _foreign,
    "a link to nothing": _dangling,
}


@pytest.mark.parametrize("harm", _LOST.values(), ids=_LOST)
def test_every_cure_for_a_library_that_cannot_be_read_leads_to_a_working_one(
    home: Path, made: Path, harm: Harm
) -> None:
    harm(_folder(home))
    assert _wrong(home)
    steps = _walk(home, made / "docs")
    assert steps[-1] == "add" and len(steps) <= 3


_PARTS = ("library.db", "history.db", "vectors")


@pytest.mark.parametrize("left", ["", "library.db-wal", "library.db-journal", "history.db-wal"])
@pytest.mark.parametrize("gone", range(1, 8))
def test_whatever_of_a_library_is_gone_the_cures_lead_to_a_working_one(
    home: Path, made: Path, gone: int, left: str
) -> None:
    folder = _folder(home)
    if left:
        (folder / left).write_bytes(
            b"\x37\x7f\x06\x82" + bytes(5000)
        )  # of a file that is not there any more
    for at, name in enumerate(_PARTS):
        if gone >> at & 1:
            (shutil.rmtree if name == "vectors" else Path.unlink)(folder / name)
    _walk(home, made / "docs", asked=not gone & 2)
    assert not gone & 2 or _wrong(home, asked=False) == []


def test_a_new_library_does_not_take_the_index_of_a_lost_one_for_its_own(
    home: Path, made: Path
) -> None:
    """Both are of the first revision."""
    (_folder(home) / "library.db").unlink()
    (made / "other").mkdir(exist_ok=True)
    (made / "other" / "d9.txt").write_text(text("d9", 0, 1))
    events = _did(home, "add", made / "other")
    assert isinstance(events[0], Notice) and "begun" in events[0].says
    with Small(home) as bot:
        assert [p.chunk.source for p in bot.search("Where is zqdbvax?")] == ["other/d9.txt"]
        assert bot.questions() == ("Where is zqdbvax?",)


@pytest.mark.parametrize("history", ["cut", "folder"])
def test_a_library_that_is_gone_beside_a_damaged_history_is_begun_anew(
    home: Path, made: Path, history: str
) -> None:
    folder = _folder(home)
    (folder / "library.db").unlink()
    if history == "cut":
        (folder / "history.db").write_bytes((folder / "history.db").read_bytes()[:5000])
    else:
        _a_folder("history.db")(folder)
    _did(home, "add", made / "docs")
    _walk(home, made / "docs", asked=False)


@pytest.mark.parametrize(
    "name", ["library.db-wal", "library.db-journal", "history.db-wal", "writer.lock"]
)
def test_a_folder_in_the_way_is_named_and_can_be_moved(home: Path, made: Path, name: str) -> None:
    (_folder(home) / name).unlink(missing_ok=True)
    (_folder(home) / name).mkdir()
    assert _walk(home, made / "docs") == ["repair", "repair"]
    assert not (_folder(home) / name).is_dir()


def test_what_was_added_is_told_by_the_files_where_it_was_forgotten(home: Path, made: Path) -> None:
    _sql("DELETE FROM roots")(_folder(home))
    _did(home, "repair", made)
    with Small(home) as bot:
        assert bot.roots() == (str(made / "docs"),)


def test_an_index_that_is_a_file_is_said_with_a_cure_that_works(home: Path, made: Path) -> None:
    shutil.rmtree(_folder(home) / "vectors")
    (_folder(home) / "vectors").write_text("no folder")
    assert _walk(home, made / "docs") == ["repair", "rebuild"]


@pytest.mark.parametrize(
    "name", ["gen-²", "gen-", "gen--1", "gen-9999999999999999999999", "gen-01", "gen-x"]
)
def test_names_that_are_no_generations_are_left_alone(home: Path, made: Path, name: str) -> None:
    vectors = _folder(home) / "vectors"
    (vectors / name).mkdir()
    (vectors / f"{name}.json").write_text("[]")
    assert _wrong(home) == []
    _did(home, "add", made / "docs")
    _did(home, "rebuild", made / "docs")
    assert _wrong(home) == [] and (vectors / name).is_dir()


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "nonsense",
        '{"revision": "abc", "files": {}}',
        '{"revision": 1, "files": []}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_is_none_is_a_missing_index(home: Path, content: str) -> None:
    for manifest in (_folder(home) / "vectors").glob("gen-*.json"):
        manifest.write_text(content)
    assert _wrong(home) == []


def test_a_manifest_that_is_a_folder_is_a_missing_index(home: Path) -> None:
    for manifest in (_folder(home) / "vectors").glob("gen-*.json"):
        manifest.unlink()
        (manifest / "inside").mkdir(parents=True)
    assert _wrong(home) == []
