"""Answers in languages that no model reads, by the words of the question."""

from __future__ import annotations

import pytest

from rag.answer.judge import JudgeFit
from rag.answer.reader import Reader
from rag.answer.word_matching import match_words, words_of
from rag.domain import Draft, Model, Passage, Quote
from tests.support.fakes import WordPairs
from tests.support.readers import reads
from tests.support.structured import passage_of

LEASE_ZH = passage_of(
    "# 合同\n\n出租人是陈静，承租人是赵强。电费是每月八十元，水费是四十元。不准吸烟。\n"
)
DIARY_JA = passage_of(
    "今日は図書館で本を借りた。\n昼食はそばだった。\n明日は午後三時に床屋に行く。\n"
)
LEASE_AR = passage_of("البائع هو نبيل صالح.\nثمن السيارة هو 900 دينار.\nمدة الضمان سنتان.\n")
SHOP_DE = passage_of(
    "Die graue Tonne wird freitags geleert, die blaue alle vier Wochen.\n"
    "Der Roggenlaib kostet 4,80 Euro.\nDie Anmeldung für Flöte endet am 3. Mai.\n"
    "Wer übernimmt den Abwasch?\n"
)


@pytest.mark.parametrize(
    ("passage", "question", "quote", "short"),
    [
        (LEASE_ZH, "电费是多少？", "电费是每月八十元，水费是四十元。", "每月八十元"),
        (LEASE_ZH, "承租人是谁？", "出租人是陈静，承租人是赵强。", "赵强"),
        (LEASE_ZH, "可以吸烟吗？", "不准吸烟。", "不准吸烟"),
        (DIARY_JA, "昼食は何でしたか", "昼食はそばだった。", "そばだった"),
        (DIARY_JA, "床屋に行くのは何時ですか", "明日は午後三時に床屋に行く。", "午後三時"),
        (LEASE_AR, "كم ثمن السيارة؟", "ثمن السيارة هو 900 دينار.", "900"),
        (LEASE_AR, "ما هي مدة الضمان؟", "مدة الضمان سنتان.", "سنتان"),
        (SHOP_DE, "Was kostet der Roggenlaib?", "Der Roggenlaib kostet 4,80 Euro.", "4,80 Euro"),
        (SHOP_DE, "Wann wird die graue Tonne geleert?", "Die graue Tonne wird", "freitags"),
    ],
)
def test_the_part_with_the_words_of_the_question_is_found(
    passage: Passage, question: str, quote: str, short: str
) -> None:
    found = match_words(question, [passage])
    assert found is not None and found.share > 0.6
    text = passage.chunk.text
    assert found.quote.of(text).startswith(quote)
    assert short in found.short.of(text)


@pytest.mark.parametrize(
    ("passage", "question"),
    [
        (LEASE_ZH, "出租人的电话是多少？"),
        (LEASE_AR, "ما هو هاتف البائع؟"),
        (SHOP_DE, "Was kostet der Flötenunterricht?"),
        (SHOP_DE, "Wer übernimmt den Abwasch?"),
        (SHOP_DE, "Wo ist das?"),
    ],
)
def test_nothing_is_found_without_most_of_the_words(passage: Passage, question: str) -> None:
    assert match_words(question, [passage]) is None


def test_two_parts_with_the_same_words_leave_it_open() -> None:
    held = passage_of("Die Garage kostet 40 Euro.\nDie Garage ist trocken.\nEs regnet.\n")
    assert match_words("Wie ist die Garage?", [held]) is None


def test_words_are_compared_without_articles_and_what_asks() -> None:
    assert words_of("ما هو الثمن؟") == words_of("ثمن")
    assert words_of("房东是谁？") == ("房东",)
    assert words_of("Wann ist die Garage offen?") == ("garage", "offen")


def test_the_reader_quotes_it_and_says_how_it_was_found() -> None:
    fit = JudgeFit({}, constant=-9.0, least=0.3, part=0.2)
    reader = Reader(reads(WordPairs()), Model("reader", ""), fit)
    draft, quote = reader.write("电费是多少？", [LEASE_ZH], [])
    assert isinstance(draft, Draft) and not draft.abstained and draft.short == "每月八十元"
    assert isinstance(quote, Quote) and quote.text == "电费是每月八十元，水费是四十元。"
    assert quote.judgement and "by the words of the question alone" in quote.judgement.reasons[0]
    (refused,) = reader.write("出租人的电话是多少？", [LEASE_ZH], [])
    assert isinstance(refused, Draft) and refused.abstained
