"""Answers looked up in rows, records, entries, lists and answers, and what is not answered so."""

from __future__ import annotations

import pytest

from rag.answer.lookup import look_up
from rag.domain import Passage
from tests.support.structured import passage_of, table_passage

STOCK = table_passage(
    "Article,Colour,Price,Stock\noak bench,brown,129.50,4\nelm stool,grey,89.90,31\n"
    "elm shelf,red,212.00,0\n",
    "shop.csv",
)
CARDS = passage_of(
    "Workshop account\nIBAN: AA11 2222\nBIC: WORKSHOPXX\n\n"
    "Name: Una Berg\nPhone: 555-0188\nBirthday: 4 May\n\n"
    "Name: Olav Tveit\nPhone: 555-0199\nBirthday: 9 July\n"
)
TERMS = passage_of(
    "# Words\n\n**burr** - the rough edge that a cut leaves\n\n**jig** - a guide that holds the work\n"
)
LISTS = passage_of(
    "# Trip\n\nPlease pack for the trip:\n\n- a warm hat\n- two blankets\n- soup\n\n"
    "## Huts\n\nThe huts are closed in winter.\n"
)
FAQ = passage_of(
    "Q: How do I borrow a saw?\nA: Ask Ida at the counter. It costs nothing.\n\n"
    "Q: Where can I park?\nA: Behind the mill.\n"
)


def shorts(question: str, *passages: Passage) -> list[str]:
    return [
        place.passage.chunk.text[place.short.start : place.short.end]
        for place in look_up(question, passages)
    ]


WEEK = table_passage(
    "Office,Mon-Thu,Fri,Sat\nHarbour,9-17,9-12,closed\nMarket,10-18,10-18,10-14\n", "hours.csv"
)
TALK = passage_of("Ida: We build on Friday. Who fetches the crane?\n\nOlav: I fetch the beams.\n")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What are the hours of the Harbour office on Wednesday?", "9-17"),
        ("What are the hours of the Market office on Saturdays?", "10-14"),
    ],
)
def test_a_day_that_a_column_abbreviates_or_spans_names_the_column(
    question: str, answer: str
) -> None:
    assert shorts(question, WEEK) == [answer]


def test_who_asks_who_does_it_does_not_do_it() -> None:
    assert shorts("Who fetches the crane?", TALK) == []
    assert shorts("Who fetches the beams?", TALK) == ["Olav"]


def test_how_a_sum_was_paid_is_not_the_sum() -> None:
    card = passage_of("Invoice: 77-3\nAmount: 96.50 EUR\nDue: 18 May 2023\n")
    assert shorts("How was invoice 77-3 paid?", card) == []
    assert shorts("How much was paid for invoice 77-3?", card) == ["96.50 EUR"]


def test_a_mail_address_is_no_place() -> None:
    card = passage_of("Name: Una Berg\nAddress: 4 Mill Lane, Harl\nPhone: 555-0188\n")
    assert shorts("What is Una Berg's email address?", card) == []
    assert shorts("What is Una Berg's address?", card) == ["4 Mill Lane, Harl"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the price of the oak bench?", "129.50"),
        ("How much does the elm stool cost?", "89.90"),
        ("How many elm stools are in stock?", "31"),
        ("What colour is the elm shelf?", "red"),
        ("Which article costs 212.00?", "elm shelf"),
    ],
)
def test_a_row_is_found_by_its_values_and_answers_with_the_column_asked_for(
    question: str, answer: str
) -> None:
    assert shorts(question, STOCK) == [answer]


@pytest.mark.parametrize(
    "question",
    [
        "What is the price of the walnut bench?",  # no such row
        "How many articles are there?",  # to be counted
        "Which article has the highest price?",  # to be compared
        "Which article is not brown?",  # negation
        "What is the price of the oak bench in 2019?",  # no such year
        "What is the weight of the oak bench?",  # no such column
    ],
)
def test_what_no_row_says_is_not_looked_up(question: str) -> None:
    assert shorts(question, STOCK) == []


def test_two_rows_that_fit_equally_are_both_given_and_many_are_none() -> None:
    towns = table_passage("Name,Town\nAda,Lund\nBo,Lund\nCy,Vik\n")
    assert shorts("Who lives in Lund?", towns) == ["Ada", "Bo"]
    many = table_passage("Name,Town\n" + "".join(f"P{n}x,Lund\n" for n in range(9)))
    assert shorts("Who lives in Lund?", many) == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the IBAN of the workshop?", "AA11 2222"),
        ("When is Una Berg's birthday?", "4 May"),
        ("What is the phone number of Olav Tveit?", "555-0199"),
        ("Whose birthday is on 9 July?", "Olav Tveit"),
    ],
)
def test_a_field_of_a_record_is_told_from_that_of_another(question: str, answer: str) -> None:
    assert shorts(question, CARDS) == [answer]


def test_a_name_of_two_words_is_one_name() -> None:
    assert shorts("When is Una Tveit's birthday?", CARDS) == []


def test_a_term_gives_its_meaning_and_a_meaning_its_term() -> None:
    assert shorts("What is a jig?", TERMS) == ["a guide that holds the work"]
    assert shorts("What is the rough edge that a cut leaves called?", TERMS) == ["burr"]


def test_a_list_is_given_whole_if_its_introduction_is_asked_for() -> None:
    (whole,) = shorts("What should I pack for the trip?", LISTS)
    assert whole == "- a warm hat\n- two blankets\n- soup"
    assert shorts("What should I pack for the huts?", LISTS) == []


def test_the_answer_to_the_very_question_is_its_first_sentence() -> None:
    assert shorts("How do I borrow a saw?", FAQ) == ["Ask Ida at the counter."]
    assert shorts("How do I borrow a drill?", FAQ) == []


def test_every_place_is_a_slice_and_lies_in_its_evidence() -> None:
    for question in ("What is the price of the oak bench?", "When is Una Berg's birthday?"):
        for place in look_up(question, [STOCK, CARDS]):
            assert place.short.within(place.quote)
            assert place.quote.within(place.passage.chunk.span)


def test_a_question_of_another_kind_than_that_of_the_text_is_not_answered_by_it() -> None:
    assert shorts("How much is a saw to borrow?", FAQ) == []
    assert shorts("When can I borrow a saw?", FAQ) == []


def test_yes_or_no_is_not_looked_up() -> None:
    assert shorts("Is the oak bench brown?", STOCK) == []


def test_a_column_that_is_named_by_the_question_word_answers_whatever_the_verb() -> None:
    tasks = passage_of("# Fair\n\n| What | Who |\n|---|---|\n| tent | Ivo |\n| stage | Lia |\n")
    assert shorts("Who puts up the tent?", tasks) == ["Ivo"]


def test_the_front_matter_answers_about_the_document() -> None:
    page = passage_of("---\nauthor: Una Berg\ntags: [moss, peat]\n---\n\n# Bogs\n\nThey are wet.\n")
    assert shorts("Who is the author of the note?", page) == ["Una Berg"]
    (place,) = look_up("Which tags does the note have?", [page])
    assert page.chunk.text[place.quote.start : place.quote.end] == "tags: [moss, peat]"


RUNS = table_passage(
    "run;strain;temp_C;OD600\n2;Y-40;25;1.4\n3;Y-40;25;2.2\n3;Y-41;25;3.1\n", "growth.csv"
)
JOBS = table_passage("Pos,What,Price\n6,Removal of the boiler,480\n7,New tank,310\n", "offer.csv")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the OD of Y-40 in the third run?", "2.2"),
        ("What is the OD of Y-40 in the second run?", "1.4"),
    ],
)
def test_an_ordinal_is_the_number_of_what_a_column_counts(question: str, answer: str) -> None:
    assert shorts(question, RUNS) == [answer]


def test_a_column_named_what_has_no_name_of_the_question() -> None:
    assert shorts("What was wrong at Abbey Lane 6?", JOBS) == []


def test_the_number_of_a_section_answers_only_a_question_for_it() -> None:
    rules = passage_of("4.1: Members pay the late fee after ten days.\n4.2: Guests pay nothing.\n")
    assert "4.1" not in shorts("What is the late fee now?", rules)


def test_an_extension_is_a_telephone_number() -> None:
    desks = table_passage("name,desk,phone\nUna Berg,A1,4411\nOla Berg,A2,4412\n", "desks.csv")
    assert shorts("What is Una Berg's extension?", desks) == ["4411"]


DOSES = passage_of(
    "Dosage\nAdults and children over 12:   10 ml three times a day\n"
    "Children from 6 to 12:          5 ml three times a day\n"
    "Children from 4 to 6:           5 ml twice a day\n"
)
FARES = table_passage("Passenger,Fare\nAdult,74 kr\nChild 4-15,37 kr\nunder 4,free\n", "fares.csv")
OPTIONS = table_passage(
    "Option,Default,Meaning\n--calibrate,off,writes the wet value\n--seconds,8,pumps\n", "opt.csv"
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the dosage for an eight-year-old?", ["5 ml three times a day"]),
        ("What is the dosage for a child of 5?", ["5 ml twice a day"]),
        ("What is the dosage for children under four?", []),
    ],
)
def test_an_age_finds_the_line_of_its_range(question: str, answer: list[str]) -> None:
    assert shorts(question, DOSES) == answer


def test_an_age_finds_the_row_of_its_range() -> None:
    assert shorts("What is the fare for a 9-year-old passenger?", FARES) == ["37 kr"]


def test_who_is_not_answered_by_a_word_that_is_nobody() -> None:
    assert shorts("Who wrote the calibrate option?", OPTIONS) == []


def test_what_others_should_bring_is_a_list_too() -> None:
    held = passage_of("# Trip\n\nThe children should bring:\n\n- a warm hat\n- two blankets\n")
    (place,) = look_up("What should the children bring?", [held])
    assert "two blankets" in place.passage.chunk.text[place.quote.start : place.quote.end]
