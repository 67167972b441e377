"""Completing follow-up questions; questions that are complete stay as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer.answer import answer_question
from rag.answer.followup import MAX_REWRITE_CHARS, complete_question
from rag.domain import Answer, Turn
from rag.events import Answered, Event, Retrieved
from tests.support.examples import examples
from tests.support.fakes import JUDGE, Script, passage, quote

BORN, BRIDGE = "Where was Eliot born?", "When was the bridge at Skagen built?"

#: the last question, its short answer, what is asked now, and what that is by itself
LEANS = [
    # fragments take the place of what is of their kind
    (
        "How many people live in Europe?",
        "746 million",
        "and in Africa?",
        "How many people live in Africa?",
    ),
    ("How many people live in Europe?", "", "In Africa?", "How many people live in Africa?"),
    (
        "What is the population of Sweden?",
        "",
        "What about Norway?",
        "What is the population of Norway?",
    ),
    ("What is the population of Sweden?", "", "And the capital?", "What is the capital of Sweden?"),
    ("What was the revenue in 2018?", "", "And in 2019?", "What was the revenue in 2019?"),
    ("What was the revenue in 2018?", "", "2019?", "What was the revenue in 2019?"),
    (
        "What was the revenue of Acme?",
        "",
        "How about in 2019?",
        "What was the revenue of Acme in 2019?",
    ),
    ("What did Lavrov say about Iran?", "", "And about Syria?", "What did Lavrov say about Syria?"),
    ("When is the rent due?", "", "and the deposit?", "When is the deposit due?"),
    ("What is the dose for adults?", "", "And for children?", "What is the dose for children?"),
    ("When did Eliot die?", "1965", "And his wife?", "When did Eliot’s wife die?"),
    (
        "How many diplomats does Russia have in Washington?",
        "",
        "Or China?",
        "How many diplomats does China have in Washington?",
    ),
    # bare question words ask the rest anew
    (BORN, "St. Louis", "When?", "When was Eliot born?"),
    (BORN, "St. Louis", "And when exactly?", "when exactly was Eliot born?"),
    (BRIDGE, "1858", "By whom?", "By whom was the bridge at Skagen built?"),
    (BRIDGE, "1858", "Why?", "Why was the bridge at Skagen built?"),
    (
        "How many sanctions has Russia faced?",
        "5,000",
        "Since when?",
        "Since when has Russia faced sanctions?",
    ),
    (
        "Who did Eliot marry?",
        "Vivienne Haigh-Wood",
        "When?",
        "When did Eliot marry Vivienne Haigh-Wood?",
    ),
    ("Who did Eliot marry?", "Vivienne Haigh-Wood", "Who else?", "Who else did Eliot marry?"),
    ("Who signed the lease?", "Anna Berg", "When?", "When was it that Anna Berg signed the lease?"),
    ("Who signed the lease?", "", "Where?", "Where was it that someone signed the lease?"),
    ("Who is suing the tenant?", "Anna Berg", "Why?", "Why is Anna Berg suing the tenant?"),
    ("Did Eliot have any children?", "", "How many?", "How many children did Eliot have?"),
    ("Did the company pay?", "", "Why?", "Why did the company pay?"),
    ("What albums did Cher release?", "", "Which ones?", "Which albums did Cher release?"),
    # pronouns, "there" and "then" become what fits
    ("When did Eliot get married?", "1915", "Who did he marry?", "Who did Eliot marry?"),
    ("Who founded the company?", "Anna Berg", "When was she born?", "When was Anna Berg born?"),
    ("Who was Eliot's wife?", "Vivienne", "When did she die?", "When did Vivienne die?"),
    ("Who was Eliot's wife?", "Vivienne", "When did he die?", "When did Eliot die?"),
    ("When did Keynes retire?", "", "What was his best work?", "What was Keynes’ best work?"),
    ("Where was Seth born?", "Kent", "Tell me about his father.", "Tell me about Seth’s father."),
    (
        "When did Cher tour?",
        "",
        "What did critics say about her?",
        "What did critics say about Cher?",
    ),
    ("When did Cher tour?", "", "What was her first album?", "What was Cher’s first album?"),
    ("What album did Cher release?", "Believe", "How did it sell?", "How did Believe sell?"),
    ("What is Ripcord?", "", "When was it released?", "When was Ripcord released?"),
    ("When is the rent due?", "", "How much is it?", "How much is the rent?"),
    ("When did Sam and Dave split?", "", "Where did they meet?", "Where did Sam and Dave meet?"),
    (
        "When was the band formed?",
        "1996",
        "Did they win any awards?",
        "Did the band win any awards?",
    ),
    (
        "Where did Eliot study?",
        "at Harvard",
        "Who did he meet there?",
        "Who did Eliot meet at Harvard?",
    ),
    ("Who did Eliot meet in Paris?", "", "How long was he there?", "How long was Eliot in Paris?"),
    (
        "When did Eliot marry?",
        "1915",
        "What else happened that year?",
        "What else happened in 1915 (Eliot)?",
    ),
    (
        "When did Eliot marry?",
        "1915",
        "Where has he lived since then?",
        "Where has Eliot lived since 1915?",
    ),
    (
        "What is the warranty of the pump?",
        "",
        "Why is that?",
        "Why is that (warranty of the pump)?",
    ),
    ("What songs did Cher record?", "", "Any other songs?", "Any other songs (Cher)?"),
    ("When did the tenant move in?", "", "When did he move out?", "When did the tenant move out?"),
]

STANDS = [
    "Who signed the lease?",
    "How many individual sanctions has Russia faced?",
    "What did Lavrov say about his plans?",
    "Why did the minister say he would resign?",
    "Who said that he would resign?",
    "How long does it take to charge the battery?",
    "Is it possible to replace the gasket?",
    "Is it true that the bridge is closed?",
    "Are there any exceptions for students?",
    "How many bolts are there in the cover?",
    "Which countries closed their airspace?",
    "Do bees feed their young?",
    "When the pump fails, how is it restarted?",
    "Who owns the company that made the pump?",
    "Did Lavrov claim that sanctions help?",
    "What happened this year?",
    "In which year did Norway join NATO?",
    "In 2019, how many people lived in Oslo?",
    "What other causes of scurvy are known?",
    "And when did Lavrov resign?",
    "wing flutter at Mach 2",
    "Norway",
    "What can you do?",
    "Before his death, what did Lavrov write?",
    "  What  is the rent?\t",
    "What about telling me who wrote the report on the bridge?",
    "And now?",
    "Which of those who signed are tenants?",
    "Wo liegt Oslo?",
    "...",
    "",
]


@pytest.mark.parametrize(("before", "short", "asked", "alone"), LEANS)
def test_what_leans_is_completed(before: str, short: str, asked: str, alone: str) -> None:
    assert complete_question(asked, [Turn(before, "", short)]) == alone


@pytest.mark.parametrize("asked", STANDS)
def test_what_stands_by_itself_stays(asked: str) -> None:
    assert (
        complete_question(
            asked, [Turn("When did Eliot meet Pound in Paris?", "They met in 1920 [1].", "1920")]
        )
        == asked
    )


@pytest.mark.parametrize(("before", "short", "asked", "alone"), LEANS)
def test_without_an_earlier_question_nothing_is_completed(
    before: str, short: str, asked: str, alone: str
) -> None:
    assert complete_question(asked, []) == asked
    assert complete_question(asked, [Turn("", "")]) == asked
    assert complete_question(asked, [Turn("word " * 100, "", short)]) == asked


@pytest.mark.parametrize(("before", "short", "asked", "alone"), LEANS)
def test_what_was_completed_stands_by_itself(
    before: str, short: str, asked: str, alone: str
) -> None:
    if "(" not in alone:
        assert complete_question(alone, [Turn(before, "", short)]) == alone


def test_a_conversation_goes_on_from_what_was_completed() -> None:
    turns: list[Turn] = []
    completed = []
    for asked, short in (
        ("Where was Eliot born?", "St. Louis"),
        ("When?", "1888"),
        ("Who did he marry?", "Vivienne"),
        ("When?", "1915"),
    ):
        completed.append(complete_question(asked, turns))
        turns.append(Turn(completed[-1], "", short))
    assert completed == [
        "Where was Eliot born?",
        "When was Eliot born?",
        "Who did Eliot marry?",
        "When did Eliot marry Vivienne?",
    ]


def test_whom_a_pronoun_means_may_have_been_named_some_questions_ago() -> None:
    turns = [Turn("When did Eliot marry?", "", "1915"), Turn("How high is the bridge?", "", "9 m")]
    assert complete_question("When did he die?", turns) == "When did Eliot die?"
    assert complete_question("When did he die?", [*turns, turns[1], turns[1]]) == "When did he die?"


def test_nobody_is_put_for_a_pronoun_that_fits_nobody() -> None:
    for before in (
        "Where is Leuven?",
        "What is the boiling point?",
        "How is BASIC compiled?",
        "Who lives in Paris?",
    ):
        assert complete_question("When did he arrive?", [Turn(before, "")]) == "When did he arrive?"


TEXT = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            (
                "and what about how When Why he she it they his her there then that in 2019 Africa "
                "the Anna Berg , ? ( “ \" 's \x1b \u202e \n other any did was signed"
            ).split(" ")
        ),
        max_size=14,
    ).map(" ".join),
)


@examples(400)
@given(TEXT, st.lists(st.builds(Turn, TEXT, TEXT, TEXT), max_size=4))
def test_whatever_is_said_the_outcome_is_the_question_or_one_plain_line(
    asked: str, turns: list[Turn]
) -> None:
    completed = complete_question(asked, turns)
    assert completed == complete_question(asked, turns)
    assert completed == asked or (
        len(completed) <= MAX_REWRITE_CHARS and completed.isprintable() and completed.strip()
    )


@pytest.mark.parametrize(
    "part",
    ["(" * 5000, "the a " * 5000, "and " * 20000, "What about " * 9000, "A" * 10**6, "he, " * 9000],
)
def test_what_is_huge_is_left_alone_at_once(part: str) -> None:
    assert complete_question(part, [Turn(part, part, part)]) == part
    assert complete_question("When?", [Turn(part, part, part)]) == "When?"
    assert (
        complete_question("When did he go?", [Turn("Who was it?", part, part)]) == "When did he go?"
    )
    assert complete_question(part, [Turn("Who was Eliot?", "", "")]) == part


# -- in the flow

WED = passage(1, "Eliot married Vivienne Haigh-Wood on 26 June 1915.")
MARRIED = Turn("Who did Eliot marry?", "Vivienne Haigh-Wood [1].", "Vivienne Haigh-Wood")


def _ask(
    question: str, writer: Script, history: list[Turn]
) -> tuple[list[str], list[Event], Answer]:
    searched_questions: list[str] = []

    def search(text: str, limit: int):  # type: ignore[no-untyped-def]
        searched_questions.append(text)
        return (WED,)

    events = list(
        answer_question(question, search, writer, JUDGE, limit=5, searched=1, history=history)
    )
    assert isinstance(events[-1], Answered)
    return searched_questions, events, events[-1].answer


def _writer() -> Script:
    return Script(quote(WED, WED.chunk.text))


def test_what_is_looked_up_and_read_is_the_completed_question_and_it_is_told() -> None:
    writer = _writer()
    searched_questions, events, found = _ask("When?", writer, [MARRIED])
    asked = "When did Eliot marry Vivienne Haigh-Wood?"
    assert searched_questions == [asked] and writer.asked == [(asked, (1,), 1)]
    assert (found.question, found.asked) == ("When?", asked)
    assert [e.asked for e in events if isinstance(e, Retrieved)] == [asked]


def test_an_ordinary_question_costs_the_writer_nothing() -> None:
    for question, history in (("When did Eliot marry?", [MARRIED]), ("When?", [])):
        searched_questions, events, found = _ask(question, _writer(), history)
        assert searched_questions == [question] and found.asked == ""
        assert [e.asked for e in events if isinstance(e, Retrieved)] == [""]


def test_it_is_known_without_capitals_that_a_name_is_the_same() -> None:
    assert re.search(
        "eliot", complete_question("when did he die?", [Turn("when was Eliot born?", "")]), re.I
    )


def test_what_about_replaces_its_like_turn_after_turn() -> None:
    turns = [Turn("How much is a tyre change for the Falcon 3?", "", "120 euros")]
    expected = [
        ("What about a service?", "How much is a service for the Falcon 3?"),
        ("And a new windscreen?", "How much is a new windscreen for the Falcon 3?"),
        ("And for the Falcon 5?", "How much is a new windscreen for the Falcon 5?"),
        ("What about the Falcon 7?", "How much is a new windscreen for the Falcon 7?"),
    ]
    for question, completed in expected:
        assert complete_question(question, turns) == completed
        turns.append(Turn(completed, "", "1 euro"))


@pytest.mark.parametrize(
    ("before", "asked", "alone"),
    [
        ("How much is a hedge trimmer?", "And mulching?", "How much is mulching?"),
        ("What does a day pass cost?", "what about rental", "What does rental cost?"),
        ("How much is a seat for pupils?", "And students?", "How much is a seat for students?"),
        (
            "Who is the warden of the mountain hut?",
            "When does it open?",
            "When does the mountain hut open?",
        ),
    ],
)
def test_a_bare_noun_takes_the_place_of_its_like(before: str, asked: str, alone: str) -> None:
    assert complete_question(asked, [Turn(before, "")]) == alone
