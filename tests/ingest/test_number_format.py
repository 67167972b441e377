"""Values of cells as a spreadsheet shows them."""

from __future__ import annotations

import datetime as d

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ingest.formats.number_format import format_value

DAY, MOMENT = d.datetime(2026, 3, 15), d.datetime(2026, 3, 15, 14, 5, 6)
SHOWN = [
    (42, "0000", "0042"),
    (0.075, "0.0%", "7.5%"),
    (0.075, "0.0 %", "7.5 %"),
    (1234.5, '"$"#,##0.00', "$1,234.50"),
    (1234.5, "[$$-409]#,##0.00", "$1,234.50"),
    (1234.5, "#,##0.00 [$€-407]", "1,234.50 €"),
    (123, "[$kr-41D] #,##0", "kr 123"),
    (-1234.5, "#,##0.00;[Red](#,##0.00)", "(1,234.50)"),
    (-2500, "#,##0", "-2,500"),
    (0, '#,##0;-#,##0;"-"', "-"),
    (-5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\)', "$(5.00)"),
    (7310865004703, "0", "7310865004703"),
    (7310865004703.0, "General", "7310865004703"),
    (0.1 + 0.2, "General", "0.3"),
    (56701.0309278, "General", "56701.03093"),
    (1234567, '0.0,,"M"', "1.2M"),
    (1234567, "0,", "1235"),
    (12345, "0.00E+00", "1.23E+04"),
    (1.25, "# ?/?", "1 1/4"),
    (5551234, "000-0000", "555-1234"),
    (1234567890, "(000) 000-0000", "(123) 456-7890"),
    (12, '0 "kg"', "12 kg"),
    (12, "0.00\\ \\€", "12.00 €"),
    (0.5, "0.0##", "0.5"),
    (2.5, "0", "3"),
    (1.005, "0.00", "1.01"),
    (-0.001, "0.00", "0.00"),
    (5, '[<10]"low";"high"', "low"),
    (50, '[<10]"low";"high"', "high"),
    (3, 'General" pcs"', "3 pcs"),
    ("x", '"No. "@', "No. x"),
    ("x", "0.00", "x"),
    (True, "0", "TRUE"),
    (None, "0", ""),
    (12, None, "12"),
    (DAY, "mm-dd-yy", "2026-03-15"),
    (DAY, "[$-F800]dddd, mmmm dd, yyyy", "2026-03-15"),
    (DAY, "dd/mm/yyyy", "15/03/2026"),
    (DAY, "yyyy\\-mm\\-dd;@", "2026-03-15"),
    (DAY, "d mmmm yyyy", "15 March 2026"),
    (DAY, "dddd, mmm d", "Sunday, Mar 15"),
    (DAY, "[$-407]d. mmm yy", "15. Mar 26"),
    (DAY, "General", "2026-03-15"),
    (MOMENT, "yyyy-mm-dd hh:mm", "2026-03-15 14:05"),
    (MOMENT, "m/d/yy h:mm", "2026-03-15 14:05:06"),
    (MOMENT, "h:mm AM/PM", "2:05 PM"),
    (MOMENT, "mm:ss", "05:06"),
    (d.time(0, 45), "h:mm", "0:45"),
    (d.timedelta(hours=37, minutes=5), "[h]:mm:ss", "37:05:00"),
    (d.timedelta(minutes=90), "[mm]:ss", "90:00"),
]


@pytest.mark.parametrize(("value", "code", "shown"), SHOWN)
def test_a_value_is_shown_by_its_format(value: object, code: str | None, shown: str) -> None:
    assert format_value(value, code) == shown


CODES = st.text('0#?.,%/@;"[]$ymdhs\\_*E+-<>= AMPGenral€5', max_size=14) | st.text(max_size=300)
VALUES = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(max_size=5)
    | st.datetimes()
    | st.times()
    | st.timedeltas()
    | st.dates()
)


@given(VALUES, CODES)
def test_any_format_shows_something_for_any_value(value: object, code: str) -> None:
    assert len(format_value(value, code)) < 2000


def test_numbers_and_formats_of_any_length_are_bounded() -> None:
    assert len(format_value(1e308, "0" * 5000)) < 500
    assert len(format_value(1e-308, "0." + "0" * 250)) < 500
    assert len(format_value(10**400, "0.00")) < 500
