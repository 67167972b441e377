"""Questions drafted from documents: the rules sentence by sentence, the near misses, and a draft that knows when it is stale."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Chunk, Document, Listing, Passage, Span
from rag.errors import Usage
from rag.eval.cases import changed_sources, read_cases
from rag.eval.draft import draft_questions
from rag.eval.question_rules import cloze_from, question_from
from rag.eval.records import QuestionLine
from tests.support.examples import examples
from tests.support.json_records import place_line


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The lighthouse at Skagen was built in 1858.", "When was the lighthouse at Skagen built?", "1858"),
        ("In 1816, the Royal University of Warsaw was established.", "When was the Royal University of Warsaw established?", "1816"),
        ("Harvard was formed in 1636 by vote of the Great and General Court.", "When was Harvard formed by vote of the Great and General Court?", "1636"),
        ("The Mongols defeated the loyalists at Yamen in 1279.", "When did the Mongols defeat the loyalists at Yamen?", "1279"),
        ("On 12 May 1705, the General Assembly passed an act on settlers.", "When did the General Assembly pass an act on settlers?", "12 May 1705"),
        ("Over 900 people were killed in the Lisbon earthquake.", "How many people were killed in the Lisbon earthquake?", "Over 900"),
        ("There are twelve bridges in the old town of Prague.", "How many bridges are there in the old town of Prague?", "twelve"),
        ("The Harvard Art Museums comprise three museums in Cambridge.", None, ""),  # "comprise" is not in the table of forms
        ("The Fogg Museum employs 50 people in Cambridge.", "How many people does the Fogg Museum employ in Cambridge?", "50"),
        ("The length of the Rhine is about 1,230 km.", "What is the length of the Rhine?", "about 1,230 km"),
        ("Jacksonville had a population of 821,784 in 2010.", "What was the population of Jacksonville in 2010?", "821,784"),
        ("61 per cent of pupils in Victoria attend state schools.", None, ""),
        ("61 per cent of pupils in Victoria are in state schools.", "What percentage of pupils in Victoria are in state schools?", "61 per cent"),
        ("Lavrov said that the West wants a bipolar world.", "Who said that the West wants a bipolar world?", "Lavrov"),
        ("The first map of Norway was produced by William Maclure.", "Who produced the first map of Norway?", "William Maclure"),
        ("The sonata for Clara was written by Johannes Brahms.", "Who wrote the sonata for Clara?", "Johannes Brahms"),
        ("The European Patent Office is headquartered in Munich.", "Where is the European Patent Office headquartered?", "Munich"),
        ("Jacksonville is the most populous city in Florida.", "What is the most populous city in Florida?", "Jacksonville"),
        ("Isaiah Bowman was the director of the Geographical Society.", "Who was the director of the Geographical Society?", "Isaiah Bowman"),
        ("Warsaw (Polish: Warszawa) was founded by Duke Konrad in 1300, making it old.", "When was Warsaw founded by Duke Konrad?", "1300"),
    ],
)  # fmt: skip
def test_a_rule_gives_a_question(sentence: str, question: str | None, answer: str) -> None:
    found = question_from(sentence)
    assert (found.question if found else None) == question
    if found:
        assert found.answer == answer and answer in sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "It was founded in 1816 by the Tsar of Russia.",  # leans on another sentence
        "The company was founded in 1990 in the old town.",  # names nothing
        "He said that the West wants a bipolar world.",
        "The Telenet company was incorporated in 1973 and started operations in 1975.",  # two things
        "Warsaw was founded and was burnt down in 1300.",
        "France fought and lost a bitter war in Vietnam in the 1950s.",
        "What was founded in 1816 by the Tsar?",
        "Warsaw was founded in 1816 [3].",
        "warsaw was founded in 1816 by the Tsar.",
        "According to Borrell the EU was founded in 1957.",
        "In June, Putin said that this was founded in 1957.",
        "",
    ],
)
def test_what_is_not_sure_gives_none(sentence: str) -> None:
    assert question_from(sentence) is None


def test_a_first_word_that_is_no_name_elsewhere_is_no_name() -> None:
    assert question_from("Viruses were confirmed as pathogens of Man in 1901.") is not None
    assert question_from("Viruses were confirmed as pathogens of Man in 1901.", {"viruses"}) is None


def test_a_gap_is_marked_as_one() -> None:
    found = cloze_from("The bishop of Oslo owned 14 farms near the fjord.")
    assert found and (found.question, found.answer, found.kind) == ("Complete: The bishop of Oslo owned ____ farms near the fjord.", "14", "cloze")  # fmt: skip
    assert cloze_from("The bishop of Oslo owned 14 farms and 7 mills.") is None  # which of them?
    assert cloze_from("The bishop of Oslo owned a 14-sided table there.") is None
    assert (
        cloze_from("The bishop of the town owned 14 farms near the fjord.") is None
    )  # names nothing


@examples(150)
@given(st.text(st.sampled_from("The Bee was in 1816 by Oslo.,()")))
def test_no_text_breaks_a_rule(text: str) -> None:
    for found in (question_from(text), cloze_from(text)):
        if found:
            assert found.answer in text and found.answer not in found.question


# -- a draft --

TEXTS = {
    "oslo": "The University of Oslo was founded in 1811. It is large. The fortress at Akershus was besieged in 1308 by Duke Eric. "
    "The harbour of Oslo was dredged by Nils Berg.",
    "bergen": "The Hansa Museum in Bergen was opened in 1872. The church of Bergen was painted by Johan Dahl. Menu 1999.",
    "york": "The College of York was founded in 1841. The minster at York was damaged in 1984 by fire. There are twelve bridges in York.",
    "rome": "Rome was the capital of Italy. The Academy of Naples was founded in 1698. The tower in Naples was painted by Carlo Rossi.",
}  # fmt: skip


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Shelf:
    """A library of `texts` whose search finds every document."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def document(self, name: str) -> Document:
        for key, text in self.texts.items():
            if name in (f"{key}#{digest(text)}", f"dir/{key}.txt"):
                at = text.find("Menu")
                return Document(
                    f"{key}#{digest(text)}",
                    f"dir/{key}.txt",
                    key,
                    None,
                    text,
                    (Span(at, len(text)),) if at >= 0 else (),
                )
        raise Usage(f"there is no document {name!r}")

    def documents(self) -> tuple[Listing, ...]:
        found = [self.document(f"dir/{key}.txt") for key in self.texts]
        return tuple(Listing(d.id, d.source, d.title, None, 1, 9, "ready", None) for d in found)

    def search(self, question: str, limit: int) -> tuple[Passage, ...]:
        def of(number: int, key: str) -> Iterator[Passage]:
            d = self.document(f"dir/{key}.txt")
            yield Passage(
                number,
                Chunk(key, d.id, d.source, "", None, "", Span(0, len(d.text)), d.text, 1),
                0.5,
            )

        return tuple(p for number, key in enumerate(self.texts, 1) for p in of(number, key))[:limit]


def written(tmp_path: Path, lines: Sequence[QuestionLine]) -> Path:
    path = tmp_path / "draft.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_draft_holds_facts_with_their_place_and_near_misses_without_an_answer(
    tmp_path: Path,
) -> None:
    shelf = Shelf(TEXTS)
    lines = draft_questions(shelf, 12)
    facts = [line for line in lines if line["answerable"]]
    missing = [line for line in lines if not line["answerable"]]
    assert len(lines) == 12 and len(missing) == 4 and len({line["id"] for line in lines}) == 12
    for line in facts:
        (place,) = line["evidence"]
        text = shelf.document(place["source"]).text
        assert (
            text[place["start"] : place["end"]] == place["quote"]
            and line["answers"][0] in place["quote"]
        )
        assert (
            place["document"] == shelf.document(place["source"]).id and "Menu" not in place["quote"]
        )
    for line in missing:
        old, new = line["near"]["swapped"]
        assert new in line["question"] and old not in line["question"].replace(new, "")
        assert new not in shelf.document(line["near"]["source"]).text, "the document lacks it"
        assert line["answers"] == [] and line["evidence"] == [] and line["type"] == "near_miss"
    found = read_cases(written(tmp_path, lines))
    assert all(
        case.draft and len(case.anchors) == 1 and changed_sources(case, shelf.document) == ""
        for case in found
    )


def test_a_near_miss_is_nothing_that_the_library_answers() -> None:
    """ "When was the College of Oslo founded?" must not be asked where another document says so."""
    asked = {
        line["question"] for line in draft_questions(Shelf(TEXTS), 12) if not line["answerable"]
    }
    told = [
        q.replace("When was the", "The").rstrip("?") + " in 1700."
        for q in asked
        if q.startswith("When was the")
    ]
    again = {
        line["question"]
        for line in draft_questions(Shelf(TEXTS | {"more": " ".join(told)}), 40)
        if not line["answerable"]
    }
    assert told and not asked & again & {q for q in asked if q.startswith("When was the")}


def test_the_seed_decides_and_nothing_else() -> None:
    assert draft_questions(Shelf(TEXTS), 8, 1) == draft_questions(
        Shelf(dict(reversed(TEXTS.items()))), 8, 1
    )
    assert any(
        draft_questions(Shelf(TEXTS), 6, 1) != draft_questions(Shelf(TEXTS), 6, seed)
        for seed in range(2, 6)
    )


def test_a_library_that_gives_no_question_says_so() -> None:
    with pytest.raises(Usage, match="no sentence of the library"):
        draft_questions(Shelf({"a": "It rained. It was cold."}), 5)


def test_a_question_says_that_its_document_has_changed(tmp_path: Path) -> None:
    lines = draft_questions(Shelf(TEXTS), 12)
    found = {case.id: case for case in read_cases(written(tmp_path, lines))}
    of = {line["id"]: (line["evidence"] or [line["near"]])[0]["source"] for line in lines}
    added = Shelf(TEXTS | {"oslo": "Now: " + TEXTS["oslo"]})
    gone = Shelf(
        {**{key: text for key, text in TEXTS.items() if key != "york"}, "oslo": "All of it is new."}
    )
    for name, case in found.items():
        kept, lost = changed_sources(case, added.document), changed_sources(case, gone.document)
        if of[name] == "dir/oslo.txt":
            assert (
                kept
                == "dir/oslo.txt has changed since the question was made; its words are still there"
            )
            assert (
                lost == "dir/oslo.txt has changed since the question was made; its words are gone"
            )
        elif of[name] == "dir/york.txt":
            assert (kept, lost) == ("", "dir/york.txt is not in the library")
        else:
            assert kept == lost == ""
    case = found["d001"]
    shifted = replace(case, anchors=(replace(case.anchors[0], start=case.anchors[0].start + 1),))
    assert "does not hold the words" in changed_sources(shifted, Shelf(TEXTS).document)


def test_a_reviewed_draft(tmp_path: Path) -> None:
    lines = draft_questions(Shelf(TEXTS), 6)
    lines[0]["review"], lines[1]["review"] = "reject", "accept"
    found = read_cases(written(tmp_path, lines))
    assert [(case.id, case.draft) for case in found] == [
        ("d002", False),
        *((f"d00{n}", True) for n in range(3, 7)),
    ]
    lines[2]["review"] = "perhaps"
    with pytest.raises(Usage, match=r'line 3: "review" must be one of draft, accept, reject'):
        read_cases(written(tmp_path, lines))
    lines[2]["review"], lines[3]["evidence"] = (
        "draft",
        [place_line({"source": "a", "quote": "b", "document": "c"})],
    )
    with pytest.raises(Usage, match='line 4: "start" and "end"'):
        read_cases(written(tmp_path, lines))
