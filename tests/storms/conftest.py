"""Options and results of storms."""

import pytest
from arena import Arena
from storm import Storm


@pytest.fixture
def storm(request):
    """A storm with the seed and size of this session, which fails with its faults at the end of the test."""
    option = request.config.getoption
    one = Storm(request.node.nodeid, option("--storm-seed"), option("--storm"))
    yield one
    if one.faults:
        pytest.fail(one.report(), pytrace=False)


@pytest.fixture
def arena(finished, long_run, tmp_path):
    """A results directory with a run in every state."""
    return Arena(tmp_path / "arena", finished[0], long_run)
