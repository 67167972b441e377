"""What pages have in common is masked; what somebody may ask for is not, however often it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import RawDocument, Span
from rag.events import Added
from rag.index.index import renew_index
from rag.ingest.clean import clean_document
from rag.text.boilerplate import line_hashes, mask_boilerplate, neighbourhood, recurring_hashes
from tests.library.test_library import House
from tests.support.narrow import close

MENU = "The Daily Freedonian\nWorld\nOpinion\nArts and Letters\n"
FOOT = "We use cookies to make this site better for you. By reading on you agree.\nOur Authors\nCareers\nWrite To Us\n"
TOWNS = "Ashby Brill Corby Diss Ely Fowey Goole Hythe Ilkley Jarrow Kendal Louth".split()


def _page(town: str, menu: str = MENU, foot: str = FOOT) -> str:
    told = "".join(
        f"In year {n} the council of {town} decided once more about house number {n} in {town} Street.\n\n"
        for n in range(9)
    )
    return f"{menu}\nThe mayor of {town}\n\n{told}{foot}"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def _write(folder: Path, towns: list[str], **parts: str) -> None:
    folder.mkdir(exist_ok=True)
    for town in towns:
        (folder / f"{town}.txt").write_text(_page(town, **parts))


def _masked(house: House, name: str) -> list[str]:
    document = house.library.documents.find(name)
    return [line for span in document.mask for line in span.of(document.text).split("\n") if line]


LINES = (MENU + FOOT).splitlines()


@pytest.mark.slow
def test_what_the_pages_of_a_folder_share_is_masked_and_never_embedded(
    house: House, tmp_path: Path
) -> None:
    _write(tmp_path / "site", TOWNS[:8])
    house.add(tmp_path / "site")
    for town in TOWNS[:8]:
        assert _masked(house, f"{town}.txt") == LINES
        assert house.library.documents.find(f"{town}.txt").text == _page(town)
    assert not any("cookies" in text or "Opinion" in text for text in house.embedded)
    assert sum("The mayor of" in text for text in house.embedded) >= 8
    house.agrees()


@pytest.mark.slow
def test_a_few_pages_are_not_masked_by_chance(house: House, tmp_path: Path) -> None:
    _write(tmp_path / "site", TOWNS[:5])
    house.add(tmp_path / "site")
    assert not any(_masked(house, f"{town}.txt") for town in TOWNS[:5])


@pytest.mark.slow
def test_a_part_of_a_large_folder_is_not_its_template(house: House, tmp_path: Path) -> None:
    _write(tmp_path / "site", TOWNS[:6])
    for number in range(30):
        (tmp_path / "site" / f"{number}.txt").write_text(
            f"Note {number} says that all is well in house {number} today.\n"
        )
    house.add(tmp_path / "site")
    assert not any(_masked(house, f"{town}.txt") for town in TOWNS[:6])


@pytest.mark.slow
def test_later_files_show_what_the_earlier_ones_have_in_common(
    house: House, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    _write(site, TOWNS[:4])
    house.add(site)
    assert not _masked(house, "Ashby.txt")
    before = house.library.documents.chunks(sorted(house.library.documents.chunk_ids()))
    _write(site, TOWNS[:8])
    house.embedded.clear()
    house.add(site)
    assert all(_masked(house, f"{town}.txt") == LINES for town in TOWNS[:8])
    again = [text for text in house.embedded if any(town in text for town in TOWNS[:4])]
    assert 0 < len(again) <= len(before), (
        "the passages without the menu are not those that were there"
    )
    house.agrees()
    house.embedded.clear()
    revision = house.library.revision
    house.add(site)
    assert not house.embedded and house.library.revision == revision


@pytest.mark.slow
def test_one_at_a_time_comes_to_the_same_as_all_at_once(tmp_path: Path) -> None:
    houses = House(tmp_path / "one"), House(tmp_path / "two")
    site = tmp_path / "site"
    for at in range(8):
        _write(site, TOWNS[at : at + 1])
        houses[0].add(site)
    houses[1].add(site)
    for town in TOWNS[:8]:
        assert (
            houses[0].library.documents.find(f"{town}.txt").mask
            == houses[1].library.documents.find(f"{town}.txt").mask
        )
    assert houses[0].library.documents.chunk_ids() == houses[1].library.documents.chunk_ids()


@pytest.mark.slow
def test_what_a_stopped_run_left_the_next_one_does(house: House, tmp_path: Path) -> None:
    site = tmp_path / "site"
    _write(site, TOWNS[:5])
    house.add(site)
    _write(site, TOWNS[5:8])
    work = house.ingest.add([str(site)])
    for event in work:
        if isinstance(event, Added) and event.done == 8:
            break
    close(work)
    assert not _masked(house, "Ashby.txt")
    for _ in renew_index(house.library, house.vectors):
        pass
    house.agrees()
    house.add(site)
    assert _masked(house, "Ashby.txt") == LINES


def test_a_corpus_file_is_a_folder() -> None:
    assert (
        neighbourhood("/a/b/c.txt") == "/a/b"
        and neighbourhood("/a/corpus.jsonl", "x/y") == "/a/corpus.jsonl"
    )


SURVIVES = [
    "This agreement is governed by the laws of Freedonia.\nAny dispute goes to the court of the capital.\nNotices are sent by post.\n",
    "Type: Standards Track\nStatus: Final\nPython-Version: 3.12\n",
    "| Weight | 5 kg |\n| Height | 2 m |\n| Width | 1 m |\n",
    "- bolts\n- nuts\n- washers\n",
    "1. Switch it off\n2. Pull the plug\n3. Wait\n",
    "# Results\n## Method\n## Limits\n",
    "Mass 5 kg\nHeight 2 m\nWidth 1 m\n",
]


@pytest.mark.slow
@pytest.mark.parametrize("block", SURVIVES)
@pytest.mark.parametrize("place", ["menu", "foot"])
def test_what_states_something_survives_however_often_it_stands_there(
    house: House, tmp_path: Path, block: str, place: str
) -> None:
    _write(tmp_path / "site", TOWNS, **{"menu": "", "foot": "", place: block})
    house.add(tmp_path / "site")
    assert not any(_masked(house, f"{town}.txt") for town in TOWNS)


@pytest.mark.slow
def test_a_block_between_statements_is_text(house: House, tmp_path: Path) -> None:
    parts = "Oil filter\nAir filter\nSpark plugs\n"
    for town in TOWNS:
        path = tmp_path / "site" / f"{town}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(_page(town, "", "") + "The kit holds what stands in this list here:\n" + parts + "It was packed in this town.\n")  # fmt: skip
    house.add(tmp_path / "site")
    assert not any(_masked(house, f"{town}.txt") for town in TOWNS)


def test_a_list_without_a_statement_and_source_code_have_no_template() -> None:
    assert not line_hashes(clean_document(RawDocument("Red\nGreen\nBlue\nYellow\n"), "x.txt"))
    assert not line_hashes(clean_document(RawDocument(_page("Ely"), lines=True), "x.csv"))
    assert line_hashes(clean_document(RawDocument(_page("Ely")), "x.txt"))


def test_recurring_takes_both_a_number_and_a_share() -> None:
    assert recurring_hashes([{1, 2}] * 5 + [{2}]) == {2}
    assert (
        recurring_hashes([{1}] * 6 + [set()] * 18) == {1}
        and recurring_hashes([{1}] * 6 + [set()] * 19) == set()
    )


LINE = st.sampled_from(
    [
        "World",
        "Arts",
        "Our Team",
        "We use cookies.",
        "It is said that all is well in this town today.",
        "",
        "a: b",
    ]
)


@given(st.lists(LINE, max_size=14))
def test_masking_never_alters_the_text_and_masks_whole_lines(lines: list[str]) -> None:
    document = clean_document(RawDocument("\n".join(lines)), "x.txt")
    other = mask_boilerplate(document, {key for key, _ in line_hashes(document)})
    assert other.text == document.text and list(other.mask) == sorted(other.mask)
    assert all(a.end <= b.start for a, b in zip(other.mask, other.mask[1:], strict=False))
    assert set(document.mask) <= set(other.mask)
    whole, at = set(), 0
    for line in lines:
        whole.add(Span(at, at + len(line)))
        at += len(line) + 1
    assert set(other.mask) <= whole
