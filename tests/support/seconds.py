"""Durations of tests: `--seconds-to FILE` writes them, `--longest SECONDS` fails if one test takes longer."""

from pathlib import Path

LONG = {
    "test_a_run_disturbed_at_every_turn_ends_with_the_same_numbers",
    "test_runs_killed_again_and_again_end_bit_for_bit_the_same",
    "test_packed_runs_end_though_terminal_and_code_are_gone",
    "test_the_follow_up_submits_what_died_and_leaves_what_was_cancelled",
    "test_a_killed_rank_ends_the_others_and_the_run_goes_on_to_the_same_end",
    "test_a_run_that_is_killed_ends_the_same_and_every_evaluation_works",
}
"""Tests that may take longer, because they need many process starts or wait for a scheduler."""


class Seconds:
    """The plugin; it measures a test itself, without its fixtures."""

    def __init__(self, path, longest):
        self._path = path
        self._longest = longest
        self._seconds = {}

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self._seconds[report.nodeid] = report.duration

    def pytest_sessionfinish(self, session):
        if self._path:
            lines = [f"{self._seconds[test]:8.2f} {test}\n" for test in self._slowest()]
            Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            Path(self._path).write_text("".join(lines))
        if self._too_long() and not session.exitstatus:
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter):
        for test in self._too_long():
            terminalreporter.line(f"{self._seconds[test]:.1f} s: {test} (allowed: {self._longest:g} s, or LONG)")

    def _slowest(self):
        return sorted(self._seconds, key=self._seconds.get, reverse=True)

    def _too_long(self):
        if self._longest is None:
            return []
        slow = [test for test in self._slowest() if self._seconds[test] > self._longest]
        return [test for test in slow if test.rpartition("::")[2].partition("[")[0] not in LONG]
