"""Extremes and histograms by class. Sample i is a plain square of grey level i, so it can be read off the figure."""

from itertools import chain

import numpy as np
import pytest
from scipy.special import logsumexp
from toy_paper import HYBRID

from harness.registry.figures import ClassExtremes, ClassGrids, DensityHistograms
from harness.registry.metrics import FID

CLASSES, COUNT, BLANK = 4, 120, 255
PANELS = ["highest E(x)", "lowest E(x)", "highest p(y|x)", "lowest p(y|x)"]
NAMES = ("Plane", "Car", "Bird", "Cat")


def samples():
    return np.arange(COUNT, dtype=np.uint8)[:, None, None, None] * np.ones((1, 1, 8, 8), dtype=np.uint8)


def logits():
    """Return logits with ties and without class 2; sample 5 has NaN logits."""
    drawn = np.random.default_rng(0).normal(size=(COUNT, CLASSES)).astype(np.float32)
    drawn[:, 2] = -9
    drawn[20:40] = drawn[60:80]
    drawn[5] = np.nan
    return drawn


def expected(index):
    """Return the order of a class in every panel, by a simple implementation."""
    of_sample = logits().astype(float)
    of_sample[5] = [0, 0, 9, 0]
    density = logsumexp(of_sample, axis=1)
    confidence = np.exp(of_sample.max(axis=1) - density)
    members = [i for i in range(COUNT) if of_sample[i].argmax() == index and i != 5]
    return [
        sorted(members, key=lambda i: (sign * scores[i], i)) for scores in (density, confidence) for sign in (-1, 1)
    ]


def shown(axes):
    """Return the samples of a panel, line by line."""
    (image,) = axes.images
    return np.asarray(image.get_array())[::33, ::33].tolist()


@pytest.fixture
def draw(bench):
    def draw(plot, scale="laptop", measured=True):
        run = HYBRID.but(data=bench.elsewhere) if scale == "stand-in" else HYBRID
        figure = bench.figure(plot, [FID], ("Hybrid", run))
        if measured:
            bench.measure(figure, arrays=lambda cell: {"samples": samples(), "own_logits": logits()}, scale=scale)
        return bench.draw(figure, scale)

    return draw


@pytest.mark.parametrize("count", [3, 60])
def test_every_class_has_a_line_of_its_extremes(draw, count):
    drawn = draw(ClassExtremes(NAMES, count=count))
    assert [axes.get_title() for axes in drawn.axes] == PANELS
    for panel, axes in enumerate(drawn.axes):
        orders = [expected(index)[panel][:count] for index in range(CLASSES)]
        assert shown(axes) == [order + [BLANK] * (count - len(order)) for order in orders]
        assert shown(axes)[2] == [BLANK] * count


def test_classes_of_stand_ins_have_numbers_beside_the_papers_names(draw):
    scales = ("paper", "laptop", "stand-in")
    drawn = {scale: draw(ClassExtremes(NAMES), scale).axes[0].get_yticklabels() for scale in scales}
    names = {scale: [label.get_text() for label in labels] for scale, labels in drawn.items()}
    assert names["paper"] == names["laptop"] == list(NAMES)
    assert names["stand-in"] == [f"{index} for {name}" for index, name in enumerate(NAMES)]


def test_a_class_without_a_name_has_its_number(draw):
    labels = draw(ClassExtremes(NAMES[:2]), "stand-in").axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == [f"0 for {NAMES[0]}", f"1 for {NAMES[1]}", "2", "3"]


@pytest.mark.parametrize(("scale", "said"), [("paper", "class 1."), ("stand-in", "class 1 for Car.")])
def test_the_title_names_the_class_of_a_stand_in(draw, texts, scale, said):
    title, remark, *_ = texts(draw(ClassGrids(index=1, name="Car"), scale))
    assert title == (
        "Figure 1: A toy [else_where → digits, class 1 for Car] (toy, scale stand-in)"
        if scale == "stand-in"
        else "Figure 1: A toy (toy, scale paper)"
    )
    assert f"samples are of {said}" in remark


def test_grids_of_a_class_are_its_extremes_and_share_none(draw, texts):
    orders = expected(1)
    number = len(orders[0])
    assert 18 <= number < 2 * 49
    for wanted, side in ((3, 3), (7, int((number // 2) ** 0.5))):
        drawn = draw(ClassGrids(index=1, side=wanted))
        grids = [list(chain(*shown(axes))) for axes in drawn.axes]
        assert grids == [order[: side**2] for order in orders]
        assert not set(grids[0]) & set(grids[1])
    assert [axes.get_title().split(":")[0] for axes in drawn.axes] == PANELS
    assert texts(drawn)[1].startswith(f"{number} of {COUNT} samples are of class 1.")


def test_a_class_without_samples_says_so(draw):
    for axes in draw(ClassGrids(index=2)).axes:
        assert not axes.images and [text.get_text() for text in axes.texts] == ["no sample of class 2"]


def test_histograms_hold_every_classified_sample(draw):
    drawn = draw(DensityHistograms(NAMES, bins=6), "paper")
    (axes,) = drawn.axes
    orders = [expected(index)[0] for index in range(CLASSES)]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == [f"{name}\n{len(order)}" for name, order in zip(NAMES, orders, strict=True)]
    density = logsumexp(logits().astype(float), axis=1)
    edges = np.histogram_bin_edges(density[list(chain(*orders))], 6)
    counts = [np.histogram(density[order], edges)[0] if order else np.zeros(6) for order in orders]
    for index, (patch, count) in enumerate(zip(axes.patches, counts, strict=True)):
        values, drawn_edges, baseline = patch.get_data()
        np.testing.assert_allclose(drawn_edges, edges)
        np.testing.assert_allclose(values - index, 0.9 * count / np.max(counts), atol=1e-12)
        assert baseline == index


@pytest.mark.parametrize("plot", [ClassExtremes(NAMES), ClassGrids(0), DensityHistograms(NAMES)])
def test_nothing_is_drawn_before_the_samples_are_there(draw, plot):
    assert draw(plot, measured=False) is None


@pytest.mark.parametrize("plot", [ClassExtremes(NAMES, count=3), ClassGrids(0), DensityHistograms(NAMES)])
def test_a_model_whose_logits_are_all_broken_is_drawn_without_samples(bench, plot):
    figure = bench.figure(plot, [FID], ("Hybrid", HYBRID))
    broken = np.full((COUNT, CLASSES), np.nan, dtype=np.float32)
    bench.measure(figure, arrays=lambda cell: {"samples": samples(), "own_logits": broken})
    assert bench.draw(figure) is not None
