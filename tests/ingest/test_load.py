"""Finding and reading files: every encoding, every kind of bad input, reasons with a cure."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import os
import random
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import RawDocument, UnitKind
from rag.errors import Unreadable, Usage
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.ingest.load import File, decode, load_file, read_bytes, read_jsonl_text, walk_files

WESTERN = "Höhere Gebühren für große Städte – naïve Köche im Café. "
FRENCH = "Les élèves étaient très fâchés à cause de la décision prise à l’été dernier. Où est passé le garçon ? "
RUSSIAN = "Россия и Запад ведут переговоры. Министр сказал, что войны не будет. "
POLISH = (
    "Zażółć gęślą jaźń, powiedział minister. Wszystkie dzieci poszły do szkoły, żeby się uczyć. "
)


def _file(path: Path, content: bytes) -> File:
    path.write_bytes(content)
    return File(str(path), path.name, len(content), 0)


def _load(folder: Path, name: str, content: bytes) -> list[RawDocument]:
    return _documents(_file(folder / name, content))


def _documents(file: File) -> list[RawDocument]:
    """The documents of a file of which nothing is refused."""
    documents = list[RawDocument]()
    for part in load_file(file):
        assert isinstance(part, RawDocument), part
        documents.append(part)
    return documents


def _refusal(folder: Path, name: str, content: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as error:
        _load(folder, name, content)
    assert str(error.value) and error.value.cure, "a reason and a cure"
    return error.value


# -- encodings --


@pytest.mark.parametrize(
    "text", [WESTERN, RUSSIAN, "日本語。\n", "a\r\nb\rc\n", "plain"], ids=ascii
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_its_mark(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
    ],
)
def test_big_and_little_ends(mark: bytes, encoding: str) -> None:
    assert decode(mark + WESTERN.encode(encoding)) == WESTERN


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_that_lost_its_mark(encoding: str) -> None:
    assert decode(WESTERN.encode(encoding)) == WESTERN


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (WESTERN, "cp1252"),
        (WESTERN.replace("–", "-"), "latin-1"),
        (FRENCH, "cp1252"),
        ("He said “no” – it’s the café’s fault. It costs £5.", "cp1252"),
        ("café", "latin-1"),
        ("5 £", "latin-1"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (POLISH * 3, "cp1250"),
        ("これは日本語の文章です。東京は日本の首都です。" * 3, "shift_jis"),
    ],
    ids=ascii,
)
def test_eight_bits(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_one_odd_letter_late_in_a_long_file() -> None:
    assert decode(b"word word. " * 200_000 + "é".encode("latin-1")).endswith(". é")


def test_utf_8_with_a_broken_byte_stays_utf_8_and_shows_it() -> None:
    assert (
        decode("Grüße aus dem Süden, ".encode() + b"Gr\xfc\xdfe")
        == "Grüße aus dem Süden, Gr\ufffd\ufffde"
    )
    assert decode("a replaced \ufffd stays \ufffd".encode()) == "a replaced \ufffd stays \ufffd"


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=200)
)
def test_utf_8_comes_back_as_it_was(text: str) -> None:
    assert decode(text.encode()) == text


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\0\0\1\2" * 10,
        b"a" * 70_000 + b"\0b",
        random.Random(1).randbytes(5000),
        b"\xff\xfea",
    ],
    ids=["elf", "a late zero", "noise", "half a letter"],
)
def test_binary_is_refused(tmp_path: Path, content: bytes) -> None:
    _refusal(tmp_path, "a.txt", content)


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", codecs.BOM_UTF8])
def test_nothing_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "no text" in str(_refusal(tmp_path, "a.txt", content))


# -- text and markdown --


def test_text_is_unchanged_but_for_the_mark(tmp_path: Path) -> None:
    text = "One.\r\nTwo.\rThree.\x0b\x85\u2028\n\n  Four. \n"
    (raw,) = _load(tmp_path, "a.txt", codecs.BOM_UTF8 + text.encode())
    assert raw == RawDocument(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Title\n18.03.2022\nText here.", "2022-03-18"),
        ("Title\nMarch 18, 2022\nText here.", "2022-03-18"),
        ("Title\nIt happened on 18 March 2022.\n", None),
        ("Title\n18 March\n", None),
        ("x\n" * 20 + "2022-03-18\n", None),
    ],
)
def test_the_day_that_a_text_gives_itself(tmp_path: Path, text: str, day: str | None) -> None:
    assert _load(tmp_path, "a.txt", text.encode())[0].date == day


def test_a_date_in_a_row_is_not_that_of_the_table(tmp_path: Path) -> None:
    herd = "cow,born,milk\nBlossom,2018-03-02,24\nDaisy,2019-05-11,22\n"
    assert _load(tmp_path, "herd.csv", herd.encode())[0].date is None


@pytest.mark.parametrize(
    ("text", "title", "day", "front"),
    [
        (
            '---\ntitle: "My: Note"\ndate: 2022-02-24\n---\n# Head\nbody\n',
            "My: Note",
            "2022-02-24",
            ["My: Note", "2022-02-24"],
        ),
        ("---\r\ntitle: A\r\n---\r\nbody", "A", None, ["A"]),
        ('+++\ntitle = "A"\ndate = 2022-02-24\n+++\nbody', "A", "2022-02-24", ["A", "2022-02-24"]),
        ("# Head #\nx", "Head", None, []),
        ("intro\n\n# Head\r\nx", "Head", None, []),
        ("```\n# code\n```\n# Real\n", "Real", None, []),
        ("---\nAn ordinary line.\n---\nmore", "", None, []),
        ("---\ntitle: never closed\n", "", None, []),
        ("no heading", "", None, []),
    ],
)
def test_markdown(tmp_path: Path, text: str, title: str, day: str | None, front: list[str]) -> None:
    (raw,) = _load(tmp_path, "a.md", text.encode())
    assert (raw.text, raw.title, raw.date) == (text, title, day)
    document = clean_document(raw, "a.md")
    assert document.mask == ()
    cells = [cell for unit in document.units if unit.kind is UnitKind.RECORD for cell in unit.cells]
    assert [cell.span.of(text) for cell in cells] == front
    assert all("title:" not in path for _, path in document.headings), "its rule underlines nothing"


# -- html --

PAGE = """<!doctype html><html><head><title>Bridge reopens | Town News</title>
<meta property="article:published_time" content="2022-03-18T10:00:00Z"><script>evil()</script><style>p{color:red}</style></head>
<body><nav><ul><li><a href="/">Front page of the site</a></li><li><a href="/s">Sports section</a></li></ul></nav>
<article><h1>Bridge reopens</h1><p>The bridge over the river Tarn reopened on Friday after two years of repairs that cost
the town 3&nbsp;million euros, the mayor said at the opening.</p><p>It had been closed since a flood damaged two of its pillars in
the spring of 2020, and drivers had to take a detour of 14 kilometres.</p><p>A second phase of the work, which will strengthen the
pavement, is to begin in May.</p></article><footer>Imprint and legal notice of the publisher</footer><script>track()</script></body></html>"""


@pytest.mark.slow
def test_a_web_page(tmp_path: Path) -> None:
    (raw,) = _load(tmp_path, "a.html", PAGE.encode())
    assert raw.title == "Bridge reopens" and raw.date == "2022-03-18"
    assert "evil" not in raw.text and "track" not in raw.text and "color" not in raw.text
    assert (
        "It had been closed since a flood damaged two of its pillars in the spring of 2020, and"
        in raw.text
    )
    assert [m.of(raw.text) for m in raw.masked] == [
        "Front page of the site",
        "Sports section",
        "Imprint and legal notice of the publisher",
    ]


@pytest.mark.slow
def test_line_breaks_of_the_source_are_blanks_but_in_a_listing(tmp_path: Path) -> None:
    (raw,) = _load(tmp_path, "a.html", b"<p>One\r\n two<i>\nthree</i></p>\n\n<pre>four\nfive</pre>")
    assert raw.text == "One two three\nfour\nfive\n"


@pytest.mark.slow
def test_blocks_of_a_page_are_lines(tmp_path: Path) -> None:
    (raw,) = _load(
        tmp_path,
        "a.htm",
        b"<p>One <b>two</b>  three<br>four</p><ul><li>five<li>six</ul><table><tr><td>7<td>8</table>",
    )
    assert raw.text == "One two three\nfour\nfive\nsix\n7\n8\n"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_pages_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    meta = "<meta charset=iso-8859-1>" if encoding == "latin-1" else ""
    (raw,) = _load(tmp_path, "a.html", f"{meta}<p>Grüße aus Köln</p>".encode(encoding))
    assert raw.text == "Grüße aus Köln\n"


@pytest.mark.slow
def test_a_page_without_text_is_refused(tmp_path: Path) -> None:
    assert "shows no text" in str(_refusal(tmp_path, "a.html", b"<script>draw()</script>"))
    _refusal(tmp_path, "b.html", b"")


@pytest.mark.parametrize("tag", ["div", "b", "blockquote"])
def test_a_page_nested_deep(tmp_path: Path, tag: str) -> None:
    started = time.perf_counter()
    page = f"<{tag}>" * 5000 + "deep words here" + f"</{tag}>" * 5000
    assert _load(tmp_path, "a.html", page.encode())[0].text == "deep words here\n"
    assert time.perf_counter() - started < 5


@pytest.mark.slow
def test_a_damaged_page_is_read_or_refused(tmp_path: Path) -> None:
    chance = random.Random(4)
    junk = [
        b"<",
        b">",
        b"<!--",
        b"<![CDATA[",
        b"&#",
        b"\xff",
        b"<?xml version='1.0' encoding='bogus'?>",
        b"<p",
        b"\x1a",
        b"<title>",
    ]
    for _ in range(20):
        page = bytearray(PAGE.encode())
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(page))
            page[at : at + chance.randint(0, 40)] = chance.choice(junk)
        try:
            found = _load(tmp_path, "a.html", bytes(page))
        except Unreadable as error:
            assert error.cure
        else:
            assert all(m.end <= len(r.text) for r in found for m in r.masked)


# -- corpus files --


def test_a_corpus(tmp_path: Path) -> None:
    lines = (
        {"id": "a", "text": "Hello\u2028there", "title": "T", "date": "2022-02-24T10:00:00Z"},
        {"id": "b", "text": "  "},
        {"id": "c", "text": "More", "date": "24 February 2022", "other": 1},
    )
    content = "\n" + "\r\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n\n"
    assert _load(tmp_path, "c.jsonl", content.encode()) == [
        RawDocument("Hello\u2028there", "T", "2022-02-24", name="a"),
        RawDocument("More", "", "2022-02-24", name="c"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"id":"a","text":"x"}\n{bad\n', "line 2 is not JSON"),
        (b'{"id":"a","text":"x"}\n\n[1]\n', "line 3"),
        (b'{"id":"a"}\n', 'line 1 has no "id" and "text"'),
        (b'{"text":"a"}\n', 'line 1 has no "id" and "text"'),
        (b'{"id":"","text":"a"}\n', 'line 1 has no "id" and "text"'),
        (b'{"id":1,"text":"a"}\n', 'line 1 has no "id" and "text"'),
        (b'{"id":"a","text":"x"}\n{"id":"a","text":"y"}\n', "line 2: the id 'a' stands twice"),
        (b'{"id":"a","text":"\\ud800"}\n', "line 1: half a surrogate pair"),
        (b'{"id":"\\ud800","text":"ok"}\n', "line 1: half a surrogate pair"),
        (b'{"id":"a","text":"ok","title":"\\udfff"}\n', "line 1: half a surrogate pair"),
        (b"[" * 100_000, "line 1"),
        (b'{"id":"a","text":"t","n":' + b"9" * 10_000 + b"}", "line 1"),
        (b"\n\n", "holds no document"),
        (b'{"id":"a","text":" "}\n', "holds no document"),
    ],
)
def test_a_bad_corpus_names_the_line(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in str(_refusal(tmp_path, "c.jsonl", content))


def test_questions_beside_their_documents_are_passed_over(tmp_path: Path) -> None:
    assert _load(tmp_path, "q.jsonl", b'{"id":"s","question":"Why?"}\n') == []


def test_gzip(tmp_path: Path) -> None:
    line = b'{"id":"a","text":"x"}\n'
    whole = gzip.compress(line)
    assert _load(tmp_path, "c.jsonl.gz", whole) == [RawDocument("x", name="a")]
    assert _load(tmp_path, "a.txt.GZ", gzip.compress(b"hi"))[0].text == "hi"
    flipped = bytearray(whole)
    flipped[-6] ^= 1
    for content in (
        whole[:-5],
        b"no gzip",
        whole[:10] + b"\xff\xff\xff" + whole[13:],
        bytes(flipped),
    ):
        assert "gzip" in str(_refusal(tmp_path, "c.jsonl.gz", content))
    (tmp_path / "q.jsonl.gz").write_bytes(whole)
    assert read_jsonl_text(str(tmp_path / "q.jsonl.gz")) == line.decode()
    with pytest.raises(Usage, match="not-there"):
        read_jsonl_text(str(tmp_path / "not-there.jsonl"))


# -- finding files --


def test_an_unknown_kind_says_what_is_read(tmp_path: Path) -> None:
    for name in ("a.xyz", "noext", "a.gz"):
        error = _refusal(tmp_path, name, b"hi")
        assert "kind" in str(error) and ".txt" in error.cure and ".md" in error.cure


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("hi")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to("real.txt")
    (tmp_path / "dangling.txt").symlink_to("nowhere")
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s.txt")
        for path, says in (
            (f"{tmp_path}/pipe.txt", "not a regular file"),
            (f"{short}/s.txt", "not a regular file"),
            (str(tmp_path), "not a regular file"),
            (f"{tmp_path}/link.txt", "symbolic link"),
            (f"{tmp_path}/dangling.txt", "symbolic link"),
            (f"{tmp_path}/none.txt", "No such file"),
        ):
            started = time.perf_counter()
            with pytest.raises(Unreadable, match=says) as error:
                read_bytes(path)
            assert error.value.cure and time.perf_counter() - started < 1


def test_names_that_bite(tmp_path: Path) -> None:
    names = [
        b"new\nline.txt",
        b"esc\x1b[31m.txt",
        b"bad\xff\xfe.txt",
        b"-dash.txt",
        b"[red].txt",
        "\u202egpj.txt".encode(),
        b"n" * 251 + b".txt",
    ]
    for name in names:
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(b"It is there.")
    found = list(walk_files(str(tmp_path)))
    assert {os.fsencode(f.source) for f in found} == {
        os.fsencode(tmp_path.name) + b"/" + n for n in names
    }
    for file in found:
        (raw,) = _documents(file)
        document = clean_document(raw, file.source)
        chunks = list(chunk_document(document, 50, lambda texts: [len(t.split()) for t in texts]))
        assert len(chunks) == 1 and chunks[0].source == file.source
        hashlib.sha256(os.fsencode(file.source)).hexdigest()


def test_a_walk_is_sorted_stays_in_and_passes_over_what_is_hidden(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    for name in (
        "b.txt",
        "a.txt",
        "sub/c.txt",
        "sub/.hidden/x.txt",
        ".git/x.txt",
        "node_modules/x.txt",
        ".dot.txt",
        "B.txt",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("hi")
    (root / "sub" / "up").symlink_to("..")
    (tmp_path / "outside.txt").write_text("secret")
    (root / "out.txt").symlink_to("../outside.txt")
    found = [f.source for f in walk_files(str(root))]
    assert found == [
        "notes/B.txt",
        "notes/a.txt",
        "notes/b.txt",
        "notes/out.txt",
        "notes/sub/c.txt",
    ]
    assert found == [f.source for f in walk_files(str(root) + "/")]
    assert [f.source for f in walk_files(str(root / "a.txt"))] == ["a.txt"]
    with pytest.raises(Unreadable, match="symbolic link"):
        list(load_file(next(f for f in walk_files(str(root)) if f.source == "notes/out.txt")))
    (one,) = (f for f in walk_files(str(root)) if f.source == "notes/a.txt")
    assert (
        one.path == str(root / "a.txt")
        and one.size == 2
        and one.mtime == (root / "a.txt").stat().st_mtime_ns
    )


def test_a_root_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"^No such file or directory$") as error:
        list(walk_files(str(tmp_path / "none")))
    assert error.value.cure


@pytest.fixture
def nobody() -> Iterator[Path]:
    """An empty folder, and for root the rights of nobody while the test runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        root = os.geteuid() == 0
        if root:
            os.chown(folder, 65534, 65534)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            for path in folder.iterdir():
                path.chmod(0o700)


def test_one_closed_folder_does_not_stop_a_walk(nobody: Path) -> None:
    (nobody / "closed").mkdir()
    (nobody / "closed" / "x.txt").write_text("hi")
    (nobody / "open.txt").write_text("hi")
    (nobody / "secret.txt").write_text("hi")
    (nobody / "closed").chmod(0)
    (nobody / "secret.txt").chmod(0)
    found = {f.source.partition("/")[2]: f for f in walk_files(str(nobody))}
    assert set(found) == {"closed", "open.txt", "secret.txt"}
    assert [raw.text for raw in _documents(found["open.txt"])] == ["hi"]
    for name in ("closed", "secret.txt"):
        with pytest.raises(Unreadable, match="denied") as error:
            read_bytes(found[name].path)
        assert error.value.cure
    with pytest.raises(Unreadable, match=r"^the folder cannot be read: .*denied") as error:
        list(walk_files(str(nobody / "closed")))
    assert "chmod u+rx" in error.value.cure


def test_a_folder_that_can_be_listed_and_not_entered_is_one_line(nobody: Path) -> None:
    for name in ("sub", "sub/inner"):
        (nobody / name).mkdir()
    for name in ("a.txt", "b.txt"):
        (nobody / "sub" / name).write_text("hi")
    (nobody / "sub").chmod(0o400)
    (found,) = walk_files(str(nobody))
    assert found.closed.startswith("the folder cannot be entered: ")
    with pytest.raises(Unreadable, match="cannot be entered"):
        list(walk_files(str(nobody / "sub")))
