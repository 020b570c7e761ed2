"""Cost of runs: device hours of every segment, and the energy where it was measured."""

from datetime import UTC, datetime

import pytest

from harness.store.records import Segment
from harness.store.usage import Usage, hours


def stay(seconds, device="cuda", **fields):
    where = {"host": "a", "device": device, "threads": 1, "commit": None, "dirty": None, "versions": {}}
    return Segment(started=datetime.now(UTC), seconds=seconds, **where, **fields)


def test_hours_of_gpus_and_of_cores_are_counted_separately():
    usage = Usage.of([stay(3600, world_size=4, devices=4), stay(1800, "cuda:1"), stay(900, "cpu", world_size=2)])
    assert (usage.gpu_hours, usage.core_hours, usage.energy_joules) == (4.5, 0.5, None)
    assert str(usage) == "4.50 GPU-hours and 0.50 core-hours"


def test_energy_says_how_much_of_the_hours_it_covers():
    usage = Usage.of([stay(3600, energy_joules=7.2e5), stay(3600, energy_joules=3.6e5), stay(2 * 3600)])
    assert (usage.energy_joules, usage.energy_gpu_hours) == (1.08e6, 2.0)
    assert str(usage) == "4.00 GPU-hours (0.3 kWh in 2.00 of them)"
    whole = Usage.of([stay(36000, energy_joules=3.6e6)])
    assert str(Usage.sum([whole, whole])) == "20.0 GPU-hours (2 kWh)"
    nearly = [Usage(1000, energy_joules=3.6e6, energy_gpu_hours=covered) for covered in (995, 994)]
    assert [str(usage) for usage in nearly] == ["1,000 GPU-hours (1 kWh)", "1,000 GPU-hours (1 kWh in 994 of them)"]


def test_nothing_is_nothing():
    assert str(Usage.of([])) == ""
    assert Usage.sum([]).to_json() == {"gpu_hours": 0, "core_hours": 0, "energy_joules": None, "energy_gpu_hours": 0}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.000"), (1e-5, "< 0.001"), (9.99e-4, "< 0.001"), (0.001, "0.001"), (0.0274, "0.027"), (0.0999, "0.100"),
        (0.1, "0.10"), (0.5, "0.50"), (9.99, "9.99"), (10, "10.0"), (31.2, "31.2"), (99.9, "99.9"), (100, "100"),
        (1e4, "10,000"),
    ],
)  # fmt: skip
def test_hours_have_the_digits_that_mean_something(value, text):
    assert hours(value) == text
