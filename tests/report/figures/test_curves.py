"""Curves of attacks and of training: every point comes from a record, and unmeasured values are not drawn."""

import math

import pytest
from toy_paper import DENOISING, HYBRID, LONG

from harness.registry.figures import AccuracyUnderAttack, LearningCurves
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row, Value
from harness.store.curves import append_point

TUNED = {"tuned PGD": {"step_size": None, "restarts": 5}}
SHARES = (2, 5, 10)


def points(line):
    return [tuple(map(float, pair)) for pair in line.get_xydata()]


def curves(axes):
    """Return the points of every line, by line style, marker, and whether the marker is filled."""
    return {(line.get_linestyle(), line.get_marker(), line.get_fillstyle()): points(line) for line in axes.lines}


def legend(figure):
    return [text.get_text() for part in figure.subfigs for legend in part.legends for text in legend.get_texts()]


def robust(cell):
    """Return a value unique to row, metric, protocol and seed."""
    if cell.metric is ACCURACY:
        return 1000.0 + cell.seed
    size = float(cell.metric.quantity.split("_")[2])
    return (800 if cell.run == HYBRID else 700) - size - 200 * bool(cell.reading) + cell.seed


@pytest.fixture
def attacks(bench):
    metrics = [ACCURACY, *bench.attacks]
    reported = (95.0, 60.0, 50.0, None, None, 7.0)
    rows = (Row("Hybrid", HYBRID, reported), Row("Long", LONG, (None,) * 6), Row("Foreign", None, (None,) * 6))
    return bench.figure(AccuracyUnderAttack(), metrics, *rows, readings=TUNED)


def test_attacks_have_a_panel_a_norm_and_a_curve_a_row_and_protocol(bench, attacks):
    bench.measure(attacks, value=robust)
    drawn = bench.draw(attacks)
    linf, l2 = drawn.axes
    assert [axes.get_title() for axes in drawn.axes] == ["L∞ attacks", "L2 attacks"]
    assert curves(linf)[("-", "o", "full")] == [(0, 1000), (1, 799), (2, 798), (4, 796)]
    assert curves(linf)[("--", "o", "full")] == [(0, 1000), (1, 599), (2, 598), (4, 596)]
    assert curves(l2)[("-", "s", "full")] == [(0, 1000), (50, 650), (100, 600)]
    assert len(linf.lines) == len(l2.lines) == 4
    assert legend(drawn) == ["Hybrid", "Long", "Foreign (not run here)", "the paper's protocol", "tuned PGD"]


def test_the_papers_values_are_rings_where_values_compare(bench, attacks):
    bench.measure(attacks, value=robust)
    linf, l2 = bench.draw(attacks, "paper").axes
    assert curves(linf)[("None", "o", "none")] == [(0, 95), (1, 60), (2, 50)]
    assert curves(l2)[("None", "o", "none")] == [(0, 95), (100, 7)]


def test_the_papers_deviations_are_bars_of_their_rings(bench, texts):
    reported = (Value(95.0, sd=0.5), 60.0, Value(50.0, sd=2), Value(40.0), None, 7.0)
    attacks = bench.figure(
        AccuracyUnderAttack(), [ACCURACY, *bench.attacks], Row("Hybrid", HYBRID, reported), readings=TUNED
    )
    bench.measure(attacks, value=robust)
    drawn = bench.draw(attacks, "paper")
    linf, l2 = drawn.axes
    assert curves(linf)[("None", "o", "none")] == [(0, 95), (1, 60), (2, 50), (4, 40)]
    (*_, bars) = linf.collections
    assert [segment[:, 1].tolist() for segment in bars.get_segments() if len(segment)] == [[94.5, 95.5], [48, 52]]
    assert "Bars with caps are the standard deviations that the paper prints." in texts(drawn)[1]
    assert [len(bars.get_segments()[0]) for bars in l2.collections[-1:]] == [2], "the accuracy without an attack again"
    at_laptop = bench.draw(attacks)
    assert "Bars with caps" not in texts(at_laptop)[1], "nothing of the paper is drawn where values do not compare"


def test_attacks_that_are_not_measured_are_left_out(bench, attacks):
    assert bench.draw(attacks) is None
    bench.measure(attacks, value=robust, keep=lambda cell: cell.metric.quantity.startswith("robust_l2"))
    linf, l2 = bench.draw(attacks).axes
    assert [text.get_text() for text in linf.texts] == ["not measured yet"]
    assert curves(l2)[("-", "o", "full")] == [(50, 750), (100, 700)]


def test_seeds_are_means_with_bars(bench, attacks, texts):
    bench.measure(attacks, value=robust, seeds=3)
    drawn = bench.draw(attacks)
    assert curves(drawn.axes[0])[("-", "o", "full")][0] == (0, 1001)
    (bars, *_) = drawn.axes[0].collections
    assert bars.get_segments()[0][:, 1].tolist() == [1000, 1002]
    assert texts(drawn)[1].startswith("Means over 3 seeds; bars are standard deviations.")


def test_sections_that_are_norms_have_their_own_panels(bench):
    metrics = [ACCURACY, *bench.attacks]
    rows = [Row("Hybrid", HYBRID, (None,) * 6, section=norm) for norm in ("L∞", "L2")]
    figure = bench.figure(AccuracyUnderAttack(), metrics, *rows)
    bench.measure(figure, value=robust)
    drawn = bench.draw(figure)
    assert [len(axes.lines) for axes in drawn.axes] == [1, 1]
    assert legend(drawn) == ["Hybrid", "the paper's protocol"]


@pytest.fixture
def course(bench):
    rows = [
        Row(f"epoch {share}", run, (50.0, None), section=section, protocol={"after": share / 10})
        for section, run in (("One", LONG), ("Two", HYBRID))
        for share in SHARES
    ]
    return bench.figure(LearningCurves(reported=(("One", ((0.1, 30.0), (1.0, 60.0))),)), [ACCURACY, FID], *rows)


def after(cell):
    return (70 if cell.metric is ACCURACY else 30) + 10 * cell.evaluation.after


def test_a_course_draws_every_state_at_its_share_of_the_training(bench, course):
    bench.measure(course, value=after)
    drawn = bench.draw(course)
    accuracy, distance = drawn.axes[0], drawn.axes[2]
    assert points(accuracy.lines[0]) == [(20, 72), (50, 75), (100, 80)]
    assert points(distance.lines[0]) == [(20, 32), (50, 35), (100, 40)]
    assert [axes.get_title() for axes in drawn.axes[:2]] == ["One", "Two"]
    assert (accuracy.get_ylabel(), distance.get_ylabel()) == ("Acc, %", "FD(digits)")
    assert distance.get_xlabel() == "% of the training (5 epochs)"
    assert points(accuracy.lines[-1]) == [(10, 30), (100, 60)]
    assert legend(drawn) == ["measured", "authors' log (paper scale)"]


def test_a_course_takes_every_epoch_from_the_runs_own_curve(bench, course):
    metrics = bench.results.directory(LONG).metrics
    metrics.parent.mkdir(parents=True)
    for epoch in (1, 2, 3):
        append_point(metrics, {"epoch": epoch, "step": 10 * epoch, "loss": 1.0} | ({"test_accuracy": 50.0 + epoch}))
    append_point(metrics, {"epoch": 4, "step": 40, "loss": 1.0})
    drawn = bench.draw(course)
    assert points(drawn.axes[0].lines[0]) == [(20, 51), (40, 52), (60, 53)]
    assert [text.get_text() for axes in drawn.axes[1:] for text in axes.texts] == ["not measured yet"] * 3


def test_a_course_takes_the_curve_of_any_metric_that_is_validated(bench, course):
    metrics = bench.results.directory(LONG).metrics
    metrics.parent.mkdir(parents=True)
    for epoch in (1, 2):
        append_point(metrics, {"epoch": epoch, "step": 10 * epoch, f"test_{FID.quantity}": 9.0 - epoch, "other": 1})
    drawn = bench.draw(course)
    assert points(drawn.axes[2].lines[0]) == [(20, 8), (40, 7)]
    assert [text.get_text() for axes in drawn.axes[:2] for text in axes.texts] == ["not measured yet"] * 2


def test_the_papers_course_stands_beside_where_values_compare(bench, course):
    assert bench.draw(course) is None
    bench.measure(course, value=after)
    drawn = bench.draw(course, "paper")
    assert legend(drawn) == ["measured", "the paper's value", "authors' log"]
    assert points(drawn.axes[0].lines[1]) == [(20, 50), (50, 50), (100, 50)]


def test_the_papers_course_has_bars_where_it_prints_deviations(bench):
    rows = [
        Row("half", LONG, (Value(50.0, sd=2), 3.0), protocol={"after": 0.5}),
        Row("end", LONG, (Value(60.0, sd=1), Value(2.0, n=3))),
    ]
    course = bench.figure(LearningCurves(), [ACCURACY, FID], *rows)
    bench.measure(course)
    accuracy, distance = bench.draw(course, "paper").axes
    (*_, bars) = accuracy.collections
    assert [segment.tolist() for segment in bars.get_segments()] == [[[50, 48], [50, 52]], [[100, 59], [100, 61]]]
    assert len(distance.collections) == len(accuracy.collections) - 1, "no deviation, no error bar"


def test_values_that_are_not_finite_leave_gaps(bench, course):
    bench.measure(course, value=lambda cell: math.nan if cell.evaluation.after == 0.5 else after(cell))
    line = points(bench.draw(course).axes[0].lines[0])
    assert line[0] == (20, 72) and math.isnan(line[1][1]) and line[2] == (100, 80)


def test_a_course_without_a_run_says_so(bench):
    rows = (Row("end", DENOISING, (None,), section="One"), Row("end", None, (None,), section="Two"))
    figure = bench.figure(LearningCurves(), [FID], *rows)
    bench.measure(figure)
    one, two = bench.draw(figure).axes
    assert len(one.lines) == 1
    assert [text.get_text() for text in two.texts] == ["not run here: Two: end"]
