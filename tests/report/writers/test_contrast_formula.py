"""Formulas of contrasts: short names, weights, means and values with which a reader can repeat the arithmetic."""

import re

import pytest
from reports import fill

from harness.registry.claims import Claim, Contrast, Term, improves, mean_difference, ratio, rises
from harness.registry.exhibit import Table
from harness.registry.metrics import ACCURACY, FID, robustness
from harness.registry.papers import find_exhibits
from harness.registry.row import Row
from harness.report.results.claims import ClaimResult
from harness.report.results.report import build
from harness.report.writers.claim_evidence import claim_evidence
from harness.report.writers.claims_list import to_json
from harness.report.writers.contrast_formula import Formulas
from harness.store.results import Results

WORDS = {"says": "A sentence.", "where": "§1"}
ATTACKS = tuple(robustness("linf", size) for size in (1, 2, 4, 8))


def formulas(claim, *rows, sections=()):
    metrics = tuple(dict.fromkeys(term.metric for term in claim.terms()))
    made = [
        Row(label, None, (1.0,) * len(metrics), section=section) for label, section in zip(rows, sections or [""] * 9)
    ]
    table = Table(number=1, title="t", metrics=metrics, rows=tuple(made), claims=(claim,))
    written = Formulas(ClaimResult(claim, None, None), table, lambda metric: metric.label)
    return [written.formula(contrast) for contrast in claim.contrasts]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (("HybViT(head=6)", "HybViT"), "head=6 - 0.75 x HybViT"),
        (("HybViT(head=6)", "HybViT(head=8)"), "head=6 - 0.75 x head=8"),
        (("HybViT(head=6)", "ViT"), "HybViT(head=6) - 0.75 x ViT"),
        (("ViT (6)", "ViT (8)"), "'ViT (6)' - 0.75 x 'ViT (8)'"),
        (("HybViT - Weak Aug", "0.5"), "'HybViT - Weak Aug' - 0.75 x '0.5'"),
    ],
)
def test_a_ratio_shows_its_factor_and_short_names(rows, expected):
    above, below = rows
    assert formulas(ratio(FID, above, below, low=0.75, **WORDS), *rows) == [expected]


def test_sections_are_named_only_where_rows_are_alike():
    rows = ("A: ViT", "B: ViT", "B: DDPM")
    one, other = (ratio(FID, rows[0], below, low=2, **WORDS) for below in rows[1:])
    assert formulas(one, "ViT", "ViT", "DDPM", sections="ABB") == ["'A: ViT' - 2 x 'B: ViT'"]
    assert formulas(other, "ViT", "ViT", "DDPM", sections="ABB") == ["ViT - 2 x DDPM"]


def test_equal_weights_of_several_metrics_are_a_mean():
    claim = Claim("s", "w", (Contrast(mean_difference(ATTACKS, "A", "B", weight=-3.0), low=0),))
    assert formulas(claim, "A", "B") == ["3 x mean(B) - 3 x mean(A)"]


def test_other_weights_of_several_metrics_name_the_metrics():
    terms = (Term(-1.0, "A", ACCURACY), Term(0.5, "A", FID))
    assert formulas(Claim("s", "w", (Contrast(terms, low=0),)), "A") == ["0.5 x A [FID] - A [Acc]"]


def test_a_negative_term_alone_keeps_its_sign():
    assert formulas(Claim("s", "w", (Contrast((Term(-2.0, "A", FID),), low=0),)), "A") == ["- 2 x A"]


def test_claims_on_several_metrics_name_the_metric_of_each_contrast():
    claim = improves("A", "B", metrics=(ACCURACY, FID), **WORDS)
    assert formulas(claim, "A", "B") == ["Acc: B - A", "FID: B - A"]


def test_more_values_than_a_reader_wants_are_counted(tmp_path):
    rows = [Row(f"row {place}", None, (float(place),)) for place in range(14)]
    claim = rises(FID, *(row.key for row in rows), **WORDS)
    table = Table(number=1, title="t", metrics=(FID,), rows=tuple(rows), claims=(claim,))
    ((paper, _),) = find_exhibits(["hybvit/table4"])
    report = build(paper, table, paper.scale("laptop"), Results(tmp_path))
    assert claim_evidence(report.claim_results[0], report).values == ("From 14 values of the table",)


NUMBER = r"[+-]?\d+(?:\.\d+)?(?:e-?\d+)?"


def repeated(formula, names):
    """Return the value of a formula, computed from the printed values by name."""
    total = 0.0
    for sign, weight, name in re.findall(r"([+-] )?(?:([\d.]+) x )?(mean\([^)]*\)|'[^']*'|\S+)", formula):
        name = re.sub(r"^mean\((.*)\)$", r"\1", name).strip("'")
        total += (-1 if sign == "- " else 1) * float(weight or 1) * names(name)
    return total


@pytest.mark.parametrize("name", ["table1", "table5", "table6", "table8", "table10", "table12", "figure7", "figure8"])
def test_the_printed_values_give_the_printed_estimate(tmp_path, name):
    ((paper, exhibit),) = find_exhibits([f"hybvit/{name}"])
    scale = paper.scale("laptop")
    places = {row.key: place for place, row in enumerate(exhibit.rows)}
    fill(Results(tmp_path), paper, exhibit, scale, seeds=2, value=lambda cell: 60.0 + 3.5 * places[cell.row.key])
    report = build(paper, exhibit, scale, Results(tmp_path))
    checked = 0
    for result, entry in zip(report.claim_results, to_json([report]), strict=True):
        evidence = claim_evidence(result, report)
        printed = dict(
            found for part in evidence.values for found in re.findall(rf"(?:: |, )([^,]+?) ({NUMBER})(?=,|$)", part)
        )
        for text, contrast in zip(evidence.contrasts, entry["contrasts"], strict=True):
            formula, estimate = re.fullmatch(rf"(.*) = ({NUMBER})(?:,| \().*", text).groups()
            assert contrast["formula"] == formula
            last_digit = 10 ** -len(estimate.partition(".")[2])
            assert float(estimate) == pytest.approx(contrast["estimate"], abs=0.51 * last_digit)

            def value(short):
                (long,) = [key for key in printed if key == short or key.endswith((f": {short}", f"({short})"))] or [""]
                return float(printed[long])

            if not evidence.values[0].startswith("From") and not re.match(r"[^' ]+: ", formula):
                assert repeated(formula, value) == pytest.approx(contrast["estimate"], abs=0.6)
                checked += 1
    assert checked
