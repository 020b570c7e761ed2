"""Which runs a command is about, and with which options printed commands begin, in process."""

import pytest
from toy_paper import DENOISING, HYBRID

from harness.advice import command
from harness.cli.main import main
from harness.cli.settings import Settings, find_runs
from harness.cli.status import status_command
from harness.errors import SpecError
from harness.store.records import Outcome
from harness.store.results import Results
from harness.store.run_directory import RunState


@pytest.fixture
def settings(tmp_path):
    """Two runs, of which one has failed."""
    for run in (HYBRID, DENOISING):
        Results(tmp_path).directory(run).request(run, [])
    Outcome.now("failed", "it diverged").save(Results(tmp_path).directory(HYBRID).outcome)
    return Settings(tmp_path, tmp_path, quiet=True, color=False)


def ids(found):
    return [directory.id for directory in found]


def test_a_run_that_is_named_twice_is_taken_once(settings):
    found = find_runs(settings, [HYBRID.id[:6], DENOISING.id, HYBRID.id], None, ())
    assert ids(found) == [HYBRID.id, DENOISING.id]


def test_an_option_takes_the_runs_in_its_states(settings):
    assert ids(find_runs(settings, [], "--failed", [RunState.FAILED])) == [HYBRID.id]
    both = find_runs(settings, [], "--all", [RunState.FAILED, RunState.PENDING])
    assert sorted(ids(both)) == sorted([HYBRID.id, DENOISING.id])


@pytest.mark.parametrize(
    ("prefixes", "option", "says"),
    [([], None, "no run given"), (["0a1b"], "--all", "--all selects the runs already: leave out 0a1b")],
)
def test_runs_are_named_in_one_way(settings, prefixes, option, says):
    with pytest.raises(SpecError, match=says):
        find_runs(settings, prefixes, option, [RunState.FAILED])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), "python -m harness retry 1a"),
        (("--results", "a b"), "python -m harness --results 'a b' retry 1a"),
        (("--data", "d", "--results", "r"), "python -m harness --results r --data d retry 1a"),
    ],
)
def test_printed_commands_repeat_the_options_that_were_given(monkeypatch, given, expected):
    """A folder in the environment stays there for the next command, so it is not repeated."""
    monkeypatch.setenv("HARNESS_RESULTS", "elsewhere")
    said = []
    monkeypatch.setattr(status_command, "callback", lambda **options: said.append(command("retry 1a")))
    assert main([*given, "status"]) == 0
    assert said == [expected]
    assert command("retry 1a") == "python -m harness retry 1a"
