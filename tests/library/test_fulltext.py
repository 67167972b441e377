"""Full text: the table of words ranks as SQLite does, and the postings rank as the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import RawDocument
from rag.index import bm25 as making
from rag.index.bm25 import TERMS, FastFullText, Postings, TextSource, read_postings
from rag.ingest.chunk import chunk_document
from rag.ingest.clean import clean_document
from rag.library.files import KnownFile
from rag.library.fulltext import FullText, remove_words
from rag.library.library import Library
from rag.library.stemmer import Stemmer
from rag.search.candidates import query_words
from rag.text.unspaced import spaced

MANY = 300  # passages


def renewed(last: Postings | None, ids: set[str], texts: TextSource) -> Postings:
    """What is made once all of it was waited for; and it tells truly how far it is."""
    work, told = making.renew_postings(last, ids, texts), [0]
    while True:
        try:
            event = next(work)
        except StopIteration as end:
            assert told[-1] == len(ids - _named(last))
            return end.value
        assert event.what == "words" and told[-1] < event.done <= event.total == len(
            ids - _named(last)
        )
        told.append(event.done)


def _named(last: Postings | None) -> set[str]:
    return {name.decode() for name in last.names.tolist()} if last else set()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """A library whose words have known frequencies.

    `common` is in all passages, `half` in every second, `third` in every third, `rare` in every
    twentieth, `odd` in two, "won't" in every ninth and "t won" in the others.
    """
    with closing(
        Library(tmp_path_factory.mktemp("words") / "lib", make=True, identity="test")
    ) as made:
        items = []
        for n in range(MANY):
            words = ["common"] * (1 + n % 3) + ["half"] * (n % 2 == 0) + ["third"] * (n % 3 == 0)
            words += (
                ["rare"] * (n % 20 == 7) + ["odd"] * (n in (77, 78)) + [f"name{n}"] * (5 + n % 7)
            )
            words += ["won't"] if n % 9 == 0 else ["t", "won"]
            document = clean_document(RawDocument(" ".join(words) + "."), f"{n}.txt")
            chunks = list(
                chunk_document(document, 40, lambda texts: [len(t.split()) for t in texts])
            )
            assert len(chunks) == 1
            known = KnownFile(f"/{n}", f"{n}.txt", document.id, 1, 1, "", None)
            items.append((known, document, chunks, np.ones((1, 4), np.float32), [b"%d" % n]))
        made.put(items)
        yield made


@pytest.fixture(scope="module")
def postings(library: Library) -> Postings:
    return renewed(None, library.documents.chunk_ids(), library.documents.texts)


def _whole(library: Library, query: str) -> list[tuple[str, float]]:
    """The ranking by SQLite alone, of every passage that holds any of the words."""
    rows = library.database.execute(
        "SELECT c.id, -bm25(words, 1.0, 1.0, 1.0) FROM words "
        "JOIN chunks c ON c.number = words.rowid WHERE words MATCH ? "
        "ORDER BY bm25(words, 1.0, 1.0, 1.0), c.number",
        (query,),
    )
    return list(rows)


QUERIES = [
    ["rare"],
    ["odd", "common"],
    ["rare", "common", "half"],
    ["third", "half", "common", "odd"],
    ["common"],
    ["Rares", "rare"],  # one stem, twice
    ["won't", "half"],  # two words to the tokenizer, side by side
    ["nowhere", "common"],
    ["nowhere", "no'where"],
    ["name77"],
    [],
]


@pytest.mark.parametrize("words", QUERIES)
def test_the_table_ranks_as_sqlite_does(library: Library, words: list[str]) -> None:
    whole = _whole(library, " OR ".join(f'"{word}"' for word in words)) if words else []
    assert library.fulltext(words, MANY) == whole
    assert library.fulltext(words, 5) == whole[:5]


@pytest.mark.parametrize("words", QUERIES)
@pytest.mark.parametrize("limit", [1, 3, 5, 16, 140, MANY, 10 * MANY])
def test_the_postings_rank_as_the_table_does(
    library: Library, postings: Postings, words: list[str], limit: int
) -> None:
    found, whole = (
        FastFullText(postings, library.fulltext)(words, limit),
        dict(library.fulltext(words, 10 * MANY)),
    )
    assert len(found) == len(dict(found)) == min(limit, len(whole))
    assert dict(found) == pytest.approx({name: whole[name] for name, _ in found})
    assert [score for _, score in found] == pytest.approx(
        sorted(whole.values(), reverse=True)[:limit]
    )


def test_what_came_into_the_table_since_is_left_out(library: Library) -> None:
    some = set(sorted(library.documents.chunk_ids())[::3])
    found = FastFullText(renewed(None, some, library.documents.texts), library.fulltext)(
        ["won't"], MANY
    )
    assert found and {name for name, _ in found} == some & {
        name for name, _ in library.fulltext(["won't"], MANY)
    }


@pytest.mark.parametrize("words", QUERIES)
def test_both_know_which_words_stand_somewhere(
    library: Library, postings: Postings, words: list[str]
) -> None:
    assert library.fulltext.hold(words) == FastFullText(postings, library.fulltext).hold(words)
    assert library.fulltext.hold(words) == {word for word in words if "where" not in word}


def _files(postings: Postings, folder: Path) -> dict[str, bytes]:
    postings.save(folder)
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_what_was_made_step_by_step_is_what_is_made_at_once(
    library: Library, postings: Postings, tmp_path: Path
) -> None:
    ids = sorted(library.documents.chunk_ids())
    asked: list[str] = []

    def texts(names: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
        asked.extend(names)
        return library.documents.texts(names)

    step = renewed(None, set(ids[:200]), texts)
    step = renewed(step, set(ids[50:180]), texts)
    step = renewed(step, set(), texts)
    assert (
        not len(step.names)
        and step.terms == []
        and FastFullText(step, library.fulltext)(["common", "won't"], 5) == []
    )
    step = renewed(step, set(ids[:100]), texts)
    step = renewed(step, set(ids), texts)
    assert asked == ids[:200] + ids[:100] + ids[100:]  # what is there is not counted again
    assert _files(step, tmp_path / "step") == _files(postings, tmp_path / "once")


def test_what_was_saved_is_read_again(library: Library, postings: Postings, tmp_path: Path) -> None:
    assert read_postings(tmp_path / "words") is None
    postings.save(tmp_path / "words")
    again = read_postings(tmp_path / "words")
    assert again is not None
    assert FastFullText(again, library.fulltext)(["odd", "half"], 9) == FastFullText(
        postings, library.fulltext
    )(["odd", "half"], 9)
    renewed(None, set(), library.documents.texts).save(tmp_path / "none")
    none = read_postings(tmp_path / "none")
    assert (
        none is not None
        and none.terms == []
        and FastFullText(none, library.fulltext).hold(["odd"]) == set()
    )


TEXT = st.text(st.sampled_from("ab c.'é-ß漢1\n"), max_size=30)


@given(st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8))
def test_stems_are_counted_as_the_table_cuts_them(texts: list[tuple[str, str, str]]) -> None:
    with closing(Stemmer()) as stems:
        counted = stems.counted(texts)
        for number, text in enumerate(texts):
            entered = [spaced(part) for part in text]
            mine = sorted(stem for part in stems.of(entered) for stem in part)
            assert mine == sorted(
                stem for (stem, at), n in counted.items() if at == number for _ in range(n)
            )


def test_merged_words_say_the_same(library: Library) -> None:
    before = [library.fulltext(words, MANY) for words in QUERIES]
    library.fulltext.merge(library.documents.counts().chunks)
    assert [library.fulltext(words, MANY) for words in QUERIES] == before
    assert library.integrity.wrong() == []
    assert library.database.execute("SELECT count(DISTINCT segid) FROM words_idx").fetchone() == (
        1,
    )


# -- scripts without spaces --

#: (subjects, a text of a subject, a question about one, the subject that it asks for)
UNSPACED = {
    "zh": (
        "茶壶 雨伞 书架 台灯 地毯 窗帘 沙发 镜子 花瓶 闹钟 毛巾 枕头 床单 水桶 扫帚 梯子 锤子 剪刀 钥匙 钱包 "
        "手套 围巾 帽子 皮鞋 袜子 衬衫 外套 腰带 眼镜 手表",
        "这个{}是去年在市场上买的，价格很便宜。请把它放在房间里。",
        "那个{}是什么时候买的？",
    ),
    "ja": (
        "茶碗 傘立て 本棚 電灯 絨毯 カーテン ソファー 鏡台 花瓶 時計 タオル まくら 敷布 バケツ ほうき はしご "
        "かなづち はさみ かぎ束 財布 手袋 えりまき 帽子 革靴 くつした シャツ 上着 ベルト 眼鏡 腕輪",
        "この{}は去年市場で買ったものです。とても安かったです。部屋に置いてください。",
        "{}はいつ買いましたか",
    ),
    "th": (
        "กาน้ำชา ร่ม ชั้นหนังสือ โคมไฟ พรม ม่าน โซฟา กระจก แจกัน นาฬิกา ผ้าเช็ดตัว หมอน ผ้าปูที่นอน ถังน้ำ ไม้กวาด "
        "บันได ค้อน กรรไกร กุญแจ กระเป๋าเงิน ถุงมือ ผ้าพันคอ หมวก รองเท้า ถุงเท้า เสื้อเชิ้ต เสื้อคลุม เข็มขัด แว่นตา สร้อยคอ",
        "สิ่งนี้คือ{}ที่ซื้อจากตลาดเมื่อปีที่แล้วราคาถูกมาก โปรดวางไว้ในห้อง",
        "{}ซื้อเมื่อไร",
    ),
    "km": ("ឆត្រ តុ កៅអី គ្រែ ខ្នើយ ភួយ កន្សែង ធុង អំបោស ញញួរ", "នេះជា{}ដែលទិញពីផ្សារកាលពីឆ្នាំមុន។", "{}ទិញពេលណា"),
    "my": ("ထီး စားပွဲ ကုလားထိုင် ခုတင် ခေါင်းအုံး စောင် ပုဝါ ပုံး တံမြက်စည်း တူ", "ဒါကမနှစ်ကဈေးမှဝယ်တဲ့{}ဖြစ်ပါတယ်။", "{}ဘယ်တုန်းကဝယ်လဲ"),
    "lo": ("ຄັນຮົ່ມ ໂຕະ ຕັ່ງ ຕຽງ ໝອນ ຜ້າຫົ່ມ ຜ້າເຊັດໂຕ ຖັງ ຟອຍ ຄ້ອນຕີ", "ນີ້ແມ່ນ{}ທີ່ຊື້ຈາກຕະຫຼາດປີກາຍ.", "{}ຊື້ເມື່ອໃດ"),
    "ko": ("우산 책장 전등 양탄자 커튼 거울 꽃병 시계 수건 베개", "이 {}은 작년에 시장에서 산 것입니다.", "{}을 언제 샀나요?"),
}  # fmt: skip


def _put(made: Library, texts: dict[str, str]) -> None:
    items = []
    for n, (name, text) in enumerate(texts.items()):
        document = clean_document(RawDocument(text), name)
        chunks = list(chunk_document(document, 400, lambda texts: [len(t) // 2 for t in texts]))
        known = KnownFile(f"/{name}", name, document.id, 1, 1, "", None)
        vectors = np.ones((len(chunks), 4), np.float32)
        keys = [b"%d %d" % (n, i) for i in range(len(chunks))]
        items.append((known, document, chunks, vectors, keys))
    made.put(items)


def _unspaced_texts() -> dict[str, str]:
    texts = {}
    for code, (subjects, text, _) in UNSPACED.items():
        for n, subject in enumerate(subjects.split()):
            english = f"Entry {n} of the list of things that were bought at the market."
            texts[f"{code}{n}.txt"] = f"{text.format(subject)}\n\n{english}\n"
    return texts


@pytest.fixture(scope="module")
def unspaced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("unspaced") / "lib"
    with closing(Library(folder, make=True, identity="test")) as made:
        _put(made, _unspaced_texts())
        yield made


def _first(library: Library, question: str, search: FullText | FastFullText) -> str:
    (best, _), *_ = search(query_words(question), 5)
    return library.documents.chunks([best])[best].source


@pytest.mark.parametrize("code", UNSPACED)
def test_words_without_spaces_find_their_document_first(unspaced: Library, code: str) -> None:
    postings = renewed(None, unspaced.documents.chunk_ids(), unspaced.documents.texts)
    fast = FastFullText(postings, unspaced.fulltext)
    subjects, _, question = UNSPACED[code]
    for search in (unspaced.fulltext, fast):
        ranks = []
        for n, subject in enumerate(subjects.split()):
            found = [best for best, _ in search(query_words(question.format(subject)), 5)]
            chunks = unspaced.documents.chunks(found)
            ranks.append([chunks[best].source for best in found].index(f"{code}{n}.txt") + 1)
        # a word of two letters shares only one pair with its text
        assert len([rank for rank in ranks if rank > 1]) <= {"th": 1, "my": 2}.get(code, 0)
        assert max(ranks) <= 3


def test_one_character_is_a_word(unspaced: Library) -> None:
    assert _first(unspaced, "ร่ม?", unspaced.fulltext) == "th1.txt"
    assert _first(unspaced, "鏡", unspaced.fulltext) in ("ja7.txt", "zh28.txt", "ja28.txt")


def test_a_table_with_words_without_spaces_agrees_with_its_texts(unspaced: Library) -> None:
    assert unspaced.integrity.wrong() == []


@pytest.mark.slow
def test_words_of_an_older_library_are_entered_again(unspaced: Library, tmp_path: Path) -> None:
    with closing(Library(tmp_path / "lib", make=True, identity="test")) as made:
        _put(made, _unspaced_texts())
        rows = list(made.documents.texts(sorted(made.documents.chunk_ids())))
        numbers = dict(made.database.execute("SELECT id, number FROM chunks"))
        with made.database.writing():  # as format 5 entered them
            for chunk_id, *texts in rows:
                entered = map(spaced, texts)
                remove_words(made.database.connection, numbers[chunk_id], *entered)
                made.database.execute(
                    "INSERT INTO words(rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                    (numbers[chunk_id], *texts),
                )
            made.database.format_version = 5
        assert made.fulltext(query_words("雨伞"), 5) == []
    with closing(Library(tmp_path / "lib", identity="test")) as again:
        assert _first(again, "那个雨伞是什么时候买的？", again.fulltext) == "zh1.txt"
        assert again.integrity.wrong() == []
        for words in (["entry"], query_words("那个雨伞是什么时候买的？")):
            assert again.fulltext(words, MANY) == unspaced.fulltext(words, MANY)


def test_postings_of_an_earlier_version_are_made_again(
    library: Library, postings: Postings, tmp_path: Path
) -> None:
    postings.save(tmp_path)
    (tmp_path / TERMS).rename(tmp_path / "words.txt")
    assert read_postings(tmp_path) is None
