"""The mask: all furniture of the five seeds, none of their words, nothing of ordinary prose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import Document, RawDocument, Span
from rag.ingest.clean import clean_document
from rag.ingest.page_furniture import find_furniture

SEEDS = Path(__file__).resolve().parents[2] / "seeds"

FURNITURE = {
    "000": [
        "- Sputnik International, 1920",
        "The latest news and stories from Russia. Stay tuned for updates and breaking news on defense, politics, economy and more.",
        "© Sputnik / Evgeniy Biyatov\u00a0/\u00a0Go to the mediabankRussian Foreign Minister Sergei Lavrov",
        "Russian Foreign Minister Sergei Lavrov - Sputnik International, 1920, 18.03.2022",
        "To participate in the discussion",
        "log in or register",
        "Заголовок открываемого материала",
    ],
    "001": [
        "No Script",
        "Please Wait...",
        "Al-Ahed Telegram",
        "Lavrov: Moscow Doesn’t Want War, But Won’t Allow to Ignore Its Interests",
        "folder_openRussia access_time2 years ago",
        "starAdd to favorites",
        "By Staff, Agencies",
        "Comments",
    ],
    "002": ["Related Articles", "Back to top button"],
    "003": ["Read more"],
    "004": ["All news"],
}
TITLES = {
    "000": "Lavrov: Moscow Wants Security Guarantees That Will Be Common for Russia, Ukraine, All of Europe",
    "001": "Lavrov: Moscow Doesn’t Want War, But Won’t Allow to Ignore Its Interests",
    "002": "Russia comments on security guarantees for all European states — Analysis",
    "003": "Russia and the West need mutual security guarantees for the crisis to be resolved, Foreign Minister Sergey Lavrov has said",
    "004": "Russia will decide on its own how to ensure its security, Lavrov says",
}


def _seed(number: str) -> Document:
    (path,) = SEEDS.glob(f"{number}_*.txt")
    return clean_document(RawDocument(path.read_bytes().decode()), f"seeds/{path.name}")


def _masked(text: str) -> list[str]:
    return [span.of(text) for span in clean_document(RawDocument(text), "x.txt").mask]


@pytest.mark.parametrize("number", FURNITURE)
def test_the_furniture_of_the_seeds_is_masked_and_nothing_else(number: str) -> None:
    document = _seed(number)
    assert [m.of(document.text) for m in document.mask] == FURNITURE[number]
    assert document.title == TITLES[number]


@pytest.mark.parametrize("number", FURNITURE)
def test_masks_are_whole_lines_in_order(number: str) -> None:
    document = _seed(number)
    assert list(document.mask) == sorted(document.mask)
    for span in document.mask:
        before, after = document.text[: span.start], document.text[span.end :]
        assert not before.rpartition("\n")[2].strip() and not after.partition("\n")[0].strip()


def test_no_quote_of_the_demo_questions_is_masked() -> None:
    questions = [
        json.loads(line)
        for line in (SEEDS / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    quotes = [(e["source"], e["quote"]) for q in questions for e in q["evidence"] if e.get("quote")]
    assert len(quotes) > 20
    for source, quote in quotes:
        document = clean_document(
            RawDocument((SEEDS.parent / source).read_bytes().decode()), source
        )
        at = document.text.index(quote)
        assert not any(m.overlaps(Span(at, at + len(quote))) for m in document.mask), quote


ORDINARY = [
    "Read more than one source before you decide.",
    "Comments on the proposal were mixed.",
    "No comment.",
    "The advertisement ran for three weeks in the local paper.",
    "He said he would subscribe to the newspaper.",
    "Search for the missing hikers was called off on Monday.",
    "Home is where the heart is.",
    "Print the form and sign it.",
    "Share prices fell by 3 percent.",
    "Share this with your team before Friday.",
    "Next, remove the four bolts.",
    "Previous owners had painted the walls green.",
    "Source code is in the folder src.",
    "Register allocation",
    "Loading the lorry took two hours.",
    "Two years ago the bridge was closed.",
    "2 years ago, the pump failed.",
    "Copyright law protects the author.",
    "Copyright Act 1968",
    "(c) the third party shall pay within 30 days;",
    "Photo: see page 3 for the drawing of the valve.",
    "Image/video compression",
    "def search(home): return menu[home]",
    "import thumb_up",
    "Set access_time to 5.",
    "access_time2 = stat(path)",
    "| chevron_left | 24px |",
    "arrow_right = 3",
    "| Search | 12 | 40 |",
    "- Menu",
    "1. Home",
    "- Born in Vienna, 1920",
    "Common sizes: 640, 800, 1024",
    "Population: 1,000, 1920",
    "Stay tuned to the same frequency.",
    "Contact us by 5 March.",
    "Terms and conditions apply to all fares.",
    "See also: chapter 4",
    "Source: Reuters",
    "Cookies are baked at 180 degrees.",
    "α = 0.05",
    "β",
    "東京 (Tokyo)",
    "Москва",
    "“By staff”, he wrote.",
]


@pytest.mark.parametrize("line", ORDINARY)
def test_what_people_ordinarily_write_is_not_masked(line: str) -> None:
    text = f"The pump is on the left side of the hull.\n\nIt was made in 1990.\n{line}\nMore follows here, and then it ends.\n"
    assert _masked(text) == []


@pytest.mark.parametrize(
    "line",
    [
        "Why I left Twitter",
        "How to use Telegram",
        "The latest news and what it means",
        "Stay tuned to the radio",
        "RSS",
    ],
)
def test_a_first_line_is_not_a_motto(line: str) -> None:
    document = clean_document(RawDocument(f"{line}\n\nThe text of it is here.\n"), "x.txt")
    assert document.mask == () and document.title == line


def test_a_refrain_is_text() -> None:
    verse = "The river runs and runs to the sea,\nAnd never it comes back home to me.\n\nIt saw the mill,\n"
    assert _masked(verse * 3) == []


def test_equal_lines_of_code_are_text() -> None:
    assert (
        _masked(
            "def test():\n    assert compute(1) == expected\n    assert compute(1) == expected\n"
        )
        == []
    )


def test_words_of_another_language_are_text() -> None:
    lessons = (
        "In the first lesson we learn six words.\nпомощь\nправда\nThey mean help and truth.\nмир\n"
    )
    assert _masked(lessons) == []


def test_a_document_in_another_language_is_text() -> None:
    text = (
        "Россия и Запад ведут переговоры.\nМинистр сказал, что войны не будет.\nNATO\nApple Inc\nКонец.\n"
        * 2
    )
    assert _masked(text) == []


@pytest.mark.parametrize("heading", ["Search\n======", "Comments\n--------", "Source\n~~~~~~"])
def test_an_underlined_word_is_a_heading(heading: str) -> None:
    document = clean_document(
        RawDocument(f"The manual.\n\n{heading}\n\nHow to find a word.\n"), "x.txt"
    )
    assert document.mask == ()
    assert document.headings[0][1] == heading.split("\n")[0]


@pytest.mark.parametrize(
    "line",
    [
        "Related Articles",
        "READ MORE »",
        "3 comments",
        "Leave a comment",
        "Share on Facebook",
        "Skip to main content",
        "access_time 2 years ago",
        "more_vert",
        "Updated: 5 minutes ago",
        "Copyright © 2020 Acme",
        "(c) 2021 Acme Ltd",
        "Photo: Jane Doe / Reuters",
        "Advertisement",
        "Sign in or sign up",
        "5 min read",
    ],
)
def test_furniture_in_the_middle_of_a_text(line: str) -> None:
    assert _masked(f"The pump is on the left.\n{line}\r\nIt was made in 1990.\n") == [line]


def test_a_line_that_is_part_of_the_one_before_is_text() -> None:
    assert (
        _masked(
            "Pump of the year is made here, and so is the valve\nPump of the year is made here\nIt is green.\n"
        )
        == []
    )


def test_a_headline_shown_twice_is_masked_once() -> None:
    assert _masked(
        "Pump of the year is made here\n\nPump of the year is made here\nIt is green.\n"
    ) == ["Pump of the year is made here"]


@given(st.text(st.sampled_from("ab \n\r\t©—Read more…Comments1920é\u2028"), max_size=200))
def test_the_text_is_never_altered_and_masks_are_trimmed_lines(text: str) -> None:
    document = clean_document(RawDocument(text), "x.txt")
    assert document.text == text
    lines = [line.strip() for line in text.split("\n")]
    assert all(span.of(text) in lines for span in find_furniture(text))
    last = -1
    for span in document.mask:
        assert last < span.start < span.end <= len(text)
        last = span.end


def test_masks_of_the_format_are_merged_with_those_of_the_text() -> None:
    raw = RawDocument("Menu\nHello there, this is it.\n", masked=(Span(2, 9), Span(20, 22)))
    assert clean_document(raw, "x").mask == (Span(0, 9), Span(20, 22))


def test_the_id_is_of_the_text_alone() -> None:
    one, two = (
        clean_document(RawDocument("Same."), "a.txt"),
        clean_document(RawDocument("Same.", title="T"), "b.txt"),
    )
    assert one.id == two.id and len(one.id) == 32
    assert clean_document(RawDocument("Same"), "a.txt").id != one.id
    assert clean_document(RawDocument("half \ud800"), "a.txt").id


@pytest.mark.parametrize(
    ("raw", "source", "title"),
    [
        (RawDocument("x y.", title="  From \n the file "), "a.txt", "From the file"),
        (RawDocument("A headline\nText."), "a.txt", "A headline"),
        (RawDocument("# A heading\nText."), "a.md", "A heading"),
        (RawDocument("A whole sentence.\nText."), "deep/my_pump-notes.txt", "my pump notes"),
        (RawDocument("A whole sentence."), "corpus.jsonl#7", "7"),
        (RawDocument("Menu\nThe Pump\nText."), "a.txt", "The Pump"),
    ],
)
def test_titles(raw: RawDocument, source: str, title: str) -> None:
    assert clean_document(raw, source).title == title


def test_headings_are_paths() -> None:
    text = "# Pump\nIntro.\n## Bolts\nFour.\n# Valve\nGreen.\n"
    found = [
        (name, span.of(text)) for span, name in clean_document(RawDocument(text), "x.md").headings
    ]
    assert found == [
        ("Pump", "# Pump\nIntro.\n"),
        ("Pump › Bolts", "## Bolts\nFour.\n"),
        ("Valve", "# Valve\nGreen.\n"),
    ]


def test_a_comment_in_a_block_of_code_is_no_heading() -> None:
    text = "# Install\n```bash\n# not a heading\nmake\n```\n## Next\nGo.\n"
    assert [name for _, name in clean_document(RawDocument(text), "x.md").headings] == [
        "Install",
        "Install › Next",
    ]


def test_underlined_headings_with_windows_lines() -> None:
    text = "Pump\r\n====\r\nIntro.\r\nBolts\r\n-----\r\nFour.\r\n"
    assert [name for _, name in clean_document(RawDocument(text), "x.txt").headings] == [
        "Pump",
        "Pump › Bolts",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Copyright 2021 Acme Limited, whose managing director is Harriet Vane of Oxford",
        "Photo: The bridge at Milford was designed by Isambard Brunel in the reign of Victoria",
        "© Zenith holds the patent on the folding ladder and its inventor is Otto Lilienthal",
        "Stay tuned for the launch of the rocket, which lifts off on Monday with its first crew",
    ],
)
def test_a_statement_in_the_dress_of_a_credit_is_text(line: str) -> None:
    text = (
        f"Home\n{line}\n\nThe report was written in the spring and printed in the summer.\n{line}\n"
    )
    assert not [span for span in find_furniture(text) if span.of(text) == line]
