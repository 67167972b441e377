"""Sentences in a model's own words against the place that they rest on: what agrees, and each kind of fault."""

from __future__ import annotations

import re
import time

import pytest

from rag.answer.own_words import Place, fault_of

ASKED = "When was the mill of Ashby built?"
BUILT = "The old mill of Ashby was built in 1871 by Jane Doe, a carpenter from Wells."
OPEN = "Pool › Opening hours\nDay: Sunday; Hours: 9 to 18"


def _place(text: str) -> Place:
    """A place whose last line is its own text."""
    context, _, own = text.rpartition("\n")
    return Place(context, own)


@pytest.mark.parametrize(
    ("text", "asked", "place"),
    [
        ("The mill of Ashby was built in 1871.", ASKED, BUILT),
        ("In 1871 Jane Doe built the old mill of Ashby.", ASKED, BUILT),
        ("Jane Doe, a carpenter from Wells, built the mill.", ASKED, BUILT),
        ("It was built in 1871.", ASKED, BUILT),
        ("According to the notes, the mill of Ashby was built in 1871.", ASKED, BUILT),
        ("There are five thousand bolts.", "How many?", "There are 5,000 bolts in the shed."),
        ("On Sunday the pool opens from 9 to 18.", "When does the pool open on Sunday?", OPEN),
        (
            "The mill will open in June if the council agrees.",
            "When will the mill open?",
            "The council said that the mill will open in June if it agrees.",
        ),
        (
            "On May 5, the town began to build the mill.",
            ASKED,
            "The town begins to build the mill on 5 May.",
        ),
        (
            "Ashby opens its pool in June.",
            "When does it open?",
            "Ashby wants no pool\nAshby opens its pool in June.",
        ),
        (
            "The mill closed due to the flood.",
            "Why did it close?",
            "So the mill closed because of the flood.",
        ),
        ("When the bell rings, lock up.", "When?", "Lock up when the bell rings."),
        ("A stone would fall down.", "What would?", "In the town, a stone would fall down."),
        ("The mill cost a total of 900 euros.", "How much?", "The mill cost 900 euros."),
        ("The other owner is Bo.", "Who else?", "The other owners are Jane Doe and Bo."),
        ("5,000 bolts are in the shed.", "How many?", "There are five thousand bolts in the shed."),
        (
            "The mill commenced its work in 1871.",
            "When did it start?",
            "The mill began its work in 1871.",
        ),
        (
            "The mill was opened in 1871.",
            "When was the mill opened?",
            "The mill would not be opened until 1871, when Jane Doe did it.",
        ),
        (
            "The shops include those of Ann, Bert and Dora.",
            "Which shops are there?",
            "There are shops of Ann, Bert, Carl, and Dora.",
        ),
        (
            "Within the mill are stones from across Wales.",
            "What is in the mill?",
            "Inside the mill are stones from throughout Wales.",
        ),
        (
            "Grain is ground between stones.",
            "How is grain ground?",
            "Grain is ground between stones called burrs.",
        ),
        (
            "The town mayor Jane Doe opened the pool.",
            "Who opened the pool?",
            "The town mayor Jane Doe lives in Ashby.\nIn June Doe opened the pool.",
        ),
    ],
)
def test_what_its_source_says_agrees(text: str, asked: str, place: str) -> None:
    assert fault_of(text, asked, [_place(place)], place) == ""


@pytest.mark.parametrize(
    ("text", "asked", "place", "says"),
    [
        ("The mill was built in 1871 and destroyed soon.", ASKED, BUILT, "no word like"),
        ("The mill was built in 1872.", ASKED, BUILT, "another number"),
        (
            "The mill was built on 5 May 1871.",
            ASKED,
            "The mill was built on 5 May.",
            "another number",
        ),
        (
            "The mill was built on 5 May.",
            ASKED,
            "The mill was built in May 1871.",
            "another number",
        ),
        ("The mill was not built in 1871.", ASKED, BUILT, "negation"),
        ("The mill may have been built in 1871.", ASKED, BUILT, "adds a word of possibility"),
        (
            "The mill will open in June.",
            "When will the mill open?",
            "The mill will open in June if the council agrees.",
            "leaves out a word of condition",
        ),
        (
            "Anna thanked Bert for the bread and Carl for the cheese.",
            "Who thanked whom?",
            "Carl thanked Anna for the cheese and Bert for the bread.",
            "another order",
        ),
        (
            "The mill closed because of the snow.",
            "What happened to the mill?",
            "The mill closed in the snow.",
            "adds a word of cause",
        ),
        ("The old mill of Ashby was built in 1871 by Jane", ASKED, BUILT, "breaks off"),
        (
            "The league has opened the gate of the tower.",
            "Which gate is it?",
            "He is calling on the league to open the gate of the tower.",
            "leaves out a word of intention",
        ),
        (
            "Peter Brown runs the mill of Ashby.",
            "Who runs the mill?",
            "The mill of Ashby was seen by the brother of Peter Brown.",
            "another order",
        ),
        (
            "Ashby should have no gate at the tower.",
            "Should Ashby have a gate?",
            "A small town should have no gate at the tower.",
            "about something that its source does not name",
        ),
        ("The mill was built in the.", ASKED, BUILT, "no whole sentence"),
        (
            "The mill built by is Jane Doe.",
            "Who was the mill built by?",
            BUILT,
            "no whole sentence",
        ),
        ("The mill of Ashby, the mill of Ashby was built.", ASKED, BUILT, "repeats itself"),
        (
            "The mill is open until 9.",
            "When is the mill open?",
            "The mill is not open until 9.",
            "negation",
        ),
        (
            "All mills rest on one stone.",
            "On what do mills rest?",
            "All mills rest on four stones.",
            "another number",
        ),
        (
            "There are shops of Ann, Bert, and Dora.",
            "Which shops are there?",
            "There are shops of Ann, Bert, Carl, and Dora.",
            "leaves out items",
        ),
        (
            "Nails are bought with wood and nails.",
            "What is bought?",
            "Buy wood and nails.",
            "itself|order",
        ),
        (
            "The red gate of the north tower opens late today.",
            "Does the red gate of the north tower open late?",
            "The office is closed today.",
            "only in the question",
        ),
        ("When the mill was built in 1871.", ASKED, BUILT, "no whole sentence"),
        ("To grease the wheel every day.", "What now?", "Grease the wheel every day.", "no whole"),
        (
            "The town would fall to the foot of the tower.",
            "Where does it fall?",
            "So, in the town, a stone would fall to the foot of the tower.",
            "something else",
        ),
        (
            "The owner of the mill is Jane Doe.",
            "Who owns the mill?",
            "The owners of the mill are Peter Brown and Jane Doe.",
            "something else",
        ),
    ],
)
def test_each_kind_of_fault_is_found_and_named(
    text: str, asked: str, place: str, says: str
) -> None:
    assert re.search(says, fault_of(text, asked, [_place(place)], place))


@pytest.mark.parametrize(
    ("text", "asked", "short", "place"),
    [
        (
            "Four radio stations took part in the talk with Doe.",
            "How many radio stations took part in the talk with Doe?",
            "four",
            "There will be a fair, Doe said in a talk with four radio stations.",
        ),
        (
            "The forest oak is the oak beside the ground.",
            "Which is the oak beside the ground?",
            "forest oak",
            "Beside the ground are the ash and the forest oak.",
        ),
    ],
)
def test_a_question_with_the_readers_answer_may_be_put_in_another_order(
    text: str, asked: str, short: str, place: str
) -> None:
    assert fault_of(text, asked, [_place(place)], place, short) == ""
    assert fault_of(text, asked, [_place(place)], place, "a fair") != ""


def test_what_only_the_question_says_may_stand_only_beside_the_readers_answer() -> None:
    place = "Doe described the theory of light in 1871, and Brown that of heat."
    asked = "Who described the wave theory of light?"
    said = "Doe described the wave theory of light."
    assert fault_of(said, asked, [_place(place)], place, "Doe") == ""
    assert "only in the question" in fault_of(said, asked, [_place(place)], place, "Brown")


def test_an_answer_of_words_of_the_question_is_no_answer_to_it() -> None:
    place = "There will be a fair, Doe said in a talk with four Ashby radio stations."
    asked, said = "Which radio stations talk to Doe?", "Ashby radio stations talk to Doe."
    places = [_place(place)]
    assert "order" in fault_of(said, asked, places, place, "Ashby radio stations")
    assert fault_of(said, asked, places, place, "Ashby") == ""


def test_the_words_of_a_restated_question_keep_its_order() -> None:
    place = "Ashby, a part of Wells, has a mill."
    asked = "Which town does Ashby belong to as a part?"
    for text, agrees in (
        ("Ashby belongs to Wells as a part.", True),
        ("Wells belongs to Ashby as a part.", False),
    ):
        assert (fault_of(text, asked, [_place(place)], place, "Wells") == "") is agrees


@pytest.mark.parametrize(
    ("text", "asked", "place", "says"),
    [
        (
            "The Avon carries its water to the Ashby hills.",
            "Where does the Avon carry its water?",
            "The Avon has taken streams of water down to the Ashby hills.",
            "only in the question",
        ),
        (
            "In 1871 Jane Doe built the old mill of Ashby.",
            ASKED,
            BUILT,
            "another order",
        ),
    ],
)
def test_a_sentence_of_which_the_check_is_unsure_must_be_nearer_to_its_place(
    text: str, asked: str, place: str, says: str
) -> None:
    places = [_place(place)]
    assert fault_of(text, asked, places, place, score=0.9) == ""
    assert says in fault_of(text, asked, places, place, score=0.5)


def test_the_beginning_of_a_longer_name_is_not_the_name() -> None:
    whole = "The Ashby Mayor Jane Doe lives here. In June Doe opened the new pool."
    places = [Place("", "In June Doe opened the new pool.")]
    asked = "Who opened the new pool?"
    assert fault_of("Ashby Mayor Jane Doe opened the new pool.", asked, places, whole) == ""
    assert fault_of("Ashby opened the new pool.", asked, places, whole) != ""


def test_what_is_done_by_something_is_done_by_it_in_the_source() -> None:
    place = "The model says that shared particles called bosons carry all forces."
    said = "Particles are shared by bosons to carry all forces."
    assert "by whom" in fault_of(said, "What is shared?", [Place("", place)], place)
    active = "Jane Doe built the mill of Ashby."
    assert fault_of("The mill was built by Jane Doe.", ASKED, [Place("", active)], active) == ""


def test_two_places_do_not_make_one() -> None:
    texts = ["The mill was built in 1871.", "The pool was tiled by Peter Brown."]
    places, whole = [Place("", text) for text in texts], " ".join(texts)
    assert fault_of("The mill was tiled by Peter Brown.", "What about the pool?", places, whole)
    assert (
        fault_of("The pool was tiled by Peter Brown.", "What about the pool?", places, whole) == ""
    )
    assert fault_of("The mill was built in 1871.", ASKED, [], "") != ""


@pytest.mark.slow
def test_the_time_is_linear_in_the_text() -> None:
    def seconds(many: int) -> float:
        text = "mill water " * many
        started_at = time.perf_counter()
        fault_of(text, text, [Place("", text), Place("", text + ".")], text)
        return time.perf_counter() - started_at

    seconds(10)
    assert seconds(8000) < 60 * seconds(800) + 0.5
