"""Options and results of storms."""

import pytest
from storm import Storm


@pytest.fixture
def storm(request):
    """A storm with the seed and size of this session, which fails with its faults at the end of the test."""
    option = request.config.getoption
    one = Storm(request.node.nodeid, option("--storm-seed"), option("--storm"))
    yield one
    if one.faults:
        pytest.fail(one.report(), pytrace=False)
