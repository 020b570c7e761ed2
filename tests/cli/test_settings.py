"""Which runs a command is about, in process."""

import pytest
from toy_paper import DENOISING, HYBRID

from harness.cli.settings import Settings, find_runs
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
