"""Answers with a chat model that says what a test tells it to: footnotes, withheld sentences, order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag import serialize
from rag.answer.answer import answer_question
from rag.answer.chat_writer import ChatWriter
from rag.answer.compose import SCATTERED
from rag.answer.model_text import (
    clean_sentence,
    find_verbatim,
    sentences_of,
    unquote_what_is_not_verbatim,
)
from rag.cli.output import print_answer
from rag.domain import Draft, Passage, Quote, Receipt, Turn, Verdict
from rag.events import Answered, Reading, Token
from tests.support.fakes import JUDGE, Script, passage, quote
from tests.support.scripted_chat import ScriptedChat, ask, built_in_reader, chat_writer
from tui.render.answer_text import notes
from tui.render.glyphs import UNICODE

MILL = passage(
    1,
    "The mill of Ashby was built in 1871. Its wheel turns twelve hours a day. "
    "The miller is Jane Doe.",
    title="Mill",
)
POOL = passage(2, "The pool of Ashby opens at noon. A ticket costs 4 euros.", title="Pool")
OWNER = passage(
    3, "The pool belongs to the town. The basin of the pool was tiled by Peter Brown.", title="Own"
)
PASSAGES = (MILL, POOL)
BUILT = "When was the mill of Ashby built?"


def _texts(answer: object) -> list[tuple[str, list[int]]]:
    from rag.domain import Answer

    assert isinstance(answer, Answer)
    return [(c.sentence.text, [m.number for m in c.sentence.citations]) for c in answer.claims]


@pytest.mark.slow
def test_the_engine_sets_the_footnote_of_a_sentence_without_one() -> None:
    answer, _ = ask(BUILT, PASSAGES, "Ashby's mill was built in 1871.")
    assert _texts(answer)[0] == ("Ashby's mill was built in 1871.", [1])
    assert not answer.abstained and answer.short == "in 1871"
    assert {claim.verdict for claim in answer.claims} == {Verdict.SUPPORTED}


@pytest.mark.slow
@pytest.mark.parametrize(
    "written",
    [
        "Ashby's mill was built in 1871 [2].",
        "Ashby's mill was built in 1871 [1][7].",
        "According to passage 2, Ashby's mill was built in 1871.",
        "Answer: Ashby's mill was built in 1871.<|im_end|>",
        "**Ashby's mill** was built in 1871. [9]",
    ],
)
def test_markers_names_and_template_tokens_of_the_model_are_not_shown(written: str) -> None:
    answer, _ = ask(BUILT, PASSAGES, written)
    text, numbers = _texts(answer)[0]
    assert numbers == [1] and "1871" in text
    assert not any(part in answer.text for part in ("[2]", "[7]", "[9]", "passage", "<|", "Answer"))


@pytest.mark.parametrize("written", ["[1]", "Passage 1 [1]", "", "Question: " + BUILT, BUILT])
def test_what_says_nothing_leaves_the_readers_answer(written: str) -> None:
    answer, _ = ask(BUILT, PASSAGES, written)
    reader = list(
        answer_question(BUILT, lambda q, n: PASSAGES, built_in_reader(), JUDGE, limit=5, searched=9)
    )[-1]
    assert isinstance(reader, Answered)
    assert answer.text == reader.answer.text and answer.withheld == ()


def test_a_fragment_of_the_quotation_is_shown_as_the_quotation() -> None:
    answer, _ = ask(BUILT, PASSAGES, "1871")
    assert answer.text == "The mill of Ashby was built in 1871. [1]"
    assert answer.claims[0].reasons == ("verbatim in [1]",)


def test_a_verbatim_sentence_is_a_quotation_and_stands_once() -> None:
    answer, _ = ask(BUILT, PASSAGES, "The mill of Ashby was built in 1871.")
    assert answer.text == "The mill of Ashby was built in 1871. [1]"
    assert answer.claims[0].sentence.quote is not None


def test_quotations_at_the_same_place_of_two_documents_are_both_shown() -> None:
    written = "The mill of Ashby was built in 1871. The pool of Ashby opens at noon."
    answer, _ = ask("When was the mill of Ashby built, and when does it open?", PASSAGES, written)
    assert _texts(answer) == [
        ("The mill of Ashby was built in 1871.", [1]),
        ("The pool of Ashby opens at noon.", [2]),
    ]


def test_a_currency_that_the_source_does_not_name_is_not_shown() -> None:
    told = passage(1, "The debt of the mill of Ashby is 2,500 by now.")
    answer, _ = ask(
        "How much is the debt of the mill?", [told], "The mill of Ashby has a debt of $2,500 now."
    )
    assert "$" not in answer.text and "2,500" in answer.text
    assert answer.withheld[0].reasons[0] == "$: the source names no such currency"


def test_sentences_without_a_full_stop_stay_apart() -> None:
    written = "- Ashby's mill was built in 1871\n- The miller of Ashby's mill is Jane Doe"
    answer, _ = ask(BUILT, PASSAGES, written)
    assert [text for text, _ in _texts(answer)] == [
        "Ashby's mill was built in 1871.",
        "The miller of Ashby's mill is Jane Doe.",
    ]


def test_a_false_number_is_withheld_with_what_the_source_says() -> None:
    answer, _ = ask(BUILT, PASSAGES, "The mill of Ashby was built in 1923.")
    assert "1923" not in answer.text and "1871" in answer.text
    (withheld,) = answer.withheld
    assert withheld.verdict is Verdict.CONTRADICTED and "1923" in withheld.sentence.text
    assert any("1871" in reason for reason in withheld.reasons)
    assert withheld.evidence[0].text == "The mill of Ashby was built in 1871."
    assert serialize.answer(answer)["withheld"][0]["verdict"] == "contradicted"


def test_a_withheld_sentence_is_shown_with_its_reason_and_what_the_source_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer, _ = ask(BUILT, PASSAGES, "The mill of Ashby was built in 1923.")
    print_answer(answer, quiet=True)
    shown = " ".join(capsys.readouterr().out.split())
    assert "✗ withheld: “The mill of Ashby was built in 1923.” contradicted: 1923" in shown
    assert "The mill of Ashby was built in 1871." in shown.partition("withheld")[2]
    chat = " ".join(notes(answer, UNICODE).plain.split())
    assert "! withheld: “The mill of Ashby was built in 1923.” contradicted: 1923" in chat
    assert "says “The mill of Ashby was built in 1871.”" in chat


@pytest.mark.parametrize("said", ["The weakest wind at the mill of Ashby is mild.", "Milk."])
def test_another_answer_than_the_readers_is_withheld(said: str) -> None:
    told = passage(1, "Four winds blow at the mill of Ashby: strong, weak, mild and still.")
    reader = Script(quote(told, told.chunk.text), draft=Draft(Receipt(), short="still", chance=0.9))
    asked = "What is the weakest wind at the mill of Ashby?"
    other = passage(2, "Much of the milk of Ashby is sold at the mill.")
    answer, _ = ask(asked, [told, other], said, reader=reader)
    assert answer.text == f"{told.chunk.text} [1]"
    assert "something else than the reader" in answer.withheld[0].reasons[0]


def test_a_false_sentence_is_withheld_and_the_true_one_beside_it_is_shown() -> None:
    answer, _ = ask(
        BUILT,
        PASSAGES,
        "Ashby's mill was built in 1871. Dragons guard the cellar of the castle. "
        "The mill of Ashby has Jane Doe as miller.",
        "Dragons again guard the castle.",
    )
    shown = [text for text, _ in _texts(answer)]
    assert shown == ["Ashby's mill was built in 1871.", "The mill of Ashby has Jane Doe as miller."]
    assert "Dragons" not in answer.text
    assert [c.sentence.text for c in answer.withheld] == ["Dragons guard the cellar of the castle."]


def test_the_readers_quotation_is_first_if_the_model_misses_its_answer() -> None:
    answer, _ = ask(BUILT, PASSAGES, "The mill of Ashby has a wheel that turns twelve hours a day.")
    assert [text for text, _ in _texts(answer)] == [
        "The mill of Ashby was built in 1871.",
        "The mill of Ashby has a wheel that turns twelve hours a day.",
    ]


def test_a_sentence_that_mixes_two_of_its_source_is_withheld() -> None:
    told = passage(
        1,
        "In 1987 the mayor of Ashby wrote a letter to all neighbours of the mill. "
        "The water of the river has been discussed by the council since 1974.",
    )
    asked = "When did the mayor of Ashby write a letter to the neighbours?"
    answer, _ = ask(asked, [told], "The mayor of Ashby wrote about the water of the river in 1974.")
    assert answer.text == (
        "In 1987 the mayor of Ashby wrote a letter to all neighbours of the mill. [1]"
    )
    assert [claim.reasons[0] for claim in answer.withheld] == [SCATTERED]


def test_a_question_that_is_affirmed_is_no_answer() -> None:
    told = passage(1, "Flat B has two rooms and a balcony. Flat A has one room.")
    reader = Script(
        quote(told, "Flat B has two rooms and a balcony."),
        draft=Draft(Receipt(), short="two rooms", chance=0.9),
    )
    asked = "Do both flats have a balcony?"
    answer, _ = ask(asked, [told], "Both flats have a balcony.", reader=reader)
    assert "Both flats" not in answer.text and answer.text.startswith("Flat B")


def test_a_part_of_the_quotation_without_its_answer_is_not_shown_beside_it() -> None:
    told = passage(1, "In June the mayor of Ashby outlined conditions for opening the mill.")
    asked = "In which month did the mayor of Ashby outline conditions?"
    reader = Script(quote(told, told.chunk.text), draft=Draft(Receipt(), short="June", chance=0.9))
    answer, _ = ask(asked, [told], "The mayor of Ashby outlined conditions.", reader=reader)
    assert answer.text == f"{told.chunk.text} [1]" and answer.withheld == ()


def test_all_that_the_reader_quotes_is_in_the_answer() -> None:
    reader = Script(
        quote(MILL, "The mill of Ashby was built in 1871."),
        " ",
        quote(POOL, "A ticket costs 4 euros."),
        draft=Draft(Receipt(), short="1871", chance=0.9),
    )
    answer, _ = ask(BUILT, PASSAGES, "Ashby built its mill in 1871.", reader=reader)
    assert [numbers for _, numbers in _texts(answer)] == [[1], [2]]
    assert answer.text.endswith("A ticket costs 4 euros. [2]")


def test_sources_that_differ_are_quoted_before_the_model_says_anything() -> None:
    other = passage(2, "The mill of Ashby was built in 1872.", title="Other")
    reader = Script(
        quote(MILL, "The mill of Ashby was built in 1871."),
        " The sources differ. ",
        quote(other, "The mill of Ashby was built in 1872."),
        draft=Draft(Receipt(), short="1871", differ=True, chance=0.9),
    )
    answer, _ = ask(BUILT, (MILL, other), "Ashby built its mill in 1872.", reader=reader)
    assert answer.differ and answer.text.startswith(
        "The mill of Ashby was built in 1871. [1] The sources differ. The mill of Ashby was built"
    )


def test_whether_to_answer_is_not_left_to_the_model() -> None:
    chat = ScriptedChat("The king of France is Jane Doe.")
    asked = "What does the lighthouse keeper of Brighton eat?"
    events = list(chat_writer(chat).write(asked, PASSAGES, []))
    assert isinstance(events[-1], Draft) and events[-1].abstained and chat.prompts == []
    answer, _ = ask(BUILT, PASSAGES, "The notes do not mention it.")
    assert not answer.abstained and "1871" in answer.text and len(answer.withheld) == 1


def test_a_sentence_that_the_passages_lack_is_searched_for_and_cited() -> None:
    sought: list[str] = []

    def search(text: str, limit: int) -> tuple[Passage, ...]:
        sought.append(text)
        return PASSAGES if len(sought) == 1 else (replace(OWNER, number=1),)

    asked = "When was the mill of Ashby built, and who tiled its basin?"
    answer, _ = ask(
        asked, PASSAGES, "The basin of the pool was tiled by Peter Brown.", search=search
    )
    assert sought == [asked, "The basin of the pool was tiled by Peter Brown."]
    assert _texts(answer)[1] == ("The basin of the pool was tiled by Peter Brown.", [3])
    assert [p.number for p in answer.passages] == [1, 2, 3]
    assert answer.claims[1].evidence[0].document == OWNER.chunk.document


def test_an_unsupported_sentence_is_asked_for_once_more_from_its_nearest_evidence() -> None:
    chat = ScriptedChat("The old mill collapsed under heavy snow.", "Ashby built its mill in 1871.")
    writer = chat_writer(chat)
    events = list(answer_question(BUILT, lambda q, n: PASSAGES, writer, JUDGE, limit=5, searched=9))
    assert isinstance(events[-1], Answered)
    assert _texts(events[-1].answer)[0] == ("Ashby built its mill in 1871.", [1])
    assert events[-1].answer.withheld == () and len(chat.prompts) == 2
    assert "One of the notes says:" in chat.prompts[1]
    assert chat.reads[1] < chat.reads[0]


def test_a_sentence_is_on_the_screen_before_the_next_is_written() -> None:
    chat = ScriptedChat("Ashby's mill was built in 1871. The miller there is Jane Doe.")
    written: list[str] = []
    original = chat.write

    def listen(*given: object) -> object:
        for word in original(*given):  # type: ignore[arg-type]
            written.append(word)
            yield word

    chat.write = listen  # type: ignore[method-assign, assignment]
    for event in answer_question(
        BUILT, lambda q, n: PASSAGES, chat_writer(chat), JUDGE, limit=5, searched=9
    ):
        if isinstance(event, Token):
            break
    assert "1871" in "".join(written) and "Doe" not in "".join(written)


def test_it_says_how_far_the_prompt_is_read_and_stops_within_it() -> None:
    chat = ScriptedChat("Ashby's mill was built in 1871.")
    passages = [passage(n, f"The mill of Ashby was built in 18{n}. " * 3) for n in range(71, 76)]
    asked: list[bool] = []
    events = []
    for event in answer_question(
        BUILT,
        lambda q, n: tuple(passages),
        chat_writer(chat),
        JUDGE,
        limit=5,
        searched=9,
        stop=lambda: bool(asked),
    ):
        events.append(event)
        if isinstance(event, Reading) and chat.prompts:
            asked.append(True)
    assert isinstance(events[-1], Answered) and events[-1].answer.stopped
    assert events[-1].answer.text == "" and chat.closed == 0


def test_a_prompt_has_a_budget_and_the_receipt_says_what_was_left_out() -> None:
    text = " ".join(
        f"The mill of Ashby number {n} was built by a man from town {n}." for n in range(60)
    )
    passages = (passage(1, text), passage(2, "The pool is blue and belongs to the town of Ashby."))
    chat = ScriptedChat()
    prompt = chat_writer(chat, prompt_tokens=200).prompt(BUILT, passages)
    assert len(prompt.ids) <= 200 and prompt.numbers
    assert "parts of the passages, over" in prompt.receipt.dropped[0]
    assert prompt.receipt.system + prompt.receipt.passages == len(prompt.ids)


def test_the_most_useful_excerpt_stands_last_and_the_question_after_it() -> None:
    chat = ScriptedChat("1871")
    list(chat_writer(chat).write(BUILT, PASSAGES, []))
    text = chat.prompts[0]
    assert text.index("ticket") < text.index("1871") < text.index("Question: ")
    assert "[1]" not in text and "Mill" in text


def test_a_follow_up_on_the_same_evidence_reads_a_quarter_at_most() -> None:
    text = " ".join(f"Fact {n} says that the mill of Ashby ground {n} sacks." for n in range(30))
    passages = (replace(MILL, chunk=replace(MILL.chunk, text=f"{MILL.chunk.text} {text}")), POOL)
    chat = ScriptedChat("1871", "Jane Doe")
    writer = chat_writer(chat)
    list(writer.write(BUILT, passages, []))
    list(writer.write("Who is the miller of Ashby?", passages, [Turn(BUILT, "1871")]))
    assert len(chat.reads) == 2 and chat.reads[1] <= chat.reads[0] / 4
    list(writer.write("Who is the miller of Ashby?", passages, []))
    assert len(chat.reads) == 3


def test_sentences_are_complete_when_the_next_one_begins() -> None:
    pieces = ["It cost 4", ".5 euros", ". ", "He pa", "id.\n", "- One\n", "- Two"]
    assert list(sentences_of(pieces)) == ["It cost 4.5 euros.", "He paid.", "- One", "- Two"]
    assert [len(s) for s in sentences_of(["word " * 1000])][:1] == [599]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("It rained [1].", "It rained."),
        ("- It rained [1, 2].", "It rained."),
        ("Passage 1 [1]", ""),
        ("[1]", ""),
        ("Based on the notes, it rained.", "It rained."),
        ("<|im_start|>assistant: It rained.</s>", "It rained."),
        ("Question: did it rain?", ""),
        ("Did it rain", ""),
        ("It [sic] rained a[0].", "It [sic] rained a."),
    ],
)
def test_what_the_model_adds_around_its_words_is_taken_away(text: str, cleaned: str) -> None:
    assert clean_sentence(text, "Did it rain?") == cleaned


def test_quotation_marks_stand_only_around_words_of_a_passage() -> None:
    text = 'The notes say "was built in 1871" and "was built by elves".'
    assert unquote_what_is_not_verbatim(text, PASSAGES) == (
        'The notes say "was built in 1871" and was built by elves.'
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The mill “ was built in 1871.", "The mill was built in 1871."),
        ('"The mill was built.', "The mill was built."),
        ('A pipe of 5" is in the mill.', 'A pipe of 5" is in the mill.'),
        ('"By elves" was said of the mill".', "By elves was said of the mill."),
    ],
)
def test_a_quotation_mark_that_stands_alone_is_not_shown(text: str, shown: str) -> None:
    assert unquote_what_is_not_verbatim(text, PASSAGES) == shown


def test_a_verbatim_place_is_whole_words_over_line_breaks() -> None:
    broken = passage(4, "The mill\n of Ashby was built.", offset=10)
    found = find_verbatim("the mill of Ashby", [broken]) or find_verbatim(
        "mill of Ashby.", [broken]
    )
    assert isinstance(found, Quote) and found.span.start == 14 and found.text == "mill\n of Ashby"
    assert find_verbatim("ill of Ashby", [broken]) is None


def test_a_prompt_that_does_not_fit_leaves_the_readers_answer() -> None:
    chat = ScriptedChat("1871", size=330)
    long = passage(1, "The mill of Ashby was built in 1871 " + "by many hands " * 400)
    writer: ChatWriter = chat_writer(chat)
    pieces = list(writer.write(BUILT, [long], []))
    assert [p.number for p in pieces if isinstance(p, Quote)] == [1] and chat.prompts == []
