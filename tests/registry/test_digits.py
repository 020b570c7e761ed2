"""The one rule of digits: properties over all numbers, and examples."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.registry.digits import (
    LARGEST,
    MOST_DECIMALS,
    MOST_EXTRA,
    after_point,
    alone,
    decimals,
    fixed,
    interval,
    justified,
    p_value,
    told_apart,
)

UNCERTAINTIES = st.floats(1e-12, 1e12)
VALUES = st.floats(-1e12, 1e12)
USUAL = st.integers(0, 4)


def digits_of(number):
    """Return the significant digits of a decimal text, without its leading zeros."""
    return number.lstrip("-").replace(".", "").lstrip("0")


@given(UNCERTAINTIES)
def test_an_uncertainty_has_one_digit_or_two_up_to_35(uncertainty):
    shown = decimals(uncertainty, 20)
    if shown is None:
        pytest.fail("twenty decimals show any of them")
    printed = digits_of(f"{uncertainty:.{shown}f}")
    if uncertainty >= 35.5:  # whole numbers keep their digits
        assert shown == 0
    elif uncertainty >= 10:
        assert (shown, len(printed)) == (0, 2)
    else:
        assert len(printed) == 2 if int(printed[:2].ljust(2, "9")) <= 35 else len(printed) == 1


@given(UNCERTAINTIES)
def test_what_rounding_adds_is_at_most_a_seventh_of_the_uncertainty(uncertainty):
    shown = decimals(uncertainty, 20)
    printed = Fraction(f"{uncertainty:.{shown}f}")
    assert abs(printed - Fraction(uncertainty)) <= Fraction(uncertainty) / 7


@given(VALUES, st.none() | st.just(0.0) | UNCERTAINTIES, USUAL, st.integers(0, 5))
def test_a_value_has_the_decimals_of_its_uncertainty_within_limits(value, uncertainty, usual, least):
    shown = justified(value, uncertainty, usual, least)
    by_itself = alone(value, usual)
    assert least <= shown <= max(least, by_itself + MOST_EXTRA)
    found = decimals(uncertainty, by_itself + MOST_EXTRA)
    assert shown == max(least, by_itself if found is None else found)


@given(VALUES, USUAL)
def test_a_small_value_alone_shows_two_digits(value, usual):
    shown = alone(value, usual)
    if abs(value) >= 10.0**-usual or not value:
        assert shown == usual
    elif shown < 15:
        assert len(digits_of(f"{value:.{shown}f}")) in (2, 3)  # 0.00996 becomes 0.0100


@given(st.floats(), st.integers(0, 12))
def test_a_number_reads_back_within_its_last_digit(value, shown):
    text = fixed(value, shown)
    back = float(text)
    if not math.isfinite(value):
        assert str(back) == str(float(value))
    elif "e" in text:
        assert shown > MOST_DECIMALS or abs(value) >= LARGEST
        assert back == pytest.approx(value, rel=0.051) or abs(value) > 1.7e308, "rounding up may overflow"
    else:
        assert len(text.partition(".")[2]) == shown == after_point(text)
        assert abs(back - value) <= 0.51 * 10.0**-shown
    assert not text.startswith("-") or back < 0 or back == -math.inf, "no negative zero"


@pytest.mark.parametrize(
    ("uncertainty", "most", "expected"),
    [
        (18.5, 3, 0), (0.2, 3, 2), (0.34, 3, 2), (0.354, 3, 2), (0.356, 3, 1), (0.53, 3, 1), (0.097, 4, 2),
        (0.0997, 4, 2), (0.0278, 4, 3), (0.0033, 4, 4), (345.6, 3, 0), (0.00018, 4, 4), (1.4e-14, 3, None),
        (0.0, 3, None), (None, 3, None), (math.nan, 3, None), (math.inf, 3, None),
    ],
)  # fmt: skip
def test_decimals_of_an_uncertainty(uncertainty, most, expected):
    assert decimals(uncertainty, most) == expected


def test_an_interval_has_the_decimals_of_its_half_width():
    assert interval(-77.3, -40.3, 1) == "-77 to -40"
    assert interval(95.93 - 0.2, 95.93 + 0.2, 1) == "95.73 to 96.13"
    assert interval(95.934, 95.934, 1) == "95.9 to 95.9"


def test_a_value_beside_a_bound_is_not_printed_like_it():
    assert told_apart([0.02, -2.3], [0.0, math.inf], 1, 3) == 2
    assert told_apart([0.0], [0.0], 1, 3) == 1
    assert told_apart([1e-12], [0.0], 1, 3) == 1, "rounding of floating-point numbers"
    assert told_apart([0.0002], [0.0], 1, 3) == 3


def test_p_values_have_two_digits():
    found = [p_value(value) for value in (1.0, 0.5, 0.0432, 0.0043, 0.001, 0.000999, 0.0, math.nan)]
    assert found == ["1.0", "0.50", "0.043", "0.0043", "0.0010", "< 0.001", "< 0.001", "NaN"]
