"""The bundled reference results: intact, of this version, complete, with three seeds."""

from pathlib import Path

from harness.bundle.reading import open_bundle
from harness.registry.papers import find_exhibits
from harness.report.results.cells import Measured
from harness.report.results.claims import ClaimResult, ClaimStatus
from harness.report.results.report import build
from harness.report.results.skipped_runs import skipped_runs

BEYOND = {
    "table1": ["in FID", "UNet-based DDPM"],
    "table2": ["realistic images"],
    "table3": ["CelebA"],
    "table10": ["ViT's accuracy", "HybViT's accuracy"],
    "table12": ["under L∞ (mean", "larger under L2"],
    "figure7": ["L∞ 4/255", "L2 100/255", "WRN-based classifiers under L∞"],
    "figure8": ["CIFAR10", "ImageNet 32x32"],
    "figure12": ["better calibrates the predictions of ViT", "of HybViT", "ViT under-confident", "HybViT under"],
}
"""Words of the claims that are beyond the laptop scale."""
STILL_FAILING = {("figure6", "ViT looks well calibrated"), ("figure6", "HybViT looks well calibrated")}
REFERENCE = Path(__file__).parents[2] / "results" / "reference"


def test_every_cell_has_three_seeds_and_no_local_path_leaks():
    with open_bundle(REFERENCE) as bundle:
        assert not list(skipped_runs(bundle.results)), "run `make reference` to recompute it"
        for paper, exhibit in find_exhibits(["hybvit"]):
            report = build(paper, exhibit, paper.scale("laptop"), bundle.results)
            found = [cell.measured for row in report.rows for cell in row.cells if cell.wanted]
            assert all(cell is not None for cell in found), exhibit.name
            assert {cell.seeds for cell in found if isinstance(cell, Measured)} <= {3}, exhibit.name
    files = [path for path in REFERENCE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 6_000_000
    for path in files:
        assert not any(place in path.read_bytes() for place in (b"/tmp/", b"/home/", b"/root/")), path


def test_each_claim_beyond_the_scale_has_a_measurement_that_says_so():
    found: dict[str, list[ClaimResult]] = {}
    failing = []
    with open_bundle(REFERENCE) as bundle:
        for paper, exhibit in find_exhibits(["hybvit"]):
            for result in build(paper, exhibit, paper.scale("laptop"), bundle.results).claim_results:
                if result.status is ClaimStatus.BEYOND:
                    found.setdefault(exhibit.name, []).append(result)
                if result.status is ClaimStatus.FAILS:
                    failing.append((exhibit.name, result.claim.says.partition(" when")[0]))
    assert {name: len(results) for name, results in found.items()} == {name: len(w) for name, w in BEYOND.items()}
    for name, results in found.items():
        assert all(words in one.claim.says for words, one in zip(BEYOND[name], results, strict=True)), name
        for one in results:
            unmet = [finding for finding in one.findings if finding.met is False]
            assert all(None not in finding.measured for finding in unmet)
            assert bool(unmet) is not (name == "table2"), "the scale names one claim only"
            assert bool(one.contrasts) is not (name == "table2")
            assert one.values
    assert set(failing) == STILL_FAILING
