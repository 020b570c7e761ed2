"""How a scale changes sizes."""

from math import inf, nan

import pytest

from harness.config.augmentation import AutoAugmentCIFAR10, NoPolicy
from harness.config.changes import KEEP, Fixed, at_most, over, swap, times
from harness.errors import SpecError


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (over(8), 384, 48),
        (over(3), 2, 1),
        (over(3), 1, 1),
        (over(3), 0, 0),
        (over(3), -6, -2),
        (over(4), 10, 2),
        (over(5), 0.25, 0.05),
        (over(8), (512, 256, 4), (64, 32, 1)),
        (times(12 / 500), 200, 5),
        (times(12 / 500), 10, 1),
        (times(12 / 500), 10.0, 0.24),
        (times(10), 1e-4, 1e-3),
        (times(0.1), 1, 1),
        (times(0), 0.5, 0.0),
        (times(0), 0, 0),
        (times(0.5), 5, 2),
        (at_most(100), 1000, 100),
        (at_most(100), 50, 50),
        (at_most(100), (50, 200), (50, 100)),
        (Fixed(0.99), 0.9999, 0.99),
        (KEEP, 7, 7),
        (KEEP, 0.1, 0.1),
    ],
)
def test_a_change_keeps_whole_numbers_whole_and_never_makes_nothing_of_one(change, before, after):
    found = change(before)
    assert found == after
    assert type(found) is type(after)


@pytest.mark.parametrize("change", [over(2), times(2), at_most(2), swap({"none": 1}), Fixed(2)])
def test_what_is_switched_off_remains_off(change):
    assert change(None) is None


def test_values_are_swapped_by_name_and_others_are_kept():
    change = swap({"cifar10": "digits"})
    assert (change(AutoAugmentCIFAR10()), change(NoPolicy()), change("imagenet")) == ("digits", NoPolicy(), "imagenet")


@pytest.mark.parametrize(
    ("change", "value", "factor"),
    [
        (over(4), 10, 0.25),
        (times(0.024), 200, 0.024),
        (Fixed(12), 500, 0.024),
        (at_most(12), 6, 1.0),
        (Fixed(1), 0, 1.0),
    ],
)
def test_the_factor_is_that_before_rounding(change, value, factor):
    assert change.factor(value) == pytest.approx(factor)


def test_a_change_is_written_as_it_is_made():
    changes = (over(2), over(0.5), times(0.024), at_most(100), swap({"a": 1}), Fixed("b"), KEEP)
    assert list(map(str, changes)) == [
        "over(2)", "over(0.5)", "times(0.024)", "at_most(100)", "swap({'a': 1})", "'b'", "times(1)"
    ]  # fmt: skip


@pytest.mark.parametrize("value", [True, "384", {"a": 1}])
def test_only_numbers_are_divided(value):
    with pytest.raises(SpecError, match=r"over\(2\) applies to numbers, not"):
        over(2)(value)


@pytest.mark.parametrize(("make", "value"), [(over, 0), (over, -1), (over, nan), (times, -1), (times, inf)])
def test_impossible_numbers_are_refused(make, value):
    with pytest.raises(SpecError, match="must be"):
        make(value)
