"""Figure files: named after their exhibit, byte-identical on every build, and readable."""

import subprocess
import sys
from dataclasses import dataclass, replace
from io import BytesIO
from typing import ClassVar

import matplotlib.image
import numpy as np
import pytest
import toy_paper
from toy_paper import DENOISING, HYBRID

from harness.registry.exhibit import plots_of
from harness.registry.figures import Agreement, Plot, SampleGrids
from harness.registry.metrics import FID
from harness.registry.papers import papers
from harness.registry.row import Row
from harness.report.figures.render import RenderError

NASTY = r"</script> _ % & # $ \input{/etc/passwd} ^ ~ { } | ` * “α” ≤ $\frac{$"


def arrays(cell):
    return {"samples": np.zeros((9, 1, 8, 8), dtype=np.uint8)}


@pytest.fixture
def figure(bench):
    figure = bench.figure(SampleGrids(side=2), [FID], (NASTY, HYBRID), ("Foreign", None))
    bench.measure(figure, arrays=arrays)
    return figure


def test_a_figure_has_its_name_and_the_same_bytes_every_time(bench, figure):
    first = bench.write(figure)
    assert set(first) == {"figure1.png", "figure1.pdf", "figure1.svg"}
    assert bench.write(figure) == first
    picture = matplotlib.image.imread(BytesIO(first["figure1.png"]))
    assert picture.shape[1] == pytest.approx(7 * 300, abs=2)
    assert picture.std() > 0
    pdf = first["figure1.pdf"]
    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    assert b"CreationDate" not in pdf and b"/Type3" not in pdf


def test_figures_do_not_depend_on_a_users_settings(bench, figure):
    import matplotlib

    first = bench.write(figure)
    with matplotlib.rc_context({"font.size": 20, "savefig.dpi": 20, "text.parse_math": True}):
        assert bench.write(figure) == first


def test_a_table_has_its_agreement_and_its_samples(bench):
    rows = [Row(str(index), HYBRID.but(epochs=2 + index), (float(index),)) for index in range(3)]
    table = bench.table([FID], *rows, Row("Other", DENOISING, (9.0,)))
    assert bench.write(table) == {}
    bench.measure(table, value=lambda cell: float(cell.run.config.training.epochs), arrays=arrays)
    names = {f"table2-{kind}.{ending}" for kind in ("agreement", "samples") for ending in ("png", "pdf", "svg")}
    assert set(bench.write(table)) == names


@dataclass(frozen=True)
class Broken(Plot):
    """A faulty drawing function of a paper."""

    implementation: ClassVar[str] = "toy_paper:no_such_drawing"


def test_a_drawing_that_fails_is_named_and_takes_no_other_with_it(bench):
    rows = [Row(str(index), HYBRID.but(epochs=2 + index), (float(index),)) for index in range(3)]
    table = replace(bench.table([FID], *rows), plots={"broken": Broken(), "agreement": Agreement()})
    bench.measure(table, value=lambda cell: float(cell.run.config.training.epochs), arrays=arrays)
    with pytest.raises(RenderError, match=r"table2-broken: .*'toy_paper:no_such_drawing' cannot be loaded"):
        bench.write(table)
    assert {path.name for path in bench.results.report.rglob("table2-*")} == {
        f"table2-agreement.{ending}" for ending in ("png", "pdf", "svg")
    }


def list_of_axes(plot, report, results):
    """Return something other than a figure."""
    return ["axes"]


def test_what_is_no_figure_is_refused(bench, monkeypatch):
    table = replace(bench.table([FID], Row("A", HYBRID, (1.0,))), plots={"axes": Broken()})
    monkeypatch.setattr(toy_paper, "no_such_drawing", list_of_axes, raising=False)
    bench.measure(table, value=lambda cell: 1.0, arrays=arrays)
    with pytest.raises(
        RenderError,
        match=r"table2-axes: .* returns .*\(list\), not a matplotlib Figure",
    ):
        bench.write(table)


def test_every_drawing_of_every_paper_can_be_imported():
    from importlib import import_module

    for paper in papers().values():
        for exhibit in paper.exhibits:
            for plot in plots_of(exhibit).values():
                module, _, function = plot.implementation.partition(":")
                assert callable(getattr(import_module(module), function))


def test_only_drawing_loads_matplotlib():
    script = "import sys, harness.report.figures.render; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
