"""Reliability diagrams: the bars are the bins of the evaluation."""

import numpy as np
import pytest
from toy_paper import HYBRID, LONG

from harness.registry.figures import ReliabilityDiagrams
from harness.registry.metrics import ACCURACY, ECE

BINS = np.array([[0, np.nan, np.nan], [10, 0.5, 0.4], [30, 0.6, 0.7], [60, 0.9, 0.95]])


@pytest.fixture
def figure(bench):
    return bench.figure(
        ReliabilityDiagrams(), [ACCURACY, ECE], ("Foreign", None), ("Hybrid", HYBRID), ("Long", LONG), ("More", None)
    )


def measure(bench, figure, keep=lambda cell: True):
    bench.measure(figure, arrays=lambda cell: {"bins": BINS} if cell.metric is ECE else {}, keep=keep)


def bars(axes):
    return [(round(bar.get_x(), 6), bar.get_y(), bar.get_height()) for bar in axes.patches]


def test_bars_are_the_bins_and_gaps_reach_to_the_confidence(bench, figure):
    measure(bench, figure)
    axes = bench.draw(figure).axes
    (hybrid,) = (panel for panel in axes if panel.get_title().startswith("Hybrid"))
    (shares, *_) = (panel for panel in axes if panel.get_xlabel() == "confidence")
    accuracy, gaps = bars(hybrid)[:4], bars(hybrid)[4:]
    np.testing.assert_allclose(accuracy, [(0, 0, np.nan), (0.25, 0, 0.5), (0.5, 0, 0.6), (0.75, 0, 0.9)])
    np.testing.assert_allclose(
        gaps, [(0, np.nan, np.nan), (0.25, 0.5, -0.1), (0.5, 0.6, 0.1), (0.75, 0.9, 0.05)], atol=1e-12
    )
    np.testing.assert_allclose(bars(shares), [(0, 0, 0), (0.25, 0, 10), (0.5, 0, 30), (0.75, 0, 60)])
    assert hybrid.get_title() == "Hybrid\nAccuracy: 77.0%  ECE: 7.0%"
    assert [list(line.get_xdata()) for line in hybrid.lines] == [[0, 1]]


def test_every_row_has_a_panel_and_every_panel_of_a_run_its_shares(bench, figure):
    assert bench.draw(figure) is None
    measure(bench, figure, keep=lambda cell: cell.run == HYBRID or cell.metric is ACCURACY)
    axes = bench.draw(figure).axes
    assert len(axes) == 4 + 1
    said = {panel.get_title(): [text.get_text() for text in panel.texts] for panel in axes if panel.get_title()}
    assert said == {
        "Foreign": ["not run here: Foreign"],
        "Hybrid\nAccuracy: 77.0%  ECE: 7.0%": [],
        "Long": ["not measured yet"],
        "More": ["not run here: More"],
    }
