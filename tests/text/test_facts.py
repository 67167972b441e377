"""Facts: spellings of one thing are equal, different things are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text import facts, quantities
from rag.text.fact_index import WordIndex


def _values(text: str) -> list[float]:
    return sorted(v for n in quantities.find_numbers(facts.find_dates(text)[1]) for v in n.values)


def _agree(claim: str, source: str) -> bool:
    """Are all numbers of the claim borne out by the source?"""
    mine, theirs = (quantities.find_numbers(facts.find_dates(t)[1]) for t in (claim, source))
    assert mine, f"no number in {claim!r}"
    return all(any(n.agrees(t) for t in theirs) for n in mine)


FIVE_THOUSAND = [
    "5,000",
    "5 000",
    "5\u00a0000",
    "5\u202f000",
    "5.000",
    "5000",
    "five thousand",
    "5 thousand",
    "5-thousand",
    "5k",
    "Five Thousand",
    "5'000",
]


@pytest.mark.parametrize("one", FIVE_THOUSAND)
@pytest.mark.parametrize("other", FIVE_THOUSAND)
def test_spellings_of_one_number_agree(one: str, other: str) -> None:
    assert _agree(f"over {one} men", f"there were {other} of them")


@pytest.mark.parametrize(
    ("claim", "source", "agree"),
    [
        ("2.5 million", "2,500,000", True),
        ("two and a half million", "2.5 million", True),
        ("2.5m", "2.5 million", True),
        ("a wall of 5m", "a wall of 5 m", True),
        ("a wall of 5 m", "5 million", False),
        ("$3bn", "3 billion", True),
        ("12 %", "12 percent", True),
        ("12%", "12 per cent", True),
        ("twelve percent", "12 %", True),
        ("12 percent", "12 men", False),
        ("12 men", "12 percent", True),
        ("12 %", "13 %", False),
        ("-5 degrees", "−5 degrees", True),
        ("-5 degrees", "5 degrees", False),
        ("5 degrees", "it was -5 degrees", True),
        ("twenty-five", "25", True),
        ("twenty-five", "5", False),
        ("seven hundred thousand", "700,000", True),
        ("one hundred and twenty", "120", True),
        ("5 hundred", "500", True),
        ("four", "4", True),
        ("four", "14", False),
        ("1,234,567.89", "1.234.567,89", True),
        ("1.2", "1,2", True),
        ("7", "COVID-7", True),
        ("3", "v3.1.4", False),
        ("5,000", "50,000", False),
        ("5,000", "5,001", False),
        ("5 million to 6 million", "between 5,000,000 and 6,000,000", True),
        ("75 kg", "0,75 kg", False),
        ("0.75 kg", "0,75 kg", True),
        ("750 kg", "0,750 kg", False),
        ("1.5 million", "1,5 Mio. Euro", True),
        ("1.5 billion", "1,5 Mrd. Euro", True),
        ("15 million", "1,5 Mio. Euro", False),
        ("15 lakh", "1.5 million", True),
        ("12.4 km", "12,400 m", True),
        ("12.4 km", "12,400 km", False),
        ("12.4 kilometres", "a 12,400-metre road", True),
        ("2,000 g", "2 kg of flour", True),
        ("2 kg", "2 g of salt", False),
        ("2 kg", "2 cups of flour", True),
        ("48 hours", "two days", True),
        ("three days", "3 months", False),
        ("two years", "24 months", True),
        ("5,000 euros", "€5,000", True),
        ("5,000 euros", "EUR 5.000", True),
        ("5,000 euros", "$5,000", False),
        ("5 million dollars", "$5m", True),
        ("-5 °C", "it was 5 °C", False),
        ("20 °C", "20 °F", False),
        ("1.5 GB", "1500 MB", True),
        ("2:30 pm", "14:30", True),
        ("2:30 p.m.", "from 14:30 on", True),
        ("2:30 am", "14:30", False),
        ("2.30 pm", "half past two, 2:30 PM", True),
        ("2:30", "14:30", True),
        ("02:30", "14:30", False),
        ("7 pm", "19:00", True),
        ("19 Uhr", "7 p.m.", True),
        ("12 am", "0:00", True),
        ("14:30", "14:35", False),
        ("14 people", "14:30", False),
    ],
)
def test_what_bears_out_what(claim: str, source: str, agree: bool) -> None:
    assert _agree(claim, source) is agree


def test_a_range_is_two_numbers() -> None:
    assert _values("10-15 men") == _values("10–15 men") == _values("between 10 and 15") == [10, 15]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no one came",
        "someone",
        "hundreds of men",
        "half of it",
        "v1.2.3",
        "192.168.1.1",
        "the second man",
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert quantities.find_numbers(text) == []


def test_a_number_is_shown_as_it_stands() -> None:
    assert [n.shown for n in quantities.find_numbers("In 2022 there were 40 and five")] == [
        "2022",
        "40",
        "five",
    ]


@given(st.integers(0, 10**9))
def test_every_number_is_read_with_and_without_commas(number: int) -> None:
    assert _agree(f"{number:,}", str(number)) and _agree(str(number), f"{number:,}")
    assert not _agree(str(number), str(number + 1))


@given(st.integers(13, 999_999))
def test_every_number_in_words_is_its_digits(number: int) -> None:
    assert _agree(_spelled(number), str(number)), _spelled(number)


ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def _spelled(number: int) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        return f"{ONES[number // 100]} hundred" + (
            f" and {_spelled(number % 100)}" if number % 100 else ""
        )
    return f"{_spelled(number // 1000)} thousand" + (
        f" {_spelled(number % 1000)}" if number % 1000 else ""
    )


# -- dates --

DAY = ["24 February", "Feb 24", "Feb. 24", "24th of February", "February 24th", "24 Feb", "24-Feb-2022", "24.02.2022", "2022-02-24",
       "2022/02/24", "February 24, 2022", "2022-02-24T10:00:00Z", "on the 24th of february 2022"]  # fmt: skip


@pytest.mark.parametrize("one", DAY)
@pytest.mark.parametrize("other", [*DAY, "February 2022"])
def test_spellings_of_one_day_agree(one: str, other: str) -> None:
    (mine,), (theirs,) = facts.find_dates(one)[0], facts.find_dates(other)[0]
    assert mine.agrees(theirs) and theirs.agrees(mine)


@pytest.mark.parametrize(
    "other", ["25 February", "24 March", "24 February 2021", "2022-02-25", "March 2022"]
)
def test_different_days_do_not_agree(other: str) -> None:
    assert not facts.find_dates("24 February 2022")[0][0].agrees(facts.find_dates(other)[0][0])


def test_a_day_in_iso() -> None:
    assert [d.iso for d in facts.find_dates("18.03.2022 and 5 May")[0]] in (
        [None, "2022-03-18"],
        ["2022-03-18", None],
    )
    assert facts.find_dates("March 2022")[0][0].iso is None


@pytest.mark.parametrize(
    "text",
    ["They may go.", "You may 5 times try.", "She may 2022.", "to march 20 miles", "a march 5 km long", "may 10 % of it", "March on",
     "February 30", "31.13.2020", "2022-13-45", "0000-01-01", "10.5.3", "May", "sun"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert facts.find_dates(text)[0] == []


@given(st.text(max_size=60))
def test_blanking_out_dates_moves_nothing(text: str) -> None:
    found, rest = facts.find_dates(f"{text} 24 February 2022 {text}")
    assert len(rest) == 2 * len(text) + len(" 24 February 2022 ")
    assert found
    (
        quantities.find_numbers(text),
        facts.find_names(text),
        facts.content_stems(text),
        facts.find_quotations(text),
        facts.count_negations(text),
    )


def test_the_numbers_of_a_date_are_not_numbers() -> None:
    assert quantities.find_numbers(facts.find_dates("On 24 February 2022 it began.")[1]) == []


# -- names, quotations, words --


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Luigi Di Maio met Sergey Lavrov.", ["Luigi Di Maio", "Sergey Lavrov"]),
        ("The talks were led by Ludwig van Beethoven.", ["Ludwig van Beethoven"]),
        ("NATO expands.", ["NATO"]),
        ("He met Putin in the Kremlin.", ["Putin", "Kremlin"]),
        ("“We won,” Putin said.", ["Putin"]),
        ("When Obama spoke", ["Obama"]),
        ("Yesterday Putin left.", ["Putin"]),
        ("In January, Moscow wrote.", ["Moscow"]),
        ("The pump was green.", []),
        ("Sanctions were imposed.", []),
        ("I saw the U.S. and the US.", []),
        ("It is by Ángel Gurría.", ["Ángel Gurría"]),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    assert facts.find_names(text) == names


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ('He said "we will not go" today.', ["we will not go"]),
        ("“a b c” and «d e f» and „g h i“", ["a b c", "d e f", "g h i"]),
        ('"yes sir"', []),
        ('"unclosed quote here', []),
        ('"across a\nline break"', []),
        ("'single quoted words here'", []),
    ],
)
def test_quotations(text: str, quotes: list[str]) -> None:
    assert facts.find_quotations(text) == quotes


SAME = ["Russia Russian", "Russia Russians", "Russia Russia's", "Ukraine Ukrainian", "sanction sanctions", "weapon weapons", "country countries",
        "party parties", "state states", "price prices", "house houses", "church churches", "study studied", "America American",
        "Europe European", "Israel Israeli", "China Chinese", "India Indian", "Korea Korean", "Italy Italian", "Germany Germans",
        "France French", "Japan Japanese", "Sweden Swedish", "Turkey Turkish", "launch launched", "boss bosses", "NATO nato", "Gurría Gurria"]  # fmt: skip
DIFFERENT = ["Iran Iraq", "Austria Australia", "Niger Nigeria", "Slovakia Slovenia", "Gambia Zambia", "India Indiana", "million mile",
             "state station", "universe university", "general generation", "bus business", "security secure", "Iran Iranians'x"]  # fmt: skip


def _stems(pair: str) -> list[str]:
    return [facts.stem(facts.fold_text(word)) for word in pair.split()]


@pytest.mark.parametrize("pair", SAME)
def test_words_of_one_stem(pair: str) -> None:
    one, other = _stems(pair)
    assert one == other


@pytest.mark.parametrize("pair", DIFFERENT)
def test_words_of_two_stems(pair: str) -> None:
    one, other = _stems(pair)
    assert one != other


def test_a_name_spelled_one_letter_off_is_still_there() -> None:
    assert WordIndex({"sergey"}).has("sergei") and WordIndex({"zelenskyy"}).has("zelensky")
    assert not WordIndex({"iraq"}).has("iran") and not WordIndex({"putin"}).has("lavrov")


def test_folding() -> None:
    assert facts.fold_text("Gurría’s U.S. CAFÉ") == "gurria's us cafe"
    assert facts.flatten_text("Ça, “va”!\n bien…") == "ca va bien"
    assert facts.content_stems("The pump of the hull, and its bolts.") == ["pump", "hull", "bolt"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("He did not go.", 1),
        ("He didn’t go.", 1),
        ("No one never came.", 2),
        ("It cannot be.", 1),
        ("They refused.", 1),
        ("Note the knot.", 0),
    ],
)
def test_negations(text: str, count: int) -> None:
    assert facts.count_negations(text) == count


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("5 pounds", ""),
        ("5 tons", ""),
        ("5m", ""),
        ("a 5-km run", "length"),
        ("5 km/h", "speed"),
        ("5 m²", "area"),
        ("5 Gold medals", ""),
        ("£5", "sterling"),
        ("5 %", ""),
    ],
)
def test_units_of_measure(text: str, dimension: str) -> None:
    (number,) = quantities.find_numbers(text)
    assert number.dimension == dimension and bool(number.base_values) == bool(dimension)
