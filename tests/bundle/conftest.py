"""Read-only fixtures: results with everything that real ones have, and a bundle of them."""

import pytest
from bundles import LOG, SEGMENT, SELECTION, keep_arrays, reports_of
from reports import fill
from vouching import vouch

from harness.bundle.writing import write_bundle
from harness.store.records import Segment
from harness.store.results import Results


@pytest.fixture(scope="session")
def measured(tmp_path_factory):
    """Results like real ones, including weights and leases."""
    results = Results(tmp_path_factory.mktemp("measured"))
    for paper, exhibit in SELECTION:
        fill(results, paper, exhibit, paper.scale("laptop"), seeds=2)
    for directory in results.all():
        for record in directory.evaluations.glob("*.json"):
            keep_arrays(directory, record)
        vouch(directory)
        Segment(**SEGMENT).save(directory.segments / "1.json")
        directory.metrics.write_text('{"epoch": 1, "step": 9, "test_accuracy": 50.0}\n')
        directory.log.write_text(LOG)
        directory.weights.write_bytes(bytes(10_000))
        (directory.path / "lease.1").touch()
    return results


@pytest.fixture(scope="session")
def whole(measured, tmp_path_factory):
    """A bundle of the measured results."""
    path = tmp_path_factory.mktemp("whole") / "whole.zip"
    reports = reports_of(measured)
    (measured.report / "hybvit").mkdir(parents=True, exist_ok=True)
    (measured.report / "hybvit" / "report.html").write_text("<p>written</p>")
    write_bundle(path, reports, measured)
    return path
