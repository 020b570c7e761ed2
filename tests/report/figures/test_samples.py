"""Sample grids show the first samples of every row, unchanged; missing ones are labelled."""

import math

import numpy as np
import pytest
from toy_paper import DENOISING, HYBRID, LONG

from harness.registry.figures import SampleGrids, SamplesAtDistances, SampleStrips
from harness.registry.metrics import ACCURACY, FID
from harness.registry.row import Row
from harness.report.figures.images import mosaic
from harness.report.figures.row_data import value
from harness.store.files import StoreError

ROWS = (("Hybrid", HYBRID), ("Denoising", DENOISING), ("Foreign", None))


def pictures(count=20, channels=1, size=8, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (count, channels, size, size), dtype=np.uint8)


def shown(axes):
    (image,) = axes.images
    return np.asarray(image.get_array())


def first_tile(axes, size=8):
    """Return the upper left image at its original resolution."""
    return shown(axes)[: 4 * size : 4, : 4 * size : 4]


def test_mosaics_keep_every_pixel_and_leave_blanks_white():
    images = pictures(5, channels=3)
    picture = mosaic([images[:3], images[3:]], columns=3)
    assert picture.shape == (2 * 33 - 1, 3 * 33 - 1, 3)
    for index, image in enumerate(images):
        top, left = 33 * (index // 3), 33 * (index % 3)
        tile = picture[top : top + 32, left : left + 32]
        assert (tile == image.transpose(1, 2, 0).repeat(4, 0).repeat(4, 1)).all()
    assert (picture[33:, 66:] == 255).all()
    assert (picture[32] == 255).all() and (picture[:, 32] == 255).all()


@pytest.mark.parametrize(("size", "enlarged", "gap"), [(14, 28, 1), (32, 32, 1), (48, 48, 1), (128, 128, 4)])
def test_lines_between_images_are_thin_at_every_size(size, enlarged, gap):
    assert mosaic([pictures(2, size=size)], columns=2).shape[:2] == (enlarged, 2 * enlarged + gap)


def test_grids_show_the_first_samples_with_their_distances(bench, texts):
    figure = bench.figure(SampleGrids(side=3), [FID], *ROWS)
    arrays = {"hybrid": pictures(20), "denoising": pictures(5, seed=1)}
    bench.measure(
        figure,
        value=lambda cell: {"hybrid": 37.12, "denoising": math.inf}[cell.run.name],
        arrays=lambda cell: {"samples": arrays[cell.run.name]},
    )
    drawn = bench.draw(figure)
    hybrid, denoising, foreign = drawn.axes
    assert [axes.get_title() for axes in drawn.axes] == [
        "Hybrid\nFD(digits) 37.1",
        "Denoising\nFD(digits) inf",
        "Foreign",
    ]
    assert shown(hybrid).shape == (3 * 33 - 1, 3 * 33 - 1)
    assert (first_tile(hybrid) == arrays["hybrid"][0, 0]).all()
    assert shown(denoising).shape[0] == 2 * 33 - 1
    assert not foreign.images and [text.get_text() for text in foreign.texts] == ["not run here: Foreign"]
    title, caption, _ = texts(drawn)
    assert title == "Figure 1: A toy (toy, scale laptop)"
    assert caption == (
        "The first samples, not selected. One seed. "
        f"Runs with seed 0: hybrid ({HYBRID.id}), denoising ({DENOISING.id}) on digits. Not run here: Foreign."
    )


def test_partial_grids_say_what_is_missing(bench, texts):
    figure = bench.figure(SampleGrids(side=2), [FID], *ROWS)
    assert bench.draw(figure) is None
    bench.measure(
        figure,
        seeds=2,
        arrays=lambda cell: {"samples": pictures()},
        keep=lambda cell: cell.run.name.startswith("hybrid"),
    )
    drawn = bench.draw(figure)
    assert [text.get_text() for text in drawn.axes[1].texts] == ["not measured yet"]
    caption = texts(drawn)[1]
    assert "Shown is the first of 2 seeds." in caption
    assert caption.endswith("Not run here: Foreign. Not measured yet: Denoising. 1 of 2 values are measured.")


def test_what_has_no_seed_0_has_nothing_to_show(bench, texts):
    """The other seeds have values, which are not of the samples that a grid would show."""
    figure = bench.figure(SampleGrids(side=2), [FID], *ROWS[:2])
    arrays = {"seeds": 2, "arrays": lambda cell: {"samples": pictures()}}
    bench.measure(figure, keep=lambda cell: cell.seed == 1 or cell.run.name.startswith("hybrid"), **arrays)
    report = bench.report(figure)
    assert [str(value(report, row, "frechet_distance")) for row in figure.rows] == ["FD(digits) 10.0", "None"]
    drawn = bench.draw(figure)
    assert [text.get_text() for text in drawn.axes[1].texts] == ["not measured yet"]


def test_a_broken_array_is_one_line_that_says_what_to_do(bench):
    figure = bench.figure(SampleGrids(), [FID], ROWS[0])
    bench.measure(figure, arrays=lambda cell: {"samples": pictures()})
    (path,) = bench.results.runs.rglob("samples.npy")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(StoreError, match=r"samples.npy is not the array that its record states; delete .*\.json and"):
        bench.draw(figure)


@pytest.mark.parametrize("content", ['""', "[]", '{"name": "a", "config": {"data": "digits"}}', "{"])
def test_a_broken_configuration_is_named_where_samples_are_drawn(bench, content):
    figure = bench.figure(SampleGrids(), [FID], ROWS[0])
    bench.measure(figure, arrays=lambda cell: {"samples": pictures()})
    (path,) = bench.results.runs.rglob("config.json")
    path.write_text(content)
    with pytest.raises(StoreError, match=r"config\.json: .*; delete this file"):
        bench.draw(figure)


def states(distances):
    """Return rows at increasing shares of the training, and the distance of each."""
    rows = [Row(f"epoch {share}", LONG, (None,), protocol={"after": share / 10}) for share in distances]
    return rows, lambda cell: distances[round(10 * cell.evaluation.after)]


def test_the_state_nearest_to_the_ratio_stands_beside_the_last_one(bench):
    rows, value = states({1: 90.0, 2: 41.0, 4: 37.0, 6: math.nan, 10: 20.0})
    figure = bench.figure(SamplesAtDistances(ratio=2, side=2), [FID], *rows)
    arrays = {after: pictures(seed=after) for after in (1, 2, 4, 6, 10)}
    bench.measure(figure, value=value, arrays=lambda cell: {"samples": arrays[round(10 * cell.evaluation.after)]})
    left, right = bench.draw(figure).axes
    assert left.get_xlabel() == "FD(digits) 41.0 (2 times as much) after 20% of the training"
    assert right.get_xlabel() == "FD(digits) 20.0 at the end of the training"
    assert (first_tile(left) == arrays[2][0, 0]).all()
    assert (first_tile(right) == arrays[10][0, 0]).all()


@pytest.mark.parametrize(
    ("distances", "label", "said"),
    [
        ({10: 20.0}, "FD(digits) 20.0 at the end of the training", []),
        ({1: 40.0}, "", ["not measured yet"]),
        ({1: 40.0, 10: math.nan}, "FD(digits) NaN at the end of the training", []),
        ({1: 40.0, 10: 0.0}, "FD(digits) 0.0 at the end of the training", []),
    ],
)
def test_states_that_are_missing_leave_a_frame(bench, distances, label, said):
    rows, value = states({1: 0, 10: 0} | distances)
    figure = bench.figure(SamplesAtDistances(ratio=2), [FID], *rows)
    assert bench.draw(figure) is None
    bench.measure(
        figure,
        value=value,
        arrays=lambda cell: {"samples": pictures()},
        keep=lambda cell: round(10 * cell.evaluation.after) in distances,
    )
    left, right = bench.draw(figure).axes
    assert [text.get_text() for text in left.texts] == ["no state at 2 times the final distance yet"]
    assert (right.get_xlabel(), [text.get_text() for text in right.texts]) == (label, said)


def test_strips_of_a_table_show_its_generative_rows(bench):
    table = bench.table([ACCURACY, FID], Row("A $x$ row", HYBRID, (1.0, 2.0)), Row("Cited", None, (1.0, 2.0)))
    assert bench.draw(table, plot=SampleStrips()) is None
    samples = pictures()
    bench.measure(table, arrays=lambda cell: {"samples": samples} if cell.metric is FID else {})
    (axes,) = bench.draw(table, plot=SampleStrips(count=7)).axes
    assert axes.get_ylabel() == "A $x$ row\nFD(digits) 10.0"
    assert shown(axes).shape == (32, 7 * 33 - 1)
    assert (first_tile(axes) == samples[0, 0]).all()
