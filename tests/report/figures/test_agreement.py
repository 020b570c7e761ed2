"""Agreement plots: measured values in the paper's order, for metrics that rank rows."""

import math

import pytest
from toy_paper import HYBRID

from harness.registry.figures import Agreement
from harness.registry.metrics import ACCURACY, BPD, CONFIDENCE_GAP, FID, INCEPTION_SCORE
from harness.registry.row import Row, Value, Words

RUNS = [HYBRID.but(epochs=2 + index) for index in range(4)]
MEASURED = dict(zip((run.id for run in RUNS), (40.0, 10.0, 30.0, 20.0), strict=True))


def table(bench, metrics, *reported):
    rows = [Row(f"row {index}", RUNS[index], values) for index, values in enumerate(reported)]
    return bench.table(metrics, *rows)


def measured(cell):
    return MEASURED[cell.run.id]


def drawn(bench, metrics, *reported, value=measured):
    exhibit = table(bench, metrics, *reported)
    bench.measure(exhibit, value=value)
    return bench.draw(exhibit, plot=Agreement())


@pytest.mark.parametrize(("metric", "order"), [(ACCURACY, [1, 2, 0]), (FID, [0, 2, 1])], ids=["higher", "lower"])
def test_rows_stand_in_the_papers_order_worst_first(bench, metric, order):
    (axes,) = drawn(bench, [metric], (3.0,), (1.0,), (2.0,)).axes
    values = [list(MEASURED.values())[index] for index in order]
    assert list(axes.lines[1].get_xdata()) == values
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [f"row {index}  {metric.reported((3.0, 1.0, 2.0)[index])}" for index in order]
    assert axes.xaxis_inverted() == (metric is FID)


def test_rows_carry_the_papers_own_deviation(bench):
    (axes,) = drawn(bench, [ACCURACY], (Value(3.0, sd=0.25, n=5),), (Value(1.0),), (2,)).axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["row 1  1.0", "row 2  2.0", "row 0  3.0 ± 0.25"]


def test_tau_is_kendalls(bench):
    (axes,) = drawn(bench, [ACCURACY], (4.0,), (1.0,), (3.0,), (2.0,)).axes
    assert axes.get_title(loc="right") == "Acc: τ = 1.00"
    (axes,) = drawn(bench, [ACCURACY], (4.0,), (2.0,), (3.0,), (1.0,)).axes
    assert axes.get_title(loc="right") == "Acc: τ = 0.67"


def test_words_rank_by_their_meaning(bench):
    (axes,) = drawn(bench, [ACCURACY], (4.0,), (1.0,), (Words("3 days", 3.0),)).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["row 1  1.0", "row 2  3 days", "row 0  4.0"]


def test_datasets_have_panels_of_their_own(bench):
    on = [HYBRID.config.data, HYBRID.config.data.model_copy(update={"name": "cifar100"})]
    rows = [
        Row(f"row {index}", HYBRID.but(data=data, epochs=2 + index), (float(reported),), section=data.name)
        for data in on
        for index, reported in enumerate((1, 2, 3))
    ]
    exhibit = bench.table([ACCURACY], *rows)
    rising, falling = (1.0, 2.0, 3.0), (30.0, 20.0, 10.0)
    of_row = dict(zip((row.key for row in rows), (*rising, *falling), strict=True))
    bench.measure(exhibit, value=lambda cell: of_row[cell.row.key])
    axes = bench.draw(exhibit, plot=Agreement()).axes
    assert [panel.get_title(loc="right").splitlines()[-1] for panel in axes] == ["Acc: τ = 1.00", "Acc: τ = -1.00"]
    assert [list(panel.lines[1].get_xdata()) for panel in axes] == [list(rising), list(falling)]
    assert [panel.get_title(loc="right").splitlines()[0] for panel in axes] == ["digits", "cifar100"]
    assert [found.tau for found in bench.report(exhibit).agreements] == pytest.approx([1, -1])


def test_feature_spaces_of_one_dataset_have_panels_of_their_own(bench):
    spaces = {"A": {}, "B": {"features": "inception"}}
    rows = [
        Row(f"row {index}", RUNS[index], (float(index),), section=block, protocol=space)
        for block, space in spaces.items()
        for index in range(3)
    ]
    exhibit = bench.table([FID], *rows)
    bench.measure(exhibit, value=lambda cell: measured(cell) * (1 if cell.row.section == "A" else -1))
    axes = bench.draw(exhibit, plot=Agreement()).axes
    assert [panel.get_title(loc="right") for panel in axes] == ["FID: τ = -0.33", "FID: τ = 0.33"]
    assert [panel.get_xlabel() for panel in axes] == ["FD(digits) →", "FID →"]


def test_a_repeated_row_counts_once(bench):
    rows = [Row(f"row {index}", RUNS[index], (float(index),), section=block) for block in "AB" for index in range(3)]
    exhibit = bench.table([ACCURACY], *rows)
    bench.measure(exhibit, value=measured)
    assert [found.rows for found in bench.report(exhibit).agreements] == [3]


@pytest.mark.parametrize(
    "reported",
    [
        [(1.0,), (2.0,)],
        [(1.0,), (2.0,), (None,)],
        [(1.0,), (2.0,), (Words("4 days"),)],
        [(5.0,), (5.0,), (5.0,)],
    ],
    ids=["two rows", "a dash", "words", "equal"],
)
def test_metrics_that_tell_no_order_have_no_panel(bench, reported):
    assert drawn(bench, [ACCURACY], *reported) is None


def test_neither_side_may_be_constant_or_broken(bench):
    reported = [(1.0,), (2.0,), (3.0,)]
    assert drawn(bench, [ACCURACY], *reported, value=lambda cell: 5.0) is None
    broken = {**MEASURED, RUNS[0].id: math.nan}
    assert drawn(bench, [ACCURACY], *reported, value=lambda cell: broken[cell.run.id]) is None


def test_metrics_without_a_better_side_have_no_panel(bench):
    assert drawn(bench, [CONFIDENCE_GAP], (1.0,), (2.0,), (3.0,)) is None


def test_many_metrics_wrap_into_lines_of_four_at_most(bench):
    metrics = [ACCURACY, FID, INCEPTION_SCORE, BPD, *bench.attacks]
    figure = drawn(bench, metrics, *[(value,) * 9 for value in (1.0, 3.0, 2.0)])
    places = [axes.get_subplotspec() for axes in figure.axes]
    assert len(places) == 9
    assert {place.get_gridspec().ncols for place in places} == {3}
    assert figure.get_figwidth() < 10


def test_rows_carry_their_section_only_where_there_are_several(bench):
    def labels(sections):
        rows = [Row(f"row {i}", RUNS[i], (float(i),), section=section) for i, section in enumerate(sections)]
        exhibit = bench.table([ACCURACY], *rows)
        bench.measure(exhibit, value=measured)
        return [label.get_text() for label in bench.draw(exhibit, plot=Agreement()).axes[0].get_yticklabels()]

    assert labels("AAA") == ["row 0  0.0", "row 1  1.0", "row 2  2.0"]
    assert labels("ABB") == ["A: row 0  0.0", "B: row 1  1.0", "B: row 2  2.0"]


def test_long_names_take_one_panel_a_line(bench):
    rows = [Row("a name " * 40 + str(i), RUNS[i], (float(i), float(i))) for i in range(3)]
    exhibit = bench.table([ACCURACY, FID], *rows)
    bench.measure(exhibit, value=measured)
    axes = bench.draw(exhibit, plot=Agreement()).axes
    assert [panel.get_subplotspec().get_gridspec().ncols for panel in axes] == [1, 1]


def test_seeds_have_bars(bench):
    exhibit = table(bench, [ACCURACY], (1.0,), (2.0,), (3.0,))
    bench.measure(exhibit, value=lambda cell: cell.run.config.training.epochs + cell.seed, seeds=3)
    (axes,) = bench.draw(exhibit, plot=Agreement()).axes
    assert [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()] == [[2, 4], [3, 5], [4, 6]]
