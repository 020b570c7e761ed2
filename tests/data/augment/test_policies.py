"""The policy tables: their structure, and entries that all published versions agree on."""

import numpy as np
import pytest

from harness.data.augment.image_ops import OPERATIONS
from harness.data.augment.policies import CIFAR10, IMAGENET, MAGNITUDES, POLICIES, SIGNED, SVHN, PolicyStep


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_25_pairs_of_steps_within_their_ranges(policy):
    assert len(POLICIES[policy]) == 25
    for sub_policy in POLICIES[policy]:
        assert len(sub_policy) == 2
        for step in sub_policy:
            assert step.operation in OPERATIONS
            assert step.probability in np.arange(11) / 10
            assert step.grade in range(10)


def test_entries_that_are_known():
    assert CIFAR10[0] == (PolicyStep("invert", 0.1, 7), PolicyStep("contrast", 0.2, 6))
    assert CIFAR10[21] == (PolicyStep("translate_y", 0.9, 9), PolicyStep("translate_y", 0.7, 9))
    assert CIFAR10[24] == (PolicyStep("translate_y", 0.7, 9), PolicyStep("autocontrast", 0.9, 1))
    assert IMAGENET[0] == (PolicyStep("posterize", 0.4, 8), PolicyStep("rotate", 0.6, 9))
    assert IMAGENET[12] == (PolicyStep("equalize", 0.0, 7), PolicyStep("equalize", 0.8, 8))
    assert IMAGENET[18] == (PolicyStep("shear_x", 0.6, 5), PolicyStep("equalize", 1.0, 9))
    assert SVHN[0] == (PolicyStep("shear_x", 0.9, 4), PolicyStep("invert", 0.2, 3))
    assert SVHN[14] == (PolicyStep("contrast", 0.3, 3), PolicyStep("rotate", 0.8, 4))


def test_five_sub_policies_of_imagenet_are_there_twice():
    assert [len(set(POLICIES[policy])) for policy in ("cifar10", "imagenet")] == [25, 20]


def test_magnitudes_are_those_of_the_flavour():
    assert MAGNITUDES.keys() == OPERATIONS.keys()
    assert MAGNITUDES["posterize"] == (8, 8, 7, 7, 6, 6, 5, 5, 4, 4)
    assert MAGNITUDES["solarize"][0] == 256
    assert MAGNITUDES["solarize"][9] == 0
    assert MAGNITUDES["rotate"][3] == pytest.approx(10)
    assert MAGNITUDES["shear_x"][9] == pytest.approx(0.3)
    assert MAGNITUDES["translate_y"][9] == pytest.approx(150 / 331)
    geometric, tonal = {"shear_x", "shear_y", "translate_x", "translate_y"}, {"colour", "contrast", "brightness"}
    assert geometric | tonal | {"sharpness"} == SIGNED
