"""Names of exhibits in few words."""

from harness.cli.ranges import ranges


def test_numbers_that_follow_each_other_become_a_range():
    names = ["hybvit/table3", "hybvit/table1", "hybvit/table2", "hybvit/table6", "hybvit/figure4", "toy/table101"]
    assert ranges(names) == ["hybvit tables 1-3, 6", "hybvit figure 4", "toy table 101"]


def test_a_name_without_a_number_stands_as_it_is():
    assert ranges(["toy/table7", "toy/table9", "toy/table5-schedules"]) == ["toy tables 7, 9", "toy table5-schedules"]
